"""Where work goes that waits for a disk or needs a processor, so that the event loop never stands still."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

SEARCHERS = 4  # threads that ask the index; more would only wait for each other's turn to run Python
READERS = 16  # threads that wait for disks
STORERS = 8  # threads that write what arrives; a slow sender holds none of them

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Threads:
    """Pools, so that no kind of work waits behind another. One set for each process."""

    def __init__(self) -> None:
        self._searchers = ThreadPoolExecutor(SEARCHERS, "dicomweb-search")
        self._readers = ThreadPoolExecutor(READERS, "dicomweb-read")
        self._drawers = ThreadPoolExecutor(os.cpu_count() or 1, "dicomweb-draw")
        self._storers = ThreadPoolExecutor(STORERS, "dicomweb-store")

    async def search(self, work: Callable[[*Ts], T], *of: *Ts) -> T:
        """Ask the index."""
        return await asyncio.get_running_loop().run_in_executor(self._searchers, work, *of)

    async def read(self, work: Callable[[*Ts], T], *of: *Ts) -> T:
        """Read files."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, work, *of)

    async def draw(self, work: Callable[[*Ts], T], *of: *Ts) -> T:
        """Draw, which takes a processor."""
        return await asyncio.get_running_loop().run_in_executor(self._drawers, work, *of)

    async def store(self, work: Callable[[*Ts], T], *of: *Ts) -> T:
        """Write and sync."""
        return await asyncio.get_running_loop().run_in_executor(self._storers, work, *of)
