"""The rows of scheduled and performed procedure steps, and searching them."""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, delete, insert, select, update

from pacs.index import schema
from pacs.index.message_queue import new_row
from pacs.index.rows import SearchValue, dump
from pacs.index.schema.messages import step_message
from pacs.index.values import Criteria, Values
from pacs.model import DicomJson, PerformedStep, ScheduledStep

GROUP = 500  # rows read or removed at a time

_scheduled, _performed = schema.scheduled_step, schema.performed_step
_scheduled_values = Values(schema.scheduled_step, schema.scheduled_step_value)
_performed_values = Values(schema.performed_step, schema.performed_step_value)


class ScheduledStepRows:
    """Scheduled steps as one connection sees them; what it writes lasts when its transaction does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, study_instance_uid: str, step_id: str) -> ScheduledStep | None:
        """One step."""
        found = self._connection.execute(
            select(*(_scheduled.c[name] for name in ScheduledStep._fields)).where(
                _scheduled.c.study_instance_uid == study_instance_uid, _scheduled.c.step_id == step_id
            )
        ).first()
        return None if found is None else _scheduled_of(found)

    def of_study(self, study_instance_uid: str) -> list[DicomJson]:
        """The attributes of all steps of a study, those that have ended among them."""
        here = _scheduled.c.study_instance_uid == study_instance_uid
        found = select(_scheduled.c.attributes).where(here).order_by(_scheduled.c.key)
        return list(_attributes(self._connection, found))

    def put(self, step: ScheduledStep, values: Iterable[SearchValue], has_ended: bool) -> None:
        """Write a step, in place of the one of the same names.  has_ended: whether it needs no performing."""
        ended = time.time() if has_ended else None
        row = step._asdict() | {"attributes": dump(step.attributes), "ended": ended}
        key = self._key(step.study_instance_uid, step.step_id)
        if key is None:
            inserted = insert(_scheduled).values(row).returning(_scheduled.c.key)
            key = self._connection.execute(inserted).scalar_one()
        else:
            self._connection.execute(update(_scheduled).where(_scheduled.c.key == key).values(row))
        _scheduled_values.write(self._connection, key, values)

    def remove(self, study_instance_uid: str, step_id: str) -> bool:
        """Remove a step; whether there was one."""
        key = self._key(study_instance_uid, step_id)
        if key is not None:
            self._remove([key])
        return key is not None

    def remove_ended(self, before: float) -> None:
        """Forget those that came to their end before a time, in seconds since 1970."""
        ended = select(_scheduled.c.key).where(_scheduled.c.ended < before).limit(GROUP)
        self._remove(list(self._connection.scalars(ended)))

    def search(
        self,
        criteria: Criteria,
        passed_over: Sequence[str],
        limit: int | None,
        offset: int,
    ) -> Iterator[DicomJson]:
        """The attributes of those that fulfil all criteria, by their start.

        passed_over: statuses that are not looked for.
        """
        found = _scheduled_values.matching(select(_scheduled.c.attributes), criteria)
        if passed_over:
            found = found.where(_scheduled.c.status.not_in(passed_over))
        ordered = found.order_by(_scheduled.c.start, _scheduled.c.key).limit(limit).offset(offset)
        return _attributes(self._connection, ordered)

    def _key(self, study_instance_uid: str, step_id: str) -> int | None:
        return self._connection.scalar(
            select(_scheduled.c.key).where(
                _scheduled.c.study_instance_uid == study_instance_uid, _scheduled.c.step_id == step_id
            )
        )

    def _remove(self, keys: Sequence[int]) -> None:
        _scheduled_values.remove(self._connection, keys)
        self._connection.execute(delete(_scheduled).where(_scheduled.c.key.in_(keys)))


class PerformedStepRows:
    """Performed steps as one connection sees them; what it writes lasts when its transaction does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, uid: str) -> PerformedStep | None:
        """One step."""
        columns = (_performed.c.sop_instance_uid, _performed.c.status, _performed.c.attributes)
        found = self._connection.execute(select(*columns).where(_performed.c.sop_instance_uid == uid)).first()
        return None if found is None else PerformedStep(found[0], found[1], orjson.loads(found[2]))

    def insert(self, step: PerformedStep, values: Iterable[SearchValue]) -> None:
        """A new one."""
        row = {"sop_instance_uid": step.uid, "status": step.status, "attributes": dump(step.attributes)}
        inserted = insert(_performed).values(row).returning(_performed.c.key)
        key = self._connection.execute(inserted).scalar_one()
        _performed_values.write(self._connection, key, values)

    def update(self, step: PerformedStep, values: Iterable[SearchValue], has_ended: bool) -> None:
        """Write what has changed of it.  has_ended: whether it is in a final state from now on."""
        row = {
            "status": step.status,
            "attributes": dump(step.attributes),
            "ended": time.time() if has_ended else None,
        }
        here = _performed.c.sop_instance_uid == step.uid
        updated = update(_performed).where(here).values(row).returning(_performed.c.key)
        key = self._connection.execute(updated).scalar_one()
        _performed_values.write(self._connection, key, values)

    def tell(self, destination: str, uid: str, is_new: bool, attributes: DicomJson) -> None:
        """Let a system be told of a step.  is_new: whether it is made by these attributes, or changed."""
        said = {"is_new": is_new, "attributes": dump(attributes)}
        self._connection.execute(insert(step_message).values(new_row(destination, uid) | said))

    def search(self, criteria: Criteria, limit: int | None, offset: int) -> Iterator[DicomJson]:
        """The attributes of those that fulfil all criteria, the newest first."""
        found = _performed_values.matching(select(_performed.c.attributes), criteria)
        ordered = found.order_by(_performed.c.key.desc()).limit(limit).offset(offset)
        return _attributes(self._connection, ordered)

    def remove_ended(self, before: float) -> None:
        """Forget those that came to their end before a time, in seconds since 1970."""
        ended = select(_performed.c.key).where(_performed.c.ended < before).limit(GROUP)
        keys = list(self._connection.scalars(ended))
        _performed_values.remove(self._connection, keys)
        self._connection.execute(delete(_performed).where(_performed.c.key.in_(keys)))


def _attributes(connection: Connection, found: Select[Any]) -> Iterator[DicomJson]:
    """The attributes of what is found, some at a time."""
    rows = connection.execute(found)
    while page := rows.fetchmany(GROUP):
        yield from (orjson.loads(attributes) for (attributes,) in page)


def _scheduled_of(row: Row[Any]) -> ScheduledStep:
    names = row.study_instance_uid, row.step_id
    return ScheduledStep(*names, row.start, row.status, orjson.loads(row.attributes))
