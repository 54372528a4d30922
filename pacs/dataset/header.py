"""What the archive needs to know of an object: its identity, what is searched for, where its pixels lie."""

import re
import threading
from typing import Any

from pacs.attributes import stored_tags
from pacs.dataset.alike import Alike
from pacs.dataset.dicom_json import SPECIFIC_CHARACTER_SET, JsonWriter
from pacs.dataset.elements import (
    PIXEL_DATA,
    Buffer,
    Element,
    Encoding,
    Parsed,
    name,
    read_elements,
)
from pacs.dataset.transfer_syntax import encoding_of, inflate, is_deflated
from pacs.dataset.vr import LONG_VRS
from pacs.errors import InvalidIdentifier
from pacs.model import DicomJson, Level, PixelLocation
from pacs.non_patient import CATEGORY_OF

# Two pixels share their two chrominance samples (PS3.3 C.7.6.3.1.2).
_HALF_CHROMA = ("YBR_FULL_422", "YBR_PARTIAL_422")
_MOST_BITS = 1 << 50  # of one frame
_MOST_FRAMES = (1 << 31) - 1  # what an IS can say (PS3.5 6.2)
_PIXEL_TAGS = frozenset({PIXEL_DATA, 0x7FE00008, 0x7FE00009})
_PIXEL_MODULE = frozenset({0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011, 0x00280100})

_STORED = {level: stored_tags(level) for level in Level}
_READ = frozenset().union(*_STORED.values(), _PIXEL_MODULE, {SPECIFIC_CHARACTER_SET}, _PIXEL_TAGS)

# What names an object, with the attribute of Header that keeps it; the SOP class first, for it tells whether
# there is a study
_UIDS = {
    f"{tag:08X}": (tag, name)
    for tag, name in (
        (0x00080016, "sop_class_uid"),
        (0x00080018, "sop_instance_uid"),
        (0x0020000D, "study_instance_uid"),
        (0x0020000E, "series_instance_uid"),
    )
}
_OF_STUDY = frozenset({"0020000D", "0020000E"})
# Decoded of every object, in one go: whose it is, what is kept of an instance, the size of its pixels
_ALWAYS = _STORED[Level.INSTANCE] | _PIXEL_MODULE | {0x0020000D, 0x0020000E, 0x00100020, 0x00100021}
_INSTANCE_KEYS = frozenset(f"{tag:08X}" for tag in _STORED[Level.INSTANCE])
_PIXEL_KEYS = frozenset(f"{tag:08X}" for tag in _PIXEL_MODULE)
_NOTHING: DicomJson = {}
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")


