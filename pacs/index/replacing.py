"""Putting an object into the place of another of its UID: one or the other is there at every instant."""

import time
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, func, insert, select, update

from pacs.index import schema
from pacs.index.deletions import Deletions
from pacs.index.engine import Transactions, connected
from pacs.index.hierarchy import Owner, Record, restate
from pacs.index.lookup import joined
from pacs.index.remove import Removal, note_removed, take_back
from pacs.index.write import Verdict, change_of

_study, _series, _instance = schema.study, schema.series, schema.instance

_FOUND = select(
    *(_instance.c[name] for name in ("key", "series_key", "sop_instance_uid", "sop_class_uid")),
    *(_instance.c[name] for name in ("file", "digest")),
    *(_series.c[name] for name in ("study_key", "series_instance_uid")),
    *(_study.c[name] for name in ("study_instance_uid", "patient_id", "issuer_of_patient_id")),
).select_from(joined)


class Replacement(NamedTuple):
    """What became of it.

    verdict: CREATED where it has taken the place; otherwise all is as it was.
    former: the file of what was there before, empty where nothing has changed.
    """

    verdict: Verdict
    former: str = ""


class Replacer:
    """Replaces. Safe for threads."""

    def __init__(self, engine: Engine, transactions: Transactions, deletions: Deletions) -> None:
        self._engine = engine
        self._transactions = transactions
        self._deletions = deletions

    def is_rival(self, record: Record) -> bool:
        """Whether an object is of the same patient, study, series and class as the one of its UID."""
        with connected(self._engine) as connection:
            row = _find(connection, record)
        return row is not None and _is_rival(row, record)

    def replace(
        self, record: Record, removal: Removal, *, is_restored: bool = False, of: str = ""
    ) -> Replacement:
        """Put an object into the place of the one of its UID, which is removed, durably by then.

        Where that is no rival of it, it is a CONFLICT.
        is_restored: whether it was removed before, and is to leave the book of the removed.
        of: the file that is to be there before; empty for whichever there is. Another is a CONFLICT, too.
        Raises StorageFailed or OutOfSpace; only when it was the sync that failed, it may be replaced.
        """
        with self._transactions.begin() as connection:
            replacement = _replace(connection, record, removal, of)
            if replacement.former:
                if is_restored:
                    take_back(connection, [record.instance])
                self._deletions.add()
        if replacement.former:
            self._deletions.add()
        return replacement


def _replace(connection: Connection, record: Record, removal: Removal, of: str) -> Replacement:
    row = _find(connection, record)
    if row is None or not _is_rival(row, record) or of not in ("", row.file):
        return Replacement(Verdict.CONFLICT)
    if row.digest == record.instance.digest:
        return Replacement(Verdict.IDENTICAL)
    note_removed(connection, [row._mapping], removal)
    connection.execute(update(_instance).where(_instance.c.key == row.key), record.row)
    connection.execute(insert(schema.change), change_of(record.instance))
    restate(connection, record, row.study_key, row.series_key)
    version = select(func.max(schema.change.c.sequence)).scalar_subquery()
    here = _series.c.key == row.series_key
    connection.execute(update(_series).where(here).values(version=version))
    here = _study.c.key == row.study_key
    connection.execute(update(_study).where(here).values(changed=time.time()))
    return Replacement(Verdict.CREATED, row.file)


def _find(connection: Connection, record: Record) -> Any:
    here = _instance.c.sop_instance_uid == record.instance.sop_instance_uid
    return connection.execute(_FOUND.where(here)).first()


def _is_rival(row: Any, record: Record) -> bool:
    here = row.study_instance_uid, row.series_instance_uid, row.sop_class_uid
    instance = record.instance
    named = instance.study_instance_uid, instance.series_instance_uid, instance.sop_class_uid
    owner = Owner(row.patient_id or "", row.issuer_of_patient_id or "")
    return here == named and not owner.contradicts(record.owner)
