import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from dicomweb.rendering.grayscale import modality_values, shades_of, to_gray, window_of_pixels
from dicomweb.rendering.lookup_table import LookupTable
from dicomweb.rendering.presentation import Presentation, Rescale, read_presentation
from dicomweb.rendering.window import Window, WindowFunction

PLAIN = Presentation(Rescale(), None, False, None, None)
FRAMES = hnp.arrays(
    st.sampled_from([np.uint8, np.uint16, np.int16]), hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)
)


def described(pixels: NDArray[Any]) -> Dataset:
    header = Dataset()
    header.PhotometricInterpretation = "MONOCHROME2"
    header.PixelRepresentation = int(pixels.dtype.kind == "i")
    header.BitsStored = header.BitsAllocated = pixels.itemsize * 8
    return header


def shades_by_pydicom(pixels: NDArray[Any], header: Dataset) -> NDArray[np.float64]:
    """pydicom's output, brought from the range that it gives to 0 to 1."""
    bits = header.BitsStored
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if header.PixelRepresentation else (0, 2**bits - 1)
    low, high = (value * header.RescaleSlope + header.RescaleIntercept for value in (low, high))
    with np.errstate(over="ignore"):
        values = apply_voi_lut(apply_modality_lut(pixels, header), header)
    return np.asarray((values - low) / (high - low), np.float64)


@given(
    FRAMES,
    st.integers(1, 8),
    st.integers(-2000, 2000),
    st.integers(-3000, 3000),
    st.integers(2, 5000),
    st.sampled_from(WindowFunction),
)
def test_windows_shade_as_in_pydicom(
    pixels: NDArray[Any], slope: int, intercept: int, center: int, width: int, function: WindowFunction
) -> None:
    header = described(pixels)
    header.RescaleSlope, header.RescaleIntercept = slope, intercept
    header.WindowCenter, header.WindowWidth, header.VOILUTFunction = center, width, function.value
    presentation = read_presentation(header, 1, None)
    assert presentation.voi == Window(center, width, function)
    shades = shades_of(modality_values(pixels, presentation), presentation.voi)
    expected = shades_by_pydicom(pixels, header)
    assert shades == pytest.approx(expected, abs=1e-9)
    assert np.abs(to_gray(pixels, presentation) - expected * 255).max() <= 0.5 + 1e-6


def lut_item(first: int, entries: list[int], bits: int) -> Dataset:
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item.add_new("LUTData", "US", entries)
    return item


@given(FRAMES, st.integers(0, 300), st.lists(st.integers(0, 1023), min_size=2, max_size=50))
def test_tables_shade_as_in_pydicom(pixels: NDArray[Any], first: int, entries: list[int]) -> None:
    header = described(pixels)
    header.ModalityLUTSequence = [lut_item(first, entries, 16)]
    header.VOILUTSequence = [lut_item(10, sorted(entries), 10)]
    presentation = read_presentation(header, 1, None)
    assert isinstance(presentation.voi, LookupTable)
    wide = pixels.astype(np.int32)
    modality = modality_values(wide, presentation)
    assert np.array_equal(modality, apply_modality_lut(wide, header))
    expected = apply_voi_lut(modality.astype(np.int32), header)
    assert shades_of(modality, presentation.voi) == pytest.approx(expected / 1023)


def test_a_table_that_says_too_few_bits_is_not_cut_off() -> None:
    header = described(np.zeros((1, 1), np.uint16))
    header.VOILUTSequence = [lut_item(0, [0, 2048, 4095], 8)]
    gray = to_gray(np.array([[0, 1, 2]], np.uint16), read_presentation(header, 1, None))
    assert gray.tolist() == [[0, 128, 255]]


@given(FRAMES)
def test_inversion_is_the_complement(pixels: NDArray[Any]) -> None:
    presentation = replace(PLAIN, voi=Window(100, 255, WindowFunction.LINEAR_EXACT))
    upright = to_gray(pixels, presentation).astype(int)
    inverted = to_gray(pixels, replace(presentation, inverted=True)).astype(int)
    assert np.abs(upright + inverted - 255).max() <= 1


