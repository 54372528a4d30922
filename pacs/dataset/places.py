"""Where values lie in a data set, found without reading them: a document may be longer than memory."""

import struct
from collections.abc import Iterator
from contextlib import suppress

from pacs.dataset.elements import Encoding, read_element
from pacs.dataset.frames import Read
from pacs.errors import MalformedObject

_WINDOW = 1 << 16  # bytes that are read at a time


def places(
    read: Read, encoding: Encoding, start: int, end: int, window: int = _WINDOW
) -> Iterator[tuple[int, int, int]]:
    """Tag, offset and length of each element of the outermost level, in their order.

    read: gives bytes by offset and length.  start, end: of the data set.
    window: bytes that are read at a time; more of them only for a sequence that is longer.
    Raises MalformedObject.
    """
    size = window
    while start + 8 <= end:
        buffer = read(start, min(size, end - start))
        at = 0
        with suppress(struct.error, IndexError, MalformedObject):  # what goes on behind what was read
            while at + 8 <= len(buffer):
                element, after = read_element(buffer, encoding, at, end - start)
                yield element.tag, start + element.offset, element.length
                at = after
        if not at and size >= end - start:
            raise MalformedObject("the data set ends within an element")
        size = window if at else size * 2
        start += at
