"""Each bad file really has the defect that its name tells, and no other."""

import io
import re
import struct
import zlib

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import UID

from testdata.broken import BROKEN, enormous_dimensions

LONG = frozenset({b"OB", b"OW", b"SQ", b"UN", b"UT"})
SHORT = frozenset({b"CS", b"DA", b"IS", b"LO", b"LT", b"PN", b"SH", b"TM", b"UI", b"UL", b"US"})
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

ACCEPTED = [name for name, entry in BROKEN.items() if entry.accepted]
ENDS_EARLY = [
    "truncated_in_file_meta",
    "truncated_in_header",
    "truncated_in_pixel_data",
    "short_length_beyond_end",
    "long_length_beyond_end",
    "unclosed_sequence",
    "fragments_without_delimiter",
    "fragment_beyond_end",
    "wrong_vr",
]
IDENTIFIERS = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


class Malformed(Exception):
    """Says where a strict reader stops."""


def strict_tags(data: bytes) -> list[int]:
    """The outermost tags of an Explicit VR Little Endian file; raises Malformed where a length is wrong."""
    tags, position = [], 132
    while position < len(data):
        tag, length, position = read_header(data, position)
        tags.append(tag)
        position = after_items(data, position) if length == UNDEFINED else position + length
        if position > len(data):
            raise Malformed(f"{tag:08X} goes beyond the end")
    return tags


def read_header(data: bytes, position: int) -> tuple[int, int, int]:
    head = data[position : position + 12].ljust(12, b"\xff")
    group, number, vr = struct.unpack("<HH2s", head[:6])
    if group == 0xFFFE:
        return group << 16 | number, struct.unpack("<I", head[4:8])[0], position + 8
    if vr in LONG:
        return group << 16 | number, struct.unpack("<I", head[8:])[0], position + 12
    if vr in SHORT:
        return group << 16 | number, struct.unpack("<H", head[6:8])[0], position + 8
    raise Malformed(f"no VR at {position}")


def after_items(data: bytes, position: int) -> int:
    """Behind the delimiter of a value of undefined length, whatever is nested in it."""
    while position < len(data):
        tag, length, position = read_header(data, position)
        if tag in (ITEM_END, SEQUENCE_END):
            return position
        position = after_items(data, position) if length == UNDEFINED else position + length
    raise Malformed("no delimiter")


def read(name: str) -> Dataset:
    return dcmread(io.BytesIO(BROKEN[name].data))


def test_the_table_names_its_builders_and_has_both_fates() -> None:
    assert len(BROKEN) > 25
    assert {entry.accepted for entry in BROKEN.values()} == {True, False}
    assert all(entry.build.__doc__ and entry.reason for entry in BROKEN.values())


@pytest.mark.parametrize("name", BROKEN)
def test_the_same_bytes_each_time(name: str) -> None:
    assert BROKEN[name].data == BROKEN[name].data


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_must_be_accepted_is_read_to_its_end(name: str) -> None:
    data = BROKEN[name].data
    tags = strict_tags(data)
    assert tags == sorted(tags)
    dataset = read(name)
    assert dataset.pixel_array.shape == (4, 4)
    assert all(UID(dataset[keyword].value).is_valid for keyword in IDENTIFIERS)


def test_what_must_be_accepted_are_different_instances_of_one_study() -> None:
    objects = [read(name) for name in ACCEPTED]
    assert len({each.SOPInstanceUID for each in objects}) == len(objects)
    assert len({each.StudyInstanceUID for each in objects}) == 1


@pytest.mark.parametrize("name", ENDS_EARLY)
def test_a_strict_reader_cannot_come_to_the_end(name: str) -> None:
    with pytest.raises(Malformed):
        strict_tags(BROKEN[name].data)


@pytest.mark.parametrize("name", ["empty_file", "not_dicom", "no_preamble"])
def test_there_is_no_prefix(name: str) -> None:
    assert BROKEN[name].data[128:132] != b"DICM"


def test_behind_the_prefix_there_is_nothing() -> None:
    assert BROKEN["prefix_only"].data == bytes(128) + b"DICM"


def test_the_bare_data_set_is_sound_in_itself() -> None:
    dataset = dcmread(io.BytesIO(BROKEN["no_preamble"].data), force=True)
    assert all(UID(dataset[keyword].value).is_valid for keyword in IDENTIFIERS)


