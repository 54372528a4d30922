"""The durable side of the followers: how far each has read the change feed, and what it still has to do."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, bindparam, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from pacs.index import schema
from pacs.index.engine import Transactions, connected
from pacs.model import Action, Change

_task, _cursor, _change = schema.task, schema.cursor, schema.change
_STATE = ("sequence", "due", "attempts", "dead", "error")
_SUBJECT = ("follower", "study_instance_uid", "series_instance_uid", "sop_instance_uid")


@dataclass(frozen=True, slots=True)
class Task:
    """Something that a follower has to do.

    The UIDs below the level that the follower works at are empty.
    sequence: the last change that asked for it.  attempts: how often it failed already.
    since: the change after which the first came that asked for it.
    """

    key: int
    follower: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sequence: int
    attempts: int
    since: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a stretch of the change feed gives a follower to do.

    subjects: study, series and SOP Instance UID, with the change that asks for it.
    due: seconds since 1970.  cursor: the last change of the stretch.  since: the one before its first.
    """

    follower: str
    subjects: dict[tuple[str, str, str], int]
    due: float
    cursor: int
    since: int = 0


@dataclass(frozen=True, slots=True)
class Backlog:
    """How a follower stands: changes not read yet, tasks waiting, tasks given up."""

    follower: str
    behind: int
    waiting: int
    dead: int


