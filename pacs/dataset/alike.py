"""Reading an object that is like the one before it: the images of a series differ in few elements of many.

What lies there byte for byte as it did before means what it meant before. So only what differs is read and
decoded, in a quarter of the time. Whatever is not as expected is left to the reading of all of it.

Elements that have not differed so far are compared in runs, as one piece each.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Literal, NamedTuple

from pacs.dataset.dicom_json import PIXEL_REPRESENTATION, SPECIFIC_CHARACTER_SET, BulkDataUri, JsonWriter
from pacs.dataset.elements import Buffer, Element, Encoding, read_element
from pacs.dataset.vr import SHORT_VRS
from pacs.errors import MalformedObject
from pacs.model import DicomJson

MOST_CHANGES = 24  # elements; with more, it costs less to read all
MOST_BYTES = 1 << 16  # that are remembered of one object

_LEAD = 6  # bytes of tag and VR, where the VR is written

_Kept = tuple[bytes, int, str]  # an element as it lay there, its tag, and its VR
_Change = tuple[int, bytes, Element]  # place, bytes as they lie there, and what they are
_CONTEXT = frozenset({SPECIFIC_CHARACTER_SET, PIXEL_REPRESENTATION})  # what other elements are decoded by


class Likeness(NamedTuple):
    """What an object is beside the one before.

    changed: what is decoded of the elements that differ.
    end: where the reading ended, before what is not remembered.
    value: where the value of the element lies that follows, when it is as long as before, and the last.
    """

    changed: DicomJson
    end: int
    value: int | None


class Alike:
    """What is remembered of one object, for the next."""

    def __init__(self, decoded: Iterable[int] | None, until: Iterable[int]) -> None:
        """decoded: tags of what is decoded of each object, None for all.

        until: tags before which remembering ends.
        """
        self._tags = None if decoded is None else frozenset(decoded)
        self._until = frozenset(until)
        self._encoding: Encoding | None = None
        self._elements: list[_Kept] = []
        self._varying: set[int] = set()  # places of those that have differed
        self._runs: list[tuple[bytes, range]] = []  # places in their order; the bytes where none has differed
        self._before: DicomJson = {}
        # What stands before the value of the last element, and the bytes of both, while all had the same
        self._last: tuple[bytes, int] | None = None

    def remember(self, buffer: Buffer, encoding: Encoding, start: int, end: int) -> None:
        """Remember a data set that was found to be sound."""
        self.forget()
        elements: list[_Kept] = []
        self._before, self._last = {}, None
        pos = start
        while pos + 8 <= end:
            element, after = read_element(buffer, encoding, pos, end)
            if element.tag in self._until and element.offset + element.length == end:
                self._last = bytes(buffer[pos : element.offset]), end - pos
            if element.tag in self._until or element.tag == 0:
                break
            if after - start > MOST_BYTES:
                return
            elements.append((bytes(buffer[pos:after]), element.tag, element.vr))
            if element.tag == SPECIFIC_CHARACTER_SET:
                self._before = JsonWriter(buffer, encoding).write([element])
            pos = after
        if len({tag for _, tag, _ in elements}) == len(elements):  # of two, the last counts
            self._elements, self._encoding = elements, encoding
            self._varying = set()
            self._make_runs()

    def _make_runs(self) -> None:
        self._runs = []
        for varies, group in groupby(range(len(self._elements)), self._varying.__contains__):
            first, *more = group
            places = range(first, first + len(more) + 1)
            raw = b"" if varies else b"".join(self._elements[place][0] for place in places)
            self._runs.append((raw, places))

    def forget(self) -> None:
        """Remember nothing."""
        self._encoding = None

    def read(
        self,
        buffer: Buffer,
        encoding: Encoding,
        start: int,
        end: int,
        bulk_data_uri: BulkDataUri | None = None,
    ) -> Likeness | None:
        """Compare a data set with the one before; None when they are not alike.

        bulk_data_uri: as JsonWriter has it, for what has changed.
        """
        if encoding != self._encoding:
            return None
        try:
            pos, changes = self._compare(buffer, encoding, start, end)
        except (_Different, MalformedObject):
            self.forget()
            return None
        changed = []
        for place, raw, element in changes:
            self._elements[place] = raw, element.tag, element.vr
            if self._tags is None or element.tag in self._tags:
                changed.append(element)
        if not self._varying.issuperset(places := [place for place, _, _ in changes]):
            self._varying.update(places)
            self._make_runs()
        writer = JsonWriter(buffer, encoding, bulk_data_uri, self._before)
        decoded = writer.write(changed) if changed else {}
        return Likeness(decoded, pos, self._find_last(buffer, pos, end))

    def _find_last(self, buffer: Buffer, pos: int, end: int) -> int | None:
        """Where the value of the last element lies, which begins at pos; None when it is not as before."""
        if self._last is not None:
            lead, length = self._last
            value = pos + len(lead)
            if end - pos == length and buffer[pos:value] == lead:
                return value
            self._last = None
        return None

    def _compare(self, buffer: Buffer, encoding: Encoding, start: int, end: int) -> tuple[int, list[_Change]]:
        """Where what is remembered ends, and what has changed.

        Raises _Different, MalformedObject.
        """
        changes: list[_Change] = []
        pos = start
        for raw, places in self._runs:
            after = pos + len(raw)
            if raw and buffer[pos:after] == raw:
                pos = after
            else:
                pos = self._compare_each(buffer, encoding, pos, end, places, changes)
        if pos > end:
            raise _Different  # what lies behind the end of the data set is as it was there before
        return pos, changes

    def _compare_each(
        self,
        buffer: Buffer,
        encoding: Encoding,
        pos: int,
        end: int,
        places: range,
        changes: list[_Change],
    ) -> int:
        """Compare some elements one by one, and add what has changed. Returns where the last ends."""
        order: Literal["little", "big"] = "little" if encoding.little_endian else "big"
        for place in places:
            raw, tag, vr = self._elements[place]
            after = pos + len(raw)
            if buffer[pos:after] == raw:
                pos = after
                continue
            if pos + 8 > end or len(changes) == MOST_CHANGES:
                raise _Different
            if encoding.explicit and vr in SHORT_VRS and buffer[pos : pos + _LEAD] == raw[:_LEAD]:
                value = pos + 8
                length = int.from_bytes(buffer[pos + _LEAD : value], order)
                element, after = Element(tag, vr, value, length), value + length
            else:
                element, after = read_element(buffer, encoding, pos, end)
            if element.tag != tag or tag in _CONTEXT:
                raise _Different
            changes.append((place, bytes(buffer[pos:after]), element))
            pos = after
        return pos


class _Different(Exception):
    """The object is not like the one before."""