def test_the_transfer_syntax_is_missing_or_unknown() -> None:
    assert "TransferSyntaxUID" not in read("no_transfer_syntax").file_meta
    assert read("unknown_transfer_syntax").file_meta.TransferSyntaxUID.name == "2.999.39.7"


def test_the_implicit_length_goes_beyond_the_end() -> None:
    data = BROKEN["implicit_length_beyond_end"].data
    position = data.index(struct.pack("<HH", 0x0008, 0x0016))
    assert struct.unpack_from("<I", data, position + 4)[0] > len(data)


@pytest.mark.parametrize("keyword", IDENTIFIERS)
def test_one_identifier_is_missing_and_the_others_are_there(keyword: str) -> None:
    name = "missing_" + re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=SOP)", "_", keyword).lower()
    dataset = read(name)
    assert [each for each in IDENTIFIERS if each not in dataset] == [keyword]


@pytest.mark.parametrize(
    ("name", "keyword", "value"),
    [
        ("uid_climbs_folders", "SOPInstanceUID", r"\.\./\.\./x"),
        ("uid_too_long", "SOPInstanceUID", r"(?=.{65,}$)(0|[1-9]\d*)(\.(0|[1-9]\d*))+"),
        ("uid_not_numeric", "StudyInstanceUID", r"study-1"),
    ],
)
def test_an_identifier_is_no_uid(name: str, keyword: str, value: str) -> None:
    dataset = read(name)
    assert re.fullmatch(value, dataset[keyword].value)
    assert not UID(dataset[keyword].value).is_valid
    assert dataset.SOPInstanceUID == dataset.file_meta.MediaStorageSOPInstanceUID


@pytest.mark.parametrize(
    ("name", "depth", "is_defined"),
    [
        ("nested_30_deep", 30, True),
        ("nested_defined_length", 500, True),
        ("nested_undefined_length", 500, False),
    ],
)
def test_sequences_lie_one_in_the_other(name: str, depth: int, is_defined: bool) -> None:
    data = BROKEN[name].data
    position = data.index(struct.pack("<HH2s", 0x0040, 0xA730, b"SQ"))
    for _ in range(depth):
        for expected in (0x0040A730, ITEM):
            tag, length, position = read_header(data, position)
            assert tag == expected
            assert (length != UNDEFINED) == is_defined
    assert data[position:].startswith(struct.pack("<HH2s", 0x0040, 0xA160, b"UT"))
    ends = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    assert data.count(ends) == (0 if is_defined else depth)


def test_the_bomb_is_small_and_inflates_to_half_a_gibibyte() -> None:
    data = BROKEN["deflated_bomb"].data
    assert len(data) < 1 << 20
    inflater = zlib.decompressobj(-15)
    # The deflated data set begins behind the file meta information, whose length stands in its first element.
    waiting = data[144 + struct.unpack_from("<I", data, 140)[0] :]
    total = 0
    while not inflater.eof:
        piece = inflater.decompress(waiting, 1 << 22)
        waiting = inflater.unconsumed_tail
        total += len(piece)
    assert 512 << 20 <= total < 513 << 20


def test_the_deflated_stream_breaks_off() -> None:
    data = BROKEN["deflated_truncated"].data
    inflater = zlib.decompressobj(-15)
    assert inflater.decompress(data[144 + struct.unpack_from("<I", data, 140)[0] :])
    assert not inflater.eof


def test_the_private_class_is_known_to_nobody() -> None:
    dataset = read("private_sop_class")
    assert dataset.SOPClassUID == dataset.file_meta.MediaStorageSOPClassUID
    assert dataset.SOPClassUID.name == dataset.SOPClassUID


def test_the_odd_length_is_odd() -> None:
    data = BROKEN["odd_length"].data
    position = data.index(struct.pack("<HH2s", 0x0010, 0x4000, b"LT"))
    assert read_header(data, position)[1] == 3


@pytest.mark.parametrize(("name", "start"), [("executable_preamble", b"MZ"), ("pdf_preamble", b"%PDF-1.4")])
def test_the_preamble_is_another_kind_of_file(name: str, start: bytes) -> None:
    data = BROKEN[name].data
    assert data.startswith(start)
    assert data[128:132] == b"DICM"


def test_the_enormous_picture_is_small() -> None:
    data = enormous_dimensions()
    assert strict_tags(data)
    dataset = dcmread(io.BytesIO(data))
    assert len(data) < 2000
    assert (dataset.Rows, dataset.Columns, dataset.NumberOfFrames) == (65535, 65535, 2147483647)
