"""What peers want to be committed, and what they are told, on both databases."""

import time

import pytest

from pacs.index import Asked, Index, Owed, commitment_requests
from pacs.model import Peer

CT = "1.2.840.10008.5.1.4.1.1.2"
ASKED = Asked("2.999.37.1", "MODALITY", "ARCHIVE", [(CT, "1.1"), (CT, "1.2")])


def owed(index: Index) -> Owed:
    (one,) = index.commitment_requests.due(time.time())
    return one


def test_a_request_goes_from_its_beginning_to_its_end(index: Index) -> None:
    requests = index.commitment_requests
    assert requests.add(ASKED, "door")
    one = owed(index)
    assert one[1:-1] == ("2.999.37.1", "MODALITY", "ARCHIVE", "door", 0, False)
    assert requests.references(one.key) == ASKED.references
    assert requests.answered_at("door") == []
    later = time.time() + 100
    requests.answer(one, [0, 0x0112], later)
    assert requests.due(time.time()) == []
    assert requests.next_due() == pytest.approx(later)
    assert requests.next_due(but=["MODALITY"]) is None
    (result,) = requests.answered_at("door")
    assert result == requests.result(one.key)
    assert result.references == [((CT, "1.1"), 0), ((CT, "1.2"), 0x0112)]
    requests.told(result)
    assert (requests.next_due(), requests.answered_at("door")) == (None, [])
    requests.put_off(one, later)  # too late
    assert requests.next_due() is None


def test_what_is_put_off_comes_again(index: Index) -> None:
    requests = index.commitment_requests
    requests.add(ASKED, "")
    later = time.time() + 100
    requests.put_off(owed(index), later)
    assert requests.due(time.time()) == []
    assert [one.attempts for one in requests.due(later)] == [1]


def test_who_leaves_is_told_by_the_courier(index: Index) -> None:
    requests = index.commitment_requests
    requests.add(ASKED, "door")
    requests.answer(owed(index), [0, 0], time.time() + 100)
    assert requests.leave("door")
    assert (owed(index).door, owed(index).is_answered) == ("", True)
    assert not requests.leave("door")


def test_who_is_not_known_waits_until_it_is(index: Index) -> None:
    requests = index.commitment_requests
    requests.add(ASKED, "")
    requests.hold(owed(index))
    assert requests.next_due() is None
    index.peers.put(Peer("SOMEBODY", "10.0.0.1", 104))
    assert requests.next_due() is None
    index.peers.put(Peer("MODALITY", "10.0.0.1", 104))
    assert owed(index).destination == "MODALITY"
    requests.hold(owed(index))
    requests.leave_all()
    assert owed(index).destination == "MODALITY"


def test_what_is_owed_is_kept_and_what_was_told_is_forgotten_in_the_end(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long nobody knows the system that asked."""
    requests = index.commitment_requests
    requests.add(ASKED, "")
    held = owed(index)
    requests.hold(held)
    requests.add(ASKED._replace(transaction_uid="2.999.37.2"), "")
    requests.give_up(owed(index))
    monkeypatch.setattr(commitment_requests, "KEPT", 0.0)
    requests.add(ASKED._replace(transaction_uid="2.999.37.2", called="DIAFANA"), "")
    assert not requests.is_duplicate(owed(index))
    index.peers.put(Peer("MODALITY", "10.0.0.1", 104))
    assert held.key in [one.key for one in requests.due(time.time())]


def test_the_same_request_once_more_is_the_same_one(index: Index) -> None:
    requests = index.commitment_requests
    requests.add(ASKED, "")
    first = owed(index)
    requests.answer(first, [0, 0], 0.0)
    requests.told(requests.result(first.key))
    requests.add(ASKED, "door")
    again = owed(index)
    assert again == first._replace(door="door", due=again.due)
    assert not requests.is_duplicate(first)
    requests.add(ASKED._replace(destination="OTHER"), "")
    assert [requests.is_duplicate(one) for one in requests.due(time.time())] == [False, True]


def test_what_is_asked_for_again_while_it_is_told_is_told_again(index: Index) -> None:
    requests = index.commitment_requests
    requests.add(ASKED, "door")
    first = owed(index)
    requests.answer(first, [0, 0], time.time() + 100)
    (result,) = requests.answered_at("door")
    requests.add(ASKED, "door")
    requests.told(result)
    again = owed(index)
    assert again == first._replace(due=again.due)


def test_who_is_elsewhere_by_now_is_told_at_once(index: Index) -> None:
    requests = index.commitment_requests
    requests.add(ASKED, "")
    tried = requests.answer(owed(index), [0, 0], time.time() - 1)
    index.peers.put(Peer("MODALITY", "10.0.0.2", 104))  # while the attempt at the old address is on
    requests.put_off(tried, time.time() + 3600)
    requests.hold(tried)
    assert owed(index).attempts == 0


def test_a_transaction_of_the_web_is_not_used_again(index: Index) -> None:
    index.commitments.keep(ASKED.transaction_uid, {})
    index.commitment_requests.add(ASKED, "")
    assert index.commitment_requests.is_duplicate(owed(index))
