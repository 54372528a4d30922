"""The grayscale pipeline of PS3.4 N.2.1.1: stored values to 8 bits, black to white."""

from math import ceil, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dicomweb.rendering.lookup_table import LookupTable
from dicomweb.rendering.presentation import Presentation
from dicomweb.rendering.value_mapping import map_values
from dicomweb.rendering.window import Window, WindowFunction, shades_of_window

# Where nothing says which values matter, the extremes are left out: dead pixels, metal, noise.
_PERCENTILES = (0.5, 99.5)
_MAX_SAMPLE = 2**16
# Nothing that is measured is larger, and what is not larger can be reckoned with.
_MAX_VALUE = 1e30


def to_gray(pixels: NDArray[Any], presentation: Presentation) -> NDArray[np.uint8]:
    """Shades of 8 bits, (rows, columns), of a frame of stored values; 255 is white."""
    voi = presentation.voi or window_of_pixels(pixels, presentation)

    def quantise(values: NDArray[Any]) -> NDArray[np.uint8]:
        shades = np.nan_to_num(shades_of(modality_values(values, presentation), voi))
        if presentation.lut is not None:
            shades = _through(presentation.lut, shades)
        if presentation.inverted:
            shades = 1.0 - shades
        return np.rint(shades * 255).astype(np.uint8)

    return map_values(pixels, quantise)


def modality_values(values: ArrayLike, presentation: Presentation) -> NDArray[Any]:
    """Modality values, such as HU, of stored values of any shape (PS3.3 C.11.1)."""
    modality = presentation.modality
    if isinstance(modality, LookupTable):
        return modality.look_up(np.asarray(values))
    with np.errstate(over="ignore", invalid="ignore"):
        rescaled = np.asarray(values, np.float64) * modality.slope + modality.intercept
    return np.clip(rescaled, -_MAX_VALUE, _MAX_VALUE, out=rescaled)


def shades_of(values: NDArray[Any], voi: Window | LookupTable) -> NDArray[np.float64]:
    """Shades from 0 to 1 of modality values of any shape (PS3.3 C.11.2)."""
    if isinstance(voi, LookupTable):
        return voi.look_up(values) / voi.highest
    return shades_of_window(values, voi)


def _through(lut: LookupTable, shades: NDArray[np.float64]) -> NDArray[np.float64]:
    """A Presentation LUT: its input is as long as the table, whatever the shades were made of."""
    return lut.look_up(lut.first + shades * (len(lut.entries) - 1)) / lut.highest


def window_of_pixels(pixels: NDArray[Any], presentation: Presentation) -> Window:
    """A window that shows the pixels of a frame when the header names none."""
    values = modality_values(_telling_values(pixels, presentation), presentation)
    values = values[np.isfinite(values)]
    if not len(values):
        return Window(0.0, 1.0, WindowFunction.LINEAR_EXACT)
    low, high = (float(value) for value in np.percentile(values, _PERCENTILES))
    if presentation.whole_range or low == high:
        low, high = float(values.min()), float(values.max())
    return Window((low + high) / 2, (high - low) or 1.0, WindowFunction.LINEAR_EXACT)


def _telling_values(pixels: NDArray[Any], presentation: Presentation) -> NDArray[Any]:
    """Stored values to judge by: the ends of a small range, or else pixels from all over the frame."""
    if presentation.whole_range:
        return np.array(presentation.whole_range)
    step = max(ceil(sqrt(pixels.size / _MAX_SAMPLE)), 1)
    sample = pixels[::step, ::step].ravel()
    if presentation.padding is None:
        return sample
    lowest, highest = presentation.padding
    return sample[(sample < lowest) | (sample > highest)]
