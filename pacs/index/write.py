"""Writing to the index: whatever waits at one moment becomes one durable transaction."""

import time
from collections import OrderedDict
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ClauseElement,
    CompoundSelect,
    Connection,
    Engine,
    Table,
    Text,
    bindparam,
    exists,
    func,
    insert,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from pacs.errors import StorageFailed
from pacs.index import schema
from pacs.index.deletions import Deletions
from pacs.index.engine import Prepared, Transactions
from pacs.index.hierarchy import PlacedSeries, Record, add_sop_classes, agree, place
from pacs.index.non_patient import insert_row
from pacs.index.remove import remove_rejected, take_back
from pacs.model import Action, Instance, Source

KNOWN_SERIES = 4096  # series that one writer remembers

_Known = OrderedDict[tuple[str, str], PlacedSeries]


class Verdict(StrEnum):
    """What the index made of a record."""

    CREATED = "created"
    IDENTICAL = "the same instance is there already"
    CONFLICT = "the SOP Instance UID is taken by other content"
    OTHER_PATIENT = "the study belongs to another patient"


class _StaleError(StorageFailed):
    """What the writer remembers is no longer so."""

    def __init__(self) -> None:
        super().__init__("the index has changed while it was written to")


class KeptFile(NamedTuple):
    """Where an instance is, and what it is, as Instance has them."""

    file: str
    size: int
    dataset_offset: int
    digest: str


class Writer:
    """Writes records. One for each process, used by one thread at a time."""

    def __init__(self, engine: Engine, transactions: Transactions, deletions: Deletions) -> None:
        self._transactions = transactions
        self._deletions = deletions
        self._statements = _Statements(engine)
        self._known: _Known = OrderedDict()
        self._known_at = deletions.last

    def write(self, records: list[Record]) -> list[Verdict]:
        """Write all records in one transaction, which is on the device when this returns.

        Returns a verdict for each record, in their order. Raises StorageFailed or OutOfSpace; only when it
        was the sync that failed, some of them may be written.
        """
        verdicts, commit = self.commit(records)
        self.sync(commit)
        return verdicts

    def restore(self, records: list[Record]) -> list[Verdict]:
        """The same for what was removed; what is created leaves the book of the removed."""
        verdicts, commit = self._commit(records, True)
        self.sync(commit)
        return verdicts

    def commit(self, records: list[Record]) -> tuple[list[Verdict], int]:
        """Write all records in one transaction, which others see, but which a power cut may take.

        Returns a verdict for each record, in their order, and the number of the commit, for `sync`.
        Raises StorageFailed or OutOfSpace, and then none of them is written.
        """
        return self._commit(records, False)

    def _commit(self, records: list[Record], is_restored: bool) -> tuple[list[Verdict], int]:
        try:
            return self._write(records, is_restored)
        except _StaleError:
            return self._write(records, is_restored)

    def sync(self, commit: int) -> None:
        """Return when a commit is on the device, and all that came before it. Raises StorageFailed."""
        self._transactions.sync(commit)

    def _write(self, records: list[Record], is_restored: bool) -> tuple[list[Verdict], int]:
        try:
            with self._transactions.begin_unsynced() as connection:
                verdicts = self._write_in(connection, records, is_restored)
        except BaseException:
            self._known.clear()  # what was learnt in it was rolled back with it
            raise
        while len(self._known) > KNOWN_SERIES:
            self._known.popitem(last=False)
        return verdicts, self._transactions.last

    def _write_in(self, connection: Connection, records: list[Record], is_restored: bool) -> list[Verdict]:
        if self._known_at != self._deletions.last:  # a series may be gone, and its key be another's
            self._known.clear()
            self._known_at = self._deletions.last
        transaction = _Transaction(connection, self._statements, self._known)
        verdicts = transaction.write(records)
        created = [r.instance for r, v in zip(records, verdicts, strict=True) if v is Verdict.CREATED]
        if is_restored:
            take_back(connection, created)
        elif created and transaction.remove_rejected(created):
            self._deletions.add()
        return verdicts

    def kept(self, sop_instance_uid: str) -> KeptFile | None:
        """What is kept of an instance; None when there is no such instance."""
        with self._transactions.begin_unsynced() as connection:
            found = connection.execute(self._statements.kept, {"uid": sop_instance_uid}).first()
        return KeptFile(*found) if found else None

    def replace(self, record: Record, lost: str) -> None:
        """Let an instance be in a new file, since its own was lost, and tell the followers."""
        instance = record.instance
        table = schema.instance if record.values is None else schema.non_patient_instance
        here = (table.c.sop_instance_uid == instance.sop_instance_uid) & (table.c.file == lost)
        with self._transactions.begin() as connection:
            if connection.execute(update(table).where(here), record.row).rowcount != 1:
                raise StorageFailed("the instance was deleted while it came again; send it once more")
            if record.values is None:
                connection.execute(insert(schema.change), change_of(instance))

    def quarantine(self, instance: Instance, reason: Verdict, file: str, source: Source) -> bool:
        """Note an object that was set aside; False when the same content was set aside before."""
        table = schema.quarantine
        same = (table.c.sop_instance_uid == instance.sop_instance_uid) & (table.c.digest == instance.digest)
        row = {
            "at": time.time(),
            "reason": reason.value,
            "file": file,
            "sop_instance_uid": instance.sop_instance_uid,
            "digest": instance.digest,
            "ae_title": source.ae_title,
            "address": source.address,
        }
        with self._transactions.begin() as connection:
            if connection.scalar(select(table.c.key).where(same)) is not None:
                return False
            connection.execute(insert(table), row)
            return True


