"""The anatomy of a chest in Hounsfield units, from which the CT and the chest radiograph are made.

Millimetres: x to the patient's left, y to the back, z to the head; the carina lies at z = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from testdata.phantom import Floats, Plane, ball_cuts, tube

TOP, BOTTOM = 140.0, -165.0
FIELD_OF_VIEW = 380.0

# Half width and half depth of the skin and of the rib cage, by height.
_HEIGHTS = (-200.0, -120.0, -60.0, 0.0, 50.0, 90.0, 120.0, 145.0, 180.0)
_SKIN_WIDTH = (160.0, 164.0, 168.0, 172.0, 178.0, 182.0, 178.0, 164.0, 90.0)
_SKIN_DEPTH = (114.0, 118.0, 120.0, 119.0, 113.0, 104.0, 94.0, 84.0, 66.0)
_CAGE_WIDTH = (136.0, 138.0, 137.0, 132.0, 120.0, 98.0, 70.0, 34.0, 30.0)
_CAGE_DEPTH = (92.0, 96.0, 95.0, 90.0, 80.0, 66.0, 50.0, 28.0, 26.0)

NODULE = (-86.0, -22.0, 34.0)
NODULE_RADIUS = 8.0
DESCENDING_AORTA = (31.0, 44.0)
DESCENDING_AORTA_RADIUS = 12.5

# Organs painted in this order: centre, half axes, Hounsfield units, turn in degrees.
_Solid = tuple[tuple[float, float, float], tuple[float, float, float], float, float]
_ABDOMEN: tuple[_Solid, ...] = (
    ((-62, 4, -186), (82, 98, 112), -60, 0),
    ((-62, 4, -188), (80, 96, 110), 108, 0),
    ((66, 4, -196), (80, 96, 104), -75, 0),
    ((52, -22, -178), (44, 46, 62), 42, 20),
    ((54, -44, -172), (30, 18, 44), -960, 12),
    ((96, 44, -182), (24, 38, 62), 122, -32),
)
_HEART: tuple[_Solid, ...] = (
    ((12, -34, -74), (68, 58, 66), -92, 24),
    ((14, -34, -74), (64, 54, 62), 72, 24),
    ((40, -28, -80), (46, 36, 54), 118, 28),
    ((42, -26, -78), (31, 22, 42), 215, 28),
    ((0, -58, -78), (38, 21, 46), 172, 18),
    ((-34, -32, -72), (21, 26, 38), 180, 0),
    ((6, 8, -58), (36, 17, 24), 205, 0),
)

# Vessels and airways: corners of the path, radius at its start and end, Hounsfield units.
_Tube = tuple[list[tuple[float, float, float]], float, float, float]
_VESSELS: tuple[_Tube, ...] = (
    ([(-30, -20, -40), (-27, -18, 30), (-24, -16, 72)], 10, 9, 240),
    ([(-24, -16, 72), (-30, -26, 112), (-34, -22, 150)], 8, 6, 235),
    ([(-24, -16, 72), (8, -32, 86), (26, -26, 118), (30, -20, 150)], 7, 6, 235),
    ([(4, -50, -44), (12, -44, -16), (18, -30, -2)], 14, 13, 205),
    ([(18, -30, -2), (-16, -6, -8), (-58, 4, -20)], 11, 7, 205),
    ([(18, -30, -2), (40, -8, 2), (62, 14, -14)], 12, 7, 205),
    ([(2, -26, -52), (-8, -34, -20), (-10, -34, 24), (2, -16, 50), (18, 16, 54)], 15, 12, 255),
    ([(18, 16, 54), (30, 42, 38), (31, 44, 28), (28, 46, -40), (18, 42, -210)], 12.5, 11, 250),
    ([(-6, -24, 48), (-14, -10, 92), (-22, -8, 150)], 6.5, 5, 245),
    ([(2, -14, 50), (10, -10, 100), (14, -8, 150)], 5, 4, 245),
    ([(14, 8, 52), (22, 14, 104), (28, 12, 150)], 5.5, 5, 245),
    ([(-6, 10, -52), (-40, 14, -50), (-66, 22, -46)], 7, 4, 200),
    ([(20, 10, -52), (50, 20, -52), (68, 26, -48)], 7, 4, 200),
    ([(-28, -22, -70), (-22, 4, -104), (-20, 16, -210)], 11, 11, 170),
    ([(-22, 6, -112), (-54, -2, -128), (-100, 20, -150)], 6, 2.5, 152),
    ([(-22, 4, -112), (-46, -40, -130), (-70, -66, -150)], 5, 2, 152),
    ([(-20, 10, -150), (-62, 4, -164), (-104, -26, -172)], 6, 3, 158),
    ([(-4, 28, 150), (4, 28, 10), (6, 30, -100), (18, 18, -150)], 7, 8, 38),
)
_AIRWAYS: tuple[_Tube, ...] = (
    ([(0, 4, 150), (0, 8, 4)], 9, 9, -1000),
    ([(0, 8, 4), (-24, 12, -18), (-48, 10, -34), (-60, 16, -74)], 8, 3.5, -1000),
    ([(0, 8, 4), (30, 14, -22), (52, 16, -34), (62, 22, -76)], 7, 3.5, -1000),
    ([(-24, 12, -14), (-52, 0, 6), (-66, -4, 40)], 5, 2, -1000),
    ([(40, 14, -28), (58, -4, -2), (66, -8, 40)], 4.5, 2, -1000),
)


@dataclass(frozen=True)
class Balls:
    """Many balls of one tissue: points (n, 3), radii (n,), Hounsfield units."""

    points: Floats
    radii: Floats
    value: float

    def cut(self, plane: Plane, z: float, grow: float = 0.0, value: float | None = None) -> None:
        """Paint their discs in the plane at z; thicker by `grow` mm, and in another value, for a wall."""
        radii = self.radii + np.float32(grow)
        plane.balls(*ball_cuts(self.points, radii, z), self.value if value is None else value)


class Thorax:
    """One patient's chest; the branches of the lung vessels and the girth differ from seed to seed."""

    def __init__(self, random: np.random.Generator) -> None:
        self.girth = float(random.uniform(0.96, 1.03))
        self._lung_vessels = Balls(*_lung_vessels(random), 30)
        self._vessels = [Balls(*tube(path, start, end), value) for path, start, end, value in _VESSELS]
        self._airways = [Balls(*tube(path, start, end), value) for path, start, end, value in _AIRWAYS]

    def cut(self, rows: int, columns: int, z: float) -> Plane:
        """The axial plane at height z, without noise."""
        plane = Plane(rows, columns, FIELD_OF_VIEW, -1000)
        _table(plane)
        self._wall(plane, z)
        self._lungs(plane, z)
        self._mediastinum(plane, z)
        _spine(plane, z)
        for bone in self.bones:
            bone.cut(plane, z)
        return plane

    @cached_property
    def bones(self) -> tuple[Balls, ...]:
        """Ribs, their marrow and cartilage, clavicles and breastbone."""
        ribs = [_rib(number, side) for number in range(11) for side in (-1, 1)]
        points = np.concatenate([points for points, _ in ribs])
        cartilage = np.concatenate([end for _, end in ribs])
        clavicles = [
            tube([(side * 16, -76, 96), (side * 70, -62, 112), (side * 140, -8, 130)], 7, 6)
            for side in (-1, 1)
        ]
        breastbone = [tube([(x, -86 - 4 * abs(x) / 12, 84), (x, -98, -50)], 5, 5) for x in range(-12, 13, 3)]
        return (
            Balls(cartilage, np.full(len(cartilage), 5.5, np.float32), 110),
            Balls(points, np.full(len(points), 5.6, np.float32), 560),
            Balls(points, np.full(len(points), 3.4, np.float32), 230),
            Balls(*_joined(clavicles), 480),
            Balls(*_joined(breastbone), 260),
        )

    def _wall(self, plane: Plane, z: float) -> None:
        width, depth = (float(np.interp(z, _HEIGHTS, row)) * self.girth for row in (_SKIN_WIDTH, _SKIN_DEPTH))
        plane.ellipse((0, 2), (width, depth), 15)
        plane.ellipse((0, 2), (width - 2.2, depth - 2.2), -104)
        cage_width, cage_depth = _cage(z)
        plane.ellipse(
            (0, 0), (min(cage_width + 17, width - 7), min(cage_depth + 11, depth - 7)), 52, softness=4
        )
        for side in (-1, 1):
            plane.ellipse((side * 30, cage_depth + 4), (26, 17), 56, side * -14, 3)
            if z > -60:
                plane.ellipse((side * 62, -cage_depth - 1), (46, 9), 54, side * 20, 3)
            if z > -40:
                _shoulder_blade(plane, (side * (0.55 * cage_width + 44), 0.56 * depth), z)

    def _lungs(self, plane: Plane, z: float) -> None:
        width, depth = _cage(z)
        plane.ellipse((0, 0), (width - 1, depth - 1), -95, softness=2)
        # The lung is denser where it hangs, at the back.
        air = np.broadcast_to((-872 + 0.35 * plane.y)[:, None], plane.values.shape)
        for side, half in ((-1, 0.515), (1, 0.51)):
            plane.ellipse((side * width * 0.48, 1), (width * half, depth - 2.5), air, softness=2)
        plane.ellipse((0, 0.62 * depth), (26, 0.3 * depth), 35, softness=3)
        self._lung_vessels.cut(plane, z)
        plane.ellipse((2, -0.4 * depth), (27, 0.56 * depth), -92, softness=4)
        plane.ellipse((4, 0.3 * depth), (24, 0.36 * depth), -85, softness=4)
        _nodule(plane, z)
        for solid in _ABDOMEN:
            _cut_solid(plane, solid, z)

    def _mediastinum(self, plane: Plane, z: float) -> None:
        for solid in _HEART:
            _cut_solid(plane, solid, z)
        for vessel in self._vessels:
            vessel.cut(plane, z)
        for airway in self._airways:
            airway.cut(plane, z, grow=1.6, value=35)
            airway.cut(plane, z)


