import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pacs.pixels.codestream import (
    StreamSize,
    bare_jpeg2000,
    has_clean_jpeg_header,
    jpeg2000_size,
    jpeg_size,
)


def encoded(mode: str, file_format: str, **options: object) -> bytes:
    file = BytesIO()
    Image.new(mode, (40, 30)).save(file, file_format, **options)
    return file.getvalue()


JPEG = encoded("RGB", "JPEG")
SOF = JPEG.index(b"\xff\xc0")


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_the_size_of_a_jpeg(options: dict[str, object]) -> None:
    assert jpeg_size(encoded("RGB", "JPEG", **options)) == StreamSize(30, 40, 3, 8)
    assert jpeg_size(encoded("L", "JPEG", **options)) == StreamSize(30, 40, 1, 8)


def test_fill_bytes_before_a_marker_are_allowed() -> None:
    filled = JPEG[:SOF] + b"\xff\xff\xff" + JPEG[SOF:]
    assert jpeg_size(filled) == StreamSize(30, 40, 3, 8)
    assert has_clean_jpeg_header(filled)


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"\xff\xd8",
        b"no JPEG at all",
        JPEG[: SOF + 5],
        JPEG[:SOF] + b"\x00" + JPEG[SOF:],
        b"\xff\xd8" + b"\xff\xfe\x00\x02" * 2000 + JPEG[2:],
        b"\xff\xd8" + b"\xff" * 5000,
    ],
)
def test_a_jpeg_without_frame_header_has_no_size(stream: bytes) -> None:
    assert jpeg_size(stream) is None
    assert not has_clean_jpeg_header(stream)


def test_a_header_is_clean_up_to_the_first_scan() -> None:
    scan = JPEG.index(b"\xff\xda")
    assert has_clean_jpeg_header(JPEG)
    assert has_clean_jpeg_header(JPEG[: scan + 40])
    assert not has_clean_jpeg_header(JPEG[: scan + 4])


@pytest.mark.parametrize(
    "segment",
    [
        b"\xff\xe0\x00\x10JFIF\0\x09\x01\0\0\x01\0\x01\0\0",  # no known version
        b"\xff\xee\x00\x0eAdobe\0\x64\0\0\0\0\x07",  # no known transform
        b"\xff\xd0\x00\x02",  # a restart marker, which has no length
        b"\xff\x01\x00\x02",
    ],
)
def test_a_header_that_libjpeg_warns_of_is_not_clean(segment: bytes) -> None:
    assert not has_clean_jpeg_header(b"\xff\xd8" + segment + JPEG[2:])


def test_the_size_of_a_jpeg_2000() -> None:
    stream = encoded("RGB", "JPEG2000", no_jp2=True)
    assert jpeg2000_size(stream) == StreamSize(30, 40, 3, 8)
    assert jpeg2000_size(stream[:42]) is None
    assert jpeg2000_size(b"\xff\x4f\xff\x52" + stream[4:]) is None
    assert jpeg2000_size(JPEG) is None


def test_boxes_around_a_jpeg_2000_are_taken_off() -> None:
    stream = encoded("L", "JPEG2000", no_jp2=True)
    boxed = encoded("L", "JPEG2000", no_jp2=False)
    assert jpeg2000_size(boxed) is None
    assert bare_jpeg2000(boxed) == stream
    assert bare_jpeg2000(stream) == stream


def test_boxes_that_lead_nowhere_are_left_alone() -> None:
    signature = encoded("L", "JPEG2000", no_jp2=False)[:12]
    for tail in (b"", b"\0\0\0\0free", b"\0\0\0\7free", struct.pack(">I", 1 << 31) + b"free"):
        assert bare_jpeg2000(signature + tail) == signature + tail


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"\xff\x4f\xff\x51", JPEG[:60]]))
def test_any_bytes_can_be_looked_at(tail: bytes, head: bytes) -> None:
    stream = head + tail
    assert isinstance(has_clean_jpeg_header(stream), bool)
    for size in (jpeg_size(stream), jpeg2000_size(bare_jpeg2000(stream))):
        assert size is None or min(size.rows, size.columns) >= 0
