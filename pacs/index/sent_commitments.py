"""Storage commitment that is asked of destinations for what was sent to them (PS3.4 Annex J)."""

import time
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from pydicom.uid import generate_uid
from sqlalchemy import ColumnElement, Connection, Engine, Row, delete, func, insert, select, update

from pacs.index import schema
from pacs.index.engine import Transactions, connected
from pacs.index.outbox import STORED

ROUNDS = 2  # what is not committed is sent again, and asked for again, once

COMMITTED = 0
NOT_REPORTED = 0x0110  # processing failure (PS3.3 C.14.1.1): of what the destination has said nothing

_request, _item, _commitment = schema.send_request, schema.send_item, schema.send_commitment


class State(StrEnum):
    """How far the asking has come."""

    NOTED = "noted"  # the destination may not have been asked yet
    ASKED = "asked"
    HEARD = "heard"


class Asking(NamedTuple):
    """What a destination is to commit to: SOP Class UIDs and SOP Instance UIDs."""

    transaction_uid: str
    references: list[tuple[str, str]]


class SentCommitments:
    """The commitments. Safe for threads and processes."""

    def __init__(self, engine: Engine, transactions: Transactions) -> None:
        self._engine = engine
        self._transactions = transactions

    def begin(self, request_uid: str) -> Asking:
        """Note, durably, that a destination will be asked for all that it has stored of a request."""
        uid = generate_uid()
        names = select(_item.c.sop_class_uid, _item.c.sop_instance_uid)
        with self._transactions.begin() as connection:
            noted = (_commitment.c.request_uid == request_uid) & (_commitment.c.state == State.NOTED)
            connection.execute(delete(_commitment).where(noted))
            row = {"transaction_uid": uid, "request_uid": request_uid, "state": State.NOTED}
            references = connection.execute(names.where(_open(request_uid)).order_by(_item.c.key)).all()
            if references:
                connection.execute(insert(_commitment).values(row))
        return Asking(uid, [(row[0], row[1]) for row in references])

    def asked(self, transaction_uid: str, until: float) -> None:
        """The destination has taken the request.  until: when its report is waited for no longer."""
        here = _commitment.c.transaction_uid == transaction_uid
        taken = update(_commitment).where(here, _commitment.c.state == State.NOTED).values(state=State.ASKED)
        with self._transactions.begin() as connection:
            if connection.execute(taken).rowcount:  # otherwise the report was faster than the response
                uid = select(_commitment.c.request_uid).where(here).scalar_subquery()
                of_it = (_request.c.transaction_uid == uid) & _request.c.due.is_not(None)
                connection.execute(update(_request).where(of_it).values(due=until, attempts=0, error=""))

    def overdue(self, request_uid: str) -> str | None:
        """The Transaction UID of what was asked, and not heard, of a request; None when there is none."""
        asked = (_commitment.c.request_uid == request_uid) & (_commitment.c.state == State.ASKED)
        with connected(self._engine) as connection:
            uid: str | None = connection.scalar(select(_commitment.c.transaction_uid).where(asked))
        return uid

    def hear(
        self, transaction_uid: str, destination: str, reasons: Mapping[str, int], at: float
    ) -> bool | None:
        """Take a report; whether something is to be sent again. None when it is of no request of ours.

        destination: the AE title of who reports.
        reasons: by SOP Instance UID, COMMITTED or why not. What is left out is not committed.
        at: seconds since 1970. What is not committed is due then, once; its request has ended otherwise.
        """
        here = _commitment.c.transaction_uid == transaction_uid
        found = select(_commitment.c.state, _request).join(_request).where(here)
        with self._transactions.begin() as connection:
            row = connection.execute(found.where(_request.c.destination == destination)).first()
            if row is None or row.state == State.HEARD:
                return None if row is None else False
            connection.execute(update(_commitment).where(here).values(state=State.HEARD))
            _note(connection, row.transaction_uid, reasons)
            return row.due is not None and _go_on(connection, row, at)

    def give_up(self, request_uid: str) -> None:
        """Nothing more is expected of a request that a destination was to commit to."""
        wanted = select(_commitment.c.state).where(_commitment.c.request_uid == request_uid).limit(1)
        with self._transactions.begin() as connection:
            if connection.scalar(wanted) is not None:
                _note(connection, request_uid, {})


def _note(connection: Connection, request_uid: str, reasons: Mapping[str, int]) -> None:
    items = connection.execute(select(_item.c.key, _item.c.sop_instance_uid).where(_open(request_uid))).all()
    by_reason: dict[int, list[int]] = {}
    for key, uid in items:
        by_reason.setdefault(reasons.get(uid, NOT_REPORTED), []).append(key)
    for reason, keys in by_reason.items():
        for start in range(0, len(keys), 500):
            some = _item.c.key.in_(keys[start : start + 500])
            connection.execute(update(_item).where(some).values(commitment=reason))


def _go_on(connection: Connection, request: Row[tuple[object, ...]], at: float) -> bool:
    """Have what is not committed sent again, or end the request; which of the two."""
    uid = request.transaction_uid
    of_it = _request.c.transaction_uid == uid
    heard = (_commitment.c.request_uid == uid) & (_commitment.c.state == State.HEARD)
    rounds = connection.scalar(select(func.count()).select_from(_commitment).where(heard)) or 0
    if rounds < ROUNDS:
        refused = (_item.c.transaction_uid == uid) & (_item.c.commitment != COMMITTED)
        again = update(_item).where(refused).values(status=None, commitment=None)
        if connection.execute(again).rowcount:
            connection.execute(update(_request).where(of_it).values(due=at, attempts=0, error=""))
            return True
    connection.execute(update(_request).where(of_it).values(due=None))
    return False


def _open(request_uid: str) -> ColumnElement[bool]:
    """What was stored there and not reported on."""
    stored = (_item.c.transaction_uid == request_uid) & _item.c.status.in_(STORED)
    return stored & _item.c.commitment.is_(None)


def make_sendings_due(connection: Connection, destination: str) -> None:
    """Who was elsewhere can be sent to now, unless its report is waited for."""
    asked = select(_commitment.c.request_uid).where(_commitment.c.state == State.ASKED)
    waiting = (_request.c.destination == destination) & _request.c.due.is_not(None)
    others = _request.c.transaction_uid.not_in(asked)
    connection.execute(update(_request).where(waiting, others).values(due=time.time()))
