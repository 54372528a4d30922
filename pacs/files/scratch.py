"""Bytes put aside while a request lasts, in a file without a name: it is gone when the process is."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from io import FileIO
from pathlib import Path

from pacs.dataset.elements import Buffer
from pacs.files.storage_error import storage_error

CHUNK = 1 << 20  # bytes read at a time


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some of what was put aside, from an offset on."""

    offset: int
    length: int

    def __len__(self) -> int:
        return self.length

    def behind(self, count: int) -> "Stretch":
        """What follows its first so many bytes."""
        return Stretch(self.offset + count, max(self.length - count, 0))


class Scratch:
    """One such file. Bytes are added at its end, and read at any place."""

    def __init__(self, folder: Path) -> None:
        """folder: on the device of the file, which is made when there is something for it."""
        self.size = 0
        self._folder = folder

    @cached_property
    def _file(self) -> FileIO:
        return tempfile.TemporaryFile(dir=self._folder, buffering=0)

    def write(self, data: Buffer) -> None:
        """Add all of the data. Raises StorageFailed, OutOfSpace, as reading does."""
        rest = memoryview(data)
        try:
            while rest:
                count = os.pwrite(self._file.fileno(), rest, self.size)
                self.size += count
                rest = rest[count:]
        except OSError as error:
            raise storage_error(error) from error

    def read(self, stretch: Stretch, limit: int | None = None) -> bytes:
        """A stretch, or as many bytes of its beginning."""
        length = len(stretch) if limit is None else min(len(stretch), limit)
        return b"".join(self.chunks(Stretch(stretch.offset, length)))

    def chunks(self, stretch: Stretch) -> Iterator[bytes]:
        """A stretch in pieces of CHUNK bytes at most."""
        offset, end = stretch.offset, stretch.offset + stretch.length
        while offset < end:
            try:
                chunk = os.pread(self._file.fileno(), min(CHUNK, end - offset), offset)
            except OSError as error:
                raise storage_error(error) from error
            if not chunk:
                return
            yield chunk
            offset += len(chunk)

    def close(self) -> None:
        """Let it go. May be called twice."""
        if "_file" in self.__dict__:
            self._file.close()