class Tasks:
    """The tables of the followers."""

    def __init__(self, engine: Engine, transactions: Transactions) -> None:
        self._engine = engine
        self._transactions = transactions

    def changes(self, after: int, limit: int) -> list[Change]:
        """The change feed behind this sequence, in order."""
        rows = select(_change).where(_change.c.sequence > after).order_by(_change.c.sequence).limit(limit)
        with connected(self._engine) as connection:
            return [_change_of(row) for row in connection.execute(rows)]

    def changes_of(self, task: Task) -> list[Change]:
        """All that has changed in the study of a task since the follower was done with it, in order.

        The feed is read from there on, whatever else came in between.
        """
        stretch = (_change.c.sequence > task.since) & (_change.c.sequence <= task.sequence)
        of_study = _change.c.study_instance_uid == task.study_instance_uid
        found = select(_change).where(stretch, of_study).order_by(_change.c.sequence)
        with connected(self._engine) as connection:
            return [_change_of(row) for row in connection.execute(found)]

    def cursors(self) -> dict[str, int]:
        """The sequence of the last change that each follower has read, of those that have read any."""
        with connected(self._engine) as connection:
            return {row.follower: row.sequence for row in connection.execute(select(_cursor))}

    def plan(self, plans: Sequence[Plan]) -> None:
        """Put down what is to do, and how far the feed is read, in one transaction.

        A task that waits already is put off until due, and keeps its beginning; a dead one is given another
        chance.
        """
        with self._transactions.begin() as connection:
            for plan in plans:
                state: dict[str, object] = {"attempts": 0, "dead": False, "error": ""}
                state |= {"since": plan.since, "due": plan.due}
                rows = [
                    state
                    | dict(zip(_SUBJECT, (plan.follower, *subject), strict=True))
                    | {"sequence": sequence}
                    for subject, sequence in plan.subjects.items()
                ]
                if rows:
                    self._upsert(connection, _task, rows, _SUBJECT, _STATE)
            cursors = [{"follower": plan.follower, "sequence": plan.cursor} for plan in plans]
            self._upsert(connection, _cursor, cursors, ("follower",), ("sequence",))

    def restart(self, follower: str) -> None:
        """Let a follower begin anew: forget its tasks, and read the change feed from its beginning."""
        with self._transactions.begin() as connection:
            connection.execute(delete(_task).where(_task.c.follower == follower))
            connection.execute(delete(_cursor).where(_cursor.c.follower == follower))

    def _upsert(
        self,
        connection: Connection,
        table: Table,
        rows: list[dict[str, object]] | list[dict[str, str | int]],
        keys: Sequence[str],
        values: Sequence[str],
    ) -> None:
        insert = postgresql_insert if self._engine.dialect.name == "postgresql" else sqlite_insert
        statement = insert(table)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=list(keys), set_={name: statement.excluded[name] for name in values}
            ),
            rows,
        )

    def due(self, now: float, limit: int) -> list[Task]:
        """What is to be done now, longest waiting first."""
        rows = (
            select(_task)
            .where(_task.c.dead.is_(False), _task.c.due <= now)
            .order_by(_task.c.due)
            .limit(limit)
        )
        with connected(self._engine) as connection:
            return [
                Task(
                    row.key,
                    row.follower,
                    row.study_instance_uid,
                    row.series_instance_uid,
                    row.sop_instance_uid,
                    row.sequence,
                    row.attempts,
                    row.since,
                )
                for row in connection.execute(rows)
            ]

    def next_due(self) -> float | None:
        """When the next task is due, in seconds since 1970; None when none waits."""
        with connected(self._engine) as connection:
            due: float | None = connection.scalar(
                select(func.min(_task.c.due)).where(_task.c.dead.is_(False))
            )
        return due

    def done(self, tasks: Iterable[Task]) -> None:
        """Forget tasks, but for those that were asked for again meanwhile: they go on from there."""
        pairs = [(task.key, task.sequence) for task in tasks]
        forgetting = delete(_task).where(tuple_(_task.c.key, _task.c.sequence).in_(pairs))
        again = update(_task).where(_task.c.key == bindparam("done")).values(since=bindparam("up_to"))
        with self._transactions.begin() as connection:
            if connection.execute(forgetting).rowcount < len(pairs):
                connection.execute(again, [{"done": key, "up_to": sequence} for key, sequence in pairs])

    def failed(self, task: Task, error: str, retry_at: float | None) -> None:
        """Note a failure. retry_at: seconds since 1970, or None to give the task up as a dead letter."""
        values = {"attempts": task.attempts + 1, "error": error[:1000], "dead": retry_at is None}
        with self._transactions.begin() as connection:
            connection.execute(
                update(_task)
                .where(_task.c.key == task.key, _task.c.sequence == task.sequence)
                .values(**values, due=retry_at or time.time())
            )

    def newest(self) -> int:
        """The sequence of the newest change; 0 when there is none."""
        with connected(self._engine) as connection:
            return connection.scalar(select(func.max(_change.c.sequence))) or 0

    def settled(self, followers: Sequence[str]) -> int:
        """The sequence up to which these followers have done, or given up, all that was asked of them."""
        waits = (_task.c.follower.in_(followers), _task.c.dead.is_(False))
        with connected(self._engine) as connection:
            read = {row.follower: row.sequence for row in connection.execute(select(_cursor))}
            first = connection.scalar(select(func.min(_task.c.sequence)).where(*waits))
        so_far = min((read.get(follower, 0) for follower in followers), default=0)
        return so_far if first is None else min(so_far, first - 1)

    def backlog(self) -> list[Backlog]:
        """How each follower stands."""
        with connected(self._engine) as connection:
            last = connection.scalar(select(func.max(_change.c.sequence))) or 0
            cursors = {row.follower: row.sequence for row in connection.execute(select(_cursor))}
            counts = {
                (row.follower, bool(row.dead)): row.number
                for row in connection.execute(
                    select(_task.c.follower, _task.c.dead, func.count().label("number")).group_by(
                        _task.c.follower, _task.c.dead
                    )
                )
            }
        return [
            Backlog(name, last - sequence, counts.get((name, False), 0), counts.get((name, True), 0))
            for name, sequence in sorted(cursors.items())
        ]


def _change_of(row: Row[Any]) -> Change:
    uids = row.study_instance_uid, row.series_instance_uid, row.sop_instance_uid
    return Change(row.sequence, Action(row.action), *uids, row.sop_class_uid)
