"""A file on a disk while it is written: past the page cache, in large pieces.

What arrives is rarely read before others have come, and a page of memory for each 4 KB of it costs more
than all the rest of writing it. So the device reads straight out of the memory in which it was gathered.
Where a file system does not offer that, and for the end of a file that fills no block, the page cache
serves as usual.
"""

import errno
import fcntl
import mmap
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pacs.dataset.elements import Buffer
from pacs.errors import ArchiveError, OutOfSpace, StorageFailed

BLOCK = 4096  # bytes; what devices read and write at once, and memory must be aligned to
STAGE = 1 << 20  # bytes gathered before they are written

_DIRECT = getattr(os, "O_DIRECT", 0)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_WHOLE = 0o440  # permissions of a file that was written to its end

# Stages that were used and may be used again: memory that is new to a process costs more than its copying.
_stages: deque[mmap.mmap] = deque(maxlen=16)


def make(path: str) -> int:
    """Make a file that is not there yet, for writing past the page cache if that goes. Raises OSError."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(path, flags | _DIRECT, 0o640)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    Path(path).unlink(missing_ok=True)  # the refusal may come after the name was made
    return os.open(path, flags, 0o640)


class DiskNewFile:
    """A file being written to its final place."""

    def __init__(self, key: str, path: str, descriptor: int) -> None:
        """descriptor: as `make` has given it."""
        self.key = key
        self.size = 0
        self._path = path
        self._descriptor = descriptor
        self._is_direct = True
        self._stage: mmap.mmap | None = None
        self._staged = 0

    def write(self, data: Buffer) -> None:
        """Append all of the data; a full stage goes to the device."""
        rest = memoryview(data)
        stage = self._open_stage()
        while rest:
            count = min(len(rest), STAGE - self._staged)
            stage[self._staged : self._staged + count] = rest[:count]
            self._staged += count
            self.size += count
            rest = rest[count:]
            if self._staged == STAGE:
                self._drain()

    def _open_stage(self) -> mmap.mmap:
        if self._stage is None:
            try:
                self._stage = _stages.pop()
            except IndexError:
                self._stage = mmap.mmap(-1, STAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        return self._stage

    def _drain(self) -> None:
        """Write what is staged: whole blocks to the device, the rest to the page cache."""
        if self._stage is None:
            return
        direct = self._staged - self._staged % BLOCK if self._is_direct else 0
        with memoryview(self._stage) as stage:
            try:
                self._put(stage[:direct])
                if direct < self._staged:
                    self._use_cache()
                    self._put(stage[direct : self._staged])
            except OSError as error:
                raise storage_error(error) from error
        self._staged = 0

    def _put(self, rest: memoryview) -> None:
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except OSError as error:
                if error.errno != errno.EINVAL or not self._is_direct:
                    raise
                self._use_cache()  # the file system offered it, but not for this

    def _use_cache(self) -> None:
        if self._is_direct:
            flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
            fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags & ~_DIRECT)
            self._is_direct = False

    @contextmanager
    def view(self) -> Iterator[Buffer]:
        """Map the file; slices of the map are bytes."""
        self._drain()
        if not self.size:
            yield b""
            return
        with mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ) as mapped:
            yield mapped

    def sync(self) -> None:
        """fsync and close. From then on it may only be read, which tells a whole file from a broken one."""
        try:
            self._drain()
            os.fchmod(self._descriptor, _WHOLE)
            os.fsync(self._descriptor)
        except OSError as error:
            raise storage_error(error) from error
        finally:
            self._close()

    def discard(self) -> None:
        """Close and unlink."""
        self._close()
        unlink(Path(self._path))

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
        stage, self._stage = self._stage, None
        if stage is not None:
            _stages.append(stage)


def unlink(path: Path) -> None:
    """Remove a file; nothing happens when there is none. Raises StorageFailed."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error) from error


def storage_error(error: OSError) -> ArchiveError:
    """What an error of the operating system means to the archive."""
    if error.errno in _FULL:
        return OutOfSpace("no room left on the storage device; make room, and storing goes on by itself")
    return StorageFailed(f"the storage device failed: {error.strerror}")
