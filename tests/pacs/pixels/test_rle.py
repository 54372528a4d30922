import struct

import numpy as np
import pytest
from pydicom.uid import RLELossless

from pacs.errors import CannotRender
from pacs.pixels.decode import decode_frame
from pacs.pixels.pixel_form import PixelForm, pixel_form
from pacs.pixels.rle import unpack_rle
from testdata.secondary_capture import secondary_capture
from tests.pacs.pixels.stored_frames import split


def form(kind: str = "uint8", rows: int = 2, columns: int = 3) -> PixelForm:
    header, _ = split(secondary_capture(np.zeros((rows, columns), kind)))
    return pixel_form(header)


def rle(*segments: bytes) -> bytes:
    offsets = [64 + sum(map(len, segments[:index])) for index in range(len(segments))]
    return struct.pack("<16L", len(segments), *offsets, *[0] * (15 - len(segments))) + b"".join(segments)


def test_literal_and_repeated_runs_and_no_operation() -> None:
    assert unpack_rle(form(), rle(b"\x02abc\x80\xfed")) == b"abcddd"


def test_runs_may_cross_rows() -> None:
    assert unpack_rle(form(), rle(b"\xfcx\x00y")) == b"xxxxxy"


def test_planes_begin_with_the_most_significant_byte() -> None:
    assert unpack_rle(form("uint16", 1, 2), rle(b"\x01\x10\x20", b"\x01\x01\x02")) == b"\x01\x10\x02\x20"


def test_what_comes_behind_a_plane_is_padding() -> None:
    assert unpack_rle(form(), rle(b"\xfbz\x00\x00")) == b"zzzzzz"


def test_pixels_of_one_bit_are_packed_in_one_plane() -> None:
    header, frames = split(secondary_capture(np.eye(4, dtype=np.bool_)))
    header.file_meta.TransferSyntaxUID = RLELossless
    assert np.array_equal(decode_frame(header, rle(b"\x01" + frames[0])), np.eye(4))


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        rle()[:63],
        rle(),
        rle(b"\x05abcdef", b"\x05abcdef"),
        rle(b"\x02abc"),
        rle(b"\x05ab"),
        rle(b""),
        struct.pack("<16L", 1, 2**32 - 1, *[0] * 14) + b"\x05abcdef",
        struct.pack("<16L", 2**32 - 1, *[64] * 15) + b"\x05abcdef",
    ],
)
def test_damaged_frames_are_refused(frame: bytes) -> None:
    with pytest.raises(CannotRender, match="RLE"):
        unpack_rle(form(), frame)


def test_a_run_never_writes_past_the_frame() -> None:
    assert unpack_rle(form(), rle(b"\x81a" * 1_000_000)) == b"aaaaaa"
