"""Reading stored objects: frames, headers, metadata and bulk data as pydicom reads them."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from struct import pack

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.pixels.utils import get_expected_length
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

from pacs.archive import Archive
from pacs.dataset.transfer_syntax import encoding_of
from pacs.errors import ArchiveError, FrameNotFound, InvalidIdentifier, MalformedObject, NotFound
from pacs.files import DiskFiles
from pacs.model import DicomJson, Instance
from pacs.retrieve import Reader
from testdata.broken import enormous_dimensions
from testdata.compressed import compressed
from testdata.files import part10
from testdata.raw_bytes import PIXEL_DATA, element, item
from testdata.secondary_capture import secondary_capture
from tests.pacs.dataset.comparison import NOT_FOR_PYDICOM, assert_same, by_pydicom
from tests.pacs.dataset.specimens import OTHERS, RECIPES
from tests.pacs.dataset.test_elements import BROKEN_OFF
from tests.pacs.objects import Changes, encapsulated, kept, picture, stored

PIXEL_KEYS = ("7FE00008", "7FE00009", "7FE00010")


@pytest.fixture
def reader(files: DiskFiles) -> Reader:
    return Reader(lambda instance: files.open(instance.file))


def pixels_of(dataset: Dataset) -> bytes:
    value: bytes = next(dataset[tag].value for tag in (0x7FE00010, 0x7FE00008, 0x7FE00009) if tag in dataset)
    return value


def is_encapsulated(dataset: Dataset) -> bool:
    return "PixelData" in dataset and bool(dataset["PixelData"].is_undefined_length)


def frames_by_pydicom(dataset: Dataset) -> Iterator[bytes]:
    """The bytes of each frame, of native pixels of whole bytes or of encapsulated ones."""
    count = int(dataset.get("NumberOfFrames") or 1)
    pixels = pixels_of(dataset)
    if is_encapsulated(dataset):
        table = (dataset.get("ExtendedOffsetTable"), dataset.get("ExtendedOffsetTableLengths"))
        offsets = table if table[0] else None
        yield from generate_frames(pixels, number_of_frames=count, extended_offsets=offsets)
    else:
        length = get_expected_length(dataset) // count
        yield from (pixels[start : start + length] for start in range(0, length * count, length))


def bits_by_numpy(dataset: Dataset) -> Iterator[bytes]:
    """Each frame of one bit a pixel, moved to begin with its first bit."""
    bits = np.unpackbits(np.frombuffer(dataset.PixelData, np.uint8), bitorder="little")
    size = dataset.Rows * dataset.Columns
    for number in range(int(dataset.get("NumberOfFrames") or 1)):
        yield np.packbits(bits[number * size : (number + 1) * size], bitorder="little").tobytes()


def assert_same_frames(reader: Reader, instance: Instance, dataset: Dataset) -> None:
    one_bit = dataset.BitsAllocated == 1 and not is_encapsulated(dataset)
    expected = list((bits_by_numpy if one_bit else frames_by_pydicom)(dataset))
    assert [reader.frame(instance, number + 1) for number in range(len(expected))] == expected
    with pytest.raises(FrameNotFound):
        reader.frame(instance, len(expected) + 1)


def assert_frames_are_those_of(reader: Reader, instance: Instance, dataset: Dataset) -> None:
    if any(int(key, 16) in dataset for key in PIXEL_KEYS):
        assert_same_frames(reader, instance, dataset)
    else:
        with pytest.raises(FrameNotFound, match="it has 0"):
            reader.frame(instance, 1)


def assert_same_metadata(reader: Reader, instance: Instance, dataset: Dataset) -> None:
    ours, theirs = reader.metadata(instance, str), by_pydicom(dataset)
    assert list(ours) == sorted(ours)
    assert ours.pop("00083002") == {"vr": "UI", "Value": [instance.transfer_syntax_uid]}
    for key in PIXEL_KEYS:
        if key in theirs:
            assert ours[key].get("BulkDataURI") == key
            ours.pop(key)
            theirs.pop(key)
    assert_same(ours, theirs, encoding_of(instance.transfer_syntax_uid))


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_a_file_of_others_is_read_as_pydicom_reads_it(files: DiskFiles, reader: Reader, path: Path) -> None:
    data = path.read_bytes()
    try:
        instance = kept(files, data)
    except (InvalidIdentifier, MalformedObject):
        assert path.name in BROKEN_OFF or lacks_identity(data)
        return
    if path.name in NOT_FOR_PYDICOM:
        assert reader.metadata(instance, str)["00080018"]["Value"] == [instance.sop_instance_uid]
        return
    dataset = dcmread(BytesIO(data))
    assert_frames_are_those_of(reader, instance, dataset)
    assert reader.dataset(instance) == dataset
    assert_same_metadata(reader, instance, dataset)


def lacks_identity(data: bytes) -> bool:
    dataset = dcmread(BytesIO(data), stop_before_pixels=True)
    uids = [dataset.get(f"{name}InstanceUID") for name in ("SOP", "Study", "Series")]
    return not all(uid and uid.is_valid for uid in (*uids, dataset.get("SOPClassUID")))


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_read_as_pydicom_reads_it(files: DiskFiles, reader: Reader, name: str) -> None:
    data = part10(RECIPES[name]())
    instance, dataset = kept(files, data), dcmread(BytesIO(data))
    assert_frames_are_those_of(reader, instance, dataset)
    assert reader.dataset(instance) == dataset
    assert_same_metadata(reader, instance, dataset)


# Frames of every kind


GREY = np.arange(3 * 40 * 32, dtype=np.uint16).reshape(3, 40, 32)
COLOUR = np.arange(3 * 40 * 32 * 3).astype(np.uint8).reshape(3, 40, 32, 3)
NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


@pytest.mark.parametrize("syntax", [*NATIVE, RLELossless, JPEGBaseline8Bit], ids=lambda uid: uid.name)
@pytest.mark.parametrize("kind", ["grey", "colour", "planar"])
def test_frames_of_every_kind_are_those_of_pydicom(
    files: DiskFiles, reader: Reader, syntax: str, kind: str
) -> None:
    pixels = COLOUR if kind != "grey" else COLOUR[..., 0] if syntax == JPEGBaseline8Bit else GREY
    picture = secondary_capture(pixels, "MONOCHROME2" if kind == "grey" else "RGB", planar=kind == "planar")
    if kind == "planar" and syntax == JPEGBaseline8Bit:
        picture = secondary_capture(pixels, "RGB")
    data = part10(compressed(picture, syntax))
    assert_same_frames(reader, kept(files, data), dcmread(BytesIO(data)))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 5, 7), (9, 3, 3), (8, 1, 1), (2, 17, 31)], ids=str)
def test_frames_of_single_bits_begin_with_their_first_bit(
    files: DiskFiles, reader: Reader, shape: tuple[int, int, int]
) -> None:
    pixels = np.random.default_rng(7).random(shape) < 0.5
    data = part10(secondary_capture(pixels if shape[0] > 1 else pixels[0]))
    instance, dataset = kept(files, data), dcmread(BytesIO(data))
    assert_same_frames(reader, instance, dataset)
    for number, frame in enumerate(pixels):
        bits = np.unpackbits(np.frombuffer(reader.frame(instance, number + 1), np.uint8), bitorder="little")
        assert (bits[: frame.size].reshape(frame.shape) == frame).all()


def test_frames_whose_pixels_share_their_chrominance(files: DiskFiles, reader: Reader) -> None:
    value = bytes(range(64))
    changes: Changes = {
        0x00280002: ("US", pack("<H", 3)),
        0x00280004: ("CS", b"YBR_FULL_422"),
        0x00280006: ("US", pack("<H", 0)),
        0x00280008: ("IS", b"2"),
        PIXEL_DATA: ("OB", value),
    }
    data = picture("half", changes)
    instance = kept(files, data)
    assert [reader.frame(instance, 1), reader.frame(instance, 2)] == [value[:32], value[32:]]
    assert_same_frames(reader, instance, dcmread(BytesIO(data)))


JPEGS = [bytes([number]) * (10 + number * 2) + b"\xff\xd9" for number in range(4)]


@pytest.mark.parametrize("pieces", [1, 2, 3])
@pytest.mark.parametrize("has_table", [True, False])
def test_frames_of_several_fragments(files: DiskFiles, reader: Reader, pieces: int, has_table: bool) -> None:
    value = encapsulate(JPEGS, fragments_per_frame=pieces, has_bot=has_table)
    instance = kept(files, encapsulated("pieces", value, JPEGBaseline8Bit, {0x00280008: ("IS", b"4")}))
    assert [reader.frame(instance, number) for number in (1, 2, 3, 4)] == JPEGS


def test_frames_by_an_extended_offset_table(files: DiskFiles, reader: Reader) -> None:
    """Two fragments each, without a Basic Offset Table, and not ended as JPEG ends."""
    value = item(b"") + b"".join(item(part) for part in (b"a1", b"a2", b"b1", b"b2"))
    changes: Changes = {0x00280008: ("IS", b"2"), 0x7FE00001: ("OV", pack("<QQ", 0, 20))}
    instance = kept(files, encapsulated("extended", value, RLELossless, changes))
    assert [reader.frame(instance, 1), reader.frame(instance, 2)] == [b"a1a2", b"b1b2"]


def test_an_extended_offset_table_by_pydicom(files: DiskFiles, reader: Reader) -> None:
    value, offsets, lengths = encapsulate_extended(JPEGS)
    changes: Changes = {
        0x00280008: ("IS", b"4"),
        0x7FE00001: ("OV", offsets),
        0x7FE00002: ("OV", lengths),
    }
    data = encapsulated("extended", value, JPEGBaseline8Bit, changes)
    assert_same_frames(reader, kept(files, data), dcmread(BytesIO(data)))


@pytest.mark.parametrize("number", [0, -1, 2, 10**9])
def test_a_frame_that_is_not_there_is_not_found(files: DiskFiles, reader: Reader, number: int) -> None:
    with pytest.raises(FrameNotFound, match=f"no frame {number}; it has 1"):
        reader.frame(kept(files, picture("a")), number)


@pytest.mark.parametrize("number", [1, 2, 2147483647])
def test_dimensions_that_lie_make_no_frames(files: DiskFiles, reader: Reader, number: int) -> None:
    instance = kept(files, enormous_dimensions())
    with pytest.raises(FrameNotFound, match="beyond the end"):
        reader.frame(instance, number)


def test_fewer_fragments_than_frames_are_told(files: DiskFiles, reader: Reader) -> None:
    value = item(pack("<II", 0, 10)) + item(b"a1") + item(b"b1")
    instance = kept(files, encapsulated("few", value, RLELossless, {0x00280008: ("IS", b"3")}))
    assert reader.frame(instance, 1) == b"a1"
    with pytest.raises(FrameNotFound, match="frame 3 is announced, but 2 are there"):
        reader.frame(instance, 3)


BROKEN_PIXELS: dict[str, bytes] = {
    "no item": encapsulated("a", b"", RLELossless),
    "no item for two frames": encapsulated("b", b"", RLELossless, {0x00280008: ("IS", b"2")}),
    "dimensions below zero": picture("c", {0x00280010: ("SS", pack("<h", -4))}),
}


@pytest.mark.parametrize("name", BROKEN_PIXELS)
def test_pixels_that_make_no_sense_have_no_frames(files: DiskFiles, reader: Reader, name: str) -> None:
    with pytest.raises(FrameNotFound):
        reader.frame(kept(files, BROKEN_PIXELS[name]), 1)


BROKEN_TABLES = {"empty": ("OV", b""), "a text": ("LO", b"12345678")}


@pytest.mark.parametrize("name", BROKEN_TABLES)
def test_an_extended_offset_table_that_is_none_tells_no_frames_apart(
    files: DiskFiles, reader: Reader, name: str
) -> None:
    changes: Changes = {0x00280008: ("IS", b"2"), 0x7FE00001: BROKEN_TABLES[name]}
    three = item(b"") + item(b"a1") * 3
    with pytest.raises(FrameNotFound):
        reader.frame(kept(files, encapsulated("table", three, RLELossless, changes)), 1)


@pytest.mark.parametrize("syntax", [*NATIVE, RLELossless], ids=lambda uid: uid.name)
def test_frames_may_be_sent_as_they_lie_in_the_file(files: DiskFiles, reader: Reader, syntax: str) -> None:
    data = part10(compressed(secondary_capture(GREY), syntax))
    instance = kept(files, data)
    for number in (1, 2, 3):
        pieces = reader.direct_pieces(instance, number)
        if syntax == DeflatedExplicitVRLittleEndian:
            assert pieces is None
        else:
            assert pieces is not None
            with files.open(instance.file) as file:
                assert b"".join(file.read(*piece) for piece in pieces) == reader.frame(instance, number)


def test_single_bits_and_objects_without_pixels_are_not_sent_as_they_lie(
    files: DiskFiles, reader: Reader
) -> None:
    bits = kept(files, part10(secondary_capture(np.ones((3, 5, 7), np.bool_))))
    assert reader.direct_pieces(bits, 1) is None
    assert reader.direct_pieces(kept(files, picture("a", {PIXEL_DATA: None})), 1) is None


# Headers and whole objects


@pytest.mark.parametrize("syntax", [*NATIVE, RLELossless], ids=lambda uid: uid.name)
def test_a_header_has_all_but_the_pixels(files: DiskFiles, reader: Reader, syntax: str) -> None:
    data = part10(compressed(secondary_capture(GREY), syntax))
    header = reader.header(kept(files, data))
    expected = dcmread(BytesIO(data), stop_before_pixels=True)
    assert {int(e.tag) for e in header} - {PIXEL_DATA} == {int(e.tag) for e in expected}
    assert all(header[e.tag] == e for e in expected)
    assert header.file_meta.TransferSyntaxUID == syntax
    assert not header.get("PixelData")


def test_a_header_is_read_once(archive: Archive, tmp_path: Path) -> None:
    instance = stored(archive, picture("a"))
    header = archive.header(instance)
    (tmp_path / "objects" / instance.file).unlink()
    assert archive.header(instance) is header


@pytest.mark.parametrize("read", ["read_frame", "header", "dataset", "metadata"])
def test_a_file_that_is_gone_is_not_found(archive: Archive, tmp_path: Path, read: str) -> None:
    instance = stored(archive, picture("a"))
    (tmp_path / "objects" / instance.file).unlink()
    arguments = (instance, 1) if read == "read_frame" else (instance,)
    with pytest.raises(NotFound, match="gone"):
        getattr(archive, read)(*arguments)


# Metadata and bulk data


def uris(metadata: DicomJson) -> Iterator[str]:
    """Every BulkDataURI, of every level."""
    for value in metadata.values():
        if "BulkDataURI" in value:
            yield value["BulkDataURI"]
        for inner in value.get("Value", []) if value["vr"] == "SQ" else []:
            yield from uris(inner)


LONG = bytes(range(256)) * 8
NESTED: Changes = {
    0x00111001: ("OB", LONG),
    0x54000100: (
        "SQ",
        item(element(0x54001010, "OW", LONG[2:]))
        + item(
            element(0x54001010, "OW", LONG[4:])
            + element(0x0040A730, "SQ", item(element(0x00420011, "OB", LONG)))
        ),
    ),
}


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
)
def test_whatever_the_metadata_names_can_be_had(files: DiskFiles, reader: Reader, syntax: str) -> None:
    dataset = dcmread(BytesIO(picture("nested", NESTED)))
    dataset[0x00111001].VR = "OB"
    dataset.add_new(0x00110010, "LO", "PROVA")
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    instance = kept(files, part10(dataset))
    named = {uri: reader.bulk_data(instance, uri) for uri in uris(reader.metadata(instance, str))}
    assert named == {
        "00111001": [LONG],
        "54000100/0/54001010": [LONG[2:]],
        "54000100/1/54001010": [LONG[4:]],
        "54000100/1/0040A730/0/00420011": [LONG],
        "7FE00010": [bytes(range(0, 256, 16))],
    }


def test_the_archive_names_bulk_data_by_its_own_address(archive: Archive) -> None:
    instance = stored(archive, picture("nested", NESTED))
    where = archive.url_of(instance)
    assert where == (
        f"/dicom-web/studies/{instance.study_instance_uid}"
        f"/series/{instance.series_instance_uid}/instances/{instance.sop_instance_uid}"
    )
    found = set(uris(archive.metadata(instance)))
    assert f"{where}/bulkdata/54000100/1/0040A730/0/00420011" in found
    assert all(archive.bulk_data(instance, uri.removeprefix(f"{where}/bulkdata/")) for uri in found)


def test_compressed_pixels_as_bulk_data_are_the_frames(files: DiskFiles, reader: Reader) -> None:
    instance = kept(files, part10(compressed(secondary_capture(GREY), RLELossless)))
    assert reader.bulk_data(instance, "7FE00010") == [reader.frame(instance, number) for number in (1, 2, 3)]


NO_PATHS = """
/ 7FE00010/ 00080018/0 54000100 54000100/9/54001010 54000100/x/54001010 54000100/-1/54001010 54000100/0
54000100//54001010 99990010 ../../etc/passwd 00111001/0/1
"""


@pytest.mark.parametrize("path", ["", *NO_PATHS.split()])
def test_where_nothing_lies_nothing_is_found(files: DiskFiles, reader: Reader, path: str) -> None:
    with pytest.raises(NotFound):
        reader.bulk_data(kept(files, picture("nested", NESTED)), path)


def test_an_item_number_of_many_digits_is_not_found(files: DiskFiles, reader: Reader) -> None:
    with pytest.raises(NotFound):
        reader.bulk_data(kept(files, picture("nested", NESTED)), f"54000100/{'9' * 5000}/54001010")


BEHIND = element(0x7FE10010, "LO", b"PROVA ") + element(0x7FE11001, "OB", LONG)


def test_what_lies_behind_the_pixels_is_among_the_metadata(files: DiskFiles, reader: Reader) -> None:
    metadata = reader.metadata(kept(files, picture("behind", behind=BEHIND)), str)
    assert metadata["7FE10010"]["Value"] == ["PROVA"]
    assert metadata["7FE11001"] == {"vr": "OB", "BulkDataURI": "7FE11001"}


def test_bulk_data_behind_the_pixels_can_be_had(files: DiskFiles, reader: Reader) -> None:
    assert reader.bulk_data(kept(files, picture("behind", behind=BEHIND)), "7FE11001") == [LONG]


def test_text_behind_the_pixels_is_in_the_character_set_of_the_object(
    files: DiskFiles, reader: Reader
) -> None:
    text = element(0x7FE10010, "LO", b"PROVA ") + element(
        0x7FE11002, "LO", "Грудь".encode("iso8859_5") + b" "
    )
    data = picture("behind", {0x00080005: ("CS", b"ISO_IR 144")}, behind=text)
    assert reader.metadata(kept(files, data), str)["7FE11002"]["Value"] == ["Грудь"]


def test_the_metadata_tell_the_vr_of_the_pixels_as_it_was_written(files: DiskFiles, reader: Reader) -> None:
    assert reader.metadata(kept(files, picture("bytes")), str)["7FE00010"]["vr"] == "OB"


@pytest.mark.parametrize("vr", ["US", "LO", "SH"])
def test_pixels_of_a_short_vr_do_not_spoil_the_metadata_of_the_series(archive: Archive, vr: str) -> None:
    instance = stored(archive, picture("short", {PIXEL_DATA: (vr, bytes(16))}))
    assert archive.header(instance).SOPInstanceUID == instance.sop_instance_uid
    assert archive.metadata(instance)["00080018"]["Value"] == [instance.sop_instance_uid]


@pytest.mark.parametrize("read", ["header", "dataset"])
@pytest.mark.parametrize(
    "character_set", [("FD", b"ISO_"), ("CS", b"AB\0CD ")], ids=["half a number", "a zero within"]
)
def test_what_pydicom_cannot_read_is_an_error_of_the_archive(
    files: DiskFiles, reader: Reader, read: str, character_set: tuple[str, bytes]
) -> None:
    instance = kept(files, picture("odd", {0x00080005: character_set, 0x00100010: ("PN", b"Rossi ")}))
    with pytest.raises(ArchiveError):
        getattr(reader, read)(instance)


def test_a_report_has_no_pixels_and_all_its_content(files: DiskFiles, reader: Reader) -> None:
    data = part10(RECIPES["dose report"]())
    metadata = reader.metadata(kept(files, data), str)
    assert len(metadata["0040A730"]["Value"]) == len(dcmread(BytesIO(data)).ContentSequence)
    assert list(uris(metadata)) == []
