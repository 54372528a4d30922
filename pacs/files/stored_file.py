"""A file on a disk that is kept, read by position."""

import os
from collections.abc import Iterator
from typing import Self

import numpy as np

from pacs.errors import NotFound
from pacs.files.storage_error import storage_error

CHUNK = 1 << 20  # bytes read at a time when a file is streamed


def open_stored(path: str) -> "DiskStoredFile":
    """Open a file for reading. Raises NotFound when there is none, StorageFailed."""
    try:
        return DiskStoredFile(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except FileNotFoundError as error:
        raise NotFound("the file of this instance is gone from the store") from error
    except OSError as error:
        raise storage_error(error) from error


class DiskStoredFile:
    """A kept file, read by position."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def read(self, offset: int, length: int) -> bytes:
        """One positioned read; more of them for what the system does not read at once."""
        try:
            content = os.pread(self._descriptor, length, offset)
            while len(content) < length:
                more = os.pread(self._descriptor, length - len(content), offset + len(content))
                if not more:
                    break
                content += more
        except OSError as error:
            raise storage_error(error) from error
        return content

    def read_cached(self, offset: int, length: int) -> memoryview | None:
        """One positioned read out of the page cache, or None when any of it is not there."""
        buffer = np.empty(length, np.uint8).data  # a bytearray would be filled with zeroes first
        try:
            count = os.preadv(self._descriptor, [buffer], offset, os.RWF_NOWAIT)
        except OSError:
            return None
        return buffer if count == length else None

    def chunks(self, offset: int, length: int) -> Iterator[bytes]:
        """Pieces of CHUNK bytes."""
        end = offset + length
        while offset < end:
            piece = self.read(offset, min(CHUNK, end - offset))
            if not piece:
                return
            yield piece
            offset += len(piece)
