"""The nodule in the chest CT: where it lies and what one measures of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from testdata.thorax import NODULE, NODULE_RADIUS


@dataclass(frozen=True)
class Nodule:
    """Measured in the pixels.

    mask: bool, shape (slices, rows, columns).  long_axis: mm, in the slice where it is largest.  volume: mm3.
    mean: Hounsfield units.
    """

    mask: NDArray[np.bool_]
    long_axis: float
    volume: float
    mean: float

    @property
    def slices(self) -> list[int]:
        """Indices of the slices that show it, those first that show most of it."""
        areas = self.mask.sum(axis=(1, 2))
        return [int(index) for index in np.argsort(-areas, kind="stable") if areas[index]]


def find_nodule(series: list[Dataset]) -> Nodule:
    """Measure the nodule of a series from `ct_series`. Raises ValueError where the pixels are too coarse."""
    hounsfield = np.stack([hounsfield_units(dataset) for dataset in series])
    spacing, between = float(series[0].PixelSpacing[0]), float(series[0].SpacingBetweenSlices)
    near = np.stack([_near(dataset) for dataset in series])
    mask = near & (hounsfield > -200)
    if not mask.any():
        raise ValueError("the pixels are too coarse to show the nodule")
    largest = mask[int(np.argmax(mask.sum(axis=(1, 2))))]
    places = np.argwhere(largest) * spacing
    apart = np.linalg.norm(places[:, None] - places[None], axis=2).max()
    return Nodule(
        mask=mask,
        long_axis=float(apart) + spacing,
        volume=float(mask.sum()) * spacing**2 * between,
        mean=float(hounsfield[mask].mean()),
    )


def hounsfield_units(dataset: Dataset) -> NDArray[np.float64]:
    """The pixels of one slice, shape (rows, columns)."""
    stored = np.frombuffer(dataset.PixelData, "<u2").reshape(dataset.Rows, dataset.Columns)
    units: NDArray[Any] = stored * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    return units


def pixel_of(dataset: Dataset, x: float, y: float) -> tuple[float, float]:
    """Column and row, as SCOORD counts (PS3.3 C.18.6), of a place in the patient, mm, on an axial slice."""
    left, top = float(dataset.ImagePositionPatient[0]), float(dataset.ImagePositionPatient[1])
    spacing = float(dataset.PixelSpacing[0])
    return (x - left) / spacing + 0.5, (y - top) / spacing + 0.5


def _near(dataset: Dataset) -> NDArray[np.bool_]:
    """The pixels in a ball around the nodule, wide enough for its edge, narrow enough to miss vessels."""
    left, top, height = (float(place) for place in dataset.ImagePositionPatient)
    spacing = float(dataset.PixelSpacing[0])
    x = left + spacing * np.arange(dataset.Columns) - NODULE[0]
    y = (top + spacing * np.arange(dataset.Rows) - NODULE[1])[:, None]
    inside: NDArray[np.bool_] = x**2 + y**2 + (height - NODULE[2]) ** 2 < (NODULE_RADIUS * 1.25) ** 2
    return inside
