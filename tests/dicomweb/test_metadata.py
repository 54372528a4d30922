import gzip
from collections.abc import Callable

import httpx
import pytest
from pydicom import Dataset

from dicomweb.native_xml import native_xml
from tests.dicomweb.conftest import Library, Part

JSON = {"Accept": "application/dicom+json"}
XML = {"Accept": 'multipart/related; type="application/dicom+xml"'}


def series_path(dataset: Dataset) -> str:
    return Library.path(dataset).partition("/instances")[0]


def test_metadata_of_an_instance_hold_all_but_the_pixels(library: Library) -> None:
    dataset = library.ct[0]
    response = library.http.get(f"{library.path(dataset)}/metadata", headers=JSON)
    assert response.headers["content-type"] == "application/dicom+json"
    (metadata,) = response.json()
    expected = {f"{element.tag:08X}" for element in dataset}
    assert expected <= set(metadata)
    assert "Value" not in metadata["7FE00010"]
    assert metadata["7FE00010"]["BulkDataURI"].startswith("/dicom-web/studies/")
    assert metadata["00280010"] == {"vr": "US", "Value": [64]}


def test_metadata_of_a_series_are_given_compressed_as_they_are_kept(library: Library) -> None:
    path = f"{series_path(library.ct[0])}/metadata"
    with library.http.stream("GET", path, headers=JSON | {"Accept-Encoding": "gzip"}) as response:
        assert response.headers["content-encoding"] == "gzip"
        packed = b"".join(response.iter_raw())
    study, series = library.ct[0].StudyInstanceUID, library.ct[0].SeriesInstanceUID
    assert packed == library.service.archive.series_metadata(study, series)
    plain = library.http.get(path, headers=JSON | {"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == gzip.decompress(packed)
    assert [one["00080018"]["Value"][0] for one in plain.json()] == [d.SOPInstanceUID for d in library.ct]


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_metadata_of_a_study_are_those_of_its_series_together(library: Library, encoding: str) -> None:
    headers = JSON | {"Accept-Encoding": encoding}
    response = library.http.get(f"/studies/{library.ct[0].StudyInstanceUID}/metadata", headers=headers)
    assert response.headers.get("content-encoding", "identity") == encoding
    found = {one["00080018"]["Value"][0] for one in response.json()}
    assert found == {d.SOPInstanceUID for d in (*library.ct, library.pdf, library.report)}


def test_head_of_the_metadata_of_a_study_has_no_body(library: Library) -> None:
    response = library.http.head(f"/studies/{library.ct[0].StudyInstanceUID}/metadata", headers=JSON)
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize(
    "accept",
    [
        "application/dicom+json",
        "application/json",
        "*/*",
        "application/dicom+json, multipart/related; type=application/octet-stream; transfer-syntax=*",
        "application/dicom+xml;q=0.9, application/json;q=0.5",
    ],
)
def test_json_is_given_to_whoever_takes_it(library: Library, accept: str) -> None:
    response = library.http.get(f"{series_path(library.ct[0])}/metadata", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] in ("application/dicom+json", "application/json")


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_metadata_in_xml_are_a_part_for_each_instance(
    library: Library, parts_of: Callable[[httpx.Response], list[Part]], encoding: str
) -> None:
    instance, series = library.path(library.ct[0]), series_path(library.ct[0])
    study = f"/studies/{library.ct[0].StudyInstanceUID}"
    for path, number in ((instance, 1), (series, len(library.ct)), (study, len(library.ct) + 2)):
        json = library.http.get(f"{path}/metadata", headers=JSON).json()
        response = library.http.get(f"{path}/metadata", headers=XML | {"Accept-Encoding": encoding})
        parts = parts_of(response)
        assert [headers["content-type"] for headers, _ in parts] == ["application/dicom+xml"] * number
        assert [content for _, content in parts] == [native_xml(data_set) for data_set in json]


def test_metadata_that_are_both_compressed_and_xml_say_so(library: Library) -> None:
    response = library.http.get(f"{series_path(library.ct[0])}/metadata", headers=XML)
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["etag"].startswith('W/"')


def test_another_form_than_those_on_offer_is_not_acceptable(library: Library) -> None:
    paths = (library.path(library.ct[0]), series_path(library.ct[0]))
    for path in (*paths, f"/studies/{library.ct[0].StudyInstanceUID}"):
        response = library.http.get(f"{path}/metadata", headers={"Accept": "text/csv"})
        assert response.status_code == 406
        assert "application/dicom+json" in response.json()["detail"]


def test_what_is_held_already_is_not_sent_again(library: Library) -> None:
    paths = (library.path(library.ct[0]), series_path(library.ct[0]))
    for path in (*paths, f"/studies/{library.ct[0].StudyInstanceUID}"):
        tag = library.http.get(f"{path}/metadata", headers=JSON).headers["etag"]
        again = library.http.get(f"{path}/metadata", headers=JSON | {"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert library.http.get(f"{path}/metadata", headers=XML | {"If-None-Match": tag}).status_code == 200


def test_metadata_of_what_is_not_there_are_not_found(library: Library) -> None:
    for path in ("/studies/1.2", "/studies/1.2/series/1.3", "/studies/1.2/series/1.3/instances/1.4"):
        assert library.http.get(f"{path}/metadata", headers=JSON).status_code == 404
