"""What the archive reads of an object: identity, kept attributes, where the pixels lie."""

import zlib
from io import BytesIO
from struct import pack

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

from pacs.attributes import ATTRIBUTES, Matching
from pacs.dataset.header import Header, is_uid, read_header
from pacs.dataset.part10 import read_file_meta
from pacs.errors import InvalidIdentifier, MalformedObject, Refused
from pacs.model import Level, PixelLocation
from testdata.broken import BROKEN
from testdata.compressed import compressed
from testdata.files import part10
from testdata.raw_bytes import PIXEL_DATA, SEQUENCE_END, UNDEFINED, header, item
from testdata.secondary_capture import secondary_capture
from testdata.studies import uid
from tests.pacs.objects import Changes, data_set

SOP_CLASS, SOP_INSTANCE, STUDY, SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
FLOAT_PIXELS, DOUBLE_PIXELS = 0x7FE00008, 0x7FE00009


def read(data: bytes) -> Header:
    head = read_file_meta(data)
    assert head is not None
    return read_header(data, head[0].transfer_syntax_uid, head[1])


def of(changes: Changes | None = None) -> Header:
    return read_header(data_set("header", changes), ExplicitVRLittleEndian)


@pytest.mark.parametrize("name", [name for name, entry in BROKEN.items() if not entry.accepted])
def test_broken_files_are_refused(name: str) -> None:
    with pytest.raises(Refused):
        if read_file_meta(data := BROKEN[name].data) is None:
            raise MalformedObject("it ends within its head")
        read(data)


@pytest.mark.parametrize("name", [name for name, entry in BROKEN.items() if entry.accepted])
def test_what_is_merely_odd_is_read(name: str) -> None:
    assert is_uid(read(BROKEN[name].data).sop_instance_uid)


def test_the_kept_attributes_are_parted_by_level() -> None:
    found = of({0x00181000: ("LO", b"serial"), 0x00080070: ("LO", b"maker")})
    assert found.level(Level.PATIENT)["00100010"]["Value"] == [{"Alphabetic": "Guàsti^Gòffredo"}]
    assert found.level(Level.STUDY)["00080050"]["Value"] == ["PROVA9000000"]
    assert found.level(Level.SERIES)["00080070"]["Value"] == ["maker"]
    assert found.level(Level.INSTANCE)["00280010"]["Value"] == [4]
    kept = {a.json_key: a.level for a in ATTRIBUTES if a.matching is not Matching.COMPUTED}
    for level in Level:
        assert {kept[key] for key in found.level(level)} == {level}


def test_whose_object_it_is_is_told_as_text() -> None:
    found = of({0x00100021: ("LO", b"NORD")})
    assert (found.patient_id, found.issuer_of_patient_id) == ("GSTGFR70X00X009Z", "NORD")
    nobody = of({0x00100020: ("LO", b"  "), 0x00100021: None})
    assert (nobody.patient_id, nobody.issuer_of_patient_id) == ("", "")


def test_a_header_outlives_what_it_was_read_from() -> None:
    buffer = bytearray(data_set("header"))
    found = read_header(buffer, ExplicitVRLittleEndian)
    buffer[:] = bytes(len(buffer))
    assert found.patient_id == "GSTGFR70X00X009Z"
    assert found.level(Level.STUDY)["00080050"]["Value"] == ["PROVA9000000"]


def test_a_name_is_read_in_its_character_set() -> None:
    found = of({0x00080005: ("CS", b"ISO_IR 144"), 0x00100010: ("PN", b"\xbb\xe3\xdd\xd8\xdd")})
    assert found.level(Level.PATIENT)["00100010"]["Value"] == [{"Alphabetic": "Лунин"}]


@pytest.mark.parametrize("tag", [SOP_CLASS, SOP_INSTANCE, STUDY, SERIES])
@pytest.mark.parametrize("value", [None, b"", b"\0\0", b"  "], ids=["absent", "empty", "zeros", "blanks"])
def test_an_object_without_its_uids_is_refused(tag: int, value: bytes | None) -> None:
    with pytest.raises(InvalidIdentifier, match="missing") as refused:
        of({tag: None if value is None else ("UI", value)})
    assert refused.value.tag == tag


NO_UIDS = [
    b"../../x",
    b"study-1",
    b"1..2",
    b".1.2",
    b"1.2.",
    b"1." * 32 + b"1",
    b"1.2\\1.3",
    b"1.2\n",
    b"1.2;DROP",
    "1.٢".encode(),
    b"1 .2",
]


@pytest.mark.parametrize("tag", [SOP_CLASS, SOP_INSTANCE, STUDY, SERIES])
@pytest.mark.parametrize("value", NO_UIDS)
def test_what_is_no_uid_is_refused(tag: int, value: bytes) -> None:
    with pytest.raises(InvalidIdentifier, match="not a UID") as refused:
        of({tag: ("UI", value)})
    assert refused.value.tag == tag
    assert value.decode() not in str(refused.value)


@pytest.mark.parametrize("vr", ["US", "SQ", "OB", "PN", "AT"])
def test_a_uid_of_another_vr_is_refused(vr: str) -> None:
    with pytest.raises(InvalidIdentifier):
        of({STUDY: (vr, item(b"") if vr == "SQ" else b"1.23")})


@pytest.mark.parametrize("text", ["1", "0.0", "1.02.3", "1.2." + "3" * 60, "2.25." + "9" * 39])
def test_uids_as_devices_write_them_are_taken(text: str) -> None:
    assert is_uid(text)
    assert of({STUDY: ("UI", text.encode())}).study_instance_uid == text


