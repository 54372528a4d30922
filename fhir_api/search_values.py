"""The values of search parameters, as a client writes them (FHIR R4 3.1.1.4)."""

import calendar
import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import product

from fhir_api.conditions import (
    Days,
    LogicalReference,
    Pair,
    Reference,
    Span,
    Text,
    Token,
    Value,
    normal_token,
)
from fhir_api.outcome import invalid
from fhir_api.search_table import Kind, SearchParameter
from fhir_api.spans import of_moment, of_number
from pacs.query import fold

_LISTED = re.compile(r"(?:\\.|[^,\\])+", re.DOTALL)
_ESCAPED = re.compile(r"\\([\\,|$])")
_PARTS = re.compile(r"((?:\\.|[^$\\])+)\$((?:\\.|[^$\\])+)", re.DOTALL)
_TOKEN = re.compile(r"(?:((?:\\.|[^|\\])*)\|)?(.*)", re.DOTALL)
_DATE = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb)?([12]\d{3})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_REFERENCE = re.compile(r"(?:([A-Z][A-Za-z]+)/)?([A-Za-z0-9\-.]{1,64})")
_ONE_DAY = datetime.timedelta(days=1)

_PREFIXES = "eq ne gt lt ge le sa eb ap"
# A number has no length: it starts after another where it is greater
_OF_NUMBERS = {"sa": "gt", "eb": "lt"}


def listed(text: str) -> list[str]:
    """The values that commas part, their escapes still in them; empty ones left out."""
    return [match[0] for match in _LISTED.finditer(text)]


def token(text: str) -> Token:
    """`system|code`, `|code`, `system|` or `code`."""
    match = _TOKEN.fullmatch(text)
    system, value = match.groups() if match else (None, text)
    return normal_token(None if system is None else _unescape(system), _unescape(value) or None)


def parse(parameter: SearchParameter, text: str, target: str, base: str) -> Iterator[Value]:
    """What one value of a parameter means.

    target: the type that a reference is said to lead to, "" when it is open.
    base: our own address, by which absolute references to our resources are known.
    Raises RequestFault (400), which names the parameter.
    """
    return _PARSERS[parameter.kind](parameter, text, target, base)


def _parse_token(_parameter: SearchParameter, text: str, _target: str, _base: str) -> Iterator[Value]:
    yield token(text)


def _parse_uri(_parameter: SearchParameter, text: str, _target: str, _base: str) -> Iterator[Value]:
    yield Token(None, _unescape(text))


def _parse_text(_parameter: SearchParameter, text: str, _target: str, _base: str) -> Iterator[Value]:
    if beginning := fold(_unescape(text)):
        yield Text(beginning)


def _parse_reference(parameter: SearchParameter, text: str, target: str, base: str) -> Iterator[Value]:
    local = _unescape(text).removeprefix(f"{base}/")
    match = _REFERENCE.fullmatch(local)
    if match is None:
        if re.match(r"(?i)(https?|urn):", local):
            yield Reference(local)
            return
        raise invalid(parameter.name, "expected an id, Type/id, or the address of a resource")
    named, resource_id = match.groups()
    for one in (named,) if named else (target,) if target else parameter.targets:
        yield Reference(f"{one}/{resource_id}")


def parse_logical(parameter: SearchParameter, text: str) -> Iterator[Value]:
    """What one value of a reference with the modifier `:identifier` means."""
    if parameter.kind is not Kind.REFERENCE:
        raise invalid(parameter.name, "the modifier :identifier is for references")
    yield LogicalReference(token(text))


def _parse_moment(parameter: SearchParameter, text: str) -> Iterator[Value]:
    prefix, rest = _prefixed(text)
    stretch = of_moment(rest.replace(" ", "+"))  # a plus that was not encoded has become a blank
    if stretch is None:
        raise invalid(parameter.name, f"expected a date or a moment of FHIR, after {_PREFIXES} or nothing")
    yield Span(prefix, *stretch)


