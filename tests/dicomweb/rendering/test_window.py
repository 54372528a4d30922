import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomweb.rendering.window import (
    Window,
    WindowFunction,
    linear,
    linear_exact,
    shades_of_window,
    sigmoid,
)

NUMBERS = st.floats(-1e9, 1e9)
WIDTHS = st.floats(1, 1e9)
FUNCTIONS = st.sampled_from(WindowFunction)


def at(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


# PS3.3 C.11.2.1.2.1, note 5: the examples for an output from 0 to 255.
def test_linear_with_center_2048_and_width_4096() -> None:
    shades = linear(at(-1, 0, 1, 2047.5, 4095, 4096), 2048, 4096)
    assert shades[0] == shades[1] == 0
    assert shades[2] == pytest.approx((1 - 2047.5) / 4095 + 0.5)
    assert shades[3] == 0.5
    assert shades[4] == shades[5] == 1


def test_linear_with_center_2048_and_width_1() -> None:
    assert linear(at(2047, 2047.5, 2048), 2048, 1).tolist() == [0, 0, 1]


def test_linear_with_center_0_and_width_100() -> None:
    shades = linear(at(-51, -50, 0, 49, 50), 0, 100)
    assert shades[0] == shades[1] == 0
    assert shades[2] == pytest.approx((0 + 0.5) / 99 + 0.5)
    assert shades[3] == shades[4] == 1


def test_linear_with_center_0_and_width_1() -> None:
    assert linear(at(-1, -0.5, -0.4, 0), 0, 1).tolist() == [0, 0, 1, 1]


# PS3.3 C.11.2.1.3.2, note: center 2048 and width 4096 map 0 to 4096.
def test_linear_exact_reaches_its_ends_at_half_the_width() -> None:
    assert linear_exact(at(-1, 0, 1024, 2048, 4096, 5000), 2048, 4096).tolist() == [0, 0, 0.25, 0.5, 1, 1]


def test_linear_exact_takes_widths_below_one() -> None:
    assert linear_exact(at(0.25, 0.5, 0.75), 0.5, 0.5).tolist() == [0, 0.5, 1]


# PS3.3 C.11.2.1.3.1
def test_sigmoid_is_the_formula_of_the_standard() -> None:
    values = at(-300, -40, 0, 40, 81, 500)
    assert sigmoid(values, 40, 120) == pytest.approx(1 / (1 + np.exp(-4 * (values - 40) / 120)))


def test_sigmoid_does_not_overflow() -> None:
    assert sigmoid(at(-1e308, 0, 1e308), 0, 1e-3).tolist() == [0, 0.5, 1]


@given(st.lists(NUMBERS, min_size=2), NUMBERS, WIDTHS, FUNCTIONS)
def test_shades_stay_between_black_and_white_and_in_order(
    values: list[float], center: float, width: float, function: WindowFunction
) -> None:
    shades = shades_of_window(np.array(sorted(values)), Window(center, width, function))
    assert shades.min() >= 0
    assert shades.max() <= 1
    assert (np.diff(shades) >= 0).all()


@given(NUMBERS, WIDTHS, FUNCTIONS)
def test_the_center_is_gray(center: float, width: float, function: WindowFunction) -> None:
    middle = center - 0.5 if function is WindowFunction.LINEAR else center
    if width == 1 and function is WindowFunction.LINEAR:
        return
    assert shades_of_window(np.array([middle]), Window(center, width, function))[0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(0, 1), True),
        (Window(0, 0.9), False),
        (Window(0, 0.1, WindowFunction.LINEAR_EXACT), True),
        (Window(0, 0, WindowFunction.LINEAR_EXACT), False),
        (Window(0, 0.1, WindowFunction.SIGMOID), True),
        (Window(0, -5, WindowFunction.SIGMOID), False),
    ],
)
def test_widths_that_make_sense(window: Window, expected: bool) -> None:
    assert window.makes_sense is expected
