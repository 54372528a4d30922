from collections.abc import Callable
from io import BytesIO

import httpx
from pydicom import Dataset, dcmread

from dicomweb.bodies import AT_ONCE
from testdata.ct import ct_series
from testdata.files import part10
from tests.dicomweb.conftest import Library, Part, Service

PartsOf = Callable[[httpx.Response], list[Part]]
OBJECTS = {"Accept": 'multipart/related; type="application/dicom"'}


def data_set_of(file: bytes) -> bytes:
    """What lies behind the file meta information."""
    stream = BytesIO(file)
    dcmread(stream, specific_tags=[], stop_before_pixels=True)
    meta = dcmread(BytesIO(file), stop_before_pixels=True).file_meta
    return file[132 + 12 + meta.FileMetaInformationGroupLength :]


def test_an_instance_comes_back_bit_for_bit(library: Library, parts_of: PartsOf) -> None:
    for dataset in (library.ct[0], library.pdf, library.cine, library.deflated, library.film):
        response = library.http.get(library.path(dataset), headers=OBJECTS)
        ((headers, content),) = parts_of(response)
        assert data_set_of(content) == data_set_of(part10(dataset))
        syntax = dataset.file_meta.TransferSyntaxUID
        assert headers["content-type"] == f"application/dicom; transfer-syntax={syntax}"
        assert dcmread(BytesIO(content)).file_meta.TransferSyntaxUID == syntax


def test_a_single_instance_may_come_bare(library: Library) -> None:
    dataset = library.ct[0]
    response = library.http.get(library.path(dataset), headers={"Accept": "application/dicom"})
    assert response.headers["content-type"].startswith("application/dicom; transfer-syntax=")
    assert data_set_of(response.content) == data_set_of(part10(dataset))
    assert f"{dataset.SOPInstanceUID}.dcm" in response.headers["content-disposition"]


def test_a_series_comes_in_order_of_instance_numbers(library: Library, parts_of: PartsOf) -> None:
    path = library.path(library.ct[0]).partition("/instances")[0]
    parts = parts_of(library.http.get(path, headers=OBJECTS))
    assert [data_set_of(content) for _, content in parts] == [data_set_of(part10(d)) for d in library.ct]


def test_a_study_comes_with_all_its_series(library: Library, parts_of: PartsOf) -> None:
    response = library.http.get(f"/studies/{library.ct[0].StudyInstanceUID}", headers=OBJECTS)
    parts = parts_of(response)
    found = {dcmread(BytesIO(content), stop_before_pixels=True).SOPInstanceUID for _, content in parts}
    assert found == {d.SOPInstanceUID for d in (*library.ct, library.pdf, library.report)}
    assert int(response.headers["content-length"]) == len(response.content)


def test_parts_of_a_study_may_have_several_transfer_syntaxes(library: Library, parts_of: PartsOf) -> None:
    response = library.http.get(f"/studies/{library.rle.StudyInstanceUID}", headers=OBJECTS)
    syntaxes = {headers["content-type"].partition("transfer-syntax=")[2] for headers, _ in parts_of(response)}
    assert syntaxes == {d.file_meta.TransferSyntaxUID for d in (library.rle, library.jpeg_ls)}


def test_a_long_answer_is_streamed_whole(service: Service, parts_of: PartsOf) -> None:
    slices = ct_series(slices=3, rows=1024, columns=1024)
    service.keep(*slices)
    response = service.http.get(f"/studies/{slices[0].StudyInstanceUID}", headers=OBJECTS)
    assert len(response.content) == int(response.headers["content-length"]) > AT_ONCE
    assert [data_set_of(c) for _, c in parts_of(response)] == [data_set_of(part10(d)) for d in slices]


def test_who_leaves_a_long_answer_does_not_disturb_others(service: Service) -> None:
    slices = ct_series(slices=3, rows=1024, columns=1024)
    service.keep(*slices)
    path = f"/studies/{slices[0].StudyInstanceUID}"
    with service.http.stream("GET", path, headers=OBJECTS) as response:
        next(response.iter_raw(1000))
    assert service.http.get("/studies").status_code == 200


def test_a_transfer_syntax_that_would_lose_something_is_not_given(library: Library) -> None:
    accept = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.50'}
    response = library.http.get(library.path(library.ct[0]), headers=accept)
    assert response.status_code == 406
    assert "1.2.840.10008.1.2.1" in response.json()["detail"]


def test_what_is_held_already_is_not_sent_again(library: Library) -> None:
    path = library.path(library.ct[0])
    tag = library.http.get(path, headers=OBJECTS).headers["etag"]
    assert library.http.get(path, headers=OBJECTS | {"If-None-Match": tag}).status_code == 304


def test_head_of_a_study_tells_its_length(library: Library) -> None:
    path = f"/studies/{library.ct[0].StudyInstanceUID}"
    length = library.http.get(path, headers=OBJECTS).headers["content-length"]
    response = library.http.head(path, headers=OBJECTS)
    assert (response.status_code, response.headers["content-length"], response.content) == (200, length, b"")


def test_what_is_not_there_is_not_found(library: Library) -> None:
    dataset: Dataset = library.ct[0]
    study, series = dataset.StudyInstanceUID, dataset.SeriesInstanceUID
    for path in (
        "/studies/1.2.3",
        f"/studies/{study}/series/1.2.3",
        f"/studies/{study}/series/{series}/instances/1.2.3",
        f"/studies/1.2.3/series/{series}/instances/{dataset.SOPInstanceUID}",
    ):
        response = library.http.get(path, headers=OBJECTS)
        assert (response.status_code, response.json()["error"]) == (404, "NotFound")
