"""Dates and times of one zone in another: Timezone Offset From UTC (PS3.4 C.2.2.2.1.3, PS3.18 8.3.4.1.1).

An offset is in minutes east of UTC. What states none is in the time of the place: the zone of this machine.
A date whose time nobody knows is in no zone.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from pydicom.datadict import keyword_for_tag, tag_for_keyword

from pacs.attributes import Attribute
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
_QUARTER = 15  # minutes
_MOST_DAYS = 2  # between the dates of two zones, which are 26 hours apart at most
_DAY_BEGINS, _DAY_ENDS = "000000.000000", "235959.999999"
_KNOWN_DATES = 256  # tags
_FORM = "%Y%m%d%H%M%S.%f"

_BIRTH = "00100030"  # Patient's Birth Date is the day of the place of birth, whatever time it has


def read_offset(text: str) -> int | None:
    """A value of Timezone Offset From UTC, such as "-0330", in minutes; None for none.

    There is no zone but by quarters of an hour. Others are mistakes, of which there could be 1,500.
    """
    match = _OFFSET.fullmatch(text.strip())
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    offset = -minutes if match[1] == "-" else minutes
    return offset if offset % _QUARTER == 0 and _MOST_WEST <= offset <= _MOST_EAST else None


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
    """Attributes, and those of their items, with the dates and times of a zone in another, which is told."""
    told = {"vr": "SH", "Value": [written_offset(target)]}
    return attributes | _told(attributes, source, target) | {OFFSET: told}


def _told(attributes: DicomJson, source: int | None, target: int) -> DicomJson:
    """Those of the attributes that may be told otherwise in the other zone."""
    changed: DicomJson = {}
    for key, element in attributes.items():
        values = element.get("Value")
        if not values:
            continue
        if element["vr"] == "SQ":
            changed[key] = element | {"Value": [_item_told(item, source, target) for item in values]}
        elif element["vr"] == "DT":
            changed[key] = element | {"Value": [_with_offset(value, source) for value in values]}
        elif element["vr"] == "DA" and (time_key := _time_key(key)) in attributes:
            changed |= _pairs_told(key, time_key, attributes, source, target)
    return changed


def _item_told(item: DicomJson | None, source: int | None, target: int) -> DicomJson | None:
    """An item of a sequence; one that states a zone of its own tells of something else, and stays."""
    return item if item is None or OFFSET in item else item | _told(item, source, target)


@lru_cache(_KNOWN_DATES)
def _time_key(date_key: str) -> str:
    """The tag of the time that tells a date more exactly, by its keyword; empty for none."""
    keyword = keyword_for_tag(int(date_key, 16))
    tag = tag_for_keyword(keyword.replace("Date", "Time")) if "Date" in keyword else None
    return f"{tag:08X}" if tag is not None and date_key != _BIRTH else ""


def _pairs_told(
    date_key: str, time_key: str, attributes: DicomJson, source: int | None, target: int
) -> DicomJson:
    """Dates and their times; none where there are not as many of both."""
    days, times = attributes[date_key]["Value"], attributes[time_key].get("Value", ())
    if len(days) != len(times):
        return {}
    pairs = [_pair_told(*pair, source, target) for pair in zip(days, times, strict=True)]
    return {
        date_key: {"vr": "DA", "Value": [day for day, _ in pairs]},
        time_key: {"vr": "TM", "Value": [time for _, time in pairs]},
    }


def _pair_told(day: Any, time: Any, source: int | None, target: int) -> tuple[Any, Any]:
    date, clock = normal_date(str(day or "")), normal_time(str(time or ""))
    if date is None or clock is None:
        return day, time
    date, clock = moved(date, clock, source, target)
    # As exact as it was said, or as the minutes of the offset make it
    said = len(str(time).strip().replace(":", ""))
    seconds = len("HHMMSS") if clock[4:6] != "00" else len("HHMM") if clock[2:4] != "00" else len("HH")
    return date, clock[: max(said, seconds)]


def _with_offset(text: Any, source: int | None) -> Any:
    """A date time with the offset that it leaves to its data set; without a time it is in no zone."""
    match = DATE_TIME.fullmatch(str(text or "").strip())
    if match is None or match[4] is None or match[8]:
        return text
    if source is None:
        try:
            moment = "".join(match.groups("")[:6]).ljust(14, "0")
            here = datetime.strptime(moment, "%Y%m%d%H%M%S").astimezone().utcoffset()
        except (ValueError, OverflowError, OSError):
            return text
        source = int((here or timedelta()).total_seconds()) // 60
    return match[0] + written_offset(source)


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
) -> list[list[tuple[Criterion, ...]]]:
    """What is asked in one zone, asked of what is in another.

    Of each date and its time, groups of criteria of which one must hold.
    """
    return [[tuple(group) for group in _alternatives(one, zone, offset)] for one in moments]


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
