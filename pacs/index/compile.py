"""From a Query to SQL."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy import false as sql_false

from pacs.attributes import DERIVED_KEYWORDS, Matching
from pacs.index import schema
from pacs.model import Level
from pacs.query import Criterion, OneOf, Query, Range, Wildcard

_patient, _study, _series, _instance = schema.patient, schema.study, schema.series, schema.instance

# Newest studies first, as a reading list shows them; the key makes every order stable.
_ORDER: dict[Level, tuple[Any, ...]] = {
    Level.PATIENT: (_patient.c.patient_name, _patient.c.key),
    Level.STUDY: (_study.c.study_date.desc(), _study.c.study_time.desc(), _study.c.key.desc()),
    Level.SERIES: (_series.c.study_key.desc(), _series.c.series_number, _series.c.key),
    Level.INSTANCE: (_instance.c.series_key, _instance.c.instance_number, _instance.c.key),
}


def statement(query: Query) -> Select[Any]:
    """The statement that finds what is asked, in order."""
    found = _SELECTS[query.level].where(*(_where(c, query.level) for c in query.criteria))
    if query.patient_identity is not None:
        table = _patient if query.level is Level.PATIENT else _study
        found = found.where(table.c.identity == query.patient_identity)
    return found.order_by(*_ORDER[query.level]).limit(query.limit).offset(query.offset or None)


_SELECTS: dict[Level, Select[Any]] = {
    Level.PATIENT: select(_patient.c.key, _patient.c.identity, _patient.c.attributes),
    Level.STUDY: select(_study.c.key, _study.c.identity, _study.c.attributes),
    Level.SERIES: select(
        _study.c.identity,
        _series.c.study_key,
        _series.c.number_of_instances,
        _study.c.attributes,
        _series.c.attributes.label("series_attributes"),
    ).join(_study, _series.c.study_key == _study.c.key),
    Level.INSTANCE: select(
        _study.c.identity,
        _series.c.study_key,
        _series.c.number_of_instances,
        _study.c.attributes,
        _series.c.attributes.label("series_attributes"),
        _instance.c.attributes.label("instance_attributes"),
        _instance.c.transfer_syntax_uid,
    )
    .join(_series, _instance.c.series_key == _series.c.key)
    .join(_study, _series.c.study_key == _study.c.key),
}


def _where(criterion: Criterion, level: Level) -> ColumnElement[bool]:
    attribute = criterion.attribute
    if attribute.keyword in DERIVED_KEYWORDS:
        return _where_in_study(criterion)
    if attribute.level is Level.PATIENT:
        table = _patient if level is Level.PATIENT else _study
    else:
        table = (_study, _series, _instance)[attribute.level - Level.STUDY]
    if attribute.level > level:
        return sql_false()  # a key below the asked level can hold for none of its rows
    return _compare(table.c[attribute.column], criterion)


def _where_in_study(criterion: Criterion) -> ColumnElement[bool]:
    """ModalitiesInStudy and SOPClassesInStudy: some series of the study has it."""
    alias = _series.alias()
    mine = alias.c.study_key == _study.c.key
    if criterion.attribute.keyword == "ModalitiesInStudy":
        return exists().where(mine, _compare(alias.c.modality, criterion))
    assert isinstance(criterion.condition, OneOf)  # noqa: S101 - UIDs have no other form
    bounded = "\\" + alias.c.sop_class_uids + "\\"
    return exists().where(mine, or_(*(bounded.contains(f"\\{uid}\\") for uid in criterion.condition.values)))


def _compare(column: ColumnElement[Any], criterion: Criterion) -> ColumnElement[bool]:
    is_name = criterion.attribute.matching is Matching.NAME
    match criterion.condition:
        case OneOf(values) if is_name:
            return or_(*(_any_group(column, value) for value in values))
        case OneOf(values) if criterion.attribute.matching is Matching.NUMBER:
            return column.in_([int(value) for value in values])
        case OneOf(values):
            return column.in_(values)
        case Wildcard(pattern) if is_name:
            return _any_group(column, pattern)
        case Wildcard(pattern):
            return _like(column, pattern)
        case Range(low, high):
            bounds = [column >= low] if low else []
            return and_(*bounds, *([column <= high] if high else []))


def _any_group(column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    """A pattern against the component groups of a name, which `=` parts (PS3.5 6.2.1.2).

    Written so that a pattern without a leading wildcard reads only its stretch of the column's index.
    """
    if "=" in pattern:
        return _like(column, pattern)
    matches = [_like(column, pattern), _like(column, pattern + "=*")]
    if not pattern.isascii():  # only then may another group than the alphabetic one be meant
        matches += [_like(column, "*=" + pattern), _like(column, "*=" + pattern + "=*")]
    return or_(*matches)


def _like(column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    """A DICOM wildcard pattern, where %, _ and \\ stand for themselves."""
    if "*" not in pattern and "?" not in pattern:
        return column == pattern
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    like = column.like(escaped.replace("*", "%").replace("?", "_"), escape="\\")
    prefix = pattern.split("*")[0].split("?")[0]
    return and_(column >= prefix, column < prefix + "\U0010ffff", like) if prefix else like
