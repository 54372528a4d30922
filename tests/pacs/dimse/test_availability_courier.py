"""Telling systems which instances are available, as an SCU: pynetdicom's SCP with whatever behaviour."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from structlog.testing import capture_logs

from pacs.changes import Bell
from pacs.dimse import message_courier, rounds
from pacs.dimse.availability_courier import availability
from pacs.dimse.message_courier import MOST_REFUSALS, MessageCourier
from pacs.index import Availability, Index
from pacs.model import Peer
from tests.pacs.dimse.notified import Listener, notified
from tests.pacs.dimse.peer import pdu
from tests.pacs.dimse.scp import free_port
from tests.pacs.dimse.working import at_work
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("impatient")

CT, SR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.88.22"
STUDY, STEP = "2.999.42", "2.999.42.9"
TOLD = Availability(
    STUDY,
    STEP,
    {
        f"{STUDY}.1": [(CT, f"{STUDY}.1.1", True), (CT, f"{STUDY}.1.2", False)],
        f"{STUDY}.2": [(SR, f"{STUDY}.2.1", True)],
    },
)
# PS3.4 Table R.3.2-1, what is sent of it; more is forbidden
KEYWORDS = {
    "": ["ReferencedPerformedProcedureStepSequence", "ReferencedSeriesSequence", "StudyInstanceUID"],
    "ReferencedPerformedProcedureStepSequence": [
        "ReferencedSOPClassUID",
        "ReferencedSOPInstanceUID",
        "PerformedWorkitemCodeSequence",
    ],
    "ReferencedSeriesSequence": ["ReferencedSOPSequence", "SeriesInstanceUID"],
    "ReferencedSOPSequence": [
        "RetrieveAETitle",
        "InstanceAvailability",
        "ReferencedSOPClassUID",
        "ReferencedSOPInstanceUID",
    ],
    "PerformedWorkitemCodeSequence": [],
}


# PS3.8 9.3.6 and 9.3.8
RELEASE, ABORT = pdu(5, bytes(4)), pdu(7, bytes(4))


@pytest.fixture
def courier(index: Index, bell: Bell) -> Iterator[None]:
    """It works while the test does."""
    working = MessageCourier(availability("DIAFANA"), index.notices, index.peers, "DIAFANA", bell)
    with at_work(working.run, bell):
        yield


@pytest.fixture
def note(index: Index, bell: Bell) -> Callable[..., None]:
    def note(*told: Availability) -> None:
        assert index.notices.add(told or [TOLD])
        bell.ring()

    return note


Note = Callable[..., None]


def all_is_told(index: Index) -> None:
    wait_until(lambda: index.notices.waiting() == [])


@pytest.mark.usefixtures("courier")
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("step", [STEP, ""])
def test_a_notification_says_what_the_module_has_and_nothing_else(
    index: Index, note: Note, syntax: str, step: str
) -> None:
    with notified(syntax=syntax) as ris:
        index.peers.put(ris.peer)
        note(TOLD._replace(step=step))
        told = ris.next()
        all_is_told(index)
    assert told[1:] == (
        STUDY,
        step or None,
        {
            f"{STUDY}.1": {f"{STUDY}.1.1": "ONLINE", f"{STUDY}.1.2": "UNAVAILABLE"},
            f"{STUDY}.2": {f"{STUDY}.2.1": "ONLINE"},
        },
    )
    (said,) = ris.data_sets
    assert_written(said, "")
    classes = [
        (one.ReferencedSOPClassUID, one.RetrieveAETitle)
        for series in said.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    ]
    assert classes == [(CT, "DIAFANA"), (CT, "DIAFANA"), (SR, "DIAFANA")]
    if step:
        (item,) = said.ReferencedPerformedProcedureStepSequence
        assert item.ReferencedSOPClassUID == "1.2.840.10008.3.1.2.3.3"


def assert_written(data_set: Dataset, sequence: str) -> None:
    assert [element.keyword for element in data_set] == KEYWORDS[sequence]
    for element in data_set:
        if element.VR == "SQ":
            for item in element.value:
                assert_written(item, element.keyword)


@pytest.mark.usefixtures("courier")
def test_a_big_study_is_one_message_of_one_association(index: Index, note: Note) -> None:
    many: list[tuple[str, str, bool]] = [(CT, f"{STUDY}.1.{number}", True) for number in range(5_000)]
    with notified() as ris:
        index.peers.put(ris.peer)
        note(TOLD._replace(series={f"{STUDY}.1": many}))
        told = ris.next()
        all_is_told(index)
    assert told.instances == {f"{STUDY}.1": dict.fromkeys((uid for _, uid, _ in many), "ONLINE")}
    assert (len(ris.data_sets), len(ris.associations)) == (1, 1)


@pytest.mark.usefixtures("courier")
def test_who_is_away_is_told_later_in_the_same_order(index: Index, note: Note) -> None:
    port = free_port()
    index.peers.put(Peer("RIS", "127.0.0.1", port, notified=True))
    studies = [f"2.999.42.{number}" for number in range(5)]
    for study in studies:
        note(TOLD._replace(study_instance_uid=study))
    wait_until(lambda: "no connection" in index.notices.waiting()[0][2])
    assert index.notices.waiting()[0][:2] == ("RIS", 5)
    with notified(port=port) as ris:
        told = [ris.next() for _ in studies]
        all_is_told(index)
    assert [one.study for one in told] == studies
    assert len({one.uid for one in told}) == 5


@pytest.mark.usefixtures("courier")
def test_who_does_not_answer_holds_up_no_others(index: Index, note: Note) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, notified() as ris:
        index.peers.put(Peer("ASLEEP", "127.0.0.1", silent.getsockname()[1], notified=True))
        index.peers.put(ris.peer)
        note()
        note()
        assert [ris.next().study, ris.next().study] == [STUDY, STUDY]
        wait_until(lambda: index.notices.waiting() == [("ASLEEP", 2, "")])
        index.peers.remove("ASLEEP")


@pytest.mark.usefixtures("courier")
def test_an_answer_that_was_lost_is_not_taken_for_a_refusal(index: Index, note: Note) -> None:
    """The other has it: it knows the UID."""
    with capture_logs() as logs, notified(Listener(lambda number: 0x0111 if number else 0x0110)) as ris:
        index.peers.put(ris.peer)
        note()
        all_is_told(index)
    first, again = ris.next(), ris.next()
    assert first == again
    assert [one["event"] for one in logs] == ["availability could not be told", "availability told"]


@pytest.mark.usefixtures("courier")
@pytest.mark.parametrize("status", [0x0001, 0x0107, 0x0116])
def test_a_warning_is_no_refusal(index: Index, note: Note, status: int) -> None:
    with capture_logs() as logs, notified(Listener(lambda _: status)) as ris:
        index.peers.put(ris.peer)
        note()
        all_is_told(index)
    assert [one["event"] for one in logs] == ["availability told"]
    assert len(ris.data_sets) == 1


# PS3.7 10.1.5.1.9, but for those that are tried again
@pytest.mark.usefixtures("courier")
@pytest.mark.parametrize(
    "status", [0x0105, 0x0106, 0x0117, 0x0118, 0x0119, 0x0120, 0x0121, 0x0124, 0x0210, 0x0211, 0x0212]
)
def test_a_refusal_is_logged_with_what_to_do_and_holds_up_nothing(
    index: Index, note: Note, status: int
) -> None:
    with capture_logs() as logs, notified(Listener(lambda number: 0 if number else status)) as ris:
        index.peers.put(ris.peer)
        note()
        note()
        all_is_told(index)
    refused, told = logs
    assert (refused["event"], refused["log_level"]) == ("availability not told", "error")
    assert f"{status:04X}" in refused["reason"]
    assert "--no-notify" in refused["advice"]
    assert told["event"] == "availability told"
    assert len(ris.data_sets) == 2


@pytest.mark.usefixtures("courier")
@pytest.mark.parametrize("status", [0x0110, 0x0213, 0xA700])
def test_who_has_no_room_is_asked_again_but_not_for_ever(index: Index, note: Note, status: int) -> None:
    with capture_logs() as logs, notified(Listener(lambda _: status)) as ris:
        index.peers.put(ris.peer)
        note()
        all_is_told(index)
    assert len(ris.data_sets) == MOST_REFUSALS
    assert (logs[-1]["event"], "--no-notify" in logs[-1]["advice"]) == ("availability not told", True)


@pytest.mark.usefixtures("courier")
def test_who_takes_no_notifications_is_named_and_not_asked_for_ever(index: Index, note: Note) -> None:
    with capture_logs() as logs, notified(takes=False) as ris:
        index.peers.put(ris.peer)
        note()
        all_is_told(index)
    reasons = [one["reason"] for one in logs]
    assert len(reasons) == MOST_REFUSALS
    assert set(reasons) == {"RIS takes the association, but not Instance Availability Notification SOP Class"}
    assert logs[-1]["event"] == "availability not told"


@pytest.mark.usefixtures("courier")
@pytest.mark.parametrize("said", [ABORT, RELEASE])
def test_who_ends_the_association_within_a_message_holds_up_no_other(
    index: Index, note: Note, said: bytes
) -> None:
    """It is there, so that to try for a week would help nobody."""

    def leave(number: int, association: Any) -> None:
        if number < MOST_REFUSALS:
            association.dul.socket.socket.sendall(said)

    with capture_logs() as logs, notified(Listener(first=leave)) as ris:
        index.peers.put(ris.peer)
        note(TOLD, TOLD._replace(step=""))
        all_is_told(index)
    assert len(ris.data_sets) == MOST_REFUSALS + 1
    assert "in the middle" in logs[-2]["reason"]
    assert [one["event"] for one in logs[-2:]] == ["availability not told", "availability told"]


@pytest.mark.usefixtures("courier")
def test_what_cannot_be_written_does_not_hold_up_what_is_behind_it(index: Index, note: Note) -> None:
    with capture_logs() as logs, notified() as ris:
        index.peers.put(ris.peer)
        note(TOLD._replace(study_instance_uid="à"), TOLD)
        assert ris.next().study == STUDY
        all_is_told(index)
    events = ["availability could not be told"] * (MOST_REFUSALS - 1)
    assert [one["event"] for one in logs] == [*events, "availability not told", "availability told"]


@pytest.mark.usefixtures("courier")
def test_refusals_are_counted_without_the_times_that_nobody_answered(index: Index, note: Note) -> None:
    port = free_port()
    index.peers.put(Peer("RIS", "127.0.0.1", port, notified=True))
    with capture_logs() as logs:
        note()
        wait_until(lambda: len(logs) > MOST_REFUSALS)
        with notified(Listener(lambda number: 0 if number else 0x0213), port=port):
            all_is_told(index)
    assert logs[-1]["event"] == "availability told"


@pytest.mark.usefixtures("courier")
def test_what_could_not_be_told_for_a_week_is_dropped(
    index: Index, note: Note, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_courier, "WEEK", 0.0)
    with capture_logs() as logs:
        index.peers.put(Peer("RIS", "127.0.0.1", free_port(), notified=True))
        note(TOLD, TOLD, TOLD)
        all_is_told(index)
    (dropped,) = logs
    assert (dropped["event"], dropped["messages"]) == ("availability not told", 3)
    assert "no connection" in dropped["reason"]


@pytest.mark.usefixtures("courier")
def test_who_moves_is_told_at_once(
    index: Index, note: Note, monkeypatch: pytest.MonkeyPatch, bell: Bell
) -> None:
    monkeypatch.setattr(rounds, "PAUSES", (3600.0,))
    index.peers.put(Peer("RIS", "127.0.0.1", free_port(), notified=True))
    note()
    wait_until(lambda: "no connection" in index.notices.waiting()[0][2])
    with notified() as ris:
        index.peers.put(ris.peer)
        bell.ring()
        assert ris.next().study == STUDY
        all_is_told(index)
