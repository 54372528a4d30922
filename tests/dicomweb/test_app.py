import re

import httpx
import pytest
from pydicom import Dataset

from testdata.broken import BROKEN, enormous_dimensions
from tests.dicomweb.conftest import Library, Service

JSON = "application/dicom+json"
FRAME = 'multipart/related; type="application/octet-stream"; transfer-syntax="*"'
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

# What OHIF 3.12 and 3.13 send, as recorded; UIDs are put in below.
OHIF = [
    (
        "/studies?limit=101&offset=0&fuzzymatching=false"
        "&includefield=00081030%2C00080060%2C00080090%2C00100030",
        JSON,
        JSON,
    ),
    ("/studies?limit=101&offset=0&fuzzymatching=false&PatientName=*Test*&00100020=*VIEW*", JSON, JSON),
    ("/studies?AccessionNumber=*PROVA*&StudyDescription=*torace*&ModalitiesInStudy=CT%2CMR", JSON, JSON),
    ("/studies?StudyDate=20240101-20261231&StudyInstanceUID={study}", JSON, JSON),
    ("/studies?00100020={patient}", JSON, JSON),
    ("/studies/{study}/series?includefield=00080021%2C00080031%2C0008103E%2C00200011", JSON, JSON),
    ("/studies/{study}/series/{series}/metadata", JSON, JSON),
    ("/studies/{study}/metadata", JSON, JSON),
    ("{instance}/frames/1", FRAME, "multipart/related"),
    ("{instance}/frames/1", FRAME.replace('"', ""), "multipart/related"),
    ("{instance}", 'multipart/related; type="application/dicom"', "multipart/related"),
    ("{instance}/thumbnail?viewport=256%2C256", "image/jpeg", "image/jpeg"),
    ("{instance}/rendered?accept=image%2Fjpeg", "*/*", "image/jpeg"),
    ("/studies/{study}/thumbnail", "image/jpeg", "image/jpeg"),
    ("/studies/{study}/series/{series}/thumbnail", "image/jpeg", "image/jpeg"),
    ("/studies/{study}/instances?limit=1&includefield=00080018", JSON, JSON),
    ("{document}/rendered", BROWSER, "application/pdf"),
    ("{document}/bulkdata/00420011", "*/*", "application/pdf"),
    ("{film}/rendered", "*/*", "video/mp4"),
]

# Of Weasis and dicomweb-client.
OTHERS = [
    ("/studies?0020000D={study}&includefield=00081030%2C00080061", JSON, JSON),
    ("/series?0020000E={series}", JSON, JSON),
    ("/instances?00080018={sop_instance}", JSON, JSON),
    ("{instance}", "multipart/related;type=application/dicom;transfer-syntax=*", "multipart/related"),
    ("{instance}/frames/1", 'multipart/related; type="*/*"', "multipart/related"),
    ("/studies", "application/dicom+json, application/json", JSON),
]


@pytest.mark.parametrize(("path", "accept", "media_type"), [*OHIF, *OTHERS])
def test_what_viewers_were_seen_to_ask_is_answered(
    library: Library, path: str, accept: str, media_type: str
) -> None:
    dataset = library.ct[0]
    path = path.format(
        study=dataset.StudyInstanceUID,
        series=dataset.SeriesInstanceUID,
        sop_instance=dataset.SOPInstanceUID,
        patient=dataset.PatientID,
        instance=library.path(dataset),
        document=library.path(library.pdf),
        film=library.path(library.film),
    )
    response = library.http.get(path, headers={"Accept": accept})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith(media_type)
    if media_type == JSON and "VIEW" not in path:
        assert response.json()


def test_a_frame_for_ohif_says_its_transfer_syntax(library: Library) -> None:
    """Without it RLE and JPEG 2000 viewports stay black."""
    for dataset in (library.rle, library.jpeg_ls, library.cine):
        response = library.http.get(f"{library.path(dataset)}/frames/1", headers={"Accept": FRAME})
        head = response.content[:400].decode("latin-1")
        assert f"transfer-syntax={dataset.file_meta.TransferSyntaxUID}" in head


