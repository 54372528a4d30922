"""Connections to the index: SQLite as strict as the promise needs, or PostgreSQL."""

import fcntl
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import ClauseElement, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.sql.compiler import SQLCompiler

from pacs.errors import ArchiveError, OutOfSpace, StorageFailed
from pacs.index.log import LOG_PAGES, WriteAheadLog

_LOCK_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
_ADVISORY_LOCK = 0x44494146  # any number, the same in all processes
_CACHE = -16000  # kilobytes, negative by SQLite's convention

# (pragma, what to set, what it must read back). NORMAL: the log is synced before it is written back to the
# database; `Transactions` syncs it after each commit.
_PRAGMAS: tuple[tuple[str, str, object], ...] = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "NORMAL", 1),
    ("foreign_keys", "ON", 1),
    ("busy_timeout", "30000", 30000),  # milliseconds
    ("case_sensitive_like", "ON", None),  # cannot be read back; a search test holds it
    ("wal_autocheckpoint", str(LOG_PAGES), LOG_PAGES),
    ("cache_size", str(_CACHE), _CACHE),
    ("mmap_size", "268435456", None),  # bytes; less where the system has less
)


def sqlite_url(path: Path) -> str:
    """The address of an index kept in this file."""
    return f"sqlite:///{path}"


def open_engine(url: str) -> Engine:
    """An engine for this address; it opens nothing yet.

    A connection to SQLite is refused with StorageFailed when it does not read back as strict as it was set.
    """
    engine = create_engine(url, pool_size=32, max_overflow=32, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _make_strict)
        event.listen(engine, "begin", _begin)
    else:
        event.listen(engine, "connect", _give_room)
    return engine


def _give_room(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """PostgreSQL notes the rows that it finds; short of room, their pages, to compare all rows of them."""
    with closing(connection.cursor()) as cursor:
        cursor.execute("SET work_mem = '32MB'")
    connection.commit()


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
    """SQLAlchemy begins a transaction; one that `Transactions` has begun on the driver goes on."""
    driver = connection.connection.driver_connection
    if driver is not None and not driver.in_transaction:
        connection.exec_driver_sql("BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[PoolProxiedConnection]:
    """A connection of the driver for reading. Raises StorageFailed when the index cannot be read."""
    try:
        with closing(engine.raw_connection()) as connection:
            yield connection
    except (DBAPIError, engine.dialect.loaded_dbapi.Error) as error:
        raise index_error(getattr(error, "orig", None) or error) from error


@contextmanager
def connected(engine: Engine) -> Iterator[Connection]:
    """A connection of SQLAlchemy for reading. Raises StorageFailed when the index cannot be read."""
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise index_error(error.orig or error) from error


class Transactions:
    """The transactions of this process that write: one at a time, on a connection that stays open.

    And one at a time of all processes: so no two of them make the same patient, and the numbers of the
    change feed grow in the order in which others see them. SQLite takes one writer anyway; its own busy
    handler sleeps and tries again, which costs milliseconds under load, so writers wait in the kernel for a
    lock file instead. PostgreSQL has a lock to ask for.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._mutex = threading.Lock()
        self._connection: Connection | None = None
        database = engine.url.database if engine.dialect.name == "sqlite" else None
        self._log = WriteAheadLog(Path(database)) if database else None
        self._lock = os.open(f"{database}-lock", _LOCK_FLAGS, 0o640) if database else None
        self._begin = "BEGIN IMMEDIATE" if database else f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction; it is committed with sync when the context ends well, otherwise nothing is written.

        Raises OutOfSpace or StorageFailed; when it is the sync that failed, what was written may stay.
        """
        with self.begin_unsynced() as connection:
            yield connection
        self.sync(self.last)

    @contextmanager
    def begin_unsynced(self) -> Iterator[Connection]:
        """A transaction that others see once it is committed, and that lasts only when it was synced, too.

        Raises OutOfSpace or StorageFailed, and then nothing is written.
        """
        with self._mutex:
            if self._lock is not None:
                fcntl.flock(self._lock, fcntl.LOCK_EX)
            try:
                connection = self._open()
                self._start(connection.connection.cursor())
                yield connection
                connection.connection.commit()
                if connection.in_transaction():  # what SQLAlchemy knows of it
                    connection.commit()
                if self._log is not None:
                    self._log.committed += 1
            except BaseException as error:
                self._drop()
                reason = error.orig if isinstance(error, DBAPIError) else error
                if isinstance(reason, self._engine.dialect.loaded_dbapi.Error):
                    raise index_error(reason) from error
                raise
            finally:
                if self._lock is not None:
                    fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _start(self, cursor: DBAPICursor) -> None:
        if self._log is not None and self._log.is_doubtful:
            self._log.clear_doubt(cursor)
        cursor.execute(self._begin)

    @property
    def last(self) -> int:
        """The number of the last commit of this process."""
        return self._log.committed if self._log is not None else 0

    def sync(self, number: int) -> None:
        """Return when the commit of this number is on the device. Raises StorageFailed."""
        if self._log is not None:  # other databases have synced it
            self._log.sync(number)

    def lengthen_log(self) -> None:
        """Make the first images as cheap to store as those that follow. Raises StorageFailed."""
        if self._log is not None:
            with self.begin_unsynced() as connection:
                self._log.lengthen(connection.connection.cursor(), _CACHE)

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
            if self._log is not None:
                # What others have written would have it mapped anew, each time; most of it is in the log
                self._connection.connection.cursor().execute("PRAGMA mmap_size=0")
        return self._connection

    def _drop(self) -> None:
        """Roll back, and close the connection: what failed may have left it in any state."""
        if self._connection is not None:
            with suppress(self._engine.dialect.loaded_dbapi.Error, DBAPIError):
                # Closing would not do while a cursor lives: the lock would stay with it
                self._connection.connection.rollback()
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        """Close what is open."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._log is not None:
            self._log.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class Prepared:
    """A statement compiled once and handed to the driver as it is, for the path that every image takes.

    SQLAlchemy spends several times longer on an execution than SQLite does.
    """

    def __init__(self, statement: ClauseElement, engine: Engine, columns: Sequence[str] = ()) -> None:
        """columns: of an insert, those that rows give a value."""
        compiled = statement.compile(engine, column_keys=columns or None)
        if not isinstance(compiled, SQLCompiler):
            raise TypeError("only statements that run can be prepared")
        self._sql = compiled.string
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}
        self._is_positional = compiled.positiontup is not None
        self._pick = itemgetter(*compiled.positiontup) if compiled.positiontup else None

    def run(self, cursor: DBAPICursor, rows: Sequence[Mapping[str, Any]]) -> DBAPICursor:
        """Execute once for each row of parameters, of which there is at least one; returns the cursor."""
        if len(rows) == 1:
            cursor.execute(self._sql, self._parameters(rows[0]))
        else:
            cursor.executemany(self._sql, [self._parameters(row) for row in rows])
        return cursor

    def _parameters(self, row: Mapping[str, Any]) -> Any:
        values = {**self._constants, **row} if self._constants else row
        if self._pick is None:
            return () if self._is_positional else values
        picked = self._pick(values)
        return picked if isinstance(picked, tuple) else (picked,)


def index_error(error: BaseException) -> ArchiveError:
    """What an error of the database driver means to the archive."""
    # SQLite says the second when it has no room for the memory that its connections share
    if getattr(error, "sqlite_errorname", "") in ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"):
        return OutOfSpace("no room left for the index; make room, and storing goes on by itself")
    return StorageFailed(f"the index failed: {type(error).__name__}: {error}")
