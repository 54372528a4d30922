"""What was used last, kept at hand."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Remembers up to a weight, and forgets what has not been used for longest.

    For the event loop alone: it takes no lock.
    """

    def __init__(self, limit: int, weight: Callable[[V], int]) -> None:
        """limit: what all values together may weigh, such as bytes."""
        self._limit = limit
        self._weight = weight
        self._values: OrderedDict[K, V] = OrderedDict()
        self._held = 0

    def get(self, key: K) -> V | None:
        """The value, or None when it is not remembered."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        """Remember a value, unless it alone is too heavy."""
        weight = self._weight(value)
        if weight > self._limit:
            return
        former = self._values.pop(key, None)
        self._held += weight - (self._weight(former) if former is not None else 0)
        self._values[key] = value
        while self._held > self._limit:
            _, forgotten = self._values.popitem(last=False)
            self._held -= self._weight(forgotten)
