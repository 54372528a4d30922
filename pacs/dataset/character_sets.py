"""Values of DICOM JSON written in the character set of a data set that is there (PS3.3 C.12.1.1.2)."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydicom.charset import convert_encodings, default_encoding, encode_string, python_encoding

from pacs.dataset.dicom_json import SPECIFIC_CHARACTER_SET, JsonWriter
from pacs.dataset.elements import Buffer, Element, Encoding, read_elements
from pacs.dataset.json_encoder import UNICODE, BulkValue, JsonEncoder
from pacs.dataset.rewrite import explicit_element
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
