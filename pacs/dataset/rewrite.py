"""Part of a data set written anew in little endian, with some elements in place of its own.

Values are never decoded: text in whatever character set, and values that break the rules of their VR, come
out as they went in.
"""

from collections.abc import Callable, Mapping
from struct import pack, unpack_from

from pacs.dataset.elements import SEQUENCE_DELIMITER, Buffer, Element, Encoding, read_elements
from pacs.dataset.heads import explicit_head, implicit_head, item_of
from pacs.dataset.vr import BINARY_WIDTH, is_signed_by_pixel_representation

_WIDTH = {**BINARY_WIDTH, "AT": 2, "US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "UV": 8, "SV": 8, "FD": 8}
_PIXEL_REPRESENTATION = 0x00280103

# Elements that are put in place, by tag; None leaves one out.
Changes = Mapping[int, bytes | None]

# Writes an element with this tag, VR and value of even length
WriteElement = Callable[[int, str, bytes], bytes]


def explicit_element(tag: int, vr: str, value: bytes) -> bytes:
    """An element in Explicit VR Little Endian. value: of even length; as UN when too long for its VR."""
    return explicit_head(tag, vr, len(value)) + value


def implicit_element(tag: int, _vr: str, value: bytes) -> bytes:
    """An element in Implicit VR Little Endian. value: of even length."""
    return implicit_head(tag, len(value)) + value


def rewritten(
    part: bytes, encoding: Encoding, changes: Changes, write: WriteElement = explicit_element
) -> bytes:
    """The elements of a part of a data set in Explicit VR Little Endian, or as `write` has them.

    changes: whole elements as they are to be written, in place of those that are there or where their tags
        belong. Group lengths are left out, for they would be wrong.
    Raises MalformedObject when the part cannot be read to its end.
    """
    elements = read_elements(part, encoding).elements
    as_it_is = encoding == Encoding(explicit=write is explicit_element) and write in _AS_IT_IS
    written = copied(part, elements) if as_it_is else Rewriter(part, encoding, elements, write).all(elements)
    kept = [(tag, content) for tag, content in written if tag not in changes and tag & 0xFFFF]
    new = [(tag, content) for tag, content in changes.items() if content is not None]
    return b"".join(content for _, content in sorted(kept + new, key=lambda pair: pair[0]))


_AS_IT_IS = (explicit_element, implicit_element)  # what these write is what is read


def copied(part: bytes, elements: list[Element]) -> list[tuple[int, bytes]]:
    """Each element with its header and its delimiter, just as it stands there, in little endian."""
    found, start = [], 0
    for element in elements:
        end = end_of(part, element)
        found.append((element.tag, part[start:end]))
        start = end
    return found


def end_of(part: Buffer, element: Element) -> int:
    """Where an element ends, with its delimiter, in little endian."""
    end = element.offset + element.length
    return end + 8 if element.items is not None and _is_delimiter(part, end) else end


def _is_delimiter(part: Buffer, position: int) -> bool:
    return part[position : position + 4] == pack("<HH", SEQUENCE_DELIMITER >> 16, SEQUENCE_DELIMITER & 0xFFFF)


class Rewriter:
    """Writes the elements of a part anew, one by one."""

    def __init__(self, part: bytes, encoding: Encoding, elements: list[Element], write: WriteElement) -> None:
        self._part = part
        self._write = write
        self._encoding = encoding
        order = "<H" if encoding.little_endian else ">H"
        signs = [unpack_from(order, part, e.offset)[0] for e in elements if self._tells_sign(e)]
        self._signed = signs == [1]

    @staticmethod
    def _tells_sign(element: Element) -> bool:
        return element.tag == _PIXEL_REPRESENTATION and element.length == 2

    def all(self, elements: list[Element]) -> list[tuple[int, bytes]]:
        """Those of one level, each with its tag; group lengths are left out."""
        return [(element.tag, self._element(element)) for element in elements if element.tag & 0xFFFF]

    def _element(self, element: Element) -> bytes:
        if self._is_unknown(element):
            return self._write(element.tag, "UN", self._value(element))
        if element.items is not None:
            return self._write(element.tag, "SQ", b"".join(map(self._item, element.items)))
        value = self._value(element)
        if not self._encoding.little_endian:
            value = swapped(value, _WIDTH.get(element.vr, 1))
        return self._write(element.tag, self._vr(element), value)

    def _item(self, elements: list[Element]) -> bytes:
        return item_of(b"".join(written for _, written in self.all(elements)))

    def _is_unknown(self, element: Element) -> bool:
        """Whether it goes on as UN with the bytes that it has: it came so, or cannot be read inside."""
        if element.length and element.items == []:
            return True
        header = element.offset - 12
        return self._encoding.explicit and header >= 0 and self._part[header + 4 : header + 6] == b"UN"

    def _value(self, element: Element) -> bytes:
        return self._part[element.offset : element.offset + element.length]

    def _vr(self, element: Element) -> str:
        signed = self._signed and not self._encoding.explicit
        is_word = element.vr == "US" and is_signed_by_pixel_representation(element.tag)
        return "SS" if signed and is_word else element.vr


def swapped(value: bytes, width: int) -> bytes:
    """Numbers of so many bytes with their bytes the other way round; what is left over stays."""
    if width == 1:
        return value
    whole = len(value) // width * width
    turned = bytearray(whole)
    for place in range(width):
        turned[place::width] = value[width - 1 - place : whole : width]
    return bytes(turned) + value[whole:]
