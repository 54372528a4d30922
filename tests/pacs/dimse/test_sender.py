"""The SCU of the Storage Service (PS3.4 Annex B, PS3.7 9.1.1) against DCMTK and pynetdicom."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from struct import pack
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)
from pynetdicom import evt

from pacs.archive import Archive
from pacs.dimse import requestor
from pacs.dimse.command import C_ECHO_RQ, DATA_SET, Command, encode_command
from pacs.dimse.dialogue import Dialogue, echo
from pacs.dimse.negotiation import Context
from pacs.dimse.requestor import PeerFailed
from pacs.dimse.sender import Originator, Sent, send
from pacs.dimse.status import SOP_CLASS_NOT_SUPPORTED
from pacs.dimse.wire import P_DATA, data_pdus, values
from pacs.model import Instance, Peer
from testdata.compressed import compressed
from testdata.ct import ct_series
from testdata.dose_report import dose_report
from testdata.mr import mr_series
from testdata.us import us_cine
from tests.pacs.dimse.peer import pdu
from tests.pacs.dimse.scp import answering, free_port, storescp
from tests.pacs.objects import keep


@pytest.fixture
def ct(archive: Archive) -> list[Instance]:
    return keep(archive, *ct_series(slices=4, rows=32, columns=32))


def received(folder: Path) -> dict[str, Dataset]:
    return {one.SOPInstanceUID: one for one in map(dcmread, folder.iterdir())}


def stored_bytes(archive: Archive, instance: Instance) -> bytes:
    return b"".join(archive.data_set(instance, instance.transfer_syntax_uid))


def succeeded(instances: list[Instance]) -> list[Sent]:
    return [Sent(instance.sop_instance_uid, 0) for instance in instances]


@pytest.mark.needs("storescp")
def test_objects_arrive_as_they_are_stored(archive: Archive, tmp_path: Path) -> None:
    head = mr_series(slices=3, rows=48, columns=40)
    instances = keep(
        archive,
        compressed(head[0], JPEGLSLossless),
        compressed(head[1], RLELossless),
        head[2],
        dose_report(),
        us_cine(frames=5, rows=480, columns=640),
    )
    with storescp(tmp_path / "received", "+xa", "-B") as peer:
        assert list(send(archive, peer, "DIAFANA", instances)) == succeeded(instances)
    files = [file.read_bytes() for file in (tmp_path / "received").iterdir()]
    for instance in instances:
        assert any(file.endswith(stored_bytes(archive, instance)) for file in files)


@pytest.mark.needs("storescp")
@pytest.mark.parametrize(
    ("option", "syntax"), [("+x=", ExplicitVRLittleEndian), ("+xi", ImplicitVRLittleEndian)]
)
def test_what_the_peer_does_not_take_is_converted(
    archive: Archive, tmp_path: Path, option: str, syntax: str
) -> None:
    head = mr_series(slices=4, rows=48, columns=42)
    syntaxes = (JPEGLSLossless, RLELossless, ExplicitVRBigEndian)
    sent = [compressed(one, syntax) for one, syntax in zip(head, syntaxes, strict=False)]
    sent += [head[3], dose_report()]
    instances = keep(archive, *sent)
    with storescp(tmp_path / "received", option) as peer:
        assert list(send(archive, peer, "DIAFANA", instances)) == succeeded(instances)
    for instance in instances:
        got = received(tmp_path / "received")[instance.sop_instance_uid]
        assert got.file_meta.TransferSyntaxUID in (syntax, instance.transfer_syntax_uid)
        stored = archive.dataset(instance)
        if "PixelData" in stored:
            assert (got.pixel_array == stored.pixel_array).all()
            del got.PixelData, stored.PixelData
        assert got.to_json_dict() == stored.to_json_dict()


@pytest.mark.needs("storescp")
def test_the_preferred_transfer_syntaxes_of_a_peer_come_first(archive: Archive, tmp_path: Path) -> None:
    """Where it takes them and nothing is lost; what has no pixels goes as it is."""
    plain, rle, report = keep(
        archive,
        *(compressed(one, syntax) for one, syntax in zip(
            mr_series(slices=2, rows=48, columns=42), (ExplicitVRLittleEndian, RLELossless), strict=True
        )),
        dose_report(),
    )  # fmt: skip
    instances = [plain, rle, report]
    for option, preferred, expected in (
        ("+xa", (JPEGLSLossless, RLELossless), JPEGLSLossless),
        ("+xr", (JPEGLSLossless, RLELossless), RLELossless),
        ("+xa", (JPEGBaseline8Bit, ImplicitVRLittleEndian), ImplicitVRLittleEndian),
    ):
        folder = tmp_path / expected
        with storescp(folder, option) as peer:
            preferring = peer._replace(transfer_syntaxes=preferred)
            assert list(send(archive, preferring, "DIAFANA", instances)) == succeeded(instances)
        came = received(folder)
        syntaxes = [came[one.sop_instance_uid].file_meta.TransferSyntaxUID for one in (plain, rle)]
        assert syntaxes == [expected, expected]
        for one in (plain, rle):
            assert (came[one.sop_instance_uid].pixel_array == archive.dataset(one).pixel_array).all()


def test_warnings_and_failures_are_told_for_each_object(archive: Archive, ct: list[Instance]) -> None:
    statuses = dict(zip([one.sop_instance_uid for one in ct], (0x0000, 0xB000, 0xA700, 0xC001), strict=True))
    with answering(lambda event: statuses[event.request.AffectedSOPInstanceUID]) as peer:
        assert list(send(archive, peer, "DIAFANA", ct)) == [Sent(*pair) for pair in statuses.items()]


def test_what_the_peer_has_no_context_for_is_refused_and_the_rest_sent(
    archive: Archive, ct: list[Instance]
) -> None:
    (report,) = keep(archive, dose_report())
    (jpeg,) = keep(archive, us_cine(frames=2, rows=16, columns=16))
    assert jpeg.transfer_syntax_uid not in (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
    taken = ct[0].sop_class_uid, jpeg.sop_class_uid
    with answering(lambda _: 0, taken, [ExplicitVRBigEndian]) as peer:
        assert list(send(archive, peer, "DIAFANA", [report, jpeg])) == [
            Sent(report.sop_instance_uid, SOP_CLASS_NOT_SUPPORTED),
            Sent(jpeg.sop_instance_uid, SOP_CLASS_NOT_SUPPORTED),
        ]
    with answering(lambda _: 0, taken) as peer:
        sent = list(send(archive, peer, "DIAFANA", [report, *ct]))
    assert sent == [Sent(report.sop_instance_uid, SOP_CLASS_NOT_SUPPORTED), *succeeded(ct)]


def test_who_asked_for_the_move_is_told(archive: Archive, ct: list[Instance]) -> None:
    told: list[tuple[str, int]] = []

    def answer(event: Any) -> int:
        request = event.request
        told.append((request.MoveOriginatorApplicationEntityTitle, request.MoveOriginatorMessageID))
        return 0

    with answering(answer) as peer:
        assert list(send(archive, peer, "DIAFANA", ct[:1], Originator("MOVER", 7))) == succeeded(ct[:1])
    assert told == [("MOVER", 7)]


def test_more_contexts_than_one_association_holds_take_more_associations(
    archive: Archive, ct: list[Instance]
) -> None:
    # Each SOP class takes two contexts; the objects are refused, for their class is not the one proposed
    many = [ct[0]._replace(sop_class_uid=f"2.999.1.{number}") for number in range(130)]
    asked: list[int] = []

    def count(event: Any) -> None:
        asked.append(len(event.assoc.requestor.requested_contexts))

    with answering(lambda _: 0, handlers=[(evt.EVT_REQUESTED, count)]) as peer:
        sent = list(send(archive, peer, "DIAFANA", [*many, ct[0]]))
    assert asked == [128, 128, 6]
    assert [one.status for one in sent] == [SOP_CLASS_NOT_SUPPORTED] * 130 + [0]


def test_taking_no_more_results_ends_the_sending(archive: Archive, ct: list[Instance]) -> None:
    released = threading.Event()
    came: list[str] = []

    def answer(event: Any) -> int:
        came.append(event.request.AffectedSOPInstanceUID)
        return 0

    handlers = [(evt.EVT_RELEASED, lambda _: released.set())]
    with answering(answer, handlers=handlers) as peer:
        results = send(archive, peer, "DIAFANA", ct)
        next(results)
        results.close()
        assert released.wait(20)
    assert came == [ct[0].sop_instance_uid]


def test_an_object_that_cannot_be_read_to_its_end_is_not_passed_on(archive: Archive, tmp_path: Path) -> None:
    whole, damaged, behind = keep(
        archive,
        *(compressed(one, RLELossless) for one in mr_series(slices=2, rows=48, columns=40)),
        mr_series(slices=3, rows=48, columns=40)[2],
    )
    (file,) = tmp_path.glob(f"**/{damaged.file}*")
    content = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(content[: damaged.size - 2000] + bytes(2000))
    came: list[str] = []

    def answer(event: Any) -> int:
        came.append(event.request.AffectedSOPInstanceUID)
        return 0

    with answering(answer, [whole.sop_class_uid]) as peer:
        sent = list(send(archive, peer, "DIAFANA", [whole, damaged, behind]))
    assert [one.status for one in sent] == [0, 0x0110, 0]
    assert came == [whole.sop_instance_uid, behind.sop_instance_uid]


def test_a_lost_file_is_told_and_the_rest_sent(archive: Archive, ct: list[Instance], tmp_path: Path) -> None:
    (file,) = tmp_path.glob(f"**/{ct[1].file}*")
    file.unlink()
    with answering(lambda _: 0) as peer:
        assert [one.status for one in send(archive, peer, "DIAFANA", ct)] == [0, 0x0112, 0, 0]


@pytest.fixture
def deaf() -> Iterator[Peer]:
    """It takes the connection, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Peer("DEAF", "127.0.0.1", listener.getsockname()[1])


