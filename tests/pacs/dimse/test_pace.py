"""Sending no faster than is allowed, by a clock of the test."""

from collections.abc import Callable

import pytest

from pacs.dimse import pace
from pacs.dimse.pace import Pace
from pacs.dimse.rounds import Stopping


class Clock:
    """The time that the pace sees; sleeping lets it pass."""

    def __init__(self) -> None:
        self.now = 100.0
        self.longest = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.longest = max(self.longest, seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace, "time", clock)
    return clock


def never() -> bool:
    return False


def test_the_limit_holds_over_all_objects_and_nothing_is_lost(clock: Clock) -> None:
    limited = Pace(10_000, never)
    objects = [[bytes([number]) * 25_000, b"end"] for number in range(3)]
    for pieces in objects:
        assert b"".join(limited(pieces)) == b"".join(pieces)
    assert clock.now - 100.0 == pytest.approx(7.5, abs=0.3)
    assert clock.longest <= 0.25  # the peer waits no longer for a part of a message


def test_who_was_idle_may_not_make_up_for_it(clock: Clock) -> None:
    limited = Pace(10_000, never)
    list(limited([bytes(1000)]))
    clock.now += 60
    began = clock.now
    list(limited([bytes(20_000)]))
    assert clock.now - began > 1.5


def test_it_ends_with_the_service(clock: Clock) -> None:
    sent: list[bytes] = []
    is_stopping: Callable[[], bool] = lambda: clock.now > 101  # noqa: E731 - a sentence
    with pytest.raises(Stopping):
        sent.extend(Pace(1024, is_stopping)([bytes(100_000)]))
    assert sum(map(len, sent)) < 4096
