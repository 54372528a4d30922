"""Stretches of time and of numbers, said by resources and asked of them (FHIR R4 3.1.1.4.3 to 3.1.1.4.9)."""

import datetime
import re
from decimal import Decimal
from typing import Any, NamedTuple

_MOMENT = re.compile(
    r"([12]\d{3})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,17}(?:\.\d{1,17})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_ONE_DAY = datetime.timedelta(days=1)
_ONE_SECOND = datetime.timedelta(seconds=1)


class Stretch(NamedTuple):
    """Seconds since 1970, or numbers, from low to below high; of a number both are the same."""

    low: float
    high: float


def instant(seconds: float) -> str:
    """Seconds since 1970 as an instant of FHIR, in UTC: the millisecond that they lie in, not one after."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    if moment.timestamp() > seconds:  # it is rounded to the microsecond
        moment -= datetime.datetime.resolution
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def of_instant(text: str) -> Stretch | None:
    """All that an instant may mean, which has seconds and a zone."""
    return of_moment(text) if _INSTANT.fullmatch(text) else None


def of_moment(text: str) -> Stretch | None:
    """All that a date, dateTime or instant may mean: a year is all of it. Without a zone it is in UTC."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, _, second, fraction, zone = match.groups()
    try:
        if hour is None:
            return _days(int(year), int(month) if month else None, int(day) if day else None)
        return _in_day(text, second, fraction, zone)
    except (ValueError, OverflowError):
        return None


def _days(year: int, month: int | None, day: int | None) -> Stretch:
    first = datetime.date(year, month or 1, day or 1)
    if day:
        after = first + _ONE_DAY
    elif month:
        after = datetime.date(year + month // 12, month % 12 + 1, 1)
    else:
        after = datetime.date(year + 1, 1, 1)
    return Stretch(_seconds(first), _seconds(after))


def _seconds(day: datetime.date) -> float:
    return datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC).timestamp()


def _in_day(text: str, second: str | None, fraction: str | None, zone: str | None) -> Stretch:
    moment = datetime.datetime.fromisoformat(text if zone else f"{text}Z")
    digits = min(len(fraction or ".") - 1, 6)  # a moment has no more of them
    length = datetime.timedelta(minutes=1) if second is None else _ONE_SECOND / 10**digits
    return Stretch(moment.timestamp(), (moment - _EPOCH + length) / _ONE_SECOND)


def of_period(period: dict[str, Any]) -> Stretch | None:
    """A Period; open ends reach as far as numbers do."""
    start, end = (of_moment(period.get(name, "")) for name in ("start", "end"))
    if start is None and end is None:
        return None
    return Stretch(start.low if start else float("-inf"), end.high if end else float("inf"))


def of_number(text: str) -> tuple[Decimal, Stretch] | None:
    """A number, and all that is rounded to it: 5.4 is from 5.35 to 5.45 (3.1.1.4.5)."""
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    half = Decimal(5).scaleb(int(exponent) - 1)
    return number, Stretch(float(number - half), float(number + half))
