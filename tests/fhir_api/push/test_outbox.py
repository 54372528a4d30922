"""What is to be sent is kept until it was sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_api.push.outbox import PushOutbox
from pacs.index import sqlite_url

LATE = 1e12


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[PushOutbox]:
    outbox = PushOutbox(sqlite_url(tmp_path / "push.sqlite"))
    yield outbox
    outbox.close()


def test_what_was_sent_waits_no_longer_and_its_names_are_known(outbox: PushOutbox) -> None:
    outbox.add("1.2")
    due = outbox.next(LATE)
    assert due is not None
    outbox.done(due, {("Observation", "a"), ("ImagingStudy", "1.2")})
    assert outbox.next(LATE) is None
    assert outbox.next_due() is None
    assert outbox.sent("1.2") == {("Observation", "a"), ("ImagingStudy", "1.2")}
    outbox.add("1.2")
    due = outbox.next(LATE)
    assert due is not None
    outbox.done(due, {("Observation", "b")})
    assert outbox.sent("1.2") == {("Observation", "b")}


def test_what_is_asked_for_while_it_is_sent_is_sent_again(outbox: PushOutbox) -> None:
    outbox.add("1.2")
    due = outbox.next(LATE)
    assert due is not None
    outbox.add("1.2")
    outbox.done(due, ())
    again = outbox.next(LATE)
    assert again is not None
    outbox.put_off(due, "too late to matter", None)
    assert outbox.next(LATE) == again


def test_the_one_that_waits_longest_comes_first_and_others_follow_one_that_is_put_off(
    outbox: PushOutbox,
) -> None:
    outbox.add("1.1")
    outbox.add("1.2")
    first = outbox.next(LATE)
    assert first is not None
    assert first.study_instance_uid == "1.1"
    outbox.put_off(first, "no answer", LATE)
    second = outbox.next(LATE / 2)
    assert second is not None
    assert second.study_instance_uid == "1.2"
    waiting = outbox.all()
    assert [(one.study_instance_uid, one.attempts, one.error) for one in waiting] == [
        ("1.2", 0, ""),
        ("1.1", 1, "no answer"),
    ]


def test_what_is_given_up_is_kept_until_someone_asks(outbox: PushOutbox, tmp_path: Path) -> None:
    outbox.add("1.2")
    due = outbox.next(LATE)
    assert due is not None
    outbox.put_off(due, "refused", None)
    assert outbox.next(LATE) is None
    assert outbox.next_due() is None
    other = PushOutbox(sqlite_url(tmp_path / "push.sqlite"))
    assert [(one.dead, one.error) for one in other.all()] == [(True, "refused")]
    other.add("1.2")
    other.close()
    revived = outbox.next(LATE)
    assert revived is not None
    assert (revived.attempts, revived.dead) == (0, False)
