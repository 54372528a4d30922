import struct
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.pixels.processing import apply_color_lut

from dicomweb.rendering.palette import colours_of
from pacs.errors import CannotRender
from tests.pacs.pixels.stored_frames import PYDICOM_FILES

PALETTES = sorted((PYDICOM_FILES / "palettes").glob("*.dcm"))
COLOURS = ("Red", "Green", "Blue")


def palette(descriptor: list[int], data: bytes, segmented: bool = False) -> Dataset:
    """All three colours with the same data."""
    header = Dataset()
    for colour in COLOURS:
        setattr(header, f"{colour}PaletteColorLookupTableDescriptor", descriptor)
        prefix = "Segmented" if segmented else ""
        setattr(header, f"{prefix}{colour}PaletteColorLookupTableData", data)
    return header


def reds(header: Dataset, values: list[int], signed: bool = False) -> list[int]:
    colours = colours_of(np.array(values), header, signed)
    assert colours.shape == (len(values), 3)
    found: list[int] = colours[:, 0].tolist()
    return found


def segments(*codes: int, width: str = "B") -> bytes:
    return struct.pack(f"<{len(codes)}{width}", *codes)


@pytest.mark.parametrize("path", PALETTES, ids=lambda path: path.stem)
def test_the_palettes_of_the_standard_come_out_as_pydicom_reads_them(path: Path) -> None:
    header = dcmread(path)
    values = np.arange(256, dtype=np.uint8)
    assert np.array_equal(colours_of(values, header, False), apply_color_lut(values, header))


def test_values_outside_take_the_nearest_colour() -> None:
    header = palette([2, 65535, 8], b"\x05\x06")
    assert reds(header, [-9, -1, 0, 9], signed=True) == [5, 5, 6, 6]


def test_sixteen_bits_keep_their_upper_half() -> None:
    assert reds(palette([3, 0, 16], struct.pack("<3H", 0, 0x7FFF, 0xFFFF)), [0, 1, 2]) == [0, 127, 255]


def test_eight_bits_announced_as_sixteen_are_kept() -> None:
    assert reds(palette([3, 0, 16], struct.pack("<3H", 0, 100, 255)), [0, 1, 2]) == [0, 100, 255]


def test_a_dark_channel_is_judged_with_the_others() -> None:
    header = palette([2, 0, 16], struct.pack("<2H", 0, 0xFF00))
    header.BluePaletteColorLookupTableData = struct.pack("<2H", 0, 0xFF)
    assert colours_of(np.array([1]), header, False).tolist() == [[255, 255, 0]]


def test_eight_bits_in_the_upper_half_of_words() -> None:
    assert reds(palette([2, 0, 8], struct.pack("<2H", 0, 0x8000)), [0, 1]) == [0, 128]


# PS3.3 C.7.9.2: discrete, linear and indirect segments.
def test_segments_are_written_out() -> None:
    data = segments(0, 2, 10, 20, 1, 4, 40) + segments(2, 2) + struct.pack("<I", 0)
    assert reds(palette([12, 0, 8], data, segmented=True), list(range(12))) == [
        *(10, 20, 25, 30, 35, 40),
        *(10, 20, 25, 30, 35, 40),
    ]


def test_segments_of_sixteen_bits_are_found_by_their_byte_offset() -> None:
    data = segments(0, 1, 0x1000, 0, 1, 0x2000, width="H") + segments(2, 1, 6, 0, width="H")
    assert reds(palette([3, 0, 16], data, segmented=True), [0, 1, 2]) == [0x10, 0x20, 0x20]


@pytest.mark.parametrize(
    "data",
    [
        segments(1, 3, 9),  # a line from nowhere
        segments(0, 0),  # nothing
        segments(7, 1, 1),  # no known operation
        segments(0, 1, 9, 1, 4),  # cut off
        segments(0, 1, 9, 2, 1) + struct.pack("<I", 500),  # points outside
        segments(0, 1, 9, 2, 1) + struct.pack("<I", 3),  # repeats itself
        segments(0, 200, *[1] * 200) + (segments(2, 255) + struct.pack("<I", 0)) * 400,  # far too much
    ],
)
def test_damaged_segments_are_refused(data: bytes) -> None:
    with pytest.raises(CannotRender, match="segmented palette"):
        colours_of(np.array([0]), palette([256, 0, 8], data, segmented=True), False)


def test_no_more_is_written_out_than_a_palette_can_hold() -> None:
    data = segments(0, 1, 9, width="H") + segments(1, 65535, 9, width="H") + segments(1, 1, 9, width="H")
    with pytest.raises(CannotRender, match="65536"):
        colours_of(np.array([0]), palette([0, 0, 16], data, segmented=True), False)


@pytest.mark.parametrize("keyword", ["Descriptor", "Data"])
def test_what_is_missing_is_named(keyword: str) -> None:
    header = palette([2, 0, 8], b"\x05\x06")
    delattr(header, f"GreenPaletteColorLookupTable{keyword}")
    with pytest.raises(CannotRender, match=f"GreenPaletteColorLookupTable{keyword}"):
        colours_of(np.array([0]), header, False)
