"""From a Query to SQL: first its shape, of which there are few; a statement is built once for each."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
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
    union_all,
)

from pacs.attributes import BY_PATH, DERIVED_KEYWORDS, LISTED_BY_PATH, Attribute, Matching, date_of
from pacs.index import schema
from pacs.index.comparisons import holds, tests_of
from pacs.index.trigrams import Tests
from pacs.index.values import Values
from pacs.model import Level
from pacs.query import Criterion, OnDay, Order, Query, SortKey, Sounds
from pacs.time_zones import alternatives, around

_patient, _study, _series, _instance = schema.patient, schema.study, schema.series, schema.instance
_series_values = Values(schema.series, schema.series_value)
_study_values = Values(schema.study, schema.study_value)

# Newest studies first, as a reading list shows them; the key makes every order stable.
_ORDER: dict[Level, tuple[Any, ...]] = {
    Level.PATIENT: (_patient.c.patient_name.nulls_first(), _patient.c.key),
    Level.STUDY: schema.newest_first,
    Level.SERIES: (_series.c.study_key.desc(), *schema.series_order),
    Level.INSTANCE: (_series.c.study_key.desc(), *schema.instance_order),
}

# The same backwards is an order that the index of the other has, too
_ORDERED_BY: dict[tuple[Level, SortKey], tuple[ColumnElement[Any], ...]] = {
    (Level.PATIENT, SortKey.CHANGED): (_patient.c.changed,),
    (Level.PATIENT, SortKey.ID): (_patient.c.identity,),
    (Level.STUDY, SortKey.CHANGED): (_study.c.changed,),
    (Level.STUDY, SortKey.ID): (_study.c.study_instance_uid,),
}
_OLDEST_FIRST = (_study.c.study_date.asc().nulls_first(), _study.c.study_time.asc().nulls_first())

_SELECTS: dict[Level, Select[Any]] = {
    Level.PATIENT: select(_patient.c.identity, _patient.c.key, _patient.c.attributes, _patient.c.changed),
    Level.STUDY: select(_study.c.identity, _study.c.key, _study.c.attributes, _study.c.changed),
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


_OfOne = tuple[tuple[int, ...], tuple[Test, ...]]
_Criteria = tuple[_OfOne, ...]
_Zone = tuple[bool, tuple[tuple[_Criteria, ...], ...]]


class Shape(NamedTuple):
    """A query without its values.

    criteria: the path of each attribute, and tests of which one must hold.  below: the same of what is below.
    zoned: of each time zone whether studies state it, and for each date and its time groups of which one
        must hold in it.
    """

    level: Level
    criteria: _Criteria
    below: _Criteria
    zoned: tuple[_Zone, ...]
    of_patient: bool
    of_changed: bool
    order: tuple[Order, ...]
    limited: bool
    skipping: bool


Narrow = Callable[[Tests], Tests]


def shape_of(
    query: Query, offsets: Sequence[int] = (), narrow: Narrow = lambda tests: tests
) -> tuple[Shape, dict[str, Any]]:
    """The shape of a query, and its values under the names that the statement of the shape has for them.

    offsets: from UTC that studies state, where moments are asked.  narrow: makes tests of the patient's name
        such that mean the same and are sooner done.
    """
    values: list[Any] = []
    own = (*query.criteria, *around(query.moments))
    criteria = _shapes((*own, *query.below), values, narrow)
    zones = (None, *offsets) if query.moments else ()
    zoned = tuple(_zone_shape(query, offset, values) for offset in zones)
    parameters = {f"p{number}": value for number, value in enumerate(values)}
    parameters |= {f"zone{at}": offset for at, offset in enumerate(zones) if offset is not None}
    if query.patient_identity is not None:
        parameters["identity"] = query.patient_identity
    if query.changed is not None:
        parameters["changed_from"], parameters["changed_to"] = query.changed
    if query.limit is not None:
        parameters["limit"] = query.limit
    if query.offset:
        parameters["offset"] = query.offset
    shape = Shape(
        query.level,
        tuple(criteria[: len(own)]),
        tuple(criteria[len(own) :]),
        zoned,
        query.patient_identity is not None,
        query.changed is not None,
        query.order,
        query.limit is not None,
        bool(query.offset),
    )
    return shape, parameters


def _zone_shape(query: Query, offset: int | None, values: list[Any]) -> _Zone:
    """What the moments of a query are in one zone, without their values, which are added to the others."""
    pairs = alternatives(query.moments, query.zone, offset)
    shapes = tuple(tuple(tuple(_shapes(group, values)) for group in groups) for groups in pairs)
    return offset is not None, shapes


def _shapes(
    criteria: Sequence[Criterion], values: list[Any], narrow: Narrow = lambda tests: tests
) -> list[_OfOne]:
    """What criteria are without their values, which are added to the others."""
    shapes = []
    for criterion in criteria:
        tests = _tests(criterion, narrow)
        shapes.append((criterion.attribute.tags, tuple(test for test, _ in tests)))
        values += [value for _, own in tests for value in own]
    return shapes


def _tests(criterion: Criterion, narrow: Narrow) -> list[tuple[Test, list[Any]]]:
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
    if attribute.keyword == "PatientName" and not alike:
        plain = narrow(plain)
    return [*((Test(operation, len(values)), values) for operation, values in plain), *alike]


def statement(shape: Shape) -> Select[Any]:
    """The statement that finds what a query of this shape asks, in order."""
    found = _SELECTS[shape.level]
    of_items: dict[tuple[int, ...], list[tuple[Attribute, _Tests]]] = {}
    of_zones = (one for _, pairs in shape.zoned for groups in pairs for group in groups for one in group)
    bound = iter(list(_bound((*shape.criteria, *shape.below, *of_zones))))
    own = list(islice(bound, len(shape.criteria)))
    for attribute, parameters in islice(bound, len(shape.below)):
        found = found.where(_where_below(attribute, parameters))
    if shape.zoned:
        found = found.where(_where_zoned(shape, bound))
    for attribute, parameters in own:
        if len(attribute.path) > 1 and attribute.level is Level.SERIES <= shape.level:
            of_items.setdefault(attribute.tags[:-1], []).append((attribute, parameters))
        else:
            found = found.where(_where(attribute, shape.level, parameters))
    for criteria in of_items.values():
        found = found.where(_where_in_item(criteria, shape.level))
    found = _bounded(found, shape)
    order = _order(shape)
    found = found.order_by(*order)
    if shape.skipping:
        found = found.offset(bindparam("offset"))
    if not shape.limited:
        return found
    found = found.limit(bindparam("limit"))
    return _by_key(found, order) if shape.level is Level.STUDY else found


def _bounded(found: Select[Any], shape: Shape) -> Select[Any]:
    """Restricted to one patient, and to a time of the last change."""
    is_patient = shape.level is Level.PATIENT
    if shape.of_patient:
        mine = _patient.c.identity == bindparam("identity")
        # From the patient to the studies, whose own column of this has no index
        key = select(_patient.c.key).where(mine).scalar_subquery()
        found = found.where(mine if is_patient else _study.c.patient_key == key)
    if shape.of_changed:
        changed = _patient.c.changed if is_patient else _study.c.changed
        found = found.where(changed.between(bindparam("changed_from"), bindparam("changed_to")))
    return found


def _order(shape: Shape) -> tuple[Any, ...]:
    """The columns to order by; a key, which makes the order stable, comes last."""
    columns = [column for one in shape.order for column in _ordered(shape.level, one)]
    if not columns:
        return _ORDER[shape.level]
    key = _patient.c.key if shape.level is Level.PATIENT else _study.c.key
    return (*columns, key.desc() if shape.order[-1].is_descending else key.asc())


def _ordered(level: Level, order: Order) -> tuple[Any, ...]:
    if order.key is SortKey.STARTED:
        return schema.newest_first[:2] if order.is_descending else _OLDEST_FIRST
    columns = _ORDERED_BY[level, order.key]
    return tuple(column.desc() if order.is_descending else column.asc() for column in columns)


def _by_key(found: Select[Any], order: tuple[Any, ...]) -> Select[Any]:
    """The same answers, found by what the index of their order has: PostgreSQL would read each row for it."""
    keys = found.with_only_columns(_study.c.key)
    return _SELECTS[Level.STUDY].where(_study.c.key.in_(keys.correlate(None))).order_by(*order)


_Tests = list[tuple[Test, list[BindParameter[Any]]]]


def _bound(criteria: _Criteria) -> Iterator[tuple[Attribute, _Tests]]:
    """Each attribute, and its tests with parameters for their values."""
    number = 0
    for path, tests in criteria:
        parameters: _Tests = []
        for test in tests:
            parameters.append((test, [bindparam(f"p{number + at}") for at in range(test.values)]))
            number += test.values
        yield LISTED_BY_PATH[path] if path in LISTED_BY_PATH else BY_PATH[path], parameters


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


def _where_zoned(shape: Shape, bound: Iterator[tuple[Attribute, _Tests]]) -> ColumnElement[bool]:
    """Of each time zone that studies are in, the criteria that mean the same there.

    Hardly any zone tells many studies from each other: written so, no index is looked into for it.
    """
    zones = []
    offset = _study.c.timezone_offset + 0
    for at, (is_stated, pairs) in enumerate(shape.zoned):
        is_there = offset == bindparam(f"zone{at}") if is_stated else offset.is_(None)
        tests = ([_where_all(shape.level, islice(bound, len(group))) for group in one] for one in pairs)
        zones.append(and_(is_there, *(or_(*groups) for groups in tests)))
    return or_(*zones)


def _where_all(level: Level, criteria: Iterable[tuple[Attribute, _Tests]]) -> ColumnElement[bool]:
    return and_(*(_where(attribute, level, tests) for attribute, tests in criteria))


def _where_in_item(criteria: list[tuple[Attribute, _Tests]], level: Level) -> ColumnElement[bool]:
    """Keys of one sequence: some item of it has them all. The only item, or else the first, has columns."""
    in_columns = _where_all(level, criteria)
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
    """Some series or instance of the study has it; or the study itself, and that is found by its index."""
    series, table = _series.alias(), _instance.alias()
    if attribute.tags in LISTED_BY_PATH:
        return _where_listed(attribute, tests)
    if attribute.level is Level.STUDY:
        study = _study.alias()
        own = select(study.c.key).where(_compare(study, study.c[attribute.column], tests))
        return _key_for(tests).in_(own)
    if attribute.level is Level.INSTANCE:
        found = select(series.c.study_key).join(table, table.c.series_key == series.c.key)
    else:
        table, found = series, select(series.c.study_key)
    found = found.where(_compare(table, table.c[attribute.column], tests))
    if attribute.matching is Matching.UID:  # it leads to few rows, from which their studies are found
        return _study.c.key.in_(found)
    return found.where(series.c.study_key == _study.c.key).exists()


def _where_listed(attribute: Attribute, tests: _Tests) -> ColumnElement[bool]:
    """A value of the study, or of some series of it.

    Each test is a select of its own: of several in one, SQLite would read all values of the attribute.
    """
    values = _study_values if attribute.level is Level.STUDY else _series_values
    having = union_all(*(values.with_item([(attribute, [(test.operation, asked)])]) for test, asked in tests))
    if attribute.level is Level.STUDY:
        return _key_for(tests).in_(having)
    series = _series.alias()
    return _key_for(tests).in_(select(series.c.study_key).where(series.c.key.in_(having)))


def _key_for(tests: _Tests) -> ColumnElement[int]:
    """The key of a study, which is looked for among others.

    A pattern that may be anywhere in a text may find half of all studies: those are not to be read and
    sorted, but to be met in the order that is asked. So the key is written as no index has it.
    """
    is_anywhere = any(test.operation == "like" for test, _ in tests)
    return _study.c.key + 0 if is_anywhere else _study.c.key.expression


def _compare(table: FromClause, column: ColumnElement[Any], tests: _Tests) -> ColumnElement[bool]:
    return or_(
        *(
            holds(test.operation, column, *([table.c[test.beside]] if test.beside else ()), *values)
            for test, values in tests
        )
    )
