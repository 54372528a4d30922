"""The rows of the work items, and searching them."""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, Subquery, delete, exists, insert, select, update

from pacs.attributes import Key
from pacs.index import schema
from pacs.index.compile import compare, tests_of
from pacs.index.rows import SearchValue, dump
from pacs.model import DicomJson, Workitem
from pacs.query import Condition

Criteria = Sequence[tuple[Key, Condition]]

GROUP = 500  # rows read or written at a time

_workitem, _value, _subscription = schema.workitem, schema.workitem_value, schema.subscription


class WorkitemRows:
    """The work items as one connection sees them; what it writes lasts when its transaction does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, uid: str) -> Workitem | None:
        """One work item."""
        found = self._connection.execute(select(_workitem).where(_workitem.c.sop_instance_uid == uid)).first()
        return None if found is None else _workitem_of(found)

    def insert(self, uid: str, attributes: DicomJson, start: str, values: Iterable[SearchValue]) -> Workitem:
        """A new one.  start: as `normal_date_time` has it."""
        row = {"sop_instance_uid": uid, "transaction_uid": "", "attributes": dump(attributes), "start": start}
        inserted = insert(_workitem).values(row).returning(_workitem.c.key)
        key = self._connection.execute(inserted).scalar_one()
        self._write_values(key, values)
        return Workitem(key, uid, "", attributes)

    def update(self, changed: Workitem, start: str, values: Iterable[SearchValue], has_ended: bool) -> None:
        """Write what has changed of a work item.  has_ended: whether it is in a final state from now on."""
        row: dict[str, Any] = {
            "transaction_uid": changed.transaction_uid,
            "attributes": dump(changed.attributes),
            "start": start,
            "ended": time.time() if has_ended else None,
        }
        self._connection.execute(update(_workitem).where(_workitem.c.key == changed.key).values(row))
        self._connection.execute(delete(_value).where(_value.c.workitem_key == changed.key))
        self._write_values(changed.key, values)

    def search(self, criteria: Criteria, limit: int | None, offset: int) -> Iterator[DicomJson]:
        """The attributes of those that fulfil all criteria, by their start."""
        found = _matching(select(_workitem.c.attributes), criteria).order_by(
            _workitem.c.start, _workitem.c.key
        )
        rows = self._connection.execute(found.limit(limit).offset(offset))
        while page := rows.fetchmany(GROUP):
            yield from (orjson.loads(attributes) for (attributes,) in page)

    def matches(self, workitem: Workitem, criteria: Criteria) -> bool:
        """Whether a work item fulfils all criteria."""
        found = _matching(select(_workitem.c.key).where(_workitem.c.key == workitem.key), criteria)
        return self._connection.execute(found).first() is not None

    def without_subscription(self, ae_title: str, criteria: Criteria) -> Iterator[list[Workitem]]:
        """Those that fulfil all criteria and that a subscriber has no subscription to, in groups."""
        has = exists().where(
            _subscription.c.workitem_key == _workitem.c.key, _subscription.c.ae_title == ae_title
        )
        found = _matching(select(_workitem.c.key).where(~has), criteria)
        keys = list(self._connection.scalars(found.order_by(_workitem.c.key)))
        for start in range(0, len(keys), GROUP):
            group = select(_workitem).where(_workitem.c.key.in_(keys[start : start + GROUP]))
            yield [_workitem_of(row) for row in self._connection.execute(group.order_by(_workitem.c.key))]

    def remove_ended(self, before: float) -> None:
        """Forget those that came to their end before a time, unless somebody holds a deletion lock.

        before: seconds since 1970.
        """
        is_held = exists().where(
            _subscription.c.workitem_key == _workitem.c.key, _subscription.c.deletion_lock
        )
        keys = list(
            self._connection.scalars(
                select(_workitem.c.key).where(_workitem.c.ended < before, ~is_held).limit(GROUP)
            )
        )
        for table in (_value, _subscription):
            self._connection.execute(delete(table).where(table.c.workitem_key.in_(keys)))
        self._connection.execute(delete(_workitem).where(_workitem.c.key.in_(keys)))

    def _write_values(self, key: int, values: Iterable[SearchValue]) -> None:
        rows = [
            {"workitem_key": key, "path": path_name(one.tags), "item": one.item, "value": one.value}
            for one in values
        ]
        if rows:
            self._connection.execute(insert(_value), rows)


def path_name(tags: Iterable[int]) -> str:
    """The path to a key, such as "00404025.00080100"."""
    return ".".join(f"{tag:08X}" for tag in tags)


def _workitem_of(row: Row[Any]) -> Workitem:
    return Workitem(row.key, row.sop_instance_uid, row.transaction_uid, orjson.loads(row.attributes))


def _matching(found: Select[Any], criteria: Criteria) -> Select[Any]:
    """What is found, restricted to the work items that fulfil all criteria.

    Keys of one sequence are compared with one item of it (sequence matching, PS3.4 C.2.2.2.6).
    """
    ordered = sorted(criteria, key=lambda criterion: criterion[0].tags[:-1])
    for sequence, of_sequence in groupby(ordered, lambda criterion: criterion[0].tags[:-1]):
        together = list(of_sequence)
        groups = [together] if sequence else [[criterion] for criterion in together]
        for group in groups:
            found = found.where(_workitem.c.key.in_(select(_with_item(group).c.workitem_key)))
    return found


def _with_item(criteria: Criteria) -> Subquery:
    """The work items that have an item in which all criteria are fulfilled."""
    first, *others = (_value.alias() for _ in criteria)
    found = select(first.c.workitem_key).where(_holds(first, *criteria[0]))
    for other, criterion in zip(others, criteria[1:], strict=True):
        is_same = (other.c.workitem_key == first.c.workitem_key) & (other.c.item == first.c.item)
        found = found.where(exists().where(is_same, _holds(other, *criterion)))
    return found.subquery()


def _holds(row: Any, key: Key, condition: Condition) -> Any:
    return (row.c.path == path_name(key.tags)) & compare(row.c.value, tests_of(key, condition))
