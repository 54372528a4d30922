import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydicom import Dataset

from dicomweb.rendering.viewport import Viewport, fit, pixel_aspect
from pacs.errors import InvalidQuery

SIDES = st.integers(1, 60)


def picture(width: int, height: int) -> Image.Image:
    """Four quarters: black, dark on the right, light below, white."""
    image = Image.new("L", (width, height), 0)
    image.paste(80, (width // 2, 0, width, height // 2))
    image.paste(160, (0, height // 2, width // 2, height))
    image.paste(255, (width // 2, height // 2, width, height))
    return image


@pytest.mark.parametrize(
    ("size", "viewport", "aspect", "expected"),
    [
        ((400, 200), Viewport(100, 100), 1.0, (100, 50)),
        ((200, 400), Viewport(100, 100), 1.0, (50, 100)),
        ((40, 20), Viewport(100, 100), 1.0, (100, 50)),
        ((40, 20), Viewport(100, 100, enlarge=False), 1.0, (40, 20)),
        ((400, 200), Viewport(100, 100, enlarge=False), 1.0, (100, 50)),
        ((100, 100), Viewport(100, 100), 2.0, (50, 100)),
        ((100, 100), Viewport(100, 100), 0.5, (100, 50)),
        ((100, 50), Viewport(400, 400, enlarge=False), 2.0, (100, 100)),
        ((1000, 1), Viewport(100, 100), 1.0, (100, 1)),
        ((400, 200), Viewport(100, 100, left=100, part_width=100), 1.0, (50, 100)),
    ],
)
def test_the_picture_fills_the_viewport_undistorted(
    size: tuple[int, int], viewport: Viewport, aspect: float, expected: tuple[int, int]
) -> None:
    assert fit(picture(*size), viewport, aspect).size == expected


def test_a_picture_that_fits_already_is_left_alone() -> None:
    image = picture(40, 20)
    assert fit(image, Viewport(40, 40, enlarge=False), 1.0) is image


def test_the_part_is_cut_out() -> None:
    quarter = fit(picture(40, 20), Viewport(20, 10, left=20, top=10, part_width=20, part_height=10), 1.0)
    assert quarter.size == (20, 10)
    assert quarter.getextrema() == (255, 255)


def test_a_part_that_reaches_beyond_the_edge_ends_there() -> None:
    quarter = fit(picture(40, 20), Viewport(20, 10, left=20, top=10, part_width=999), 1.0)
    assert quarter.getextrema() == (255, 255)


def test_negative_sides_flip() -> None:
    image = picture(40, 20)
    across = fit(image, Viewport(40, 20, part_width=-40), 1.0)
    down = fit(image, Viewport(40, 20, part_height=-20), 1.0)
    assert [across.getpixel((1, 1)), across.getpixel((38, 18))] == [80, 160]
    assert [down.getpixel((1, 1)), down.getpixel((38, 18))] == [160, 80]


@pytest.mark.parametrize("viewport", [Viewport(9, 9, left=40), Viewport(9, 9, top=20.5)])
def test_a_part_outside_the_image_is_refused(viewport: Viewport) -> None:
    with pytest.raises(InvalidQuery, match="viewport"):
        fit(picture(40, 20), viewport, 1.0)


@given(SIDES, SIDES, SIDES, SIDES, st.floats(1e-3, 1e3), st.booleans())
def test_the_picture_is_never_larger_than_the_viewport(
    width: int, height: int, room_width: int, room_height: int, aspect: float, enlarge: bool
) -> None:
    fitted = fit(picture(width, height), Viewport(room_width, room_height, enlarge=enlarge), aspect)
    assert 1 <= fitted.width <= room_width
    assert 1 <= fitted.height <= room_height
    assert not enlarge or fitted.width == room_width or fitted.height == room_height


def test_spacing_gives_the_shape_of_a_pixel() -> None:
    header = Dataset()
    assert pixel_aspect(header, 1) == 1
    header.PixelAspectRatio = ["1", "2"]
    assert pixel_aspect(header, 1) == 0.5
    header.ImagerPixelSpacing = ["0.3", "0.1"]
    assert pixel_aspect(header, 1) == pytest.approx(3)
    header.PixelSpacing = ["0.5", "0.5"]
    assert pixel_aspect(header, 1) == 1


def test_senseless_spacing_is_passed_over() -> None:
    header = Dataset()
    header.PixelSpacing = ["0", "0.5"]
    header.PixelAspectRatio = ["2", "1"]
    assert pixel_aspect(header, 1) == 2


def test_the_pixel_measures_of_the_frame_count() -> None:
    measures, frame, header = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = ["2", "1"]
    frame.PixelMeasuresSequence = [measures]
    header.PerFrameFunctionalGroupsSequence = [Dataset(), frame]
    assert pixel_aspect(header, 1) == 1
    assert pixel_aspect(header, 2) == 2
