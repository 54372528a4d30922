"""The head of a Part 10 file: ours as pydicom reads it, those of others however they come."""

from io import BytesIO
from pathlib import Path
from struct import pack, unpack_from

import pytest
from blake3 import blake3
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, SecondaryCaptureImageStorage

from pacs.dataset.part10 import (
    HEAD_LIMIT,
    IMPLEMENTATION_CLASS_UID,
    FileMeta,
    came_as,
    file_meta_bytes,
    read_file_meta,
)
from pacs.errors import MalformedObject
from pacs.model import Source
from testdata.broken import sound
from testdata.raw_bytes import element, file_meta, part10_bytes, written
from tests.pacs.dataset.specimens import OTHERS

META = FileMeta(SecondaryCaptureImageStorage, "1.2.3.45", ExplicitVRLittleEndian)
PATIENT = written({0x00100020: ("LO", b"P1234567")})


@pytest.mark.parametrize(
    ("source", "receiver"),
    [
        (Source("SENDER", "10.1.2.3"), "DIAFANA"),
        (Source("ODD", "10.1.2.3"), "EVEN"),
        (Source(), ""),
        (Source("", "import"), "DIAFANA"),
    ],
)
def test_our_head_is_read_by_pydicom(source: Source, receiver: str) -> None:
    head = file_meta_bytes(META, source, receiver)
    by_pydicom = dcmread(BytesIO(head + PATIENT))
    meta = by_pydicom.file_meta
    assert by_pydicom.PatientID == "P1234567"
    assert meta.FileMetaInformationVersion == b"\x00\x01"
    assert meta.FileMetaInformationGroupLength == len(head) - 132 - 12
    assert (meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID) == (
        META.sop_class_uid,
        META.sop_instance_uid,
        META.transfer_syntax_uid,
    )
    assert meta.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert 1 <= len(str(meta.ImplementationVersionName)) <= 16
    assert meta.get("SendingApplicationEntityTitle", "") == source.ae_title
    assert meta.get("ReceivingApplicationEntityTitle", "") == receiver


def test_our_head_has_a_preamble_of_zeros_and_even_lengths() -> None:
    head = file_meta_bytes(META, Source("ODD"), "DIAFANA")
    assert head[:132] == bytes(128) + b"DICM"
    assert len(head) % 2 == 0


def test_our_head_is_read_back() -> None:
    head = file_meta_bytes(META, Source("SENDER"), "DIAFANA")
    assert read_file_meta(head + PATIENT) == (META, len(head))


def test_our_head_lets_the_file_fill_whole_blocks() -> None:
    for length in range(2 * 4096 + 2):
        head = file_meta_bytes(META, Source("SENDER"), "DIAFANA", length, 4096)
        assert (len(head) + length + length % 2) % 4096 == 0  # values are of even length
        assert len(head) < 2 * 4096
        assert unpack_from("<I", head, 140)[0] == len(head) - 144
        assert read_file_meta(head + PATIENT) == (META, len(head))
    by_pydicom = dcmread(BytesIO(head + PATIENT)).file_meta
    assert by_pydicom.PrivateInformationCreatorUID == IMPLEMENTATION_CLASS_UID
    assert by_pydicom.PrivateInformation.strip(b"\0") == b""


def test_our_head_tells_what_came_where_another_data_set_is_kept() -> None:
    came = blake3(b"as it came").hexdigest()
    for length in (None, *range(4096)):
        head = file_meta_bytes(META, Source("SENDER"), "DIAFANA", length, 4096, came)
        if length is not None:
            assert (len(head) + length + length % 2) % 4096 == 0
        assert len(head) < 2 * 4096
        assert came_as(head) == came
        assert read_file_meta(head + PATIENT) == (META, len(head))
    for head in (file_meta_bytes(META, Source("SENDER"), "DIAFANA", 1, 4096), sound()):
        assert came_as(head) == ""


def test_what_no_ae_title_may_hold_does_not_break_the_head() -> None:
    head = file_meta_bytes(META, Source("SÉNDER"), "DIAFANA")
    assert dcmread(BytesIO(head + PATIENT)).file_meta.SendingApplicationEntityTitle == "S?NDER"


def test_the_head_may_come_in_any_pieces() -> None:
    data = sound()
    whole = read_file_meta(data)
    assert whole is not None
    answers = [read_file_meta(data[:length]) for length in range(len(data) + 1)]
    needed = answers.index(whole)
    assert answers == [None] * needed + [whole] * (len(answers) - needed)
    assert needed <= whole[1] + 12


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_the_heads_of_others_say_what_pydicom_reads(path: Path) -> None:
    data = path.read_bytes()
    by_pydicom = dcmread(path, stop_before_pixels=True).file_meta
    if "TransferSyntaxUID" not in by_pydicom:
        with pytest.raises(MalformedObject, match=r"\(0002,0010\)"):
            read_file_meta(data)
        return
    read = read_file_meta(data)
    assert read is not None
    meta, start = read
    assert meta == FileMeta(
        str(by_pydicom.get("MediaStorageSOPClassUID") or ""),
        str(by_pydicom.get("MediaStorageSOPInstanceUID") or ""),
        str(by_pydicom.TransferSyntaxUID),
    )
    assert unpack_from("<H", data, start)[0] != 2


@pytest.mark.parametrize("length", [0, 1, 10**6, 0xFFFFFFFF])
def test_a_wrong_group_length_does_not_matter(length: int) -> None:
    data = sound()
    right = data[132:144]
    wrong = data.replace(right, right[:8] + pack("<I", length), 1)
    assert read_file_meta(wrong) == read_file_meta(data)


def test_the_group_length_may_be_left_out() -> None:
    data = sound()
    read, shorter = read_file_meta(data), read_file_meta(data[:132] + data[144:])
    assert read is not None
    assert shorter == (read[0], read[1] - 12)


def test_private_information_of_32_bit_length_is_stepped_over() -> None:
    private = element(0x00020100, "UI", b"1.2.3\0") + element(0x00020102, "OB", bytes(70))
    meta = file_meta("private") + private
    read = read_file_meta(part10_bytes(meta, PATIENT))
    assert read is not None
    assert read[1] == 132 + len(meta)


@pytest.mark.parametrize("data", [b"<!DOCTYPE html>" * 20, bytes(400), b"\xff" * 144])
def test_what_does_not_say_dicm_is_no_part_10_file(data: bytes) -> None:
    with pytest.raises(MalformedObject, match="DICM is missing"):
        read_file_meta(data)


def test_the_transfer_syntax_must_be_said() -> None:
    with pytest.raises(MalformedObject, match="transfer syntax") as refused:
        read_file_meta(part10_bytes(file_meta("none", None), PATIENT))
    assert refused.value.tag == 0x00020010


def test_a_head_without_an_end_is_given_up() -> None:
    endless = part10_bytes(b"", element(0x00020102, "OB", bytes(8), HEAD_LIMIT) + b"\x02\x00" * HEAD_LIMIT)
    with pytest.raises(MalformedObject, match="exceeds 64 KB") as refused:
        read_file_meta(endless)
    assert refused.value.tag == 0x00020000


def test_an_unreadable_element_in_the_head_is_malformed() -> None:
    meta = file_meta("odd", ImplicitVRLittleEndian) + pack("<HH2sH", 2, 0x100, b"??", 0)
    with pytest.raises(MalformedObject) as refused:
        read_file_meta(part10_bytes(meta, PATIENT))
    assert refused.value.tag == 0x00020100
