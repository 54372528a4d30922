"""A message of HL7 v2 (chapter 2): its segments, and what stands in their fields.

The library parts segments, fields, components and subcomponents. Escape sequences are ours: its own drops
those that it does not know, and writes the values into the log.
"""

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any

import hl7

MOST_PARTS = 20_000  # separators in a message: each part costs the library half a kilobyte

# Table 0211. Where none is named, or ASCII: UTF-8 if it is that, else Latin-1.
_CHARACTER_SETS = {
    "": None,
    "ASCII": None,
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
}

_HEX = re.compile(r"X((?:[0-9A-Fa-f]{2})+)")
_NULL = '""'  # what is to be deleted


class Code(Enum):
    """Table 0357, what is used of it, with its text."""

    SEQUENCE = 100, "Segment sequence error"
    MISSING = 101, "Required field missing"
    DATA_TYPE = 102, "Data type error"
    NOT_IN_TABLE = 103, "Table value not found"
    MESSAGE_TYPE = 200, "Unsupported message type"
    UNKNOWN_KEY = 204, "Unknown key identifier"
    DUPLICATE_KEY = 205, "Duplicate key identifier"
    LOCKED = 206, "Application record locked"
    INTERNAL = 207, "Application internal error"


class MessageRefused(Exception):
    """A message is not done. where: such as PID-3, empty when nothing in particular is wrong.

    The text names what and why, and never a value that could identify a patient.
    """

    def __init__(self, code: Code, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}" if where else why)
        self.code = code
        self.where = where


class Value:
    """One repetition of a field."""

    def __init__(self, components: list[list[str]]) -> None:
        """components: each with its subcomponents."""
        self._components = components

    def part(self, component: int, subcomponent: int = 1) -> str:
        """The text of a component; empty when there is none. Both are counted from 1."""
        if component > len(self._components):
            return ""
        parts = self._components[component - 1]
        return parts[subcomponent - 1] if subcomponent <= len(parts) else ""

    def __bool__(self) -> bool:
        return any(any(parts) for parts in self._components)


NOTHING = Value([])


class Segment:
    """A segment: its name, and its fields as they are counted in the standard."""

    def __init__(self, parsed: Any, unescape: "Unescape") -> None:
        self.name = str(parsed[0])
        self._parsed = parsed
        self._unescape = unescape

    def values(self, field: int) -> list[Value]:
        """The repetitions of a field that are not empty."""
        if field >= len(self._parsed):
            return []
        repetitions = [Value(self._components(one)) for one in _parts(self._parsed[field])]
        return [value for value in repetitions if value]

    def value(self, field: int) -> Value:
        """The first of them."""
        return next(iter(self.values(field)), NOTHING)

    def text(self, field: int, component: int = 1) -> str:
        """The text of a component of it."""
        return self.value(field).part(component)

    def _components(self, repetition: Any) -> list[list[str]]:
        return [[self._unescape(str(part)) for part in _parts(component)] for component in _parts(repetition)]


def _parts(container: Any) -> list[Any]:
    """What a container holds; a text that was not parted is its own only part."""
    return [container] if isinstance(container, str) else list(container)


class Unescape:
    """Puts characters in the place of escape sequences (2.7). One that is none stays as it is."""

    def __init__(self, separators: str, escape: str) -> None:
        """separators: of fields, components, repetitions and subcomponents."""
        self._known = dict(zip("FSRT", separators, strict=False)) | {"E": escape, ".br": "\n"}
        sign = re.escape(escape)
        self._sequence = re.compile(rf"{sign}([^{sign}\r]{{1,80}}){sign}")

    def __call__(self, text: str) -> str:
        """The text without them, and without blanks around it."""
        plain = self._sequence.sub(self._character, text).strip()
        return "" if plain == _NULL else plain

    def _character(self, found: re.Match[str]) -> str:
        sequence = found[1]
        if sequence in ("H", "N"):  # highlighting begins and ends
            return ""
        if hexadecimal := _HEX.fullmatch(sequence):
            return bytes.fromhex(hexadecimal[1]).decode("latin-1")
        return self._known.get(sequence, found[0])


class Message:
    """A message that can be read. Its segments are given in their order."""

    def __init__(self, content: bytes) -> None:
        """Raises MessageRefused, with where and why."""
        text = _decoded(content)
        if text[:3] != "MSH" or len(text) < len("MSH|^~\\&"):
            raise MessageRefused(Code.SEQUENCE, "MSH", "a message begins with this segment")
        field, component, repetition, escape, subcomponent = tuple(text[3:8])
        truncation = text[8:9] != field  # a fifth character, of version 2.7
        signs = text[3 : 8 + truncation] + "\r"  # which parts the segments
        if len({*signs}) < len(signs) or text[8 + truncation : 9 + truncation] != field:
            raise MessageRefused(Code.DATA_TYPE, "MSH-2", "these are no four encoding characters")
        if sum(map(text.count, (field, component, repetition, subcomponent, "\r"))) > MOST_PARTS:
            raise MessageRefused(Code.DATA_TYPE, "", f"the message has more than {MOST_PARTS} parts")
        unescape = Unescape(field + component + repetition + subcomponent, escape)
        self.segments = [Segment(parsed, unescape) for parsed in hl7.parse(text) if any(map(str, parsed))]
        self.header = self.segments[0]

    def __iter__(self) -> Iterator[Segment]:
        return iter(self.segments)

    def first(self, name: str) -> Segment:
        """The first segment of this name. Raises MessageRefused when there is none."""
        return first(self.segments, name)


def first(segments: Iterable[Segment], name: str) -> Segment:
    """The first of them that has this name. Raises MessageRefused when there is none."""
    for segment in segments:
        if segment.name == name:
            return segment
    raise MessageRefused(Code.SEQUENCE, name, "the segment is missing")


def _decoded(content: bytes) -> str:
    """The text, its segments parted as they should be. Raises MessageRefused."""
    lines = content.replace(b"\r\n", b"\r").replace(b"\n", b"\r").strip()
    named = lines.split(b"\r", 1)[0].split(lines[3:4] or b"|")
    character_set = named[17].decode("ascii", "replace") if len(named) > 17 else ""
    character_set = character_set.split("~")[0].strip().upper()
    if character_set not in _CHARACTER_SETS:
        raise MessageRefused(Code.NOT_IN_TABLE, "MSH-18", "the character set is not supported")
    codec = _CHARACTER_SETS[character_set]
    try:
        return lines.decode(codec or "utf-8")
    except UnicodeDecodeError as error:
        if codec is None:
            return lines.decode("latin-1")
        why = "the text is not in the character set that is named"
        raise MessageRefused(Code.DATA_TYPE, "MSH-18", why) from error
