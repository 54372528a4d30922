"""Searching among kept resources."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from fhir_api.answers import Answer
from fhir_api.conditions import Condition, Window
from fhir_api.resource_statements import SENT, built, count_statement, page_statement, probe_statement
from fhir_api.resource_table import product, report, resource
from fhir_api.shapes import Shape, shape_of

# A condition that finds less than this is narrow; one that finds less than the first is taken at once.
_FEW, _MANY = 100, 10_000


def read(connection: Connection, resource_type: str, resource_id: str) -> Answer | None:
    """One resource by its type and id; None when there is none."""
    mine = and_(resource.c.type == resource_type, resource.c.id == resource_id)
    row = connection.execute(SENT.where(mine)).one_or_none()
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
    shape = shape_of(conditions)
    narrow = _narrow(connection, shape)
    statement = built(page_statement, shape, resource_type, shape.conditions, narrow, window.order)
    asked = {**shape.parameters, "offset": window.offset, "limit": window.limit}
    return [_answer(row) for row in connection.execute(statement, asked)]


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
    shape = shape_of(conditions)
    statement = built(count_statement, shape, resource_type, shape.conditions, _narrow(connection, shape))
    return connection.scalar(statement, shape.parameters) or 0


def _narrow(connection: Connection, shape: Shape) -> int | None:
    """The place of a condition that finds few, or else not very many; None where all do, or it is alone."""
    for most in (_FEW, _MANY) if len(shape.conditions) > 1 else ():
        for place, condition in enumerate(shape.conditions):
            if condition.parameter.name == "_id":
                return place
            if condition.parameter.name == "_lastUpdated":
                continue
            probe = built(probe_statement, shape, condition)
            if (connection.scalar(probe, {**shape.parameters, "most": most}) or 0) < most:
                return place
    return None


def _answer(row: Row[*tuple[Any, ...]]) -> Answer:
    return Answer(row.type, row.id, row.content, str(row.version), row.last_updated)
