"""Reading what is like the object before equals reading all of it, whatever comes after what."""

import random
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pacs.dataset import alike, header
from pacs.dataset.header import Header, HeaderReader, read_header
from pacs.dataset.vr import is_signed_by_pixel_representation
from pacs.errors import ArchiveError
from pacs.model import DicomJson, Level, PixelLocation
from testdata.ct import ct_series
from testdata.mr import mr_series
from testdata.raw_bytes import PIXEL_DATA
from tests.pacs.objects import Changes, data_set

CHARACTER_SET, PATIENT_NAME, SERIES, COMMENTS = 0x00080005, 0x00100010, 0x0020000E, 0x00204000
SYNTAXES = {ExplicitVRLittleEndian: (False, True), ImplicitVRLittleEndian: (True, True)}
SYNTAXES[ExplicitVRBigEndian] = False, False

Seen = tuple[list[str], list[DicomJson], PixelLocation | None] | str


def seen(read: Header | ArchiveError) -> Seen:
    """All that a header tells, or why there is none."""
    if isinstance(read, ArchiveError):
        return f"{type(read).__name__}: {read}"
    names = [read.sop_class_uid, read.sop_instance_uid, read.study_instance_uid, read.series_instance_uid]
    names += [read.patient_id, read.issuer_of_patient_id]
    return names, [read.level(level) for level in Level], read.pixels


def one_after_the_other(objects: Iterable[bytes], syntax: str = ExplicitVRLittleEndian) -> list[Seen]:
    """What a reader that remembers sees of each; it must be what a reading of all of it sees."""
    reader, all_seen = HeaderReader(), []
    for data in objects:
        outcomes = []
        amid = bytearray(b"before" + data + b"behind")
        for read in (
            partial(reader.read, amid, syntax, 6, 6 + len(data)),
            partial(read_header, data, syntax),
        ):
            try:
                outcomes.append(seen(read()))
            except ArchiveError as error:
                outcomes.append(seen(error))
        assert outcomes[0] == outcomes[1]
        all_seen.append(outcomes[0])
    return all_seen


def encoded(dataset: Dataset, syntax: UID) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = SYNTAXES[syntax]
    write_dataset(buffer, dataset)
    return buffer.getvalue()


@pytest.fixture
def whole_readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows with each object that is read as a whole by a reader that remembers."""
    readings: list[str] = []
    original = HeaderReader._read_anew

    def read_anew(self: HeaderReader, *arguments: Any) -> Header:
        readings.append("whole")
        return original(self, *arguments)

    monkeypatch.setattr(HeaderReader, "_read_anew", read_anew)
    return readings


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("series", [ct_series, mr_series])
def test_of_a_series_only_the_first_two_are_read_as_a_whole(
    series: Callable[..., list[Dataset]], syntax: UID, whole_readings: list[str]
) -> None:
    images = [encoded(image, syntax) for image in series(slices=20, rows=16, columns=16)]
    instances = {str(one[0][1]) for one in one_after_the_other(images, syntax)}
    assert len(instances) == 20
    assert len(whole_readings) == 2


# What may differ from one object to the next, by what it is
DIFFERENCES: dict[str, Changes] = {
    "nothing": {},
    "a value of the same length": {0x00200013: ("IS", b"7 ")},
    "a longer value": {0x00200013: ("IS", b"1234")},
    "no value": {0x00200013: ("IS", b"")},
    "another VR": {0x00200013: ("LO", b"1 ")},
    "an element more": {COMMENTS: ("LT", b"more")},
    "an element that is kept more": {0x00080023: ("DA", b"20240101")},
    "an element less": {0x00100010: None},
    "another character set": {CHARACTER_SET: ("CS", b"ISO_IR 192"), PATIENT_NAME: ("PN", b"\xc3\xa8")},
    "another name in the same character set": {PATIENT_NAME: ("PN", b"\xe8\xe9")},
    "another patient": {0x00100020: ("LO", b"OTHER ")},
    "another series": {SERIES: ("UI", b"1.2.3.4\0")},
    "another size of the pixels": {0x00280010: ("US", b"\x08\x00")},
    "other pixels": {PIXEL_DATA: ("OW", bytes(64))},
    "no pixels": {PIXEL_DATA: None},
    "a kept element behind the pixels": {0x7FE10010: ("LO", b"behind"), 0xFFFAFFFA: ("SQ", b"")},
    "no identity": {0x00080018: None},
    "a wrong identity": {0x00080018: ("UI", b"../../x ")},
    "a long element": {COMMENTS: ("UT", b"long" * 20_000)},
}


@pytest.mark.parametrize("first", DIFFERENCES)
@pytest.mark.parametrize("then", DIFFERENCES)
def test_whatever_differs_is_seen(first: str, then: str) -> None:
    usual = data_set("a")
    one, other = data_set("b", DIFFERENCES[first]), data_set("c", DIFFERENCES[then])
    one_after_the_other([usual, usual, one, one, other, usual, other, one, usual])


def test_what_ends_too_soon_is_refused_for_the_same_reason() -> None:
    usual = data_set("a")
    for length in range(len(usual)):
        one_after_the_other([usual, usual, usual[:length]])


def test_what_lies_behind_the_end_is_not_taken_for_more_of_it() -> None:
    usual = data_set("a", {PIXEL_DATA: None})
    reader = HeaderReader()
    for _ in range(2):
        reader.read(usual, ExplicitVRLittleEndian, 0, len(usual))
    with pytest.raises(ArchiveError):
        reader.read(usual, ExplicitVRLittleEndian, 0, len(usual) - 1)


def test_of_two_elements_of_one_tag_the_last_counts() -> None:
    no_pixels: Changes = {PIXEL_DATA: None}
    last = data_set("last", no_pixels)
    twice = [data_set(name, no_pixels) + last for name in "abc"]
    one_after_the_other(twice)


def test_with_many_changes_all_is_read(monkeypatch: pytest.MonkeyPatch, whole_readings: list[str]) -> None:
    monkeypatch.setattr(alike, "MOST_CHANGES", 1)
    usual = data_set("a")
    two = data_set("a", {0x00200013: ("IS", b"7 "), 0x00100010: ("PN", b"other ")})
    one_after_the_other([usual, usual, usual, two])
    assert len(whole_readings) == 3


def test_bytes_changed_at_random_are_read_as_they_are() -> None:
    chance = random.Random(20261126)
    usual = data_set("a")
    objects = [usual, usual]
    for _ in range(2000):
        changed = bytearray(usual)
        for _ in range(chance.randrange(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        objects += [bytes(changed), usual]
    one_after_the_other(objects)


def test_no_attribute_that_is_always_decoded_depends_on_the_sign_of_pixels() -> None:
    assert not any(is_signed_by_pixel_representation(tag) for tag in header._ALWAYS)
