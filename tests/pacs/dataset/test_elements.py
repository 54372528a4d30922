"""The structure of data sets: as pydicom sees it, and what is said of those that have none."""

from collections.abc import Iterator
from pathlib import Path
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.dataelem import RawDataElement

from pacs.dataset.elements import (
    ITEM,
    ITEM_DELIMITER,
    MAXIMUM_DEPTH,
    PIXEL_DATA,
    SEQUENCE_DELIMITER,
    Element,
    Encoding,
    TooDeep,
    read_elements,
)
from pacs.errors import MalformedObject
from testdata.raw_bytes import ITEM_END, SEQUENCE_END, UNDEFINED, element, header, item
from tests.pacs.dataset.specimens import OTHERS, RECIPES, Specimen, specimen_by, specimen_of

EXPLICIT, IMPLICIT, BIG = Encoding(True), Encoding(False), Encoding(True, False)
ENCODINGS = pytest.mark.parametrize(
    "encoding", [EXPLICIT, IMPLICIT, BIG], ids=["explicit", "implicit", "big"]
)

TEXT = 0x0040A160
SEQUENCE = 0x0040A730
PATIENT_ID = 0x00100020

# Files of others that are broken off or spoilt, which pydicom reads as far as it can.
BROKEN_OFF = {
    "MR_truncated.dcm": "the pixel data end early",
    "SC_rgb_jpeg.dcm": "one element has no value representation",
    "rtplan_truncated.dcm": "a sequence ends early",
    "emri_small_jpeg_2k_lossless_too_short.dcm": "the last fragment and the delimiter are missing",
    "meta_missing_tsyntax.dcm": "nobody can know how to read it",
}


def assert_same_structure(ours: list[Element], buffer: bytes, by_pydicom: Dataset) -> None:
    tags_seen = [int(tag) for tag in by_pydicom.keys()]  # noqa: SIM118 - elements may be past decoding
    assert sorted({each.tag for each in ours}) == sorted(tags_seen)
    for each in ours:
        raw: Any = by_pydicom.get_item(each.tag)
        if each.items is not None:
            for mine, theirs in zip(each.items, by_pydicom[each.tag].value, strict=True):
                assert_same_structure(mine, buffer, theirs)
        elif isinstance(raw, RawDataElement):
            value = buffer[each.offset : each.offset + each.length]
            assert value == (raw.value or b""), f"{each.tag:08X}"


def check(specimen: Specimen) -> None:
    elements = read_elements(specimen.buffer, specimen.encoding).elements
    assert_same_structure(elements, specimen.buffer, specimen.by_pydicom)


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_a_file_of_others_has_the_structure_that_pydicom_sees(path: Path) -> None:
    if path.name in BROKEN_OFF:
        with pytest.raises(MalformedObject):
            check(specimen_of(path))
    else:
        check(specimen_of(path))


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_has_the_structure_that_pydicom_sees(name: str) -> None:
    check(specimen_by(RECIPES[name]))


def flat(elements: list[Element]) -> Iterator[Element]:
    for each in elements:
        yield each
        for inner in each.items or []:
            yield from flat(inner)


def tags(data: bytes, encoding: Encoding = EXPLICIT) -> list[int]:
    return [each.tag for each in flat(read_elements(data, encoding).elements)]


def implicit(tag: int, value: bytes, length: int | None = None) -> bytes:
    return pack("<HHI", tag >> 16, tag & 0xFFFF, len(value) if length is None else length) + value


