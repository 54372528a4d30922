"""The structure of a data set (PS3.5 7) in bytes that may be broken: where its elements lie, level by level.

Broken bytes are read as pydicom reads them; where pydicom gives up, this ends with what it has.
"""

from collections.abc import Iterator
from struct import Struct

from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import dictionary_VR
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, STANDARD_VR

# No object comes near these; one beyond them is broken, or made to do harm.
MAX_NESTING = 100
MAX_SEQUENCES = 1_000_000  # of undefined length

_ITEM = 0xFFFEE000
_ITEM_DELIMITER = 0xFFFEE00D
_SEQUENCE_DELIMITER = 0xFFFEE0DD
_GROUP_OF_ITEMS = 0xFFFE
_UNDEFINED = 0xFFFFFFFF

# PS3.5 Table 7.1-1: VRs whose length has 32 bits, and those whose length has 16
_LONG = {vr.value.encode(): vr.value for vr in EXPLICIT_VR_LENGTH_32}
_SHORT = {vr.value.encode(): vr.value for vr in STANDARD_VR - EXPLICIT_VR_LENGTH_32}

_CUT = "the bytes end within an element"
_NO_DELIMITER = "a sequence has no end"
_TOO_MANY = "sequences are nested too deep, or too many"


def implicit_vr(tag: int) -> str:
    """The VR of a tag by the data dictionary (PS3.6), UN for what it does not know."""
    row = DicomDictionary.get(tag)
    if row is not None:
        return row[0]
    try:  # repeating groups such as 60xx
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


# Where an element lies: its VR as it is written, or "" where none is; where its value begins and ends.
# A sequence of undefined length ends behind its delimiter.
Element = tuple[str, int, int]

# By tag, those that the data dictionary has: so no data set holds more than there are attributes.
Elements = dict[int, Element]