class Header:
    """What was read of one object. Its attributes are decoded as they are asked for.

    Of the images of a series only the first is asked for what it says of patient, study and series.

    study_instance_uid, series_instance_uid: empty when the object belongs to no patient.
    pixels: counted from the beginning of the data set, inflated where it was deflated.
    """

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    pixels: PixelLocation | None = None

    def __init__(self, head: bytes, encoding: Encoding, elements: list[Element]) -> None:
        """head: the bytes that hold the elements, which are those of the attribute table."""
        self._head = head
        self._encoding = encoding
        self._elements: list[Element] | None = elements
        self._levels: dict[Level, DicomJson] = {}
        self._always = self._write(_ALWAYS)
        for key in _UIDS:
            if key not in _OF_STUDY or not self.is_non_patient:
                self._name(key)
        self.patient_id = _text(self._always, "00100020")
        self.issuer_of_patient_id = _text(self._always, "00100021")

    def next(self, head: bytes, changed: DicomJson) -> "Header":
        """The header of an object that differs from this one in these attributes alone, of those in _ALWAYS.

        head: the bytes of its data set up to its pixels, which lie where they did until told otherwise.
        """
        header = Header.__new__(Header)
        header.__dict__.update(self.__dict__)
        header._head, header._elements = head, None
        header._always = self._always | changed
        instance = {key: value for key, value in changed.items() if key in _INSTANCE_KEYS}
        header._levels = {Level.INSTANCE: self.level(Level.INSTANCE) | instance}
        for key in _UIDS:
            if key in changed:
                header._name(key)
        header.patient_id = _text(header._always, "00100020")
        header.issuer_of_patient_id = _text(header._always, "00100021")
        return header

    @property
    def is_non_patient(self) -> bool:
        """Whether the object is of a class that belongs to no patient (PS3.4 GG)."""
        return self.sop_class_uid in CATEGORY_OF

    def keep(self, attributes: DicomJson) -> None:
        """Note what is kept of an object that belongs to no patient."""
        attributes.pop("00080005", None)  # what is kept is Unicode
        self._levels[Level.INSTANCE] = attributes

    def _name(self, key: str) -> None:
        tag, attribute = _UIDS[key]
        setattr(self, attribute, _uid(self._always, tag, key))

    def level(self, level: Level) -> DicomJson:
        """The kept attributes of one level, as DICOM JSON; the last has all of what belongs to no patient."""
        if level not in self._levels:
            here = level is Level.INSTANCE
            self._levels[level] = self._of_instance() if here else self._write(_STORED[level])
        return self._levels[level]

    def _of_instance(self) -> DicomJson:
        return {key: value for key, value in self._always.items() if key in _INSTANCE_KEYS}

    def locate_pixels(self, parsed: Parsed, start: int) -> None:
        """Note where the pixels lie. start: of what they are counted from, in what was parsed."""
        element = next((e for e in reversed(parsed.elements) if e.tag in _PIXEL_TAGS), None)
        if element is None or element.vr not in LONG_VRS:
            self.pixels = None
            return
        frames = min(max(1, _integer(self._always, "00280008", 1)), _MOST_FRAMES)
        encapsulated = parsed.fragments is not None
        bits = 0 if encapsulated else _frame_bits(self._always)
        offset = element.offset - start
        self.pixels = PixelLocation(element.tag, offset, element.length, encapsulated, frames, bits)

    def _write(self, tags: frozenset[int]) -> DicomJson:
        if self._elements is None:
            self._elements = read_elements(self._head, self._encoding, wanted=_READ).elements
        wanted = [e for e in self._elements if e.tag in tags or e.tag == SPECIFIC_CHARACTER_SET]
        written = JsonWriter(self._head, self._encoding).write(wanted)
        written.pop("00080005", None)  # what is kept is Unicode
        return written


def read_header(buffer: Buffer, transfer_syntax_uid: str, start: int = 0, end: int | None = None) -> Header:
    """Read the data set that fills the buffer from start to end, which is that of the buffer when not given.

    Raises MalformedObject, InvalidIdentifier or UnsupportedObject. Nothing is decoded but what is kept.
    """
    encoding = encoding_of(transfer_syntax_uid)
    if is_deflated(transfer_syntax_uid):
        buffer, start, end = inflate(buffer[start:end]), 0, None
    return _read(buffer, encoding, start, end)


def _read(buffer: Buffer, encoding: Encoding, start: int, end: int | None) -> Header:
    parsed = read_elements(buffer, encoding, start, end, _READ)
    wanted = [e for e in parsed.elements if e.tag not in _PIXEL_TAGS]
    head_end = max((e.offset + e.length for e in wanted), default=start)
    header = Header(bytes(buffer[:head_end]), encoding, wanted)
    if header.is_non_patient:
        kept = CATEGORY_OF[header.sop_class_uid].kept | {SPECIFIC_CHARACTER_SET}
        elements = read_elements(buffer, encoding, start, end, kept).elements
        header.keep(JsonWriter(buffer, encoding).write(elements))
    else:
        header.locate_pixels(parsed, start)
    return header


