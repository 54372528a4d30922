"""From conditions on kept resources to SQL."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, Row, and_, false, func, or_, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from fhir_api.answers import Answer
from fhir_api.conditions import (
    Condition,
    LogicalReference,
    Order,
    Reference,
    Span,
    Text,
    Token,
    Value,
    Window,
)
from fhir_api.resource_table import product, report, resource, search_value

_SENT = select(
    resource.c.type, resource.c.id, resource.c.content, resource.c.version, resource.c.last_updated
)

# A condition that finds less than this is narrow; one that finds less than the first is taken at once.
_FEW, _MANY = 100, 10_000


def read(connection: Connection, resource_type: str, resource_id: str) -> Answer | None:
    """One resource by its type and id; None when there is none."""
    mine = and_(resource.c.type == resource_type, resource.c.id == resource_id)
    row = connection.execute(_SENT.where(mine)).one_or_none()
    return None if row is None else _answer(row)


def of_study(connection: Connection, study_instance_uid: str) -> list[bytes]:
    """The content of what the reports of a study became, each once."""
    reports = select(report.c.sop_instance_uid).where(report.c.study_instance_uid == study_instance_uid)
    keys = select(product.c.resource_key).where(product.c.sop_instance_uid.in_(reports))
    found = select(resource.c.content).where(resource.c.key.in_(keys)).order_by(resource.c.key)
    return list(connection.scalars(found))


def page(
    connection: Connection, resource_type: str, conditions: Sequence[Condition], window: Window
) -> list[Answer]:
    """The matches in the window. What is alike, or not to be ordered, is in the order of being kept."""
    plan = _plan(connection, resource_type, conditions)
    order = [step for one in window.order for step in _ordered(one)]
    found = _SENT.where(*plan.where).order_by(*order, plan.key).offset(window.offset).limit(window.limit)
    return [_answer(row) for row in connection.execute(found)]


def in_order(
    connection: Connection, resource_type: str, after: int, last: int, since: float | None, limit: int
) -> list[tuple[int, bytes]]:
    """Keys and contents of the next resources of a type, in the order of being kept."""
    bounds = [resource.c.type == resource_type, resource.c.key > after, resource.c.key <= last]
    bounds += [resource.c.last_updated > since] if since is not None else []
    rows = select(resource.c.key, resource.c.content).where(*bounds).order_by(resource.c.key).limit(limit)
    return [(key, content) for key, content in connection.execute(rows)]


def count(connection: Connection, resource_type: str, conditions: Sequence[Condition]) -> int:
    """How many match."""
    plan = _plan(connection, resource_type, conditions)
    return connection.scalar(select(func.count()).select_from(resource).where(*plan.where)) or 0


def _ordered(order: Order) -> list[ColumnElement[Any]]:
    """The columns to order by: what says nothing comes last, several dates count by the outermost."""
    own = {"_id": resource.c.id, "_lastUpdated": resource.c.last_updated}.get(order.parameter.name)
    if own is not None:
        return [own.desc() if order.is_descending else own.asc()]
    outermost = func.max(search_value.c.high) if order.is_descending else func.min(search_value.c.low)
    said = and_(search_value.c.resource_key == resource.c.key, search_value.c.name == order.parameter.name)
    when = select(outermost).where(said).scalar_subquery()
    return [when.is_(None), when.desc() if order.is_descending else when.asc()]


def _answer(row: Row[*tuple[Any, ...]]) -> Answer:
    return Answer(row.type, row.id, row.content, str(row.version), row.last_updated)


class _Plan(NamedTuple):
    """How matches are found.  key: what they are ordered by where nothing else is asked."""

    where: list[ColumnElement[bool]]
    key: ColumnElement[int]


def _plan(connection: Connection, resource_type: str, conditions: Sequence[Condition]) -> _Plan:
    """Of several conditions a narrow one finds resources, and the others are held against each of those.

    Without statistics SQLite takes any condition for a narrow one, and goes through all that are of a type,
    or of a common code. What it shall not find by is therefore written so that no index fits.
    """
    narrow = _narrow(connection, conditions) if len(conditions) > 1 else None
    if narrow is None:
        of_type = resource.c.type == resource_type
        return _Plan([of_type, *(_finds(condition) for condition in conditions)], resource.c.key)
    kind = resource.c.type if narrow.parameter.name == "_id" else func.coalesce(resource.c.type, "")
    others = [_is_held_by(condition) for condition in conditions if condition is not narrow]
    return _Plan([kind == resource_type, _finds(narrow), *others], resource.c.key + 0)


def _narrow(connection: Connection, conditions: Sequence[Condition]) -> Condition | None:
    """A condition that finds few, or else one that does not find very many; None where all do."""
    for limit in _FEW, _MANY:
        for condition in conditions:
            if condition.parameter.name == "_id":
                return condition
            if condition.parameter.name == "_lastUpdated":
                continue
            said = select(search_value.c.resource_key).where(_any_value(condition, search_value)).limit(limit)
            if (connection.scalar(select(func.count()).select_from(said.subquery())) or 0) < limit:
                return condition
    return None


def _finds(condition: Condition) -> ColumnElement[bool]:
    own = _of_the_resource_itself(condition)
    if own is not None:
        return own
    said = select(search_value.c.resource_key).where(_any_value(condition, search_value))
    return resource.c.key.in_(said)


def _is_held_by(condition: Condition) -> ColumnElement[bool]:
    own = _of_the_resource_itself(condition)
    if own is not None:
        return own
    value = search_value.alias()
    mine = value.c.resource_key == resource.c.key
    return select(1).where(mine, _any_value(condition, value, func.coalesce(value.c.name, ""))).exists()


def _of_the_resource_itself(condition: Condition) -> ColumnElement[bool] | None:
    """A condition on what is no search value."""
    if condition.parameter.name == "_id":
        ids = [v.value for v in condition.values if isinstance(v, Token) and v.system is None and v.value]
        return resource.c.id.in_(ids)
    if condition.parameter.name == "_lastUpdated":
        updated = resource.c.last_updated
        spans = (value for value in condition.values if isinstance(value, Span))
        return or_(false(), *(_COMPARED[span.prefix](updated, updated, span) for span in spans))
    return None


def _any_value(
    condition: Condition, values: FromClause, name: ColumnElement[str] = search_value.c.name
) -> ColumnElement[bool]:
    """name: of a value of a resource that is found already, so written that no index goes by it."""
    kind = condition.parameter.name
    return or_(false(), *(_says(kind, value, values.c, name) for value in condition.values))


# FHIR R4 3.1.1.4.5: what a resource says, from low to high, and what is asked
_COMPARED: Mapping[str, Callable[[Any, Any, Span], ColumnElement[bool]]] = {
    "eq": lambda low, high, asked: and_(low >= asked.low, low <= asked.high, high <= asked.high),
    "ne": lambda low, high, asked: or_(low < asked.low, high > asked.high),
    "gt": lambda _, high, asked: high > asked.high,
    "lt": lambda low, _, asked: low < asked.low,
    "ge": lambda low, high, asked: or_(high > asked.high, and_(low >= asked.low, high <= asked.high)),
    "le": lambda low, high, asked: or_(low < asked.low, and_(low >= asked.low, high <= asked.high)),
    "sa": lambda low, _, asked: low >= asked.high,
    "eb": lambda _, high, asked: high <= asked.low,
    "ap": lambda low, high, asked: and_(low <= asked.high, high >= asked.low),
}


def _says(
    kind: str, value: Value, columns: ReadOnlyColumnCollection[str, Any], name: ColumnElement[str]
) -> ColumnElement[bool]:
    match value:
        case Token():
            bounds = [name == kind]
            bounds += [columns.value == value.value] if value.value is not None else []
            bounds += [columns.system == value.system] if value.system is not None else []
            return and_(*bounds)
        case Reference(target):
            return and_(name == kind, columns.value == target)
        case LogicalReference(token):
            return _says(f"{kind}:identifier", token, columns, name)
        case Text(beginning):
            return and_(name == kind, columns.value.startswith(beginning, autoescape=True))
        case Span():
            unit = _says(kind, value.unit or Token(None, None), columns, name)
            return and_(unit, _COMPARED[value.prefix](columns.low, columns.high, value))
    raise TypeError(f"{kind} is not kept for searching")
