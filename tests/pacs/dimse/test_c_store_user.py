"""Sending stored objects to other systems (PS3.4 B.2.1)."""

import socket
import threading
from collections.abc import Sequence

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    MRImageStorage,
    RLELossless,
)

from pacs.archive import Archive
from pacs.dimse import c_store_user
from pacs.dimse.c_store_user import CLASS_NOT_TAKEN, NOT_READABLE, SYNTAX_NOT_TAKEN, echo, send
from pacs.dimse.requestor import NotAssociated
from pacs.model import Instance, Peer, Source
from testdata.compressed import compressed
from testdata.ct import ct_series
from testdata.dose_report import dose_report
from testdata.files import part10
from testdata.mr import mr_series
from tests.pacs.dimse.scp import free_port, receiver, storescp

EXPLICIT, IMPLICIT = str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian)
BIG_ENDIAN = str(ExplicitVRBigEndian)


def keep(archive: Archive, *datasets: Dataset) -> list[Instance]:
    for dataset in datasets:
        incoming = archive.sender(Source(address="test")).begin_part10()
        incoming.write(part10(dataset))
        archive.store(incoming)
    return [
        archive.instance(one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID) for one in datasets
    ]


def sent(archive: Archive, peer: Peer, instances: Sequence[Instance]) -> list[int]:
    return [status for _, status in send(archive, peer, "DIAFANA", instances)]


@pytest.fixture
def images() -> list[Dataset]:
    return ct_series(slices=3, rows=32, columns=32)


@pytest.mark.needs("storescp")
def test_objects_arrive_at_storescp_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, archive: Archive, images: list[Dataset]
) -> None:
    folder = tmp_path_factory.mktemp("other")
    kinds = [*images, dose_report(), compressed(mr_series(slices=1, rows=32, columns=32)[0], RLELossless)]
    instances = keep(archive, *kinds)
    with storescp(folder, "+xa") as peer:
        assert sent(archive, peer, instances) == [0] * 5
    arrived = {str(one.SOPInstanceUID): one for one in map(dcmread, folder.iterdir())}
    assert arrived.keys() == {str(one.SOPInstanceUID) for one in kinds}
    for one in kinds:
        there = arrived[str(one.SOPInstanceUID)]
        assert there.file_meta.TransferSyntaxUID == one.file_meta.TransferSyntaxUID
        assert there == one


@pytest.mark.parametrize("taken", [EXPLICIT, IMPLICIT])
@pytest.mark.parametrize(
    "stored", [EXPLICIT, IMPLICIT, str(ExplicitVRBigEndian), RLELossless, JPEG2000Lossless]
)
def test_what_the_other_does_not_take_is_converted(
    archive: Archive, images: list[Dataset], stored: str, taken: str
) -> None:
    image = images[0]
    instances = keep(archive, _in(image, stored))
    with receiver([CTImageStorage], [taken]) as other:
        assert sent(archive, other.peer, instances) == [0]
    (there,) = other.received
    assert there.file_meta.TransferSyntaxUID == taken
    assert (there.pixel_array == image.pixel_array).all()
    assert there.PatientName == image.PatientName


def _in(image: Dataset, transfer_syntax_uid: str) -> Dataset:
    if transfer_syntax_uid in (RLELossless, JPEG2000Lossless):
        return compressed(image, transfer_syntax_uid)
    image.file_meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    if transfer_syntax_uid == ExplicitVRBigEndian:
        swapped = np.frombuffer(image.PixelData, "<u2").astype(">u2")
        image.PixelData = swapped.tobytes()
    return image


def test_compressed_objects_stay_so_where_they_are_taken(archive: Archive, images: list[Dataset]) -> None:
    image = compressed(images[0], JPEG2000Lossless)
    instances = keep(archive, image)
    with receiver([CTImageStorage], [EXPLICIT, JPEG2000Lossless]) as other:
        assert sent(archive, other.peer, instances) == [0]
    assert other.received[0].file_meta.TransferSyntaxUID == JPEG2000Lossless
    assert other.received[0].PixelData == image.PixelData


def test_what_is_not_taken_at_all_is_told(archive: Archive, images: list[Dataset]) -> None:
    mr = mr_series(slices=1, rows=16, columns=16)[0]
    instances = keep(archive, images[0], mr)
    with receiver([MRImageStorage], [EXPLICIT]) as other:
        assert sent(archive, other.peer, instances) == [CLASS_NOT_TAKEN, 0]
    with receiver([CTImageStorage, MRImageStorage], [BIG_ENDIAN]) as other:
        assert sent(archive, other.peer, instances) == [CLASS_NOT_TAKEN] * 2


