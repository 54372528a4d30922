"""Files in folders: one folder an hour, so that what arrives together shares one directory to sync."""

import fcntl
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from pacs.files.contract import Head, no_head
from pacs.files.folders import sync_folder
from pacs.files.new_file import BLOCK, DiskNewFile, make, unlink
from pacs.files.placeholders import Placeholder, Placeholders
from pacs.files.recycled import DiskRecycledFiles
from pacs.files.scratch import Scratch
from pacs.files.secret import kept_secret
from pacs.files.storage_error import storage_error
from pacs.files.stored_file import DiskStoredFile, open_stored

_SUFFIX = ".dcm"
_ARCHIVE = "objects"
_WRITERS = "writers"
_HOUR = 3_600_000_000_000  # nanoseconds
_QUARANTINE = "quarantine"
_RECYCLED = "recycled"
_SECRET = "secret"  # noqa: S105 - the name of its file


class DiskFiles:
    """The file store on a local disk, or one that behaves like it. Keeps the contract of FileStore."""

    block = BLOCK

    def __init__(self, root: Path, ahead: int = 0) -> None:
        """root: the folder that holds everything; made when absent.

        ahead: how many empty files are kept ready for what arrives next.
        """
        self._root = root
        self._archive = root / _ARCHIVE
        self._ahead = ahead
        self._folders: set[Path] = set()
        self._unsettled: set[str] = set()
        self._hour = (-1, "")
        self._make_folder(self._archive)

    @cached_property
    def _writer(self) -> "_Writer":
        return _Writer(self._root / _WRITERS)

    @cached_property
    def _placeholders(self) -> Placeholders:
        return Placeholders(self._ahead, self._make, self._settle, _discard)

    @cached_property
    def recycled(self) -> DiskRecycledFiles:
        """The files of what was deleted, in a folder beside the archive's."""
        return DiskRecycledFiles(self._root / _RECYCLED, self._archive)

    @cached_property
    def secret(self) -> bytes:
        """Kept in a file beside the archive's folder."""
        return kept_secret(self._root / _SECRET)

    def create(self, head: Head = no_head, expected: int = 0) -> DiskNewFile:
        """Begin a new file, which is then put in the folder of the hour. expected: bytes after the head."""
        return DiskNewFile(self._place, head, expected)

    def scratch(self) -> Scratch:
        """A file in the folder that holds everything, on the same device as what it may become."""
        return Scratch(self._root)

    def _place(self) -> Placeholder:
        ready = self._placeholders.take(time.time_ns() // _HOUR) if self._ahead else None
        if ready is None:
            ready = self._make()
            self._unsettled.add(ready.key)
        return ready

    def _make(self) -> Placeholder:
        try:
            return self._make_in_folder()
        except FileNotFoundError:  # somebody has removed the folder
            self._hour = (-1, "")
            self._folders.clear()
        except OSError as error:
            raise storage_error(error) from error
        try:
            return self._make_in_folder()
        except OSError as error:
            raise storage_error(error) from error

    def _make_in_folder(self) -> Placeholder:
        now = time.time_ns()
        folder = self._folder_of(now // _HOUR)
        key = f"{folder}/{now:016x}{secrets.token_hex(4)}.{self._writer.name}{_SUFFIX}"
        path = f"{self._archive}/{key}"
        return Placeholder(key, path, make(path), now // _HOUR)

    def _folder_of(self, hour: int) -> str:
        """The folder of an hour, counted from 1970; made when it is the first time."""
        if hour != self._hour[0]:
            folder = time.strftime("%Y/%m/%d/%H", time.gmtime(hour * 3600))
            self._make_folder(self._archive / folder)
            self._hour = hour, folder
        return self._hour[1]

    def settle(self, keys: Iterable[str]) -> None:
        """Sync each folder that these files were made in, but for those made ahead: they are settled."""
        if not self._unsettled:
            return
        unsettled = [key for key in keys if key in self._unsettled]
        if unsettled:
            self._settle(unsettled)
            self._unsettled.difference_update(unsettled)

    def _settle(self, keys: Iterable[str]) -> None:
        try:
            for folder in {key.rpartition("/")[0] for key in keys}:
                sync_folder(self._archive / folder)
        except OSError as error:
            raise storage_error(error) from error

    def is_whole(self, key: str) -> bool:
        """Whether the file was written to its end."""
        return not self._path(key).stat().st_mode & 0o200

    def is_abandoned(self, key: str) -> bool:
        """Whether the process whose name is in the key has let go of its lock."""
        parts = key.split(".")
        return len(parts) != 3 or _Writer.is_gone(self._root / _WRITERS / parts[1])

    def close(self) -> None:
        """Remove the empty files kept ready, and what says that this process writes."""
        if "_placeholders" in self.__dict__:
            self._placeholders.close()
        if "_writer" in self.__dict__:
            self._writer.close()

    def open(self, key: str) -> DiskStoredFile:
        """Open a kept file for reading."""
        return open_stored(f"{self._archive}/{key}")

    def expect(self, keys: Iterable[str], length: int) -> None:
        """posix_fadvise(2) for each. A file that is gone is met when it is read."""
        for key in keys:
            with suppress(OSError):
                descriptor = os.open(f"{self._archive}/{key}", os.O_RDONLY | os.O_CLOEXEC)
                try:
                    os.posix_fadvise(descriptor, 0, length, os.POSIX_FADV_WILLNEED)
                finally:
                    os.close(descriptor)

    def secure(self, key: str) -> None:
        """Sync the file and its folder."""
        try:
            descriptor = os.open(self._path(key), os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise storage_error(error) from error
        self._settle([key])

    def delete(self, key: str) -> None:
        """Unlink a file."""
        unlink(self._path(key))

    def set_aside(self, key: str) -> str:
        """Rename a file into the quarantine folder."""
        source = self._path(key)
        target = self._root / _QUARANTINE / source.name
        try:
            self._make_folder(target.parent)
            source.rename(target)
            sync_folder(target.parent)
        except OSError as error:
            raise storage_error(error) from error
        return source.name

    def forget_aside(self, key: str) -> None:
        """Unlink a file in the quarantine folder."""
        unlink(self._root / _QUARANTINE / key)

    def walk(self, since: str = "") -> Iterator[str]:
        """Walk the folders in order of time."""
        for hour in sorted(self._archive.glob("*/*/*/*")):
            folder = hour.relative_to(self._archive).as_posix()
            if hour.is_dir() and folder >= since[: len(folder)]:
                keys = (
                    f"{folder}/{entry.name}" for entry in os.scandir(hour) if entry.name.endswith(_SUFFIX)
                )
                yield from sorted(key for key in keys if key >= since)

    def _path(self, key: str) -> Path:
        return self._archive / key

    def _make_folder(self, path: Path) -> None:
        """Make a folder and those above it, each name synced before anything is put into it."""
        if path in self._folders:
            return
        if path != self._root:
            self._make_folder(path.parent)
        path.mkdir(parents=path == self._root, exist_ok=True)
        sync_folder(path.parent)
        self._folders.add(path)


class _Writer:
    """What says that a process is writing: a locked file under its name, unlocked when it ends, however."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.name = secrets.token_hex(4)
        self._path = folder / self.name
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    @staticmethod
    def is_gone(path: Path) -> bool:
        """Whether no process holds this lock any more."""
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        path.unlink(missing_ok=True)
        return True

    def close(self) -> None:
        """Let go of the lock. May be called twice."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            self._path.unlink(missing_ok=True)
            os.close(descriptor)


def _discard(placeholder: Placeholder) -> None:
    os.close(placeholder.descriptor)
    Path(placeholder.path).unlink(missing_ok=True)
