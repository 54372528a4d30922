"""C-STORE (PS3.4 Annex B): what is kept, what is refused, and what the sender is told."""

import copy
import socket
import threading
from io import BytesIO
from pathlib import Path
from struct import pack

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)
from pynetdicom.dsutils import encode
from pynetdicom.presentation import AllStoragePresentationContexts

from pacs.archive import Archive
from pacs.dataset.part10 import read_file_meta
from pacs.dataset.transfer_syntax import TRANSFER_SYNTAXES
from pacs.dimse.wire import data_pdus
from pacs.errors import MalformedObject, NotFound
from pacs.incoming import Incoming
from pacs.model import Instance, Level, Stored
from pacs.query import Query
from testdata.broken import BROKEN, sound
from testdata.compressed import compressed
from testdata.ct import ct_series
from testdata.files import part10
from tests.pacs.dimse.conftest import StartFront
from tests.pacs.dimse.peer import RawPeer, associated, pdu, store
from tests.waiting import wait_until

SYNTAXES = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEG2000Lossless,
    JPEGLSLossless,
]


def small_ct() -> Dataset:
    (dataset,) = ct_series(slices=1, rows=64, columns=64)
    return dataset


def stored(archive: Archive, dataset: Dataset) -> Instance:
    return archive.instance(dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID)


def data_set(archive: Archive, instance: Instance) -> bytes:
    with archive.open(instance) as file:
        return file.read(instance.dataset_offset, file.size)


def count(archive: Archive) -> int:
    return sum(1 for _ in archive.search(Query(Level.INSTANCE)))


def files_below(path: Path) -> list[Path]:
    return [found for found in (path / "objects").rglob("*") if found.is_file()]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=[s.name for s in SYNTAXES])
def test_every_transfer_syntax_is_kept_as_it_was_sent(syntax: str, port: int, archive: Archive) -> None:
    dataset = compressed(small_ct(), syntax)
    assert store(port, dataset).Status == 0
    instance = stored(archive, dataset)
    assert instance.transfer_syntax_uid == syntax
    kept = dcmread(BytesIO(part10(dataset)))
    with archive.open(instance) as file:
        back = dcmread(BytesIO(file.read(0, file.size)))
    assert back.file_meta.SendingApplicationEntityTitle == "SENDER"
    assert back == kept


def test_the_data_set_is_kept_bit_for_bit(port: int, archive: Archive) -> None:
    dataset = small_ct()
    assert store(port, dataset).Status == 0
    assert data_set(archive, stored(archive, dataset)) == encode(dataset, False, True)


def test_every_storage_class_is_accepted_and_others_are_not(port: int) -> None:
    classes = [str(cx.abstract_syntax) for cx in AllStoragePresentationContexts]
    assert len(classes) > 150
    for start in range(0, len(classes), 100):
        wanted = classes[start : start + 100]
        with associated(port, *((uid, ExplicitVRLittleEndian) for uid in wanted)) as association:
            assert [str(cx.abstract_syntax) for cx in association.accepted_contexts] == wanted
    print_class, hanging_protocol_find = "1.2.840.10008.5.1.1.9", "1.2.840.10008.5.1.4.38.2"
    with associated(
        port,
        ("1.2.840.10008.1.1", ExplicitVRLittleEndian),
        (print_class, ExplicitVRLittleEndian),
        (hanging_protocol_find, ExplicitVRLittleEndian),
    ) as association:
        rejected = [str(cx.abstract_syntax) for cx in association.rejected_contexts]
        assert rejected == [print_class, hanging_protocol_find]


PRIVATE, RETIRED = "1.3.12.2.1107.5.9.1", "1.2.840.10008.5.1.4.1.1.6"


@pytest.mark.parametrize("sop_class", [PRIVATE, RETIRED])
def test_unknown_classes_are_taken_unless_a_setting_says_no(
    sop_class: str, start_front: StartFront, archive: Archive
) -> None:
    dataset = small_ct()
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    assert store(start_front(), dataset).Status == 0
    assert stored(archive, dataset).sop_class_uid == sop_class
    strict = start_front(accept_unknown_sop_classes=False)
    verification = "1.2.840.10008.1.1"
    with associated(
        strict, (verification, ExplicitVRLittleEndian), (sop_class, ExplicitVRLittleEndian)
    ) as association:
        assert [str(cx.abstract_syntax) for cx in association.rejected_contexts] == [sop_class]


def test_the_same_object_again_is_a_success_and_kept_once(
    port: int, archive: Archive, tmp_path: Path
) -> None:
    dataset = small_ct()
    assert [store(port, dataset).Status for _ in range(3)] == [0, 0, 0]
    assert count(archive) == 1
    assert len(files_below(tmp_path)) == 1


def test_other_content_under_the_same_uid_is_told_and_set_aside(
    port: int, archive: Archive, tmp_path: Path
) -> None:
    first = small_ct()
    assert store(port, first).Status == 0
    second = copy.deepcopy(first)
    second.ImageComments = "retouched"
    status = store(port, second)
    assert status.Status == 0x0111
    assert "taken by other content" in status.ErrorComment
    assert data_set(archive, stored(archive, first)) == encode(first, False, True)
    (kept,) = (tmp_path / "quarantine").iterdir()
    assert dcmread(kept).ImageComments == "retouched"


