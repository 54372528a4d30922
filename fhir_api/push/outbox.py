"""Which studies are to be sent, and what was sent of each: nothing else tells that, so it is kept."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from pacs.index.engine import Transactions, connected, open_engine
from sr.transaction import Name

_metadata = MetaData()

_study = Table(
    "push_study",
    _metadata,
    Column("study_instance_uid", Text, primary_key=True),
    # How often it was asked for: what is asked for while it is sent is sent once more
    Column("asked", Integer, nullable=False),
    # Seconds since 1970
    Column("due", Float, nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    # Nothing is tried any more until someone asks
    Column("dead", Boolean, nullable=False),
    # Why the last attempt failed
    Column("error", Text, nullable=False),
)

# Under which names others have what a study became
_sent = Table(
    "push_sent",
    _metadata,
    Column("study_instance_uid", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("id", Text, primary_key=True),
)


@dataclass(frozen=True, slots=True)
class Due:
    """A study to be sent. attempts: those that failed since it was asked for."""

    study_instance_uid: str
    asked: int
    attempts: int
    dead: bool = False
    error: str = ""


class PushOutbox:
    """What is to be sent. Made anew in each process; safe for threads."""

    def __init__(self, url: str) -> None:
        """url: of a database of its own, as SQLAlchemy writes it. Raises StorageFailed."""
        self._engine = open_engine(url)
        self._transactions = Transactions(self._engine)
        with self._transactions.begin() as connection:
            _metadata.create_all(connection)

    def add(self, study: str) -> None:
        """Let a study be sent now, also one that was given up."""
        now = {"due": time.time(), "attempts": 0, "dead": False, "error": ""}
        with self._transactions.begin() as connection:
            again = update(_study).where(_of(study)).values(asked=_study.c.asked + 1, **now)
            if connection.execute(again).rowcount == 0:
                connection.execute(insert(_study).values(study_instance_uid=study, asked=1, **now))

    def next(self, now: float) -> Due | None:
        """The study that has been due for the longest."""
        waiting = self._rows(~_study.c.dead & (_study.c.due <= now), limit=1)
        return waiting[0] if waiting else None

    def next_due(self) -> float | None:
        """When one will be due; None when none waits."""
        with connected(self._engine) as connection:
            due: float | None = connection.scalar(select(func.min(_study.c.due)).where(~_study.c.dead))
            return due

    def all(self) -> list[Due]:
        """All that wait, and all that were given up."""
        return self._rows(_study.c.asked > 0)

    def sent(self, study: str) -> set[Name]:
        """Type and id of the resources that others have of a study."""
        rows = select(_sent.c.type, _sent.c.id).where(_sent.c.study_instance_uid == study)
        with connected(self._engine) as connection:
            return {(kind, name) for kind, name in connection.execute(rows)}

    def done(self, due: Due, sent: Iterable[Name]) -> None:
        """A study was sent, and these are what others have of it now."""
        study = due.study_instance_uid
        rows = [{"study_instance_uid": study, "type": kind, "id": name} for kind, name in sent]
        with self._transactions.begin() as connection:
            connection.execute(delete(_sent).where(_sent.c.study_instance_uid == study))
            if rows:
                connection.execute(insert(_sent), rows)
            connection.execute(delete(_study).where(_of(study), _study.c.asked == due.asked))

    def put_off(self, due: Due, error: str, until: float | None) -> None:
        """Try it again later, or with None not at all."""
        values = {"attempts": due.attempts + 1, "error": error, "dead": until is None}
        late = values if until is None else values | {"due": until}
        with self._transactions.begin() as connection:
            same = _of(due.study_instance_uid) & (_study.c.asked == due.asked)
            connection.execute(update(_study).where(same).values(late))

    def close(self) -> None:
        """Close all connections."""
        self._transactions.close()
        self._engine.dispose()

    def _rows(self, where: ColumnElement[bool], limit: int | None = None) -> list[Due]:
        columns = _study.c
        found = select(
            columns.study_instance_uid, columns.asked, columns.attempts, columns.dead, columns.error
        )
        with connected(self._engine) as connection:
            return [
                Due(*row) for row in connection.execute(found.where(where).order_by(columns.due).limit(limit))
            ]


def _of(study: str) -> ColumnElement[bool]:
    return _study.c.study_instance_uid == study
