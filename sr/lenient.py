"""Reading elements of data sets that break the rules: what cannot be read counts as absent.

An absent data set, None, has no elements.
"""

import struct
from collections.abc import Iterable, MutableSequence

from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

# pydicom converts a value when it is first asked for, and then raises whatever the broken bytes lead to.
_UNREADABLE = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)


def texts(dataset: Dataset | None, keyword: str) -> list[str]:
    """The values of an element as they are written, without blanks around; empty values left out."""
    value = _value(dataset, keyword)
    try:
        values = value if isinstance(value, MutableSequence | tuple) else [value]
        written = [_text(one).strip(" \x00\r\n\t") for one in values]
    except _UNREADABLE:
        return []
    return [one for one in written if one]


def text(dataset: Dataset | None, keyword: str) -> str:
    """The element as one text; several values are joined by the backslash that parted them."""
    return "\\".join(texts(dataset, keyword))


def items(dataset: Dataset | None, keyword: str) -> list[Dataset]:
    """The items of a sequence; none when it is absent or no sequence."""
    value = _value(dataset, keyword)
    try:
        return [item for item in value if isinstance(item, Dataset)] if isinstance(value, Iterable) else []
    except _UNREADABLE:
        return []


def first(dataset: Dataset | None, keyword: str) -> Dataset | None:
    """The first item of a sequence; None when there is none."""
    return next(iter(items(dataset, keyword)), None)


def numbers(dataset: Dataset | None, keyword: str, most: int) -> tuple[float, ...] | None:
    """The values of a binary number element; None when there are more than `most`."""
    value = _value(dataset, keyword)
    if value is None:
        return ()
    try:
        values = list(value) if isinstance(value, MutableSequence | tuple) else [value]
        return tuple(float(str(one)) for one in values) if len(values) <= most else None
    except _UNREADABLE:
        return ()


def _value(dataset: Dataset | None, keyword: str) -> object:
    try:
        return dataset.get(keyword) if dataset is not None else None
    except _UNREADABLE:
        return None


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
