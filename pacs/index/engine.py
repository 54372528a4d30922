"""Connections to the index: SQLite as strict as the promise needs, or PostgreSQL."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from pacs.errors import ArchiveError, OutOfSpace, StorageFailed

# (pragma, what to set, what it must read back), for a commit that is on the device when it returns.
_PRAGMAS: tuple[tuple[str, str, object], ...] = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("foreign_keys", "ON", 1),
    ("busy_timeout", "30000", 30000),  # milliseconds
    ("case_sensitive_like", "ON", None),  # cannot be read back; a search test holds it
    ("cache_size", "-16000", -16000),  # kilobytes, negative by SQLite's convention
    ("mmap_size", "268435456", None),  # bytes; less where the system has less
)


def sqlite_url(path: Path) -> str:
    """The address of an index kept in this file."""
    return f"sqlite:///{path}"


def open_engine(url: str) -> Engine:
    """An engine for this address; it opens nothing yet.

    A connection to SQLite is refused with StorageFailed when it does not read back as strict as it was set.
    """
    engine = create_engine(url, pool_size=32, max_overflow=32)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _make_strict)
        event.listen(engine, "begin", _begin)
    return engine


def _make_strict(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where sqlite3 guesses
    cursor = connection.cursor()
    for pragma, value, expected in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}={value}")
        cursor.execute(f"PRAGMA {pragma}")
        row = cursor.fetchone()
        if expected is not None and (row is None or row[0] != expected):
            raise StorageFailed(f"SQLite does not keep {pragma}={value} here, so nothing could be promised")
    cursor.close()


def _begin(connection: Connection) -> None:
    mode = connection.get_execution_options().get("begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


class WriteLock:
    """Lets one writer at a time into SQLite, across processes, waiting in the kernel.

    SQLite's own busy handler sleeps and tries again, which costs milliseconds under load. On other
    databases nothing is locked.
    """

    def __init__(self, engine: Engine) -> None:
        database = engine.url.database if engine.dialect.name == "sqlite" else None
        self._path = Path(f"{database}-lock") if database else None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Wait for the lock, and keep it while the context lasts."""
        if self._path is None:
            yield
            return
        with self._path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


@contextmanager
def writing(engine: Engine, lock: WriteLock) -> Iterator[Connection]:
    """A transaction that writes; committed with sync when the context ends well.

    Raises OutOfSpace or StorageFailed, and nothing is written.
    """
    try:
        with (
            lock.hold(),
            engine.connect().execution_options(begin="IMMEDIATE") as connection,
            connection.begin(),
        ):
            yield connection
    except DBAPIError as error:
        raise index_error(error) from error


def index_error(error: DBAPIError) -> ArchiveError:
    """What an error of the database means to the archive."""
    if getattr(error.orig, "sqlite_errorname", "") == "SQLITE_FULL":
        return OutOfSpace("no room left for the index; make room, and storing goes on by itself")
    return StorageFailed(f"the index failed: {type(error.orig).__name__}: {error.orig}")
