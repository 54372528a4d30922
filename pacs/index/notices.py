"""What known systems are still to be told of instances that are available, or no longer."""

from collections.abc import Sequence
from typing import NamedTuple, Self
from uuid import uuid4

import orjson
from sqlalchemy import Connection, Engine, delete, insert, select

from pacs.index import schema
from pacs.index.engine import Transactions, connected
from pacs.index.message_queue import MessageQueue, new_row
from pacs.index.schema.messages import availability_notice

_notice, _peer = availability_notice, schema.peer

# SOP Class UID, SOP Instance UID, and whether it is available
InstanceState = tuple[str, str, bool]


class Availability(NamedTuple):
    """Whether instances of a study are available.

    step: the SOP Instance UID of the performed step that they are of; empty for none.
    series: the instances by Series Instance UID.
    """

    study_instance_uid: str
    step: str
    series: dict[str, list[InstanceState]]

    @classmethod
    def read(cls, content: bytes) -> Self:
        """As `written` has it."""
        study, step, series = orjson.loads(content)
        return cls(study, step, {uid: [(*state,) for state in states] for uid, states in series.items()})

    def written(self) -> bytes:
        """As it is kept in a row."""
        return orjson.dumps(tuple(self))


class Notices(MessageQueue):
    """The notifications that wait, each with an Availability. Safe for threads and processes."""

    def __init__(self, engine: Engine, transactions: Transactions) -> None:
        super().__init__(engine, transactions, _notice, "content")

    def are_wanted(self) -> bool:
        """Whether any known system is to be told."""
        with connected(self._engine) as connection:
            return connection.scalar(select(_peer.c.ae_title).where(_peer.c.notified).limit(1)) is not None

    def add(self, told: Sequence[Availability]) -> bool:
        """Let all be told who are to be, durably; whether there was anybody.

        Each is told by a notification of its own, which it knows again when it comes twice.
        """
        contents = [one.written() for one in told]
        titles = select(_peer.c.ae_title).where(_peer.c.notified).order_by(_peer.c.ae_title)
        with self._transactions.begin() as connection:
            rows = [
                new_row(title, f"2.25.{uuid4().int}") | {"content": content}
                for title in connection.scalars(titles)
                for content in contents
            ]
            if rows:
                connection.execute(insert(_notice), rows)
        return bool(rows)


def drop_notices(connection: Connection, destination: str) -> None:
    """Tell a system nothing of what waits for it."""
    connection.execute(delete(_notice).where(_notice.c.destination == destination))
