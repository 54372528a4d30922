"""The SCU of the Storage Commitment Push Model (PS3.4 J.3): what was sent is asked to be committed."""

from collections.abc import Callable, Iterator

import pytest
from pydicom import Dataset

from pacs.archive import Archive
from pacs.changes import Bell
from pacs.dimse import commitment_user, rounds
from pacs.dimse.courier import Courier
from pacs.index import Index, Sending
from pacs.model import Instance, Peer
from testdata.ct import ct_series
from tests.pacs.dimse.committing import (
    Committer,
    committing,
    event_report,
    named,
    reporting,
    uids,
)
from tests.pacs.dimse.working import at_work
from tests.pacs.objects import keep
from tests.waiting import wait_until

UID = "2.999.37.20"


@pytest.fixture
def images() -> list[Dataset]:
    return ct_series(slices=3, rows=16, columns=16)


@pytest.fixture
def stored(archive: Archive, images: list[Dataset]) -> list[Instance]:
    return keep(archive, *images)


@pytest.fixture
def ring_outbox(bell: Bell) -> Callable[[], None]:
    """The front wakes the courier."""
    return bell.ring


@pytest.fixture(autouse=True)
def courier(archive: Archive, index: Index, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(rounds, "PAUSES", (0.2,))
    monkeypatch.setattr(commitment_user, "HERE", 20.0)
    with at_work(Courier(archive, index, "DIAFANA", bell).run, bell):
        yield


@pytest.fixture
def where(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """Over which association it reports: of another, ours is not to be held open for it."""
    if request.param == "another":
        monkeypatch.setattr(commitment_user, "HERE", 0.1)
    return str(request.param)


Send = Callable[[Peer], None]


@pytest.fixture
def send(index: Index, stored: list[Instance], bell: Bell) -> Send:
    def send(peer: Peer) -> None:
        index.peers.put(peer)
        assert index.outbox.add(UID, peer.ae_title, stored)
        bell.ring()

    return send


def sending(index: Index) -> Sending:
    found = index.outbox.sending(UID)
    assert found is not None
    return found


def ended(index: Index) -> Sending:
    wait_until(lambda: sending(index).has_ended)
    return sending(index)


def committed(sending: Sending) -> list[str]:
    return sorted(uid for _, uid in sending.committed)


@pytest.mark.parametrize("where", ["here", "early", "another"], indirect=True)
def test_j_3_3_a_report_is_heard_over_both_kinds_of_associations(
    index: Index, port: int, send: Send, images: list[Dataset], where: str
) -> None:
    with committing(Committer(port if where == "another" else where)) as other:
        send(other.peer)
        told = ended(index)
        assert other.answered.get(timeout=20) == 0x0000
    assert (told.completed, told.failed, committed(told)) == (3, [], uids(images))
    (request,) = other.asked
    assert sorted(one.ReferencedSOPInstanceUID for one in request.ReferencedSOPSequence) == uids(images)
    assert sorted(other.stored) == uids(images)


@pytest.mark.parametrize("where", ["here", "another"], indirect=True)
def test_what_is_not_committed_is_sent_again_once(
    index: Index, port: int, send: Send, images: list[Dataset], where: str
) -> None:
    first, second, third = uids(images)

    def failing(uid: str, asked: int) -> int:
        return {first: 0x0110 if asked == 1 else 0, second: 0x0112, third: 0}[uid]

    with committing(Committer(port if where == "another" else where, failing)) as other:
        send(other.peer)
        told = ended(index)
    assert sorted(other.stored) == sorted([*uids(images), first, second])
    again = other.asked[1].ReferencedSOPSequence
    assert sorted(one.ReferencedSOPInstanceUID for one in again) == [first, second]
    assert (told.completed, committed(told)) == (2, [first, third])
    assert [(uid, reason) for _, uid, reason in told.failed] == [(second, 0x0112)]
    assert len({str(request.TransactionUID) for request in other.asked}) == len(other.asked) == 2


def test_what_is_left_out_of_a_report_is_not_committed(
    index: Index, send: Send, images: list[Dataset]
) -> None:
    first, second, third = uids(images)
    with committing(Committer("here", lambda uid, _: {first: 0, second: 0x0112}.get(uid))) as other:
        send(other.peer)
        told = ended(index)
    assert {uid: reason for _, uid, reason in told.failed} == {second: 0x0112, third: 0x0110}
    assert committed(told) == [first]


def test_what_is_never_reported_is_sent_again_once(
    index: Index, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commitment_user, "HERE", 0.1)
    monkeypatch.setattr(commitment_user, "WAITED_FOR", 0.5)
    with committing(Committer(None)) as other:
        send(other.peer)
        told = ended(index)
    assert (len(other.stored), len(other.asked)) == (6, 2)
    assert [reason for _, _, reason in told.failed] == [0x0110] * 3
    assert told.committed == ()


def test_who_does_not_take_the_request_is_asked_again(
    index: Index, send: Send, images: list[Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    with committing(Committer("here"), takes=False) as without:
        port = without.peer.port
        send(without.peer)
        wait_until(lambda: "no storage commitment" in sending(index).error)
    with committing(Committer("here", status=0x0213), port) as full:
        wait_until(lambda: "N-ACTION with status 0213" in sending(index).error)
        monkeypatch.setattr(rounds, "PAUSES", (2.0,))
    with committing(Committer("here"), port) as other:
        told = ended(index)
    assert (len(without.stored), full.stored, other.stored) == (3, [], [])
    assert committed(told) == uids(images)


def test_who_never_takes_the_request_is_given_up(
    index: Index, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pacs.dimse.courier.MOST_ATTEMPTS", 2)
    with committing(Committer("here"), takes=False) as other:
        send(other.peer)
        told = ended(index)
    assert [reason for _, _, reason in told.failed] == [0x0110] * 3


def test_who_is_not_marked_is_not_asked(index: Index, send: Send, images: list[Dataset]) -> None:
    with committing(Committer("here")) as other:
        send(other.peer._replace(commits=False))
        told = ended(index)
    assert (told.completed, told.committed, other.asked) == (len(images), (), [])


def test_10_1_1_reports_that_are_none_are_refused(
    index: Index, port: int, send: Send, images: list[Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commitment_user, "HERE", 0.1)
    with committing(Committer(None)) as other:
        send(other.peer)
        wait_until(lambda: other.asked and index.sent_commitments.overdue(UID))
    uid = str(other.asked[0].TransactionUID)
    told = named(uid, *images)
    with reporting(port, "SOMEBODY") as association:
        assert event_report(association, told, 1) == 0x0115  # it was not asked
    with reporting(port) as association:
        assert event_report(association, told, 3) == 0x0113
        assert event_report(association, told, 1, instance="1.2.3") == 0x0112
        assert event_report(association, named("1.2.3", *images), 1) == 0x0115
        assert event_report(association, named("", *images), 1) == 0x0115
        assert not sending(index).has_ended
        for _ in range(2):  # the second time, as if the response had been lost
            assert event_report(association, told, 1) == 0x0000
    assert committed(ended(index)) == uids(images)
