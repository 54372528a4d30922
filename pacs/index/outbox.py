"""What is asked to be sent, and what became of it."""

import time
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    bindparam,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from pacs.index import schema
from pacs.index.engine import Transactions, connected
from pacs.model import Instance

KEPT = 30 * 86_400.0  # seconds that an answer is kept, from when it was asked for
WARNINGS = frozenset({0xB000, 0xB006, 0xB007})  # statuses of what is stored all the same, PS3.4 Table B.2-1
STORED = frozenset({0, *WARNINGS})
CANCELED = 0xFE00  # the status of what is not sent any more

_request, _item, _commitment = schema.send_request, schema.send_item, schema.send_commitment


class Sending(NamedTuple):
    """How a request stands.

    failed: SOP Class UID, SOP Instance UID and status of each that was not stored there, or why it is not
        committed there.
    error: why the last attempt was broken off, empty when it was not.
    committed: SOP Class UID and SOP Instance UID of each that the destination commits to, if it is asked.
    """

    destination: str
    has_ended: bool
    remaining: int
    completed: int
    warned: int
    failed: list[tuple[str, str, int]]
    error: str
    committed: Sequence[tuple[str, str]] = ()


class Due(NamedTuple):
    """A request that is to be tried now.

    attempts: that were broken off.
    due: when it was to be tried as this was read; another when its destination became known anew meanwhile.
    """

    transaction_uid: str
    destination: str
    attempts: int
    due: float


class Outbox:
    """The requests to send. Safe for threads and processes."""

    def __init__(self, engine: Engine, transactions: Transactions) -> None:
        self._engine = engine
        self._transactions = transactions

    def add(self, transaction_uid: str, destination: str, instances: Iterable[Instance]) -> bool:
        """Ask for instances to be sent, durably; False when there is a request of this UID already."""
        now = time.time()
        with self._transactions.begin() as connection:
            _forget_ended(connection, now - KEPT)
            if connection.scalar(select(_request.c.at).where(_is(transaction_uid))) is not None:
                return False
            insert_request(connection, transaction_uid, destination, instances, now)
        return True

    def sending(self, transaction_uid: str) -> Sending | None:
        """How a request stands; None when there is none."""
        of_it = _item.c.transaction_uid == transaction_uid
        with connected(self._engine) as connection:
            request = connection.execute(select(_request).where(_is(transaction_uid))).first()
            if request is None:
                return None
            counted = select(_item.c.status, func.count()).where(of_it, _is_fine()).group_by(_item.c.status)
            counts = {status: number for status, number in connection.execute(counted)}
            names = (_item.c.sop_class_uid, _item.c.sop_instance_uid)
            reason = func.coalesce(func.nullif(_item.c.commitment, 0), _item.c.status)
            ordered = select(*names, reason).where(of_it).order_by(_item.c.key)
            failures = [
                (row[0], row[1], row[2]) for row in connection.execute(ordered.where(not_(_is_fine())))
            ]
            committed = connection.execute(ordered.where(_item.c.commitment == 0))
            commitments = tuple((row[0], row[1]) for row in committed)
        warned = sum(counts.get(status, 0) for status in WARNINGS)
        return Sending(
            request.destination,
            has_ended=request.due is None,
            remaining=counts.get(None, 0),
            completed=counts.get(0, 0),
            warned=warned,
            failed=failures,
            error=request.error,
            committed=commitments,
        )

    def due(self, now: float) -> list[Due]:
        """What is to be tried now, the oldest first."""
        found = select(*(_request.c[name] for name in Due._fields)).where(
            _request.c.due <= now, ~_is_paused()
        )
        with connected(self._engine) as connection:
            rows = connection.execute(found.order_by(_request.c.at))
            return [Due(*row) for row in rows]

    def next_due(self, but: Collection[str] = ()) -> float | None:
        """When something is to be tried next, in seconds since 1970; None when nothing waits.

        but: destinations that are passed over.
        """
        next_ = select(func.min(_request.c.due)).where(_request.c.destination.not_in(but), ~_is_paused())
        with connected(self._engine) as connection:
            due: float | None = connection.scalar(next_)
        return due

    def waits(self, transaction_uid: str) -> bool:
        """Whether a request has not ended."""
        waiting = select(_request.c.at).where(_is(transaction_uid), _request.c.due.is_not(None))
        with connected(self._engine) as connection:
            return connection.scalar(waiting) is not None

    def unsent(self, transaction_uid: str, limit: int) -> list[tuple[int, str]]:
        """Keys and SOP Instance UIDs of what is still to be sent."""
        waiting = (_item.c.transaction_uid == transaction_uid) & _item.c.status.is_(None)
        found = (
            select(_item.c.key, _item.c.sop_instance_uid).where(waiting).order_by(_item.c.key).limit(limit)
        )
        with connected(self._engine) as connection:
            return [(row[0], row[1]) for row in connection.execute(found)]

    def note(self, results: Sequence[tuple[int, int]]) -> None:
        """Note the status of each key that has none: it may have been canceled meanwhile.

        A power cut may have them sent again, which changes nothing there.
        """
        open_ = _item.c.key == bindparam("of"), _item.c.status.is_(None)
        statement = update(_item).where(*open_).values(status=bindparam("became"))
        if results:
            with self._transactions.begin_unsynced() as connection:
                connection.execute(statement, [{"of": key, "became": status} for key, status in results])

    def put_off(self, due: Due, error: str, until: float) -> None:
        """Try a request again later, unless it was made due meanwhile.  until: seconds since 1970."""
        values = {"attempts": due.attempts + 1, "error": error[:1000], "due": until}
        with self._transactions.begin() as connection:
            connection.execute(update(_request).where(_is_as(due)).values(values))

    def put_off_all(self, due: Due, error: str, until: float) -> None:
        """Try a request, and all else that is due for its destination, again later: that is not reached.

        Unless it was made due while it was tried.  until: seconds since 1970.
        """
        waiting = _request.c.destination == due.destination, _request.c.due <= time.time()
        values = {"attempts": _request.c.attempts + 1, "error": error[:1000], "due": until}
        with self._transactions.begin() as connection:
            if connection.scalar(select(_request.c.at).where(_is_as(due))) is not None:
                connection.execute(update(_request).where(*waiting).values(values))

    def hold(self, transaction_uid: str, until: float) -> None:
        """Go on with a request later, which is no failed attempt.  until: seconds since 1970."""
        waiting = _is(transaction_uid), _request.c.due.is_not(None)
        with self._transactions.begin() as connection:
            connection.execute(update(_request).where(*waiting).values(due=until))

    def end(self, transaction_uid: str, status: int = CANCELED) -> bool:
        """No more is sent of a request; what is left has this status. False when it had ended already."""
        waiting = (_item.c.transaction_uid == transaction_uid) & _item.c.status.is_(None)
        ending = update(_request).where(_is(transaction_uid), _request.c.due.is_not(None)).values(due=None)
        with self._transactions.begin() as connection:
            connection.execute(update(_item).where(waiting).values(status=status))
            return connection.execute(ending).rowcount > 0