class HeaderReader:
    """Reads headers as `read_header` does, sooner where one is like that before. Safe for threads."""

    def __init__(self) -> None:
        self._alike = Alike(_ALWAYS, _PIXEL_TAGS)
        self._before: Header | None = None
        self._one_at_a_time = threading.Lock()

    def read(self, buffer: Buffer, transfer_syntax_uid: str, start: int, end: int) -> Header:
        """Read the data set from start to end. Raises what `read_header` does."""
        if is_deflated(transfer_syntax_uid):
            return read_header(buffer, transfer_syntax_uid, start, end)
        encoding = encoding_of(transfer_syntax_uid)
        with self._one_at_a_time:
            return self._read(buffer, encoding, start, end)

    def _read(self, buffer: Buffer, encoding: Encoding, start: int, end: int) -> Header:
        """What is remembered to compare with is always the object before, or nothing."""
        before, self._before = self._before, None
        header = before and self._read_like(before, buffer, encoding, start, end)
        self._before = header or self._read_anew(before, buffer, encoding, start, end)
        return self._before

    def _read_like(
        self, before: Header, buffer: Buffer, encoding: Encoding, start: int, end: int
    ) -> Header | None:
        """The header of an object that is like the one before; None when it must be read anew."""
        likeness = self._alike.read(buffer, encoding, start, end)
        if likeness is None or "00080016" in likeness.changed:
            return None  # of another class other attributes are kept
        value = None if likeness.changed.keys() & _PIXEL_KEYS else likeness.value
        rest = None if value is not None else read_elements(buffer, encoding, likeness.end, end, _READ)
        if rest is not None and any(element.tag not in _PIXEL_TAGS for element in rest.elements):
            return None  # something behind the pixels is kept
        header = before.next(bytes(buffer[start : likeness.end]), likeness.changed)
        if rest is not None:
            header.locate_pixels(rest, start)
        elif header.pixels is not None and value is not None:
            header.pixels = header.pixels._replace(offset=value - start)
        return header

    def _read_anew(
        self, before: Header | None, buffer: Buffer, encoding: Encoding, start: int, end: int
    ) -> Header:
        """Read all of it; the second of a series is remembered, for more are likely to follow."""
        header = _read(buffer, encoding, start, end)
        series = header.series_instance_uid
        if before is not None and series and series == before.series_instance_uid:
            self._alike.remember(buffer, encoding, start, end)
        else:
            self._alike.forget()
        return header


def _uid(attributes: DicomJson, tag: int, key: str) -> str:
    values = attributes.get(key, _NOTHING).get("Value")
    if not values:
        raise InvalidIdentifier(f"{name(tag)} is missing; the object cannot be told from others", tag)
    if len(values) > 1 or not is_uid(values[0]):
        raise InvalidIdentifier(f"{name(tag)} is not a UID: digits and dots, 64 at most", tag)
    uid: str = values[0]
    return uid


def _text(attributes: DicomJson, key: str) -> str:
    values = attributes.get(key, _NOTHING).get("Value")
    return "" if not values or values[0] is None else str(values[0])


def is_uid(text: Any) -> bool:
    """Whether this is a UID by PS3.5 9.1, but that zeros may lead a component, as devices write them."""
    return isinstance(text, str) and len(text) <= 64 and _UID.fullmatch(text) is not None


def _frame_bits(module: DicomJson) -> int:
    """Bits of one native frame: Rows x Columns x Samples per Pixel x Bits Allocated (PS3.5 8.1.1)."""
    bits = 1
    for key, default in (("00280010", 0), ("00280011", 0), ("00280002", 1), ("00280100", 0)):
        bits *= max(0, _integer(module, key, default))
    if bits > _MOST_BITS:
        return 0  # no such frame can be there
    halved = module.get("00280004", {}).get("Value", [""])[0] in _HALF_CHROMA
    return bits * 2 // 3 if halved else bits


def _integer(attributes: DicomJson, key: str, default: int) -> int:
    value = attributes.get(key, {}).get("Value", [default])[0]
    return value if isinstance(value, int) else default
