"""Where each frame of encapsulated pixel data lies (PS3.5 A.4)."""

import sys
from array import array
from collections.abc import Callable, Sequence
from struct import unpack

from pacs.errors import FrameNotFound

# Reads so many bytes from a position.
Read = Callable[[int, int], bytes]

# A frame is the bytes of these fragments, one after the other: (offset, length) each.
Frame = tuple[tuple[int, int], ...]

_END_OF_IMAGE = b"\xff\xd9"  # JPEG, JPEG-LS and JPEG 2000 end so, but for padding
_HEADERS = 1 << 16  # bytes read at once while fragments are small
_SMALL = 1 << 12  # bytes of a fragment; behind longer ones only the header of the next is read
_MOST_OFFSETS = 1 << 22  # frames of an object; more are told apart without a table
_ITEM = b"\xfe\xff\x00\xe0"


def fragments(read: Read, offset: int, length: int) -> list[tuple[int, int]]:
    """(offset, length) of each item from offset on; the first is the basic offset table."""
    found: list[tuple[int, int]] = []
    position, end = offset, offset + length
    window, start = b"", offset
    while position + 8 <= end:
        if position + 8 > start + len(window):
            small = len(found) > 1 and found[-1][1] < _SMALL
            window, start = read(position, min(_HEADERS if small else 8, end - position)), position
        size = int.from_bytes(window[position - start + 4 : position - start + 8], "little")
        found.append((position + 8, size))
        position += 8 + size
    return found


def basic_offset_table(read: Read, offset: int, count: int) -> tuple[int, Sequence[int]]:
    """Where the first fragment begins, and how far behind it each of so many frames does.

    offset: of the item that is the table. There are no offsets when it is empty, or not one for each frame.
    """
    length = int.from_bytes(read(offset + 4, 4), "little")
    base = offset + 8 + length
    if length != 4 * count or count > _MOST_OFFSETS:
        return base, ()
    offsets = array("I", read(offset + 8, length))
    if sys.byteorder == "big":
        offsets.byteswap()
    return base, offsets


def frame_between(read: Read, start: int, end: int) -> Frame | None:
    """The fragments that fill these bytes; None when these are no fragments, for then the table was wrong."""
    pieces = fragments(read, start, end - start)
    whole = bool(pieces) and sum(pieces[-1]) == end
    if not whole or any(read(position - 8, 4) != _ITEM for position, _ in pieces):
        return None
    return tuple(pieces)


def frames(
    items: list[tuple[int, int]], count: int, read: Read, extended_offsets: Sequence[int] = ()
) -> list[Frame]:
    """The fragments of each frame.

    items: as `fragments` gives them.  count: Number of Frames.
    extended_offsets: of the Extended Offset Table (7FE0,0001), when the object has one.
    Raises FrameNotFound when the frames cannot be told apart.
    """
    if not items:
        raise FrameNotFound("the pixel data hold no fragment")
    table, pieces = items[0], items[1:]
    if count == 1 and pieces:
        return [tuple(pieces)]
    if len(pieces) == count:
        return [(piece,) for piece in pieces]
    if extended_offsets:
        return _by_offsets(pieces, list(extended_offsets))
    if table[1]:
        return _by_offsets(pieces, list(unpack(f"<{table[1] // 4}I", read(table[0], table[1] // 4 * 4))))
    return _by_end_of_image(pieces, count, read)


def _by_offsets(pieces: list[tuple[int, int]], offsets: list[int]) -> list[Frame]:
    """Offsets count from the first byte of the first fragment's item header."""
    if not pieces:
        return []
    base = pieces[0][0] - 8
    starts = {base + offset for offset in offsets}
    found: list[list[tuple[int, int]]] = []
    for piece in pieces:
        if piece[0] - 8 in starts or not found:
            found.append([])
        found[-1].append(piece)
    return [tuple(frame) for frame in found]


def _by_end_of_image(pieces: list[tuple[int, int]], count: int, read: Read) -> list[Frame]:
    found: list[list[tuple[int, int]]] = [[]]
    for offset, length in pieces:
        found[-1].append((offset, length))
        tail = read(max(offset, offset + length - 10), min(10, length))
        if _END_OF_IMAGE in tail:
            found.append([])
    if not found[-1]:
        found.pop()
    if len(found) != count:
        raise FrameNotFound("the frames cannot be told apart: there is no offset table")
    return [tuple(frame) for frame in found]
