"""Removing instances: their rows go, where their files lie is noted, and the followers are told."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from pacs.index import schema
from pacs.index.deletions import Deletions
from pacs.index.engine import Transactions, connected
from pacs.index.hierarchy import bereave, series_values, study_values
from pacs.model import Action, Instance

AT_ONCE = 500  # values in one statement

_study, _series, _instance = schema.study, schema.series, schema.instance
_recycled, _rejected = schema.recycled, schema.rejected

T = TypeVar("T")


class Removal(NamedTuple):
    """Why an instance goes.

    reason: "deleted", or the code of the rejection.
    requester: the address of who asked, or the SOP Instance UID of the rejection note.
    """

    reason: str
    requester: str


class Recycled(NamedTuple):
    """An instance that was removed, and its file. at: seconds since 1970."""

    at: float
    file: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    reason: str
    requester: str


class Reference(NamedTuple):
    """An instance that a rejection note names."""

    series_instance_uid: str
    sop_instance_uid: str


class Remover:
    """Removes, and keeps the book of what was removed. Safe for threads."""

    def __init__(self, engine: Engine, transactions: Transactions, deletions: Deletions) -> None:
        self._engine = engine
        self._transactions = transactions
        self._deletions = deletions
        self._insert = postgresql_insert if engine.dialect.name == "postgresql" else sqlite_insert

    def delete(self, study: str, series: str | None, instance: str | None, removal: Removal) -> int:
        """Remove what lies below these UIDs, in one transaction with sync; how many instances there were."""
        where = [_study.c.study_instance_uid == study]
        if series is not None:
            where.append(_series.c.series_instance_uid == series)
        if instance is not None:
            where.append(_instance.c.sop_instance_uid == instance)
        with connected(self._engine) as connection:
            if not find(connection, *where, limit=1):  # nobody is held up for what is not there
                return 0
        with self._deleting() as connection:
            rows = find(connection, *where)
            remove(connection, rows, removal)
        return len(rows)

    def reject(
        self, note: Instance, reason: str, references: Sequence[Reference], is_remembered: bool
    ) -> int:
        """Remove what a rejection note names of its own study, and the note; how many instances there were.

        is_remembered: whether those named are kept out when they come again, or later. Cut off after that
        was noted, the note is still there, to be heeded again.
        """
        removal = Removal(reason, note.sop_instance_uid)
        named = {reference.sop_instance_uid: reference.series_instance_uid for reference in references}
        named.pop(note.sop_instance_uid, None)
        mine = _study.c.study_instance_uid == note.study_instance_uid
        if is_remembered:
            self.remember(note, reason, references)
        with self._deleting() as connection:
            rows: list[Any] = []
            for uids in batches(named, AT_ONCE):
                found = find(connection, mine, _instance.c.sop_instance_uid.in_(uids))
                rows += [row for row in found if named[row.sop_instance_uid] == row.series_instance_uid]
            own = find(connection, mine, _instance.c.sop_instance_uid == note.sop_instance_uid)
            remove(connection, rows + own, removal)
        return len(rows)

    def remember(self, note: Instance, reason: str, references: Iterable[Reference]) -> None:
        """Keep out what a note names: in many transactions, so that others may write between them."""
        statement = self._insert(_rejected).on_conflict_do_nothing()
        same = {
            "study_instance_uid": note.study_instance_uid,
            "reason": reason,
            "note": note.sop_instance_uid,
        }
        uids = (one.sop_instance_uid for one in references)
        for batch in batches((uid for uid in uids if uid != note.sop_instance_uid), AT_ONCE):
            with self._transactions.begin() as connection:
                connection.execute(statement, [{"sop_instance_uid": uid, **same} for uid in batch])

    @contextmanager
    def _deleting(self) -> Iterator[Connection]:
        with self._transactions.begin() as connection:
            yield connection
            self._deletions.add()
        self._deletions.add()

    def add_found(self, found: Iterable[tuple[Instance, Removal]]) -> None:
        """Note removed instances of which only the files are left, and tell the followers."""
        with self._transactions.begin() as connection:
            for instance, removal in found:
                note_removed(connection, [instance._asdict()], removal)

    def recycled(self, uid: str | None = None) -> list[Recycled]:
        """What was removed, latest last: all of it, or what bears this UID at any level."""
        rows = select(*(_recycled.c[name] for name in Recycled._fields)).order_by(_recycled.c.key)
        if uid is not None:
            levels = "study_instance_uid", "series_instance_uid", "sop_instance_uid"
            rows = rows.where(or_(*(_recycled.c[level] == uid for level in levels)))
        with connected(self._engine) as connection:
            return [Recycled(*row) for row in connection.execute(rows)]

    def files_of(self, study: str, limit: int | None = None) -> list[str]:
        """The files of what was removed of a study, at most so many."""
        with connected(self._engine) as connection:
            files = select(_recycled.c.file).where(_recycled.c.study_instance_uid == study)
            files = files.limit(limit)
            return list(connection.scalars(files))

    def is_removed(self, file: str) -> bool:
        """Whether this is the file of something that was removed, and not restored."""
        with connected(self._engine) as connection:
            found = select(_recycled.c.key).where(_recycled.c.file == file)
            return connection.scalar(found) is not None

    def expired(self, until: float, limit: int) -> list[str]:
        """Files of what was removed until then, in seconds since 1970; notes that keep others out stay."""
        keeps_out = exists().where(_rejected.c.note == _recycled.c.sop_instance_uid)
        files = select(_recycled.c.file).where(_recycled.c.at <= until, ~keeps_out).limit(limit)
        with connected(self._engine) as connection:
            return list(connection.scalars(files))

    def forget(self, files: Sequence[str]) -> None:
        """Strike files off the book."""
        if files:
            with self._transactions.begin() as connection:
                connection.execute(delete(_recycled).where(_recycled.c.file.in_(files)))


def find(connection: Connection, *where: ColumnElement[bool], limit: int | None = None) -> list[Any]:
    """The rows of instances with all that `remove` needs to know of them; at most so many."""
    columns = (
        _study.c.patient_key,
        _series.c.study_key,
        _study.c.study_instance_uid,
        _series.c.series_instance_uid,
        *(_instance.c[name] for name in ("key", "series_key", "sop_instance_uid", "sop_class_uid", "file")),
    )
    joined = _instance.join(_series, _instance.c.series_key == _series.c.key)
    joined = joined.join(_study, _series.c.study_key == _study.c.key)
    return list(connection.execute(select(*columns).select_from(joined).where(*where).limit(limit)))


def remove(connection: Connection, rows: Sequence[Any], removal: Removal) -> None:
    """Remove instances, and whatever is empty without them."""
    if not rows:
        return
    note_removed(connection, [row._mapping for row in rows], removal)
    for keys in batches((row.key for row in rows), AT_ONCE):
        connection.execute(delete(_instance).where(_instance.c.key.in_(keys)))
    _lower_since(connection)
    for key in {row.series_key for row in rows}:
        _count_anew(connection, key)
    for key, patient_key in {(row.study_key, row.patient_key) for row in rows}:
        here = _study.c.key == key
        left = connection.scalar(select(_series.c.key).where(_series.c.study_key == key).limit(1))
        if left is not None:
            connection.execute(update(_study).where(here).values(changed=time.time()))
            continue
        study_values.remove(connection, [key])
        connection.execute(delete(_study).where(here))
        bereave(connection, patient_key)


def remove_rejected(connection: Connection, instances: Sequence[Instance]) -> bool:
    """Remove those of these instances that rejection notes keep out; whether there was any."""
    here = {(instance.sop_instance_uid, instance.study_instance_uid) for instance in instances}
    uids = [uid for uid, _ in here]
    kept_out = [
        row
        for batch in batches(uids, AT_ONCE)
        for row in connection.execute(select(_rejected).where(_rejected.c.sop_instance_uid.in_(batch)))
        if (row.sop_instance_uid, row.study_instance_uid) in here
    ]
    for row in kept_out:
        found = find(connection, _instance.c.sop_instance_uid == row.sop_instance_uid)
        remove(connection, found, Removal(row.reason, row.note))
    return bool(kept_out)


def take_back(connection: Connection, instances: Sequence[Instance]) -> None:
    """Strike restored instances off the book, and let nothing keep them out any more."""
    for instance in instances:
        connection.execute(delete(_recycled).where(_recycled.c.file == instance.file))
        connection.execute(
            delete(_rejected).where(
                _rejected.c.sop_instance_uid == instance.sop_instance_uid,
                _rejected.c.study_instance_uid == instance.study_instance_uid,
            )
        )


def note_removed(connection: Connection, rows: Sequence[Any], removal: Removal) -> None:
    """Write instances into the book and into the change feed."""
    now = time.time()
    named = ("study_instance_uid", "series_instance_uid", "sop_instance_uid", "sop_class_uid")
    removed = [{name: row[name] for name in named} | {"at": now} for row in rows]
    book = [one | removal._asdict() | {"file": row["file"]} for one, row in zip(removed, rows, strict=True)]
    connection.execute(insert(_recycled), book)
    action = {"action": Action.DELETED.value}
    connection.execute(insert(schema.change), [one | action for one in removed])


def _lower_since(connection: Connection) -> None:
    """Let rules take for new what comes next: SQLite gives it the keys of the newest that went."""
    rule, newest = schema.forward_rule, select(func.coalesce(func.max(_instance.c.key), 0)).scalar_subquery()
    connection.execute(update(rule).where(rule.c.since > newest).values(since=newest))


def _count_anew(connection: Connection, series_key: int) -> None:
    """Bring a series up to what is left of it; nothing is left of one without instances."""
    by_class = select(_instance.c.sop_class_uid, func.count().label("number"))
    left = by_class.where(_instance.c.series_key == series_key).group_by(_instance.c.sop_class_uid)
    counted = connection.execute(left.order_by(_instance.c.sop_class_uid)).all()
    here = _series.c.key == series_key
    if not counted:
        series_values.remove(connection, [series_key])
        connection.execute(delete(_series).where(here))
        return
    values = {
        "number_of_instances": sum(row.number for row in counted),
        "sop_class_uids": "\\".join(row.sop_class_uid for row in counted),
        "version": select(func.max(schema.change.c.sequence)).scalar_subquery(),
    }
    connection.execute(update(_series).where(here).values(values))


def batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """The values in lists of at most this size."""
    left = iter(values)
    while batch := list(islice(left, size)):
        yield batch