class Layout:
    """Finds elements in bytes, all in one byte order.

    buffer: of a data set, inflated.  faults: what was met that hides something, each once.
    """

    def __init__(self, buffer: bytes, little_endian: bool) -> None:
        order = "<" if little_endian else ">"
        self.buffer = buffer
        self.little_endian = little_endian
        self.faults: dict[str, None] = {}
        self._explicit_header = Struct(order + "HH2sH").unpack_from
        self._implicit_header = Struct(order + "HHI").unpack_from
        self._long = Struct(order + "I").unpack_from
        pack = Struct(order + "HH").pack
        self._item_tag = pack(_ITEM >> 16, _ITEM & 0xFFFF)
        self._delimiter = pack(_SEQUENCE_DELIMITER >> 16, _SEQUENCE_DELIMITER & 0xFFFF)
        self._ends: dict[int, int] = {}  # of sequences of undefined length, by where they begin

    def data_set(self, implicit: bool) -> tuple[Elements, bool]:
        """The elements of the outermost level, and whether they are in Implicit VR.

        implicit: what the transfer syntax says, which may be wrong.
        """
        stop = len(self.buffer)
        if stop >= 6:
            implicit = not self._has_vr(0)
        elements: Elements = {}
        self._read(0, stop, stop, implicit, elements, 0)
        return elements, implicit

    def items(self, sequence: Element, implicit: bool) -> Iterator[tuple[Elements, bool]]:
        """The items of a sequence, one after the other, each as `data_set` gives the outermost level.

        implicit: whether the data set around the sequence is.
        """
        _, pos, stop = sequence
        while pos < stop and not self.buffer.startswith(self._delimiter, pos):
            if pos + 8 > stop:
                self.faults[_CUT] = None
                return
            elements: Elements = {}
            pos, inside = self._item(pos, stop, implicit, elements, 0)
            yield elements, inside

    def _item(
        self, pos: int, stop: int, implicit: bool, found: Elements | None, depth: int
    ) -> tuple[int, bool]:
        """The position behind the item at pos, and whether it is in Implicit VR, as some are among others."""
        length = self._long(self.buffer, pos + 4)[0]
        pos += 8
        inside = implicit or (pos + 6 <= stop and not self._has_vr(pos))
        limit = None if length == _UNDEFINED else self._within(pos + length, stop)
        return self._read(pos, limit, stop, inside, found, depth), inside

    def _has_vr(self, pos: int) -> bool:
        first, second = self.buffer[pos + 4 : pos + 6]
        return 0x40 < first < 0x5B and 0x40 < second < 0x5B

    def _read(
        self, pos: int, limit: int | None, stop: int, implicit: bool, found: Elements | None, depth: int
    ) -> int:
        """The position behind the data set at pos, whose elements are put into `found`.

        limit: where it ends, though its last element may lead beyond; None when a delimiter tells that.
        stop: where the bytes around it end.
        """
        header = self._implicit if implicit else self._explicit
        end = stop if limit is None else limit
        while (pos := pos if implicit else self._read_short(pos, end, found)) < end:
            if pos + 8 > stop:
                return stop
            tag, vr, value, length = header(pos, stop)
            if tag == _ITEM_DELIMITER:
                return value
            if limit is None and tag in (_ITEM, _SEQUENCE_DELIMITER):
                return pos  # the item has no delimiter of its own
            if length == _UNDEFINED:
                vr, last, pos = self._undefined(tag, vr, value, stop, implicit, depth)
            else:
                pos = last = value + length
                if pos > stop:
                    return self._cut(tag, vr, value, stop, found)
            if found is not None and tag in DicomDictionary:
                found[tag] = vr, value, last
        return pos

    def _read_short(self, pos: int, end: int, found: Elements | None) -> int:
        """The position behind the elements at pos that are as most are: with a short length, and whole."""
        header, buffer = self._explicit_header, self.buffer
        while pos + 8 <= end:
            group, number, code, length = header(buffer, pos)
            value = pos + 8
            if code not in _SHORT or value + length > end or group == _GROUP_OF_ITEMS:
                break
            pos = value + length
            tag = group << 16 | number
            if found is not None and tag in DicomDictionary:
                found[tag] = _SHORT[code], value, pos
        return pos

    def _cut(self, tag: int, vr: str, value: int, stop: int, found: Elements | None) -> int:
        """The end of bytes that break off in an element: of a sequence the rest stays, of a value nothing."""
        self.faults[_CUT] = None
        if found is not None and (implicit_vr(tag) if vr in ("", "UN") else vr) == "SQ":
            found[tag] = "SQ", value, stop
        return stop

    def _within(self, pos: int, stop: int) -> int:
        if pos <= stop:
            return pos
        self.faults[_CUT] = None
        return stop

    def _implicit(self, pos: int, _stop: int) -> tuple[int, str, int, int]:
        """Tag, VR, position and length of the value of the element at pos."""
        group, number, length = self._implicit_header(self.buffer, pos)
        return group << 16 | number, "", pos + 8, length

    def _explicit(self, pos: int, stop: int) -> tuple[int, str, int, int]:
        group, number, code, length = self._explicit_header(self.buffer, pos)
        tag = group << 16 | number
        vr = _SHORT.get(code)
        if vr is not None:
            return tag, vr, pos + 8, length
        vr = _LONG.get(code)
        if vr is None:
            # Letters are a VR to come; all else is the length of an element without one, or of a delimiter.
            is_vr = b"AA" <= code <= b"ZZ"
            return tag, "", pos + 8, length if is_vr else self._long(self.buffer, pos + 4)[0]
        if pos + 12 > stop:
            return tag, vr, self._within(pos + 12, stop), 0
        return tag, vr, pos + 12, self._long(self.buffer, pos + 8)[0]

    def _undefined(
        self, tag: int, vr: str, value: int, stop: int, implicit: bool, depth: int
    ) -> tuple[str, int, int]:
        """The VR of an element that ends with a delimiter, where its value ends, and the position behind."""
        if vr in ("SQ", "UN") or (not vr and self._holds_items(tag, value)):
            after = self._sequence_end(value, stop, implicit, depth + 1)
            return "SQ", after, after
        last = self.buffer.find(self._delimiter, self._behind_fragments(value, stop), stop)
        if last < 0:
            self.faults[_NO_DELIMITER] = None
            return vr, stop, stop
        return vr, last, min(last + 8, stop)

    def _behind_fragments(self, pos: int, stop: int) -> int:
        """The position behind the fragments of pixels at pos, in which there may be anything (PS3.5 A.4)."""
        while pos + 8 <= stop and self.buffer.startswith(self._item_tag, pos):
            pos += 8 + self._long(self.buffer, pos + 4)[0]
        return pos

    def _holds_items(self, tag: int, value: int) -> bool:
        """Whether an element without a VR is a sequence; one that nobody knows is when an item follows."""
        vr = implicit_vr(tag)
        return vr == "SQ" or (vr == "UN" and self.buffer.startswith(self._item_tag, value))

    def _sequence_end(self, pos: int, stop: int, implicit: bool, depth: int) -> int:
        """The position behind a sequence of undefined length at pos. Each is gone through once."""
        start = pos
        if start in self._ends:
            return min(self._ends[start], stop)
        if depth > MAX_NESTING or len(self._ends) >= MAX_SEQUENCES:
            self.faults[_TOO_MANY] = None
            return stop
        while pos + 8 <= stop and not self._ends_sequence(pos):
            pos, _ = self._item(pos, stop, implicit, None, depth)
        if self.buffer.startswith(self._delimiter, pos):
            pos = min(pos + 8, stop)
        else:
            self.faults[_NO_DELIMITER] = None
        self._ends[start] = pos
        return pos

    def _ends_sequence(self, pos: int) -> bool:
        """Whether a delimiter is at pos, or what can only stand behind one that is missing."""
        group, number, _ = self._implicit_header(self.buffer, pos)
        tag = group << 16 | number
        return tag != _ITEM and (tag in (_SEQUENCE_DELIMITER, _ITEM_DELIMITER) or tag in DicomDictionary)
