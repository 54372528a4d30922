"""A data set cleaned element by element, its items too. Values that are kept are never decoded."""

from collections.abc import Callable
from struct import calcsize

from pacs.dataset.elements import Element, Encoding, read_elements
from pacs.dataset.heads import item_of
from pacs.dataset.rewrite import explicit_element
from pacs.dataset.vr import BINARY_WIDTH, NUMBER_CODES, implicit_vr
from pacs.deidentification.actions import Action, action_of
from pacs.deidentification.pseudonyms import Pseudonyms

_PATIENT_ID = 0x00100020
_TEXT = "ANONYMIZED"

# Values that the VR allows (PS3.5 Table 6.2-1), and that are nobody's
_DUMMIES = {
    "AS": "000Y",
    "DA": "19000101",
    "DS": "0",
    "DT": "19000101000000",
    "IS": "0",
    "TM": "000000",
    "UR": "http://anonymized.invalid/",  # RFC 2606: there is no such host
}


# The same of numbers and bytes: one zero, of even length
_ZEROS = {
    "AT": bytes(4),
    **{vr: bytes(max(width, 2)) for vr, width in BINARY_WIDTH.items()},
    **{vr: bytes(calcsize(code)) for vr, code in NUMBER_CODES.items()},
}


class Cleaner:
    """Cleans what belongs to one object."""

    def __init__(self, pseudonyms: Pseudonyms, patient_id: str) -> None:
        """patient_id: what every Patient ID becomes."""
        self._pseudonyms = pseudonyms
        self._patient_id = patient_id

    def cleaned(self, part: bytes) -> list[tuple[int, bytes]]:
        """What is left of part of a data set in Explicit VR Little Endian: whole elements by tag.

        Raises MalformedObject when the part cannot be read to its end.
        """
        return self._elements(part, read_elements(part, Encoding(explicit=True)).elements, self._element)

    def _elements(
        self, part: bytes, elements: list[Element], write: Callable[[bytes, Element], bytes | None]
    ) -> list[tuple[int, bytes]]:
        written = ((element.tag, write(part, element)) for element in elements)
        return [(tag, content) for tag, content in written if content is not None]

    def _element(self, part: bytes, element: Element) -> bytes | None:
        if _is_left_out(element):
            return None
        match action_of(element.tag):
            case Action.EMPTY:
                return explicit_element(element.tag, implicit_vr(element.tag), b"")
            case Action.DUMMY:
                return self._dummy(part, element)
            case Action.UID:
                return self._uids(part, element)
        if element.items is None:
            return explicit_element(element.tag, element.vr, _value(part, element))
        return self._sequence(part, element, element.items, self._element)

    def _dummy(self, part: bytes, element: Element) -> bytes:
        """Of a sequence, all within its first item."""
        vr = implicit_vr(element.tag)
        if element.items is not None:
            return self._sequence(part, element, element.items[:1], self._within_dummy)
        if vr == "UI":
            return self._uids(part, element)
        if vr in _ZEROS:
            return explicit_element(element.tag, vr, _ZEROS[vr])
        text = self._patient_id if element.tag == _PATIENT_ID else _DUMMIES.get(vr, _TEXT)
        return explicit_element(element.tag, vr, padded(text))

    def _within_dummy(self, part: bytes, element: Element) -> bytes | None:
        return None if _is_left_out(element) else self._dummy(part, element)

    def _uids(self, part: bytes, element: Element) -> bytes:
        texts = _value(part, element).decode("latin-1").split("\\")
        uids = (self._pseudonyms.uid(text) if text else "" for text in (t.strip("\0 ") for t in texts))
        return explicit_element(element.tag, "UI", padded("\\".join(uids), b"\0"))

    def _sequence(
        self,
        part: bytes,
        element: Element,
        items: list[list[Element]],
        write: Callable[[bytes, Element], bytes | None],
    ) -> bytes:
        contents = (b"".join(content for _, content in self._elements(part, item, write)) for item in items)
        return explicit_element(element.tag, "SQ", b"".join(map(item_of, contents)))


def _is_left_out(element: Element) -> bool:
    """Also where it is not what its attribute is, or cannot be read inside: nobody knows what it says."""
    is_sequence = implicit_vr(element.tag) == "SQ"
    unread = element.items == [] and element.length > 0
    return action_of(element.tag) is Action.REMOVE or is_sequence != (element.items is not None) or unread


def _value(part: bytes, element: Element) -> bytes:
    return part[element.offset : element.offset + element.length]


def padded(text: str, filling: bytes = b" ") -> bytes:
    """A value of even length (PS3.5 6.2).  text: plain ASCII."""
    value = text.encode("ascii")
    return value + filling * (len(value) % 2)