def _is(transaction_uid: str) -> ColumnElement[bool]:
    return _request.c.transaction_uid == transaction_uid


def _is_as(due: Due) -> ColumnElement[bool]:
    """A request that stands as it was read."""
    return _is(due.transaction_uid) & (_request.c.due == due.due)


def _is_fine() -> ColumnElement[bool]:
    """What is not sent yet, or stored and not refused by the destination's commitment."""
    stored = or_(_item.c.status.is_(None), _item.c.status.in_(STORED))
    return stored & (func.coalesce(_item.c.commitment, 0) == 0)


def _forget_ended(connection: Connection, before: float) -> None:
    """Those that were asked for before a time, but for what waits still: for a rule that is paused, too."""
    ended = (_request.c.at < before) & _request.c.due.is_(None)
    old = select(_request.c.transaction_uid).where(ended)
    connection.execute(delete(_commitment).where(_commitment.c.request_uid.in_(old)))
    connection.execute(delete(_item).where(_item.c.transaction_uid.in_(old)))
    connection.execute(delete(_request).where(ended))


def insert_request(
    connection: Connection, transaction_uid: str, destination: str, instances: Iterable[Instance], due: float
) -> None:
    """Write a request.  due: when it is tried first, in seconds since 1970."""
    request = {"transaction_uid": transaction_uid, "destination": destination, "at": time.time(), "due": due}
    items = [
        {
            "transaction_uid": transaction_uid,
            "sop_class_uid": instance.sop_class_uid,
            "sop_instance_uid": instance.sop_instance_uid,
        }
        for instance in instances
    ]
    connection.execute(insert(_request).values(request | {"attempts": 0, "error": ""}))
    connection.execute(insert(_item), items)


def _is_paused() -> ColumnElement[bool]:
    """Whether a rule has made the request that is paused."""
    mine = schema.forward_request.c.transaction_uid == _request.c.transaction_uid
    of_rule = schema.forward_request.c.rule_key == schema.forward_rule.c.key
    return exists().where(mine, of_rule, schema.forward_rule.c.is_paused)
