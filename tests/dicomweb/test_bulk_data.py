from collections.abc import Callable

import httpx
import numpy as np
from pydicom import Dataset
from pydicom.encaps import generate_frames

from testdata.ct import ct_series
from testdata.us import us_cine
from tests.dicomweb.conftest import FILM, Library, Part, Service

PartsOf = Callable[[httpx.Response], list[Part]]
ANYTHING = {"Accept": "*/*"}


def uri(library: Library, dataset: Dataset, tag: str) -> str:
    """The address that the metadata give."""
    (metadata,) = library.http.get(f"{library.path(dataset)}/metadata").json()
    return library.service.host + str(metadata[tag]["BulkDataURI"])


def test_native_pixels_are_one_value(library: Library) -> None:
    accept = {"Accept": "application/octet-stream"}
    response = library.http.get(uri(library, library.ct[0], "7FE00010"), headers=accept)
    assert response.content == library.ct[0].PixelData
    assert response.headers["content-type"] == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"


def test_native_pixels_come_in_a_part_to_viewers(library: Library, parts_of: PartsOf) -> None:
    accept = {"Accept": "multipart/related; type=application/octet-stream; transfer-syntax=*"}
    for dataset in (library.ct[0], library.deflated, library.bits):
        response = library.http.get(uri(library, dataset, "7FE00010"), headers=accept)
        assert parts_of(response)[0][1] == dataset.PixelData


def test_encapsulated_pixels_are_one_part_for_each_frame(library: Library, parts_of: PartsOf) -> None:
    accept = {"Accept": 'multipart/related; type="image/jpeg"'}
    response = library.http.get(uri(library, library.cine, "7FE00010"), headers=accept)
    expected = list(generate_frames(library.cine.PixelData, number_of_frames=5))
    assert [content for _, content in parts_of(response)] == expected


def test_a_film_is_one_value(library: Library) -> None:
    address = uri(library, library.film, "7FE00010")
    response = library.http.get(address, headers={"Accept": "video/mp4"})
    assert response.content == FILM
    again = library.http.get(
        address, headers={"Accept": "video/mp4", "If-None-Match": response.headers["etag"]}
    )
    assert again.status_code == 304


def test_a_document_bears_its_media_type(library: Library) -> None:
    response = library.http.get(uri(library, library.pdf, "00420011"), headers=ANYTHING)
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.content == library.pdf.EncapsulatedDocument
    assert len(response.content) == library.document_length + 1


def test_part_of_a_value_may_be_asked_for(library: Library) -> None:
    address = uri(library, library.pdf, "00420011")
    response = library.http.get(address, headers=ANYTHING | {"Range": "bytes=-6"})
    assert (response.status_code, response.content) == (206, library.pdf.EncapsulatedDocument[-6:])
    beyond = library.http.get(address, headers=ANYTHING | {"Range": "bytes=9999999-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"].startswith("bytes */")


def test_values_inside_sequences_are_found(service: Service) -> None:
    (dataset,) = ct_series(slices=1, rows=8, columns=8)
    table = np.arange(4096, dtype="<u2").tobytes()
    item = Dataset()
    item.LUTDescriptor, item.ModalityLUTType = [4096, 0, 16], "US"
    item.add_new(0x00283006, "OW", table)
    dataset.ModalityLUTSequence = [item]
    service.keep(dataset)
    path = Library.path(dataset)
    (metadata,) = service.http.get(f"{path}/metadata").json()
    address = metadata["00283000"]["Value"][0]["00283006"]["BulkDataURI"]
    assert address.endswith("/bulkdata/00283000/0/00283006")
    assert service.http.get(service.host + address, headers=ANYTHING).content == table


def test_what_is_held_already_is_not_sent_again(library: Library) -> None:
    for dataset, tag in ((library.pdf, "00420011"), (library.ct[0], "7FE00010")):
        address = uri(library, dataset, tag)
        etag = library.http.get(address, headers=ANYTHING).headers["etag"]
        again = library.http.get(address, headers=ANYTHING | {"If-None-Match": etag})
        assert again.status_code == 304


def test_a_path_to_nothing_is_not_found(library: Library) -> None:
    path = f"{library.path(library.ct[0])}/bulkdata"
    for wrong in (
        "00420011",
        "7FE00008",
        "x",
        "00283000/0/00283006",
        "00283000/x/00283006",
        "/",
        "0",
    ):
        response = library.http.get(f"{path}/{wrong}", headers=ANYTHING)
        assert response.status_code in (404, 307), wrong


def test_more_frames_than_a_request_may_have_are_refused(service: Service) -> None:
    cine = us_cine(frames=3, rows=16, columns=16)
    cine.NumberOfFrames = 2_000_000_000
    service.keep(cine)
    path = Library.path(cine)
    pixels = service.http.get(f"{path}/bulkdata/7FE00010", headers=ANYTHING)
    assert (pixels.status_code, pixels.json()["error"]) == (400, "InvalidQuery")
    parts = {"Accept": 'multipart/related; type="image/jpeg"'}
    rendered = service.http.get(f"{path}/rendered", headers=parts)
    assert (rendered.status_code, rendered.json()["error"]) == (400, "InvalidQuery")
