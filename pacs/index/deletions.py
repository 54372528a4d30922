"""That something was deleted, told to all processes at once through memory that they share."""

import os
import secrets
from mmap import mmap
from pathlib import Path

_BYTES = 8


class Deletions:
    """A number that is another after each deletion. What was remembered under another may be gone.

    It is drawn by lot: of two processes that counted at once, one would put the other's count back.
    It needs no sync: a service that starts remembers nothing.
    """

    def __init__(self, path: Path | None) -> None:
        """path: the file that the processes share; None for one process alone."""
        if path is None:
            self._memory = mmap(-1, _BYTES)
        else:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            os.ftruncate(descriptor, _BYTES)
            self._memory = mmap(descriptor, _BYTES)
            os.close(descriptor)
        self._number = memoryview(self._memory).cast("Q")

    @property
    def last(self) -> int:
        """The number now. To be read before what is remembered under it is looked up."""
        return self._number[0]

    def add(self) -> None:
        """Draw another: before the commit that deletes for those who write, and after it for readers."""
        self._number[0] = secrets.randbits(8 * _BYTES)

    def close(self) -> None:
        """Let go of the memory."""
        self._number.release()
        self._memory.close()