def big(tag: int, vr: str, value: bytes) -> bytes:
    return pack(">HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), len(value)) + value


def open_sequence(*items: bytes) -> bytes:
    return header(SEQUENCE, "SQ", UNDEFINED) + b"".join(items) + SEQUENCE_END


def open_item(content: bytes) -> bytes:
    return item(content, UNDEFINED) + ITEM_END


def nested(depth: int, defined: bool) -> bytes:
    content = b""
    for _ in range(depth):
        content = element(SEQUENCE, "SQ", item(content)) if defined else open_sequence(open_item(content))
    return content


def nested_in_unknown(depth: int) -> bytes:
    content = b""
    for _ in range(depth - 1):
        content = implicit(SEQUENCE, item(content))
    return element(SEQUENCE, "UN", item(content))


LETTERS = element(TEXT, "UT", b"text")
ID = element(PATIENT_ID, "LO", b"P1")

MALFORMED: dict[str, tuple[bytes, Encoding, int, str]] = {
    "a short value runs over the end": (
        element(PATIENT_ID, "LO", b"AB", 40),
        EXPLICIT,
        PATIENT_ID,
        "40 bytes",
    ),
    "a long value beyond the end": (element(TEXT, "UT", b"AB", 0xFFFFFFF0), EXPLICIT, TEXT, "4294967280"),
    "an implicit value beyond the end": (
        implicit(PATIENT_ID, b"AB", 10**9),
        IMPLICIT,
        PATIENT_ID,
        "only 2",
    ),
    "a big endian value beyond the end": (big(PATIENT_ID, "LO", b"AB")[:-1], BIG, PATIENT_ID, "only 1"),
    "it ends within a long length": (header(TEXT, "UT", 4)[:10], EXPLICIT, TEXT, "within the length"),
    "a VR of small letters": (pack("<HH2sH", 0x10, 0x20, b"lo", 0), EXPLICIT, PATIENT_ID, "representation"),
    "a VR of zeros": (pack("<HH2sH", 0x10, 0x20, b"\0\0", 0), EXPLICIT, PATIENT_ID, "representation"),
    "an implicit element in an explicit data set": (
        ID + implicit(0x00100040, b"M "),
        EXPLICIT,
        0x00100040,
        "representation",
    ),
    "a text without a length": (header(TEXT, "UT", UNDEFINED) + SEQUENCE_END, EXPLICIT, TEXT, "no length"),
    "an implicit text without a length": (implicit(TEXT, b"", UNDEFINED), IMPLICIT, TEXT, "no length"),
    "a sequence without its delimiter": (
        header(SEQUENCE, "SQ", UNDEFINED) + item(LETTERS),
        EXPLICIT,
        SEQUENCE_DELIMITER,
        "delimiter",
    ),
    "an item without its delimiter": (
        header(SEQUENCE, "SQ", UNDEFINED) + item(LETTERS, UNDEFINED),
        EXPLICIT,
        ITEM_DELIMITER,
        "delimiter",
    ),
    "an item longer than the file": (open_sequence(item(LETTERS, 999)), EXPLICIT, ITEM, "longer"),
    "a text where an item belongs": (open_sequence(LETTERS), EXPLICIT, TEXT, "item belongs"),
    "a lie within an open sequence": (
        open_sequence(open_item(element(TEXT, "UT", b"", 99))),
        EXPLICIT,
        TEXT,
        "99 bytes",
    ),
    "pixels without their delimiter": (
        header(PIXEL_DATA, "OB", UNDEFINED) + item(b"") + item(b"\xff\xd9"),
        EXPLICIT,
        PIXEL_DATA,
        "without their delimiter",
    ),
    "a fragment longer than the file": (
        header(PIXEL_DATA, "OB", UNDEFINED) + item(b"") + item(b"\xff\xd9", 0xFFFFFFFF) + SEQUENCE_END,
        EXPLICIT,
        PIXEL_DATA,
        "only 10 follow",
    ),
    "a text among the fragments": (
        header(PIXEL_DATA, "OB", UNDEFINED) + LETTERS + SEQUENCE_END,
        EXPLICIT,
        PIXEL_DATA,
        "stands where a fragment",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_data_are_refused_and_the_element_is_named(name: str) -> None:
    data, encoding, tag, words = MALFORMED[name]
    with pytest.raises(MalformedObject, match=words) as refused:
        read_elements(data, encoding)
    assert refused.value.tag == tag


@ENCODINGS
@pytest.mark.parametrize("rest", [1, 4, 7])
def test_a_few_bytes_at_the_end_are_too_few_for_an_element(encoding: Encoding, rest: int) -> None:
    with pytest.raises(MalformedObject, match=f"the {rest} bytes at the end"):
        read_elements(b"\x01" * rest, encoding)


@pytest.mark.parametrize(
    "data",
    [nested(500, True), nested(500, False), nested_in_unknown(500), nested(MAXIMUM_DEPTH + 1, True)],
    ids=["defined", "undefined", "unknown", "one too many"],
)
def test_sequences_deeper_than_any_real_ones_are_refused(data: bytes) -> None:
    with pytest.raises(TooDeep, match=f"deeper than {MAXIMUM_DEPTH}"):
        read_elements(data, EXPLICIT)


@pytest.mark.parametrize(
    "data",
    [
        nested(500, True),
        pytest.param(
            ID + b"\x01",
            marks=pytest.mark.xfail(raises=AssertionError, reason="too few bytes for an element have no tag"),
        ),
    ],
    ids=["too deep", "rest"],
)
def test_whatever_is_malformed_names_its_element(data: bytes) -> None:
    with pytest.raises(MalformedObject) as refused:
        read_elements(data, EXPLICIT)
    assert refused.value.tag is not None


@pytest.mark.parametrize("defined", [True, False], ids=["defined", "undefined"])
def test_sequences_as_deep_as_allowed_are_read_to_their_bottom(defined: bool) -> None:
    assert tags(nested(MAXIMUM_DEPTH, defined)) == [SEQUENCE] * MAXIMUM_DEPTH


ODD_BUT_SOUND: dict[str, tuple[bytes, Encoding, list[int]]] = {
    "nothing": (b"", EXPLICIT, []),
    "zeros at the end": (ID + bytes(100), EXPLICIT, [PATIENT_ID]),
    "few zeros at the end": (ID + bytes(5), EXPLICIT, [PATIENT_ID]),
    "zeros at the end of an implicit one": (implicit(PATIENT_ID, b"P1") + bytes(99), IMPLICIT, [PATIENT_ID]),
    "an odd length": (element(PATIENT_ID, "LO", b"P12") + ID, EXPLICIT, [PATIENT_ID, PATIENT_ID]),
    "an empty sequence": (element(SEQUENCE, "SQ", b"") + ID, EXPLICIT, [SEQUENCE, PATIENT_ID]),
    "an empty open sequence": (open_sequence() + ID, EXPLICIT, [SEQUENCE, PATIENT_ID]),
    "empty items": (open_sequence(item(b""), open_item(b"")) + ID, EXPLICIT, [SEQUENCE, PATIENT_ID]),
    "an open item in a closed sequence": (
        element(SEQUENCE, "SQ", open_item(LETTERS)) + ID,
        EXPLICIT,
        [SEQUENCE, TEXT, PATIENT_ID],
    ),
    "zeros fill up an item": (open_sequence(item(LETTERS + bytes(8))), EXPLICIT, [SEQUENCE, TEXT]),
    "a group length that lies": (
        element(0x00100000, "UL", pack("<I", 12345)) + ID,
        EXPLICIT,
        [0x00100000, PATIENT_ID],
    ),
    "tags out of order": (LETTERS + ID, EXPLICIT, [TEXT, PATIENT_ID]),
    "a sequence as UN": (element(SEQUENCE, "UN", item(implicit(TEXT, b"text"))), EXPLICIT, [SEQUENCE, TEXT]),
    "an open sequence as UN": (
        header(SEQUENCE, "UN", UNDEFINED) + open_item(implicit(TEXT, b"text")) + SEQUENCE_END,
        EXPLICIT,
        [SEQUENCE, TEXT],
    ),
    "an open private element": (
        implicit(0x00111001, b"", UNDEFINED) + item(implicit(TEXT, b"text")) + SEQUENCE_END,
        IMPLICIT,
        [0x00111001, TEXT],
    ),
}


@pytest.mark.parametrize("name", ODD_BUT_SOUND)
def test_what_is_odd_but_sound_is_read(name: str) -> None:
    data, encoding, expected = ODD_BUT_SOUND[name]
    assert tags(data, encoding) == expected


def test_fewer_than_eight_zeros_fill_up_an_item() -> None:
    assert tags(open_sequence(item(LETTERS + bytes(6))) + ID) == [SEQUENCE, TEXT, PATIENT_ID]


def test_compressed_pixels_within_a_sequence_are_stepped_over() -> None:
    pixels = header(PIXEL_DATA, "OB", UNDEFINED) + item(b"") + item(b"\xff\xd8\xff\xd9") + SEQUENCE_END
    icon = header(0x00880200, "SQ", UNDEFINED) + open_item(pixels) + SEQUENCE_END
    parsed = read_elements(icon + pixels, EXPLICIT)
    assert [each.tag for each in flat(parsed.elements)] == [0x00880200, PIXEL_DATA, PIXEL_DATA]
    assert parsed.fragments is not None
    assert [length for _, length in parsed.fragments] == [0, 4]
    assert parsed.fragments[0][0] > len(icon)


def test_a_closed_sequence_that_cannot_be_read_is_stepped_over() -> None:
    parsed = read_elements(element(SEQUENCE, "SQ", b"no items at all") + ID, EXPLICIT)
    assert [(each.tag, each.items) for each in parsed.elements] == [(SEQUENCE, []), (PATIENT_ID, None)]


def test_a_private_element_as_un_stays_what_it_is() -> None:
    (private,) = read_elements(element(0x00111001, "UN", item(b"")), EXPLICIT).elements
    assert (private.vr, private.items) == ("UN", None)


def test_a_public_element_as_un_gets_the_vr_of_the_dictionary() -> None:
    (known,) = read_elements(element(PATIENT_ID, "UN", b"P1"), EXPLICIT).elements
    assert (known.vr, known.offset, known.length) == ("LO", 12, 2)


def test_fragments_are_told_with_the_offset_table_first() -> None:
    value = item(pack("<II", 0, 10)) + item(b"ab") + item(b"cdef") + SEQUENCE_END
    data = ID + header(PIXEL_DATA, "OB", UNDEFINED) + value
    parsed = read_elements(data, EXPLICIT)
    start = len(ID) + 12
    assert parsed.fragments == [(start + 8, 8), (start + 24, 2), (start + 34, 4)]
    pixels = parsed.elements[-1]
    assert data[pixels.offset + pixels.length :] == SEQUENCE_END
    assert read_elements(ID, EXPLICIT).fragments is None


def test_a_data_set_may_lie_anywhere_in_the_buffer() -> None:
    data = b"before" + ID + b"behind"
    parsed = read_elements(memoryview(data), EXPLICIT, 6, 6 + len(ID))
    assert [data[each.offset : each.offset + each.length] for each in parsed.elements] == [b"P1"]


@ENCODINGS
@given(data=st.binary(max_size=400))
def test_no_bytes_whatever_lead_astray(encoding: Encoding, data: bytes) -> None:
    try:
        parsed = read_elements(data, encoding)
    except MalformedObject:
        return
    assert_in_order(parsed.elements, 0, len(data))


def assert_in_order(elements: list[Element], start: int, end: int) -> None:
    """Every value lies within the buffer, behind the one before it; items lie within their sequence."""
    position = start
    for each in elements:
        assert position < each.offset <= each.offset + each.length <= end
        inside = each.offset
        for inner in each.items or []:
            assert_in_order(inner, inside, each.offset + each.length)
            inside = inner[-1].offset + inner[-1].length if inner else inside
        position = each.offset + each.length


class Watched(bytes):
    """Bytes that count how many of them are looked at."""

    seen = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        self.seen += len(found) if isinstance(found, bytes) else 1
        return found


def _inner_lies(depth: int) -> bytes:
    content = b"\x01" * 64
    for _ in range(depth):
        content = element(SEQUENCE, "SQ", item(content) + b"spoilt")
    return content


TOILSOME = {
    "many elements": ID * 2000,
    "many empty items": open_sequence(item(b"") * 2000),
    "zeros at the end": ID + bytes(20_000),
    "zeros at the end of many items": open_sequence(item(ID + bytes(64)) * 200),
    "sequences that cannot be read, within one another": _inner_lies(MAXIMUM_DEPTH - 1) * 50,
    "many fragments": header(PIXEL_DATA, "OB", UNDEFINED) + item(b"") * 2000 + SEQUENCE_END,
}


@pytest.mark.parametrize("name", TOILSOME)
def test_the_work_grows_with_the_data_and_no_faster(name: str) -> None:
    data = Watched(TOILSOME[name])
    elements = read_elements(data, EXPLICIT).elements
    assert elements
    assert data.seen <= 2 * len(data)


@ENCODINGS
def test_zeros_before_something_else_are_not_looked_through_again_and_again(encoding: Encoding) -> None:
    data = Watched(bytes(8000) + b"\x01" * 7)
    with pytest.raises(MalformedObject):
        read_elements(data, encoding)
    assert data.seen <= 4 * len(data)
