"""Byte ranges (RFC 9110 14): a player asks for the part of a film that it is about to show."""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class NotSatisfiable(ValueError):
    """The range begins behind the end."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes from first to last, both included."""

    first: int
    last: int


def parse_range(text: str, size: int) -> ByteRange | None:
    """What a Range field asks of a body of this size; None for the whole of it.

    Several ranges at once are answered with the whole, as the standard allows.
    Raises NotSatisfiable when nothing of the body lies in the range.
    """
    asked = _RANGE.fullmatch(text.strip())
    if asked is None or asked.group() == "bytes=-":
        return None
    first, last = asked.groups()
    if not first:
        start, end = max(size - int(last), 0), size - 1
    else:
        start, end = int(first), min(int(last) if last else size - 1, size - 1)
        if last and int(last) < start:
            return None  # no range at all: passed over, RFC 9110 14.1.1
    if start >= size:
        raise NotSatisfiable(f"Range: the body has {size} bytes only")
    return ByteRange(start, end)
