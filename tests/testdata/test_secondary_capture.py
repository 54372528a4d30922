import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.pixels.processing import apply_color_lut

from testdata.secondary_capture import palette_colour, secondary_capture

RANDOM = np.random.default_rng(1)


@pytest.mark.parametrize(
    "pixels",
    [
        RANDOM.integers(0, 256, (5, 7), np.uint8),
        RANDOM.integers(0, 65536, (5, 7), np.uint16),
        RANDOM.integers(-32768, 32768, (5, 7), np.int16),
        RANDOM.integers(0, 256, (3, 5, 7), np.uint8),
        RANDOM.integers(0, 65536, (3, 5, 7), np.uint16),
        RANDOM.integers(0, 2, (3, 5, 7)).astype(bool),
        RANDOM.integers(0, 2**32, (5, 7), np.uint32),
    ],
    ids=lambda pixels: f"{pixels.dtype}-{pixels.shape}",
)
def test_grey_pixels_come_back(pixels: NDArray[np.integer]) -> None:
    dataset = secondary_capture(pixels)
    assert np.array_equal(dataset.pixel_array, pixels)
    assert len(dataset.PixelData) % 2 == 0


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("shape", [(5, 7, 3), (2, 5, 7, 3)])
def test_colour_comes_back_from_pixels_and_from_planes(shape: tuple[int, ...], planar: bool) -> None:
    pixels = RANDOM.integers(0, 256, shape, np.uint8)
    dataset = secondary_capture(pixels, "RGB", planar=planar)
    assert dataset.PlanarConfiguration == int(planar)
    assert np.array_equal(dataset.pixel_array, pixels)


def test_a_palette_gives_its_colours() -> None:
    colours = RANDOM.integers(0, 65536, (4, 3), np.uint16)
    indices = RANDOM.integers(0, 4, (5, 7), np.uint8)
    dataset = palette_colour(indices, colours)
    assert np.array_equal(apply_color_lut(dataset.pixel_array, dataset), colours[indices])
