import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset

from pacs.errors import CannotRender
from pacs.pixels.pixel_form import MAX_FRAME_BYTES, pixel_form
from testdata.secondary_capture import secondary_capture
from tests.pacs.pixels.stored_frames import split


def header() -> Dataset:
    described, _ = split(secondary_capture(np.zeros((20, 30), np.int16), bits_stored=12))
    return described


def test_the_image_pixel_module_is_read() -> None:
    form = pixel_form(header())
    assert (form.rows, form.columns, form.samples) == (20, 30, 1)
    assert (form.bits_allocated, form.bits_stored, form.signed) == (16, 12, True)
    assert (form.keyword, form.photometric_interpretation) == ("PixelData", "MONOCHROME2")
    assert (form.planar, form.words, form.frame_bytes) == (False, True, 1200)


def test_pixels_of_one_bit_fill_whole_bytes() -> None:
    described, frames = split(secondary_capture(np.zeros((3, 5), np.bool_)))
    assert pixel_form(described).frame_bytes == len(frames[0]) == 2


@pytest.mark.parametrize(("bits", "keyword"), [(32, "FloatPixelData"), (64, "DoubleFloatPixelData")])
def test_floats_are_told_by_what_their_module_lacks(bits: int, keyword: str) -> None:
    described = header()
    del described.BitsStored, described.HighBit, described.PixelRepresentation
    described.BitsAllocated = bits
    form = pixel_form(described)
    assert (form.keyword, form.bits_stored, form.signed) == (keyword, bits, False)


@pytest.mark.parametrize(
    "keyword",
    [
        "Rows",
        "Columns",
        "SamplesPerPixel",
        "BitsAllocated",
        "BitsStored",
        "PixelRepresentation",
        "PhotometricInterpretation",
    ],
)
def test_what_is_missing_is_named(keyword: str) -> None:
    described = header()
    delattr(described, keyword)
    with pytest.raises(CannotRender, match=keyword):
        pixel_form(described)


@pytest.mark.parametrize("meta", [None, FileMetaDataset()])
def test_the_transfer_syntax_must_be_known(meta: FileMetaDataset | None) -> None:
    described = header()
    if meta is None:
        del described.file_meta
    else:
        described.file_meta = meta
    with pytest.raises(CannotRender, match="transfer syntax"):
        pixel_form(described)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("Rows", 0),
        ("SamplesPerPixel", 4),
        ("BitsAllocated", 12),
        ("BitsAllocated", 24),
        ("BitsStored", 0),
        ("BitsStored", 17),
    ],
)
def test_senseless_values_are_refused(keyword: str, value: int) -> None:
    described = header()
    setattr(described, keyword, value)
    with pytest.raises(CannotRender, match=str(value)):
        pixel_form(described)


def test_a_frame_may_not_be_too_large() -> None:
    described = header()
    described.Rows, described.Columns = MAX_FRAME_BYTES // 2 // 16384, 16384
    assert pixel_form(described).frame_bytes == MAX_FRAME_BYTES
    described.Columns += 1
    with pytest.raises(CannotRender, match="at most"):
        pixel_form(described)
