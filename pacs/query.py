"""What can be asked of the archive, whatever protocol asks it.

C-FIND identifiers and QIDO-RS parameters both become a Query; one compiler turns it into SQL.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from pacs.attributes import Attribute, Matching
from pacs.errors import InvalidQuery
from pacs.model import Level

# Dates and times that are kept in their normal form: those of a series are mostly the same
KNOWN_TIMES = 1024

_TIME = re.compile(r"(\d\d)(?::?(\d\d))?(?::?(\d\d))?(?:\.(\d{1,6}))?", re.ASCII)
_DATE = re.compile(r"\d{8}", re.ASCII)


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


Condition = OneOf | Wildcard | Range


@dataclass(frozen=True, slots=True)
class Criterion:
    """One key of a query. A key without a value (universal matching) makes no criterion."""

    attribute: Attribute
    condition: Condition


@dataclass(frozen=True, slots=True)
class Query:
    """What to find at which level.

    patient_identity: restricts to one patient, whose identity an earlier answer gave.
    limit: at most so many answers; None for all.  offset: answers passed over first.
    The order of answers is stable: studies from the newest, series and instances by their numbers.
    """

    level: Level
    criteria: tuple[Criterion, ...] = ()
    patient_identity: str | None = None
    limit: int | None = None
    offset: int = 0


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
    groups = [fold(group.replace("^", " ")) for group in name.split("=")]
    return "=".join(groups).rstrip("=")


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


def parse_condition(attribute: Attribute, values: list[str]) -> Condition | None:
    """What the given key values mean for this attribute; None for universal matching.

    values: as the protocol's own list separator parted them.
    Raises InvalidQuery when a value does not fit the attribute's kind of matching.
    """
    values = [value.strip() for value in values if value.strip()]
    if not values or values == ["*"]:
        return None
    match attribute.matching:
        case Matching.DATE | Matching.TIME:
            return _range(attribute, values)
        case Matching.UID:
            return OneOf(tuple(_uid(attribute, value) for value in values))
        case Matching.NUMBER:
            return OneOf(tuple(_number(attribute, value) for value in values))
        case Matching.RETURNED | Matching.COMPUTED:
            return None
    values = [_normal_text(attribute, value) for value in values]
    if len(values) == 1 and ("*" in values[0] or "?" in values[0]):
        return Wildcard(values[0])
    if any("*" in value or "?" in value for value in values):
        raise InvalidQuery(f"{attribute.keyword}: a list of values takes no wildcards", attribute.tags[-1])
    return OneOf(tuple(values))


def _normal_text(attribute: Attribute, value: str) -> str:
    if attribute.matching is Matching.NAME:
        return fold_name(value)
    return fold(value) if attribute.matching is Matching.TEXT else value


def _uid(attribute: Attribute, value: str) -> str:
    if not re.fullmatch(r"[0-9.]{1,64}", value):
        raise InvalidQuery(f"{attribute.keyword}: not a UID", attribute.tags[-1])
    return value


def _number(attribute: Attribute, value: str) -> str:
    if not re.fullmatch(r"[+-]?\d{1,12}", value, re.ASCII):
        raise InvalidQuery(f"{attribute.keyword}: not an integer", attribute.tags[-1])
    return str(int(value))


def _range(attribute: Attribute, values: list[str]) -> Range:
    text = values[0]
    if len(values) > 1:
        raise InvalidQuery(f"{attribute.keyword}: takes one value or one range", attribute.tags[-1])
    low, dash, high = text.partition("-")
    if not dash:
        high = low
    bounds = Range(_bound(attribute, low, "0"), _bound(attribute, high, "9"))
    if bounds.low and bounds.high and bounds.low > bounds.high:
        raise InvalidQuery(f"{attribute.keyword}: the range ends before it begins", attribute.tags[-1])
    return bounds


def _bound(attribute: Attribute, text: str, fill: str) -> str | None:
    if not text.strip():
        return None
    is_date = attribute.matching is Matching.DATE
    bound = normal_date(text) if is_date else normal_time(text, fill)
    if bound is None:
        form = "YYYYMMDD" if is_date else "HHMMSS"
        raise InvalidQuery(f"{attribute.keyword}: expected {form} or a range of them", attribute.tags[-1])
    return bound