class _Statements:
    """What each image needs."""

    def __init__(self, engine: Engine) -> None:
        instance, change, series = schema.instance, schema.change, schema.series
        self.error = engine.dialect.loaded_dbapi.Error
        self.any_rejected = Prepared(select(schema.rejected.c.note).limit(1), engine)
        uid: BindParameter[Any] = bindparam("uid")
        self.known = Prepared(_of_uid(uid, "digest", "file"), engine)
        self.kept = _of_uid(uid, *KeptFile._fields)
        self.insert_instance = Prepared(_insert_new(instance, engine), engine)
        self.insert_change = Prepared(insert(change), engine, _names(change, "sequence"))
        counted = {
            "number_of_instances": series.c.number_of_instances + bindparam("more"),
            "version": select(func.max(change.c.sequence)).scalar_subquery(),
        }
        count = update(series).where(series.c.key == bindparam("series")).values(counted)
        self.count = Prepared(count, engine)
        study = schema.study
        touch = update(study).where(study.c.key == bindparam("study")).values(changed=bindparam("at"))
        self.touch = Prepared(touch, engine)


def change_of(instance: Instance) -> dict[str, str | float]:
    """The row of the change feed for an instance that is there from now on."""
    return {
        "at": time.time(),
        "action": Action.CREATED.value,
        "study_instance_uid": instance.study_instance_uid,
        "series_instance_uid": instance.series_instance_uid,
        "sop_instance_uid": instance.sop_instance_uid,
        "sop_class_uid": instance.sop_class_uid,
    }


def _of_uid(sop_instance_uid: BindParameter[Any], *columns: str) -> CompoundSelect[Any]:
    """Columns of the one instance of this UID, be it of a study or of no patient."""
    tables = (schema.instance, schema.non_patient_instance)
    return union_all(
        *(select(*(t.c[c] for c in columns)).where(t.c.sop_instance_uid == sop_instance_uid) for t in tables)
    )


def _insert_new(table: Table, engine: Engine) -> ClauseElement:
    """An insert that passes over what is there already, also among what belongs to no patient."""
    dialect_insert = postgresql_insert if engine.dialect.name == "postgresql" else sqlite_insert
    names = _names(table, "key")
    row = select(*(bindparam(name, type_=table.c[name].type) for name in names))
    other = schema.non_patient_instance
    is_there = exists().where(other.c.sop_instance_uid == bindparam("sop_instance_uid", type_=Text))
    return dialect_insert(table).from_select(names, row.where(~is_there)).on_conflict_do_nothing()