def _parse_quantity(parameter: SearchParameter, text: str, _target: str, _base: str) -> Iterator[Value]:
    prefix, rest = _prefixed(text)
    number, *unit = rest.split("|", 2)
    read = of_number(number)
    if read is None:
        raise invalid(parameter.name, f"expected number, or number|system|code, after {_PREFIXES} or nothing")
    exact, (low, high) = read
    if prefix == "ap":
        low, high = sorted((float(exact) * 0.9, float(exact) * 1.1))
    elif prefix not in ("eq", "ne"):
        low = high = float(exact)
    system, code = (_unescape(part) for part in (*unit, "", "")[:2])
    yield Span(
        _OF_NUMBERS.get(prefix, prefix), low, high, Token(system or None, code or None) if unit else None
    )


def _parse_composite(parameter: SearchParameter, text: str, _target: str, base: str) -> Iterator[Value]:
    match = _PARTS.fullmatch(text)
    if match is None:
        names = "$".join(part.name for part in parameter.parts)
        raise invalid(parameter.name, f"expected {names}, each once, with \\$ for a $ in them")
    parts = (replace(part, name=parameter.name) for part in parameter.parts)
    asked = zip(parts, match.groups(), strict=True)
    for first, second in product(*(list(parse(part, said, "", base)) for part, said in asked)):
        yield Pair(first, second)


def _prefixed(text: str) -> tuple[str, str]:
    return (text[:2], text[2:]) if text[:2] in _PREFIXES.split() else ("eq", text)


def _parse_date(parameter: SearchParameter, text: str, _target: str, _base: str) -> Iterator[Value]:
    if parameter.to_the_second:
        yield from _parse_moment(parameter, text)
        return
    match = _DATE.fullmatch(text)
    try:
        first, last = _period(match) if match else (None, None)
    except ValueError:
        first = last = None
    if match is None or first is None or last is None:
        raise invalid(
            parameter.name,
            "expected YYYY, YYYY-MM or YYYY-MM-DD, after eq, ne, gt, ge, lt, le, sa, eb or nothing",
        )
    yield from _STRETCHES[match[1] or "eq"](first, last)


def _period(match: re.Match[str]) -> tuple[datetime.date, datetime.date]:
    year, month, day = (int(part) if part else None for part in match.groups()[1:])
    assert year is not None  # noqa: S101 - the pattern requires it
    last_month = month or 12
    first = datetime.date(year, month or 1, day or 1)
    return first, datetime.date(year, last_month, day or calendar.monthrange(year, last_month)[1])


# FHIR R4 3.1.1.4.9. What is compared is known to the day, so that gt and sa, lt and eb come to the same.
_STRETCHES: Mapping[str, Callable[[datetime.date, datetime.date], tuple[Days, ...]]] = {
    "eq": lambda first, last: (Days(first, last),),
    "ne": lambda first, last: (Days(None, first - _ONE_DAY), Days(last + _ONE_DAY, None)),
    "gt": lambda _, last: (Days(last + _ONE_DAY, None),),
    "sa": lambda _, last: (Days(last + _ONE_DAY, None),),
    "ge": lambda first, _: (Days(first, None),),
    "lt": lambda first, _: (Days(None, first - _ONE_DAY),),
    "eb": lambda first, _: (Days(None, first - _ONE_DAY),),
    "le": lambda _, last: (Days(None, last),),
}

_PARSERS: Mapping[Kind, Callable[[SearchParameter, str, str, str], Iterator[Value]]] = {
    Kind.TOKEN: _parse_token,
    Kind.REFERENCE: _parse_reference,
    Kind.STRING: _parse_text,
    Kind.DATE: _parse_date,
    Kind.QUANTITY: _parse_quantity,
    Kind.URI: _parse_uri,
    Kind.COMPOSITE: _parse_composite,
}


def _unescape(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
