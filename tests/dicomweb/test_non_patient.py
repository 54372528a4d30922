"""The Non-Patient Instance Service over HTTP (PS3.18 12)."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from dicomweb import transcoding
from pacs.non_patient import CATEGORIES
from testdata.ct import ct_series
from testdata.files import part10
from testdata.non_patient import RECIPES, color_palette, hanging_protocol, implant_template, inventory
from tests.dicomweb.conftest import Part, Service, serving
from tests.dicomweb.test_stow import MULTIPART, body, failures, files_of
from tests.pacs.objects import in_syntax

JSON, XML, DICOM = "application/dicom+json", "application/dicom+xml", "application/dicom"


def post(service: Service, path: str, *datasets: Dataset) -> httpx.Response:
    return service.http.post(path, content=body(*map(part10, datasets)), headers={"Content-Type": MULTIPART})


def get(service: Service, path: str, accept: str = "*/*", **headers: str) -> httpx.Response:
    return service.http.get(path, headers={"Accept": accept, **headers})


def uids(response: httpx.Response) -> list[str]:
    return [one["00080018"]["Value"][0] for one in response.json()] if response.content else []


def path_of(npi_name: str, dataset: Dataset) -> str:
    return f"/{npi_name}/{dataset.SOPInstanceUID}"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One of each category, and three more hanging protocols."""
    with serving(tmp_path_factory.mktemp("library")) as service:
        service.keep(*(recipe() for recipe in RECIPES.values()))
        service.keep(hanging_protocol("Encefalo", "MR"), hanging_protocol("Addome", "CT"))
        yield service


# 12.5 Store


@pytest.mark.parametrize("npi_name", RECIPES)
def test_each_category_is_stored_and_referenced(service: Service, npi_name: str) -> None:
    dataset = RECIPES[npi_name]()
    response = post(service, f"/{npi_name}", dataset)
    assert (response.status_code, response.headers["content-type"]) == (200, JSON)
    answer = response.json()
    assert answer["00081190"] == {"vr": "UR"}
    (item,) = answer["00081199"]["Value"]
    assert item["00081150"]["Value"] == [dataset.SOPClassUID]
    assert item["00081190"]["Value"] == [service.url + path_of(npi_name, dataset)]
    assert uids(get(service, f"/{npi_name}")) == [dataset.SOPInstanceUID]
    assert uids(get(service, "/instances")) == uids(get(service, "/patients")) == []
    again = post(service, path_of(npi_name, dataset), dataset)
    assert (again.status_code, again.json()) == (200, answer)


@pytest.mark.parametrize("npi_name", RECIPES)
def test_data_sets_in_json_are_stored_whole(service: Service, npi_name: str) -> None:
    dataset = RECIPES[npi_name]()
    service.keep(dataset)
    written = get(service, path_of(npi_name, dataset), JSON).json()
    (data_set,) = written
    data_set["00080018"]["Value"] = ["2.999.7"]
    answer = service.http.post(f"/{npi_name}/2.999.7", json=written, headers={"Content-Type": JSON})
    assert answer.status_code == 200, answer.text
    assert "00081196" not in answer.json()["00081199"]["Value"][0]
    assert get(service, f"/{npi_name}/2.999.7", JSON).json() == written


def test_data_sets_in_xml_are_stored(service: Service, parts_of: Callable[..., list[Part]]) -> None:
    dataset = hanging_protocol()
    service.keep(dataset)
    ((_, content),) = parts_of(get(service, path_of("hanging-protocols", dataset), _parts(XML)))
    content = content.replace(dataset.SOPInstanceUID.encode(), b"2.999.7")
    answer = service.http.post("/hanging-protocols", content=content, headers={"Content-Type": XML})
    assert answer.status_code == 200, answer.text
    again = get(service, "/hanging-protocols/2.999.7", JSON).json()
    (before,) = get(service, path_of("hanging-protocols", dataset), JSON).json()
    assert again == [before | {"00080018": {"vr": "UI", "Value": ["2.999.7"]}}]


