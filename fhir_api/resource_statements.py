"""The SQL of searches among kept resources, built once for all that are alike."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Float,
    FromClause,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    false,
    func,
    or_,
    select,
)
from sqlalchemy import Text as Text_
from sqlalchemy.types import TypeEngine

from fhir_api.conditions import (
    Condition,
    LogicalReference,
    Order,
    Pair,
    Reference,
    Span,
    Text,
    Token,
    Value,
)
from fhir_api.resource_table import resource, search_pair, search_value
from fhir_api.search_table import Kind
from fhir_api.shapes import Shape, parameter_name

# What is sent of a resource
SENT = select(resource.c.type, resource.c.id, resource.c.content, resource.c.version, resource.c.last_updated)

_SHAPES = 512  # statements of each kind that are kept
_LONG = 24  # parameters of a statement that is not


class _Building(Protocol):
    """A function that keeps what it built."""

    __wrapped__: Callable[..., Select[Any]]

    def __call__(self, *of_shape: Any) -> Select[Any]: ...


def built(build: _Building, shape: Shape, *of_shape: Any) -> Select[Any]:
    """The statement of a shape: building it takes longer than running it. Long ones are seldom alike."""
    is_long = len(shape.parameters) > _LONG
    return build.__wrapped__(*of_shape) if is_long else build(*of_shape)


@lru_cache(_SHAPES)
def page_statement(
    resource_type: str, conditions: Sequence[Condition], narrow: int | None, orders: Sequence[Order]
) -> Select[Any]:
    """Matches from `offset` on, at most `limit`. narrow: the place of a condition that finds few, if any."""
    plan = _plan(resource_type, conditions, narrow)
    order = [step for one in orders for step in _ordered(one)]
    found = SENT.where(*plan.where).order_by(*order, plan.key)
    return found.offset(bindparam("offset", type_=Integer)).limit(bindparam("limit", type_=Integer))


@lru_cache(_SHAPES)
def count_statement(resource_type: str, conditions: Sequence[Condition], narrow: int | None) -> Select[Any]:
    """How many match."""
    plan = _plan(resource_type, conditions, narrow)
    return select(func.count()).select_from(resource).where(*plan.where)


@lru_cache(_SHAPES)
def probe_statement(condition: Condition) -> Select[Any]:
    """How many it finds, but no more than `most`."""
    said = _found_by(condition).limit(bindparam("most", type_=Integer))
    return select(func.count()).select_from(said.subquery())


class _Plan(NamedTuple):
    """How matches are found.  key: what they are ordered by where nothing else is asked."""

    where: list[ColumnElement[bool]]
    key: ColumnElement[int]


def _plan(resource_type: str, conditions: Sequence[Condition], narrow: int | None) -> _Plan:
    """Of several conditions a narrow one finds resources, and the others are held against each of those.

    Without statistics SQLite takes any condition for a narrow one, and goes through all that are of a type,
    or of a common code. What it shall not find by is therefore written so that no index fits.
    narrow: the place of that condition; None where there is none.
    """
    if narrow is None:
        of_type = resource.c.type == resource_type
        return _Plan([of_type, *(_finds(condition) for condition in conditions)], resource.c.key)
    finding = conditions[narrow]
    kind = resource.c.type if finding.parameter.name == "_id" else func.coalesce(resource.c.type, "")
    others = [_is_held_by(condition) for condition in conditions if condition is not finding]
    return _Plan([kind == resource_type, _finds(finding), *others], resource.c.key + 0)


def _ordered(order: Order) -> list[ColumnElement[Any]]:
    """The columns to order by: what says nothing comes last, several dates count by the outermost."""
    own = {"_id": resource.c.id, "_lastUpdated": resource.c.last_updated}.get(order.parameter.name)
    if own is not None:
        return [own.desc() if order.is_descending else own.asc()]
    outermost = func.max(search_value.c.high) if order.is_descending else func.min(search_value.c.low)
    said = and_(search_value.c.resource_key == resource.c.key, search_value.c.name == order.parameter.name)
    when = select(outermost).where(said).scalar_subquery()
    return [when.is_(None), when.desc() if order.is_descending else when.asc()]


def _finds(condition: Condition) -> ColumnElement[bool]:
    own = _of_the_resource_itself(condition)
    if own is not None:
        return own
    return resource.c.key.in_(_found_by(condition))


def _found_by(condition: Condition) -> Select[Any]:
    """The keys of resources that fulfil a condition."""
    table = _table_of(condition)
    return select(table.c.resource_key).where(_any_value(condition, table))


def _table_of(condition: Condition) -> Table:
    return search_pair if condition.parameter.kind is Kind.COMPOSITE else search_value


def _is_held_by(condition: Condition) -> ColumnElement[bool]:
    own = _of_the_resource_itself(condition)
    if own is not None:
        return own
    held = _table_of(condition).alias()
    # Of a resource that is found already: so written that no index goes by the name
    name = func.coalesce(held.c.name, "")
    return select(1).where(held.c.resource_key == resource.c.key, _any_value(condition, held, name)).exists()


def _of_the_resource_itself(condition: Condition) -> ColumnElement[bool] | None:
    """A condition on what is no search value."""
    if condition.parameter.name == "_id":
        ids = [v.value for v in condition.values if isinstance(v, Token) and v.system is None and v.value]
        return resource.c.id.in_([_parameter(one, Text_) for one in ids])
    if condition.parameter.name == "_lastUpdated":
        updated = resource.c.last_updated
        spans = (value for value in condition.values if isinstance(value, Span))
        return or_(false(), *(_compared(updated, updated, span) for span in spans))
    return None


def _any_value(
    condition: Condition, values: FromClause, name: ColumnElement[str] | None = None
) -> ColumnElement[bool]:
    """name: in place of the column of this name."""
    name = values.c.name if name is None else name
    return or_(false(), *(_says(condition, value, values, name) for value in condition.values))


# FHIR R4 3.1.1.4.5: what a resource says, from low to high, and what is asked, from `of` to `to`
_COMPARED: Mapping[str, Callable[[Any, Any, Any, Any], ColumnElement[bool]]] = {
    "eq": lambda low, high, of, to: and_(low >= of, low <= to, high <= to),
    "ne": lambda low, high, of, to: or_(low < of, high > to),
    "gt": lambda _, high, __, to: high > to,
    "lt": lambda low, _, of, __: low < of,
    "ge": lambda low, high, of, to: or_(high > to, and_(low >= of, high <= to)),
    "le": lambda low, high, of, to: or_(low < of, and_(low >= of, high <= to)),
    "sa": lambda low, _, __, to: low >= to,
    "eb": lambda _, high, of, __: high <= of,
    "ap": lambda low, high, of, to: and_(low <= to, high >= of),
}


def _compared(low: Any, high: Any, asked: Span) -> ColumnElement[bool]:
    return _COMPARED[asked.prefix](low, high, _parameter(asked.low, Float), _parameter(asked.high, Float))


def _parameter(number: str | float, kind: type[TypeEngine[Any]]) -> BindParameter[Any]:
    return bindparam(parameter_name(number), type_=kind)


class _Columns(NamedTuple):
    """Of a value, or of one part of a pair."""

    system: ColumnElement[str]
    value: ColumnElement[str]
    low: ColumnElement[float]
    high: ColumnElement[float]


def _says(
    condition: Condition, value: Value, values: FromClause, name: ColumnElement[str]
) -> ColumnElement[bool]:
    kinds = condition.parameter.kept_under
    if isinstance(value, LogicalReference):
        kinds, value = tuple(f"{kind}:identifier" for kind in kinds), value.token
    is_so = name == kinds[0] if len(kinds) == 1 else name.in_(kinds)
    columns = values.c
    own = _Columns(columns.system, columns.value, columns.low, columns.high)
    if isinstance(value, Pair):
        part = own._replace(system=columns.part_system, value=columns.part_value)
        return and_(is_so, *_fits(value.first, own), *_fits(value.second, part))
    return and_(is_so, *_fits(value, own))


def _fits(value: Value, said: _Columns) -> Iterator[ColumnElement[bool]]:
    match value:
        case Token(system, code):
            if code is not None:
                yield said.value == _parameter(code, Text_)
            if system is not None:
                yield said.system == _parameter(system, Text_)
        case Reference(target):
            yield said.value == _parameter(target, Text_)
        case Text(beginning):
            yield said.value.like(_parameter(beginning, Text_), escape="/")
        case Span(unit=unit):
            yield from _fits(unit or Token(None, None), said)
            yield _compared(said.low, said.high, value)
        case _:
            raise TypeError(f"{type(value).__name__} is not kept for searching")
