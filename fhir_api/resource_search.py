"""From conditions on kept resources to SQL."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, false, func, or_, select

from fhir_api.answers import Answer
from fhir_api.conditions import (
    Condition,
    LogicalReference,
    Order,
    Reference,
    Span,
    Token,
    Value,
    Window,
)
from fhir_api.resource_table import product, report, resource, search_value

_SENT = select(
    resource.c.type, resource.c.id, resource.c.content, resource.c.version, resource.c.last_updated
)


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
    order = [step for one in window.order for step in _ordered(one)]
    found = _SENT.where(*_where(resource_type, conditions)).order_by(*order, resource.c.key)
    return [_answer(row) for row in connection.execute(found.offset(window.offset).limit(window.limit))]


def count(connection: Connection, resource_type: str, conditions: Sequence[Condition]) -> int:
    """How many match."""
    return (
        connection.scalar(
            select(func.count()).select_from(resource).where(*_where(resource_type, conditions))
        )
        or 0
    )


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


def _where(resource_type: str, conditions: Sequence[Condition]) -> list[ColumnElement[bool]]:
    return [resource.c.type == resource_type, *(_holds(condition) for condition in conditions)]


def _holds(condition: Condition) -> ColumnElement[bool]:
    if condition.parameter.name == "_id":
        ids = [v.value for v in condition.values if isinstance(v, Token) and v.system is None and v.value]
        return resource.c.id.in_(ids)
    if condition.parameter.name == "_lastUpdated":
        updated = resource.c.last_updated
        spans = (value for value in condition.values if isinstance(value, Span))
        return or_(false(), *(_COMPARED[span.prefix](updated, updated, span) for span in spans))
    any_value = or_(false(), *(_says(condition.parameter.name, value) for value in condition.values))
    return resource.c.key.in_(select(search_value.c.resource_key).where(any_value))


# FHIR R4 3.1.1.4.5: what a resource says, from low to high, and what is asked
_COMPARED: Mapping[str, Callable[[Any, Any, Span], ColumnElement[bool]]] = {
    "eq": lambda low, high, asked: and_(low >= asked.low, high <= asked.high),
    "ne": lambda low, high, asked: or_(low < asked.low, high > asked.high),
    "gt": lambda _, high, asked: high > asked.high,
    "lt": lambda low, _, asked: low < asked.low,
    "ge": lambda low, high, asked: or_(high > asked.high, and_(low >= asked.low, high <= asked.high)),
    "le": lambda low, high, asked: or_(low < asked.low, and_(low >= asked.low, high <= asked.high)),
    "sa": lambda low, _, asked: low >= asked.high,
    "eb": lambda _, high, asked: high <= asked.low,
    "ap": lambda low, high, asked: and_(low <= asked.high, high >= asked.low),
}


def _says(name: str, value: Value) -> ColumnElement[bool]:
    columns = search_value.c
    match value:
        case Token():
            bounds = [columns.name == name]
            bounds += [columns.value == value.value] if value.value is not None else []
            bounds += [columns.system == value.system] if value.system is not None else []
            return and_(*bounds)
        case Reference(target):
            return and_(columns.name == name, columns.value == target)
        case LogicalReference(token):
            return _says(f"{name}:identifier", token)
        case Span():
            unit = value.unit or Token(None, None)
            return and_(_says(name, unit), _COMPARED[value.prefix](columns.low, columns.high, value))
    raise TypeError(f"{name} is not kept for searching")
