"""Data sets and damage that Hypothesis draws."""

import string
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from pydicom import Dataset
from pydicom._dicom_dict import DicomDictionary

# Elements that say how others are to be read are not drawn.
_APART = {0x00080005, 0x00280103, 0x7FE00008, 0x7FE00009, 0x7FE00010, 0x7FE00001, 0x7FE00002}


def _tags(vr: str, multiple: bool) -> list[int]:
    """A few tags of this VR that take one value, or any number."""
    wanted = "1-n" if multiple else "1"
    rows = [(tag, row) for tag, row in DicomDictionary.items() if tag >> 16 > 2 and tag not in _APART]
    return [tag for tag, row in rows if row[:2] == (vr, wanted) and row[3] == ""][:12]


_LETTERS = string.ascii_letters + string.digits + " -_.:;()àèìòùÀßñçЖдあ山한"
_LINE = st.text(_LETTERS, min_size=1, max_size=12).map(str.strip).filter(bool)
_NAME_PART = st.text(string.ascii_letters + "àéñЖ山 ", max_size=8).map(str.strip)
_NAME = st.tuples(_NAME_PART.filter(bool), _NAME_PART).map(lambda parts: "^".join(parts).rstrip("^"))
_CODE = st.text(string.ascii_uppercase + string.digits + "_", min_size=1, max_size=8)


def _binary(width: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=1, max_size=6).map(lambda data: data * width * 2)


_VALUES: dict[str, st.SearchStrategy[object]] = {
    "AE": _CODE,
    "AS": st.sampled_from(["018M", "045Y", "003D"]),
    "AT": st.integers(0, 0xFFFFFFFF),
    "CS": _CODE,
    "DA": st.sampled_from(["20240101", "19000229", "20991231"]),
    "DS": st.sampled_from(["0", "1.5", "-2.25", "1e3", "123456789"]),
    "DT": st.sampled_from(["2024", "20240101120000.123456+0100"]),
    "FD": st.floats(allow_nan=False, allow_infinity=False),
    "FL": st.floats(allow_nan=False, allow_infinity=False, width=32),
    "IS": st.integers(-(2**31), 2**31 - 1),
    "LO": _LINE,
    "LT": _LINE,
    "PN": _NAME,
    "SH": _LINE,
    "SL": st.integers(-(2**31), 2**31 - 1),
    "SS": st.integers(-(2**15), 2**15 - 1),
    "ST": _LINE,
    "TM": st.sampled_from(["10", "1030", "103015.5"]),
    "UC": _LINE,
    "UI": st.sampled_from(["1.2.3", "2.25.123456789", "1.2.840.10008.1.2"]),
    "UL": st.integers(0, 2**32 - 1),
    "UR": st.sampled_from(["https://example.org/a?b=c", "urn:oid:1.2.3"]),
    "US": st.integers(0, 2**16 - 1),
    "UT": _LINE,
}
_BYTES = {"OB": 1, "OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}


def _elements(with_words: bool) -> st.SearchStrategy[list[tuple[int, str, object]]]:
    single = [
        st.tuples(st.sampled_from(tags), st.just(vr), values)
        for vr, values in _VALUES.items()
        if (tags := _tags(vr, multiple=False))
    ]
    several = [
        st.tuples(st.sampled_from(tags), st.just(vr), st.lists(values, min_size=2, max_size=4))
        for vr, values in _VALUES.items()
        if (tags := _tags(vr, multiple=True))
    ]
    empty = st.tuples(st.sampled_from(_tags("LO", multiple=False)), st.just("LO"), st.none())
    widths = _BYTES if with_words else {"OB": 1}
    binary = [
        st.tuples(st.sampled_from(tags), st.just(vr), _binary(width))
        for vr, width in widths.items()
        if (tags := _tags(vr, multiple=False))
    ]
    return st.lists(st.one_of(*single, *several, *binary, empty), max_size=8)


def data_sets(with_words: bool = True, depth: int = 3) -> st.SearchStrategy[Dataset]:
    """Data sets of every VR, with sequences and items of known and of unknown length.

    with_words: also values of bytes that are words of more than one byte, whose order pydicom does not swap.
    """
    return _level(_elements(with_words), depth).map(_in_unicode)


def _level(
    elements: st.SearchStrategy[list[tuple[int, str, object]]], depth: int
) -> st.SearchStrategy[Dataset]:
    if not depth:
        return elements.map(_made)
    items = st.lists(_level(elements, depth - 1), max_size=3)
    sequence = st.tuples(st.sampled_from(_tags("SQ", multiple=False)), st.just("SQ"), items, st.booleans())
    return st.tuples(elements, st.lists(sequence, max_size=2)).map(
        lambda parts: _made([*parts[0], *parts[1]])
    )


def _made(elements: list[Any]) -> Dataset:
    """From tag, VR and value; of a sequence also whether its length and those of its items are left open."""
    dataset = Dataset()
    for tag, vr, value, *is_open in elements:
        dataset.add_new(tag, vr, value)
        if is_open:
            dataset[tag].is_undefined_length = is_open[0]
            for item in dataset[tag].value:
                item.is_undefined_length_sequence_item = is_open[0]
    return dataset


def _in_unicode(dataset: Dataset) -> Dataset:
    dataset.SpecificCharacterSet = "ISO_IR 192"
    return dataset


Damage = Callable[[bytes], bytes]


def _overwritten(place: float, new: bytes) -> Damage:
    def damage(data: bytes) -> bytes:
        at = int(place * len(data))
        return data[:at] + new + data[at + len(new) :]

    return damage


def _cut_out(place: float, length: int) -> Damage:
    return lambda data: data[: int(place * len(data))] + data[int(place * len(data)) + length :]


def _doubled(place: float, length: int) -> Damage:
    def damage(data: bytes) -> bytes:
        at = int(place * len(data))
        return data[: at + length] + data[at:]

    return damage


_PLACE = st.floats(0, 1, exclude_max=True)
# What means something to a reader of data sets, and what means nothing.
_SIGNS = [
    b"\xff\xff\xff\xff",
    b"\xfe\xff\x00\xe0",
    b"\xfe\xff\x0d\xe0",
    b"\xfe\xff\xdd\xe0",
    bytes(8),
    b"SQ\0\0",
]
_SIGNS += [
    b"UN\0\0",
    b"OB\0\0",
    b"\x08\x00\x05\x00",
    b"\x28\x00\x08\x00",
    b"\xe0\x7f\x10\x00",
    b"\\",
    b"\x1b$B",
]
DAMAGE: st.SearchStrategy[list[Damage]] = st.lists(
    st.one_of(
        st.builds(_overwritten, _PLACE, st.binary(min_size=1, max_size=4) | st.sampled_from(_SIGNS)),
        st.builds(_cut_out, _PLACE, st.integers(1, 64)),
        st.builds(_doubled, _PLACE, st.integers(1, 200)),
        st.builds(lambda place: lambda data: data[: int(place * len(data))], _PLACE),
    ),
    min_size=1,
    max_size=6,
)


def damaged(data: bytes, damage: list[Damage]) -> bytes:
    """The data after all of the damage, one after the other."""
    for one in damage:
        data = one(data)
    return data
