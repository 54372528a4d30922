"""Files of what was deleted: in folders like those of the archive, under the same keys, until they go."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pacs.files.folders import sync_folder
from pacs.files.new_file import unlink
from pacs.files.storage_error import storage_error
from pacs.files.stored_file import DiskStoredFile, open_stored


class DiskRecycledFiles:
    """Moves files by renaming them. Keeps the contract of RecycledFiles."""

    def __init__(self, root: Path, archive: Path) -> None:
        """root: the folder that holds them; made when it is needed.  archive: that of the files in use."""
        self._root = root
        self._archive = archive

    @contextmanager
    def moving(self) -> Iterator[None]:
        """A lock on a file beside the folder, let go of when its holder dies."""
        path = f"{self._root}.lock"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def take(self, keys: Iterable[str]) -> None:
        """Rename files into their folders here, which are then synced."""
        _move(keys, self._archive, self._root)

    def give_back(self, keys: Iterable[str]) -> None:
        """Rename files into the folders where they were."""
        _move(keys, self._root, self._archive)

    def open(self, key: str) -> DiskStoredFile:
        """Open a file for reading."""
        return open_stored(f"{self._root}/{key}")

    def delete(self, keys: Iterable[str]) -> None:
        """Unlink files."""
        for key in keys:
            unlink(self._root / key)

    def walk(self) -> Iterator[str]:
        """Walk the folders in order of time."""
        for hour in sorted(self._root.glob("*/*/*/*")):
            folder = hour.relative_to(self._root).as_posix()
            yield from sorted(f"{folder}/{entry.name}" for entry in os.scandir(hour))


def _move(keys: Iterable[str], source: Path, target: Path) -> None:
    """Those that were moved before are synced again: who moved them may not have come so far."""
    folders: set[str] = set()
    try:
        for key in keys:
            folder = key.rpartition("/")[0]
            if folder not in folders:
                _make_folder(target, folder)
                folders.add(folder)
            with suppress(FileNotFoundError):
                Path(source, key).rename(target / key)
        for folder in folders:
            sync_folder(target / folder)
            with suppress(FileNotFoundError):
                sync_folder(source / folder)
    except OSError as error:
        raise storage_error(error) from error


def _make_folder(root: Path, folder: str) -> None:
    """Make a folder and those above it, each name synced."""
    path = root
    for part in ("", *folder.split("/")):
        path = path / part
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)
