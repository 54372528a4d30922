"""What peers want to be committed over DICOM networking, and what they are told (PS3.4 Annex J)."""

import time
from collections.abc import Collection, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import ColumnElement, Connection, Engine, delete, func, insert, select, update

from pacs.index import schema
from pacs.index.commitments import KEPT
from pacs.index.engine import Transactions, connected

MOST_WAITING = 10_000  # requests of one AE title of which the result was not told yet

_request = schema.commitment_request

# SOP Class UID and SOP Instance UID
Reference = tuple[str, str]


class Asked(NamedTuple):
    """A request.

    destination: the AE title of who asks, who is to be told.  called: the AE title that it called us by.
    """

    transaction_uid: str
    destination: str
    called: str
    references: Sequence[Reference]


class Owed(NamedTuple):
    """A request that is still to be looked at, or of which the result is to be told.

    door: the name of the doorbell of the association over which it came, empty when that has ended.
    attempts: to tell, that failed.
    due: when it was to be done as this was read; another when it was made due meanwhile.
    """

    key: int
    transaction_uid: str
    destination: str
    called: str
    door: str
    attempts: int
    is_answered: bool
    due: float


class Result(NamedTuple):
    """What is to be told: of each instance the failure reason (PS3.3 C.14.1.1), 0 when it is committed.

    due: when it was to be done as this was read; another when it was asked for again meanwhile.
    """

    key: int
    transaction_uid: str
    due: float | None
    references: list[tuple[Reference, int]]


_owed = select(
    *(_request.c.key, _request.c.transaction_uid, _request.c.destination, _request.c.called),
    *(_request.c.door, _request.c.attempts, _request.c.answer.is_not(None), _request.c.due),
)


