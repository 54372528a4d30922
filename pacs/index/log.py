"""The write-ahead log of SQLite: made as long as it will be, and synced by us after each commit.

A commit that syncs keeps the one lock of all writers meanwhile. So SQLite commits without sync and lets go
of the lock; whoever committed then syncs the log here, and returns only when that is done. Meanwhile others
commit. A sync serves all that was committed before it, and the device merges those of several processes.
"""

import os
import threading
from pathlib import Path
from shutil import disk_usage

from sqlalchemy.engine.interfaces import DBAPICursor

from pacs.errors import StorageFailed

LOG_PAGES = 8000  # a page that many images change is written back to the database once
PAGE_BYTES = 4096
_LENGTH = LOG_PAGES * PAGE_BYTES


class WriteAheadLog:
    """The log beside one database. One for each process; safe for threads.

    committed: how many commits this process made, counted while the lock of all writers is held.
    is_doubtful: whether a sync has failed, so that none may be trusted before the doubt is cleared.
    """

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-wal")
        self._syncing = threading.Lock()
        self._descriptor = -1
        self.committed = 0
        self._synced = 0
        self.is_doubtful = False

    def sync(self, number: int) -> None:
        """Return when this commit is on the device, with all before it. Raises StorageFailed."""
        with self._syncing:
            if self._synced >= number:
                return
            if self.is_doubtful:  # the device tells of a failure once; another sync would seem to go well
                raise StorageFailed("the index could not be synced; the next object begins by trying again")
            newest = self.committed
            try:
                self._open()
                os.fdatasync(self._descriptor)
            except FileNotFoundError:
                pass  # SQLite removes it when it has written all of it, synced, to the database
            except OSError as error:
                self.is_doubtful = True
                raise StorageFailed(f"the index could not be synced: {error.strerror}") from error
            self._synced = newest

    def _open(self) -> None:
        """Have the log open that is there now."""
        if self._descriptor >= 0 and os.fstat(self._descriptor).st_nlink:
            return
        self._close()
        self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)

    def clear_doubt(self, cursor: DBAPICursor) -> None:
        """After a sync that failed: write all of the log to the database, synced.

        What a device has refused once it may drop without another word, and commits that follow would be
        lost with it. Raises StorageFailed when it fails again.
        """
        cursor.execute("PRAGMA wal_checkpoint(FULL)")
        busy, pages, written = cursor.fetchone() or (1, 0, 0)
        if busy or pages != written:
            raise StorageFailed("the index could not be synced, and what was read from it stands in the way")
        self.is_doubtful = False

    def lengthen(self, cursor: DBAPICursor, cache: int) -> None:
        """Give the log its whole length now: 0.03 s and 32 MB. A transaction has begun; it is rolled back.

        It is overwritten from its beginning again and again, and syncing what is overwritten costs half of
        syncing a file that grows (0.2 ms for 0.4). So the first images cost no more than those that follow.
        cache: the cache_size of the connection.
        """
        is_roomy = disk_usage(self._path.parent).free > 32 * _LENGTH
        if is_roomy and not (self._path.exists() and self._path.stat().st_size >= _LENGTH):
            _write_and_roll_back(cursor, cache)

    def close(self) -> None:
        """Let go of the log."""
        with self._syncing:
            self._close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _write_and_roll_back(cursor: DBAPICursor, cache: int) -> None:
    """A transaction larger than its cache goes to the log page by page; rolled back, it leaves the length.

    What the cache holds does not go there, so there is a little more than the length.
    """
    cursor.execute("PRAGMA cache_size=100")
    cursor.execute("CREATE TABLE larger_than_the_cache (content BLOB)")
    cursor.execute("INSERT INTO larger_than_the_cache VALUES (zeroblob(?))", (_LENGTH + (1 << 20),))
    cursor.execute("ROLLBACK")
    cursor.execute(f"PRAGMA cache_size={cache}")
