"""What destinations are asked to commit to, on both databases."""

import time

import pytest

from pacs.index import Asking, Index, Sending
from pacs.index.sent_commitments import COMMITTED, NOT_REPORTED
from pacs.model import Instance, Peer

UID = "2.999.37.90"
CT = "1.2.840.10008.5.1.4.1.1.2"


def instance(number: int) -> Instance:
    return Instance("1", "1.1", f"1.1.{number}", CT, "1.2", f"f{number}", 1, 0, "", None)


@pytest.fixture
def sent(index: Index) -> Index:
    """Of four instances one was refused."""
    index.outbox.add(UID, "OTHER", [instance(number) for number in range(4)])
    note(index, 0, 0xB000, 0, 0xA900)
    return index


def note(index: Index, *statuses: int) -> None:
    unsent = index.outbox.unsent(UID, 10)
    index.outbox.note([(key, status) for (key, _), status in zip(unsent, statuses, strict=True)])


def sending(index: Index) -> Sending:
    found = index.outbox.sending(UID)
    assert found is not None
    return found


def asked(index: Index, until: float) -> Asking:
    asking = index.sent_commitments.begin(UID)
    index.sent_commitments.asked(asking.transaction_uid, until)
    return asking


def test_what_was_stored_is_asked_for_and_waited_for(sent: Index) -> None:
    later = time.time() + 100
    asking = asked(sent, later)
    assert asking.references == [(CT, f"1.1.{number}") for number in range(3)]
    assert sent.outbox.next_due() == pytest.approx(later)
    assert sent.sent_commitments.overdue(UID) == asking.transaction_uid
    assert not sending(sent).has_ended
    reasons = {f"1.1.{number}": COMMITTED for number in range(3)}
    assert sent.sent_commitments.hear(asking.transaction_uid, "OTHER", reasons, later) is False
    failed = [(CT, "1.1.3", 0xA900)]
    assert sending(sent) == Sending("OTHER", True, 0, 2, 1, failed, "", tuple(asking.references))
    assert sent.sent_commitments.overdue(UID) is None


def test_what_is_not_committed_is_due_again_once(sent: Index) -> None:
    first = asked(sent, time.time() + 100)
    reasons = {"1.1.0": 0x0112, "1.1.1": COMMITTED}
    assert sent.sent_commitments.hear(first.transaction_uid, "OTHER", reasons, 0.0) is True
    assert [uid for _, uid in sent.outbox.unsent(UID, 10)] == ["1.1.0", "1.1.2"]
    assert [due.transaction_uid for due in sent.outbox.due(time.time())] == [UID]
    assert (sending(sent).remaining, sending(sent).committed) == (2, ((CT, "1.1.1"),))
    note(sent, 0, 0)
    second = asked(sent, time.time() + 100)
    assert second.references == [(CT, "1.1.0"), (CT, "1.1.2")]
    assert sent.sent_commitments.hear(second.transaction_uid, "OTHER", {"1.1.0": COMMITTED}, 0.0) is False
    failed = [(CT, "1.1.2", NOT_REPORTED), (CT, "1.1.3", 0xA900)]
    committed = ((CT, "1.1.0"), (CT, "1.1.1"))
    assert sending(sent) == Sending("OTHER", True, 0, 1, 1, failed, "", committed)


def test_a_report_counts_once_and_only_from_who_was_asked(sent: Index) -> None:
    uid = asked(sent, 0.0).transaction_uid
    hear = sent.sent_commitments.hear
    assert hear("1.2.3", "OTHER", {}, 0.0) is None
    assert hear(uid, "ANOTHER", {}, 0.0) is None
    assert hear(uid, "OTHER", {}, 0.0) is True
    assert hear(uid, "OTHER", {"1.1.0": COMMITTED}, 0.0) is False
    assert sending(sent).committed == ()


def test_a_report_may_be_faster_than_the_response(sent: Index) -> None:
    uid = sent.sent_commitments.begin(UID).transaction_uid
    assert sent.sent_commitments.hear(uid, "OTHER", {}, 0.0) is True
    sent.sent_commitments.asked(uid, time.time() + 100)
    assert sent.sent_commitments.overdue(UID) is None
    assert sent.outbox.next_due() == 0.0


def test_who_may_not_have_been_asked_is_asked_with_another_uid(sent: Index) -> None:
    before, after = (sent.sent_commitments.begin(UID) for _ in range(2))
    assert before.transaction_uid != after.transaction_uid
    assert before.references == after.references
    assert sent.sent_commitments.hear(before.transaction_uid, "OTHER", {}, 0.0) is None


def test_a_request_that_was_cancelled_is_not_begun_again(sent: Index) -> None:
    uid = asked(sent, time.time() + 100).transaction_uid
    assert sent.outbox.end(UID)
    assert sent.sent_commitments.hear(uid, "OTHER", {"1.1.0": COMMITTED, "1.1.1": 0x0112}, 0.0) is False
    assert sending(sent).has_ended
    assert sending(sent).committed == ((CT, "1.1.0"),)
    assert sent.outbox.unsent(UID, 10) == []


def test_what_is_given_up_is_not_committed(sent: Index) -> None:
    sent.sent_commitments.give_up(UID)  # it was to commit to nothing
    assert sending(sent).completed == 2
    asked(sent, 0.0)
    sent.sent_commitments.give_up(UID)
    assert sent.outbox.end(UID)
    assert [reason for _, _, reason in sending(sent).failed] == [NOT_REPORTED] * 3 + [0xA900]


def test_what_is_old_goes_with_its_request(sent: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(sent, 0.0)
    sent.outbox.end(UID)
    monkeypatch.setattr("pacs.index.outbox.KEPT", -1.0)
    sent.outbox.add("2.999.37.91", "OTHER", [instance(9)])
    assert sent.outbox.sending(UID) is None
    assert sent.sent_commitments.overdue(UID) is None


def test_who_is_elsewhere_by_now_is_waited_for_all_the_same(sent: Index) -> None:
    later = time.time() + 100
    asked(sent, later)
    sent.peers.put(Peer("OTHER", "10.0.0.2", 104))
    assert sent.outbox.next_due() == pytest.approx(later)
