"""The anatomy of a head as a T2-weighted MR shows it: water bright, bone and air dark.

Millimetres: x to the patient's left, y to the back, z to the head; the lateral ventricles lie about z = 15.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from testdata.phantom import Floats, Plane, ball_cuts, tube

TOP, BOTTOM = 74.0, -38.0
FIELD_OF_VIEW = 230.0

_FLUID, _GREY, _WHITE, _BONE, _FAT, _MUSCLE = 1450.0, 800.0, 430.0, 60.0, 820.0, 330.0
_DEEP_GREY = 640.0

# What covers the brain, by millimetres from its surface: fluid, inner table, marrow, outer table, fat, skin.
_COVERINGS = (
    (1.2, 1050.0),
    (2.4, _BONE),
    (4.2, _BONE),
    (5.2, 300.0),
    (6.6, 270.0),
    (7.6, _BONE),
    (8.8, _BONE),
    (10.0, _FAT),
    (13.0, _FAT),
    (13.8, 420.0),
    (14.6, 380.0),
    (15.4, 0.0),
)

# Half width and half depth of the brain, by height.
_HEIGHTS = (-60.0, -48.0, -30.0, -10.0, 10.0, 30.0, 50.0, 66.0, 76.0, 82.0)
_WIDTH = (50.0, 54.0, 60.0, 65.0, 67.0, 66.0, 60.0, 45.0, 27.0, 4.0)
_DEPTH = (50.0, 58.0, 72.0, 82.0, 85.0, 83.0, 74.0, 56.0, 34.0, 6.0)

# Left half of the ventricles, the right mirrors it: corners of the path, radius at its start and end.
_VENTRICLES: tuple[tuple[list[tuple[float, float, float]], float, float], ...] = (
    ([(9, -34, 6), (8, -24, 14), (7, -4, 22), (11, 16, 22), (22, 30, 12)], 5.5, 6.5),
    ([(14, -36, 10), (8, -22, 16)], 3.5, 5),
    ([(22, 30, 12), (24, 46, 8), (22, 58, 8)], 6.5, 2.5),
    ([(22, 30, 12), (30, 18, -8), (33, -4, -20)], 5, 2.5),
)


class Head:
    """One patient's head; the folds of the cortex differ from seed to seed."""

    def __init__(self, random: np.random.Generator) -> None:
        self._folds = _field(random, 48, 7.5)
        self._grain = _field(random, 48, 3.0)

    def cut(self, rows: int, columns: int, z: float) -> Plane:
        """The axial plane at height z, without noise; background 0, water about 1500."""
        plane = Plane(rows, columns, FIELD_OF_VIEW, 0)
        width, depth = (float(np.interp(z, _HEIGHTS, row)) for row in (_WIDTH, _DEPTH))
        if z < -12:
            _face(plane, z)
        # Low down the brow recedes and the back of the head stays where it is.
        v = (plane.y[:, None] - np.float32(max(0.0, 84 - depth) if z < 0 else 0)) / depth
        # The head is broader behind the ears than at the brow.
        u = plane.x[None, :] / (width * (1 + 0.09 * v))
        inside = 1 - np.sqrt(u**2 + v**2)
        surface: Floats = (inside * np.float32(0.5 * (width + depth))).astype(np.float32)
        self._brain(plane, surface, z)
        if z < 34:
            self._deep(plane, z)
        if z < -14:
            self._base(plane, z)
        return plane

    def _brain(self, plane: Plane, surface: Floats, z: float) -> None:
        outside, values = zip(*_COVERINGS, strict=True)
        stretch = 1 + max(0.0, z - 40) / 60
        covering = np.interp(-surface, np.array(outside) * stretch, values).astype(np.float32)
        cover = np.clip(outside[-1] * stretch + surface, 0, 1)
        plane.values += cover * (covering - plane.values)
        u, v = plane.x[None, :], plane.y[:, None]
        midline = np.abs(u + 1.2 * np.sin(v / 11 + z / 9)) * 1.2 + np.float32(max(0.0, 8 - z) * 0.6)
        below = np.minimum(surface, midline)
        folds = np.abs(_sample(self._folds, plane, z, 90.0)) + 0.05 * _sample(self._grain, plane, z, 60.0)
        # A fold is a furrow of water where the field is near zero, narrower the deeper it lies.
        furrow = folds - np.clip(0.19 - 0.010 * below, -1, 0.19)
        ribbon = folds - np.clip(1.30 - 0.052 * below, -1, 1.3)
        grey = np.clip(np.maximum(0.5 - ribbon * 3, 3.7 - below), 0, 1)
        tissue = _WHITE + grey * np.float32(_GREY - _WHITE) + 26 * _sample(self._grain, plane, z, 60.0)
        water = np.maximum(np.clip(0.5 - furrow * 10, 0, 1), np.clip(1.1 - below * 0.9, 0, 0.8))
        tissue += water * (_FLUID - tissue)
        plane.values += np.clip(0.5 + surface, 0, 1) * (tissue - plane.values)

    def _deep(self, plane: Plane, z: float) -> None:
        """Basal ganglia, thalami and ventricles."""
        for side in (-1, 1):
            for (x, y, height), radii, value, turn in (
                ((15, 8, 8), (10, 16, 14), _DEEP_GREY, -22),
                ((26, -6, 6), (8, 19, 15), _DEEP_GREY - 50, 14),
                ((14, -24, 12), (6, 11, 16), _DEEP_GREY + 40, -10),
                ((36, -4, 4), (1.6, 20, 16), _GREY, 8),
            ):
                square = 1 - ((z - height) / radii[2]) ** 2
                if square > 0.02:
                    scale = square**0.5
                    centre = (side * x, y)
                    plane.ellipse(centre, (radii[0] * scale, radii[1] * scale), value, side * turn, 3)
        if 4 < z < 24:
            plane.ellipse((0, -16), (13, 3.5), _WHITE - 40)
            plane.ellipse((0, 30), (15, 5), _WHITE - 40)
        points, radii_ = self._ventricles
        plane.balls(*ball_cuts(points, radii_, z), _FLUID + 60)
        if -8 < z < 14:
            plane.ellipse((0, 6), (2.2, 13), _FLUID)
        if 6 < z < 26:
            plane.ellipse((0, -8), (0.9, 12), _WHITE)

    def _base(self, plane: Plane, z: float) -> None:
        """Cerebellum, brain stem and cisterns, coming in from below."""
        come = float(np.clip((-12 - z) / 14, 0, 1)) ** 0.5
        plane.ellipse((0, 4), (20 * come, 15 * come), _FLUID - 200, softness=3)
        if come > 0.2:
            plane.ellipse((0, 44), (47 * come + 1.5, 29 * come + 1.5), 1000, softness=2)
            plane.ellipse((0, 44), (47 * come, 29 * come), _GREY - 130, softness=2)
            self._folia(plane, 47 * come, 29 * come, z)
        plane.ellipse((0, 8), (14, 12), _WHITE + 50, softness=2)
        plane.ellipse((0, 21), (6.5, 3.5), _FLUID)
        plane.ellipse((0, -6), (1.9, 1.9), 40, softness=1)
        if z < -24:
            for side in (-1, 1):
                plane.ellipse((side * 44, 18), (6, 11), 150, side * 40, 4)

    def _folia(self, plane: Plane, width: float, depth: float, z: float) -> None:
        u, v = plane.x[None, :] / width, (plane.y[:, None] - 44) / depth
        ring = np.sqrt(u**2 + v**2)
        wave = np.sin(22 * (v + 0.45 * u**2) + 0.9 * _sample(self._folds, plane, z, 60.0))
        furrow = np.clip((wave - 0.55) * 2, 0, 1) * np.clip((ring - 0.3) * 3, 0, 1) * (ring < 0.98)
        plane.values += (furrow * 0.42 * (_FLUID - plane.values)).astype(np.float32)

    @cached_property
    def _ventricles(self) -> tuple[Floats, Floats]:
        halves = [tube(path, start, end) for path, start, end in _VENTRICLES]
        points = np.concatenate([points for points, _ in halves])
        radii = np.concatenate([radii for _, radii in halves])
        mirrored = points * np.array([-1, 1, 1], np.float32)
        return np.concatenate([points, mirrored]), np.concatenate([radii, radii])