def _cage(z: float) -> tuple[float, float]:
    return float(np.interp(z, _HEIGHTS, _CAGE_WIDTH)), float(np.interp(z, _HEIGHTS, _CAGE_DEPTH))


def _cut_solid(plane: Plane, solid: _Solid, z: float) -> None:
    (x, y, height), (width, depth, half_height), value, degrees = solid
    square = 1 - ((z - height) / half_height) ** 2
    if square > 0.01:
        scale = square**0.5
        plane.ellipse((x, y), (width * scale, depth * scale), value, degrees, softness=2.5)


def _nodule(plane: Plane, z: float) -> None:
    x, y, height = NODULE
    square = NODULE_RADIUS**2 - (z - height) ** 2
    if square > 0:
        radius = square**0.5
        for turn in range(0, 180, 36):
            plane.ellipse((x, y), (radius * 1.7, 0.9), -420, turn + 10, 1)
        plane.ellipse((x, y), (radius * 1.06, radius * 0.94), 38, 20, 1.2)


def _spine(plane: Plane, z: float) -> None:
    back = min(_cage(z)[1], 90.0)
    body, canal = (0.0, back - 28), (0.0, back - 4)
    level = (z % 25) / 25
    is_disc = level < 0.18
    plane.ellipse(body, (20, 16), 92 if is_disc else 520, softness=1.2)
    if not is_disc:
        plane.ellipse(body, (17.8, 13.8), 205, softness=1.2)
    plane.ellipse((0, back - 2), (16, 14), 430, softness=2)
    if 0.3 < level < 0.8:
        for side in (-1, 1):
            plane.ellipse((side * 24, back + 2), (15, 4.5), 380, side * 16)
    plane.ellipse(canal, (10, 9), 12, softness=1.2)
    plane.ellipse(canal, (5, 4.2), 42, softness=1.2)
    plane.ellipse((0, back + 19), (3.4, 11), 360 if level > 0.35 else 60)


