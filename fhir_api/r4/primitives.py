"""What values primitive types take (FHIR R4 2.24.0.1)."""

import datetime
import re
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

MAX_STRING = 1024 * 1024  # characters

_YEAR = r"[0-9]{4}"
_DAY = r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
_ZONE = r"(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_MARK = r"[^\s\x00-\x1f\ud800-\udfff]"
_TEXT = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]+"

# Type: the form of its text, and what is expected in words
TEXTS: dict[str, tuple[re.Pattern[str], str]] = {
    kind: (re.compile(pattern), expected)
    for kind, pattern, expected in (
        ("string", _TEXT, "a text that is not empty and has no control characters"),
        ("markdown", _TEXT, "a text that is not empty and has no control characters"),
        ("code", rf"{_MARK}+(\s{_MARK}+)*", "a code without outer or double blanks"),
        ("id", r"[A-Za-z0-9\-.]{1,64}", "1 to 64 letters, digits, hyphens or full stops"),
        ("uri", rf"{_MARK}+", "a URI without blanks"),
        ("url", rf"{_MARK}+", "a URL without blanks"),
        ("canonical", rf"{_MARK}+", "a canonical URL without blanks"),
        ("oid", r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+", "urn:oid: and an object identifier"),
        (
            "uuid",
            r"urn:uuid:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}",
            "urn:uuid: and a UUID in small letters",
        ),
        ("base64Binary", r"([0-9A-Za-z+/]{4})*([0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?", "octets in base64"),
        ("date", rf"{_YEAR}(-(0[1-9]|1[0-2])|-{_DAY})?", "YYYY, YYYY-MM or YYYY-MM-DD"),
        (
            "dateTime",
            rf"{_YEAR}(-(0[1-9]|1[0-2])|-{_DAY}(T{_CLOCK}{_ZONE})?)?",
            "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a time zone",
        ),
        ("instant", rf"{_YEAR}-{_DAY}T{_CLOCK}{_ZONE}", "YYYY-MM-DDThh:mm:ss with a time zone"),
        ("time", _CLOCK, "hh:mm:ss"),
    )
}

# Type: the least and the greatest whole number
NUMBERS = {
    "integer": (-(2**31), 2**31 - 1),
    "unsignedInt": (0, 2**31 - 1),
    "positiveInt": (1, 2**31 - 1),
}


def expected(kind: str, value: Any) -> str:
    """What a value of this primitive type has to be, where this value is not; else "".

    value: as JSON gives it, its decimals as Decimal.
    """
    if kind in TEXTS:
        pattern, told = TEXTS[kind]
        return "" if isinstance(value, str) and _is_text(kind, pattern, value) else told
    if kind in NUMBERS:
        least, greatest = NUMBERS[kind]
        is_whole = isinstance(value, int) and not isinstance(value, bool) and least <= value <= greatest
        return "" if is_whole else f"a whole number from {least} to {greatest}"
    if kind == "boolean":
        return "" if isinstance(value, bool) else "true or false"
    if kind == "decimal":
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        return "" if is_number else "a number"
    return "" if isinstance(value, str) and _is_xhtml(value) else "a div of XHTML"


def _is_text(kind: str, pattern: re.Pattern[str], value: str) -> bool:
    if kind == "base64Binary":
        return pattern.fullmatch("".join(value.split())) is not None and bool(value.strip())
    if len(value) > MAX_STRING or not pattern.fullmatch(value):
        return False
    return kind not in ("date", "dateTime", "instant") or _is_day(value[:10])


def _is_day(text: str) -> bool:
    """Whether the calendar has this day, or the first of this month or year."""
    try:
        datetime.date.fromisoformat(text + "-01-01"[len(text) - 4 :] if len(text) < 10 else text)
    except ValueError:
        return False
    return True


def _is_xhtml(value: str) -> bool:
    try:
        return bool(fromstring(value, forbid_dtd=True).tag == "{http://www.w3.org/1999/xhtml}div")
    except (ParseError, DefusedXmlException, ValueError):
        return False
