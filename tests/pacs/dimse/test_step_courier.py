"""Telling others of performed steps, as an SCU: pynetdicom's SCP with whatever behaviour."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import evt
from structlog.testing import capture_logs

from pacs.changes import Bell
from pacs.dimse.message_courier import MOST_REFUSALS, MessageCourier
from pacs.dimse.sop_classes import PERFORMED_STEP, VERIFICATION
from pacs.dimse.step_courier import STEPS
from pacs.index import Index, migrate, sqlite_url
from pacs.model import Peer
from pacs.procedure_steps.performed import PerformedSteps
from testdata.procedure_steps import begun_step, ended_step
from tests.pacs.dimse.scp import serving
from tests.pacs.dimse.working import at_work
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("impatient")

UID, OTHER = "2.999.15.1", "2.999.15.2"

Answer = Callable[[str, str], int | Dataset]


class Manager:
    """An MPPS manager, and what it was told: operation, UID and data set."""

    def __init__(self, answer: Answer, with_data_set: bool) -> None:
        self.told: list[tuple[str, str, Dataset]] = []
        self.peer = Peer("MPPS", "127.0.0.1", 0)
        self._answer = answer
        self._with_data_set = with_data_set

    def create(self, event: evt.Event) -> tuple[Any, Dataset | None]:
        request: Any = event.request
        return self._note("create", str(request.AffectedSOPInstanceUID), event.attribute_list)

    def set_(self, event: evt.Event) -> tuple[Any, Dataset | None]:
        request: Any = event.request
        return self._note("set", str(request.RequestedSOPInstanceUID), event.modification_list)

    def _note(self, operation: str, uid: str, data_set: Dataset) -> tuple[Any, Dataset | None]:
        data_set.decode()
        self.told.append((operation, uid, data_set))
        return self._answer(operation, uid), data_set if self._with_data_set else None

    def operations(self) -> list[tuple[str, str]]:
        return [(operation, uid) for operation, uid, _ in self.told]


@contextmanager
def manager(
    answer: Answer = lambda *_: 0x0000,
    sop_class: str = PERFORMED_STEP,
    with_data_set: bool = False,
    port: int = 0,
) -> Iterator[Manager]:
    known = Manager(answer, with_data_set)
    handlers = [(evt.EVT_N_CREATE, known.create), (evt.EVT_N_SET, known.set_)]
    with serving("MPPS", [(sop_class, [ImplicitVRLittleEndian])], handlers, port) as known.peer:
        yield known


@pytest.fixture
def performed(index: Index, bell: Bell) -> PerformedSteps:
    return PerformedSteps(index.worklist, 30.0, ("MPPS",), bell.ring)


@pytest.fixture
def courier(index: Index, bell: Bell) -> Iterator[None]:
    """It works while the test does."""
    with at_work(MessageCourier(STEPS, index.step_outbox, index.peers, "DIAFANA", bell).run, bell):
        yield


def is_empty(index: Index) -> Callable[[], bool]:
    return lambda: index.step_outbox.waiting() == []


@pytest.mark.usefixtures("courier")
@pytest.mark.parametrize("with_data_set", [False, True])
def test_others_are_told_what_we_are_told(
    index: Index, performed: PerformedSteps, with_data_set: bool
) -> None:
    """Also where the answer has a data set, which nobody needs (PS3.7 10.1.5.1.5)."""
    with manager(with_data_set=with_data_set) as other:
        index.peers.put(other.peer)
        performed.create(UID, begun_step(PatientName="D'Alò^Niccolò"))
        performed.update(UID, ended_step())
        wait_until(is_empty(index))
    assert other.operations() == [("create", UID), ("set", UID)]
    created, changed = (data_set for _, _, data_set in other.told)
    assert str(created.PatientName) == "D'Alò^Niccolò"
    assert (created.PerformedProcedureStepStatus, created.Modality) == ("IN PROGRESS", "CT")
    assert changed.PerformedProcedureStepStatus == "COMPLETED"
    assert changed.PerformedSeriesSequence[0].ProtocolName == "Torace"
    assert "Modality" not in changed


@pytest.mark.usefixtures("courier")
def test_what_is_refused_here_is_told_to_nobody(index: Index, performed: PerformedSteps) -> None:
    with manager() as other:
        index.peers.put(other.peer)
        performed.create(UID, begun_step())
        with pytest.raises(Exception, match="there is one of this name"):
            performed.create(UID, begun_step())
        wait_until(is_empty(index))
    assert other.operations() == [("create", UID)]


@pytest.mark.usefixtures("courier")
def test_who_is_away_is_told_later_in_the_same_order(index: Index, performed: PerformedSteps) -> None:
    with manager() as before:
        port = before.peer.port
    performed.create(UID, begun_step())  # nobody knows the system yet
    wait_until(lambda: any("not known" in reason for _, _, reason in index.step_outbox.waiting()))
    index.peers.put(Peer("MPPS", "127.0.0.1", port))
    performed.create(OTHER, begun_step())
    performed.update(UID, ended_step())
    wait_until(lambda: any("no connection" in reason for _, _, reason in index.step_outbox.waiting()))
    assert index.step_outbox.waiting()[0][:2] == ("MPPS", 3)
    with manager(port=port) as other:
        wait_until(is_empty(index))
    assert other.operations() == [("create", UID), ("create", OTHER), ("set", UID)]


@pytest.mark.usefixtures("courier")
def test_a_refusal_does_not_hold_up_what_comes_after_it(index: Index, performed: PerformedSteps) -> None:
    with manager(lambda _, uid: 0x0106 if uid == UID else 0) as other:
        index.peers.put(other.peer)
        performed.create(UID, begun_step())
        performed.create(OTHER, begun_step())
        wait_until(is_empty(index))
    assert other.operations() == [("create", UID), ("create", OTHER)]


@pytest.mark.usefixtures("courier")
def test_who_has_no_room_is_asked_again_but_not_for_ever(index: Index, performed: PerformedSteps) -> None:
    full = {UID: 2, OTHER: 1000}

    def answer(_: str, uid: str) -> int:
        full[uid] -= 1
        return 0x0213 if full[uid] >= 0 else 0

    with manager(answer) as other:
        index.peers.put(other.peer)
        performed.create(UID, begun_step())
        performed.create(OTHER, begun_step())
        wait_until(is_empty(index))
    assert other.operations() == [("create", UID)] * 3 + [("create", OTHER)] * MOST_REFUSALS


@pytest.mark.usefixtures("courier")
def test_an_answer_that_was_lost_is_not_taken_for_a_refusal(index: Index, performed: PerformedSteps) -> None:
    """The other says that it has the step, or that it is at its end."""
    asked: dict[str, int] = {}

    def answer(operation: str, _: str) -> int | Dataset:
        asked[operation] = asked.get(operation, 0) + 1
        status = Dataset()
        if asked[operation] == 1:
            status.Status = 0x0110
        elif operation == "create":
            status.Status = 0x0111
        else:
            status.Status, status.ErrorID = 0x0110, 0xA710
        return status

    with capture_logs() as logs, manager(answer) as other:
        index.peers.put(other.peer)
        performed.create(UID, begun_step())
        performed.update(UID, ended_step())
        wait_until(is_empty(index))
    assert asked == {"create": 2, "set": 2}
    assert [one["event"] for one in logs] == ["performed step could not be told", "performed step told"] * 2


@pytest.mark.parametrize("cut_off", [True, False])
def test_a_step_that_is_there_already_is_ours_if_we_may_have_told_it(
    index: Index, performed: PerformedSteps, bell: Bell, cut_off: bool
) -> None:
    """The service may have ended before it could note that it had."""
    performed.create(UID, begun_step())
    if cut_off:
        (message,) = index.step_outbox.due(time.time())
        index.step_outbox.begin(message)
    with capture_logs() as logs, manager(lambda *_: 0x0111) as other:
        index.peers.put(other.peer)
        with at_work(MessageCourier(STEPS, index.step_outbox, index.peers, "DIAFANA", bell).run, bell):
            wait_until(is_empty(index))
    assert [one["event"] for one in logs] == ["performed step told" if cut_off else "performed step not told"]


@pytest.mark.usefixtures("courier")
def test_who_takes_no_steps_is_named_and_not_asked_for_ever(index: Index, performed: PerformedSteps) -> None:
    with capture_logs() as logs, manager(sop_class=VERIFICATION) as other:
        index.peers.put(other.peer)
        performed.create(UID, begun_step())
        wait_until(is_empty(index))
    reasons = [one["reason"] for one in logs]
    assert len(reasons) == MOST_REFUSALS
    assert set(reasons) == {"MPPS takes the association, but not Modality Performed Procedure Step SOP Class"}
    assert (logs[-1]["event"], "mpps_forward" in logs[-1]["advice"]) == ("performed step not told", True)


def test_what_waits_outlives_a_new_index(performed: PerformedSteps, tmp_path: Path) -> None:
    performed.create(UID, begun_step())
    url = sqlite_url(tmp_path / "new.sqlite")
    migrate(url)
    new = Index(url)
    new.worklist.copy_from(sqlite_url(tmp_path / "index.sqlite"))
    (message,) = new.step_outbox.due(time.time())
    assert (message.destination, message.uid, message.is_new) == ("MPPS", UID, True)
    new.close()
