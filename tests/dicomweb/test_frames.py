from collections.abc import Callable

import httpx
import numpy as np
import pytest
from pydicom import Dataset
from pydicom.encaps import generate_frames
from pydicom.uid import ExplicitVRLittleEndian

from dicomweb.frames import MOST_AT_ONCE, check_amount, frame_numbers
from pacs.errors import InvalidQuery
from testdata.broken import enormous_dimensions
from tests.dicomweb.conftest import Library, Part, Service

AS_STORED = {"Accept": 'multipart/related; type="application/octet-stream"; transfer-syntax="*"'}
PartsOf = Callable[[httpx.Response], list[Part]]


def native(dataset: Dataset, number: int = 1) -> bytes:
    size = dataset.Rows * dataset.Columns * dataset.BitsAllocated // 8
    return bytes(dataset.PixelData[size * (number - 1) : size * number])


def test_a_frame_is_the_stored_pixels_and_says_its_transfer_syntax(
    library: Library, parts_of: PartsOf
) -> None:
    response = library.http.get(f"{library.path(library.ct[1])}/frames/1", headers=AS_STORED)
    assert response.status_code == 200
    ((headers, content),) = parts_of(response)
    assert content == native(library.ct[1])
    assert headers["content-type"] == f"application/octet-stream; transfer-syntax={ExplicitVRLittleEndian}"
    assert int(response.headers["content-length"]) == len(response.content)


def test_frames_come_in_the_order_asked(library: Library, parts_of: PartsOf) -> None:
    frames = list(generate_frames(library.cine.PixelData, number_of_frames=5))
    response = library.http.get(f"{library.path(library.cine)}/frames/4,1,3", headers=AS_STORED)
    parts = parts_of(response)
    assert [content for _, content in parts] == [frames[3], frames[0], frames[2]]
    syntax = library.cine.file_meta.TransferSyntaxUID
    assert {headers["content-type"] for headers, _ in parts} == {
        f"application/octet-stream; transfer-syntax={syntax}"
    }


@pytest.mark.parametrize(
    ("kind", "media_type"), [("jpeg_ls", "image/jls"), ("rle", "image/dicom-rle"), ("cine", "image/jpeg")]
)
def test_compressed_frames_bear_their_own_media_type(
    library: Library, parts_of: PartsOf, kind: str, media_type: str
) -> None:
    dataset = getattr(library, kind)
    accept = {"Accept": f'multipart/related; type="{media_type}"'}
    response = library.http.get(f"{library.path(dataset)}/frames/1", headers=accept)
    ((headers, content),) = parts_of(response)
    assert headers["content-type"] == f"{media_type}; transfer-syntax={dataset.file_meta.TransferSyntaxUID}"
    count = int(dataset.get("NumberOfFrames", 1))
    assert content == next(generate_frames(dataset.PixelData, number_of_frames=count))


def test_one_frame_may_come_bare(library: Library) -> None:
    accept = {"Accept": "application/octet-stream"}
    response = library.http.get(f"{library.path(library.ct[0])}/frames/1", headers=accept)
    assert response.content == native(library.ct[0])
    assert response.headers["content-type"].startswith("application/octet-stream")


def test_a_bare_frame_may_come_in_pieces(library: Library) -> None:
    path = f"{library.path(library.ct[0])}/frames/1"
    accept = {"Accept": "application/octet-stream", "Range": "bytes=100-199"}
    response = library.http.get(path, headers=accept)
    assert response.status_code == 206
    assert response.headers["content-range"] == f"bytes 100-199/{64 * 64 * 2}"
    assert response.content == native(library.ct[0])[100:200]


def test_frames_of_single_bits_begin_with_a_byte(library: Library, parts_of: PartsOf) -> None:
    stored = np.unpackbits(np.frombuffer(library.bits.PixelData, np.uint8), bitorder="little")[:75]
    response = library.http.get(f"{library.path(library.bits)}/frames/2,3", headers=AS_STORED)
    for number, (_, content) in zip((1, 2), parts_of(response), strict=True):
        bits = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")[:25]
        assert bits.tolist() == stored[number * 25 : number * 25 + 25].tolist()


def test_frames_of_a_deflated_object_are_inflated(library: Library, parts_of: PartsOf) -> None:
    response = library.http.get(f"{library.path(library.deflated)}/frames/1", headers=AS_STORED)
    assert parts_of(response)[0][1] == library.deflated.PixelData


@pytest.mark.parametrize("kind", ["ct", "cine", "deflated"])
def test_the_frame_that_is_not_there_is_named(library: Library, kind: str) -> None:
    dataset = library.ct[0] if kind == "ct" else getattr(library, kind)
    for number in ("99", "0", "1,99"):
        response = library.http.get(f"{library.path(dataset)}/frames/{number}", headers=AS_STORED)
        assert response.status_code == 404
        assert f"frame {number.split(',')[-1]}" in response.json()["detail"]


def test_an_object_without_pixels_has_no_frames(library: Library) -> None:
    response = library.http.get(f"{library.path(library.report)}/frames/1", headers=AS_STORED)
    assert (response.status_code, response.json()["error"]) == (404, "FrameNotFound")


@pytest.mark.parametrize("text", ["", "a", "1,", ",1", "1-3", "1,,2", "-1", "1.5", "²", "1 2", "9" * 10])
def test_what_is_no_list_of_numbers_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuery, match="frames"):
        frame_numbers(text)


def test_a_list_of_frames_is_read_as_it_stands() -> None:
    assert frame_numbers("3,1,3,002") == [3, 1, 3, 2]


def test_a_wrong_list_is_a_bad_request(library: Library) -> None:
    response = library.http.get(f"{library.path(library.ct[0])}/frames/one", headers=AS_STORED)
    assert response.status_code == 400
    assert "1,2,3" in response.json()["detail"]


def test_who_accepts_other_things_only_is_told_what_there_is(library: Library) -> None:
    accept = {"Accept": 'multipart/related; type="image/png"'}
    response = library.http.get(f"{library.path(library.jpeg_ls)}/frames/1", headers=accept)
    assert response.status_code == 406
    assert "image/jls" in response.json()["detail"]


def test_what_is_held_already_is_not_sent_again(library: Library) -> None:
    path = f"{library.path(library.ct[2])}/frames/1"
    first = library.http.get(path, headers=AS_STORED)
    again = library.http.get(path, headers=AS_STORED | {"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = library.http.get(
        path, headers={"Accept": "application/octet-stream", "If-None-Match": first.headers["etag"]}
    )
    assert other.status_code == 200


def test_head_tells_the_length_without_the_body(library: Library) -> None:
    path = f"{library.path(library.ct[2])}/frames/1"
    length = library.http.get(path, headers=AS_STORED).headers["content-length"]
    response = library.http.head(path, headers=AS_STORED)
    assert (response.status_code, response.content, response.headers["content-length"]) == (200, b"", length)


def test_frames_that_are_claimed_only_are_not_there(service: Service) -> None:
    service.keep(enormous_dimensions())
    (found,) = service.http.get("/instances").json()
    url = found["00081190"]["Value"][0]
    for number in (1, 999_999_999):
        assert service.http.get(f"{url}/frames/{number}", headers=AS_STORED).status_code == 404


def test_more_frames_than_a_request_may_have_are_refused() -> None:
    check_amount(MOST_AT_ONCE)
    with pytest.raises(InvalidQuery, match=str(MOST_AT_ONCE)):
        check_amount(MOST_AT_ONCE + 1)
