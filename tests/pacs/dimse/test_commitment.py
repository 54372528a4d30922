"""The SCP of the Storage Commitment Push Model (PS3.4 J.3), asked by pynetdicom over real associations."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.dsutils import encode
from structlog.testing import capture_logs

from pacs.changes import Bell
from pacs.commitment import Commitment
from pacs.dimse import rounds
from pacs.dimse.command import DATA_SET, N_ACTION_RQ, N_EVENT_REPORT_RQ, decode_command, encode_command
from pacs.dimse.commitment_data import MOST_REFERENCES, Information, read_information, write_information
from pacs.dimse.n_action import Desk
from pacs.dimse.negotiation import Context
from pacs.dimse.teller import Teller
from pacs.dimse.wire import data_pdus
from pacs.files import DiskFiles
from pacs.index import Index
from testdata.ct import ct_series
from tests.pacs.dimse.committing import (
    INSTANCE,
    PUSH_MODEL,
    Reports,
    ask,
    asking,
    listening,
    named,
    uids,
)
from tests.pacs.dimse.peer import RawPeer, pdu, store
from tests.pacs.dimse.scp import free_port
from tests.pacs.dimse.working import at_work
from tests.pacs.objects import file_of
from tests.waiting import wait_until

UID = "2.999.37.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"


@pytest.fixture
def desk(index: Index, bell: Bell, tmp_path: Path) -> Desk:
    return Desk(index.commitment_requests, tmp_path / "doors", bell.ring)


@pytest.fixture
def teller(desk: Desk, index: Index, files: DiskFiles, bell: Bell) -> Teller:
    return Teller(desk, index.peers, Commitment(files, index), bell)


@pytest.fixture
def working(teller: Teller, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(rounds, "PAUSES", (0.2,))
    with at_work(teller.run, bell):
        yield


@pytest.fixture
def ct(port: int) -> list[Dataset]:
    images = ct_series(slices=3, rows=16, columns=16)
    for image in images:
        assert store(port, image).Status == 0
    return images


def reference(sop_class: str, uid: str) -> Dataset:
    """What names an instance."""
    named = Dataset()
    named.SOPClassUID, named.SOPInstanceUID = sop_class, uid
    return named


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian], ids=str
)
def test_j_3_3_who_stays_is_told_over_the_same_association(port: int, ct: list[Dataset], syntax: str) -> None:
    reports = Reports()
    with asking(port, reports, [syntax]) as association:
        for number in range(3):
            assert ask(association, named(f"{UID}.{number}", *ct)) == 0x0000
        assert [reports.next() for _ in range(3)] == [(f"{UID}.{n}", 1, uids(ct), {}) for n in range(3)]
        assert association.send_c_echo().Status == 0x0000
    assert set(reports.associations) == {association}


def test_j_3_3_who_has_left_is_told_over_another(
    index: Index, port: int, ct: list[Dataset], teller: Teller, bell: Bell
) -> None:
    reports = Reports()
    with listening(reports) as peer:
        index.peers.put(peer)
        with asking(port) as association:
            pass
        with asking(port) as association:
            assert ask(association, named(UID, *ct)) == 0x0000
        with at_work(teller.run, bell):
            assert reports.next() == (UID, 1, uids(ct), {})
        (own,) = reports.associations
        assert own is not association
        assert own.requestor.ae_title == "ARCHIVE"  # by which it called us
        assert own.accepted_contexts[0].as_scu


def test_j_3_3_who_leaves_before_the_result_is_told_over_another(
    index: Index, port: int, ct: list[Dataset], teller: Teller, bell: Bell
) -> None:
    reports = Reports()
    with listening(reports) as peer:
        index.peers.put(peer)
        with asking(port, reports) as association:
            assert ask(association, named(UID, *ct)) == 0x0000
        with at_work(teller.run, bell):
            assert reports.next() == (UID, 1, uids(ct), {})
    assert reports.associations != [association]


@pytest.mark.usefixtures("working")
def test_c_14_what_is_not_committed_is_told_with_its_reason(
    port: int, ct: list[Dataset], tmp_path: Path
) -> None:
    damaged, sound, of_class = ct
    file = file_of(tmp_path, damaged)
    file.chmod(0o600)
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    wanted = [damaged, sound, reference(MR, of_class.SOPInstanceUID), reference(CT, "2.999.1"), sound]
    reports = Reports()
    with asking(port, reports) as association:
        assert ask(association, named(UID, *wanted)) == 0x0000
        assert reports.next() == (
            UID,
            2,
            uids([sound]),
            {damaged.SOPInstanceUID: 0x0110, of_class.SOPInstanceUID: 0x0119, "2.999.1": 0x0112},
        )


@pytest.mark.usefixtures("working")
def test_c_14_a_transaction_uid_is_used_once(index: Index, port: int, ct: list[Dataset]) -> None:
    reports = Reports()
    index.commitments.keep(f"{UID}.2", {})  # over the web
    with asking(port, reports) as association:
        for _ in range(2):  # the same once more, as if the response had been lost
            assert ask(association, named(UID, *ct)) == 0x0000
            assert reports.next() == (UID, 1, uids(ct), {})
        for uid in (UID, f"{UID}.2"):
            assert ask(association, named(uid, ct[0])) == 0x0000
            assert reports.next() == (uid, 2, [], {ct[0].SOPInstanceUID: 0x0131})


def test_who_does_not_answer_is_tried_again(
    index: Index,
    port: int,
    ct: list[Dataset],
    teller: Teller,
    bell: Bell,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds, "PAUSES", (0.2,))
    where = free_port()
    reports = Reports(status=lambda count: 0x0110 if count == 1 else 0x0000)
    with listening(reports, where) as peer:
        index.peers.put(peer)
    with asking(port) as association:
        assert ask(association, named(UID, *ct)) == 0x0000
    with capture_logs() as logs, at_work(teller.run, bell):
        wait_until(lambda: any("could not be told" in one["event"] for one in logs))
        with listening(reports, where, takes=False):
            wait_until(lambda: any("no report of a commitment" in one.get("reason", "") for one in logs))
        with listening(reports, where):
            assert [reports.next() for _ in range(2)] == [(UID, 1, uids(ct), {})] * 2
        wait_until(lambda: index.commitment_requests.next_due() is None)


def test_a_report_that_is_refused_for_good_is_not_told_again(
    index: Index, port: int, ct: list[Dataset], teller: Teller, bell: Bell
) -> None:
    reports = Reports(status=lambda _: 0x0115)
    with listening(reports) as peer, capture_logs() as logs:
        index.peers.put(peer)
        with asking(port) as association:
            ask(association, named(UID, *ct))
        with at_work(teller.run, bell):
            reports.next()
            wait_until(lambda: index.commitment_requests.next_due() is None)
    assert [one["status"] for one in logs if "not taken" in one["event"]] == ["0115"]


def test_who_is_not_known_is_told_once_it_is(
    index: Index, port: int, ct: list[Dataset], teller: Teller, bell: Bell
) -> None:
    reports = Reports()
    with asking(port) as association:
        assert ask(association, named(UID, *ct)) == 0x0000
    with capture_logs() as logs, at_work(teller.run, bell):
        wait_until(lambda: any("not known" in one["event"] for one in logs))
        (warning,) = (one for one in logs if "not known" in one["event"])
        assert warning["advice"] == "diafana peer add MODALITY HOST PORT"
        wait_until(lambda: index.commitment_requests.next_due() is None)
        with listening(reports) as peer:
            index.peers.put(peer)
            bell.ring()
            assert reports.next() == (UID, 1, uids(ct), {})


def test_what_was_asked_outlives_who_looks_at_it(
    index: Index, port: int, ct: list[Dataset], teller: Teller, bell: Bell
) -> None:
    """A service that ends while it waits; the next begins with nothing but the index."""
    reports = Reports()
    with listening(reports) as peer:
        index.peers.put(peer)
        with asking(port, reports) as association:
            assert ask(association, named(UID, *ct)) == 0x0000
            index.commitment_requests.leave_all()
            with at_work(teller.run, bell):
                assert reports.next() == (UID, 1, uids(ct), {})
    assert reports.associations != [association]


def without(keyword: str) -> Dataset:
    data_set = named(UID, reference(CT, "1.2.3"))
    delattr(data_set, keyword)
    return data_set


def broken(keyword: str, value: str) -> Dataset:
    data_set = named(UID, reference(CT, "1.2.3"))
    setattr(data_set.ReferencedSOPSequence[0], keyword, value)
    return data_set


SOUND = named(UID, reference(CT, "1.2.3"))


@pytest.mark.parametrize(
    ("data_set", "said", "status"),
    [
        (SOUND, {"action": 2}, 0x0123),
        (SOUND, {"instance": "1.2.3"}, 0x0112),
        (SOUND, {"sop_class": CT}, 0x0118),
        (without("TransactionUID"), {}, 0x0115),
        (without("ReferencedSOPSequence"), {}, 0x0115),
        (named(UID), {}, 0x0115),
        (broken("ReferencedSOPInstanceUID", ""), {}, 0x0115),
        (broken("ReferencedSOPClassUID", ""), {}, 0x0115),
    ],
)
def test_10_1_4_what_is_no_request_is_refused(
    index: Index, port: int, data_set: Dataset, said: dict[str, str], status: int
) -> None:
    with asking(port) as association:
        assert ask(association, data_set, **said) == status  # type: ignore[arg-type]
        assert association.send_c_echo().Status == 0x0000
    assert index.commitment_requests.next_due() is None


def raw(peer: RawPeer, data_set: bytes | None) -> int:
    command = {
        "RequestedSOPClassUID": PUSH_MODEL,
        "CommandField": N_ACTION_RQ,
        "MessageID": 7,
        "CommandDataSetType": DATA_SET if data_set is not None else 0x0101,
        "RequestedSOPInstanceUID": INSTANCE,
        "ActionTypeID": 1,
    }
    pdus = data_pdus(1, True, encode_command(command), 16384)
    peer.socket.sendall(
        b"".join(pdus + (data_pdus(1, False, data_set, 65536) if data_set is not None else []))
    )
    kind, content = peer.read()
    assert kind == 4
    response = decode_command(content[6:])
    assert (response["AffectedSOPClassUID"], response["AffectedSOPInstanceUID"]) == (PUSH_MODEL, INSTANCE)
    assert (response["ActionTypeID"], response["MessageIDBeingRespondedTo"]) == (1, 7)
    status: int = response["Status"]
    return status


def many(number: int) -> bytes:
    references = [(CT, f"2.999.{n}") for n in range(number)]
    return write_information(Information(UID, references), Context(PUSH_MODEL, ExplicitVRLittleEndian))


def test_10_1_4_monstrous_and_broken_requests_are_refused(index: Index, port: int) -> None:
    with RawPeer(port) as peer:
        peer.associate(PUSH_MODEL)
        assert raw(peer, None) == 0x0115
        assert raw(peer, b"\x08\x00\x95\x11UI\xff\xff") == 0x0115
        assert raw(peer, many(MOST_REFERENCES + 1)) == 0x0213
        assert raw(peer, bytes(33 << 20)) == 0x0213
        assert index.commitment_requests.next_due() is None
        assert raw(peer, many(MOST_REFERENCES)) == 0x0000
    (owed,) = index.commitment_requests.due(1e12)
    assert len(index.commitment_requests.references(owed.key)) == MOST_REFERENCES


@pytest.mark.usefixtures("working")
def test_j_3_2_1_2_who_releases_instead_of_answering_is_told_over_another(index: Index, port: int) -> None:
    reports = Reports()
    with listening(reports) as peer, RawPeer(port) as raw_peer:
        index.peers.put(peer._replace(ae_title="RAW"))
        raw_peer.associate(PUSH_MODEL)
        assert raw(raw_peer, many(1)) == 0x0000
        kind, content = raw_peer.read()
        assert (kind, decode_command(content[6:])["CommandField"]) == (4, N_EVENT_REPORT_RQ)
        assert raw_peer.read()[0] == 4  # its data set
        raw_peer.socket.sendall(pdu(5, bytes(4)))
        assert raw_peer.read()[0] == 6  # A-RELEASE-RP
        assert reports.next() == (UID, 2, [], {"2.999.0": 0x0112})


def test_too_many_requests_are_refused(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pacs.index.commitment_requests.MOST_WAITING", 1)
    with asking(port) as association:
        assert ask(association, SOUND) == 0x0000
        assert ask(association, named(f"{UID}.2", reference(CT, "1.2.3"))) == 0x0213


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian], ids=str
)
def test_information_is_what_pydicom_makes_of_it(syntax: str) -> None:
    references = [(CT, "2.999.1"), (MR, "2.999.22")]
    failures = [((CT, "2.999.3"), 0x0112), ((MR, "2.999.44"), 0x0213)]
    images = [reference(c, u) for c, u in (*references, *(f[0] for f in failures))]
    data_set = named("2.999.5", *images, failed={uid: reason for (_, uid), reason in failures})
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    encoded = encode(data_set, implicit, little)
    assert encoded is not None
    context = Context(PUSH_MODEL, syntax)
    information = Information("2.999.5", references, failures)
    assert write_information(information, context) == encoded
    assert read_information(encoded, context) == information
