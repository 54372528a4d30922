"""Working off what is due for other systems: one thing after the other for each, until it answers."""

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

import structlog

from pacs.changes import Bell
from pacs.errors import ArchiveError

# Seconds before each further attempt; the last one again and again, for a week
PAUSES = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
MOST_ATTEMPTS = 7 * 24

AT_ONCE = 4  # systems that are turned to at the same time

_SLICE = 0.2  # seconds between looking whether it is time to stop

log = structlog.get_logger()


class Stopping(Exception):
    """The service ends; what is left is done after its next start."""


class Due(Protocol):
    """Something that is to be done now."""

    @property
    def destination(self) -> str:
        """The AE title of the system that it is for."""
        ...

    @property
    def attempts(self) -> int:
        """How many failed."""
        ...


T = TypeVar("T", bound=Due)
T_co = TypeVar("T_co", bound=Due, covariant=True)


class Queue(Protocol[T_co]):
    """Where it lies."""

    def due(self, now: float) -> Sequence[T_co]:
        """What is to be done now, in its order."""
        ...

    def next_due(self, but: Collection[str]) -> float | None:
        """When there is something next, in seconds since 1970.  but: destinations that are passed over."""
        ...


def pause(due: Due) -> float:
    """Seconds until the next attempt."""
    return PAUSES[min(due.attempts, len(PAUSES) - 1)]


class Rounds(Generic[T]):
    """Works off a queue. Nothing polls: it sleeps until a bell rings or the next time has come."""

    def __init__(self, queue: Queue[T], bell: Bell, work: Callable[[T, Callable[[], bool]], None]) -> None:
        """bell: rings when something was put into the queue.

        work: does one thing, given also what tells that it is time to stop. What fails it puts off; it raises
            only where that cannot be noted.
        """
        self._queue = queue
        self._bell = bell
        self._work = work
        self._busy: dict[str, Future[None]] = {}

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Work until it is time to stop and the bell rings."""
        with ThreadPoolExecutor(AT_ONCE, "courier") as pool:
            while not is_stopping():
                try:
                    self._begin(pool, is_stopping)
                    seconds = self._idle_seconds()
                except ArchiveError as error:
                    log.error("what is due cannot be read", reason=str(error), retry_in=PAUSES[0])
                    seconds = PAUSES[0]
                self._bell.wait(seconds)
                self._busy = {name: future for name, future in self._busy.items() if not future.done()}

    def _begin(self, pool: ThreadPoolExecutor, is_stopping: Callable[[], bool]) -> None:
        for due in self._queue.due(time.time()):
            if due.destination not in self._busy and len(self._busy) < AT_ONCE:
                future = pool.submit(self._attend, due, is_stopping)
                self._busy[due.destination] = future
                future.add_done_callback(lambda _: self._bell.ring())

    def _attend(self, due: T, is_stopping: Callable[[], bool]) -> None:
        """Do one thing, and rest where it could not be put off: it would be tried again at once."""
        try:
            self._work(due, is_stopping)
        except Exception as error:  # noqa: BLE001 - the edge: nobody asks the future for it
            about = {"destination": due.destination, "error": type(error).__name__, "reason": str(error)}
            log.error("what is due cannot be put off", retry_in=PAUSES[0], **about)
            deadline = time.monotonic() + PAUSES[0]
            while time.monotonic() < deadline and not is_stopping():
                time.sleep(_SLICE)

    def _idle_seconds(self) -> float | None:
        """Until a time that has come; something new and a system that is free again ring the bell."""
        due = self._queue.next_due(but=self._busy)
        full = len(self._busy) >= AT_ONCE
        return None if due is None or full else max(0.0, due - time.time())
