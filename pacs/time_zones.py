"""Dates and times of one zone in another: Timezone Offset From UTC (PS3.4 C.2.2.2.1.3, PS3.18 8.3.4.1.1).

An offset is in minutes east of UTC. What states none is in the time of the place: the zone of this machine.
A date whose time nobody knows is in no zone.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import product

from pacs.attributes import ATTRIBUTES, BY_PATH, Attribute, date_of
from pacs.errors import InvalidQuery
from pacs.model import DicomJson
from pacs.query import (
    DATE_TIME,
    Criterion,
    Empty,
    Moments,
    OnDay,
    Range,
    normal_date,
    normal_time,
)

OFFSET = "00080201"  # Timezone Offset From UTC

_OFFSET = re.compile(r"([+-])(\d\d)([0-5]\d)", re.ASCII)
_MOST_WEST, _MOST_EAST = -12 * 60, 14 * 60  # PS3.3 Table C.12-1
_MOST_DAYS = 2  # between the dates of two zones, which are 26 hours apart at most
_DAY_BEGINS, _DAY_ENDS = "000000.000000", "235959.999999"
_FORM = "%Y%m%d%H%M%S.%f"

# Dates and the times that tell them more exactly, of all that is kept
PAIRS: tuple[tuple[str, str], ...] = tuple(
    (BY_PATH[date_of(time).tags].json_key, time.json_key)
    for time in ATTRIBUTES
    if time.vr == "TM" and date_of(time).tags in BY_PATH and time.keyword != "PatientBirthTime"
)


# What is kept that may state an offset of its own (PS3.5 6.2)
_DATE_TIMES = tuple(one.json_key for one in ATTRIBUTES if one.vr == "DT")


def read_offset(text: str) -> int | None:
    """A value of Timezone Offset From UTC, such as "-0330", in minutes; None for none."""
    match = _OFFSET.fullmatch(text.strip())
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    offset = -minutes if match[1] == "-" else minutes
    return offset if _MOST_WEST <= offset <= _MOST_EAST else None


def asked_offset(text: str) -> int:
    """The same of a query. Raises InvalidQuery for what is none."""
    offset = read_offset(text)
    if offset is None:
        raise InvalidQuery("TimezoneOffsetFromUTC: expected &ZZXX, such as +0100", int(OFFSET, 16))
    return offset


def written_offset(offset: int) -> str:
    """An offset as Timezone Offset From UTC has it."""
    return f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02d}{abs(offset) % 60:02d}"


def offset_of(study: DicomJson) -> int | None:
    """What a study states of its time zone, in minutes; None where it states nothing."""
    values = study.get(OFFSET, {}).get("Value")
    return read_offset(str(values[0])) if values else None


def moved(day: str, time: str, source: int | None, target: int | None) -> tuple[str, str]:
    """A date (YYYYMMDD) and a time (HHMMSS.FFFFFF) of one zone in another.

    What lies out of the calendar, or in no calendar, stays.
    """
    try:
        moment = datetime.strptime(f"{day}{time}", _FORM)
        there = (
            moment.replace(tzinfo=_zone(source)).astimezone(_zone(target))
            if source is not None
            else (moment.astimezone(_zone(target)))
        )
    except (ValueError, OverflowError, OSError):
        return day, time
    text = f"{there.year:04d}{there.strftime('%m%d%H%M%S.%f')}"
    return text[:8], text[8:]


def _zone(offset: int | None) -> timezone | None:
    return None if offset is None else timezone(timedelta(minutes=offset))


def in_zone(attributes: DicomJson, source: int | None, target: int) -> DicomJson:
    """Attributes with the dates and times of a zone in another, which they tell."""
    changed: DicomJson = {OFFSET: {"vr": "SH", "Value": [written_offset(target)]}}
    for date_key, time_key in PAIRS:
        day, time = (_only(attributes, key) for key in (date_key, time_key))
        date, clock = normal_date(day), normal_time(time)
        if date is None or clock is None:
            continue
        date, clock = moved(date, clock, source, target)
        changed[date_key] = {"vr": "DA", "Value": [date]}
        # As exact as it was said
        exact = len(time.replace(":", "")) if "." in time else len("HHMMSS")
        changed[time_key] = {"vr": "TM", "Value": [clock[:exact]]}
    for key in _DATE_TIMES:
        stated = _with_offset(_only(attributes, key), source)
        if stated is not None:
            changed[key] = {"vr": "DT", "Value": [stated]}
    return attributes | changed


def _with_offset(text: str, source: int | None) -> str | None:
    """A date time with the offset that it leaves to its data set; None where it has one, or is none."""
    match = DATE_TIME.fullmatch(text)
    if match is None or match[8]:
        return None
    if source is None:
        try:
            here = datetime.strptime(text[:14], "%Y%m%d%H%M%S").astimezone().utcoffset()
        except (ValueError, OverflowError, OSError):
            return None
        source = int((here or timedelta()).total_seconds()) // 60
    return text + written_offset(source)


def _only(attributes: DicomJson, key: str) -> str:
    values = attributes.get(key, {}).get("Value", ())
    return str(values[0]) if len(values) == 1 and values[0] is not None else ""


def around(moments: tuple[Moments, ...]) -> list[Criterion]:
    """Days beyond which nothing is found in any zone, to bound what is read of an index."""
    return [
        Criterion(one.date, Range(_later(one.days.low, -_MOST_DAYS), _later(one.days.high, _MOST_DAYS)))
        for one in moments
        if one.days is not None
    ]


def _later(day: str | None, days: int) -> str | None:
    """So many days later; for nothing, and at the ends of the calendar, no bound."""
    try:
        return day and f"{datetime.strptime(day, '%Y%m%d') + timedelta(days=days):%Y%m%d}".rjust(8, "0")
    except (ValueError, OverflowError):
        return None


def alternatives(
    moments: tuple[Moments, ...], zone: int, offset: int | None
) -> Iterator[tuple[Criterion, ...]]:
    """What is asked in one zone, asked of what is in another: groups of criteria of which one must hold."""
    for chosen in product(*(list(_alternatives(one, zone, offset)) for one in moments)):
        yield tuple(criterion for group in chosen for criterion in group)


def _alternatives(asked: Moments, zone: int, offset: int | None) -> Iterator[list[Criterion]]:
    if asked.days is None:
        yield from _of_day(asked.time, asked.times, zone, offset)
        return
    within = asked.times if asked.times is not None and asked.are_together else None
    days = _between(asked, asked.days, within or Range(None, None), zone, offset)
    if asked.times is None or within is not None:
        yield days
    else:
        yield from ([*days, *times] for times in _of_day(asked.time, asked.times, zone, offset))
    if asked.times is None:  # without a time, it is that day everywhere
        yield [Criterion(asked.date, asked.days), Criterion(asked.time, Empty())]


def _between(asked: Moments, days: Range, times: Range, zone: int, offset: int | None) -> list[Criterion]:
    """From moment to moment: between days, and on the first and the last from and to a time."""
    low = days.low and moved(days.low, times.low or _DAY_BEGINS, zone, offset)
    high = days.high and moved(days.high, times.high or _DAY_ENDS, zone, offset)
    criteria = [Criterion(asked.date, Range(low[0] if low else None, high[0] if high else None))]
    if low:
        criteria.append(Criterion(asked.time, OnDay(low[0], Range(low[1], None))))
    if high:
        criteria.append(Criterion(asked.time, OnDay(high[0], Range(None, high[1]))))
    return criteria


def _of_day(time: Attribute, times: Range | None, zone: int, offset: int | None) -> Iterator[list[Criterion]]:
    """A time of whatever day. Of the zone of this machine, which may change its offset, today's is taken."""
    if times is None:
        return
    today = datetime.now(UTC).astimezone(_zone(zone)).strftime("%Y%m%d")
    low = moved(today, times.low or _DAY_BEGINS, zone, offset)[1]
    high = moved(today, times.high or _DAY_ENDS, zone, offset)[1]
    for bounds in [Range(low, high)] if low <= high else [Range(low, _DAY_ENDS), Range(_DAY_BEGINS, high)]:
        yield [Criterion(time, bounds)]
