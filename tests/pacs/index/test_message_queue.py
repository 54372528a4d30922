"""What waits for other systems, in its turn for each, on both databases."""

import time
from pathlib import Path

import pytest
from sqlalchemy import insert

from pacs.index import Availability, Index, Message, migrate, sqlite_url
from pacs.index.engine import open_engine
from pacs.index.schema.messages import step_message
from pacs.model import Peer
from pacs.procedure_steps.performed import PerformedSteps
from testdata.procedure_steps import begun_step
from tests.pacs.index.test_migrate import migrate_again

TOLD = Availability("2.999.42", "2.999.42.9", {"2.999.42.1": [("1.2.3", "2.999.42.1.1", True)]})
LATER = 1e12


@pytest.fixture
def peers(index: Index) -> list[str]:
    names = ["RIS", "VIEWER"]
    for name in names:
        index.peers.put(Peer(name, "10.1.2.3", 104, notified=True))
    index.peers.put(Peer("OTHER", "10.1.2.3", 104))
    return names


def due(index: Index, now: float = LATER) -> list[str]:
    return [one.destination for one in index.notices.due(now)]


def test_each_system_is_told_by_a_notification_of_its_own(index: Index, peers: list[str]) -> None:
    assert index.notices.are_wanted()
    assert index.notices.add([TOLD, TOLD._replace(step="")])
    assert index.notices.waiting() == [(name, 2, "") for name in peers]
    found = index.notices.due(time.time())
    assert [one.destination for one in found] == peers
    assert len({one.uid for one in found}) == 2
    for one in found:
        told = Availability.read(index.notices.content(one) or b"")
        assert (told.study_instance_uid, told.step) == TOLD[:2]
        assert told.series == {"2.999.42.1": [("1.2.3", "2.999.42.1.1", True)]}
        assert (one.is_new, one.attempts, one.refusals) == (True, 0, 0)
        assert one.at == pytest.approx(time.time(), abs=60)


def test_nobody_is_told_where_nobody_is_to_be(index: Index) -> None:
    index.peers.put(Peer("OTHER", "10.1.2.3", 104))
    assert not index.notices.are_wanted()
    assert not index.notices.add([TOLD])
    assert (index.notices.due(LATER), index.notices.next_due()) == ([], None)


@pytest.mark.usefixtures("peers")
def test_what_is_put_off_holds_up_what_is_behind_it_and_no_other_system(index: Index) -> None:
    index.notices.add([TOLD])
    index.notices.add([TOLD])
    first = index.notices.due(LATER)[0]
    index.notices.put_off(first, "no connection", LATER - 1)
    assert due(index, LATER - 2) == ["VIEWER"]
    assert index.notices.next_due(but=["VIEWER"]) == LATER - 1
    assert index.notices.next_due() == 0.0
    assert index.notices.waiting() == [("RIS", 2, "no connection"), ("VIEWER", 2, "")]
    (again, _) = index.notices.due(LATER)
    assert (again.key, again.attempts, again.refusals) == (first.key, 1, 0)
    index.notices.put_off(again, "it is full", 0.0, is_refused=True)
    (again, _) = index.notices.due(LATER)
    assert (again.attempts, again.refusals) == (2, 1)
    index.notices.done(again)
    assert index.notices.content(again) is None
    (_, behind) = index.notices.due(LATER)
    assert (behind.destination, behind.key > first.key, behind.attempts) == ("RIS", True, 0)


@pytest.mark.usefixtures("peers")
def test_who_is_known_anew_is_told_at_once(index: Index) -> None:
    index.notices.add([TOLD])
    for one in index.notices.due(LATER):
        index.notices.put_off(one, "no connection", LATER)
    index.peers.put(Peer("RIS", "10.1.2.4", 104, notified=True))
    assert due(index, time.time()) == ["RIS"]
    index.peers.put(Peer("VIEWER", "10.1.2.4", 104))
    assert due(index) == ["RIS"]
    assert index.peers.remove("RIS")
    assert due(index) == []


