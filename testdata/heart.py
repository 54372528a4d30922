"""The picture of an echocardiograph: four beating chambers from the apex, with colour Doppler and an ECG.

Millimetres from the transducer: x to the right of the picture, y into the body. A beat goes from 0 to 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from testdata.phantom import Floats

DEPTH = 165.0
_HALF_ANGLE = np.radians(40)
_LINES, _SAMPLES = 240, 440

# Centre, half axes, turn in degrees, how far it shrinks as the ventricles contract (atria swell), decibels.
_Chamber = tuple[tuple[float, float], tuple[float, float], float, float, float]
_WALLS: tuple[_Chamber, ...] = (
    ((2, 84), (74, 84), 0, 0.0, -27),
    ((0, 84), (66, 76), 0, 0.03, -4),
    ((0, 84), (62, 72), 0, 0.03, -19),
    ((19, 64), (33, 53), -7, 0.08, -13),
    ((-32, 72), (21, 39), 9, 0.06, -16),
)
_CAVITIES: tuple[_Chamber, ...] = (
    ((19, 66), (21, 39), -7, 0.26, -52),
    ((-33, 72), (16, 33), 9, 0.22, -50),
    ((21, 126), (22, 21), 0, -0.16, -52),
    ((-32, 126), (21, 20), 0, -0.14, -51),
    ((20, 105), (15, 8), 0, 0.0, -50),
    ((-32, 103), (13, 8), 0, 0.0, -50),
)
_RED = np.array([[40, 0, 0], [190, 20, 0], [255, 120, 0], [255, 230, 90]], np.float32)
_BLUE = np.array([[0, 0, 40], [0, 30, 190], [0, 140, 255], [140, 240, 255]], np.float32)


@dataclass(frozen=True)
class Sector:
    """Where the sector lies in the picture, in pixels: its apex, and pixels for each millimetre."""

    rows: int
    columns: int

    @property
    def scale(self) -> float:
        """Pixels for each millimetre."""
        return self.rows * 0.88 / DEPTH

    @property
    def apex(self) -> tuple[float, float]:
        """Column and row of the transducer's face."""
        return self.columns / 2, self.rows * 0.03


