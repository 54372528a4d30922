"""Sending no faster than is allowed."""

import time
from collections.abc import Callable, Iterable, Iterator

from pacs.dimse.rounds import Stopping

_SLICES = 4  # a second: a peer that waits for longer might give up
_SMALLEST = 1024  # bytes of a slice


class Pace:
    """Lets pieces through in slices, so that a limit is kept over all that goes through it."""

    def __init__(self, bytes_per_second: int, is_stopping: Callable[[], bool]) -> None:
        self._rate = bytes_per_second
        self._is_stopping = is_stopping
        self._free_at = 0.0  # when the next slice may go, by the monotonic clock

    def __call__(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same bytes. Raises Stopping."""
        size = max(_SMALLEST, self._rate // _SLICES)
        for piece in pieces:
            for start in range(0, len(piece), size):
                sliced = piece[start : start + size]
                self._wait(len(sliced))
                yield sliced

    def _wait(self, length: int) -> None:
        while (rest := self._free_at - time.monotonic()) > 0:
            if self._is_stopping():
                raise Stopping
            time.sleep(min(rest, 1 / _SLICES))
        self._free_at = max(self._free_at, time.monotonic()) + length / self._rate
