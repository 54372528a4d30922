"""What other systems are still to be told: each message in its turn, to each system in order."""

import time
from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, and_, delete, func, select, update

from pacs.index.engine import Transactions, connected
from pacs.index.schema.messages import availability_notice, step_message

# Those that make a message, in its order
_COLUMNS = ("key", "destination", "sop_instance_uid", "at", "attempts", "refusals", "due", "is_new")


class Message(NamedTuple):
    """A message that waits.

    destination: the AE title of who is to be told.  uid: of the SOP instance that it makes or changes.
    at: when it was noted, in seconds since 1970.
    attempts: that were begun before.
    refusals: those of them that failed, but not because the destination was away.
    due: when it was to be tried as this was read; another when its destination became known anew meanwhile.
    is_new: whether the instance is made by it (N-CREATE), or else changed (N-SET).
    """

    key: int
    destination: str
    uid: str
    at: float
    attempts: int
    refusals: int
    due: float
    is_new: bool = True


class MessageQueue:
    """The messages of one table. Safe for threads and processes."""

    def __init__(self, engine: Engine, transactions: Transactions, table: Table, content: str) -> None:
        """content: the column of what is said."""
        self._engine = engine
        self._transactions = transactions
        self._table = table
        self._content = table.c[content]
        self._columns = [table.c[name] for name in _COLUMNS if name in table.c]

    def due(self, now: float) -> list[Message]:
        """What is to be told now: of each system the message whose turn it is.  now: seconds since 1970."""
        found = select(*self._columns).where(self._is_first(), self._table.c.due <= now)
        with connected(self._engine) as connection:
            return [Message(*row) for row in connection.execute(found.order_by(self._table.c.key))]

    def next_due(self, but: Collection[str] = ()) -> float | None:
        """When something is to be tried next, in seconds since 1970; None when nothing waits.

        but: AE titles that are passed over.
        """
        others = self._table.c.destination.not_in(but)
        due: float | None = self._scalar(select(func.min(self._table.c.due)).where(self._is_first(), others))
        return due

    def content(self, message: Message) -> bytes | None:
        """What it says; None when it needs not be told any more."""
        content: bytes | None = self._scalar(select(self._content).where(self._is(message)))
        return content

    def waiting(self) -> list[tuple[str, int, str]]:
        """Of each system how many messages wait, and why the last attempt was broken off."""
        columns = (self._table.c.destination, func.count(), func.max(self._table.c.error))
        grouped = select(*columns).group_by(self._table.c.destination).order_by(self._table.c.destination)
        with connected(self._engine) as connection:
            return [(row[0], row[1], row[2]) for row in connection.execute(grouped)]

    def begin(self, message: Message) -> None:
        """Count an attempt before it is made, so that the next is known as another however this one ends.

        A power cut may have it forgotten.
        """
        begun = update(self._table).where(self._is(message)).values(attempts=message.attempts + 1)
        with self._transactions.begin_unsynced() as connection:
            connection.execute(begun)

    def put_off(self, message: Message, error: str, until: float, is_refused: bool = False) -> None:
        """Try a message again later, unless it was made due while it was tried.

        until: seconds since 1970.  is_refused: whether it did not fail because the destination was away.
        """
        values = {
            "attempts": message.attempts + 1,
            "refusals": message.refusals + is_refused,
            "error": error[:1000],
            "due": until,
        }
        same = self._is(message), self._table.c.due == message.due
        with self._transactions.begin() as connection:
            connection.execute(update(self._table).where(*same).values(values))

    def done(self, message: Message) -> None:
        """It needs not be told again. A power cut may have it told again all the same."""
        with self._transactions.begin_unsynced() as connection:
            connection.execute(delete(self._table).where(self._is(message)))

    def expire(self, destination: str, before: float) -> int:
        """Tell a system no more of what was noted before a time, in seconds since 1970; how much that was."""
        old = (self._table.c.destination == destination) & (self._table.c.at < before)
        with self._transactions.begin() as connection:
            return connection.execute(delete(self._table).where(old)).rowcount

    def _is(self, message: Message) -> ColumnElement[bool]:
        """More than its key, which SQLite gives again when it was the greatest."""
        names = {"key": message.key, "destination": message.destination, "sop_instance_uid": message.uid}
        same = [self._table.c[name] == value for name, value in names.items()]
        return and_(*same, self._table.c.at == message.at)

    def _is_first(self) -> ColumnElement[bool]:
        """Of each system the oldest message: those behind it wait for it."""
        return self._table.c.key.in_(select(func.min(self._table.c.key)).group_by(self._table.c.destination))

    def _scalar(self, found: Select[Any]) -> Any:
        with connected(self._engine) as connection:
            return connection.scalar(found)


def new_row(destination: str, uid: str) -> dict[str, Any]:
    """What the row of each new message has, beside what it says.  uid: as Message has it."""
    named = {"destination": destination, "sop_instance_uid": uid, "at": time.time()}
    return named | {"due": 0.0, "attempts": 0, "refusals": 0, "error": ""}


def make_messages_due(connection: Connection, destination: str) -> None:
    """Who was not known, or elsewhere, can be told now."""
    for table in (step_message, availability_notice):
        theirs = update(table).where(table.c.destination == destination)
        connection.execute(theirs.values(due=time.time()))
