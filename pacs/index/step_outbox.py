"""What is still to be told other systems of performed steps: each message in its turn."""

from typing import NamedTuple

import orjson
from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from pacs.index import schema
from pacs.index.engine import Transactions, connected
from pacs.index.rows import dump
from pacs.model import DicomJson

_message = schema.step_message

# Of each system the oldest message: those behind it wait for it
_FIRST = select(func.min(_message.c.key)).group_by(_message.c.destination)


class StepMessage(NamedTuple):
    """A message about a step.

    destination: an AE title.  uid: of the step.  is_new: whether it is made by it, or else changed.
    attempts: that were broken off.
    """

    key: int
    destination: str
    uid: str
    is_new: bool
    attributes: DicomJson
    attempts: int


def add_message(
    connection: Connection, destination: str, uid: str, is_new: bool, attributes: DicomJson
) -> None:
    """Let a system be told; it lasts when the transaction does."""
    row = {"destination": destination, "sop_instance_uid": uid, "is_new": is_new, "attempts": 0, "due": 0.0}
    connection.execute(insert(_message).values(row | {"attributes": dump(attributes), "error": ""}))


class StepOutbox:
    """The messages that wait. Safe for threads and processes."""

    def __init__(self, engine: Engine, transactions: Transactions) -> None:
        self._engine = engine
        self._transactions = transactions

    def due(self, now: float) -> list[StepMessage]:
        """What is to be sent now: of each system the message whose turn it is.  now: seconds since 1970."""
        first = select(_message).where(_message.c.key.in_(_FIRST), _message.c.due <= now)
        with connected(self._engine) as connection:
            rows = connection.execute(first.order_by(_message.c.key)).all()
        return [
            StepMessage(
                row.key,
                row.destination,
                row.sop_instance_uid,
                row.is_new,
                orjson.loads(row.attributes),
                row.attempts,
            )
            for row in rows
        ]

    def next_due(self) -> float | None:
        """When something is to be tried next, in seconds since 1970; None when nothing waits."""
        with connected(self._engine) as connection:
            found = select(func.min(_message.c.due)).where(_message.c.key.in_(_FIRST))
            due: float | None = connection.scalar(found)
        return due

    def waiting(self) -> list[tuple[str, int, str]]:
        """Of each system how many messages wait, and why the last attempt was broken off."""
        columns = (_message.c.destination, func.count(), func.max(_message.c.error))
        with connected(self._engine) as connection:
            grouped = select(*columns).group_by(_message.c.destination).order_by(_message.c.destination)
            return [(row[0], row[1], row[2]) for row in connection.execute(grouped)]

    def put_off(self, message: StepMessage, error: str, until: float) -> None:
        """Try a message again later.  until: seconds since 1970."""
        values = {"attempts": message.attempts + 1, "error": error[:1000], "due": until}
        with self._transactions.begin() as connection:
            connection.execute(update(_message).where(_message.c.key == message.key).values(values))

    def done(self, message: StepMessage) -> None:
        """It needs not be sent again. A power cut may have it sent again all the same."""
        with self._transactions.begin_unsynced() as connection:
            connection.execute(delete(_message).where(_message.c.key == message.key))
