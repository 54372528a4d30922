"""What can be asked of the archive, whatever protocol asks it.

C-FIND identifiers and QIDO-RS parameters both become a Query; one compiler turns it into SQL.
"""

import re
import unicodedata
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from pacs.attributes import Attribute
from pacs.model import Level

# Dates and times that are kept in their normal form: those of a series are mostly the same
KNOWN_TIMES = 1024

_TIME = re.compile(r"(\d\d)(?::?(\d\d))?(?::?(\d\d))?(?:\.(\d{1,6}))?", re.ASCII)
_DATE = re.compile(r"\d{8}", re.ASCII)
# The last group is the offset from UTC, which a range of years such as 2025-2026 is not (PS3.5 6.2)
DATE_TIME = re.compile(
    r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:\.(\d{1,6}))?([+-](?:0\d|1[0-4])[0-5]\d)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class OneOf:
    """Equal to any of the values: single value matching, and the list of UIDs (PS3.4 C.2.2.2.1, .2)."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`*` any run of characters, `?` any one (PS3.4 C.2.2.2.4)."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Range:
    """From low to high, both included; None where open (PS3.4 C.2.2.2.5)."""

    low: str | None
    high: str | None


@dataclass(frozen=True, slots=True)
class OnDay:
    """A time of day within a range, where the date beside it is this day; any time on other days."""

    day: str
    times: Range


@dataclass(frozen=True, slots=True)
class Empty:
    """Without a value (PS3.4 C.2.2.2.7)."""


@dataclass(frozen=True, slots=True)
class Sounds:
    """A name that fits the literal condition, or has a word of which the sound has one of these codes."""

    literal: "Condition"
    codes: tuple[str, ...]


Condition = OneOf | Wildcard | Range | OnDay | Empty | Sounds


@dataclass(frozen=True, slots=True)
class Semantics:
    """Matching beyond that of every query, which a client asks for (PS3.4 C.2.2.2, PS3.18 8.3.4).

    combined_datetime: ranges of a date and of its time are one range, from moment to moment (C.2.2.2.5).
    empty_value: the key `""` finds what has no value (C.2.2.2.7).
    multiple_value: of an attribute with many values all that the key lists must be there (C.2.2.2.8).
    fuzzy: person names match by their sound too (C.2.2.2.1.1).
    """

    combined_datetime: bool = False
    empty_value: bool = False
    multiple_value: bool = False
    fuzzy: bool = False


PLAIN = Semantics()


@dataclass(frozen=True, slots=True)
class Criterion:
    """One key of a query. A key without a value (universal matching) makes no criterion."""

    attribute: Attribute
    condition: Condition


@dataclass(frozen=True, slots=True)
class Moments:
    """A date and its time in a time zone: ranges of both, None where they are not asked.

    are_together: whether they are one range, from moment to moment (PS3.4 C.2.2.2.5.4).
    """

    date: Attribute
    time: Attribute
    days: Range | None
    times: Range | None
    are_together: bool


class SortKey(StrEnum):
    """What answers are ordered by."""

    STARTED = "date and time of the study"
    CHANGED = "last change"
    ID = "Study Instance UID, or identity of the patient"


@dataclass(frozen=True, slots=True)
class Order:
    """One of the things that answers are ordered by."""

    key: SortKey
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What to find at which level.

    patient_identity: restricts to one patient, whose identity an earlier answer gave.
    limit: at most so many answers; None for all.  offset: answers passed over first.
    below: of studies, keys of which each is fulfilled by some series or instance in them, or that are listed.
    changed: of patients and studies, from when to when they changed last, both included; seconds since 1970.
    order: of patients and studies; without, studies come from the newest, and patients by name.
    moments: dates and times that are asked in a time zone, so many minutes east of UTC.
    The order of answers is stable. Series and instances come by their numbers.
    """

    level: Level
    criteria: tuple[Criterion, ...] = ()
    patient_identity: str | None = None
    limit: int | None = None
    offset: int = 0
    below: tuple[Criterion, ...] = ()
    changed: tuple[float, float] | None = None
    order: tuple[Order, ...] = ()
    moments: tuple[Moments, ...] = ()
    zone: int = 0


_DELIMITERS = str.maketrans("^=", "  ")  # within a group, where signs of other widths become these


def fold(text: str) -> str:
    """Text without case, accents and runs of blanks, so that "PÉREZ" finds "Perez"."""
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    # Put together again, so that a Hangul syllable is one character for a wildcard
    return " ".join(unicodedata.normalize("NFC", plain.casefold()).split())


def fold_name(name: str) -> str:
    """A person name for matching: its components parted by one blank, its component groups by `=`.

    Empty groups at the end are left out: "Yamada^Tarou=山田^太郎=" becomes "yamada tarou=山田 太郎".
    """
    groups = (unicodedata.normalize("NFKD", group) for group in name.split("="))
    return "=".join(fold(group.translate(_DELIMITERS)) for group in groups).rstrip("=")


@lru_cache(KNOWN_TIMES)
def normal_time(text: str, fill: str = "0") -> str | None:
    """A TM value as HHMMSS.FFFFFF, or None when it is no time.

    fill: "0" completes a partial time to its beginning, "9" to its end ("10" to 105959.999999).
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds, fraction = match.groups()
    full = "59" if fill == "9" else "00"
    return f"{hours}{minutes or full}{seconds or full}.{(fraction or '').ljust(6, fill)}"


@lru_cache(KNOWN_TIMES)
def normal_date(text: str) -> str | None:
    """A DA value as YYYYMMDD, or None when it is no date. The old form 1993.08.22 is taken too."""
    digits = text.strip().replace(".", "").replace("-", "") if "." in text else text.strip()
    return digits if _DATE.fullmatch(digits) else None


@lru_cache(KNOWN_TIMES)
def normal_date_time(text: str, fill: str = "0") -> str | None:
    """A DT value in UTC as YYYYMMDDHHMMSS.FFFFFF, or None when it is none.

    Without an offset it is in the time zone of this machine.
    fill: "0" completes a partial value to its beginning, "9" to its end.
    """
    match = DATE_TIME.fullmatch(text.strip())
    if match is None:
        return None
    *parts, fraction, offset = match.groups("")
    digits = "".join(parts)
    try:
        if fill == "9" and len(digits) == len("YYYYMM"):
            digits += str(monthrange(int(digits[:4]), int(digits[4:]))[1])
        digits += ("1231235959" if fill == "9" else "0101000000")[len(digits) - 4 :]
        form = f"%Y%m%d%H%M%S%f{'%z' if offset else ''}"
        moment = datetime.strptime(f"{digits}{fraction.ljust(6, fill)}{offset}", form)
        return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S.%f").rjust(21, "0")
    except (ValueError, OverflowError):  # the 31st of June, or out of the calendar
        return None
