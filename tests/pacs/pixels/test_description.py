"""What compressed frames say of themselves (PS3.18 10.5.2), against the data sets that they were made for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.encaps import generate_frames
from pydicom.uid import (
    JPEG2000,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
)

from pacs.pixels.description import describe
from testdata.compressed import compressed
from testdata.ct import ct_series
from testdata.secondary_capture import secondary_capture

MEDIA_TYPES: dict[str, str] = {
    JPEGBaseline8Bit: "image/jpeg",
    JPEGLosslessSV1: "image/jpeg",
    JPEGLSLossless: "image/jls",
    JPEGLSNearLossless: "image/jls",
    JPEG2000Lossless: "image/jp2",
    JPEG2000: "image/jp2",
}
TOLD = (
    ("SamplesPerPixel", "00280002"),
    ("PhotometricInterpretation", "00280004"),
    ("Rows", "00280010"),
    ("Columns", "00280011"),
    ("BitsAllocated", "00280100"),
    ("LossyImageCompressionMethod", "00282114"),
)


def picture(kind: str) -> Dataset:
    if kind == "ct":
        return ct_series(slices=1, rows=40, columns=48)[0]
    shape = (40, 48, 3) if kind == "colour" else (40, 48)
    pixels = (np.arange(np.prod(shape)) % 251).astype(np.uint8).reshape(shape)
    return secondary_capture(pixels, "RGB" if kind == "colour" else "MONOCHROME2")


def first_frame(dataset: Dataset) -> bytes:
    return next(generate_frames(dataset.PixelData, number_of_frames=1))


# JPEG baseline holds 8 bits only
PAIRS = [(k, s) for k in ("grey", "colour", "ct") for s in MEDIA_TYPES if (k, s) != ("ct", JPEGBaseline8Bit)]


@pytest.mark.parametrize(("kind", "syntax"), PAIRS)
def test_a_frame_tells_what_its_data_set_says(kind: str, syntax: str) -> None:
    dataset = compressed(picture(kind), syntax)
    description = describe(MEDIA_TYPES[syntax], first_frame(dataset))
    assert description is not None
    assert description.transfer_syntax_uid == syntax
    for keyword, key in TOLD:
        told = description.attributes.get(key, {}).get("Value", [None])[0]
        assert told == dataset.get(keyword), keyword


def test_who_names_another_media_type_is_told_nothing() -> None:
    assert describe("image/jp2", first_frame(compressed(picture("grey"), JPEGBaseline8Bit))) is None
    assert describe("image/dicom-rle", bytes(64)) is None


FRAMES = [(MEDIA_TYPES[syntax], first_frame(compressed(picture("colour"), syntax))) for syntax in MEDIA_TYPES]


@given(
    frame=st.sampled_from(FRAMES),
    end=st.integers(0, 2000),
    damage=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4),
)
def test_damaged_frames_do_no_harm(frame: tuple[str, bytes], end: int, damage: list[tuple[int, int]]) -> None:
    media_type, stream = frame
    damaged = bytearray(stream[:end])
    for place, value in damage:
        damaged[place : place + 1] = bytes([value])
    description = describe(media_type, bytes(damaged))
    assert description is None or description.attributes["00280002"]["Value"][0] in (1, 3)
