from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from dicomweb.rendering.picture import MediaType, Rendering, render
from dicomweb.rendering.viewport import Viewport
from dicomweb.rendering.window import Window, WindowFunction
from pacs.errors import CannotRender, InvalidQuery
from testdata.compressed import compressed
from testdata.ct import ct_series
from testdata.enhanced_ct import enhanced_ct
from testdata.secondary_capture import palette_colour, secondary_capture
from tests.pacs.pixels.stored_frames import split

PNG = Rendering("image/png")


def opened(picture: bytes) -> Image.Image:
    image = Image.open(BytesIO(picture))
    image.load()
    return image


def drawn(dataset: Dataset, rendering: Rendering = PNG, frame_number: int = 1) -> NDArray[Any]:
    header, frames = split(dataset)
    return np.asarray(opened(render(header, frames[frame_number - 1], frame_number, rendering)))


@pytest.fixture(scope="module")
def ct() -> Dataset:
    return ct_series(slices=1, rows=64, columns=64)[0]


@pytest.mark.parametrize(
    ("media_type", "file_format"),
    [("image/jpeg", "JPEG"), ("image/png", "PNG"), ("image/gif", "GIF")],
)
def test_the_picture_has_the_media_type_and_the_matrix_of_the_image(
    ct: Dataset, media_type: MediaType, file_format: str
) -> None:
    header, frames = split(ct)
    image = opened(render(header, frames[0], 1, Rendering(media_type)))
    assert (image.format, image.size) == (file_format, (64, 64))


def test_a_ct_is_shown_with_its_window(ct: Dataset) -> None:
    hounsfield = ct.pixel_array * float(ct.RescaleSlope) + float(ct.RescaleIntercept)
    center, width = (np.atleast_1d(ct[keyword].value)[0] for keyword in ("WindowCenter", "WindowWidth"))
    expected = np.clip((hounsfield - (center - 0.5)) / (width - 1) + 0.5, 0, 1) * 255
    assert np.abs(drawn(ct) - expected).max() <= 0.5 + 1e-6


def test_a_window_that_is_asked_for_is_used(ct: Dataset) -> None:
    black_and_white = drawn(ct, Rendering("image/png", window=Window(0, 1)))
    assert set(np.unique(black_and_white)) == {0, 255}
    exact = Window(0, 4000, WindowFunction.LINEAR_EXACT)
    assert not np.array_equal(drawn(ct), drawn(ct, Rendering("image/png", window=exact)))


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless])
def test_without_loss_every_transfer_syntax_gives_the_same_picture(ct: Dataset, syntax: str) -> None:
    assert np.array_equal(drawn(compressed(ct, syntax)), drawn(ct))


def test_frames_of_an_enhanced_object_look_like_the_slices_they_are_made_of() -> None:
    slices = ct_series(slices=2, rows=32, columns=32)
    whole = enhanced_ct(slices)
    for number, part in enumerate(slices, start=1):
        assert np.array_equal(drawn(whole, frame_number=number), drawn(part))


def test_monochrome1_shows_the_lowest_value_white() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(drawn(secondary_capture(pixels, "MONOCHROME1")), 255 - pixels)


def test_colour_is_shown_as_it_is() -> None:
    pixels = np.arange(300, dtype=np.uint16).reshape(10, 10, 3).astype(np.uint8)
    assert np.array_equal(drawn(secondary_capture(pixels, "RGB")), pixels)


@pytest.mark.parametrize(
    ("kind", "bits", "expected"), [("uint16", 16, 0x12), ("uint16", 12, 0x23), ("uint8", 4, 0x40)]
)
def test_colour_of_other_depths_is_brought_to_8_bits(kind: str, bits: int, expected: int) -> None:
    pixels = np.full((2, 2, 3), 0x1234 % (1 << bits), kind)
    assert np.unique(drawn(secondary_capture(pixels, "RGB", bits_stored=bits))).tolist() == [expected]


def test_palette_colours_are_looked_up() -> None:
    colours = np.array([[0, 0, 0], [0xFF00, 0, 0], [0, 0x8000, 0xFF00]], np.uint16)
    picture = drawn(palette_colour(np.array([[0, 1], [2, 9]], np.uint8), colours))
    assert picture.tolist() == [[[0, 0, 0], [255, 0, 0]], [[0, 128, 255], [0, 128, 255]]]


def test_one_bit_is_drawn_black_and_white() -> None:
    mask = np.eye(9, dtype=np.bool_)
    assert np.array_equal(drawn(secondary_capture(mask)), mask * np.uint8(255))


def test_the_viewport_keeps_the_shape_of_the_pixels() -> None:
    dataset = secondary_capture(np.zeros((40, 40), np.uint8))
    fitted = Rendering("image/png", Viewport(80, 80))
    assert drawn(dataset, fitted).shape == (80, 80)
    dataset.PixelAspectRatio = ["1", "2"]
    assert drawn(dataset, fitted).shape == (40, 80)
    assert drawn(dataset).shape == (40, 40)


def test_a_viewport_outside_the_image_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="viewport"):
        drawn(secondary_capture(np.zeros((8, 8), np.uint8)), Rendering(viewport=Viewport(8, 8, left=9)))


def test_quality_decides_the_size_of_a_jpeg(ct: Dataset) -> None:
    header, frames = split(ct)
    sizes = [len(render(header, frames[0], 1, Rendering(quality=quality))) for quality in (10, 90, 100)]
    assert sizes == sorted(set(sizes))


def test_the_default_jpeg_is_close_to_the_picture(ct: Dataset) -> None:
    assert np.abs(drawn(ct, Rendering()).astype(int) - drawn(ct)).mean() < 3


def test_thin_coloured_lines_survive_jpeg() -> None:
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:, 15] = (255, 0, 0)
    line = drawn(secondary_capture(pixels, "RGB"), Rendering())[:, 15]
    assert line[:, 0].min() > 200
    assert line[:, 1:].max() < 60


def test_a_picture_too_large_for_its_format_is_refused() -> None:
    with pytest.raises(CannotRender, match="image/jpeg"):
        drawn(secondary_capture(np.zeros((1, 65535), np.uint8)), Rendering())
