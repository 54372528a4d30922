"""How many connections each of the processes has open that accept at one port, in memory that they share.

The kernel deals connections out without regard to that, and four of them in one process, which runs Python in
one thread at a time, are served at half the speed of two in each.
"""

import mmap

_BYTES = 4  # of one number

# Seconds, and how often: how long a process leaves a connection to those that serve fewer; they may have died
WAIT, WAITS = 0.001, 20


class Occupancy:
    """One number for each process; each writes its own. Made before the processes are forked."""

    def __init__(self, processes: int) -> None:
        self._numbers = memoryview(mmap.mmap(-1, _BYTES * processes)).cast("i")

    def place(self, process: int) -> "Place":
        """That of one process, counted from 0."""
        return Place(self._numbers, process)


class Place:
    """What one process sees and tells of it."""

    def __init__(self, numbers: memoryview, process: int) -> None:
        self._numbers = numbers
        self._process = process

    def tell(self, number: int) -> None:
        """Say how many are open here."""
        self._numbers[self._process] = number

    @property
    def total(self) -> int:
        """How many are open in all processes."""
        return sum(self._numbers)

    @property
    def is_least(self) -> bool:
        """Whether no other process has fewer open."""
        return self._numbers[self._process] == min(self._numbers)
