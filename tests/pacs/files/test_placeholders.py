"""Files made ahead: taken in their order, filled up when few are left, none lost when making fails."""

import threading
from itertools import count

from pacs.errors import OutOfSpace
from pacs.files.placeholders import Placeholder, Placeholders
from tests.waiting import wait_until


class Shelf:
    """Where placeholders are made, settled and discarded, without a disk."""

    def __init__(self, failing: frozenset[int] = frozenset()) -> None:
        self.hour = 5
        self.made: list[str] = []
        self.settled: list[str] = []
        self.discarded: list[str] = []
        self.filled = threading.Semaphore(0)
        self._failing = failing
        self._numbers = count(1)

    def make(self) -> Placeholder:
        number = next(self._numbers)
        if number in self._failing:
            self.filled.release()
            raise OutOfSpace("no room left")
        self.made.append(str(number))
        return Placeholder(str(number), f"/{number}", number, self.hour)

    def settle(self, keys: list[str]) -> None:
        self.settled += keys
        self.filled.release()

    def discard(self, placeholder: Placeholder) -> None:
        self.discarded.append(placeholder.key)


def stock(shelf: Shelf, size: int) -> Placeholders:
    placeholders = Placeholders(size, shelf.make, shelf.settle, shelf.discard)
    assert shelf.filled.acquire(timeout=60)
    return placeholders


def taken(placeholders: Placeholders, hour: int) -> str:
    """The next one, however long the thread that fills up takes."""
    for _ in range(10_000):
        one = placeholders.take(hour)
        if one is not None:
            return one.key
        threading.Event().wait(0.001)
    raise AssertionError("none was ever made")


def test_they_are_taken_in_the_order_of_their_making() -> None:
    shelf = Shelf()
    placeholders = stock(shelf, 4)
    keys = [taken(placeholders, 5) for _ in range(12)]
    placeholders.close()
    assert keys == [str(number) for number in range(1, 13)]
    assert set(keys) <= set(shelf.settled)


def test_what_was_not_taken_is_discarded_in_the_end() -> None:
    shelf = Shelf()
    placeholders = stock(shelf, 4)
    key = taken(placeholders, 5)
    placeholders.close()
    assert sorted([key, *shelf.discarded]) == sorted(shelf.made)
    assert placeholders.take(5) is None


def test_those_of_another_hour_are_discarded() -> None:
    shelf = Shelf()
    placeholders = stock(shelf, 4)
    first = taken(placeholders, 5)
    shelf.hour = 6
    later = taken(placeholders, 6)
    placeholders.close()
    assert int(later) > 4
    assert set(shelf.discarded) >= {"2", "3", "4"} - {first}


def test_closing_while_one_fails_ends() -> None:
    """What rings for the thread that fills up is not lost where that does not wait yet."""
    shelf = Shelf(failing=frozenset({3}))
    asked, closed = threading.Event(), threading.Event()

    def discard(placeholder: Placeholder) -> None:
        shelf.discard(placeholder)
        asked.set()
        closed.wait(60)

    placeholders = Placeholders(4, shelf.make, shelf.settle, discard)
    closing = threading.Thread(target=placeholders.close, daemon=True)
    assert asked.wait(60)
    closing.start()
    wait_until(lambda: placeholders._closed)
    closed.set()
    closing.join(60)
    assert not closing.is_alive()


def test_those_made_before_one_that_fails_are_not_lost() -> None:
    shelf = Shelf(failing=frozenset({3}))
    placeholders = stock(shelf, 4)
    placeholders.take(5)
    placeholders.close()
    assert sorted(shelf.discarded) == sorted(shelf.made)