def test_what_is_of_another_category_fails_by_itself(service: Service, tmp_path: Any) -> None:
    (image,) = ct_series(slices=1, rows=16, columns=16)
    response = post(service, "/hanging-protocols", color_palette(), hanging_protocol(), image)
    assert response.status_code == 200  # Table 12.5.3-1: at least one was stored
    assert failures(response) == [0xA900, 0xA900]
    (first, _) = response.json()["00081198"]["Value"]
    assert first["00000901"]["Value"] == ["00080016"]
    assert "hanging-protocols" in first["00000902"]["Value"][0]
    assert len(files_of(tmp_path)) == 1
    assert uids(get(service, "/hanging-protocols")) == [hanging_protocol().SOPInstanceUID]


def test_nothing_but_failures_is_a_conflict(service: Service, tmp_path: Any) -> None:
    response = post(service, "/inventories", color_palette())
    assert (response.status_code, failures(response)) == (409, [0xA900])
    assert files_of(tmp_path) == []


def test_the_uid_of_the_path_is_that_of_the_instance(service: Service) -> None:
    response = post(service, "/hanging-protocols/2.999.7", hanging_protocol())
    assert (response.status_code, failures(response)) == (409, [0xA900])
    (item,) = response.json()["00081198"]["Value"]
    assert item["00000901"]["Value"] == ["00080018"]
    two = post(
        service,
        path_of("hanging-protocols", hanging_protocol()),
        hanging_protocol(),
        hanging_protocol("Altro"),
    )
    assert (two.status_code, failures(two)) == (200, [0xA900])


def test_other_content_under_a_uid_is_a_conflict(service: Service) -> None:
    changed = hanging_protocol()
    changed.HangingProtocolDescription = "altra"
    response = post(service, "/hanging-protocols", hanging_protocol(), changed)
    assert (response.status_code, failures(response)) == (200, [0x0111])
    answer = get(service, path_of("hanging-protocols", changed), JSON).json()
    assert answer[0]["00720004"]["Value"] == [hanging_protocol().HangingProtocolDescription]


def test_the_studies_service_tells_where_it_is(service: Service) -> None:
    """It takes in what has no study, as C-STORE does, unless the request names a study."""
    (image,) = ct_series(slices=1, rows=16, columns=16)
    response = post(service, "/studies", hanging_protocol(), image)
    assert response.status_code == 200
    answer = response.json()
    assert answer["00081190"]["Value"] == [f"{service.url}/studies/{image.StudyInstanceUID}"]
    protocol = answer["00081199"]["Value"][0]
    assert protocol["00081190"]["Value"] == [service.url + path_of("hanging-protocols", hanging_protocol())]
    refused = post(service, f"/studies/{image.StudyInstanceUID}", color_palette())
    assert (refused.status_code, failures(refused)) == (409, [0xA900])


@pytest.mark.parametrize(
    ("content_type", "content", "status"),
    [
        ("text/plain", b"x", 415),
        (DICOM, b"", 400),
        (DICOM, b"no object", 400),
        (JSON, b"{", 400),
        (JSON, b"[{}]", 400),
        (XML, b"<x/>", 400),
        ("multipart/related", b"", 400),
    ],
)
def test_what_cannot_be_stored_is_refused(
    service: Service, content_type: str, content: bytes, status: int
) -> None:
    response = service.http.post("/color-palettes", content=content, headers={"Content-Type": content_type})
    assert response.status_code == status
    assert get(service, "/color-palettes").status_code == 204


# 12.4 Retrieve


def _parts(media_type: str) -> str:
    return f'multipart/related; type="{media_type}"'


@pytest.mark.parametrize("npi_name", RECIPES)
def test_each_is_given_in_every_media_type(
    library: Service, npi_name: str, parts_of: Callable[..., list[Part]]
) -> None:
    dataset = RECIPES[npi_name]()
    path = path_of(npi_name, dataset)
    for accept in ("*/*", JSON, "application/json"):
        response = get(library, path, accept)
        assert response.headers["content-type"] == (JSON if accept == "*/*" else accept)
        (data_set,) = response.json()
        assert Dataset.from_json(data_set) == dataset
    file = get(library, path, DICOM)
    assert file.headers["content-type"] == f"{DICOM}; transfer-syntax=1.2.840.10008.1.2.1"
    assert dcmread(BytesIO(file.content)) == dataset
    assert [content for _, content in parts_of(get(library, path, _parts(DICOM)))] == [file.content]
    ((headers, content),) = parts_of(get(library, path, _parts(XML)))
    assert headers["content-type"] == XML
    told = {element.text for element in ElementTree.fromstring(content).iter()}
    assert dataset.SOPInstanceUID in told