def test_what_cannot_be_converted_is_told(archive: Archive, images: list[Dataset]) -> None:
    damaged = compressed(images[0], JPEG2000Lossless)
    damaged.PixelData = encapsulate([b"no code stream"])
    instances = keep(archive, damaged, images[1])
    with receiver([CTImageStorage], [EXPLICIT]) as other:
        assert sent(archive, other.peer, instances) in ([SYNTAX_NOT_TAKEN, 0], [NOT_READABLE, 0])


def test_statuses_are_given_back(archive: Archive, images: list[Dataset]) -> None:
    answers = iter([0xB007, 0xA900, 0x0000])
    with receiver([CTImageStorage], [EXPLICIT], lambda _: next(answers)) as other:
        assert sent(archive, other.peer, keep(archive, *images)) == [0xB007, 0xA900, 0x0000]


def test_the_move_that_caused_it_is_named(archive: Archive, images: list[Dataset]) -> None:
    instances = keep(archive, images[0])
    originator = {"MoveOriginatorApplicationEntityTitle": "ASKER", "MoveOriginatorMessageID": 7}
    with receiver([CTImageStorage], [EXPLICIT]) as other:
        list(send(archive, other.peer, "DIAFANA", instances, originator))
    assert other.commands[0].MoveOriginatorApplicationEntityTitle == "ASKER"
    assert other.commands[0].MoveOriginatorMessageID == 7


def test_an_object_of_many_pieces_arrives_whole(archive: Archive) -> None:
    large = ct_series(slices=1, rows=1024, columns=1024)[0]  # 2 MB in PDUs of 16 KB
    instances = keep(archive, large)
    with receiver([CTImageStorage], [EXPLICIT]) as other:
        assert sent(archive, other.peer, instances) == [0]
    assert other.received[0].PixelData == large.PixelData


def test_more_kinds_than_contexts_take_several_associations(
    archive: Archive, images: list[Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(c_store_user, "MOST_CONTEXTS", 2)
    mr = mr_series(slices=2, rows=16, columns=16)
    instances = keep(archive, images[0], mr[0], images[1], mr[1])
    with receiver([CTImageStorage, MRImageStorage], [EXPLICIT]) as other:
        assert sent(archive, other.peer, instances) == [0] * 4
    assert other.uids == [one.sop_instance_uid for one in instances]


def test_a_lost_file_is_told_and_the_others_arrive(archive: Archive, images: list[Dataset]) -> None:
    instances = keep(archive, *images)
    lost = instances[1]._replace(file="2000/01/01/00/lost.dcm")
    with receiver([CTImageStorage], [EXPLICIT]) as other:
        assert sent(archive, other.peer, [instances[0], lost, instances[2]]) == [0, 0x0110, 0]
    assert other.uids == [instances[0].sop_instance_uid, instances[2].sop_instance_uid]


def test_who_is_not_there_is_named(archive: Archive, images: list[Dataset]) -> None:
    nobody = Peer("NOBODY", "127.0.0.1", free_port())
    with pytest.raises(NotAssociated, match=f"NOBODY at 127.0.0.1:{nobody.port}: Connection refused"):
        sent(archive, nobody, keep(archive, images[0]))
    with pytest.raises(NotAssociated):
        echo(nobody, "DIAFANA")


def test_who_breaks_off_in_the_middle_is_named(archive: Archive, images: list[Dataset]) -> None:
    instances = keep(archive, *images)
    given: list[int] = []

    def answer(event: object) -> int:
        if len(given) == 1:
            event.assoc.abort()  # type: ignore[attr-defined]
        given.append(1)
        return 0

    with receiver([CTImageStorage], [EXPLICIT], answer) as other, pytest.raises(NotAssociated, match="OTHER"):
        for _, status in send(archive, other.peer, "DIAFANA", instances):
            assert status == 0


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x02\x00\xff\xff\xff\xff", bytes(64)]
)
def test_what_speaks_no_dicom_is_named(archive: Archive, images: list[Dataset], said: bytes) -> None:
    instances = keep(archive, images[0])
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            connection, _ = listener.accept()
            connection.recv(4096)
            connection.sendall(said)
            connection.close()

        thread = threading.Thread(target=talk)
        thread.start()
        with pytest.raises(NotAssociated, match="STRANGE at"):
            sent(archive, Peer("STRANGE", "127.0.0.1", listener.getsockname()[1]), instances)
        thread.join()


def test_echo_is_answered() -> None:
    with receiver([], [IMPLICIT]) as other:
        assert echo(other.peer, "DIAFANA") == 0
