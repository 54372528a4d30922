import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import JPEGLosslessSV1

from pacs.errors import CannotRender
from pacs.pixels.codestream import jpeg_size
from pacs.pixels.decode import decode_frame
from pacs.pixels.gdcm_jpeg import unpack_with_gdcm
from pacs.pixels.pixel_form import pixel_form
from testdata.compressed import compressed
from testdata.secondary_capture import secondary_capture
from tests.pacs.pixels.stored_frames import split

PIXELS = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32)


def lossless() -> tuple[Dataset, bytes]:
    header, frames = split(compressed(secondary_capture(PIXELS), JPEGLosslessSV1))
    return header, frames[0]


def test_the_native_bytes_come_out() -> None:
    header, frame = lossless()
    size = jpeg_size(frame)
    assert size is not None
    assert unpack_with_gdcm(pixel_form(header), frame, size) == PIXELS.astype("<u2").tobytes()


# Each of these makes GDCM end the process when it gets to see it.
@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("BitsAllocated", 32),
        ("BitsStored", 7),
        ("PhotometricInterpretation", "PALETTE COLOR"),
        ("PhotometricInterpretation", "YBR_ICT"),
        ("PhotometricInterpretation", "CMYK"),
    ],
)
def test_what_the_header_says_does_not_reach_gdcm(keyword: str, value: object) -> None:
    header, frame = lossless()
    setattr(header, keyword, value)
    if keyword == "BitsAllocated":
        with pytest.raises(CannotRender, match="JPEG"):
            decode_frame(header, frame)
    else:
        assert decode_frame(header, frame).shape == PIXELS.shape


@pytest.mark.parametrize("precision", [0, 1, 17, 200])
def test_a_precision_that_cannot_be_is_refused(precision: int) -> None:
    header, frame = lossless()
    damaged = bytearray(frame)
    damaged[frame.index(b"\xff\xc3") + 4] = precision
    with pytest.raises(CannotRender, match="JPEG"):
        decode_frame(header, bytes(damaged))


@pytest.mark.parametrize("junk", [b"\x00", b"\xff\xd0", b"\xff\xe0\x00\x10JFIF\0\x09\x01\0\0\x01\0\x01\0\0"])
def test_junk_in_the_header_is_refused(junk: bytes) -> None:
    header, frame = lossless()
    with pytest.raises(CannotRender, match=r"begin|header"):
        decode_frame(header, frame[:2] + junk + frame[2:])
