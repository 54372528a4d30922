"""The rows of the work items, and searching them."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from sqlalchemy import Connection, Row, delete, exists, insert, select, update

from pacs.index import schema
from pacs.index.rows import SearchValue, dump
from pacs.index.values import Criteria, Values
from pacs.model import DicomJson, Workitem

GROUP = 500  # rows read or written at a time

_workitem, _gone, _subscription = schema.workitem, schema.workitem_gone, schema.subscription
_values = Values(schema.workitem, schema.workitem_value)


class WorkitemRows:
    """The work items as one connection sees them; what it writes lasts when its transaction does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, uid: str) -> Workitem | None:
        """One work item."""
        found = self._connection.execute(select(_workitem).where(_workitem.c.sop_instance_uid == uid)).first()
        return None if found is None else _workitem_of(found)

    def is_gone(self, uid: str) -> bool:
        """Whether there was one that was removed after its end."""
        found = select(_gone.c.sop_instance_uid).where(_gone.c.sop_instance_uid == uid)
        return self._connection.scalar(found) is not None

    def insert(self, uid: str, attributes: DicomJson, start: str, values: Iterable[SearchValue]) -> Workitem:
        """A new one.  start: as `normal_date_time` has it."""
        row = {"sop_instance_uid": uid, "transaction_uid": "", "attributes": dump(attributes), "start": start}
        self._connection.execute(delete(_gone).where(_gone.c.sop_instance_uid == uid))
        inserted = insert(_workitem).values(row).returning(_workitem.c.key)
        key = self._connection.execute(inserted).scalar_one()
        _values.write(self._connection, key, values)
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
        _values.write(self._connection, changed.key, values)

    def search(self, criteria: Criteria, limit: int | None, offset: int) -> Iterator[DicomJson]:
        """The attributes of those that fulfil all criteria, by their start."""
        found = _values.matching(select(_workitem.c.attributes), criteria).order_by(
            _workitem.c.start, _workitem.c.key
        )
        rows = self._connection.execute(found.limit(limit).offset(offset))
        while page := rows.fetchmany(GROUP):
            yield from (orjson.loads(attributes) for (attributes,) in page)

    def matches(self, workitem: Workitem, criteria: Criteria) -> bool:
        """Whether a work item fulfils all criteria."""
        found = _values.matching(select(_workitem.c.key).where(_workitem.c.key == workitem.key), criteria)
        return self._connection.execute(found).first() is not None

    def without_subscription(self, ae_title: str, criteria: Criteria) -> Iterator[list[Workitem]]:
        """Those that fulfil all criteria and that a subscriber has no subscription to, in groups."""
        has = exists().where(
            _subscription.c.workitem_key == _workitem.c.key, _subscription.c.ae_title == ae_title
        )
        found = _values.matching(select(_workitem.c.key).where(~has), criteria)
        keys = list(self._connection.scalars(found.order_by(_workitem.c.key)))
        for start in range(0, len(keys), GROUP):
            group = select(_workitem).where(_workitem.c.key.in_(keys[start : start + GROUP]))
            yield [_workitem_of(row) for row in self._connection.execute(group.order_by(_workitem.c.key))]

    def remove_ended(self, before: float) -> None:
        """Keep no more than the UIDs of those that ended before a time, unless a deletion lock holds them.

        before: seconds since 1970.
        """
        is_held = exists().where(
            _subscription.c.workitem_key == _workitem.c.key, _subscription.c.deletion_lock
        )
        ended = select(_workitem.c.key, _workitem.c.sop_instance_uid).where(
            _workitem.c.ended < before, ~is_held
        )
        rows = self._connection.execute(ended.limit(GROUP)).all()
        if not rows:
            return
        self._connection.execute(insert(_gone), [{"sop_instance_uid": row.sop_instance_uid} for row in rows])
        keys = [row.key for row in rows]
        _values.remove(self._connection, keys)
        self._connection.execute(delete(_subscription).where(_subscription.c.workitem_key.in_(keys)))
        self._connection.execute(delete(_workitem).where(_workitem.c.key.in_(keys)))


def _workitem_of(row: Row[Any]) -> Workitem:
    return Workitem(row.key, row.sop_instance_uid, row.transaction_uid, orjson.loads(row.attributes))
