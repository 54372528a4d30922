"""A data set that is read from its bytes as its elements are asked for.

Of large reports a hundred times faster than a data set of pydicom, and equal to it in a differential test.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from pydicom.datadict import tag_for_keyword

from sr.element_values import DEFAULT_ENCODINGS, encodings_of, numbers_of, texts_of
from sr.structure import Element, Elements, Layout, implicit_vr

Made = TypeVar("Made")

_IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"
_EXPLICIT_BIG_ENDIAN = "1.2.840.10008.1.2.2"

_SPECIFIC_CHARACTER_SET = 0x00080005
_REMEMBERED = 4096
_LONGEST_REMEMBERED = 512  # bytes

# What makes something of a sequence, and all that this depends on, the bytes among it
_Making = tuple[Callable[..., Any], bool, bool, tuple[str, ...], bytes]

_NOT_MADE = object()
_MADE: dict[_Making, Any] = {}


def read_data_set(content: bytes, transfer_syntax_uid: str) -> "DataSet":
    """The data set in these bytes, which are inflated where the transfer syntax is deflated. Never raises."""
    layout = Layout(content, little_endian=transfer_syntax_uid != _EXPLICIT_BIG_ENDIAN)
    elements, implicit = layout.data_set(implicit=transfer_syntax_uid == _IMPLICIT_LITTLE_ENDIAN)
    return DataSet(layout, elements, implicit, DEFAULT_ENCODINGS, {})


class DataSet:
    """One data set or item. What its bytes do not have is absent; only unknown keywords are raised."""

    __slots__ = ("_elements", "_encodings", "_implicit", "_layout", "_made")

    def __init__(
        self,
        layout: Layout,
        elements: Elements,
        implicit: bool,
        encodings: tuple[str, ...],
        made: dict[_Making, Any],
    ) -> None:
        """encodings: of the data set around, if it has none of its own (PS3.5 7.5.3).

        made: what all items of one document remember, where something in it is hidden.
        """
        self._layout = layout
        self._elements = elements
        self._implicit = implicit
        self._encodings = encodings
        self._made = made
        if _SPECIFIC_CHARACTER_SET in elements:
            _, start, stop = elements[_SPECIFIC_CHARACTER_SET]
            self._encodings = encodings_of(layout.buffer[start : min(stop, start + _LONGEST_REMEMBERED)])

    @property
    def faults(self) -> tuple[str, ...]:
        """What was met so far, in any item of the document, that hides something from the reader."""
        return tuple(self._layout.faults)

    def __contains__(self, keyword: str) -> bool:
        return _tag(keyword) in self._elements

    def texts(self, keyword: str) -> Sequence[str]:
        """The values of an element as they are written, without blanks around; empty values left out."""
        tag, layout = _tag(keyword), self._layout
        vr, start, stop = self._element(tag)
        if vr == "SQ" or start == stop:
            return ()
        return texts_of(tag, vr, layout.buffer[start:stop], self._encodings, layout.little_endian)

    def numbers(self, keyword: str, most: int) -> tuple[float, ...] | None:
        """The values of a binary number element; None when there are more than `most`."""
        tag, layout = _tag(keyword), self._layout
        vr, start, stop = self._element(tag)
        if start == stop:
            return ()
        return numbers_of(tag, vr, layout.buffer[start:stop], layout.little_endian, most)

    def _element(self, tag: int) -> tuple[str, int, int]:
        """Its VR, in the file or else in the dictionary, and where its value is: nowhere when absent."""
        vr, start, stop = self._elements.get(tag, ("", 0, 0))
        return vr if vr and vr != "UN" else implicit_vr(tag), start, stop

    def items(self, keyword: str) -> Iterator["DataSet"]:
        """The items of a sequence, read one after the other; none when it is absent or no sequence."""
        sequence = self._sequence(keyword)
        if sequence is None:
            return
        for elements, implicit in self._layout.items(sequence, self._implicit):
            yield DataSet(self._layout, elements, implicit, self._encodings, self._made)

    def of_first(self, keyword: str, make: Callable[["DataSet | None"], Made]) -> Made:
        """What `make` makes of the first item of a sequence, or of None where there is none.

        It is made once of all sequences with the same bytes, whichever document they are in: reports have few
        codes, and have them often.  make: a function that lasts, and keeps nothing of the item.
        """
        sequence = self._sequence(keyword)
        if sequence is None:
            return make(None)
        _, start, stop = sequence
        if stop - start > _LONGEST_REMEMBERED:
            return make(next(self.items(keyword), None))
        layout = self._layout
        key = (make, self._implicit, layout.little_endian, self._encodings, layout.buffer[start:stop])
        found: Made | object = self._remembered.get(key, _NOT_MADE)
        if found is _NOT_MADE:
            found = make(next(self.items(keyword), None))
            remembered = self._remembered
            if len(remembered) >= _REMEMBERED:
                remembered.clear()
            remembered[key] = found
        return cast(Made, found)

    @property
    def _remembered(self) -> dict[_Making, Any]:
        """What was made in any document that hides nothing: what hides something, each has to tell itself."""
        return self._made if self._layout.faults else _MADE

    def _sequence(self, keyword: str) -> Element | None:
        tag = _tag(keyword)
        element = self._elements.get(tag)
        if element is None:
            return None
        vr = element[0]
        is_sequence = vr == "SQ" or (vr in ("", "UN") and implicit_vr(tag) == "SQ")
        return element if is_sequence else None


@cache
def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise LookupError(f"{keyword} is not in the data dictionary")
    return tag
