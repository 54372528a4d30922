"""Empty files made ahead, their names synced, so that taking in an image waits for one sync less."""

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from pacs.errors import StorageFailed


class Placeholder(NamedTuple):
    """An empty file, open for writing. hour: counted from 1970, in whose folder it is."""

    key: str
    path: str
    descriptor: int
    hour: int


class Placeholders:
    """A stock of empty files, filled up by a thread when it runs low. One for each process."""

    def __init__(
        self,
        stock: int,
        make: Callable[[], Placeholder],
        settle: Callable[[list[str]], None],
        discard: Callable[[Placeholder], None],
    ) -> None:
        """stock: how many at most.  make, settle, discard: make one, sync the names of some, remove one."""
        self._stock = stock
        self._make = make
        self._settle = settle
        self._discard = discard
        self._ready: deque[Placeholder] = deque()
        self._low = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._fill, name="placeholders", daemon=True)
        self._thread.start()

    def take(self, hour: int) -> Placeholder | None:
        """One of this hour, or None when there is none in stock."""
        with self._low:
            while self._ready:
                one = self._ready.popleft()
                if one.hour == hour:
                    break
                self._discard(one)  # of an hour in which nothing came
            else:
                one = None
            if len(self._ready) < self._stock // 2:
                self._low.notify()
            return one

    def close(self) -> None:
        """Remove what was not used."""
        with self._low:
            self._closed = True
            self._low.notify()
        self._thread.join()
        while self._ready:
            self._discard(self._ready.popleft())

    def _fill(self) -> None:
        while True:
            with self._low:
                self._low.wait_for(lambda: self._closed or len(self._ready) < self._stock // 2)
                if self._closed:
                    return
                missing = self._stock - len(self._ready)
            made: list[Placeholder] = []
            try:
                made.extend(self._make() for _ in range(missing))
                self._settle([one.key for one in made])
            except StorageFailed:
                for one in made:
                    self._discard(one)
                # Whoever receives next meets the same and tells the sender; then it is tried again
                with self._low:
                    if not self._closed:
                        self._low.wait()
                continue
            with self._low:
                self._ready.extend(made)