def test_a_study_of_another_patient_is_told_and_set_aside(
    port: int, archive: Archive, tmp_path: Path
) -> None:
    first, second = ct_series(slices=2, rows=64, columns=64)
    second.PatientID = "SOMEBODY ELSE"
    assert store(port, first).Status == 0
    status = store(port, second)
    assert status.Status == 0xC002
    assert count(archive) == 1
    assert len(list((tmp_path / "quarantine").iterdir())) == 1


def test_a_data_set_other_than_announced_is_refused(port: int, archive: Archive, tmp_path: Path) -> None:
    dataset = small_ct()
    with RawPeer(port) as peer:
        peer.associate(dataset.SOPClassUID)
        peer.begin_store("1.2.3.4", dataset.SOPClassUID)
        for one in data_pdus(1, False, encode(dataset, False, True) or b"", 16384):
            peer.socket.sendall(one)
        kind, content = peer.read()
    assert kind == 4
    assert b"not of the SOP class and instance announced" in content
    assert (count(archive), files_below(tmp_path)) == (0, [])


def sendable() -> list[str]:
    """The broken objects that can be sent over an association: those with a readable head."""
    names = []
    for name, broken in BROKEN.items():
        try:
            read = read_file_meta(broken.data)
        except MalformedObject:
            continue
        if read and read[0].transfer_syntax_uid in TRANSFER_SYNTAXES:
            names.append(name)
    return names


@pytest.mark.parametrize("name", sendable())
def test_broken_objects_get_the_right_answer_and_leave_nothing(
    name: str, port: int, archive: Archive, tmp_path: Path
) -> None:
    broken = BROKEN[name]
    data = broken.data
    read = read_file_meta(data)
    assert read is not None
    meta, start = read
    with RawPeer(port) as peer:
        peer.associate(meta.sop_class_uid, meta.transfer_syntax_uid)
        peer.begin_store(meta.sop_instance_uid, meta.sop_class_uid)
        for one in data_pdus(1, False, data[start:], 16384):
            peer.socket.sendall(one)
        kind, response = peer.read()
    assert kind == 4
    assert (b"\x00\x00\x00\x09\x02\x00\x00\x00\x00\x00" in response) is broken.accepted
    assert count(archive) == int(broken.accepted)
    assert len(files_below(tmp_path)) == int(broken.accepted)
    assert store(port, small_ct()).Status == 0  # the service lives on


def test_an_abort_in_the_middle_of_an_object_leaves_nothing(
    port: int, archive: Archive, tmp_path: Path
) -> None:
    dataset = small_ct()
    with RawPeer(port) as peer:
        peer.associate(dataset.SOPClassUID)
        peer.begin_store(dataset.SOPInstanceUID, dataset.SOPClassUID)
        half = (encode(dataset, False, True) or b"")[:5000]
        one = b"".join(data_pdus(1, False, half, 16384))
        unfinished = bytearray(one)
        unfinished[11] = 0  # not the last fragment
        peer.socket.sendall(unfinished)
        peer.socket.sendall(pdu(7, b"\0\0\0\0"))
        assert peer.read()[0] == 0
    assert (count(archive), files_below(tmp_path)) == (0, [])
    assert store(port, dataset).Status == 0


def test_a_connection_that_breaks_inside_a_pdu_leaves_nothing(
    port: int, archive: Archive, tmp_path: Path
) -> None:
    dataset = small_ct()
    with RawPeer(port) as peer:
        peer.associate(dataset.SOPClassUID)
        peer.begin_store(dataset.SOPInstanceUID, dataset.SOPClassUID)
        peer.socket.sendall(pdu(4, b"\0\0\x10\0\x01\x00" + b"x" * 50, length=0x1004))
    wait_until(lambda: not files_below(tmp_path))
    assert count(archive) == 0


def test_objects_with_elements_after_the_pixels_are_kept(port: int, archive: Archive) -> None:
    dataset = small_ct()
    dataset.DataSetTrailingPadding = bytes(200)
    assert store(port, dataset).Status == 0
    with pytest.raises(NotFound):
        archive.instances(generate_uid())
    assert stored(archive, dataset).pixels is not None


def test_the_sound_object_of_the_broken_ones_is_sound(port: int, archive: Archive) -> None:
    assert store(port, dcmread(BytesIO(sound()))).Status == 0
    assert count(archive) == 1


def test_what_is_stored_stays_when_its_answer_cannot_be_sent(
    port: int, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = small_ct()
    sent = encode(dataset, is_implicit_vr=False, is_little_endian=True)
    assert sent is not None
    others = set(threading.enumerate())
    keep = archive.store
    with RawPeer(port) as peer:

        def store_when_the_peer_is_gone(incoming: Incoming, _check: object) -> Stored:
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))  # close by reset
            peer.socket.close()
            return keep(incoming)

        monkeypatch.setattr(archive, "store", store_when_the_peer_is_gone)
        peer.associate(dataset.SOPClassUID)
        (association,) = set(threading.enumerate()) - others
        peer.begin_store(dataset.SOPInstanceUID, dataset.SOPClassUID)
        peer.socket.sendall(b"".join(data_pdus(1, False, sent, 65536)))
        association.join(10)
    assert data_set(archive, stored(archive, dataset)) == sent
