"""Reading the structure of a data set (PS3.5 7): where each element lies, without decoding any value.

This is the hot path: every object that arrives is read by it once. It equals pydicom's reading in a
differential test over every file at hand.
"""

from dataclasses import dataclass
from mmap import mmap
from struct import Struct
from typing import NamedTuple

from pacs.dataset.vr import LONG_VRS, SHORT_VRS, implicit_vr
from pacs.errors import MalformedObject

MAXIMUM_DEPTH = 64  # sequences within sequences; real objects stay below 10

ITEM = 0xFFFEE000
ITEM_DELIMITER = 0xFFFEE00D
SEQUENCE_DELIMITER = 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010
UNDEFINED = 0xFFFFFFFF

# Anything that struct can unpack from: bytes, memoryview, mmap.
Buffer = bytes | bytearray | memoryview | mmap


class Element(NamedTuple):
    """One element: where its value lies in the buffer.

    length: bytes of the value; of a sequence or encapsulated value, up to its delimiter.
    items: the items of a sequence, each a list of elements; None for all that is no sequence. A sequence
        of known length whose inside cannot be read has none, and its bytes are stepped over.
    """

    tag: int
    vr: str
    offset: int
    length: int
    items: "list[list[Element]] | None" = None


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a transfer syntax writes elements (PS3.5 10 and Annex A), once inflated."""

    explicit: bool
    little_endian: bool = True


class TooDeep(MalformedObject):
    """Sequences are nested deeper than any real object."""


class Parsed(NamedTuple):
    """A data set read to its end.

    fragments: (offset, length) of each item of encapsulated pixel data, the offset table first.
    """

    elements: list[Element]
    fragments: list[tuple[int, int]] | None


def read_elements(
    buffer: Buffer,
    encoding: Encoding,
    start: int = 0,
    end: int | None = None,
    wanted: frozenset[int] | None = None,
) -> Parsed:
    """Read the elements of one data set that fills the buffer from start to end.

    wanted: the tags to give back; None for all. All are read, whatever is wanted.
    Raises MalformedObject, naming the element, when a length leads beyond the end, a delimiter is missing
    or sequences are nested deeper than MAXIMUM_DEPTH.
    """
    reader = _Reader(buffer, encoding)
    elements, _ = reader.read(start, len(buffer) if end is None else end, 0, False, wanted)
    return Parsed(elements, reader.fragments)


def read_element(buffer: Buffer, encoding: Encoding, pos: int, end: int) -> tuple[Element, int]:
    """The one element of the outermost level that begins at pos, and the position after it.

    end: of the data set, at least eight bytes behind pos.
    Raises MalformedObject as read_elements does.
    """
    return _Reader(buffer, encoding).read_one(pos, end)


_LITTLE, _BIG = (tuple(Struct(order + code).unpack_from for code in ("HH2sH", "HHI", "I")) for order in "<>")


class _Reader:
    def __init__(self, buffer: Buffer, encoding: Encoding) -> None:
        self.buffer = buffer
        self.encoding = encoding
        unpackers = _LITTLE if encoding.little_endian else _BIG
        self.explicit_header, self.implicit_header, self.long_length = unpackers
        self.fragments: list[tuple[int, int]] | None = None

    def read(
        self, pos: int, end: int, depth: int, delimited: bool, wanted: frozenset[int] | None = None
    ) -> tuple[list[Element], int]:
        """Elements from pos to end, or to the item delimiter where delimited; and the position after."""
        read_header = self._explicit if self.encoding.explicit else self._implicit
        elements: list[Element] = []
        while True:
            if self.encoding.explicit:
                pos = self._read_short(pos, end, wanted, elements)
            if pos + 8 > end:
                break
            tag, vr, length, value = read_header(pos, end)
            if tag == ITEM_DELIMITER and delimited:
                return elements, value
            if tag == 0:
                self._check_filling(pos, end)
                return elements, end
            follow = self._undefined if length == UNDEFINED else self._defined
            element, pos = follow(tag, vr, value, length, end, depth)
            if wanted is None or tag in wanted:
                elements.append(element)
        self._check_end(pos, end, delimited)
        return elements, end

    def read_one(self, pos: int, end: int) -> tuple[Element, int]:
        """The element of the outermost level at pos, and the position after it."""
        read_header = self._explicit if self.encoding.explicit else self._implicit
        tag, vr, length, value = read_header(pos, end)
        follow = self._undefined if length == UNDEFINED else self._defined
        return follow(tag, vr, value, length, end, 0)

    def _read_short(self, pos: int, end: int, wanted: frozenset[int] | None, elements: list[Element]) -> int:
        """Read on while elements are explicit and short, as most are; where the first other one is."""
        read_header, buffer = self.explicit_header, self.buffer
        while pos + 8 <= end:
            group, number, code, length = read_header(buffer, pos)
            vr = _SHORT_VRS.get(code)
            tag = group << 16 | number
            value = pos + 8
            if vr is None or not tag or value + length > end:
                break
            pos = value + length
            if wanted is None or tag in wanted:
                elements.append(Element(tag, vr, value, length))
        return pos

    def _check_filling(self, pos: int, end: int) -> None:
        """Some devices fill up the file with zeros; nothing else may follow them."""
        if any(self.buffer[pos:end]):
            raise MalformedObject(f"zeros stand where an element belongs, {end - pos} bytes before the end")

    def _check_end(self, pos: int, end: int, delimited: bool) -> None:
        if delimited:
            raise MalformedObject("a sequence item ends without its delimiter", ITEM_DELIMITER)
        if pos < end and any(self.buffer[pos:end]):
            raise MalformedObject(f"the {end - pos} bytes at the end are too few for an element")

    def _explicit(self, pos: int, end: int) -> tuple[int, str, int, int]:
        group, number, code, length = self.explicit_header(self.buffer, pos)
        tag = group << 16 | number
        vr = _VRS.get(code)
        if vr is None:
            return self._without_vr(tag, code, pos)
        if vr not in LONG_VRS:
            return tag, vr, length, pos + 8
        if pos + 12 > end:
            raise MalformedObject(f"the data set ends within the length of {name(tag)}", tag)
        return tag, vr, self.long_length(self.buffer, pos + 8)[0], pos + 12

    def _without_vr(self, tag: int, code: bytes, pos: int) -> tuple[int, str, int, int]:
        if tag in (ITEM, ITEM_DELIMITER, SEQUENCE_DELIMITER) or tag == 0:
            return tag, "", self.long_length(self.buffer, pos + 4)[0], pos + 8
        raise MalformedObject(f"{name(tag)} has no value representation: {code!r}", tag)

    def _implicit(self, pos: int, _end: int) -> tuple[int, str, int, int]:
        group, number, length = self.implicit_header(self.buffer, pos)
        tag = group << 16 | number
        return tag, implicit_vr(tag), length, pos + 8

    def _defined(
        self, tag: int, vr: str, value: int, length: int, end: int, depth: int
    ) -> tuple[Element, int]:
        """An element of known length, and the position after it."""
        after = value + length
        if after > end:
            raise MalformedObject(f"{name(tag)} is {length} bytes long, but only {end - value} follow", tag)
        reader = self
        if vr == "UN" and self.encoding.explicit:
            vr, reader = implicit_vr(tag), self._unknown()
        items = reader.defined_items(value, after, depth) if vr == "SQ" else None
        return Element(tag, vr, value, length, items), after

    def _undefined(
        self, tag: int, vr: str, value: int, _length: int, end: int, depth: int
    ) -> tuple[Element, int]:
        """An element that ends with a delimiter, and the position after it."""
        if tag == PIXEL_DATA:
            fragments, stop, after = self._read_fragments(value, end)
            if depth == 0:  # deeper, they are those of an icon
                self.fragments = fragments
            return Element(tag, vr, value, stop - value), after
        if vr not in ("SQ", "UN"):
            raise MalformedObject(f"{name(tag)} of {vr} has no length", tag)
        reader = self._unknown() if vr == "UN" and self.encoding.explicit else self
        items, stop, after = reader.items(value, end, depth + 1, True)
        return Element(tag, "SQ", value, stop - value, items), after

    def _unknown(self) -> "_Reader":
        """A reader for the inside of an element of VR UN: implicit little endian (PS3.5 6.2.2 note 2)."""
        return _Reader(self.buffer, Encoding(explicit=False))

    def defined_items(self, value: int, end: int, depth: int) -> list[list[Element]]:
        """The items of a sequence of known length."""
        try:
            return self.items(value, end, depth + 1, False)[0]
        except TooDeep:
            raise
        except MalformedObject:
            return []  # its length leads past it, so the rest of the object is sound

    def items(self, pos: int, end: int, depth: int, delimited: bool) -> tuple[list[list[Element]], int, int]:
        """The items from pos on; where the last ends; the position after the sequence."""
        if depth > MAXIMUM_DEPTH:
            raise TooDeep(f"sequences are nested deeper than {MAXIMUM_DEPTH} levels", ITEM)
        items: list[list[Element]] = []
        while pos + 8 <= end:
            group, number, length = self.implicit_header(self.buffer, pos)
            tag = group << 16 | number
            if tag == SEQUENCE_DELIMITER and delimited:
                return items, pos, pos + 8
            if tag != ITEM:
                raise MalformedObject(f"{name(tag)} stands where a sequence item belongs", tag)
            pos += 8
            stop = end if length == UNDEFINED else pos + length
            if stop > end:
                raise MalformedObject("a sequence item is longer than its sequence", ITEM)
            elements, pos = self.read(pos, stop, depth, length == UNDEFINED)
            items.append(elements)
        if delimited:
            raise MalformedObject("a sequence ends without its delimiter", SEQUENCE_DELIMITER)
        return items, pos, pos

    def _read_fragments(self, pos: int, end: int) -> tuple[list[tuple[int, int]], int, int]:
        """The fragments, where they end, and the position after their delimiter (PS3.5 A.4)."""
        fragments: list[tuple[int, int]] = []
        while pos + 8 <= end:
            group, number, length = self.implicit_header(self.buffer, pos)
            tag = group << 16 | number
            if tag == SEQUENCE_DELIMITER:
                return fragments, pos, pos + 8
            if tag != ITEM:
                raise MalformedObject(f"{name(tag)} stands where a fragment of pixels belongs", PIXEL_DATA)
            if pos + 8 + length > end:
                rest = end - pos - 8
                raise MalformedObject(
                    f"a fragment of pixels is {length} bytes long, but only {rest} follow", PIXEL_DATA
                )
            fragments.append((pos + 8, length))
            pos += 8 + length
        raise MalformedObject("the pixel data end without their delimiter", PIXEL_DATA)


def name(tag: int) -> str:
    """A tag as people write it: (0008,0018)."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


_SHORT_VRS = {vr.encode(): vr for vr in SHORT_VRS}
_VRS = {vr.encode(): vr for vr in LONG_VRS | SHORT_VRS}
