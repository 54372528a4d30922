"""Drawing bodies into planes: soft-edged ellipses and balls, in millimetres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Plane:
    """A cut through a body.

    values: float32, shape (rows, columns).  x: centre of each column, y: of each row, mm; x grows to the
    right of the picture, y downwards, and (0, 0) is its middle.
    """

    def __init__(self, rows: int, columns: int, width: float, background: float) -> None:
        self.spacing = width / columns
        self.x: Floats = ((np.arange(columns) - (columns - 1) / 2) * self.spacing).astype(np.float32)
        self.y: Floats = ((np.arange(rows) - (rows - 1) / 2) * self.spacing).astype(np.float32)
        self.values: Floats = np.full((rows, columns), background, np.float32)

    def ellipse(
        self,
        centre: tuple[float, float],
        radii: tuple[float, float],
        value: float | Floats,
        degrees: float = 0.0,
        softness: float = 1.5,
    ) -> None:
        """Paint an ellipse over what is there, turned clockwise; its edge is `softness` mm wide."""
        reach = max(radii) if degrees else 0.0
        rows, columns = self._window(
            (centre[0], centre[1]), (max(radii[0], reach) + softness, max(radii[1], reach) + softness)
        )
        u = (self.x[columns] - np.float32(centre[0]))[None, :]
        v = (self.y[rows] - np.float32(centre[1]))[:, None]
        if u.size == 0 or v.size == 0:
            return
        if degrees:
            cosine, sine = np.float32(np.cos(np.radians(degrees))), np.float32(np.sin(np.radians(degrees)))
            u, v = u * cosine + v * sine, v * cosine - u * sine
        inside = (u / np.float32(radii[0])) ** 2 + (v / np.float32(radii[1])) ** 2
        # Near the edge 1 - q*q is 2 (1 - q), and (1 - q) times the radius is the distance to the edge.
        steep = np.float32(min(radii) / (2 * max(softness, self.spacing)))
        inside *= -steep
        inside += steep + np.float32(0.5)
        self._blend(rows, columns, np.clip(inside, 0, 1, out=inside), value)

    def balls(self, centres: Floats, radii: Floats, value: float) -> None:
        """Paint the union of many small discs in one pass: centres (n, 2) as (x, y), radii (n,)."""
        if len(centres) == 0:
            return
        reach = int(np.ceil((radii.max() + self.spacing) / self.spacing))
        step = np.arange(-reach, reach + 1)
        column = np.rint((centres[:, 0] - self.x[0]) / self.spacing).astype(np.intp)[:, None, None] + step
        row = (
            np.rint((centres[:, 1] - self.y[0]) / self.spacing).astype(np.intp)[:, None, None] + step[:, None]
        )
        row, column = np.clip(row, 0, len(self.y) - 1), np.clip(column, 0, len(self.x) - 1)
        distance = np.hypot(
            self.x[column] - centres[:, 0, None, None], self.y[row] - centres[:, 1, None, None]
        )
        cover = np.clip((radii[:, None, None] - distance) / np.float32(self.spacing) + 0.5, 0, 1)
        top, left = int(row.min()), int(column.min())
        union: Floats = np.zeros((int(row.max()) - top + 1, int(column.max()) - left + 1), np.float32)
        np.maximum.at(union, (row - top, column - left), cover)
        height, width = union.shape
        self._blend(slice(top, top + height), slice(left, left + width), union, value)

    def _window(self, centre: tuple[float, float], reach: tuple[float, float]) -> tuple[slice, slice]:
        columns = np.searchsorted(self.x, (centre[0] - reach[0], centre[0] + reach[0]))
        rows = np.searchsorted(self.y, (centre[1] - reach[1], centre[1] + reach[1]))
        return slice(*rows.tolist()), slice(*columns.tolist())

    def _blend(self, rows: slice, columns: slice, cover: Floats, value: float | Floats) -> None:
        patch = self.values[rows, columns]
        here = value[rows, columns] if isinstance(value, np.ndarray) else value
        patch += cover * (here - patch)


def ball_cuts(points: Floats, radii: Floats, z: float) -> tuple[Floats, Floats]:
    """Where the plane at z cuts balls: centres (m, 2) and radii (m,) of those discs; points is (n, 3)."""
    square = radii**2 - (points[:, 2] - np.float32(z)) ** 2
    cut = square > 0
    return points[cut, :2], np.sqrt(square[cut])


def tube(path: list[tuple[float, float, float]], start: float, end: float) -> tuple[Floats, Floats]:
    """Balls along a path of corners, close enough to look like a tube whose radius goes from start to end."""
    corners = np.array(path, np.float32)
    lengths = np.r_[0, np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))]
    count = max(2, int(lengths[-1] / (0.5 * min(start, end))))
    along = np.linspace(0, lengths[-1], count)
    points = np.stack([np.interp(along, lengths, corners[:, axis]) for axis in range(3)], axis=1)
    return points.astype(np.float32), np.linspace(start, end, count, dtype=np.float32)
