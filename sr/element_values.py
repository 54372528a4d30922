"""The values of elements as text and numbers, from their bytes (PS3.5 6.2)."""

import codecs
import re
import struct
from collections.abc import MutableSequence, Sequence
from functools import lru_cache

from pydicom.charset import convert_encodings, default_encoding, python_encoding
from pydicom.dataelem import RawDataElement
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.tag import BaseTag
from pydicom.values import convert_value

# pydicom converts a value when it is first asked for, and then raises whatever the broken bytes lead to.
UNREADABLE = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)

# What codecs mean text where Specific Character Set is absent, or names none that DICOM has
DEFAULT_ENCODINGS = (default_encoding,)

MAX_VALUES = 1_000_000  # of one element; what has more was made to do harm

_BLANKS = " \x00\r\n\t"
_REMEMBERED = 8192
_LONGEST_REMEMBERED = 64  # bytes

# struct codes of one number (PS3.5 Table 6.2-1), and its width in bytes
_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f", "FD": "d"}
_WIDTHS = {vr: struct.calcsize("=" + code) for vr, code in _NUMBERS.items()}

# VRs of text: of one value, of several, and of several in which control characters are for pydicom to judge.
_SINGLE = frozenset({"LT", "ST", "UT"})
_SEVERAL = frozenset({"AS", "CS", "DA", "DT", "LO", "PN", "SH", "TM", "UC"})
_STRICT = frozenset({"DS", "IS", "UI"})
_PRINTABLE = re.compile(rb"[ -~]*\x00?")

# Latin-9, which came into Table C.12-2 after the table of pydicom was made
_LATIN_9 = re.compile(r"ISO.(?:2022.)?IR.203")
_CODEC_OF_LATIN_9 = "iso8859_15"

_CODECS = frozenset(codecs.lookup(name).name for name in (*python_encoding.values(), _CODEC_OF_LATIN_9))


def texts_of(
    tag: int, vr: str, raw: bytes, encodings: tuple[str, ...], little_endian: bool
) -> tuple[str, ...]:
    """The values as they are written, without blanks around; empty values left out.

    encodings: codecs of Python, as `encodings_of` gives them.
    """
    read = _texts if len(raw) <= _LONGEST_REMEMBERED else _texts.__wrapped__
    return read(tag, vr, raw, encodings, little_endian)


@lru_cache(_REMEMBERED)
def _texts(tag: int, vr: str, raw: bytes, encodings: tuple[str, ...], little_endian: bool) -> tuple[str, ...]:
    if len(raw) > MAX_VALUES and raw.count(b"\\") > MAX_VALUES:
        return ()
    plain = _plain_texts(vr, raw)
    if plain is not None:
        return plain
    element = RawDataElement(BaseTag(tag), vr, len(raw), raw, 0, False, little_endian)
    try:
        return tuple(written(convert_value(vr, element, list(encodings))))
    except UNREADABLE:
        return ()


def written(value: object) -> list[str]:
    """The texts of a value as pydicom gives it. Raises one of UNREADABLE."""
    values = value if isinstance(value, MutableSequence | tuple) else [value]
    texts = [_text(one).strip(_BLANKS) for one in values]
    return [text for text in texts if text]


def numbers_of(tag: int, vr: str, raw: bytes, little_endian: bool, most: int) -> tuple[float, ...] | None:
    """The values of a number element, as a rule a binary one; None when there are more than `most`."""
    if vr not in _NUMBERS:
        texts = texts_of(tag, vr, raw, DEFAULT_ENCODINGS, little_endian)
        return _floats(texts) if len(texts) <= most else None
    count, rest = divmod(len(raw), _WIDTHS[vr])
    if rest:
        return ()
    if count > most:
        return None
    values = struct.unpack(f"{'<' if little_endian else '>'}{count}{_NUMBERS[vr]}", raw)
    return tuple(map(float, values))


@lru_cache(64)
def encodings_of(raw: bytes) -> tuple[str, ...]:
    """The codecs that the value of Specific Character Set names, misspelt ones too (PS3.3 C.12.1.1.2).

    What is no character set of DICOM, under whichever name, is taken for the default repertoire: Python has
    codecs that no sender means, and some that take very long.
    """
    named = (name.strip(_BLANKS) for name in raw.decode("latin-1").split("\\"))
    names = [_CODEC_OF_LATIN_9 if _LATIN_9.fullmatch(name) else name for name in named]
    try:
        found = convert_encodings(names)
    except UNREADABLE:
        return DEFAULT_ENCODINGS
    return tuple(name if codecs.lookup(name).name in _CODECS else default_encoding for name in found)


def _plain_texts(vr: str, raw: bytes) -> tuple[str, ...] | None:
    """The texts of plain ASCII, which is the same in every character set; None for all that takes more."""
    if not raw.isascii() or b"\x1b" in raw or (vr in _STRICT and not _PRINTABLE.fullmatch(raw)):
        return None
    text = raw.decode("ascii")
    if vr in _SINGLE:
        values = [text]
    elif vr == "PN":  # component groups that are empty
        values = [name.rstrip("=") for name in text.rstrip(" \x00").split("\\")]
    elif vr in _SEVERAL or vr in _STRICT:
        values = text.split("\\")
    else:
        return None
    return tuple(stripped for value in values if (stripped := value.strip(_BLANKS)))


def _floats(texts: Sequence[str]) -> tuple[float, ...]:
    try:
        return tuple(map(float, texts))
    except ValueError:
        return ()


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
