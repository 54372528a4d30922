"""Hours of the day at which is sent."""

from datetime import datetime

import pytest

from pacs.forwarding.hours import Hours, next_open


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("hours", "now", "opens"),
    [
        ("22:00-06:00", "2026-03-10T23:10:00", "2026-03-10T23:10:00"),
        ("22:00-06:00", "2026-03-10T05:59:59", "2026-03-10T05:59:59"),
        ("22:00-06:00", "2026-03-10T06:00:00", "2026-03-10T22:00:00"),
        ("22:00-06:00", "2026-03-10T21:59:59", "2026-03-10T22:00:00"),
        ("12:30-13:15", "2026-03-10T12:30:00", "2026-03-10T12:30:00"),
        ("12:30-13:15", "2026-03-10T13:15:00", "2026-03-11T12:30:00"),
        ("12:30-13:15", "2026-03-31T23:00:00", "2026-04-01T12:30:00"),
        ("22:00-00:00", "2026-03-10T00:00:00", "2026-03-10T22:00:00"),
        ("22:00-00:00", "2026-03-10T23:59:59", "2026-03-10T23:59:59"),
        ("", "2026-03-10T13:15:00", "2026-03-10T13:15:00"),
    ],
)
def test_hours_open(hours: str, now: str, opens: str) -> None:
    assert next_open(hours, at(now)) == at(opens)


@pytest.mark.parametrize(
    "text", ["22-6", "24:00-06:00", "22:00-06:60", "22:00", "06:00-06:00", "٠٦:00-07:00", " "]
)
def test_what_are_no_hours(text: str) -> None:
    with pytest.raises(ValueError, match="hours"):
        Hours.parse(text)
