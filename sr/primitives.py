"""FHIR R4 primitive types made from DICOM values (FHIR 2.24.0.1, DICOM PS3.5 6.2)."""

import datetime
import hashlib
import re
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import quote

# What a primitive was before it lost its time of day, which FHIR takes only with a time zone.
AS_WRITTEN = "urn:x-dicom:as-written"

_REMEMBERED = 1024  # of each kind; a report has the same UIDs, moments and systems in each resource

_NUMBERS = (int, float, Decimal)  # which are no less there when they are 0
_NO_STRING = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")
_TIME = re.compile(r"(\d\d)(?::?(\d\d)(?::?(\d\d)(\.\d{1,6})?)?)?", re.ASCII)
_DATE_TIME = re.compile(r"(\d{4})(\d\d)?(\d\d)?(\d{0,6}(?:\.\d{1,6})?)([+-]\d{4})?", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d\d)([0-5]\d)", re.ASCII)


def compact(element: dict[str, Any]) -> dict[str, Any]:
    """The element without its empty members, which FHIR forbids."""
    return {name: value for name, value in element.items() if value or isinstance(value, _NUMBERS)}


def plain(number: Decimal) -> str:
    """A number as people write it, with powers of ten only where it would be long."""
    return f"{number:f}" if abs(number.adjusted()) < 20 else str(number)


def string(text: str) -> str:
    """The text without control characters, which no FHIR string may hold, and without outer blanks."""
    if text.isprintable():
        return text.strip()  # as mostly; all that Unicode calls printable is of FHIR's characters
    return _NO_STRING.sub("", text.replace("\x00", "")).strip()


def code(text: str) -> str:
    """The text as a FHIR code: runs of blanks become one blank."""
    return " ".join(string(text).split())


@lru_cache(_REMEMBERED)
def uri_part(text: str) -> str:
    """The text as one part of a URN."""
    return quote(code(text), safe="")


@lru_cache(_REMEMBERED)
def is_uid(text: str) -> bool:
    """Whether the text is a UID (PS3.5 9.1); such a text is also a valid FHIR id."""
    return len(text) <= 64 and _UID.fullmatch(text) is not None


def uid_uri(uid: str) -> str:
    """The UID as a URI (RFC 3061)."""
    return f"urn:oid:{uid}"


@lru_cache(_REMEMBERED)
def stable_id(*parts: str) -> str:
    """A FHIR id that is always the same for the same parts: 32 hexadecimal digits."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def offset(text: str) -> str:
    """Timezone Offset From UTC (0008,0201), such as "+0100", as FHIR writes it; empty when it is none."""
    match = _OFFSET.fullmatch(text.strip())
    if match is None or int(match[2]) * 60 + int(match[3]) > 14 * 60:
        return ""
    return f"{match[1]}{match[2]}:{match[3]}"


def date(text: str) -> str:
    """A DA value, also in its old form 1993.08.22, as a FHIR date; empty when it is none."""
    digits = text.strip().replace(".", "")
    if not re.fullmatch(r"[0-9]{8}", digits):
        return ""
    return _calendar(digits[:4], digits[4:6], digits[6:])


def time(text: str) -> str:
    """A TM value as a FHIR time, its missing minutes and seconds zero; empty when it is none."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return ""
    hours, minutes, seconds, fraction = match[1], match[2] or "00", match[3] or "00", match[4] or ""
    if hours > "23" or minutes > "59" or seconds > "60":
        return ""
    return f"{hours}:{minutes}:{seconds}{fraction}"


def date_and_time(day: str, clock: str) -> str:
    """A DA and a TM value as one DT value; without a valid time only the date, without a date nothing."""
    if not date(day):
        return ""
    return date(day).replace("-", "") + time(clock).replace(":", "")


@lru_cache(_REMEMBERED)
def date_time(text: str, zone: str) -> str:
    """A DT value as a FHIR dateTime; empty when it is none.

    zone: the data set's offset in FHIR's form, used where the value has none of its own.
    Without any offset only the date is told, as FHIR takes no time of day without one.
    """
    match = _DATE_TIME.fullmatch(text.strip())
    if match is None:
        return ""
    day = _calendar(match[1], match[2] or "", match[3] or "")
    clock = time(match[4]) if match[3] else ""
    zone = offset(match[5] or "") or zone
    return f"{day}T{clock}{zone}" if day and clock and zone else day


def dated(name: str, text: str, zone: str) -> dict[str, Any]:
    """The members that tell a DT value: `name`, and beside it the value as written if that says more."""
    told = date_time(text, zone)
    if not told:
        return {}
    if "T" in told or len(text.strip()) <= 8:
        return {name: told}
    return {name: told, f"_{name}": {"extension": [{"url": AS_WRITTEN, "valueString": text.strip()}]}}


def _calendar(year: str, month: str, day: str) -> str:
    try:
        datetime.date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return ""
    return "-".join(part for part in (year, month, day) if part)
