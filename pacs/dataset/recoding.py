"""Values of a data set written in its character set, and its text in another one (PS3.3 C.12.1.1.2)."""

from collections.abc import Iterable, Sequence
from struct import error as struct_error

from pacs.dataset.character_set import DEFAULT, CharacterSet, character_set
from pacs.dataset.dicom_json import SPECIFIC_CHARACTER_SET
from pacs.dataset.elements import PIXEL_DATA, Buffer, Element, Encoding, read_elements
from pacs.dataset.json_encoder import UNICODE, BulkValue, EncodeText, JsonEncoder, encode_values, padding
from pacs.dataset.rewrite import Rewriter, WriteElement
from pacs.dataset.vr import CHARSET_VRS
from pacs.errors import MalformedObject
from pacs.model import DicomJson

_EXPLICIT = Encoding(explicit=True)


def value_in(tag: int, element: DicomJson, terms: Sequence[str]) -> bytes | None:
    """The value of an element, of even length, sequences in Explicit VR Little Endian.

    terms: of Specific Character Set; none for the default repertoire.
    None when that cannot hold it: what is written has to be read as what was meant.
    """
    vr, named = element["vr"], character_set(tuple(terms))

    def encode_text(text: str, vr: str) -> bytes:
        value = named.encode(text, vr) if vr in CHARSET_VRS else text.encode("ascii")
        # Of misspelt terms, others may think something else
        if value is None or not (text.isascii() or _is_spelt_right(terms, named)):
            raise ValueError(vr)
        return value

    try:
        if vr == "SQ":
            return _sequence(tag, element, terms, encode_text)
        value = encode_values(vr, element.get("Value", []), encode_text)
    except (ValueError, TypeError, OverflowError, MalformedObject, struct_error):
        return None
    return value + padding(vr) * (len(value) % 2)


def _is_spelt_right(terms: Sequence[str], named: CharacterSet) -> bool:
    """Whether others understand it as we do. Value 1 may say that it is ASCII, or be empty (PS3.3 C.12-3)."""
    return named.terms == tuple("" if term == "ISO 2022 IR 6" else term for term in terms)


def _sequence(tag: int, element: DicomJson, terms: Sequence[str], encode_text: EncodeText) -> bytes | None:
    pieces = JsonEncoder(_no_bulk, encode_text).encode({f"{tag:08X}": element})
    written = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    *before, sequence = read_elements(written, _EXPLICIT).elements
    if before and list(terms) != [UNICODE]:  # a character set stands before what is not ASCII
        return None
    return written[sequence.offset : sequence.offset + sequence.length]


def _no_bulk(tag: int, _uri: str) -> BulkValue:
    raise MalformedObject("the value lies elsewhere", tag)


def _even(value: bytes) -> bytes:
    return value + b" " * (len(value) % 2)


def is_plain(content: Buffer, elements: Iterable[Element]) -> bool:
    """Whether all text is in the default repertoire, whatever character set is stated."""
    for element in elements:
        if element.items is not None:
            if not all(is_plain(content, item) for item in element.items):
                return False
        elif element.vr in CHARSET_VRS:
            value = bytes(content[element.offset : element.offset + element.length])
            if not value.isascii() or b"\x1b" in value:
                return False
    return True


def in_utf_8(part: bytes, encoding: Encoding, write: WriteElement) -> bytes:
    """The elements of a part of a data set in little endian, all text of them in UTF-8, which it states.

    Raises UnicodeError where text cannot be read for sure, or what holds it cannot be written anew.
    """
    elements = read_elements(part, encoding).elements
    return b"".join(content for _, content in _Converter(part, encoding, elements, write).all(elements))


class _Converter(Rewriter):
    def __init__(self, part: bytes, encoding: Encoding, elements: list[Element], write: WriteElement) -> None:
        super().__init__(part, encoding, elements, write)
        self._set: CharacterSet = DEFAULT

    def all(self, elements: list[Element]) -> list[tuple[int, bytes]]:
        """Those of the data set or of an item, which may have a character set of its own."""
        outer = self._set
        for element in elements:
            if element.tag == SPECIFIC_CHARACTER_SET:
                terms = super()._value(element).decode("latin-1").split("\\")
                self._set = character_set(tuple(term.strip() for term in terms))
        written = super().all(elements)
        self._set = outer
        return written

    def _value(self, element: Element) -> bytes:
        if element.tag == SPECIFIC_CHARACTER_SET:
            return _even(UNICODE.encode())
        if element.tag == PIXEL_DATA or (element.items and not is_plain(self._part, [element])):
            raise UnicodeError("pixels of an icon, or a sequence that says UN")
        value = super()._value(element)
        if element.vr not in CHARSET_VRS or (value.isascii() and b"\x1b" not in value):
            return value
        text = self._set.decode(value, element.vr)
        if "\ufffd" in text or self._set.encode(text, element.vr) is None:
            raise UnicodeError("text that is not of its character set")
        return _even(text.removesuffix(" ").encode())  # less what made it even before