def test_every_value_is_in_the_data_set(library: Service) -> None:
    """Nothing is left to be fetched from elsewhere: the service has no bulk data resources."""
    (data_set,) = get(library, path_of("color-palettes", color_palette()), JSON).json()
    assert "InlineBinary" in data_set["00282000"]
    assert "BulkDataURI" not in str(data_set)


@pytest.mark.parametrize("stored", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_another_transfer_syntax_is_given(service: Service, stored: str) -> None:
    service.keep(in_syntax(hanging_protocol(), stored))
    path = path_of("hanging-protocols", hanging_protocol())
    as_stored = get(service, path, DICOM)
    assert as_stored.headers["content-type"].endswith(f"transfer-syntax={stored}")
    explicit = "1.2.840.10008.1.2.1"
    made = get(service, path, f"{DICOM}; transfer-syntax={explicit}")
    assert made.headers["content-type"].endswith(f"transfer-syntax={explicit}")
    assert dcmread(BytesIO(made.content)) == hanging_protocol()
    assert Dataset.from_json(get(service, path, JSON).json()[0]) == hanging_protocol()


def test_what_is_held_is_not_sent_again_and_parts_are(library: Service) -> None:
    path = path_of("implant-templates", implant_template())
    for accept in (JSON, _parts(XML), DICOM):
        tag = get(library, path, accept).headers["etag"]
        assert get(library, path, accept, **{"If-None-Match": tag}).status_code == 304
    whole = get(library, path, DICOM).content
    part = get(library, path, DICOM, Range="bytes=128-131")
    assert (part.status_code, part.content) == (206, whole[128:132])


def test_a_long_instance_is_given_as_a_file_alone(library: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcoding, "MADE_AT_ONCE", 1000)
    path = path_of("inventories", inventory())
    assert get(library, path).headers["content-type"].startswith(_parts(DICOM))
    assert get(library, path, DICOM).status_code == 200
    refused = get(library, path, JSON)
    assert refused.status_code == 406
    assert DICOM in refused.json()["detail"]


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/hanging-protocols/2.999.1", "*/*", 404),
        (path_of("hanging-protocols", color_palette()), "*/*", 404),
        ("/hanging-protocols/no-uid", "*/*", 400),
        (f"/hanging-protocols/{'1.' * 40}1", "*/*", 400),
        (path_of("color-palettes", color_palette()), "image/png", 406),
        (path_of("color-palettes", color_palette()), "application/zip", 406),
        ("/display-protocols", "*/*", 404),
    ],
)
def test_what_cannot_be_given_is_told(library: Service, path: str, accept: str, status: int) -> None:
    response = get(library, path, accept)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")


# 12.6 Search

UNO, DUE, TRE = hanging_protocol(), hanging_protocol("Encefalo", "MR"), hanging_protocol("Addome", "CT")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [UNO, DUE, TRE]),
        ("HangingProtocolName=torace*", [UNO]),
        ("00720002=ADDOME", [TRE]),
        ("HangingProtocolDefinitionSequence.Modality=CT", [UNO, TRE]),
        ("0072000C.00080060=MR", [DUE]),
        ("NumberOfPriorsReferenced=1&HangingProtocolLevel=SITE", [UNO, DUE, TRE]),
        ("NumberOfPriorsReferenced=2", []),
        (f"SOPInstanceUID={DUE.SOPInstanceUID},{TRE.SOPInstanceUID}", [DUE, TRE]),
        ("HangingProtocolUserGroupName=tor*", [UNO, DUE, TRE]),
        ("limit=2", [UNO, DUE]),
        ("limit=2&offset=1", [DUE, TRE]),
        ("offset=3", []),
    ],
)
def test_keys_match(library: Service, query: str, expected: list[Dataset]) -> None:
    response = get(library, f"/hanging-protocols?{query}")
    assert response.status_code == (200 if expected else 204)
    assert uids(response) == [one.SOPInstanceUID for one in expected]


