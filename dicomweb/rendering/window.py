"""The windows of the VOI LUT module: from modality values to shades between black and white."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class WindowFunction(StrEnum):
    """The defined terms of VOILUTFunction (0028,1056)."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True, slots=True)
class Window:
    """The values to be told apart, in the units that the modality transformation gives (HU in CT)."""

    center: float
    width: float
    function: WindowFunction = WindowFunction.LINEAR

    @property
    def makes_sense(self) -> bool:
        """Whether the width is one that the function allows, PS3.3 C.11.2.1.2 and C.11.2.1.3."""
        return self.width >= 1 if self.function is WindowFunction.LINEAR else self.width > 0


def linear(values: NDArray[Any], center: float, width: float) -> NDArray[np.float64]:
    """Shades from 0 to 1, PS3.3 C.11.2.1.2.1; a window of width 1 is a threshold."""
    middle, span = center - 0.5, width - 1
    if span == 0:
        return np.asarray(values > middle, np.float64)
    return _ramp(values, middle, span)


def linear_exact(values: NDArray[Any], center: float, width: float) -> NDArray[np.float64]:
    """Shades from 0 to 1, PS3.3 C.11.2.1.3.2."""
    return _ramp(values, center, width)


def sigmoid(values: NDArray[Any], center: float, width: float) -> NDArray[np.float64]:
    """Shades between 0 and 1, PS3.3 C.11.2.1.3.1: 1 / (1 + exp(-4 (x - c) / w)).

    Written with the hyperbolic tangent, which is the same and cannot overflow.
    """
    with np.errstate(over="ignore"):
        slopes = (np.asarray(values, np.float64) - center) / width
        return 0.5 + 0.5 * np.tanh(2 * slopes)


def shades_of_window(values: NDArray[Any], window: Window) -> NDArray[np.float64]:
    """Shades from 0 (black) to 1 (white) of modality values, of the same shape."""
    return _FORMULAS[window.function](values, window.center, window.width)


def _ramp(values: NDArray[Any], middle: float, span: float) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        shades = (np.asarray(values, np.float64) - middle) / span + 0.5
    return np.clip(shades, 0.0, 1.0, out=shades)


_FORMULAS: dict[WindowFunction, Callable[[NDArray[Any], float, float], NDArray[np.float64]]] = {
    WindowFunction.LINEAR: linear,
    WindowFunction.LINEAR_EXACT: linear_exact,
    WindowFunction.SIGMOID: sigmoid,
}
