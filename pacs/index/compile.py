"""From a Query to SQL: first its shape, of which there are few; a statement is built once for each."""

from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    and_,
    bindparam,
    exists,
    false,
    or_,
    select,
    true,
)

from pacs.attributes import BY_PATH, DERIVED_KEYWORDS, TIME_OF, Attribute, Key, Matching
from pacs.index import schema
from pacs.model import Level
from pacs.query import Condition, Criterion, Empty, OnDay, OneOf, Query, Range, Sounds, Wildcard

_DATE_OF = {time: date for date, time in TIME_OF.items() if isinstance(date, Attribute)}

_patient, _study, _series, _instance = schema.patient, schema.study, schema.series, schema.instance

# Newest studies first, as a reading list shows them; the key makes every order stable.
_ORDER: dict[Level, tuple[Any, ...]] = {
    Level.PATIENT: (_patient.c.patient_name.nulls_first(), _patient.c.key),
    Level.STUDY: (
        _study.c.study_date.desc().nulls_last(),
        _study.c.study_time.desc().nulls_last(),
        _study.c.key.desc(),
    ),
    Level.SERIES: (_series.c.study_key.desc(), *schema.series_order),
    Level.INSTANCE: (_series.c.study_key.desc(), *schema.instance_order),
}

_SELECTS: dict[Level, Select[Any]] = {
    Level.PATIENT: select(_patient.c.identity, _patient.c.key, _patient.c.attributes),
    Level.STUDY: select(_study.c.identity, _study.c.key, _study.c.attributes),
    Level.SERIES: select(_study.c.identity, _study.c.key, _series.c.key).join(
        _study, _series.c.study_key == _study.c.key
    ),
    Level.INSTANCE: select(
        _study.c.identity,
        _study.c.key,
        _series.c.key,
        _instance.c.attributes,
        _instance.c.transfer_syntax_uid,
    )
    .join(_series, _instance.c.series_key == _series.c.key)
    .join(_study, _series.c.study_key == _study.c.key),
}


class Test(NamedTuple):
    """A comparison of a column: what is done, with how many values, and with which column beside it."""

    operation: str
    values: int
    beside: str = ""


class Shape(NamedTuple):
    """A query without its values.

    criteria: the path of each attribute, and tests of which one must hold.
    """

    level: Level
    criteria: tuple[tuple[tuple[int, ...], tuple[Test, ...]], ...]
    of_patient: bool
    limited: bool
    skipping: bool


def shape_of(query: Query) -> tuple[Shape, dict[str, Any]]:
    """The shape of a query, and its values under the names that the statement of the shape has for them."""
    values: list[Any] = []
    criteria = []
    for criterion in query.criteria:
        tests = _tests(criterion)
        criteria.append((criterion.attribute.tags, tuple(test for test, _ in tests)))
        values += [value for _, own in tests for value in own]
    parameters = {f"p{number}": value for number, value in enumerate(values)}
    if query.patient_identity is not None:
        parameters["identity"] = query.patient_identity
    if query.limit is not None:
        parameters["limit"] = query.limit
    if query.offset:
        parameters["offset"] = query.offset
    shape = Shape(
        query.level,
        tuple(criteria),
        query.patient_identity is not None,
        query.limit is not None,
        bool(query.offset),
    )
    return shape, parameters


def _tests(criterion: Criterion) -> list[tuple[Test, list[Any]]]:
    """Tests of which one must hold, each with its values."""
    attribute, condition = criterion.attribute, criterion.condition
    if isinstance(condition, OnDay):
        date = _DATE_OF[attribute].column
        ((operation, bounds),) = tests_of(attribute, condition.times)
        return [(Test(f"{operation} on day", 1 + len(bounds), date), [condition.day, *bounds])]
    alike: list[tuple[Test, list[Any]]] = []
    if isinstance(condition, Sounds):
        alike = [(Test("sounds", 1, attribute.sound_column), [f"% {code} %"]) for code in condition.codes]
        condition = condition.literal
    plain = tests_of(attribute, condition)
    return [*((Test(operation, len(values)), values) for operation, values in plain), *alike]


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
    first = [name, f"{name}=*"]
    return first if name.isascii() else [*first, f"*={name}", f"*={name}=*"]


def _pattern(pattern: str) -> tuple[str, list[Any]]:
    """A DICOM wildcard pattern, where %, _ and backslash stand for themselves."""
    if "*" not in pattern and "?" not in pattern:
        return "in", [pattern]
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    like = escaped.replace("*", "%").replace("?", "_")
    prefix = pattern.split("*")[0].split("?")[0]
    # The prefix bounds the stretch of the index that is read
    return ("like within", [prefix, f"{prefix}\U0010ffff", like]) if prefix else ("like", [like])


def statement(shape: Shape) -> Select[Any]:
    """The statement that finds what a query of this shape asks, in order."""
    found = _SELECTS[shape.level]
    number = 0
    for path, tests in shape.criteria:
        parameters: _Tests = []
        for test in tests:
            names = [f"p{number + at}" for at in range(test.values)]
            parameters.append((test, [bindparam(name) for name in names]))
            number += test.values
        found = found.where(_where(BY_PATH[path], shape.level, parameters))
    if shape.of_patient:
        table = _patient if shape.level is Level.PATIENT else _study
        found = found.where(table.c.identity == bindparam("identity"))
    found = found.order_by(*_ORDER[shape.level])
    if shape.limited:
        found = found.limit(bindparam("limit"))
    return found.offset(bindparam("offset")) if shape.skipping else found


_Tests = list[tuple[Test, list[BindParameter[Any]]]]


def _where(attribute: Attribute, level: Level, tests: _Tests) -> ColumnElement[bool]:
    if attribute.level > level:
        return false()  # a key below the asked level can hold for none of its rows
    if attribute.keyword in DERIVED_KEYWORDS:
        return _where_in_study(attribute, tests)
    if attribute.level is Level.PATIENT:
        table = _patient if level is Level.PATIENT else _study
    else:
        table = (_study, _series, _instance)[attribute.level - Level.STUDY]
    return _compare(table, table.c[attribute.column], tests)


def _where_in_study(attribute: Attribute, tests: _Tests) -> ColumnElement[bool]:
    """ModalitiesInStudy and SOPClassesInStudy: some series of the study has it."""
    alias = _series.alias()
    is_modality = attribute.keyword == "ModalitiesInStudy"
    column = alias.c.modality if is_modality else "\\" + alias.c.sop_class_uids + "\\"
    if [test.operation for test, _ in tests] == ["no text"]:
        return ~exists().where(alias.c.study_key == _study.c.key, column != "")
    return exists().where(alias.c.study_key == _study.c.key, _compare(alias, column, tests))


def _compare(table: FromClause, column: ColumnElement[Any], tests: _Tests) -> ColumnElement[bool]:
    return or_(
        *(
            _OPERATIONS[test.operation](column, *([table.c[test.beside]] if test.beside else ()), *values)
            for test, values in tests
        )
    )


def compare(column: ColumnElement[Any], tests: list[tuple[str, list[Any]]]) -> ColumnElement[bool]:
    """Whether one of the tests holds for a column."""
    return or_(*(_OPERATIONS[operation](column, *values) for operation, values in tests))


_OPERATIONS: dict[str, Any] = {
    "in": lambda column, *values: column.in_(values) if len(values) > 1 else column == values[0],
    "like": lambda column, like: column.like(like, escape="\\"),
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
