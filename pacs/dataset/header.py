"""What the archive needs to know of an object: its identity, what is searched for, where its pixels lie."""

import re
from dataclasses import dataclass
from typing import Any

from pacs.attributes import stored_tags
from pacs.dataset.dicom_json import JsonWriter
from pacs.dataset.elements import PIXEL_DATA, Buffer, Parsed, name, read_elements
from pacs.dataset.transfer_syntax import encoding_of, inflate, is_deflated
from pacs.errors import InvalidIdentifier
from pacs.model import DicomJson, Level, PixelLocation

_PIXEL_TAGS = (PIXEL_DATA, 0x7FE00008, 0x7FE00009)
_STORED = {level: stored_tags(level) for level in Level}
# Two pixels share their two chrominance samples (PS3.3 C.7.6.3.1.2).
_HALF_CHROMA = ("YBR_FULL_422", "YBR_PARTIAL_422")
_PIXEL_MODULE = frozenset({0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011, 0x00280100})
_WANTED = frozenset().union(*_STORED.values(), _PIXEL_MODULE, {0x00080005, 0x00280103})
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")


@dataclass(frozen=True, slots=True)
class Header:
    """What was read of one object.

    levels: the kept attributes of each level, as DICOM JSON.
    pixels: counted from the beginning of the data set, inflated where it was deflated.
    """

    levels: dict[Level, DicomJson]
    pixels: PixelLocation | None

    def uid(self, level: Level, key: str) -> str:
        """The UID at this level under a key such as "0020000D"."""
        uid: str = self.levels[level][key]["Value"][0]
        return uid


def read_header(buffer: Buffer, transfer_syntax_uid: str, start: int = 0) -> Header:
    """Read the data set that fills the buffer from start on, to its end.

    Raises MalformedObject, InvalidIdentifier or UnsupportedObject; nothing is decoded but what is kept.
    """
    encoding = encoding_of(transfer_syntax_uid)
    if is_deflated(transfer_syntax_uid):
        buffer, start = inflate(buffer[start:]), 0
    parsed = read_elements(buffer, encoding, start)
    attributes = JsonWriter(buffer, encoding).write(e for e in parsed.elements if e.tag in _WANTED)
    levels = {level: _of_level(attributes, level) for level in Level}
    _check_identity(levels)
    return Header(levels, _locate_pixels(parsed, attributes, start))


def _of_level(attributes: DicomJson, level: Level) -> DicomJson:
    tags = _STORED[level]
    return {key: value for key, value in attributes.items() if int(key, 16) in tags}


def _check_identity(levels: dict[Level, DicomJson]) -> None:
    for level, tag in (
        (Level.INSTANCE, 0x00080016),
        (Level.INSTANCE, 0x00080018),
        (Level.STUDY, 0x0020000D),
        (Level.SERIES, 0x0020000E),
    ):
        values = levels[level].get(f"{tag:08X}", {}).get("Value")
        if not values:
            raise InvalidIdentifier(f"{name(tag)} is missing; the object cannot be told from others", tag)
        if len(values) > 1 or not is_uid(values[0]):
            raise InvalidIdentifier(f"{name(tag)} is not a UID: digits and dots, 64 at most", tag)


def is_uid(text: Any) -> bool:
    """Whether this is a UID by PS3.5 9.1, but that zeros may lead a component, as devices write them."""
    return isinstance(text, str) and len(text) <= 64 and _UID.fullmatch(text) is not None


def _locate_pixels(parsed: Parsed, attributes: DicomJson, start: int) -> PixelLocation | None:
    element = next((e for e in reversed(parsed.elements) if e.tag in _PIXEL_TAGS), None)
    if element is None:
        return None
    frames = max(1, _integer(attributes, "00280008", 1))
    encapsulated = parsed.fragments is not None
    bits = 0 if encapsulated else _frame_bits(attributes)
    return PixelLocation(element.tag, element.offset - start, element.length, encapsulated, frames, bits)


def _frame_bits(attributes: DicomJson) -> int:
    """Bits of one native frame: Rows x Columns x Samples per Pixel x Bits Allocated (PS3.5 8.1.1)."""
    bits = 1
    for key, default in (("00280010", 0), ("00280011", 0), ("00280002", 1), ("00280100", 0)):
        bits *= _integer(attributes, key, default)
    halved = attributes.get("00280004", {}).get("Value", [""])[0] in _HALF_CHROMA
    return bits * 2 // 3 if halved else bits


def _integer(attributes: DicomJson, key: str, default: int) -> int:
    value = attributes.get(key, {}).get("Value", [default])[0]
    return value if isinstance(value, int) else default
