"""Data sets of the DICOM JSON model (PS3.18 F.2), written in Explicit VR Little Endian (PS3.5 7.1.2).

The other direction of `dicom_json`. Every value may be hostile: one that does not fit its VR is refused.
"""

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass
from operator import itemgetter
from struct import error as struct_error
from struct import pack
from typing import Any

import orjson
from pydicom.valuerep import format_number_as_ds

from pacs.dataset.dicom_json import SPECIFIC_CHARACTER_SET
from pacs.dataset.elements import (
    ITEM,
    ITEM_DELIMITER,
    MAXIMUM_DEPTH,
    SEQUENCE_DELIMITER,
    UNDEFINED,
    TooDeep,
    name,
)
from pacs.dataset.heads import explicit_head, implicit_head
from pacs.dataset.vr import BINARY_WIDTH, CHARSET_VRS, LONG_VRS, NUMBER_CODES, SHORT_VRS, SINGLE_TEXT_VRS
from pacs.errors import MalformedObject
from pacs.model import DicomJson

UNICODE = "ISO_IR 192"

_MOST_LONG = 0xFFFFFFFE  # bytes of a value
_OTHER_GROUPS = (0x0000, 0x0002)  # of commands and file meta information (PS3.7 E, PS3.10 7.1)
_PADDING = 0xFFFCFFFC  # from here on: trailing padding, items and delimiters
_NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_FORMS = ("Value", "BulkDataURI", "InlineBinary")


@dataclass(frozen=True, slots=True)
class BulkValue:
    """A value that lies elsewhere: its pieces, one after the other.

    encapsulated: the pieces are the items of a value of open length (PS3.5 A.4).
    """

    pieces: Sequence[Sized]
    encapsulated: bool = False


# Gives the value that a BulkDataURI names. Raises MalformedObject when there is none.
Bulk = Callable[[int, str], BulkValue]


# The bytes of a text and its VR. Raises ValueError where there are none.
EncodeText = Callable[[str, str], bytes]


class JsonEncoder:
    """Writes one data set. Values that lie elsewhere stay there: what is written is pieces, to be joined.

    discarded: tags of what stands in no data set, and was left out.
    """

    def __init__(self, bulk: Bulk, encode_text: EncodeText | None = None) -> None:
        """encode_text: for values that are not binary, as for encode_values; in Unicode without."""
        self.discarded: list[int] = []
        self._bulk = bulk
        self._encode_text = encode_text or _in_unicode
        self._pieces: list[Sized] = []
        self._written = bytearray()
        self._is_ascii = True

    def encode(self, data_set: DicomJson) -> list[Sized]:
        """The elements in the order of their tags, text in Unicode where it is not ASCII.

        Raises MalformedObject, which names the element.
        """
        try:
            self._is_ascii = orjson.dumps(data_set).isascii()
        except orjson.JSONEncodeError as reason:
            raise TooDeep(f"sequences are nested deeper than {MAXIMUM_DEPTH} levels") from reason
        if not self._is_ascii:
            data_set = data_set | {f"{SPECIFIC_CHARACTER_SET:08X}": {"vr": "CS", "Value": [UNICODE]}}
        self._data_set(data_set, 0)
        self._close_piece()
        return self._pieces

    def _data_set(self, data_set: DicomJson, depth: int) -> None:
        elements = {_tag(key): element for key, element in data_set.items()}
        for tag, element in sorted(elements.items(), key=itemgetter(0)):
            if tag >> 16 in _OTHER_GROUPS or tag & 0xFFFF == 0 or tag >= _PADDING:
                self.discarded.append(tag)
                continue
            vr, form = _form(tag, element)
            if vr == "SQ":
                self._sequence(tag, element.get("Value") or [], depth + 1)
            elif form == "BulkDataURI":
                self._bulk_value(tag, vr, element[form])
            else:
                self._value(tag, vr, self._encoded(tag, vr, form, element.get(form)))

    def _sequence(self, tag: int, items: Any, depth: int) -> None:
        if depth > MAXIMUM_DEPTH:
            raise TooDeep(f"{name(tag)}: sequences are nested deeper than {MAXIMUM_DEPTH} levels", tag)
        if not isinstance(items, list) or not all(isinstance(item, dict | None) for item in items):
            raise MalformedObject(f"{name(tag)}: a sequence is an array of objects", tag)
        self._head(tag, "SQ", UNDEFINED)
        for item in items:
            self._written += implicit_head(ITEM, UNDEFINED)
            self._data_set(item or {}, depth)
            self._written += implicit_head(ITEM_DELIMITER, 0)
        self._written += implicit_head(SEQUENCE_DELIMITER, 0)

    def _encoded(self, tag: int, vr: str, form: str, value: Any) -> bytes:
        if form == "InlineBinary":
            return _inline(tag, value)
        values = [] if value is None else value
        if not isinstance(values, list):
            raise MalformedObject(f"{name(tag)}: Value is an array", tag)
        if tag == SPECIFIC_CHARACTER_SET and values and not self._is_ascii:
            values = [UNICODE]
        try:
            return encode_values(vr, values, self._encode_text)
        except (ValueError, TypeError, OverflowError, struct_error) as reason:
            raise MalformedObject(f"{name(tag)}: a value is none of the VR {vr}", tag) from reason

    def _value(self, tag: int, vr: str, value: bytes) -> None:
        if len(value) % 2:
            value += padding(vr)
        self._head(tag, vr, len(value))
        self._written += value

    def _bulk_value(self, tag: int, vr: str, uri: Any) -> None:
        if not isinstance(uri, str):
            raise MalformedObject(f"{name(tag)}: BulkDataURI is a string", tag)
        value = self._bulk(tag, uri)
        if value.encapsulated:
            self._head(tag, "OB", UNDEFINED)
            self._place(value.pieces)
            self._written += implicit_head(SEQUENCE_DELIMITER, 0)
            return
        length = sum(map(len, value.pieces))
        self._head(tag, vr, length + length % 2)
        self._place(value.pieces)
        self._written += padding(vr) * (length % 2)

    def _place(self, pieces: Iterable[Sized]) -> None:
        self._close_piece()
        self._pieces += pieces

    def _close_piece(self) -> None:
        if self._written:
            self._pieces.append(bytes(self._written))
            self._written.clear()

    def _head(self, tag: int, vr: str, length: int) -> None:
        if length > _MOST_LONG and length != UNDEFINED:
            raise MalformedObject(f"{name(tag)}: the value is longer than 4 GB", tag)
        self._written += explicit_head(tag, vr, length)


