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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from blake3 import blake3

from pacs.dataset.elements import Buffer
from pacs.files.contract import Head
from pacs.files.placeholders import Placeholder
from pacs.files.storage_error import storage_error

BLOCK = 4096  # bytes; what devices read and write at once, and memory must be aligned to
STAGE = 1 << 20  # bytes gathered before they are written
HEAD_ROOM = 3 * BLOCK  # bytes that are left in a stage for the head, which is shorter by a block at least

_DIRECT = getattr(os, "O_DIRECT", 0)
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
    """A file that is gathered in memory, and written to its final place once that is full or all is there."""

    def __init__(self, place: Callable[[], Placeholder], head: Head, expected: int) -> None:
        """place: gives the empty file to be written.  head: gives what stands before all that is written.

        expected: bytes that may be written. Where both then fill blocks, the head begins one.
        """
        self.key = ""
        self.head_size = 0
        self._place = place
        self._head = head
        self._path = ""
        self._descriptor = -1
        self._is_direct = True
        self._stage: mmap.mmap | None = None
        self._start = self._end = HEAD_ROOM - expected % BLOCK  # of what is in the stage
        self._drained = 0  # bytes
        self._digest = blake3()
        self._digested = self._end  # up to where in the stage

    @property
    def size(self) -> int:
        """Bytes so far, with the head once there is one."""
        return self._drained + self._end - self._start

    @property
    def digest(self) -> str:
        """BLAKE3 of what follows the head, hexadecimal, once it is complete."""
        return self._digest.hexdigest()

    def write(self, data: Buffer) -> None:
        """Append all of the data."""
        rest = memoryview(data)
        while rest:
            stage = self._open_stage()
            count = min(len(rest), STAGE - self._end)
            stage[self._end : self._end + count] = rest[:count]
            self.filled(count)
            rest = rest[count:]

    def room(self) -> memoryview:
        """What is free of the stage."""
        return memoryview(self._open_stage())[self._end :]

    def filled(self, count: int) -> None:
        """Add what was put there; a full stage goes to the device."""
        self._end += count
        if self._end == STAGE:
            self._begin(None)  # which may make room: less than was kept for the head is needed
        if self._end == STAGE:
            self._drain()

    def _open_stage(self) -> mmap.mmap:
        if self._stage is None:
            try:
                self._stage = _stages.pop()
            except IndexError:
                self._stage = mmap.mmap(-1, STAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        return self._stage

    def complete(self) -> None:
        """Give the file its name, and the head its final length."""
        self._begin(self.size)
        self._hash()

    def _hash(self) -> None:
        """Take in what was added to the stage: in one piece where it is small, which costs least."""
        if self._digested < self._end:
            with memoryview(self._open_stage()) as stage:
                self._digest.update(stage[self._digested : self._end])
            self._digested = self._end

    def _begin(self, length: int | None) -> None:
        """Name the file and put its head in front."""
        if self.key:
            return
        place = self._place()
        self.key, self._path, self._descriptor = place.key, place.path, place.descriptor
        head = self._head(length)
        self.head_size = len(head)
        stage, begin = self._open_stage(), self._start - len(head)
        stage[begin : self._start] = head
        self._start = begin
        if begin % BLOCK:  # memory that goes to the device must be aligned
            self._start, self._end, self._digested = 0, self._end - begin, self._digested - begin
            stage.move(0, begin, self._end)

    def _drain(self) -> None:
        """Write what is staged: whole blocks to the device, the rest to the page cache."""
        count = self._end - self._start
        direct = self._end - count % BLOCK if self._is_direct else self._start
        self._hash()
        with memoryview(self._open_stage()) as stage:
            try:
                self._put(stage[self._start : direct])
                if direct < self._end:
                    self._use_cache()
                    self._put(stage[direct : self._end])
            except OSError as error:
                raise storage_error(error) from error
        self._drained += count
        self._start = self._end = self._digested = 0

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
    def content(self) -> Iterator[tuple[Buffer, int, int]]:
        """The stage, or a map of the file; slices of both are bytes."""
        if not self._drained:
            yield self._open_stage(), self._start + self.head_size, self._end
            return
        self._drain()
        with mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ) as mapped:
            yield mapped, self.head_size, self._drained

    def sync(self) -> None:
        """fsync and close. From then on it may only be read, which tells a whole file from a broken one."""
        if not self.key:
            self.complete()
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
        if self._path:
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