def test_what_is_told_is_not_taken_for_what_got_its_key(index: Index) -> None:
    """SQLite gives the greatest key again when its row has gone."""
    index.peers.put(Peer("RIS", "10.1.2.3", 104, notified=True))
    index.notices.add([TOLD])
    (told,) = index.notices.due(LATER)
    index.peers.remove("RIS")
    index.peers.put(Peer("VIEWER", "10.1.2.3", 104, notified=True))
    index.notices.add([TOLD])
    (other,) = index.notices.due(LATER)
    index.notices.put_off(told, "no connection", LATER)
    index.notices.done(told)
    assert index.notices.content(told) is None
    assert index.notices.due(time.time()) == [other]


@pytest.mark.usefixtures("peers")
def test_who_is_known_anew_while_it_is_told_is_told_at_once(index: Index) -> None:
    index.notices.add([TOLD])
    told = index.notices.due(LATER)[0]
    index.peers.put(Peer("RIS", "10.1.2.4", 104, notified=True))
    index.notices.put_off(told, "no connection", LATER)
    assert due(index, time.time()) == ["RIS", "VIEWER"]
    again = index.notices.due(LATER)[0]
    assert again == told._replace(due=again.due)
    index.notices.done(told)
    assert due(index) == ["VIEWER"]


@pytest.mark.usefixtures("peers")
def test_what_is_too_old_is_dropped_for_one_system(index: Index) -> None:
    index.notices.add([TOLD, TOLD])
    assert index.notices.expire("RIS", time.time() - 60) == 0
    assert index.notices.expire("RIS", time.time() + 60) == 2
    assert index.notices.waiting() == [("VIEWER", 2, "")]


@pytest.mark.usefixtures("peers")
def test_what_waits_outlives_a_new_index(index: Index, tmp_path: Path) -> None:
    index.notices.add([TOLD])
    url = sqlite_url(tmp_path / "new.sqlite")
    migrate(url)
    new = Index(url)
    new.worklist.copy_from(index._engine.url.render_as_string(hide_password=False))
    assert new.notices.due(LATER) == index.notices.due(LATER)
    assert new.notices.content(new.notices.due(LATER)[0]) == TOLD.written()
    new.close()


def test_messages_about_steps_are_of_the_same_kind(index: Index) -> None:
    PerformedSteps(index.worklist, 30.0, ("RIS",)).create("2.999.42.9", begun_step())
    (message,) = index.step_outbox.due(time.time())
    assert message == Message(message.key, "RIS", "2.999.42.9", message.at, 0, 0, 0.0, is_new=True)
    assert b"Torace" in (index.step_outbox.content(message) or b"")


def test_what_waited_before_is_not_dropped_for_its_age(tmp_path: Path) -> None:
    """Its row did not tell when it was noted."""
    url = sqlite_url(tmp_path / "index.sqlite")
    migrate(url)
    engine = open_engine(url)
    row = {"destination": "RIS", "sop_instance_uid": "2.999.1", "is_new": True, "attributes": b"{}"}
    with engine.begin() as connection:
        state = {"due": 0.0, "attempts": 0, "error": ""}
        connection.execute(insert(step_message).values(row | state))
    engine.dispose()
    undone = (
        "DROP TABLE availability_notice",
        "ALTER TABLE peer DROP COLUMN notified",
        "ALTER TABLE task DROP COLUMN since",
        "ALTER TABLE step_message DROP COLUMN at",
        "ALTER TABLE step_message DROP COLUMN refusals",
    )
    migrate_again(url, "0016", "0017", undone)
    index = Index(url)
    (message,) = index.step_outbox.due(time.time())
    assert (message.uid, message.refusals) == ("2.999.1", 0)
    assert message.at == pytest.approx(time.time(), abs=60)
    index.close()
