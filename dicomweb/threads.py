"""Where work goes that waits for a disk or needs a processor, so that the event loop never stands still."""

import asyncio
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any, TypeVar, TypeVarTuple

SEARCHERS = 4  # threads that ask the index; more would only wait for each other's turn to run Python
SOON = 0.01  # seconds in which most searches are answered, also those that wait behind three others
READERS = 16  # threads that wait for disks
STORERS = 8  # threads that write what arrives; a slow sender holds none of them

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Job = Callable[[], None]


class Threads:
    """Pools, so that no kind of work waits behind another. One set for each process."""

    def __init__(self) -> None:
        self._searchers = _Pool(SEARCHERS, "dicomweb-search", SOON)
        self._readers = _Pool(READERS, "dicomweb-read")
        self._drawers = _Pool(os.cpu_count() or 1, "dicomweb-draw")
        self._storers = _Pool(STORERS, "dicomweb-store")

    async def search(self, work: Callable[[*Ts], T], *of: *Ts) -> T:
        """Ask the index."""
        return await self._searchers.run(work, *of)

    async def read(self, work: Callable[[*Ts], T], *of: *Ts) -> T:
        """Read files."""
        return await self._readers.run(work, *of)

    async def draw(self, work: Callable[[*Ts], T], *of: *Ts) -> T:
        """Draw, which takes a processor."""
        return await self._drawers.run(work, *of)

    async def store(self, work: Callable[[*Ts], T], *of: *Ts) -> T:
        """Write and sync."""
        return await self._storers.run(work, *of)


@dataclass(slots=True)
class _Shared:
    """What a pool and its threads have in common, under the lock."""

    patience: float
    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: deque[tuple[float, Job]] = field(default_factory=deque)  # since when, by the monotonic clock
    working: int = 0
    resting: list[threading.Lock] = field(default_factory=list)  # released to wake the one who rests
    is_over: bool = False

    def needs_another(self) -> bool:
        """Whether those that work already are too few."""
        if not self.waiting:
            return False
        return not self.working or monotonic() - self.waiting[0][0] >= self.patience


class _Pool:
    """Threads of which a job wakes one, that which rested last, and none while another will soon be free.

    The executor of `concurrent.futures` wakes two for each job; and threads that each run a little Python
    take the interpreter from one another all the time (ADR 45).
    """

    def __init__(self, size: int, name: str, patience: float = 0.0) -> None:
        """patience: seconds that a job waits for a thread that is at work, before another one is woken."""
        self._size = size
        self._name = name
        self._started = 0
        self._is_watched = False
        self._shared = _Shared(patience)
        weakref.finalize(self, _dismiss, self._shared)

    async def run(self, work: Callable[[*Ts], T], *of: *Ts) -> T:
        """What the work returns, or raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._shared.lock:
            self._shared.waiting.append((monotonic(), partial(_do, loop, future, work, of)))
            self._call_for_help(loop)
        return await future

    def _call_for_help(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let another thread work if there is need, or see to it later."""
        shared = self._shared
        if shared.needs_another():
            if shared.resting:
                shared.resting.pop().release()
                shared.working += 1
            elif self._started < self._size:
                self._start()
        if shared.waiting and shared.patience and not self._is_watched:
            self._is_watched = True
            loop.call_later(shared.patience, self._look_again, loop)

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_watched = False
        with self._shared.lock:
            self._call_for_help(loop)

    def _start(self) -> None:
        self._started += 1
        self._shared.working += 1
        name = f"{self._name}_{self._started}"
        threading.Thread(target=_work, args=(self._shared,), name=name, daemon=True).start()


def _dismiss(shared: _Shared) -> None:
    with shared.lock:
        shared.is_over = True
        for awake in shared.resting:
            awake.release()


def _work(shared: _Shared) -> None:
    """Do one job after the other."""
    awake = threading.Lock()
    awake.acquire()
    while not shared.is_over:
        with shared.lock:
            shared.working -= 1
            job = None
            if shared.needs_another():
                _, job = shared.waiting.popleft()
                shared.working += 1
            else:
                shared.resting.append(awake)
        if job is None:
            awake.acquire()
        else:
            job()
            del job  # and what it holds


def _do(
    loop: asyncio.AbstractEventLoop,
    future: asyncio.Future[Any],
    work: Callable[..., Any],
    of: tuple[Any, ...],
) -> None:
    if future.cancelled():
        return
    result, failure = None, None
    try:
        result = work(*of)
    except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
        failure = error
    with suppress(RuntimeError):  # the loop has ended, and nobody waits
        loop.call_soon_threadsafe(_settle, future, result, failure)
    del failure  # it knows this frame


def _settle(future: asyncio.Future[Any], result: object, failure: BaseException | None) -> None:
    if future.done():  # who waited has left
        return
    if failure is None:
        future.set_result(result)
    else:
        future.set_exception(failure)
