import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomweb.rendering.parameters import (
    MAX_VIEWPORT_SIDE,
    parse_quality,
    parse_thumbnail_viewport,
    parse_viewport,
    parse_window,
)
from dicomweb.rendering.viewport import Viewport
from dicomweb.rendering.window import Window, WindowFunction
from pacs.errors import InvalidQuery


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("40,400,linear", Window(40, 400, WindowFunction.LINEAR)),
        ("-600.5,1.6e3,linear-exact", Window(-600.5, 1600, WindowFunction.LINEAR_EXACT)),
        (" .5 , 0.25 , sigmoid ", Window(0.5, 0.25, WindowFunction.SIGMOID)),
        ("40,400,LINEAR_EXACT", Window(40, 400, WindowFunction.LINEAR_EXACT)),
    ],
)
def test_windows_that_are_understood(text: str, expected: Window) -> None:
    assert parse_window(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "40,400",
        "40,400,linear,1",
        "40,400,cubic",
        "40,,linear",
        "x,400,linear",
        "nan,400,linear",
        "40,inf,linear",
        "1e999,400,linear",
        "1_0,400,linear",
        "40,0.5,linear",
        "40,0,linear-exact",
        "40,-1,sigmoid",
        "٤٠,400,linear",
    ],
)
def test_windows_that_are_not(text: str) -> None:
    with pytest.raises(InvalidQuery, match="window"):
        parse_window(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("512,256", Viewport(512, 256)),
        ("512,512,,,512,512", Viewport(512, 512, part_width=512, part_height=512)),
        ("100,200,-10,20.5,-30,40", Viewport(100, 200, 10, 20.5, -30, 40)),
        ("100,200,10", Viewport(100, 200, left=10)),
        (f"{MAX_VIEWPORT_SIDE},1", Viewport(MAX_VIEWPORT_SIDE, 1)),
    ],
)
def test_viewports_that_are_understood(text: str, expected: Viewport) -> None:
    assert parse_viewport(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "512",
        "512,",
        ",512",
        "0,512",
        "-512,512",
        "51.2,512",
        "512,512,a",
        "512,512,0,0,0,5",
        "512,512,0,0,5,5,5",
        "512,512,,,inf,5",
        f"{MAX_VIEWPORT_SIDE + 1},512",
        "9" * 5000 + ",512",
    ],
)
def test_viewports_that_are_not(text: str) -> None:
    with pytest.raises(InvalidQuery, match="viewport"):
        parse_viewport(text)


def test_a_thumbnail_takes_a_size_only_and_is_not_enlarged() -> None:
    assert parse_thumbnail_viewport("64,32") == Viewport(64, 32, enlarge=False)
    with pytest.raises(InvalidQuery, match="viewport"):
        parse_thumbnail_viewport("64,32,0,0,8,8")


@pytest.mark.parametrize(("text", "expected"), [("1", 1), ("90", 90), (" 100 ", 100), ("7\x1f", 7)])
def test_qualities_that_are_understood(text: str, expected: int) -> None:
    assert parse_quality(text) == expected


@pytest.mark.parametrize("text", ["", "0", "101", "-1", "9.5", "best", "9" * 5000])
def test_qualities_that_are_not(text: str) -> None:
    with pytest.raises(InvalidQuery, match="quality"):
        parse_quality(text)


@given(st.text() | st.text(alphabet="0123456789,.-e", max_size=30))
def test_any_text_is_understood_or_refused_by_name(text: str) -> None:
    for parse, name in (
        (parse_window, "window"),
        (parse_viewport, "viewport"),
        (parse_thumbnail_viewport, "viewport"),
        (parse_quality, "quality"),
    ):
        try:
            parse(text)
        except InvalidQuery as error:
            assert str(error).startswith(name)