def test_eight_bits_without_a_window_are_shown_as_they_are() -> None:
    pixels = np.array([[0, 1, 100, 254, 255]], np.uint8)
    assert np.array_equal(to_gray(pixels, replace(PLAIN, whole_range=(0, 255))), pixels)


def test_one_bit_is_black_and_white() -> None:
    pixels = np.array([[0, 1]], np.uint8)
    assert to_gray(pixels, replace(PLAIN, whole_range=(0, 1))).tolist() == [[0, 255]]


def test_a_falling_rescale_of_a_small_range_shows_it_falling() -> None:
    presentation = replace(PLAIN, modality=Rescale(-1, 255), whole_range=(0, 255))
    assert to_gray(np.array([[0, 255]], np.uint8), presentation).tolist() == [[255, 0]]


def test_without_a_window_the_extremes_are_left_out() -> None:
    pixels = np.tile(np.arange(1000, 2000, dtype=np.int16), (500, 1))
    pixels[0, 0], pixels[0, 1] = -30_000, 30_000
    window = window_of_pixels(pixels, PLAIN)
    assert window.center == pytest.approx(1500, abs=5)
    assert window.width == pytest.approx(990, abs=5)


def test_padding_does_not_count() -> None:
    pixels = np.tile(np.arange(100, dtype=np.int16), (100, 1))
    pixels[:60] = -2000
    assert window_of_pixels(pixels, replace(PLAIN, padding=(-2000, -2000))).center == pytest.approx(49.5, 1)
    assert window_of_pixels(pixels, PLAIN).center < -900


def test_a_few_pixels_that_differ_are_seen() -> None:
    pixels = np.zeros((200, 200), np.uint16)
    pixels[100, 100] = 3
    gray = to_gray(pixels, PLAIN)
    assert gray[100, 100] == 255
    assert gray[0, 0] == 0


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((4, 4), 7, np.uint16),
        np.full((4, 4), np.nan, np.float32),
        np.array([[np.inf, -np.inf, 0.0]]),
        np.array([[1e308, -1e308]]),
    ],
)
def test_frames_without_a_range_can_be_drawn(pixels: NDArray[Any]) -> None:
    assert to_gray(pixels, PLAIN).shape == pixels.shape


def test_a_frame_of_nothing_but_padding_can_be_drawn() -> None:
    pixels = np.full((4, 4), -5, np.int16)
    assert to_gray(pixels, replace(PLAIN, padding=(-5, -5))).tolist() == [[0] * 4] * 4


def test_what_is_no_number_is_black() -> None:
    pixels = np.array([[0.0, np.nan, 1.0]], np.float32)
    presentation = replace(PLAIN, voi=Window(0.5, 1, WindowFunction.LINEAR_EXACT))
    assert to_gray(pixels, presentation).tolist() == [[0, 0, 255]]


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_any_rescale_can_be_drawn(slope: float, intercept: float) -> None:
    pixels = np.array([[-32768, 0, 32767]], np.int16)
    presentation = replace(PLAIN, modality=Rescale(slope, intercept))
    assert to_gray(pixels, presentation).shape == (1, 3)
    assert to_gray(pixels, replace(presentation, voi=Window(40, 400))).shape == (1, 3)


@given(st.integers(-(2**31), 2**31 - 1), st.integers(2, 2**31))
def test_wide_ranges_and_floats_are_shaded_alike(center: int, width: int) -> None:
    presentation = replace(PLAIN, voi=Window(center, width))
    pixels = np.array([[-(2**31), -70_000, 0, 70_000, 2**31 - 1]], np.int32)
    assert np.array_equal(to_gray(pixels, presentation), to_gray(pixels.astype(np.float64), presentation))


def test_bytes_of_a_table_are_words() -> None:
    item = Dataset()
    item.LUTDescriptor = [3, 0, 16]
    item.add_new("LUTData", "OW", struct.pack("<3H", 0, 32768, 65535))
    header = described(np.zeros((1, 1), np.uint16))
    header.VOILUTSequence = [item]
    gray = to_gray(np.array([[0, 1, 2, 9]], np.uint16), read_presentation(header, 1, None))
    assert gray.tolist() == [[0, 128, 255, 255]]
