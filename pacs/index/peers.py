"""The systems that are known by their AE titles."""

from typing import Any

from sqlalchemy import Engine, Row, delete, insert, select

from pacs.index import schema
from pacs.index.commitment_requests import make_due
from pacs.index.engine import Transactions, connected
from pacs.index.message_queue import make_messages_due
from pacs.index.notices import drop_notices
from pacs.index.sent_commitments import make_sendings_due
from pacs.model import Duplicates, Peer, Permission

_peer = schema.peer

# Parted by backslashes, as the values of an element are
_LISTS = ("may", "move_to", "transfer_syntaxes")


class Peers:
    """The known systems. Safe for threads."""

    def __init__(self, engine: Engine, transactions: Transactions) -> None:
        self._engine = engine
        self._transactions = transactions

    def put(self, peer: Peer) -> None:
        """Know a system, in place of the one of its AE title. What it is to be sent and told is due then."""
        with self._transactions.begin() as connection:
            connection.execute(delete(_peer).where(_peer.c.ae_title == peer.ae_title))
            connection.execute(insert(_peer).values(_row(peer)))
            make_due(connection, peer.ae_title)
            make_messages_due(connection, peer.ae_title)
            make_sendings_due(connection, peer.ae_title)
            if not peer.notified:
                drop_notices(connection, peer.ae_title)

    def remove(self, ae_title: str) -> bool:
        """Know a system no more; whether it was known."""
        with self._transactions.begin() as connection:
            drop_notices(connection, ae_title)
            return connection.execute(delete(_peer).where(_peer.c.ae_title == ae_title)).rowcount > 0

    def find(self, ae_title: str) -> Peer | None:
        """The system of this AE title."""
        with connected(self._engine) as connection:
            found = connection.execute(select(_peer).where(_peer.c.ae_title == ae_title)).first()
        return None if found is None else _peer_of(found)

    def all(self) -> list[Peer]:
        """All of them, by AE title."""
        with connected(self._engine) as connection:
            return [_peer_of(row) for row in connection.execute(select(_peer).order_by(_peer.c.ae_title))]


def _row(peer: Peer) -> dict[str, Any]:
    row = peer._asdict()
    lists = {name: "\\".join(sorted(row[name]) if name == "may" else row[name]) for name in _LISTS}
    return row | lists | {"duplicates": peer.duplicates.value}


def _peer_of(row: Row[Any]) -> Peer:
    values = dict(row._mapping)
    values |= {name: tuple(filter(None, values[name].split("\\"))) for name in _LISTS}
    values["may"] = frozenset(map(Permission, values["may"]))
    values["duplicates"] = Duplicates(values["duplicates"])
    return Peer(**values)
