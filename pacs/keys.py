"""What the keys of a query mean, each by its kind of matching (PS3.4 C.2.2.2)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from pacs import phonetics
from pacs.attributes import BY_PATH, Attribute, Key, Matching, date_of, time_of
from pacs.errors import InvalidQuery
from pacs.query import (
    DATE_TIME,
    PLAIN,
    Condition,
    Criterion,
    Empty,
    Moments,
    OnDay,
    OneOf,
    Range,
    Semantics,
    Sounds,
    Wildcard,
    fold,
    fold_name,
    normal_date,
    normal_date_time,
    normal_time,
)

_EMPTY_KEY = '""'

K = TypeVar("K", bound=Key)


def parse_criteria(keys: Mapping[K, list[str]], semantics: Semantics = PLAIN) -> list[tuple[K, Condition]]:
    """What the keys of a query mean together: conditions of which all must hold.

    keys: for each attribute its values, as the protocol's own list separator parted them.
    Raises InvalidQuery when a value does not fit the attribute's kind of matching.
    """
    criteria = _each(keys, semantics)
    return _combined(criteria) if semantics.combined_datetime else criteria


def _each(keys: Mapping[K, list[str]], semantics: Semantics) -> list[tuple[K, Condition]]:
    """What the keys mean by themselves."""
    return [
        (attribute, condition)
        for attribute, values in keys.items()
        for condition in _conditions(
            attribute, values, semantics, semantics.combined_datetime and _crosses_days(attribute, keys)
        )
    ]


def _crosses_days(time: K, keys: Mapping[K, list[str]]) -> bool:
    """Whether these are times of the ends of a range of days."""
    if time.matching is not Matching.TIME:
        return False
    dates = (parse_condition(key, keys[key]) for key in keys if key.path == date_of(time).path)
    return any(isinstance(days, Range) and days.low != days.high for days in dates)


def parse_moments(
    keys: Mapping[Attribute, list[str]], semantics: Semantics
) -> tuple[list[tuple[Attribute, Condition]], tuple[Moments, ...]]:
    """The same of keys in a time zone: dates and times that tell moments, apart from all others.

    Raises InvalidQuery as parse_criteria does.
    """
    plain = _each(keys, semantics)
    of_pairs: dict[tuple[Attribute, Attribute], dict[Matching, Range]] = {}
    others = []
    for attribute, condition in plain:
        pair = _pair_of(attribute)
        if pair is None or not isinstance(condition, Range):
            others.append((attribute, condition))
        else:
            of_pairs.setdefault(pair, {})[attribute.matching] = condition
    moments = (
        Moments(*pair, ranges.get(Matching.DATE), ranges.get(Matching.TIME), semantics.combined_datetime)
        for pair, ranges in of_pairs.items()
    )
    return others, tuple(moments)


def _pair_of(attribute: Attribute) -> tuple[Attribute, Attribute] | None:
    """The date and the time of which this is one; None where it has no other that is matched."""
    other = date_of(attribute) if attribute.matching is Matching.TIME else time_of(attribute)
    beside = BY_PATH.get(other.tags) if attribute.matching in (Matching.DATE, Matching.TIME) else None
    if beside is None or beside.matching is Matching.RETURNED:
        return None
    return (beside, attribute) if attribute.matching is Matching.TIME else (attribute, beside)


def parse_named(pairs: Iterable[tuple[str, str]]) -> tuple[Criterion, ...]:
    """What keys mean that are named by keyword or path, such as `Modality`; lists are parted by backslashes.

    Raises InvalidQuery for what is not matched, and for a key that would fit everything.
    """
    values: dict[Attribute, list[str]] = {}
    for name, value in pairs:
        attribute = next((one for one in BY_PATH.values() if ".".join(one.path) == name), None)
        if attribute is None or attribute.matching in (Matching.RETURNED, Matching.COMPUTED):
            raise InvalidQuery(
                f"{name[:64]}: nothing is searched by this; the conformance page lists the keys"
            )
        values.setdefault(attribute, []).extend(value.split("\\"))
    criteria = tuple(Criterion(*pair) for pair in parse_criteria(values))
    if open_keys := values.keys() - {criterion.attribute for criterion in criteria}:
        raise InvalidQuery(f"{open_keys.pop().keyword}: it has no value, and would fit everything")
    return criteria


def _conditions(
    attribute: Key, values: list[str], semantics: Semantics, crosses_days: bool
) -> Iterator[Condition]:
    """All that must hold."""
    if semantics.empty_value and [value.strip() for value in values] == [_EMPTY_KEY]:
        yield Empty()
        return
    each_one = semantics.multiple_value and attribute.is_multiple
    for own in [[value] for value in values] if each_one else [values]:
        condition = parse_condition(attribute, own, crosses_days)
        if semantics.fuzzy and attribute.matching is Matching.NAME and condition is not None:
            yield from _sounds(condition)
        elif condition is not None:
            yield condition


def _sounds(literal: Condition) -> Iterator[Condition]:
    """The same with the sound of its words beside it: one condition for each, for all must be found."""
    text = literal.pattern.replace("*", " ") if isinstance(literal, Wildcard) else ""
    if isinstance(literal, OneOf) and len(literal.values) == 1:
        (text,) = literal.values
    words = [phonetics.codes(word) for word in text.replace("=", " ").split()]
    if "?" in text or not any(words):
        yield literal
        return
    for codes in filter(None, words):
        yield Sounds(literal, codes)


def _combined(criteria: list[tuple[K, Condition]]) -> list[tuple[K, Condition]]:
    """The same criteria, but for ranges of times: they hold at the ends of the range of their dates."""
    dates = {key.path: condition for key, condition in criteria if key.matching is Matching.DATE}
    combined: list[tuple[K, Condition]] = []
    for key, times in criteria:
        days = dates.get(date_of(key).path) if key.matching is Matching.TIME else None
        if isinstance(days, Range) and isinstance(times, Range) and days.low != days.high:
            ends = (days.low, Range(times.low, None)), (days.high, Range(None, times.high))
            combined += [
                (key, OnDay(day, bound))
                for day, bound in ends
                if day is not None and bound != Range(None, None)
            ]
        else:
            combined.append((key, times))
    return combined


def parse_condition(attribute: Key, values: list[str], crosses_days: bool = False) -> Condition | None:
    """What the given key values mean for this attribute; None for universal matching.

    values: as the protocol's own list separator parted them.
    crosses_days: whether they are times on the first and on the last of several days.
    Raises InvalidQuery when a value does not fit the attribute's kind of matching.
    """
    values = [value.strip() for value in values if value.strip()]
    if not values or values == ["*"]:
        return None
    match attribute.matching:
        case Matching.DATE | Matching.TIME | Matching.DATETIME:
            return _range(attribute, values, crosses_days)
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


def _normal_text(attribute: Key, value: str) -> str:
    if attribute.matching is Matching.NAME:
        return fold_name(value)
    return fold(value) if attribute.matching is Matching.TEXT else value


def _uid(attribute: Key, value: str) -> str:
    if not re.fullmatch(r"[0-9.]{1,64}", value):
        raise InvalidQuery(f"{attribute.keyword}: not a UID", attribute.tags[-1])
    return value


def _number(attribute: Key, value: str) -> str:
    if not re.fullmatch(r"[+-]?\d{1,12}", value, re.ASCII):
        raise InvalidQuery(f"{attribute.keyword}: not an integer", attribute.tags[-1])
    return str(int(value))


def _range(attribute: Key, values: list[str], crosses_days: bool) -> Range:
    text = values[0]
    if len(values) > 1:
        raise InvalidQuery(f"{attribute.keyword}: takes one value or one range", attribute.tags[-1])
    low, high = _parted(attribute, text)
    bounds = Range(_bound(attribute, low, "0"), _bound(attribute, high, "9"))
    if bounds.low and bounds.high and bounds.low > bounds.high and not crosses_days:
        raise InvalidQuery(f"{attribute.keyword}: the range ends before it begins", attribute.tags[-1])
    return bounds


def _parted(attribute: Key, text: str) -> tuple[str, str]:
    """Where the range begins and ends; a single value is both."""
    if attribute.matching is Matching.DATETIME and DATE_TIME.fullmatch(text):
        return text, text
    dashes = [at for at, character in enumerate(text) if character == "-"]
    if attribute.matching is Matching.DATETIME:  # of three dashes two belong to offsets from UTC
        dashes = [
            at for at in dashes if _is_open_or_date_time(text[:at]) and _is_open_or_date_time(text[at + 1 :])
        ]
    return (text[: dashes[0]], text[dashes[0] + 1 :]) if dashes else (text, text)


def _is_open_or_date_time(text: str) -> bool:
    return not text.strip() or DATE_TIME.fullmatch(text.strip()) is not None


# What a value becomes, and the form that is asked for (PS3.4 C.2.2.2.5)
_BOUNDS: dict[Matching, tuple[Callable[[str, str], str | None], str]] = {
    Matching.DATE: (lambda text, _: normal_date(text), "YYYYMMDD"),
    Matching.TIME: (normal_time, "HHMMSS"),
    Matching.DATETIME: (normal_date_time, "YYYYMMDDHHMMSS&ZZXX"),
}


def _bound(attribute: Key, text: str, fill: str) -> str | None:
    if not text.strip():
        return None
    normal, form = _BOUNDS[attribute.matching]
    bound = normal(text, fill)
    if bound is None:
        raise InvalidQuery(f"{attribute.keyword}: expected {form} or a range of them", attribute.tags[-1])
    return bound