class CommitmentRequests:
    """The requests. Safe for threads and processes."""

    def __init__(self, engine: Engine, transactions: Transactions) -> None:
        self._engine = engine
        self._transactions = transactions

    def add(self, asked: Asked, door: str) -> bool:
        """Take a request, durably; False when too many of who asks wait already.

        The same once more, which a peer asks who has not got the response, is told once more.
        door: the name of the doorbell of its association.
        """
        now = time.time()
        row = {
            "transaction_uid": asked.transaction_uid,
            "destination": asked.destination,
            "called": asked.called,
            "asked": orjson.dumps(asked.references),
        }
        state = {"answer": None, "door": door, "is_told": False, "due": now, "attempts": 0}
        with self._transactions.begin() as connection:
            old = (_request.c.at < now - KEPT) & _request.c.is_told.is_(True)  # what is owed is kept
            connection.execute(delete(_request).where(old))
            waiting = (_request.c.destination == asked.destination) & _request.c.is_told.is_(False)
            number = connection.scalar(select(func.count()).select_from(_request).where(waiting))
            if (number or 0) >= MOST_WAITING:
                return False
            same = update(_request).where(*(_request.c[name] == value for name, value in row.items()))
            if not connection.execute(same.values(state)).rowcount:
                connection.execute(insert(_request).values(row | state | {"at": now}))
        return True

    def due(self, now: float) -> list[Owed]:
        """What is to be done now, the oldest first."""
        with connected(self._engine) as connection:
            rows = connection.execute(_owed.where(_request.c.due <= now).order_by(_request.c.key))
            return [Owed(*row) for row in rows]

    def next_due(self, but: Collection[str] = ()) -> float | None:
        """When something is to be done next, in seconds since 1970; None when nothing waits.

        but: AE titles that are passed over.
        """
        next_ = select(func.min(_request.c.due)).where(_request.c.destination.not_in(but))
        with connected(self._engine) as connection:
            due: float | None = connection.scalar(next_)
        return due

    def references(self, key: int) -> list[Reference]:
        """What a request names."""
        with connected(self._engine) as connection:
            asked = connection.scalar(select(_request.c.asked).where(_request.c.key == key))
        return [(sop_class, uid) for sop_class, uid in orjson.loads(asked or b"[]")]

    def is_duplicate(self, owed: Owed) -> bool:
        """Whether its Transaction UID was used before by another request, over the web or here."""
        web = select(schema.commitment.c.at).where(
            schema.commitment.c.transaction_uid == owed.transaction_uid
        )
        before = select(_request.c.at).where(
            _request.c.transaction_uid == owed.transaction_uid, _request.c.key < owed.key
        )
        with connected(self._engine) as connection:
            return connection.scalar(web) is not None or connection.scalar(before.limit(1)) is not None

    def answer(self, owed: Owed, reasons: Sequence[int], until: float) -> Owed:
        """Keep the failure reasons, durably; what is owed then.  until: when it is turned to again."""
        with self._transactions.begin() as connection:
            values = {"answer": orjson.dumps(reasons), "due": until}
            connection.execute(update(_request).where(_request.c.key == owed.key).values(values))
        return owed._replace(is_answered=True, due=until)

    def answered_at(self, door: str) -> list[Result]:
        """What an association can be told now."""
        answered = _request.c.answer.is_not(None) & _request.c.is_told.is_(False)
        return self._results((_request.c.door == door) & answered)

    def result(self, key: int) -> Result:
        """What is to be told of a request that was answered."""
        (result,) = self._results(_request.c.key == key)
        return result

    def _results(self, which: ColumnElement[bool]) -> list[Result]:
        columns = (*(_request.c.key, _request.c.transaction_uid, _request.c.due), _request.c.asked)
        with connected(self._engine) as connection:
            rows = connection.execute(
                select(*columns, _request.c.answer).where(which).order_by(_request.c.key)
            ).all()
        return [
            Result(
                key,
                uid,
                due,
                [
                    ((sop_class, instance), reason)
                    for (sop_class, instance), reason in zip(
                        orjson.loads(asked), orjson.loads(answer), strict=True
                    )
                ],
            )
            for key, uid, due, asked, answer in rows
        ]

    def told(self, result: Result) -> None:
        """Nothing is owed any more, unless it was asked for again while it was told."""
        self._set(result, {"is_told": True, "due": None, "door": ""})

    def give_up(self, owed: Owed) -> None:
        """It is told no more."""
        self._set(owed, {"is_told": True, "due": None, "door": ""})

    def put_off(self, owed: Owed, until: float) -> None:
        """Try again later.  until: seconds since 1970."""
        self._set(owed, {"attempts": owed.attempts + 1, "due": until})

    def hold(self, owed: Owed) -> None:
        """Wait until a system of this AE title is known."""
        self._set(owed, {"due": None})

    def _set(self, one: Owed | Result, values: dict[str, object]) -> None:
        """Unless it was made due meanwhile: asked for again, or who asks for it became known anew."""
        open_ = (_request.c.key == one.key) & _request.c.is_told.is_(False)
        same = _request.c.due.is_not_distinct_from(one.due)
        with self._transactions.begin() as connection:
            connection.execute(update(_request).where(open_, same).values(values))

    def leave(self, door: str) -> bool:
        """The association of this doorbell has ended; whether there is something left to be told."""
        with self._transactions.begin() as connection:
            left = update(_request).where(_request.c.door == door).values(door="", due=time.time())
            return connection.execute(left).rowcount > 0

    def leave_all(self) -> None:
        """No association is open, for the service begins: all that is owed is due."""
        with self._transactions.begin() as connection:
            owed = update(_request).where(_request.c.is_told.is_(False)).values(door="", due=time.time())
            connection.execute(owed)


def make_due(connection: Connection, destination: str) -> None:
    """Who was not known, or elsewhere, can be told now."""
    waiting = (_request.c.destination == destination) & _request.c.is_told.is_(False)
    connection.execute(update(_request).where(waiting, _request.c.door == "").values(due=time.time()))