def image(pixels: np.ndarray, photometric: str = "MONOCHROME2") -> Dataset:
    return secondary_capture(pixels, photometric)


GREY = np.arange(24, dtype=np.uint16).reshape(4, 6)
FRAMES = np.arange(72, dtype=np.uint16).reshape(3, 4, 6)
COLOUR = np.arange(144, dtype=np.uint8).reshape(2, 4, 6, 3)
BITS = (np.arange(3 * 5 * 7) % 3 == 0).reshape(3, 5, 7)


@pytest.mark.parametrize(
    ("dataset", "frames", "bits"),
    [
        (image(GREY), 1, 24 * 16),
        (image(FRAMES), 3, 24 * 16),
        (image(COLOUR, "RGB"), 2, 72 * 8),
        (image(BITS), 3, 35),
    ],
    ids=["grey", "frames", "colour", "bits"],
)
@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
)
def test_native_pixels_are_located(dataset: Dataset, frames: int, bits: int, syntax: str) -> None:
    dataset = compressed(dataset, syntax)
    data = part10(dataset)
    head = read_file_meta(data)
    assert head is not None
    pixels = read(data).pixels
    assert pixels is not None
    content = data[head[1] :]
    if syntax == DeflatedExplicitVRLittleEndian:
        content = zlib.decompressobj(-15).decompress(content)
    assert content[pixels.offset : pixels.offset + pixels.length] == dataset.PixelData
    assert (pixels.tag, pixels.encapsulated) == (PIXEL_DATA, False)
    assert (pixels.number_of_frames, pixels.frame_bits) == (frames, bits)


def test_big_endian_pixels_are_located() -> None:
    dataset = compressed(image(FRAMES), ExplicitVRBigEndian)
    data = part10(dataset)
    head, pixels = read_file_meta(data), read(data).pixels
    assert head is not None
    assert pixels is not None
    start = head[1] + pixels.offset
    assert data[start : start + pixels.length] == dataset.PixelData


def test_encapsulated_pixels_are_located() -> None:
    data = part10(compressed(image(FRAMES), RLELossless))
    head, pixels = read_file_meta(data), read(data).pixels
    assert head is not None
    assert pixels is not None
    start = head[1] + pixels.offset
    assert data[start : start + 4] == b"\xfe\xff\x00\xe0"
    assert data[start + pixels.length :].startswith(SEQUENCE_END)
    assert (pixels.encapsulated, pixels.number_of_frames, pixels.frame_bits) == (True, 3, 0)


@pytest.mark.parametrize("photometric", ["YBR_FULL_422", "YBR_PARTIAL_422"])
def test_two_pixels_share_their_chrominance(photometric: str) -> None:
    changes: Changes = {
        0x00280002: ("US", pack("<H", 3)),
        0x00280004: ("CS", photometric.encode()),
        PIXEL_DATA: ("OB", bytes(32)),
    }
    pixels = of(changes).pixels
    assert pixels is not None
    assert pixels.frame_bits == 4 * 4 * 2 * 8


@pytest.mark.parametrize(("tag", "vr", "width"), [(FLOAT_PIXELS, "OF", 4), (DOUBLE_PIXELS, "OD", 8)])
def test_pixels_of_floating_point_are_located(tag: int, vr: str, width: int) -> None:
    changes: Changes = {
        PIXEL_DATA: None,
        0x00280100: ("US", pack("<H", width * 8)),
        tag: (vr, bytes(16 * width)),
    }
    data = data_set("header", changes)
    assert of(changes).pixels == PixelLocation(
        tag, len(data) - 16 * width, 16 * width, False, 1, 16 * width * 8
    )


def test_an_object_without_pixels_has_no_place_for_them() -> None:
    assert of({PIXEL_DATA: None}).pixels is None


@pytest.mark.parametrize("frames", [b"", b"0", b"-3", b"many"])
def test_there_is_at_least_one_frame(frames: bytes) -> None:
    pixels = of({0x00280008: ("IS", frames)}).pixels
    assert pixels is not None
    assert pixels.number_of_frames == 1


def test_dimensions_that_are_not_there_make_frames_of_no_bits() -> None:
    pixels = of({0x00280010: None}).pixels
    assert pixels is not None
    assert pixels.frame_bits == 0


def test_dimensions_below_zero_make_frames_of_no_bits() -> None:
    pixels = of({0x00280010: ("SS", pack("<h", -4))}).pixels
    assert pixels is not None
    assert pixels.frame_bits == 0


def test_no_dimensions_outgrow_the_index() -> None:
    enormous: Changes = {tag: ("US", b"\xff\xff") for tag in (0x00280002, 0x00280010, 0x00280011, 0x00280100)}
    pixels = of(enormous).pixels
    assert pixels is not None
    assert pixels.frame_bits < 2**63


def test_the_last_of_two_elements_counts_as_pydicom_counts_it() -> None:
    first, second = data_set("first"), data_set("second", {PIXEL_DATA: None})
    by_pydicom = dcmread(BytesIO(first + second), force=True)
    found = read_header(first + second, ExplicitVRLittleEndian)
    assert found.sop_instance_uid == by_pydicom.SOPInstanceUID == uid("raw", "second")


def test_fragments_must_end_before_an_encapsulated_object_is_taken() -> None:
    head = data_set("header", {PIXEL_DATA: None})
    pixels = header(PIXEL_DATA, "OB", UNDEFINED) + item(b"") + item(b"\xff\xd8\xff\xd9")
    with pytest.raises(MalformedObject, match="delimiter"):
        read_header(head + pixels, JPEGBaseline8Bit)
    assert read_header(head + pixels + SEQUENCE_END, JPEGBaseline8Bit).pixels is not None
