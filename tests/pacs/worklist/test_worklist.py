"""Work items from their beginning to their end (PS3.4 CC.2), without any protocol."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pacs.errors import InvalidStep, NotFound, Refusal, WorkitemConflict, WorkitemGone
from pacs.worklist.worklist import DAY
from testdata.workitems import (
    EQUIPMENT_FAILURE,
    OTHER_WORKSTATION,
    dicom_json,
    discontinued,
    new_workitem,
    performed,
)
from tests.pacs.worklist.conftest import Desk

UID, LOCK = "2.999.39.7.7", "2.999.39.8.8"


def refusal_of(request: Callable[..., Any], *of: Any) -> Refusal:
    with pytest.raises(WorkitemConflict) as refused:
        request(*of)
    return refused.value.reason


@pytest.fixture
def scheduled(desk: Desk) -> Desk:
    desk.worklist.create(new_workitem(), UID)
    return desk


@pytest.fixture
def claimed(scheduled: Desk) -> Desk:
    assert scheduled.worklist.change_state(UID, "IN PROGRESS", LOCK)
    return scheduled


def state(desk: Desk) -> str:
    return str(desk.worklist.get(UID)["00741000"]["Value"][0])


def test_a_work_item_is_kept_as_it_was_given_and_completed_by_us(scheduled: Desk) -> None:
    kept = scheduled.worklist.get(UID)
    given = {key: element for key, element in new_workitem().items() if key != "00081195"}
    assert given.items() <= kept.items()
    assert kept["00080016"]["Value"] == ["1.2.840.10008.5.1.4.34.6.1"]
    assert kept["00080018"]["Value"] == [UID]
    assert kept["00404010"]["Value"][0].startswith("20")
    assert list(kept) == sorted(kept)


def test_a_uid_may_be_given_in_the_data_set_or_left_to_us(desk: Desk) -> None:
    assert desk.worklist.create(new_workitem(SOPInstanceUID="1.2.3")).uid == "1.2.3"
    made = desk.worklist.create(new_workitem()).uid
    assert desk.worklist.get(made)["00080018"]["Value"] == [made]


@pytest.mark.parametrize(
    "uid", ["../../x", "1..2", "01.2", "1.2." + "3" * 64, "1.2.840.10008.5.1.4.34.5", "a"]
)
def test_what_can_be_no_uid_of_a_work_item_is_refused(desk: Desk, uid: str) -> None:
    with pytest.raises(InvalidStep, match="SOPInstanceUID"):
        desk.worklist.create(new_workitem(), uid)


def test_two_uids_are_refused(desk: Desk) -> None:
    with pytest.raises(InvalidStep, match="SOPInstanceUID is not that of the request"):
        desk.worklist.create(new_workitem(SOPInstanceUID="1.2.3"), UID)


def test_a_worklist_label_is_filled_in_and_told(desk: Desk) -> None:
    created = desk.worklist.create(new_workitem(WorklistLabel=None), UID)
    assert created.modified
    assert desk.worklist.get(UID)["00741202"]["Value"] == ["DIAFANA"]
    assert not desk.worklist.create(new_workitem()).modified


def test_a_work_item_begins_as_scheduled(desk: Desk) -> None:
    with pytest.raises(InvalidStep, match="ProcedureStepState is not SCHEDULED"):
        desk.worklist.create(new_workitem(ProcedureStepState="IN PROGRESS"))


def test_a_flood_of_values_is_refused(scheduled: Desk) -> None:
    flood = [OTHER_WORKSTATION] * 600
    with pytest.raises(InvalidStep, match="more than 1000 values"):
        scheduled.worklist.create(new_workitem(ScheduledStationNameCodeSequence=flood))
    with pytest.raises(InvalidStep, match="more than 1000 values"):
        scheduled.worklist.update(UID, dicom_json(ScheduledStationNameCodeSequence=flood))
    assert state(scheduled) == "SCHEDULED"


def test_a_uid_is_taken_once(scheduled: Desk) -> None:
    assert refusal_of(scheduled.worklist.create, new_workitem(), UID) is Refusal.EXISTS


def test_what_nobody_has_claimed_is_changed_without_a_transaction_uid(scheduled: Desk) -> None:
    scheduled.worklist.update(UID, dicom_json(ProcedureStepLabel="Altro", StudyInstanceUID=None))
    kept = scheduled.worklist.get(UID)
    assert kept["00741204"]["Value"] == ["Altro"]
    assert kept["0020000D"] == {"vr": "UI"}
    change = dicom_json(ProcedureStepLabel="Altro")
    assert refusal_of(scheduled.worklist.update, UID, change, LOCK) is Refusal.NOT_IN_PROGRESS


def test_what_is_claimed_is_changed_by_its_performer_alone(claimed: Desk) -> None:
    change = dicom_json(ProcedureStepLabel="Altro")
    assert refusal_of(claimed.worklist.update, UID, change) is Refusal.TRANSACTION_UID_MISSING
    assert refusal_of(claimed.worklist.update, UID, change, "1.2") is Refusal.TRANSACTION_UID_INCORRECT
    claimed.worklist.update(UID, change, LOCK)
    claimed.worklist.update(UID, dicom_json(ProcedureStepLabel="Terzo", TransactionUID=LOCK))
    assert claimed.worklist.get(UID)["00741204"]["Value"] == ["Terzo"]


def test_the_transaction_uid_is_told_to_nobody(claimed: Desk) -> None:
    claimed.worklist.update(UID, dicom_json(TransactionUID=LOCK, ProcedureStepLabel="Altro"))
    assert LOCK not in str(claimed.worklist.get(UID))
    assert LOCK not in str(list(claimed.worklist.search([])))


def test_one_of_many_who_claim_at_once_succeeds(scheduled: Desk) -> None:
    def claim(number: int) -> bool:
        try:
            return scheduled.worklist.change_state(UID, "IN PROGRESS", f"2.999.{number}")
        except WorkitemConflict:
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(claim, range(8))) == 1


def test_a_step_is_completed_when_it_tells_what_was_done(claimed: Desk) -> None:
    complete = (UID, "COMPLETED", LOCK)
    with pytest.raises(WorkitemConflict, match="UnifiedProcedureStepPerformedProcedureSequence") as refused:
        claimed.worklist.change_state(*complete)
    assert refused.value.reason is Refusal.FINAL_STATE_REQUIREMENTS
    assert state(claimed) == "IN PROGRESS"
    claimed.worklist.update(UID, performed(), LOCK)
    assert claimed.worklist.change_state(*complete)
    assert state(claimed) == "COMPLETED"
    assert claimed.worklist.change_state(*complete) is False  # it is so already
    assert (
        refusal_of(claimed.worklist.change_state, UID, "COMPLETED", "1.2")
        is Refusal.TRANSACTION_UID_INCORRECT
    )
    assert refusal_of(claimed.worklist.update, UID, performed(), LOCK) is Refusal.FINAL


def test_a_performer_cancels_with_a_reason_and_the_time_is_ours(claimed: Desk) -> None:
    cancel = (UID, "CANCELED", LOCK)
    assert refusal_of(claimed.worklist.change_state, *cancel) is Refusal.FINAL_STATE_REQUIREMENTS
    claimed.worklist.update(UID, discontinued(), LOCK)
    assert claimed.worklist.change_state(*cancel)
    (progress,) = claimed.worklist.get(UID)["00741002"]["Value"]
    assert progress["00404052"]["Value"][0].startswith("20")
    assert progress["0074100E"]["Value"] == [EQUIPMENT_FAILURE]


def test_states_are_changed_with_a_transaction_uid(scheduled: Desk) -> None:
    change = scheduled.worklist.change_state
    assert refusal_of(change, UID, "IN PROGRESS", "") is Refusal.TRANSACTION_UID_MISSING
    assert refusal_of(change, UID, "COMPLETED", LOCK) is Refusal.NOT_IN_PROGRESS
    assert refusal_of(change, UID, "SCHEDULED", LOCK) is Refusal.ONLY_CREATED_SCHEDULED
    for named, uid in (("DONE", LOCK), ("", LOCK), ("IN PROGRESS", "../../x")):
        with pytest.raises(InvalidStep):
            change(UID, named, uid)
    assert state(scheduled) == "SCHEDULED"


def test_what_nobody_has_claimed_is_canceled_on_request(scheduled: Desk) -> None:
    scheduled.subscriptions.subscribe("WATCHER", UID, deletion_lock=False)
    assert scheduled.worklist.request_cancel(UID, dicom_json(ReasonForCancellation="doppione"))
    (progress,) = scheduled.worklist.get(UID)["00741002"]["Value"]
    assert progress["00741238"]["Value"] == ["doppione"]
    assert progress["0074100E"]["Value"][0]["00080100"]["Value"] == ["110513"]
    assert scheduled.told_states("WATCHER") == ["SCHEDULED", "IN PROGRESS", "CANCELED"]
    assert scheduled.worklist.request_cancel(UID, {}) is False  # it is so already


def test_the_reason_of_a_request_is_kept(scheduled: Desk) -> None:
    wanted = dicom_json(ProcedureStepDiscontinuationReasonCodeSequence=EQUIPMENT_FAILURE)
    scheduled.worklist.request_cancel(UID, wanted)
    (progress,) = scheduled.worklist.get(UID)["00741002"]["Value"]
    assert progress["0074100E"]["Value"] == [EQUIPMENT_FAILURE]
    with pytest.raises(InvalidStep, match="0074100E"):
        scheduled.worklist.request_cancel(UID, dicom_json(ProcedureStepDiscontinuationReasonCodeSequence={}))


def test_a_performer_is_asked_to_cancel(claimed: Desk) -> None:
    assert refusal_of(claimed.worklist.request_cancel, UID, {}) is Refusal.PERFORMER_UNREACHABLE
    claimed.subscriptions.subscribe("PERFORMER", UID, deletion_lock=False)
    claimed.told("PERFORMER")
    assert claimed.worklist.request_cancel(UID, dicom_json(RequestingAE="CAPOSALA", ContactDisplayName="Ada"))
    (report,) = claimed.told("PERFORMER")
    assert report["00001002"]["Value"] == [2]
    assert report["00741236"]["Value"] == ["CAPOSALA"]
    assert report["0074100C"]["Value"] == ["Ada"]
    assert state(claimed) == "IN PROGRESS"


def test_what_is_completed_is_not_canceled(claimed: Desk) -> None:
    claimed.worklist.update(UID, performed(), LOCK)
    claimed.worklist.change_state(UID, "COMPLETED", LOCK)
    assert refusal_of(claimed.worklist.request_cancel, UID, {}) is Refusal.COMPLETED


def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    for request in (
        lambda: desk.worklist.get(UID),
        lambda: desk.worklist.update(UID, {}),
        lambda: desk.worklist.change_state(UID, "IN PROGRESS", LOCK),
        lambda: desk.worklist.request_cancel(UID, {}),
    ):
        with pytest.raises(NotFound):
            request()


def test_a_refused_request_changes_nothing(claimed: Desk) -> None:
    before = claimed.worklist.get(UID)
    with pytest.raises(InvalidStep):
        claimed.worklist.update(UID, dicom_json(ProcedureStepLabel="Altro", PatientName="Altro"), LOCK)
    assert claimed.worklist.get(UID) == before


def test_what_has_ended_long_ago_goes_unless_somebody_holds_it(desk: Desk) -> None:
    desk = Desk(desk.index, days_kept=2 / DAY)
    for uid in ("2.999.1", "2.999.2", "2.999.3"):
        desk.worklist.create(new_workitem(), uid)
    desk.subscriptions.subscribe("KEEPER", "2.999.2", deletion_lock=True)
    desk.worklist.request_cancel("2.999.1", {})
    desk.worklist.request_cancel("2.999.2", {})
    time.sleep(2.1)
    desk.worklist.request_cancel("2.999.3", {})
    with pytest.raises(WorkitemGone):
        desk.worklist.get("2.999.1")
    assert desk.worklist.get("2.999.2")
    assert desk.worklist.get("2.999.3")
    desk.subscriptions.unsubscribe("KEEPER", "2.999.2")
    desk.worklist.create(new_workitem(ScheduledStationNameCodeSequence=OTHER_WORKSTATION), "2.999.4")
    desk.worklist.request_cancel("2.999.4", {})
    with pytest.raises(WorkitemGone):
        desk.subscriptions.subscribe("KEEPER", "2.999.2", deletion_lock=True)
    with pytest.raises(NotFound) as never_there:
        desk.worklist.get("2.999.9")
    assert not isinstance(never_there.value, WorkitemGone)
