"""Text in the character set that a data set has, or has from then on (PS3.3 C.12.1.1.2)."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydicom.charset import convert_encodings, decode_bytes, default_encoding, encode_string, python_encoding

from pacs.dataset.dicom_json import SPECIFIC_CHARACTER_SET, JsonWriter
from pacs.dataset.elements import PIXEL_DATA, Buffer, Element, Encoding, read_elements
from pacs.dataset.json_encoder import UNICODE, BulkValue, JsonEncoder
from pacs.dataset.rewrite import ElementWriter, WriteElement, explicit_element
from pacs.dataset.vr import CHARSET_VRS
from pacs.errors import MalformedObject
from pacs.model import DicomJson

_EXPLICIT = Encoding(explicit=True)


def value_in(tag: int, element: DicomJson, terms: Sequence[str]) -> bytes | None:
    """The value of an element, of even length, sequences in Explicit VR Little Endian.

    terms: of Specific Character Set; none for the default repertoire.
    None when that cannot hold it: what is written has to be read as what was meant.
    """
    if element["vr"] == "SQ":
        return _sequence(tag, element, terms)
    text = "\\".join(map(_text, element.get("Value", ())))
    if text.isascii():
        return _even(text.encode("ascii"))
    if not terms or any(term not in python_encoding for term in terms):
        return None
    codecs = convert_encodings(list(terms))
    had = ["ascii" if codec == default_encoding else codec for codec in codecs]  # it is ISO-IR 6
    if not all(any(_has(codec, character) for codec in had) for character in text):
        return None
    value = _even(encode_string(text, codecs))
    meant = _read(tag, element["vr"], _even(text.encode()), [UNICODE])
    return value if _read(tag, element["vr"], value, terms) == meant else None


def _sequence(tag: int, element: DicomJson, terms: Sequence[str]) -> bytes | None:
    try:
        pieces = JsonEncoder(_no_bulk).encode({f"{tag:08X}": element})
    except MalformedObject:
        return None
    written = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    *before, sequence = read_elements(written, _EXPLICIT).elements
    if before and list(terms) != [UNICODE]:  # a character set stands before what is not ASCII
        return None
    return written[sequence.offset : sequence.offset + sequence.length]


def _no_bulk(tag: int, _uri: str) -> BulkValue:
    raise MalformedObject("the value lies elsewhere", tag)


def _read(tag: int, vr: str, value: bytes, terms: Sequence[str]) -> DicomJson:
    written = explicit_element(tag, vr, value)
    character_set = {f"{SPECIFIC_CHARACTER_SET:08X}": {"vr": "CS", "Value": list(terms)}}
    return JsonWriter(written, _EXPLICIT, before=character_set).write(
        read_elements(written, _EXPLICIT).elements
    )


def _text(value: Any) -> str:
    if isinstance(value, dict):
        groups = (value.get(group, "") for group in ("Alphabetic", "Ideographic", "Phonetic"))
        return "=".join(groups).rstrip("=")
    return "" if value is None else str(value)


def _has(codec: str, character: str) -> bool:
    try:
        return bool(character.encode(codec))
    except UnicodeError:
        return False


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


class _Converter(ElementWriter):
    def __init__(self, part: bytes, encoding: Encoding, elements: list[Element], write: WriteElement) -> None:
        super().__init__(part, encoding, elements, write)
        self._codecs: list[str] = []

    def all(self, elements: list[Element]) -> list[tuple[int, bytes]]:
        """Those of the data set or of an item, which may have a character set of its own."""
        outer = self._codecs
        for element in elements:
            if element.tag == SPECIFIC_CHARACTER_SET:
                terms = [term.strip() for term in super()._value(element).decode("latin-1").split("\\")]
                is_known = any(terms) and all(term in python_encoding for term in terms)
                self._codecs = convert_encodings(terms) if is_known else []
        written = super().all(elements)
        self._codecs = outer
        return written

    def _value(self, element: Element) -> bytes:
        if element.tag == SPECIFIC_CHARACTER_SET:
            return _even(UNICODE.encode())
        if element.tag == PIXEL_DATA or (element.items and not is_plain(self._part, [element])):
            raise UnicodeError("pixels of an icon, or a sequence that says UN")
        value = super()._value(element)
        if element.vr not in CHARSET_VRS or (value.isascii() and b"\x1b" not in value):
            return value
        delimiters = {ord(character) for character in ("\\^=" if element.vr == "PN" else "\\\n\r\f\t")}
        text = decode_bytes(value, self._codecs, delimiters) if self._codecs else "\ufffd"
        if "\ufffd" in text:
            raise UnicodeError("text that is not of its character set")
        return _even(text.removesuffix(" ").encode())  # less what made it even before