class Echo:
    """A seeded echocardiogram of one size."""

    def __init__(self, random: np.random.Generator, rows: int, columns: int) -> None:
        self.sector = Sector(rows, columns)
        angle = np.linspace(-_HALF_ANGLE, _HALF_ANGLE, _LINES, dtype=np.float32)
        depth = np.linspace(0, DEPTH, _SAMPLES, dtype=np.float32)
        self._x: Floats = depth[:, None] * np.sin(angle)
        self._y: Floats = depth[:, None] * np.cos(angle)
        self._speckle = [_speckle(random) for _ in range(2)]
        # Bright skin, sound lost on the way, and walls along the beam that hardly answer.
        loss = np.exp(-depth / 6) * 26 - np.maximum(depth - 70, 0) * 0.06
        patches = np.repeat(np.repeat(random.standard_normal((11, 8), dtype=np.float32), 40, 0), 30, 1)
        self._gain: Floats = (loss[:, None] - 5 * np.abs(angle) + 2.2 * _smooth(patches, 41)).astype(
            np.float32
        )
        self._columns, self._rows, self._inside = self._places()

    def frame(self, beat: float) -> NDArray[np.uint8]:
        """One picture, shape (rows, columns, 3), at a moment of the beat."""
        contraction = _bell(beat, 0.30, 0.13)
        opening = _bell(beat, 0.56, 0.09) + 0.7 * _bell(beat, 0.87, 0.06)
        echo = self._echo(contraction, opening)
        turn = 2 * math.pi * beat
        speckle = self._speckle[0] * math.cos(turn) + self._speckle[1] * math.sin(turn)
        decibels = echo + 20 * np.log10(np.abs(speckle) + np.float32(1e-3)) + self._gain
        grey = np.clip((decibels + 46) / 48, 0, 1) * 255
        picture = np.repeat(grey[..., None], 3, axis=2)
        self._paint_flow(picture, contraction, opening)
        return self._annotated(self._converted(picture), beat)

    def _echo(self, contraction: float, opening: float) -> Floats:
        echo: Floats = np.full(self._x.shape, -30, np.float32)
        for chamber in (*_WALLS, *_CAVITIES):
            _lay(echo, self._inside_of(chamber, contraction), chamber[4])
        for hinge, length, lean in (
            ((1, 104), 19, 1),
            ((39, 104), 15, -1),
            ((-16, 101), 14, -1),
            ((-49, 101), 13, 1),
        ):
            # Leaflets lie across when shut and hang into the ventricle when open.
            fall = math.radians(14 + 62 * opening)
            tip = (hinge[0] + lean * length * math.cos(fall), hinge[1] - length * math.sin(fall))
            _lay(echo, np.clip(1.9 - self._distance(hinge, tip), 0, 1), -6)
        return echo

    def _inside_of(self, chamber: _Chamber, contraction: float) -> Floats:
        (x, y), (width, depth), degrees, shrink, _ = chamber
        factor = 1 - shrink * contraction
        cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        u, v = self._x - x, self._y - y - 4 * shrink * contraction
        across = (u * cosine + v * sine) / (width * factor)
        along = (v * cosine - u * sine) / (depth * (1 - shrink * 0.5 * contraction))
        inside: Floats = np.clip(0.5 + (1 - across**2 - along**2) * min(width, depth) / 5, 0, 1)
        return inside

    def _distance(self, start: tuple[float, float], end: tuple[float, float]) -> Floats:
        way = (end[0] - start[0], end[1] - start[1])
        share = ((self._x - start[0]) * way[0] + (self._y - start[1]) * way[1]) / (way[0] ** 2 + way[1] ** 2)
        share = np.clip(share, 0, 1)
        return np.hypot(self._x - start[0] - share * way[0], self._y - start[1] - share * way[1])

    def _paint_flow(self, picture: Floats, contraction: float, opening: float) -> None:
        """Inflow through the mitral valve towards the transducer in red, outflow along the septum in blue."""
        cavity = np.maximum(
            self._inside_of(_CAVITIES[0], contraction), self._inside_of(_CAVITIES[2], contraction)
        )
        cavity = np.maximum(cavity, np.clip(2 - np.hypot((self._x - 20) / 9, (self._y - 104) / 9), 0, 1))
        inflow = opening * np.exp(-(((self._x - 21) / 10) ** 2) - ((self._y - 92) / 30) ** 2)
        outflow = contraction * np.exp(-(((self._x - 10) / 9) ** 2) - ((self._y - 86) / 26) ** 2)
        grain = np.abs(self._speckle[1])
        for speed, colours in ((inflow, _RED), (outflow, _BLUE)):
            shown = (speed * (0.8 + 0.25 * grain) > 0.22) & (cavity > 0.5)
            level = np.clip(speed[shown] * (0.75 + 0.3 * grain[shown]), 0, 0.999) * (len(colours) - 1)
            low = level.astype(np.intp)
            share = (level - low)[:, None]
            picture[shown] = colours[low] * (1 - share) + colours[low + 1] * share

    def _places(self) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """For each pixel inside the sector: line and sample, as fractions; and which pixels those are."""
        sector = self.sector
        x = (np.arange(sector.columns) - sector.apex[0]) / sector.scale
        y = ((np.arange(sector.rows) - sector.apex[1]) / sector.scale)[:, None]
        angle, depth = np.arctan2(x, y), np.hypot(x, y)
        inside = (np.abs(angle) < _HALF_ANGLE) & (depth < DEPTH) & (y > 0)
        lines = (angle[inside] / _HALF_ANGLE + 1) / 2 * (_LINES - 1)
        samples = depth[inside] / DEPTH * (_SAMPLES - 1)
        return lines.astype(np.float32), samples.astype(np.float32), inside

    def _converted(self, polar: Floats) -> NDArray[np.uint8]:
        """From lines and samples to rows and columns."""
        line, sample = self._columns.astype(np.intp), self._rows.astype(np.intp)
        across, down = (self._columns - line)[:, None], (self._rows - sample)[:, None]
        next_line, next_sample = np.minimum(line + 1, _LINES - 1), np.minimum(sample + 1, _SAMPLES - 1)
        upper = polar[sample, line] * (1 - across) + polar[sample, next_line] * across
        lower = polar[next_sample, line] * (1 - across) + polar[next_sample, next_line] * across
        picture = np.zeros((self.sector.rows, self.sector.columns, 3), np.uint8)
        picture[self._inside] = upper * (1 - down) + lower * down
        return picture

    def _annotated(self, picture: NDArray[np.uint8], beat: float) -> NDArray[np.uint8]:
        """Depth marks, grey bar, colour bar, text and the ECG with the moment of this frame."""
        rows, columns = picture.shape[:2]
        image = Image.fromarray(picture)
        draw = ImageDraw.Draw(image)
        sector = self.sector
        for centimetre in range(int(DEPTH // 10) + 1):
            y = sector.apex[1] + centimetre * 10 * sector.scale
            long = 8 if centimetre % 5 == 0 else 4
            draw.line([(columns * 0.93 - long, y), (columns * 0.93, y)], fill=(200, 200, 200))
        for step in range(64):
            low, high = rows * (0.42 - 0.3 * step / 64), rows * (0.42 - 0.3 * (step + 1) / 64)
            shade = step * 4
            draw.rectangle([columns * 0.04, high, columns * 0.055, low], fill=(shade, shade, shade))
            colours, place = (_RED, step - 32) if step >= 32 else (_BLUE, 31 - step)
            red, green, blue = colours[place * 4 // 32].astype(int).tolist()
            draw.rectangle([columns * 0.955, high, columns * 0.97, low], fill=(red, green, blue))
        draw.text(
            (columns * 0.04, rows * 0.03), "FANTOCCIO US1\nMI 1.1  TIs 0.6\n16.5 cm", fill=(190, 210, 220)
        )
        draw.text((columns * 0.80, rows * 0.94), "60 bpm", fill=(90, 230, 120))
        _draw_ecg(draw, rows, columns, beat)
        return np.asarray(image)


def _draw_ecg(draw: ImageDraw.ImageDraw, rows: int, columns: int, beat: float) -> None:
    """Two beats, and a mark at this moment of the second."""
    along = [step / 160 for step in range(320)]
    line = [(columns * (0.05 + 0.34 * x), rows * (0.965 - 0.05 * _ecg(x))) for x in along]
    draw.line(line, fill=(90, 230, 120))
    now = columns * (0.05 + 0.34 * (1 + beat))
    draw.line([(now, rows * 0.90), (now, rows * 0.985)], fill=(230, 200, 60))


# P, Q, R, S and T of a lead: moment of the beat, width, height for R = 1.
_ECG_WAVES = (
    (0.88, 0.025, 0.14),
    (0.975, 0.010, -0.12),
    (0.0, 0.011, 1.0),
    (0.03, 0.012, -0.24),
    (0.3, 0.045, 0.26),
)


def _ecg(beat: float) -> float:
    return sum(size * _bell(beat, place, width) for place, width, size in _ECG_WAVES)


def _bell(beat: float, centre: float, width: float) -> float:
    """A bell about a moment of the beat, which goes round."""
    away = (beat - centre + 0.5) % 1 - 0.5
    return math.exp(-((away / width) ** 2))


def _lay(echo: Floats, cover: Floats, decibels: float) -> None:
    echo += cover * (np.float32(decibels) - echo)


def _speckle(random: np.random.Generator) -> NDArray[np.complex64]:
    """Interference of many small echoes, shape (samples, lines)."""
    field = random.standard_normal((2, _SAMPLES, _LINES), dtype=np.float32)
    return ((_smooth(field[0], 3) + 1j * _smooth(field[1], 3)) * np.float32(3 / math.sqrt(2))).astype(
        np.complex64
    )


def _smooth(field: Floats, width: int) -> Floats:
    """The mean over squares of `width` samples, as if the field went round."""
    for axis in (0, 1):
        field = np.mean([np.roll(field, shift, axis) for shift in range(width)], axis=0, dtype=np.float32)
    return field