def test_a_peer_that_does_not_answer_is_a_failure(
    archive: Archive, ct: list[Instance], deaf: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requestor, "ANSWER_TIME", 0.1)
    with pytest.raises(PeerFailed, match=f"DEAF at 127.0.0.1:{deaf.port}: .*silent"):
        list(send(archive, deaf, "DIAFANA", ct))


def test_an_absent_peer_is_a_failure(archive: Archive, ct: list[Instance]) -> None:
    with pytest.raises(PeerFailed, match="refused"):
        list(send(archive, Peer("ABSENT", "127.0.0.1", free_port()), "DIAFANA", ct))
    with pytest.raises(PeerFailed, match="no connection"):
        list(send(archive, Peer("ABSENT", "no-such-host.invalid", 104), "DIAFANA", ct))
    with pytest.raises(PeerFailed, match="no connection"):
        list(send(archive, Peer("ABSENT", "x" * 70, 104), "DIAFANA", ct))


def test_a_peer_that_refuses_says_why(archive: Archive, ct: list[Instance]) -> None:
    refused = pytest.raises(PeerFailed, match="does not know our AE title")
    with answering(lambda _: 0, require_title=True) as peer, refused:
        list(send(archive, peer, "DIAFANA", ct))


def test_what_was_answered_before_the_peer_aborted_is_told(archive: Archive, ct: list[Instance]) -> None:
    def answer(event: Any) -> int:
        if event.request.AffectedSOPInstanceUID == ct[2].sop_instance_uid:
            event.assoc.abort()
        return 0

    sent: list[Sent] = []
    with answering(answer) as peer, pytest.raises(PeerFailed, match="SCP at"):
        for one in send(archive, peer, "DIAFANA", ct):
            sent.append(one)
    assert sent == succeeded(ct[:2])