def _names(table: Table, without: str) -> list[str]:
    return [column.name for column in table.c if column.name != without]


class _Transaction:
    def __init__(self, connection: Connection, statements: _Statements, known: _Known) -> None:
        self._connection = connection
        self._cursor = connection.connection.cursor()
        self._statements = statements
        self._known = known

    def write(self, records: list[Record]) -> list[Verdict]:
        created: dict[int, tuple[PlacedSeries, list[Instance]]] = {}
        verdicts = [self._write_one(record, created) for record in records]
        for series, instances in created.values():
            self._count(series, instances)
        studies = {series.study_key for series, _ in created.values()}
        if studies:
            touched = [{"study": key, "at": time.time()} for key in sorted(studies)]
            self._statements.touch.run(self._cursor, touched)
        return verdicts

    def remove_rejected(self, instances: list[Instance]) -> bool:
        """Remove what a rejection note keeps out; whether there was any. Mostly no note is there at all."""
        if self._statements.any_rejected.run(self._cursor, [{}]).fetchone() is None:
            return False
        return remove_rejected(self._connection, instances)

    def _write_one(self, record: Record, created: dict[int, tuple[PlacedSeries, list[Instance]]]) -> Verdict:
        if record.values is not None:
            verdict = self._compare(record)
            if verdict is None:
                insert_row(self._connection, record.row, record.values)
            return verdict or Verdict.CREATED
        series = self._remembered(record)
        remembered = series is not None
        if series is None:
            if (verdict := self._compare(record)) is not None:
                return verdict
            series = self._place(record)
            if series is None:
                return Verdict.OTHER_PATIENT
        if not self._insert(record.row | {"series_key": series.key}, remembered):
            verdict = self._compare(record)
            if verdict is None:
                raise StorageFailed("the index names the file of this instance for another")
            return verdict
        created.setdefault(series.key, (series, []))[1].append(record.instance)
        return Verdict.CREATED

    def _insert(self, row: dict[str, Any], remembered: bool) -> bool:
        """Whether the instance is new. Raises _StaleError when a remembered series may be there no longer."""
        try:
            return self._statements.insert_instance.run(self._cursor, [row]).rowcount == 1
        except self._statements.error as error:
            if remembered:
                raise _StaleError from error
            raise

    def _compare(self, record: Record) -> Verdict | None:
        """What an instance is beside the one that is there under its UID; None when there is none."""
        instance = record.instance
        row = self._statements.known.run(self._cursor, [{"uid": instance.sop_instance_uid}]).fetchone()
        if row is None:
            return None
        digest, file = row
        if file == instance.file:
            return Verdict.CREATED  # adopted by another process between its sync and this commit
        return Verdict.IDENTICAL if digest == instance.digest else Verdict.CONFLICT

    def _remembered(self, record: Record) -> PlacedSeries | None:
        """The series of an object that follows others of the same patient in it: all but the first."""
        series = self._known.get((record.instance.study_instance_uid, record.instance.series_instance_uid))
        return series if series is not None and series.owner == record.owner else None

    def _place(self, record: Record) -> PlacedSeries | None:
        names = record.instance.study_instance_uid, record.instance.series_instance_uid
        series = self._known.get(names)
        if series is None:
            series = place(self._connection, record)
            if series is not None:
                self._known[names] = series
            return series
        self._known.move_to_end(names)
        series.owner = agree(self._connection, record, series.study_key, series.owner)
        return None if series.owner.contradicts(record.owner) else series

    def _count(self, series: PlacedSeries, instances: list[Instance]) -> None:
        """Let the change feed and the series know; the version of the series is that of its last change."""
        self._statements.insert_change.run(self._cursor, [change_of(instance) for instance in instances])
        values = {"series": series.key, "more": len(instances)}
        if self._statements.count.run(self._cursor, [values]).rowcount != 1:
            raise _StaleError
        classes = {instance.sop_class_uid for instance in instances} - series.sop_class_uids
        if classes:
            add_sop_classes(self._connection, series, classes)
