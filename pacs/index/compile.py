"""From a Query to SQL: first its shape, of which there are few; a statement is built once for each."""

from collections.abc import Iterator
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
)

from pacs.attributes import BY_PATH, DERIVED_KEYWORDS, Attribute, Matching, date_of
from pacs.index import schema
from pacs.index.comparisons import holds, tests_of
from pacs.index.values import Values
from pacs.model import Level
from pacs.query import Criterion, OnDay, Query, Sounds

_patient, _study, _series, _instance = schema.patient, schema.study, schema.series, schema.instance
_series_values = Values(schema.series, schema.series_value)

# Newest studies first, as a reading list shows them; the key makes every order stable.
_ORDER: dict[Level, tuple[Any, ...]] = {
    Level.PATIENT: (_patient.c.patient_name.nulls_first(), _patient.c.key),
    Level.STUDY: schema.newest_first,
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


_Criteria = tuple[tuple[tuple[int, ...], tuple[Test, ...]], ...]


class Shape(NamedTuple):
    """A query without its values.

    criteria: the path of each attribute, and tests of which one must hold.  below: the same of what is below.
    """

    level: Level
    criteria: _Criteria
    below: _Criteria
    of_patient: bool
    limited: bool
    skipping: bool


def shape_of(query: Query) -> tuple[Shape, dict[str, Any]]:
    """The shape of a query, and its values under the names that the statement of the shape has for them."""
    values: list[Any] = []
    criteria = []
    for criterion in (*query.criteria, *query.below):
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
        tuple(criteria[: len(query.criteria)]),
        tuple(criteria[len(query.criteria) :]),
        query.patient_identity is not None,
        query.limit is not None,
        bool(query.offset),
    )
    return shape, parameters


def _tests(criterion: Criterion) -> list[tuple[Test, list[Any]]]:
    """Tests of which one must hold, each with its values."""
    attribute, condition = criterion.attribute, criterion.condition
    if isinstance(condition, OnDay):
        date = BY_PATH[date_of(attribute).tags].column
        ((operation, bounds),) = tests_of(attribute, condition.times)
        return [(Test(f"{operation} on day", 1 + len(bounds), date), [condition.day, *bounds])]
    alike: list[tuple[Test, list[Any]]] = []
    if isinstance(condition, Sounds):
        alike = [(Test("sounds", 1, attribute.sound_column), [f"% {code} %"]) for code in condition.codes]
        condition = condition.literal
    plain = tests_of(attribute, condition)
    return [*((Test(operation, len(values)), values) for operation, values in plain), *alike]


def statement(shape: Shape) -> Select[Any]:
    """The statement that finds what a query of this shape asks, in order."""
    found = _SELECTS[shape.level]
    of_items: dict[tuple[int, ...], list[tuple[Attribute, _Tests]]] = {}
    bound = list(_bound((*shape.criteria, *shape.below)))
    for attribute, parameters in bound[len(shape.criteria) :]:
        found = found.where(_where_below(attribute, parameters))
    for attribute, parameters in bound[: len(shape.criteria)]:
        if len(attribute.path) > 1 and attribute.level is Level.SERIES <= shape.level:
            of_items.setdefault(attribute.tags[:-1], []).append((attribute, parameters))
        else:
            found = found.where(_where(attribute, shape.level, parameters))
    for criteria in of_items.values():
        found = found.where(_where_in_item(criteria, shape.level))
    if shape.of_patient:
        table = _patient if shape.level is Level.PATIENT else _study
        found = found.where(table.c.identity == bindparam("identity"))
    found = found.order_by(*_ORDER[shape.level])
    if shape.skipping:
        found = found.offset(bindparam("offset"))
    if not shape.limited:
        return found
    found = found.limit(bindparam("limit"))
    return _by_key(found) if shape.level is Level.STUDY else found


def _by_key(found: Select[Any]) -> Select[Any]:
    """The same answers, found by what the index of their order has: PostgreSQL would read each row for it."""
    keys = found.with_only_columns(_study.c.key)
    return _SELECTS[Level.STUDY].where(_study.c.key.in_(keys.correlate(None))).order_by(*_ORDER[Level.STUDY])


_Tests = list[tuple[Test, list[BindParameter[Any]]]]


def _bound(criteria: _Criteria) -> Iterator[tuple[Attribute, _Tests]]:
    """Each attribute, and its tests with parameters for their values."""
    number = 0
    for path, tests in criteria:
        parameters: _Tests = []
        for test in tests:
            parameters.append((test, [bindparam(f"p{number + at}") for at in range(test.values)]))
            number += test.values
        yield BY_PATH[path], parameters


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


def _where_in_item(criteria: list[tuple[Attribute, _Tests]], level: Level) -> ColumnElement[bool]:
    """Keys of one sequence: some item of it has them all. The only item, or else the first, has columns."""
    in_columns = and_(*(_where(attribute, level, tests) for attribute, tests in criteria))
    tests_of_keys = [
        (attribute, [(test.operation, values) for test, values in tests]) for attribute, tests in criteria
    ]
    return or_(in_columns, _series.c.key.in_(_series_values.with_item(tests_of_keys)))


def _where_in_study(attribute: Attribute, tests: _Tests) -> ColumnElement[bool]:
    """ModalitiesInStudy and SOPClassesInStudy: some series of the study has it."""
    alias = _series.alias()
    is_modality = attribute.keyword == "ModalitiesInStudy"
    column = alias.c.modality if is_modality else "\\" + alias.c.sop_class_uids + "\\"
    if [test.operation for test, _ in tests] == ["no text"]:
        return ~exists().where(alias.c.study_key == _study.c.key, column != "")
    return exists().where(alias.c.study_key == _study.c.key, _compare(alias, column, tests))


def _where_below(attribute: Attribute, tests: _Tests) -> ColumnElement[bool]:
    """Some series or instance of the study has it."""
    series, table = _series.alias(), _instance.alias()
    if attribute.level is Level.INSTANCE:
        found = select(series.c.study_key).join(table, table.c.series_key == series.c.key)
    else:
        table, found = series, select(series.c.study_key)
    found = found.where(_compare(table, table.c[attribute.column], tests))
    if attribute.matching is Matching.UID:  # it leads to few rows, from which their studies are found
        return _study.c.key.in_(found)
    return found.where(series.c.study_key == _study.c.key).exists()


def _compare(table: FromClause, column: ColumnElement[Any], tests: _Tests) -> ColumnElement[bool]:
    return or_(
        *(
            holds(test.operation, column, *([table.c[test.beside]] if test.beside else ()), *values)
            for test, values in tests
        )
    )