def test_we_are_a_peer_of_ourselves(archive: Archive, ct: list[Instance], port: int) -> None:
    peer = Peer("DIAFANA", "127.0.0.1", port)
    echo(peer, "DIAFANA")
    assert list(send(archive, peer, "DIAFANA", ct)) == succeeded(ct)


def test_echo_is_answered() -> None:
    with answering(lambda _: 0) as peer:
        echo(peer, "DIAFANA")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x02\x00\x00\x00\x00\x04abcd",
        b"\x09\x00\x00\x00\x00\x04abcd",
        b"\x04\x00\x00\x00\x00\x04abcd",
        b"\x07\x00\x00\x00\x00\x04\x00\x00\x00\x00",
        b"\x03\x00\x00\x00\x00\x04\x00\x01\x01\x09",
        b"\x03\x00\x00\x00\x00\x00",
        b"\xff" * 4000,
    ],
)
def test_whatever_the_peer_says_instead_is_a_failure(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(answer)

        thread = threading.Thread(target=speak)
        thread.start()
        peer = Peer("ODD", "127.0.0.1", listener.getsockname()[1])
        with pytest.raises(PeerFailed, match="ODD at"):
            Dialogue(peer, "DIAFANA", [Context("1.2.840.10008.1.1", ImplicitVRLittleEndian)])
        thread.join()


RESPONSE: Command = {
    "CommandField": C_ECHO_RQ | 0x8000,
    "MessageIDBeingRespondedTo": 1,
    "CommandDataSetType": DATA_SET,
    "Status": 0,
}


def fragment(control: int, content: bytes = b"") -> bytes:
    """A P-DATA-TF PDU of the first context, with one fragment."""
    return pdu(P_DATA, pack(">IBB", len(content) + 2, 1, control) + content)


@pytest.mark.parametrize(
    ("begin", "endless"),
    [
        (b"", fragment(1)),
        (fragment(3, encode_command(RESPONSE)), fragment(0)),
        (fragment(3, encode_command(RESPONSE)), fragment(0, b"xx")),
    ],
)
def test_a_message_that_does_not_end_is_a_failure(
    begin: bytes, endless: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often something comes; empty fragments have no bytes that could be too many.

    Whoever is waited for a last millisecond may be silent in that.
    """
    monkeypatch.setattr(requestor, "RESPONSE_TIME", 0.5)
    monkeypatch.setattr(requestor, "DATA_SET_TIME", 0.5)
    verification = Context("1.2.840.10008.1.1", ImplicitVRLittleEndian)

    def chatter(event: Any) -> int:
        connection = event.assoc.dul.socket.socket
        with connection, suppress(OSError):
            connection.sendall(begin)
            while True:
                connection.sendall(endless)
        return 0

    with (
        answering(lambda _: 0, handlers=[(evt.EVT_C_ECHO, chatter)]) as peer,
        Dialogue(peer, "DIAFANA", [verification], most_bytes=1 << 30) as association,
        pytest.raises(PeerFailed, match=r"does not end|silent for too long"),
    ):
        association.request(
            verification, {"CommandField": C_ECHO_RQ, "AffectedSOPClassUID": verification.abstract_syntax}
        )


def test_fragments_are_of_even_length_and_the_last_says_so() -> None:
    """PS3.8 9.3.5 and E.2, for a peer whose limit is odd."""
    data = bytes(range(256)) * 40
    parts = [*data_pdus(5, False, data[:6000], 4097, is_end=False), *data_pdus(5, False, data[6000:], 4097)]
    pdus = [b"".join(pair) for pair in zip(parts[::2], parts[1::2], strict=True)]
    (sent,) = zip(*[values(memoryview(pdu)[6:]) for pdu in pdus], strict=True)
    assert b"".join(piece for _, _, piece in sent) == data
    assert [len(piece) % 2 for _, _, piece in sent] == [0] * len(pdus)
    assert [(context, control) for context, control, _ in sent] == [(5, 0)] * (len(pdus) - 1) + [(5, 2)]
    assert max(map(len, pdus)) <= 4097 + 6
