"""What others read in a report: DCMTK's `dsrdump`, and pydicom where that one refuses or shortens."""

import re
import struct
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

_TOLERANT = ("-Er", "-Ev", "-Ec", "-Ee", "-Dv")
_WHOLE = ("+Pn", "+Pl", "+Pu", "+Pc", "-Ph")
_LINE = re.compile(r'^(?P<position>1(?:\.\d+)*)  <[a-z ]*?(?P<kind>[A-Z0-9]+):(?P<said>.*)>(?: \{[^"]*\})?$')
_CONCEPT = re.compile(r'^\((?P<code>[^,"]*),[^,"]*,".*?"\)=')
_NUMBER = re.compile(r'^"(?P<value>[^"]*)"(?: \((?P<unit>[^,"]*),)?')
_REGION = re.compile(r"^\((?P<kind>[A-Z]+),(?P<numbers>[-0-9.e+/,]+)\)")
_OBJECT = re.compile(r'^\([^"]*"(?P<uid>[0-9.]+)"')
_OBJECTS = {"IMAGE", "COMPOSITE", "WAVEFORM"}
_CODE = re.compile(r'^\((?P<code>[^,"]*),[^,"]*,"')
# dsrdump prints the first of several values alone.
_SEVERAL = "NumericValue (0040,a30a) VM != 1"


@dataclass(frozen=True, slots=True)
class Said:
    """A container or an item with a value, as somebody else reads it.

    concept, unit: code values, "" where there is none or it is no valid code.
    values: the number or numbers as they are written, the code value, or the text; of a region its Graphic
        Type and its coordinates as numbers of 32 bits; of an image its SOP Instance UID.
    """

    position: str
    kind: str
    concept: str
    values: tuple[str, ...]
    unit: str = ""


def by_dsrdump(path: Path) -> list[Said] | None:
    """What dsrdump reads in a file, or None where it refuses it, or does not print all of its numbers."""
    for characters in (("+U8",), ()):  # without conversion, where the text is not in its character set
        command = ["dsrdump", *_TOLERANT, *_WHOLE, *characters, path]
        done = subprocess.run(command, capture_output=True, timeout=120, check=False)
        if done.returncode == 0:
            several = _SEVERAL.encode() in done.stderr
            return None if several else list(_printed(done.stdout.decode("utf-8", "replace")))
    return None


def by_pydicom(path: Path) -> list[Said]:
    """What pydicom reads in a file."""
    return list(_items(pydicom.dcmread(path), "1"))


def _printed(dump: str) -> Iterator[Said]:
    for line in dump.splitlines():
        read = _LINE.match(line)
        if read is None:
            assert not re.match(r"1(\.\d+)*  <[a-z ]*[A-Z]", line), line
            continue
        concept = _CONCEPT.match(read["said"])
        value = read["said"][concept.end() :] if concept else read["said"].removeprefix("=")
        code = concept["code"] if concept else ""
        yield from _said(read["position"], read["kind"], code, value)


def _said(position: str, kind: str, concept: str, value: str) -> Iterator[Said]:
    if kind == "CONTAINER":
        yield Said(position, kind, concept, ())
    elif kind == "NUM":
        number = _NUMBER.match(value)
        yield Said(position, kind, concept, *((number["value"],), number["unit"] or "") if number else ((),))
    elif kind == "CODE":
        code = _CODE.match(value)
        if code:
            yield Said(position, kind, concept, (code["code"],))
    elif kind in _TEXTS and value.startswith('"') and len(value) > len('""'):
        yield Said(position, kind, concept, (re.sub(r"\\([rn])", lambda end: _ENDS[end[1]], value[1:-1]),))
    elif kind == "SCOORD" and (region := _REGION.match(value)):
        yield Said(position, kind, concept, (region["kind"], *stored(re.split("[,/]", region["numbers"]))))
    elif kind in _OBJECTS and (uid := _OBJECT.match(value)):
        yield Said(position, kind, concept, (uid["uid"],))


def stored(numbers: Iterable[str | float]) -> Iterator[str]:
    """Numbers as an element of 32 bits holds them, however many of their digits are written."""
    return (str(struct.unpack("<f", struct.pack("<f", float(one)))[0]) for one in numbers)


_ENDS = {"r": "\r", "n": "\n"}  # of lines, which dsrdump prints as C writes them
_TEXTS = {
    "TEXT": "TextValue",
    "PNAME": "PersonName",
    "UIDREF": "UID",
    "DATE": "Date",
    "TIME": "Time",
    "DATETIME": "DateTime",
}


def _items(item: Dataset, position: str) -> Iterator[Said]:
    kind = str(item.get("ValueType", ""))
    concept = _code(item, "ConceptNameCodeSequence")
    if kind == "CONTAINER":
        yield Said(position, kind, concept, ())
    elif kind == "NUM":
        yield _number(item, position, concept)
    elif kind == "CODE" and (value := _code(item, "ConceptCodeSequence")):
        yield Said(position, kind, concept, (value,))
    elif kind in _TEXTS and (text := str(item.get(_TEXTS[kind]) or "")):
        yield Said(position, kind, concept, (text,))
    elif kind == "SCOORD":
        yield Said(position, kind, concept, (item.GraphicType, *stored(item.GraphicData)))
    elif kind in _OBJECTS:
        yield Said(position, kind, concept, (item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID,))
    for number, child in enumerate(item.get("ContentSequence") or [], 1):
        yield from _items(child, f"{position}.{number}")


def _number(item: Dataset, position: str, concept: str) -> Said:
    for measured in item.get("MeasuredValueSequence") or []:
        value = measured.get("NumericValue")
        several = value if isinstance(value, pydicom.multival.MultiValue) else [value]
        written = tuple(str(getattr(one, "original_string", one)) for one in several if one is not None)
        return Said(position, "NUM", concept, written, _code(measured, "MeasurementUnitsCodeSequence"))
    return Said(position, "NUM", concept, ())


def _code(item: Dataset, keyword: str) -> str:
    names = ("CodeValue", "LongCodeValue", "URNCodeValue")
    codes = (str(code.get(name) or "") for code in item.get(keyword) or [] for name in names)
    return next((code for code in codes if code), "")
