"""Comparing values of the index with what a query asks."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, true

from pacs.attributes import Key, Matching
from pacs.index.trigrams import HasAll
from pacs.query import Condition, Empty, OneOf, Range, Wildcard

# What is done, and with which values
Comparison = tuple[str, Sequence[Any]]


def tests_of(attribute: Key, condition: Condition) -> list[tuple[str, list[Any]]]:
    """Comparisons of one column of which one must hold, each with its values."""
    match condition:
        case OneOf(values) | Wildcard(pattern=values) if attribute.matching is Matching.NAME:
            names = (values,) if isinstance(values, str) else values
            return [_pattern(pattern) for name in names for pattern in _any_group(name)]
        case OneOf(values) if attribute.keyword == "SOPClassesInStudy":
            return [("like", [f"%\\\\{uid}\\\\%"]) for uid in values]
        case OneOf(values) if attribute.matching is Matching.NUMBER:
            return [("in", [int(value) for value in values])]
        case OneOf(values):
            return [("in", list(values))]
        case Wildcard(pattern):
            return [_pattern(pattern)]
        case Range(low, high):
            bounds = [bound for bound in (low, high) if bound]
            operation = "between" if low and high else "from" if low else "to" if high else "any"
            return [(operation, bounds)]
        case Empty():
            return [("no number" if attribute.matching is Matching.NUMBER else "no text", [])]
    raise TypeError(f"{type(condition).__name__} is no condition on one column")


def _any_group(name: str) -> list[str]:
    """Patterns that find a name in any of the component groups, which `=` parts (PS3.5 6.2.1.2).

    Only a pattern that is not ASCII may mean another group than the alphabetic one; for all others the
    stretch of the column's index that begins with them is enough.
    """
    if "=" in name:
        return [name]
    # What begins or ends with any text, has the other groups in that
    ends = ("",) if name.endswith("*") else ("", "=*")
    begins = ("",) if name.isascii() or name.startswith("*") else ("", "*=")
    return [f"{begin}{name}{end}" for begin in begins for end in ends]


def _pattern(pattern: str) -> tuple[str, list[Any]]:
    """A DICOM wildcard pattern, where %, _ and backslash stand for themselves."""
    if "*" not in pattern and "?" not in pattern:
        return "in", [pattern]
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    like = escaped.replace("*", "%").replace("?", "_")
    prefix = pattern.split("*")[0].split("?")[0]
    # The prefix bounds the stretch of the index that is read
    return ("like within", [prefix, f"{prefix}\U0010ffff", like]) if prefix else ("like", [like])


def holds(operation: str, column: ColumnElement[Any], *values: Any) -> ColumnElement[bool]:
    """Whether one comparison holds for a column."""
    compared: ColumnElement[bool] = _OPERATIONS[operation](column, *values)
    return compared


def compare(column: ColumnElement[Any], tests: Sequence[Comparison]) -> ColumnElement[bool]:
    """Whether one of the tests holds for a column."""
    return or_(*(holds(operation, column, *values) for operation, values in tests))


_OPERATIONS: dict[str, Any] = {
    "in": lambda column, *values: column.in_(values) if len(values) > 1 else column == values[0],
    "like": lambda column, like: column.like(like, escape="\\"),
    "like among few": lambda column, trigrams, like: and_(
        HasAll(column, trigrams), column.like(like, escape="\\")
    ),
    "like within": lambda column, low, high, like: and_(
        column >= low, column < high, column.like(like, escape="\\")
    ),
    "between": lambda column, low, high: column.between(low, high),
    "from": lambda column, low: column >= low,
    "to": lambda column, high: column <= high,
    "any": lambda _: true(),
    "no text": lambda column: or_(column.is_(None), column == ""),
    "no number": lambda column: column.is_(None),
    "from on day": lambda time, date, day, low: or_(date != day, time >= low),
    "to on day": lambda time, date, day, high: or_(date != day, time <= high),
    "sounds": lambda _, sound, like: sound.like(like),
}
