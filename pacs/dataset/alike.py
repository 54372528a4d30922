"""Reading an object that is like the one before it: the images of a series differ in few elements of many.

What lies there byte for byte as it did before means what it meant before. So only what differs is read and
decoded, in a third of the time. Whatever is not as expected is left to the reading of all of it.

Elements that have not differed so far are compared in runs, as one piece each.
"""

from collections.abc import Iterable
from itertools import groupby

from pacs.dataset.dicom_json import PIXEL_REPRESENTATION, SPECIFIC_CHARACTER_SET, JsonWriter
from pacs.dataset.elements import Buffer, Element, Encoding, SearchedBuffer, read_element
from pacs.errors import MalformedObject
from pacs.model import DicomJson

MOST_CHANGES = 24  # elements; with more, it costs less to read all
MOST_BYTES = 1 << 16  # that are remembered of one object

_Change = tuple[int, bytes, Element]  # place, bytes as they lie there, and what they are
_CONTEXT = frozenset({SPECIFIC_CHARACTER_SET, PIXEL_REPRESENTATION})  # what other elements are decoded by


class Alike:
    """What is remembered of one object, for the next."""

    def __init__(self, decoded: Iterable[int], until: Iterable[int]) -> None:
        """decoded: tags of what is decoded of each object.  until: tags before which remembering ends."""
        self._tags = frozenset(decoded)
        self._until = frozenset(until)
        self._encoding: Encoding | None = None
        self._elements: list[tuple[bytes, int]] = []  # as they lay there, with the tag
        self._varying: set[int] = set()  # places of those that have differed
        self._runs: list[tuple[bytes, range]] = []  # places in their order; the bytes where none has differed
        self._decoded: DicomJson = {}
        self._before: DicomJson = {}

    def remember(self, buffer: Buffer, encoding: Encoding, start: int, end: int, decoded: DicomJson) -> None:
        """Remember a data set that was found to be sound. decoded: what was decoded of it."""
        self.forget()
        elements: list[tuple[bytes, int]] = []
        self._before = {}
        pos = start
        while pos + 8 <= end:
            element, after = read_element(buffer, encoding, pos, end)
            if element.tag in self._until or element.tag == 0:
                break
            if after - start > MOST_BYTES:
                return
            elements.append((bytes(buffer[pos:after]), element.tag))
            if element.tag == SPECIFIC_CHARACTER_SET:
                self._before = JsonWriter(buffer, encoding).write([element])
            pos = after
        if len({tag for _, tag in elements}) == len(elements):  # of two, the last counts
            self._decoded, self._elements, self._encoding = decoded, elements, encoding
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
        self, buffer: SearchedBuffer, encoding: Encoding, start: int, end: int
    ) -> tuple[DicomJson, int] | None:
        """What is decoded of a data set, and where the reading of it ended.

        None when it is not like the one before. The values are shared with what was decoded before: not to
        be changed.
        """
        if encoding != self._encoding:
            return None
        try:
            pos, changes = self._compare(buffer, encoding, start, end)
        except (_Different, MalformedObject):
            self.forget()
            return None
        for place, raw, element in changes:
            self._elements[place] = raw, element.tag
        if not self._varying.issuperset(places := [place for place, _, _ in changes]):
            self._varying.update(places)
            self._make_runs()
        changed = [element for _, _, element in changes if element.tag in self._tags]
        if changed:
            self._decoded = self._decoded | JsonWriter(buffer, encoding, before=self._before).write(changed)
        return self._decoded, pos

    def _compare(
        self, buffer: SearchedBuffer, encoding: Encoding, start: int, end: int
    ) -> tuple[int, list[_Change]]:
        """Where what is remembered ends, and what has changed.

        Raises _Different, MalformedObject.
        """
        changes: list[_Change] = []
        pos, find = start, buffer.find
        for raw, places in self._runs:
            after = pos + len(raw)
            if raw and find(raw, pos, after) == pos:
                pos = after
            else:
                pos = self._compare_each(buffer, encoding, pos, end, places, changes)
        if pos > end:
            raise _Different  # what lies behind the end of the data set is as it was there before
        return pos, changes

    def _compare_each(
        self,
        buffer: SearchedBuffer,
        encoding: Encoding,
        pos: int,
        end: int,
        places: range,
        changes: list[_Change],
    ) -> int:
        """Compare some elements one by one, and add what has changed. Returns where the last ends."""
        find = buffer.find
        for place in places:
            raw, tag = self._elements[place]
            after = pos + len(raw)
            if find(raw, pos, after) == pos:
                pos = after
                continue
            if pos + 8 > end or len(changes) == MOST_CHANGES:
                raise _Different
            element, after = read_element(buffer, encoding, pos, end)
            if element.tag != tag or tag in _CONTEXT:
                raise _Different
            changes.append((place, bytes(buffer[pos:after]), element))
            pos = after
        return pos


class _Different(Exception):
    """The object is not like the one before."""