def _shoulder_blade(plane: Plane, centre: tuple[float, float], z: float) -> None:
    turn = -36 if centre[0] > 0 else 36
    half = min(36.0, 4 + (z + 40) * 0.4)
    thick = min(1.0, (z + 40) / 40) ** 0.5
    plane.ellipse(centre, (46 * thick, 15 * thick), 54, turn, 4)
    plane.ellipse(centre, (half, 3.4), 520, turn, 1.2)
    plane.ellipse(centre, (half - 1.8, 1.6), 240, turn, 1)


def _table(plane: Plane) -> None:
    plane.ellipse((0, 37), (250, 95), -820)
    plane.ellipse((0, 34), (248, 94.5), -1000)


def _rib(number: int, side: int) -> tuple[Floats, Floats]:
    """Bone and cartilage of one rib, as points (n, 3): from the spine around the cage, falling forwards."""
    start, drop = 132 - 25.0 * number, 40 + 6.0 * min(number, 6)
    turn = np.linspace(0.22, 2.5 if number < 7 else 2.1, 170)
    z = start + 6 * np.sin(3 * turn) - drop * (turn / np.pi) ** 1.2 * 1.5
    width = np.interp(z, _HEIGHTS, _CAGE_WIDTH) + 5
    depth = np.interp(z, _HEIGHTS, _CAGE_DEPTH) + 4
    points = np.stack([side * width * np.sin(turn), depth * np.cos(turn), z], axis=1).astype(np.float32)
    tip = points[-1]
    towards = np.array([side * 14, -93, tip[2] + 24], np.float32)
    share = np.linspace(0, 1, 30 if number < 7 else 8, dtype=np.float32)[:, None] * (1 if number < 7 else 0.2)
    return points, tip + share * (towards - tip)


