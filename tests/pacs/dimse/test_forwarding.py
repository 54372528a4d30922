"""What the courier does with the requests of rules: hours, pauses, and the limit of the line."""

import threading
import time
from typing import Any

import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from pacs.archive import Archive
from pacs.changes import Bell
from pacs.dimse import courier, rounds
from pacs.dimse.courier import Courier
from pacs.index import Index
from pacs.model import ForwardRule, Peer
from testdata.ct import ct_series
from tests.pacs.dimse.scp import free_port, receiver
from tests.pacs.dimse.working import Run, at_work
from tests.pacs.objects import keep
from tests.waiting import wait_until

UID = "2.999.41.9"
TAKEN = ([CTImageStorage], [str(ExplicitVRLittleEndian)])


@pytest.fixture
def run(archive: Archive, index: Index, bell: Bell) -> Run:
    return Courier(archive, index, "DIAFANA", bell).run


def ask(archive: Archive, index: Index, rule: ForwardRule) -> int:
    """How many objects are asked for."""
    images = ct_series(slices=4, rows=64, columns=64)
    index.forwarding.add(rule)
    instances = keep(archive, *images)
    index.forwarding.ask(index.forwarding.rules()[0], UID, instances, 0.0)
    return len(instances)


def remaining(index: Index) -> int:
    return index.forwarding.progress(index.forwarding.rules()[0]).waiting


def test_out_of_its_hours_it_waits_for_them(
    archive: Archive,
    index: Index,
    bell: Bell,
    run: Run,
) -> None:
    soon = time.localtime(time.time() + 7200)
    later = time.localtime(time.time() + 10_800)
    hours = f"{soon.tm_hour:02}:{soon.tm_min:02}-{later.tm_hour:02}:{later.tm_min:02}"
    with receiver(*TAKEN) as other:
        index.peers.put(other.peer)
        number = ask(archive, index, ForwardRule("rule", "OTHER", hours=hours))
        with at_work(run, bell):
            wait_until(lambda: (index.outbox.next_due() or 0) > time.time() + 3600)
        assert (other.received, remaining(index)) == ([], number)
    assert index.outbox.due(1e12)[0].attempts == 0


def test_what_is_paused_on_the_way_goes_on_where_it_was(
    archive: Archive, index: Index, bell: Bell, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "NOTED_AFTER", 0.0)

    def pause(_: Any) -> int:
        index.forwarding.pause("rule", True)
        return 0

    with receiver(*TAKEN, pause) as other:
        index.peers.put(other.peer)
        number = ask(archive, index, ForwardRule("rule", "OTHER"))
        with at_work(run, bell):
            for sent in range(1, number + 1):
                wait_until(lambda sent=sent: remaining(index) == number - sent)  # type: ignore[misc]
                assert len(other.received) == sent
                index.forwarding.pause("rule", False)
                bell.ring()
            wait_until(lambda: index.outbox.next_due() is None)
        assert len(set(other.uids)) == len(other.uids) == number


def test_a_limited_line_brings_the_same(
    archive: Archive,
    index: Index,
    bell: Bell,
    run: Run,
) -> None:
    with receiver(*TAKEN) as other:
        index.peers.put(other.peer)
        number = ask(archive, index, ForwardRule("rule", "OTHER", bytes_per_second=100_000))
        with at_work(run, bell):
            wait_until(lambda: remaining(index) == 0)
        assert len(other.uids) == number
        for got in other.received:
            (stored,) = archive.instances(got.StudyInstanceUID, got.SeriesInstanceUID, got.SOPInstanceUID)
            assert got.PixelData == archive.dataset(stored).PixelData


def test_the_service_ends_within_an_object_that_goes_slowly(
    archive: Archive, index: Index, bell: Bell, run: Run
) -> None:
    with receiver(*TAKEN) as other:
        index.peers.put(other.peer)
        number = ask(archive, index, ForwardRule("rule", "OTHER", bytes_per_second=1024))
        with at_work(run, bell):
            wait_until(lambda: courier_threads())
        assert (other.received, remaining(index)) == ([], number)


def test_who_is_not_reached_is_asked_for_one_request_alone(
    archive: Archive, index: Index, bell: Bell, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand requests for a system that is down must not take turns in waiting for it."""
    monkeypatch.setattr(rounds, "PAUSES", (3600.0,))
    index.peers.put(Peer("OTHER", "127.0.0.1", free_port()))
    ask(archive, index, ForwardRule("rule", "OTHER"))
    instances = list(index.walk())
    for number in range(20):
        index.outbox.add(f"2.999.41.10.{number}", "OTHER", instances)
    with at_work(run, bell):
        wait_until(lambda: index.outbox.due(time.time()) == [])
    assert {due.attempts for due in index.outbox.due(1e12)} == {1}
    assert "refused" in index.forwarding.progress(index.forwarding.rules()[0]).error


def courier_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("courier_")]
