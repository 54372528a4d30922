"""Bulk data and pixel data of studies, series and instances at once (PS3.18 10.4.1.1.4, 10.4.1.1.6)."""

from collections.abc import Callable

import httpx
import pytest

from tests.dicomweb.conftest import FILM, Library, Part

ANYTHING = {"Accept": 'multipart/related; type="application/octet-stream"; transfer-syntax=*'}
PLAIN = {"Accept": 'multipart/related; type="application/octet-stream"'}

Apart = Callable[[httpx.Response], list[Part]]


def levels(path: str) -> list[str]:
    return [path, path.partition("/instances")[0], path.partition("/series")[0]]


def test_pixel_data_are_as_they_are_stored(library: Library, parts_of: Apart) -> None:
    series = library.path(library.ct[0]).partition("/instances")[0]
    parts = parts_of(library.http.get(f"{series}/pixeldata", headers=ANYTHING))
    assert [content for _, content in parts] == [dataset.PixelData for dataset in library.ct]
    for (headers, _), dataset in zip(parts, library.ct, strict=True):
        assert headers["content-location"] == f"/dicom-web{library.path(dataset)}/bulkdata/7FE00010"
        assert headers["content-type"].endswith("transfer-syntax=1.2.840.10008.1.2.1")


def test_frames_that_are_compressed_are_a_part_each(library: Library, parts_of: Apart) -> None:
    path = library.path(library.cine)
    parts = parts_of(library.http.get(f"{path}/pixeldata", headers=ANYTHING))
    assert [h["content-location"] for h, _ in parts] == [
        f"/dicom-web{path}/frames/{number}" for number in range(1, 6)
    ]
    for number, (_, content) in enumerate(parts, 1):
        (frame,) = parts_of(library.http.get(f"{path}/frames/{number}", headers=ANYTHING))
        assert content == frame[1]


def test_pixel_data_are_transcoded_for_who_names_no_transfer_syntax(
    library: Library, parts_of: Apart
) -> None:
    path = library.path(library.rle)
    ((headers, content),) = parts_of(library.http.get(f"{path}/pixeldata", headers=PLAIN))
    assert headers["content-type"] == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
    assert len(content) == library.rle.Rows * library.rle.Columns * 2


def test_bulk_data_of_a_study_are_what_its_metadata_name(library: Library, parts_of: Apart) -> None:
    for path in levels(library.path(library.pdf)):
        metadata = library.http.get(f"{path}/metadata").json()
        named = {e["BulkDataURI"] for one in metadata for e in one.values() if "BulkDataURI" in e}
        parts = parts_of(library.http.get(f"{path}/bulkdata", headers=ANYTHING))
        assert {headers["content-location"] for headers, _ in parts} == named
        for headers, content in parts:
            alone = library.http.get(f"{library.service.host}{headers['content-location']}", headers=ANYTHING)
            assert content == parts_of(alone)[0][1]


def test_a_film_is_one_stream(library: Library, parts_of: Apart) -> None:
    accept = {"Accept": 'multipart/related; type="video/mp4"'}
    ((headers, content),) = parts_of(
        library.http.get(f"{library.path(library.film)}/pixeldata", headers=accept)
    )
    assert (headers["content-type"].partition(";")[0], content) == ("video/mp4", FILM)


def test_what_is_held_is_not_sent_again(library: Library) -> None:
    path = f"{library.path(library.ct[0])}/pixeldata"
    tag = library.http.get(path, headers=ANYTHING).headers["etag"]
    assert tag.startswith('W/"')
    assert library.http.get(path, headers=ANYTHING | {"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("resource", ["bulkdata", "pixeldata"])
def test_what_is_not_there_is_not_found(library: Library, resource: str) -> None:
    assert library.http.get(f"/studies/1.2/{resource}").status_code == 404
    assert library.http.get(f"{library.path(library.report)}/pixeldata").status_code == 404
    assert library.http.get(f"/studies/x/{resource}").status_code == 400


def test_another_form_than_those_on_offer_is_not_acceptable(library: Library) -> None:
    for resource in ("bulkdata", "pixeldata"):
        response = library.http.get(
            f"{library.path(library.ct[0])}/{resource}", headers={"Accept": "text/csv"}
        )
        assert response.status_code == 406