@pytest.mark.parametrize(
    ("npi_name", "query"),
    [
        ("color-palettes", "ContentLabel=CA*"),
        ("defined-procedure-protocols", "ProtocolName=tc*&InstanceCreationDate=20261001-20261031"),
        ("defined-procedure-protocols", "ModelSpecificationSequence.SoftwareVersions=1.1"),
        ("defined-procedure-protocols", "ContentCreatorName=bianchi*"),
        ("defined-procedure-protocols", "PotentialScheduledProtocolCodeSequence.CodeValue=RPID16"),
        ("implant-templates", "ImplantName=stelo*&ImplantSize=M&EffectiveDateTime=2026-"),
        ("implant-templates", "ImplantTargetAnatomySequence.AnatomicRegionSequence.CodeValue=24136001"),
        # A range of dates and one of times are one of moments (PS3.4 Table HH.6-1)
        (
            "defined-procedure-protocols",
            "InstanceCreationDate=20261010-20261014&InstanceCreationTime=100000-110000",
        ),
        ("inventories", "ContentDate=20261012-20261014&ContentTime=091500-091600"),
        ("inventories", "ContentDate=20261012&InventoryLevel=STUDY&InventoryPurpose=migr*"),
    ],
)
def test_each_category_has_its_keys(library: Service, npi_name: str, query: str) -> None:
    dataset = RECIPES[npi_name]()
    assert uids(get(library, f"/{npi_name}?{query}")) == [dataset.SOPInstanceUID]
    assert uids(get(library, f"/{npi_name}?{query}&SOPInstanceUID=1.2")) == []


@pytest.mark.parametrize(
    "query",
    [
        "ContentDate=20261012-20261014&ContentTime=091501-235959",
        "ContentDate=20261010-20261012&ContentTime=080000-091459",
        "ContentDate=20261012&ContentTime=100000-110000",
        "ContentDate=20261013-20261014&ContentTime=080000-200000",
    ],
)
def test_moments_outside_a_range_are_not_found(library: Service, query: str) -> None:
    assert get(library, f"/inventories?{query}").status_code == 204


def test_answers_have_what_the_information_model_returns_and_what_is_asked(library: Service) -> None:
    def keys(query: str) -> set[str]:
        return set(get(library, f"/hanging-protocols?limit=1&{query}").json()[0])

    usual, group = keys(""), "00720010"
    assert {"00080016", "00080018", "00720002", "0072000C", "00720102"} <= usual
    assert group not in usual
    assert keys("includefield=HangingProtocolUserGroupName") == usual | {group}
    assert keys("HangingProtocolUserGroupName=tor*") == usual | {group}
    assert keys("includefield=all") == usual | {group}
    assert keys(f"includefield={group},00720020") == usual | {group}


def test_what_is_not_done_is_a_warning(library: Service) -> None:
    query = "limit=1&includefield=ImageSetsSequence&fuzzymatching=true&PatientID=1"
    response = get(library, f"/hanging-protocols?{query}")
    assert response.status_code == 200
    warning = response.headers["warning"]
    for told in ("00720020", "fuzzymatching", "PatientID", "additional results"):
        assert told in warning


def test_answers_may_be_xml(library: Service, parts_of: Callable[..., list[Part]]) -> None:
    response = get(library, "/hanging-protocols?limit=2", _parts(XML))
    names = [
        [e.findtext("{*}Value") for e in ElementTree.fromstring(content) if e.get("tag") == "00720002"]
        for _, content in parts_of(response)
    ]
    assert names == [["Torace a due"], ["Encefalo"]]


@pytest.mark.parametrize("query", ["limit=x", "NumberOfScreens=due", "limit=1&limit=2"])
def test_what_cannot_be_understood_is_named(library: Service, query: str) -> None:
    response = get(library, f"/hanging-protocols?{query}")
    assert response.status_code == 400
    assert query.partition("=")[0] in response.json()["detail"]


# 12.3, 8.9 Capabilities


def test_capabilities_tell_of_every_category(library: Service) -> None:
    described = library.http.options("/", headers={"Accept": "application/json"}).json()
    told = {one["path"]: {method["name"] for method in one["methods"]} for one in described["resources"]}
    for category in CATEGORIES:
        assert told[category.npi_name] == {"GET", "POST"}
        response = library.http.options(f"/{category.npi_name}/1.2.3")
        assert response.headers["allow"] == "GET, OPTIONS, POST"
    assert library.http.delete("/hanging-protocols/1.2.3").status_code == 405
