"""Connections to the index: SQLite as strict as the promise needs, or PostgreSQL."""

import fcntl
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from shutil import disk_usage
from typing import Any

from sqlalchemy import ClauseElement, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.sql.compiler import SQLCompiler

from pacs.errors import ArchiveError, OutOfSpace, StorageFailed

_LOG_PAGES = 8000  # of the write-ahead log; a page that many images change is written back once
_PAGE_BYTES = 4096
_CACHE = -16000  # kilobytes, negative by SQLite's convention

# (pragma, what to set, what it must read back), for a commit that is on the device when it returns.
_PRAGMAS: tuple[tuple[str, str, object], ...] = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("foreign_keys", "ON", 1),
    ("busy_timeout", "30000", 30000),  # milliseconds
    ("case_sensitive_like", "ON", None),  # cannot be read back; a search test holds it
    ("wal_autocheckpoint", str(_LOG_PAGES), _LOG_PAGES),
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

    SQLite takes one writer. Its own busy handler sleeps and tries again, which costs milliseconds under load;
    here writers of all processes wait in the kernel for a lock file instead. Other databases need none.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._mutex = threading.Lock()
        self._connection: Connection | None = None
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._database = engine.url.database if self._is_sqlite else None
        self._lock = (
            os.open(f"{self._database}-lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
            if self._database
            else None
        )

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction; it is committed with sync when the context ends well, otherwise nothing is written.

        Raises OutOfSpace or StorageFailed.
        """
        with self._mutex, self._locked():
            try:
                connection = self._open()
                if self._is_sqlite:
                    connection.connection.cursor().execute("BEGIN IMMEDIATE")
                yield connection
                connection.connection.commit()
                if connection.in_transaction():  # what SQLAlchemy knows of it
                    connection.commit()
            except BaseException as error:
                self._drop()
                reason = error.orig if isinstance(error, DBAPIError) else error
                if isinstance(reason, self._engine.dialect.loaded_dbapi.Error):
                    raise index_error(reason) from error
                raise

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if self._lock is None:
            yield
            return
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def lengthen_log(self) -> None:
        """Give SQLite's write-ahead log its whole length now: 0.03 s and 32 MB.

        It is overwritten from its beginning again and again, and syncing what is overwritten costs half of
        syncing a file that grows (0.2 ms for 0.4). So the first images cost no more than those that follow.
        Raises StorageFailed.
        """
        if self._database is None:
            return
        log, length = Path(f"{self._database}-wal"), _LOG_PAGES * _PAGE_BYTES
        with self._mutex, self._locked():
            cursor = self._open().connection.cursor()
            is_roomy = disk_usage(log.parent).free > 32 * length
            if not is_roomy or (log.exists() and log.stat().st_size >= length):
                return
            try:
                _write_and_roll_back(cursor, length)
            except self._engine.dialect.loaded_dbapi.Error as error:
                self._drop()
                raise index_error(error) from error

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
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
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _write_and_roll_back(cursor: DBAPICursor, length: int) -> None:
    """A transaction larger than its cache goes to the log page by page; rolled back, it leaves the length.

    What the cache holds does not go there, so there is a little more than the length.
    """
    cursor.execute("PRAGMA cache_size=100")
    cursor.execute("BEGIN IMMEDIATE")
    cursor.execute("CREATE TABLE larger_than_the_cache (content BLOB)")
    cursor.execute("INSERT INTO larger_than_the_cache VALUES (zeroblob(?))", (length + (1 << 20),))
    cursor.execute("ROLLBACK")
    cursor.execute(f"PRAGMA cache_size={_CACHE}")


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
        self._positions = compiled.positiontup
        self._constants = compiled.params

    def run(self, cursor: DBAPICursor, rows: Sequence[Mapping[str, Any]]) -> DBAPICursor:
        """Execute once for each row of parameters, of which there is at least one; returns the cursor."""
        parameters = [self._parameters(row) for row in rows]
        if len(parameters) == 1:
            cursor.execute(self._sql, parameters[0])
        else:
            cursor.executemany(self._sql, parameters)
        return cursor

    def _parameters(self, row: Mapping[str, Any]) -> Any:
        values = {**self._constants, **row}
        return values if self._positions is None else tuple(values[name] for name in self._positions)


def index_error(error: BaseException) -> ArchiveError:
    """What an error of the database driver means to the archive."""
    # SQLite says the second when it has no room for the memory that its connections share
    if getattr(error, "sqlite_errorname", "") in ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"):
        return OutOfSpace("no room left for the index; make room, and storing goes on by itself")
    return StorageFailed(f"the index failed: {type(error).__name__}: {error}")