def _tag(key: str) -> int:
    try:
        if len(key) != 8:
            raise ValueError(key)
        return int.from_bytes(bytes.fromhex(key), "big")
    except ValueError as reason:
        raise MalformedObject("the name of an attribute is not a tag of eight hexadecimal digits") from reason


def _form(tag: int, element: Any) -> tuple[str, str]:
    """The VR of an element, and what it has of a value."""
    if not isinstance(element, dict):
        raise MalformedObject(f"{name(tag)}: an attribute is an object with vr and a value", tag)
    vr = element.get("vr")
    if not isinstance(vr, str) or vr not in LONG_VRS | SHORT_VRS:
        raise MalformedObject(f"{name(tag)}: vr is none of PS3.5", tag)
    forms = [form for form in _FORMS if form in element]
    if len(forms) > 1:
        raise MalformedObject(f"{name(tag)}: it has {' and '.join(forms)}; one of them is the value", tag)
    form = forms[0] if forms else "Value"
    if (vr == "SQ" and form != "Value") or (vr in BINARY_WIDTH and element.get("Value")):
        raise MalformedObject(f"{name(tag)}: a value of the VR {vr} does not stand in {form}", tag)
    return vr, form


def _inline(tag: int, value: Any) -> bytes:
    try:
        return b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError) as reason:
        raise MalformedObject(f"{name(tag)}: InlineBinary is not base64", tag) from reason


def _in_unicode(text: str, vr: str) -> bytes:
    return text.encode("utf-8" if vr in CHARSET_VRS else "latin-1")


def encode_values(vr: str, values: list[Any], encode_text: EncodeText, order: str = "<") -> bytes:
    """Values that are not binary.  order: of bytes, as struct has it.

    Raises ValueError, TypeError, OverflowError or struct.error for values of the wrong kind.
    """
    if vr in NUMBER_CODES:
        code = NUMBER_CODES[vr]
        convert = float if code in "fd" else _whole
        return pack(f"{order}{len(values)}{code}", *(convert(_number(value)) for value in values))
    if vr == "AT":
        tags = [_tag(value) for value in values]
        return b"".join(pack(f"{order}HH", tag >> 16, tag & 0xFFFF) for tag in tags)
    if vr in SINGLE_TEXT_VRS and len(values) > 1:
        raise ValueError(vr)
    text = "\\".join("" if value is None else _TEXTS.get(vr, _plain)(value) for value in values)
    return encode_text(text, vr)


def _number(value: Any) -> int | float | str:
    """Numbers may be given as text, as PS3.18 F.2.3 has it for some."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(value)
    return value


def _whole(value: int | float | str) -> int:
    number = int(value)
    if number != value and not isinstance(value, str):
        raise ValueError(value)
    return number


def _plain(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _integer_string(value: Any) -> str:
    return value if isinstance(value, str) else str(_whole(_number(value)))


def _decimal_string(value: Any) -> str:
    """At most 16 characters (PS3.5 6.2)."""
    if isinstance(value, str):
        return value
    text = repr(_number(value))
    return text if len(text) <= 16 else format_number_as_ds(float(text))


def _person_name(value: Any) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise TypeError(value)
    return "=".join(_plain(value.get(group, "")) for group in _NAME_GROUPS).rstrip("=")


_TEXTS: dict[str, Callable[[Any], str]] = {
    "DS": _decimal_string,
    "IS": _integer_string,
    "PN": _person_name,
}


def padding(vr: str) -> bytes:
    """What makes the length of a value even (PS3.5 6.2)."""
    return b"\0" if vr == "UI" or vr in BINARY_WIDTH else b" "