def _lung_vessels(random: np.random.Generator) -> tuple[Floats, Floats]:
    """Points (n, 3) and radii (n,) of trees that fork from both hila into the lungs."""
    heads = np.repeat(np.array([(-46, 6, -20), (48, 10, -22)], np.float32), 34, axis=0)
    ways = random.normal(size=(len(heads), 3)).astype(np.float32) * np.array([1, 1, 1.5], np.float32)
    ways[:, 0] = np.abs(ways[:, 0]) * np.sign(heads[:, 0])
    radius = np.float32(3.2)
    points, radii = [], []
    for _generation in range(6):
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        for _step in range(14):
            heads = heads + ways * np.float32(1.5)
            points.append(heads)
            radii.append(np.full(len(heads), radius, np.float32))
        heads = np.repeat(heads, 2, axis=0)
        ways = np.repeat(ways, 2, axis=0) + random.normal(scale=0.5, size=(len(heads), 3)).astype(np.float32)
        radius *= np.float32(0.76)
    return _inside_lungs(np.concatenate(points), np.concatenate(radii))


def _inside_lungs(points: Floats, radii: Floats) -> tuple[Floats, Floats]:
    width = np.interp(points[:, 2], _HEIGHTS, _CAGE_WIDTH) - 7
    depth = np.interp(points[:, 2], _HEIGHTS, _CAGE_DEPTH) - 7
    inside = (points[:, 0] / width) ** 2 + (points[:, 1] / depth) ** 2 < 1
    keep = inside & (np.abs(points[:, 0]) > 22)
    return points[keep], radii[keep]


def _joined(parts: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    return np.concatenate([points for points, _ in parts]), np.concatenate([radii for _, radii in parts])
