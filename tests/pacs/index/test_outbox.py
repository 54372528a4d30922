"""What is asked to be sent, and the systems that it is sent to, on both databases."""

import time

import pytest

from pacs.index import Index, outbox
from pacs.index.outbox import CANCELED, Sending
from pacs.model import Instance, Peer

UID = "2.999.20.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
LATER = 1e12


def instance(number: int) -> Instance:
    return Instance("1", "1.1", f"1.1.{number}", CT, "1.2", f"f{number}", 1, 0, "", None)


@pytest.fixture
def asked(index: Index) -> Index:
    assert index.outbox.add(UID, "OTHER", [instance(number) for number in range(4)])
    return index


def sending(index: Index) -> Sending:
    found = index.outbox.sending(UID)
    assert found is not None
    return found


def test_a_request_goes_from_its_beginning_to_its_end(asked: Index) -> None:
    assert [(due.transaction_uid, due.destination) for due in asked.outbox.due(time.time())] == [
        (UID, "OTHER")
    ]
    assert sending(asked) == Sending("OTHER", False, 4, 0, 0, [], "")
    keys = [key for key, _ in asked.outbox.unsent(UID, 3)]
    asked.outbox.note([*zip(keys, (0, 0xB007, 0xA900), strict=True)])
    assert asked.outbox.unsent(UID, 3)[0][1] == "1.1.3"
    failed = [(CT, "1.1.2", 0xA900)]
    assert sending(asked) == Sending("OTHER", False, 1, 1, 1, failed, "")
    assert asked.outbox.end(UID)
    assert sending(asked).has_ended
    assert sending(asked).failed[1:] == [(CT, "1.1.3", CANCELED)]
    assert asked.outbox.due(time.time()) == []
    assert not asked.outbox.end(UID)


def test_one_transaction_is_taken_once(asked: Index) -> None:
    assert not asked.outbox.add(UID, "ANOTHER", [instance(9)])
    assert sending(asked).destination == "OTHER"
    assert asked.outbox.sending("1.2.3") is None


def test_what_is_put_off_comes_when_its_time_is_there(asked: Index) -> None:
    (due,) = asked.outbox.due(time.time())
    later = time.time() + 100
    asked.outbox.put_off(due, "OTHER at 10.0.0.1:104: Connection refused", later)
    assert asked.outbox.due(time.time()) == []
    assert asked.outbox.next_due() == pytest.approx(later)
    assert asked.outbox.next_due(but=["OTHER"]) is None
    (again,) = asked.outbox.due(later)
    assert again.attempts == 1
    assert "refused" in sending(asked).error
    asked.outbox.end(UID)
    asked.outbox.put_off(again, "too late", later)
    assert asked.outbox.next_due() is None


def test_what_has_ended_is_forgotten_in_the_end_and_what_waits_is_not(
    asked: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long: the rule that asks for it may be paused, and asks for each object once."""
    asked.outbox.add("2.999.20.2", "OTHER", [instance(9)])
    asked.outbox.end("2.999.20.2")
    monkeypatch.setattr(outbox, "KEPT", 0.0)
    asked.outbox.add("2.999.20.3", "OTHER", [instance(9)])
    assert asked.outbox.sending("2.999.20.2") is None
    assert [due.transaction_uid for due in asked.outbox.due(LATER)] == [UID, "2.999.20.3"]
    assert len(asked.outbox.unsent(UID, 9)) == 4


def test_systems_are_known_until_they_are_removed(index: Index) -> None:
    peers = index.peers
    peers.put(Peer("OTHER", "10.0.0.1", 104))
    peers.put(Peer("OTHER", "10.0.0.2", 11112))
    peers.put(Peer("ANOTHER", "pacs.example", 104))
    assert peers.all() == [Peer("ANOTHER", "pacs.example", 104), Peer("OTHER", "10.0.0.2", 11112)]
    assert peers.find("OTHER") == Peer("OTHER", "10.0.0.2", 11112)
    assert peers.remove("OTHER")
    assert not peers.remove("OTHER")
    assert peers.find("OTHER") is None


def test_all_that_is_due_for_a_destination_is_put_off_together(asked: Index) -> None:
    asked.outbox.add("2.999.20.2", "OTHER", [instance(9)])
    asked.outbox.add("2.999.20.3", "OTHER", [instance(9)])
    asked.outbox.add("2.999.20.4", "ANOTHER", [instance(9)])
    later = time.time() + 100
    asked.outbox.hold("2.999.20.3", later + 50)
    first = asked.outbox.due(time.time())[0]
    asked.outbox.put_off_all(first, "Connection refused", later)
    assert [due.transaction_uid for due in asked.outbox.due(time.time())] == ["2.999.20.4"]
    assert [(due.transaction_uid, due.attempts) for due in asked.outbox.due(later)] == [
        (UID, 1),
        ("2.999.20.2", 1),
        ("2.999.20.4", 0),
    ]
    assert asked.outbox.due(later + 50)[2][:3] == ("2.999.20.3", "OTHER", 0)


@pytest.mark.parametrize("all_of_them", [True, False])
def test_who_is_elsewhere_by_now_is_sent_to_at_once(asked: Index, all_of_them: bool) -> None:
    asked.outbox.add("2.999.20.2", "OTHER", [instance(9)])
    later = time.time() + 3600
    asked.outbox.hold("2.999.20.2", later)
    (tried,) = asked.outbox.due(time.time())
    asked.peers.put(Peer("OTHER", "10.0.0.2", 104))  # while the attempt at the old address is on
    put_off = asked.outbox.put_off_all if all_of_them else asked.outbox.put_off
    put_off(tried, "no connection", later)
    assert [one[:3] for one in asked.outbox.due(time.time())] == [
        (UID, "OTHER", 0),
        ("2.999.20.2", "OTHER", 0),
    ]
