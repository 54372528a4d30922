"""Reading elements of data sets that break the rules: what cannot be read counts as absent.

An absent data set, None, has no elements.
"""

from collections.abc import Callable, Iterable, Iterator, MutableSequence
from typing import TypeVar

from pydicom.dataset import Dataset

from sr.data_set import DataSet
from sr.element_values import UNREADABLE, written

# A data set read by pydicom, or a lean one.
Source = Dataset | DataSet

Made = TypeVar("Made")


def texts(source: Source | None, keyword: str) -> list[str]:
    """The values of an element as they are written, without blanks around; empty values left out."""
    if isinstance(source, DataSet):
        return list(source.texts(keyword))
    try:
        return written(_value(source, keyword))
    except UNREADABLE:
        return []


def text(source: Source | None, keyword: str) -> str:
    """The element as one text; several values are joined by the backslash that parted them."""
    if source is None:
        return ""
    values = source.texts(keyword) if isinstance(source, DataSet) else texts(source, keyword)
    return values[0] if len(values) == 1 else "\\".join(values)


def each(source: Source | None, keyword: str) -> Iterator[Source]:
    """The items of a sequence, read one after the other; none when it is absent or no sequence."""
    if isinstance(source, DataSet):
        return source.items(keyword)
    value = _value(source, keyword)
    try:
        found = [item for item in value if isinstance(item, Dataset)] if isinstance(value, Iterable) else []
    except UNREADABLE:
        found = []
    return iter(found)


def items(source: Source | None, keyword: str) -> list[Source]:
    """The items of a sequence that has few; none when it is absent or no sequence."""
    return list(each(source, keyword))


def first(source: Source | None, keyword: str) -> Source | None:
    """The first item of a sequence; None when there is none."""
    return next(each(source, keyword), None)


def of_first(source: Source | None, keyword: str, make: Callable[[Source | None], Made]) -> Made:
    """What `make` makes of the first item of a sequence, or of None; made once of items that are alike."""
    if isinstance(source, DataSet):
        return source.of_first(keyword, make)
    return make(first(source, keyword))


def numbers(source: Source | None, keyword: str, most: int) -> tuple[float, ...] | None:
    """The values of a binary number element; None when there are more than `most`."""
    if isinstance(source, DataSet):
        return source.numbers(keyword, most)
    value = _value(source, keyword)
    if value is None:
        return ()
    try:
        values = list(value) if isinstance(value, MutableSequence | tuple) else [value]
        return tuple(float(str(one)) for one in values) if len(values) <= most else None
    except UNREADABLE:
        return ()


def faults(source: Source) -> tuple[str, ...]:
    """What hides something of the document, as far as it was read; nothing where pydicom read it."""
    return source.faults if isinstance(source, DataSet) else ()


def _value(dataset: Dataset | None, keyword: str) -> object:
    try:
        return dataset.get(keyword) if dataset is not None else None
    except UNREADABLE:
        return None
