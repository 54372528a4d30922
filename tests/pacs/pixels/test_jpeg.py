from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import JPEGBaseline8Bit

from pacs.errors import CannotRender
from pacs.pixels.decode import decode_frame
from testdata.secondary_capture import secondary_capture
from tests.pacs.pixels.stored_frames import split

ORANGE = (240, 120, 20)
JFIF_END = 20  # SOI and an APP0 of 16 bytes and its marker


def orange() -> bytes:
    file = BytesIO()
    Image.new("RGB", (16, 8), ORANGE).save(file, "JPEG", quality=100, subsampling="4:4:4")
    return file.getvalue()


def adobe(transform: int) -> bytes:
    return b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform])


def decoded(frame: bytes, photometric_interpretation: str) -> list[int]:
    header, _ = split(secondary_capture(np.zeros((8, 16, 3), np.uint8), "RGB"))
    header.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    header.PhotometricInterpretation = photometric_interpretation
    pixels = decode_frame(header, frame)
    assert pixels.shape == (8, 16, 3)
    colour: list[int] = pixels[4, 8].tolist()
    return colour


BARE = orange()[:2] + orange()[JFIF_END:]
YCBCR = Image.new("RGB", (1, 1), ORANGE).convert("YCbCr").getpixel((0, 0))


@pytest.mark.parametrize("photometric_interpretation", ["YBR_FULL_422", "YBR_FULL", "RGB"])
def test_jfif_means_ycbcr_whatever_the_header_says(photometric_interpretation: str) -> None:
    assert decoded(orange(), photometric_interpretation) == pytest.approx(ORANGE, abs=2)


@pytest.mark.parametrize(("transform", "expected"), [(1, ORANGE), (0, YCBCR)])
def test_the_adobe_segment_says_whether_colours_were_transformed(
    transform: int, expected: tuple[int, ...]
) -> None:
    stream = BARE[:2] + adobe(transform) + BARE[2:]
    for photometric_interpretation in ("RGB", "YBR_FULL_422"):
        assert decoded(stream, photometric_interpretation) == pytest.approx(expected, abs=2)


def test_without_a_word_in_the_stream_the_header_decides() -> None:
    assert decoded(BARE, "YBR_FULL_422") == pytest.approx(ORANGE, abs=2)
    assert decoded(BARE, "RGB") == pytest.approx(YCBCR, abs=2)


def test_components_named_r_g_b_are_that() -> None:
    named = bytearray(BARE)
    frame, scan = named.index(b"\xff\xc0"), named.index(b"\xff\xda")
    for index, name in enumerate(b"RGB"):
        named[frame + 10 + 3 * index] = named[scan + 5 + 2 * index] = name
    for photometric_interpretation in ("RGB", "YBR_FULL_422"):
        assert decoded(bytes(named), photometric_interpretation) == pytest.approx(YCBCR, abs=2)


def test_a_damaged_stream_is_refused() -> None:
    for damaged in (orange()[:300], orange()[: -len(orange()) // 3]):
        with pytest.raises(CannotRender):
            decoded(damaged, "RGB")
