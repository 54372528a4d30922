"""How many associations each of the processes has open that accept at one port, in memory that they share."""

import mmap

_BYTES = 4  # of one number


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
