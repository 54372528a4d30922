"""Reading single elements of a header that may be damaged.

pydicom decodes an element when it is first read, so any value can fail then. Here what cannot be read is
as good as absent; who needs it says so.
"""

import struct
from collections.abc import Sequence
from math import isfinite
from typing import Any

from pydicom import Dataset
from pydicom import Sequence as DicomSequence
from pydicom.errors import BytesLengthException
from pydicom.multival import MultiValue

# What pydicom raises when the bytes of a value do not fit its VR.
_UNREADABLE = (
    AttributeError,
    BytesLengthException,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    TypeError,
    ValueError,
    struct.error,
)


def value(dataset: Dataset, keyword: str) -> object:
    """The value of the element, or None when it is absent, empty or unreadable."""
    try:
        return dataset.get(keyword)
    except _UNREADABLE:
        return None


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """All values of a numeric element; empty when one of them is no finite number."""
    found = value(dataset, keyword)
    try:
        parts = tuple(float(part) for part in _parts(found))
    except _UNREADABLE:
        return ()
    return parts if all(isfinite(part) for part in parts) else ()


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first value of a numeric element, or None."""
    return next(iter(numbers(dataset, keyword)), None)


def integer(dataset: Dataset, keyword: str) -> int | None:
    """The first value of an element that holds whole numbers, or None."""
    found = number(dataset, keyword)
    return int(found) if found is not None and found == int(found) else None


def text(dataset: Dataset, keyword: str) -> str:
    """The first value of a coded string, trimmed and in capitals; empty when there is none."""
    found = value(dataset, keyword)
    first = next(iter(_parts(found)), "")
    return first.strip().upper() if isinstance(first, str) else ""


def items(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    """The items of a sequence; none when it is absent or no sequence."""
    found = value(dataset, keyword)
    return found if isinstance(found, DicomSequence) else ()


def _parts(found: Any) -> Sequence[Any]:
    if found is None:
        return ()
    return found if isinstance(found, (list, tuple, MultiValue)) else (found,)
