"""Between the archive's values and rows of the index."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Row

from pacs.attributes import Attribute, Key, Matching, columns
from pacs.model import DicomJson, Instance, Level, PixelLocation
from pacs.phonetics import sound
from pacs.query import fold, fold_name, normal_date, normal_date_time, normal_time


def patient_identity(patient: DicomJson, study_instance_uid: str) -> str:
    """What tells one patient from all others: Patient ID with its issuer, as 64 hexadecimal digits.

    Patients without an ID are never taken for each other: each study has one of its own.
    """
    patient_id = first(patient, "00100020")
    parts = (patient_id, first(patient, "00100021")) if patient_id else ("", study_instance_uid)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def first(attributes: DicomJson, key: str) -> str:
    """The first value as text, empty when there is none."""
    values = attributes.get(key, {}).get("Value")
    return "" if not values or values[0] is None else str(values[0])


def search_columns(attributes: DicomJson, level: Level) -> dict[str, str | int | None]:
    """The columns of one level in the form that queries compare with."""
    columns: dict[str, str | int | None] = {}
    for column, keys, convert in _COLUMNS[level]:
        value = _value(attributes, *keys) if keys[0] in attributes else None
        columns[column] = None if value is None else convert(value)
    return columns


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and abs(value) < 1 << 63 else None


def _name(value: Any) -> str:
    """The component groups of a name as one text; whatever else came in its place, as text."""
    if not isinstance(value, dict):
        return str(value)
    return "=".join(value.get(group, "") for group in ("Alphabetic", "Ideographic", "Phonetic"))


def _value(attributes: DicomJson, key: str, *path: str) -> Any:
    """The first value at the end of a path of keys, in the first item that has it."""
    for value in attributes.get(key, _NOTHING).get("Value", ()):
        if path:
            value = _value(value, *path) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None


def _sound(value: Any) -> str:
    return sound(fold_name(_name(value)))


def _path(attribute: Attribute) -> tuple[str, ...]:
    return tuple(f"{tag:08X}" for tag in attribute.tags)


_NOTHING: DicomJson = {}

_CONVERSIONS: dict[Matching, Callable[[Any], str | int | None]] = {
    Matching.NAME: lambda value: fold_name(_name(value)),
    Matching.TEXT: lambda value: fold(str(value)),
    Matching.DATE: lambda value: normal_date(str(value)),
    Matching.TIME: lambda value: normal_time(str(value)),
    Matching.DATETIME: lambda value: normal_date_time(str(value)),
    Matching.NUMBER: _number,
}

# Name, keys on the way to the value, and conversion of each column
_COLUMNS = {
    level: [
        *((a.column, _path(a), _CONVERSIONS.get(a.matching, str)) for a in columns(level)),
        *((a.sound_column, _path(a), _sound) for a in columns(level) if a.matching is Matching.NAME),
    ]
    for level in Level
}


# Characters of a value that are compared with: keys are no longer, and PostgreSQL indexes 2,700 bytes at most
LONGEST_VALUE = 512


class SearchValue(NamedTuple):
    """A value in the form that queries compare with.

    tags: the path to it.  item: numbers of the items that it lies in, such as "0/2/".
    """

    tags: tuple[int, ...]
    item: str
    value: str


def search_values(attributes: DicomJson, keys: Iterable[Key]) -> Iterator[SearchValue]:
    """Every value of these keys that can be compared with."""
    for key in keys:
        convert = _CONVERSIONS.get(key.matching, str)
        for item, value in _all_values(attributes, *(f"{tag:08X}" for tag in key.tags)):
            converted = convert(value)
            if converted is not None:
                yield SearchValue(key.tags, item, str(converted)[:LONGEST_VALUE])


def _all_values(attributes: DicomJson, key: str, *path: str, item: str = "") -> Iterator[tuple[str, Any]]:
    for number, value in enumerate(attributes.get(key, _NOTHING).get("Value", ())):
        if not path and value is not None:
            yield item, value
        elif path and isinstance(value, dict):
            yield from _all_values(value, *path, item=f"{item}{number}/")


def dump(attributes: DicomJson) -> bytes:
    """Attributes as they are kept in a row."""
    return orjson.dumps(attributes)


def file_columns(instance: Instance) -> dict[str, Any]:
    """The columns that tell where an object lies, and what it is there."""
    return {
        "transfer_syntax_uid": instance.transfer_syntax_uid,
        "file": instance.file,
        "size": instance.size,
        "dataset_offset": instance.dataset_offset,
        "digest": instance.digest,
    }


def instance_columns(instance: Instance) -> dict[str, Any]:
    """The same of an instance in a study, and where its pixels lie."""
    pixels = instance.pixels
    return file_columns(instance) | {
        "pixel_tag": pixels and pixels.tag,
        "pixel_offset": pixels and pixels.offset,
        "pixel_length": pixels and pixels.length,
        "encapsulated": pixels and pixels.encapsulated,
        "number_of_frames": pixels and pixels.number_of_frames,
        "frame_bits": pixels and pixels.frame_bits,
    }


def instance_of(row: Row[Any]) -> Instance:
    """The instance that a row of study, series and instance columns tells of."""
    values = row._mapping
    pixels = values["pixel_tag"] and PixelLocation(
        tag=values["pixel_tag"],
        offset=values["pixel_offset"],
        length=values["pixel_length"],
        encapsulated=values["encapsulated"],
        number_of_frames=values["number_of_frames"],
        frame_bits=values["frame_bits"],
    )
    return Instance(
        study_instance_uid=values["study_instance_uid"],
        series_instance_uid=values["series_instance_uid"],
        sop_instance_uid=values["sop_instance_uid"],
        sop_class_uid=values["sop_class_uid"],
        transfer_syntax_uid=values["transfer_syntax_uid"],
        file=values["file"],
        size=values["size"],
        dataset_offset=values["dataset_offset"],
        digest=values["digest"],
        pixels=pixels,
    )