def resources(dataset: Dataset) -> list[str]:
    instance = Library.path(dataset)
    series, study = instance.partition("/instances")[0], instance.partition("/series")[0]
    below = ("", "/metadata", "/rendered", "/thumbnail")
    return [
        *(above + last for above in (study, series, instance) for last in below),
        *(f"{study}{last}" for last in ("/series", "/instances")),
        f"{series}/instances",
        *(f"{instance}/frames/1{last}" for last in ("", "/rendered", "/thumbnail")),
        f"{instance}/bulkdata/7FE00010",
        f"{instance}/bulkdata/00420011",
    ]


ACCEPTS = (
    "*/*",
    "image/jpeg",
    'multipart/related; type="image/jpeg"',
    'multipart/related; type="application/octet-stream"; transfer-syntax=*',
)


def test_nothing_that_can_be_stored_brings_the_service_down(service: Service) -> None:
    service.keep(enormous_dimensions(), *(broken.data for broken in BROKEN.values() if broken.accepted))
    found = service.http.get("/instances").json()
    assert len(found) > 5
    for answer in found:
        path = answer["00081190"]["Value"][0].removeprefix(service.url)
        uids = re.fullmatch("/studies/(.*)/series/(.*)/instances/(.*)", path)
        assert uids is not None
        dataset = Dataset()
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID = uids.groups()
        for resource in resources(dataset):
            for accept in ACCEPTS:
                response = service.http.get(resource, headers={"Accept": accept})
                assert response.status_code in (200, 400, 404, 406), (resource, accept, response.text)


def test_every_resource_of_every_kind_is_answered(library: Library) -> None:
    for dataset in (library.ct[0], library.pdf, library.report, library.film, library.bits, library.deflated):
        for resource in resources(dataset):
            for accept in ACCEPTS:
                response = library.http.get(resource, headers={"Accept": accept})
                assert response.status_code in (200, 404, 406), (resource, accept, response.text)


@pytest.mark.parametrize("wrong", ["x", "1.2.x", "..%2F..%2Fetc", "%00", "1" * 65, "%C3%A9", "1.2%0D%0AX:1"])
def test_what_is_no_uid_is_a_bad_request(library: Library, wrong: str) -> None:
    dataset = library.ct[0]
    study, series = dataset.StudyInstanceUID, dataset.SeriesInstanceUID
    for path in (f"/studies/{wrong}", f"/studies/{study}/series/{wrong}"):
        for last in ("", "/metadata", "/rendered", "/thumbnail", "/instances"):
            response = library.http.get(path + last)
            assert response.status_code in (400, 404), path + last
            assert response.status_code == 400 or "%2F" in wrong
    for last in ("", "/metadata", "/rendered", "/thumbnail", "/frames/1", "/bulkdata/7FE00010"):
        response = library.http.get(f"/studies/{study}/series/{series}/instances/{wrong}{last}")
        assert response.status_code in (400, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/studies/",
        "//studies",
        "/studies//",
        "/studies//series",
        "/studies/1.2/series/",
        "/studies/1.2//series",
        "/studies/1.2/series//instances",
        "/studies/1.2/series/1.3/instances/1.4/",
        "/studies/1.2/series/1.3/instances/1.4/frames/",
        "/studies/1.2/series/1.3/instances/1.4/frames/1/",
        "/studies/1.2/series/1.3/instances/1.4/bulkdata/",
        "/studies/1.2/nonsense",
        "/studies/1.2/series/1.3/instances/1.4/frames/1/nonsense",
    ],
)
def test_strange_slashes_are_no_failure_of_the_service(library: Library, path: str) -> None:
    for method in ("GET", "HEAD", "POST", "DELETE"):
        response = httpx.request(method, library.service.url + path, follow_redirects=True)
        assert response.status_code < 500, (method, response.text)


def test_other_methods_are_not_allowed(library: Library) -> None:
    for path in ("/studies", f"/studies/{library.ct[0].StudyInstanceUID}", library.path(library.ct[0])):
        assert library.http.request("PUT", path).status_code == 405
