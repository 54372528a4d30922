"""Which resources were made or changed, until those who asked to be told are told."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Table, Text, delete, insert, select

from pacs.index.engine import Transactions, connected, open_engine

# Of its own: what is made anew is no news, but what was noted before stays so.
_metadata = MetaData()

_change = Table(
    "fhir_change",
    _metadata,
    Column("key", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("type", Text, nullable=False),
    Column("id", Text, nullable=False),
    # Of the change feed of the archive: what caused it
    Column("sequence", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Noted:
    """A resource that was made or changed. sequence: of the change feed, what caused it."""

    key: int
    resource_type: str
    resource_id: str
    sequence: int


def create_table(connection: Connection) -> None:
    """Create its table, which stays when those of the resources are made anew."""
    _metadata.create_all(connection)


def note(connection: Connection, sequence: int, names: Iterable[tuple[str, str]]) -> None:
    """Note resources, by type and id, in the transaction that changes them."""
    if rows := [{"type": kind, "id": name, "sequence": sequence} for kind, name in names]:
        connection.execute(insert(_change), rows)


class Journal:
    """What was noted. It lies beside the kept resources, so that both change at once. Safe for threads."""

    def __init__(self, url: str) -> None:
        """url: of the database of the kept resources, which was prepared."""
        self._engine = open_engine(url)
        self._transactions = Transactions(self._engine)

    def note(self, resource_type: str, resource_id: str, sequence: int) -> None:
        """Note a resource that is not kept."""
        with self._transactions.begin() as connection:
            note(connection, sequence, [(resource_type, resource_id)])

    def read(self, limit: int) -> list[Noted]:
        """The oldest."""
        rows = select(_change).order_by(_change.c.key).limit(limit)
        with connected(self._engine) as connection:
            return [Noted(row.key, row.type, row.id, row.sequence) for row in connection.execute(rows)]

    def forget(self, last: Noted) -> None:
        """Forget this one and all before it."""
        with self._transactions.begin() as connection:
            connection.execute(delete(_change).where(_change.c.key <= last.key))

    def close(self) -> None:
        """Close all connections."""
        self._transactions.close()
        self._engine.dispose()
