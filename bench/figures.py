"""Figures, their units, and what a target asks of them. Nothing here touches the machine."""

from dataclasses import dataclass, field
from enum import Enum
from statistics import median


class NotMeasured(Exception):
    """A figure that must not be shown: something failed while it was taken. The message says what."""


class Unit(Enum):
    """What a figure counts."""

    INSTANCES_PER_SECOND = "inst/s"
    REQUESTS_PER_SECOND = "req/s"
    MILLISECONDS = "ms"
    SECONDS = "s"
    MEGABYTES = "MB"

    @property
    def higher_is_better(self) -> bool:
        """Rates are to be high; times and sizes are to be low."""
        return self in (Unit.INSTANCES_PER_SECOND, Unit.REQUESTS_PER_SECOND)


@dataclass(frozen=True, slots=True)
class TimesPeer:
    """The target is to be this many times better than the peer in the same run."""

    factor: float
    later: float | None = None

    @property
    def text(self) -> str:
        """As it is shown: "≥ 2x", with the next target behind it where there is one."""
        return f"≥ {self.factor:g}x" + (f", then {self.later:g}x" if self.later else "")

    def is_met(self, _figure: float, times_better: float | None) -> bool | None:
        """None: there was no peer to compare with."""
        return None if times_better is None else times_better >= self.factor


@dataclass(frozen=True, slots=True)
class Below:
    """The target is a figure of our own, whatever the peer does."""

    limit: float
    unit: Unit

    @property
    def text(self) -> str:
        """As it is shown: "< 2 s"."""
        return f"< {self.limit:g} {self.unit.value}"

    def is_met(self, figure: float, _times_better: float | None) -> bool | None:
        """Judge the figure alone."""
        return figure < self.limit


Target = TimesPeer | Below


@dataclass(slots=True)
class Readings:
    """What one contender reached in one row, round by round.

    failure: why the row does not count; empty when all went well. One failure spoils the row.
    """

    figures: list[float] = field(default_factory=list)
    failure: str = ""

    @property
    def median(self) -> float | None:
        """None when there is nothing to show."""
        return None if self.failure or not self.figures else median(self.figures)


def times_better(unit: Unit, ours: float, theirs: float) -> float:
    """How many times better `ours` is; below 1 it is worse."""
    better, worse = (ours, theirs) if unit.higher_is_better else (theirs, ours)
    return better / worse if worse else float("inf")


@dataclass(frozen=True, slots=True)
class Comparison:
    """The ratio of two rows of readings.

    of_medians: how many times better ours is.  lowest, highest: the same, round by round.
    """

    of_medians: float
    lowest: float
    highest: float


def compare(unit: Unit, ours: Readings, theirs: Readings | None) -> Comparison | None:
    """None when either side has no figure."""
    if theirs is None or ours.median is None or theirs.median is None:
        return None
    rounds = [times_better(unit, a, b) for a, b in zip(ours.figures, theirs.figures, strict=False)]
    return Comparison(times_better(unit, ours.median, theirs.median), min(rounds), max(rounds))
