"""The query parameters of rendered resources, PS3.18 8.3.5.1, from text to values."""

import re
from math import isfinite

from dicomweb.rendering.annotation import Term
from dicomweb.rendering.viewport import Viewport
from dicomweb.rendering.window import Window, WindowFunction
from pacs.errors import InvalidQuery

# A wall of displays is not wider; a larger picture would only cost memory.
MAX_VIEWPORT_SIDE = 8192

_ANNOTATIONS: tuple[Term, ...] = ("patient", "technique")

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)

# PS3.18 8.3.5.1.4. The terms of VOILUTFunction are understood too, for some clients send those.
_FUNCTIONS = {
    "linear": WindowFunction.LINEAR,
    "linear-exact": WindowFunction.LINEAR_EXACT,
    "linear_exact": WindowFunction.LINEAR_EXACT,
    "sigmoid": WindowFunction.SIGMOID,
}


def parse_window(text: str) -> Window:
    """Read `center,width,function`.

    Raises InvalidQuery when one of the three is missing or wrong.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3:
        raise InvalidQuery("window: center, width and function are needed, such as 40,400,linear.")
    function = _FUNCTIONS.get(parts[2].lower())
    if function is None:
        raise InvalidQuery("window: the function must be linear, linear-exact or sigmoid.")
    window = Window(_decimal("window", parts[0]), _decimal("window", parts[1]), function)
    if not window.makes_sense:
        least = "at least 1" if function is WindowFunction.LINEAR else "more than 0"
        raise InvalidQuery(f"window: the width must be {least}.")
    return window


def parse_viewport(text: str) -> Viewport:
    """Read `vw,vh` or `vw,vh,sx,sy,sw,sh`, where of the last four any may be left out.

    Raises InvalidQuery when a value is missing, wrong or too large.
    """
    size, part = _split_viewport(text)
    if len(part) > 4:
        raise InvalidQuery("viewport: at most six values are understood.")
    found = [_decimal("viewport", value) if value else None for value in part]
    left, top, width, height = found + [None] * (4 - len(found))
    if width == 0 or height == 0:
        raise InvalidQuery("viewport: the part of the image must have a width and a height.")
    return Viewport(*size, left=abs(left or 0.0), top=abs(top or 0.0), part_width=width, part_height=height)


def parse_thumbnail_viewport(text: str) -> Viewport:
    """Read `vw,vh`, all that a thumbnail takes; small images are not enlarged for it.

    Raises InvalidQuery when a value is missing, wrong or too large, or when there are more.
    """
    size, part = _split_viewport(text)
    if part:
        raise InvalidQuery("viewport: a thumbnail takes a width and a height only.")
    return Viewport(*size, enlarge=False)


def parse_annotation(text: str) -> tuple[Term, ...]:
    """Read a list of `patient` and `technique`.

    Raises InvalidQuery when it has anything else.
    """
    asked = {term.strip().lower() for term in text.split(",")} - {""}
    if not asked <= set(_ANNOTATIONS):
        raise InvalidQuery(f"annotation: expected {' or '.join(_ANNOTATIONS)}, or both.")
    return tuple(term for term in _ANNOTATIONS if term in asked)


def parse_quality(text: str) -> int:
    """Read a whole number from 1 to 100.

    Raises InvalidQuery when it is none.
    """
    number = text.strip()
    if not _WHOLE.fullmatch(number) or not 1 <= int(number) <= 100:
        raise InvalidQuery("quality: a whole number from 1 to 100 is needed.")
    return int(number)


def _split_viewport(text: str) -> tuple[tuple[int, int], list[str]]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) < 2:
        raise InvalidQuery("viewport: a width and a height are needed, such as 512,512.")
    return (_side(parts[0]), _side(parts[1])), parts[2:]


def _side(text: str) -> int:
    if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= MAX_VIEWPORT_SIDE:
        raise InvalidQuery(f"viewport: width and height must be whole numbers from 1 to {MAX_VIEWPORT_SIDE}.")
    return int(text)


def _decimal(parameter: str, text: str) -> float:
    value = float(text) if _DECIMAL.fullmatch(text) else float("nan")
    if not isfinite(value):
        raise InvalidQuery(f"{parameter}: a decimal number is needed in each place.")
    return value