def _face(plane: Plane, z: float) -> None:
    """The brow and the eyes, to be drawn before the brain: it lies behind them."""
    plane.ellipse((0, -56), (60, 50), 420, softness=2)
    plane.ellipse((0, -56), (58, 48), _FAT - 150, softness=3)
    plane.ellipse((0, -64), (15, 36), 90, softness=3)
    plane.ellipse((0, -64), (1.2, 34), 600, softness=1.5)
    for side in (-1, 1):
        plane.ellipse((side * 60, -34), (9, 30), _MUSCLE, side * 14, 3)
        square = 1 - ((z + 30) / 15) ** 2
        if square > 0.05:
            scale = square**0.5
            centre = side * 33
            plane.ellipse((centre, -72), (20 * scale, 22 * scale), _FAT, softness=3)
            plane.ellipse((centre, -84), (12.5 * scale, 12.5 * scale), _FLUID + 50, softness=1.5)
            plane.ellipse((centre, -93.5 * scale - 84 * (1 - scale)), (4.6 * scale, 2 * scale), 260)
            plane.ellipse((centre - side * 3, -66), (1.9, 9), _WHITE + 60, side * 16)


def _field(random: np.random.Generator, size: int, wavelength: float) -> Floats:
    """Smooth random values, mean 0, deviation 1, on a cube that repeats: shape (size, size, size)."""
    spectrum = np.fft.rfftn(random.standard_normal((size,) * 3))
    each = np.fft.fftfreq(size)
    square = each[:, None, None] ** 2 + each[:, None] ** 2 + np.fft.rfftfreq(size) ** 2
    # A band about one wavelength makes folds of even width.
    spectrum *= np.exp(-(((np.sqrt(square) - 1 / wavelength) * wavelength * 2.4) ** 2))
    field = np.fft.irfftn(spectrum, (size,) * 3, axes=(0, 1, 2))
    even: Floats = (field / field.std()).astype(np.float32)
    return even


def _sample(field: Floats, plane: Plane, z: float, period: float) -> Floats:
    """The field, repeating every `period` mm, interpolated at the pixels of the plane at z."""
    size = len(field)
    height = z / period * size
    low = int(np.floor(height))
    share = np.float32(height - low)
    layer = field[low % size] * (1 - share) + field[(low + 1) % size] * share
    column, column_share = _places(plane.x, size / period)
    row, row_share = _places(plane.y, size / period)
    across = layer[:, column % size] * (1 - column_share) + layer[:, (column + 1) % size] * column_share
    blend: Floats = (
        across[row % size] * (1 - row_share)[:, None] + across[(row + 1) % size] * row_share[:, None]
    )
    return blend


def _places(millimetres: Floats, scale: float) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], Floats]:
    places = millimetres * np.float32(scale)
    low = np.floor(places)
    return low.astype(np.intp), places - low
