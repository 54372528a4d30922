"""Who is told of what: PS3.4 Tables CC.2.3-2 and CC.2.4-1."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pacs.attributes import Key
from pacs.errors import InvalidQuery, NotFound
from pacs.index import subscriptions
from pacs.worklist.attributes import KEYS
from testdata.workitems import OTHER_WORKSTATION, WORKSTATION, dicom_json, new_workitem, performer
from tests.pacs.worklist.conftest import Desk

UID, OTHER, LOCK = "2.999.39.7.7", "2.999.39.7.8", "2.999.39.8.8"
STATE_REPORT, PROGRESS_REPORT, SCP_STATUS_CHANGE, ASSIGNED = 1, 3, 4, 5


def keys(**values: str) -> Mapping[Key, Sequence[str]]:
    """Matching keys of the outermost level."""
    return {next(key for key in KEYS if key.path == (name,)): [value] for name, value in values.items()}


def told_types(desk: Desk, ae_title: str) -> list[int]:
    return [report["00001002"]["Value"][0] for report in desk.told(ae_title)]


@pytest.fixture
def scheduled(desk: Desk) -> Desk:
    desk.worklist.create(new_workitem(ScheduledStationNameCodeSequence=None), UID)
    return desk


def test_a_subscriber_is_told_the_present_state_and_every_change(scheduled: Desk) -> None:
    scheduled.subscriptions.subscribe("WATCHER", UID, deletion_lock=False)
    scheduled.worklist.change_state(UID, "IN PROGRESS", LOCK)
    first, second = scheduled.told("WATCHER")
    assert first == {
        "00000002": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.34.6.1"]},
        "00001000": {"vr": "UI", "Value": [UID]},
        "00001002": {"vr": "US", "Value": [STATE_REPORT]},
        "00404041": {"vr": "CS", "Value": ["READY"]},
        "00741000": {"vr": "CS", "Value": ["SCHEDULED"]},
    }
    assert second["00741000"]["Value"] == ["IN PROGRESS"]
    assert scheduled.told("WATCHER") == []


@pytest.mark.parametrize(
    ("change", "types"),
    [
        (dicom_json(InputReadinessState="INCOMPLETE"), [STATE_REPORT]),
        (dicom_json(ScheduledStationNameCodeSequence=WORKSTATION), [ASSIGNED]),
        (dicom_json(ScheduledHumanPerformersSequence=performer("Zen^Anna", "7")), [ASSIGNED]),
        (
            dicom_json(ProcedureStepProgressInformationSequence=dicom_json(ProcedureStepProgress="40")),
            [PROGRESS_REPORT],
        ),
        (dicom_json(ProcedureStepLabel="Altro"), []),
        (dicom_json(InputReadinessState="READY"), []),
    ],
)
def test_of_each_change_its_event_is_told(scheduled: Desk, change: dict[str, Any], types: list[int]) -> None:
    scheduled.subscriptions.subscribe("WATCHER", UID, deletion_lock=False)
    scheduled.told("WATCHER")
    rings = len(scheduled.rings)
    scheduled.worklist.update(UID, change)
    assert told_types(scheduled, "WATCHER") == types
    assert len(scheduled.rings) == rings + bool(types) + 1  # one for the channel that asked


def test_who_is_assigned_is_told_with_code_and_organization(scheduled: Desk) -> None:
    scheduled.subscriptions.subscribe("WATCHER", UID, deletion_lock=False)
    person = performer("Zen^Anna", "7")
    scheduled.worklist.update(UID, dicom_json(ScheduledHumanPerformersSequence=person))
    _, report = scheduled.told("WATCHER")
    assert report["00404034"]["Value"] == [person]
    assert report["00404009"]["Value"][0]["00080100"]["Value"] == ["7"]
    assert report["00404036"]["Value"] == ["Radiologia"]


def test_progress_is_told_with_its_sequence(scheduled: Desk) -> None:
    scheduled.subscriptions.subscribe("WATCHER", UID, deletion_lock=False)
    progress = dicom_json(ProcedureStepProgressInformationSequence=dicom_json(ProcedureStepProgress="40"))
    scheduled.worklist.update(UID, progress)
    _, report = scheduled.told("WATCHER")
    assert report["00741002"] == progress["00741002"]


def test_nobody_is_told_of_what_he_is_not_subscribed_to(scheduled: Desk) -> None:
    scheduled.worklist.create(new_workitem(), OTHER)
    scheduled.subscriptions.subscribe("WATCHER", OTHER, deletion_lock=False)
    scheduled.told("WATCHER")
    scheduled.worklist.change_state(UID, "IN PROGRESS", LOCK)
    assert scheduled.told("WATCHER") == []


def test_an_unsubscribed_is_told_no_more(scheduled: Desk) -> None:
    scheduled.subscriptions.subscribe("WATCHER", UID, deletion_lock=False)
    scheduled.subscriptions.unsubscribe("WATCHER", UID)
    scheduled.told("WATCHER")
    scheduled.worklist.change_state(UID, "IN PROGRESS", LOCK)
    assert scheduled.told("WATCHER") == []
    with pytest.raises(NotFound):
        scheduled.subscriptions.unsubscribe("WATCHER", UID)


def test_a_subscriber_to_the_worklist_is_told_of_new_work_items(desk: Desk) -> None:
    desk.subscriptions.subscribe_to_worklist("WATCHER", deletion_lock=False)
    desk.worklist.create(new_workitem(ScheduledStationNameCodeSequence=None), UID)
    desk.worklist.create(new_workitem(), OTHER)
    assert told_types(desk, "WATCHER") == [STATE_REPORT, STATE_REPORT, ASSIGNED]
    desk.worklist.change_state(UID, "IN PROGRESS", LOCK)
    assert desk.told_states("WATCHER") == ["IN PROGRESS"]


@pytest.mark.parametrize(("lock", "states"), [(True, ["SCHEDULED"]), (False, [])])
def test_what_is_there_is_subscribed_to_and_told_with_a_lock(
    scheduled: Desk, lock: bool, states: list[str]
) -> None:
    scheduled.subscriptions.subscribe_to_worklist("WATCHER", deletion_lock=lock)
    assert scheduled.told_states("WATCHER") == states
    scheduled.worklist.change_state(UID, "IN PROGRESS", LOCK)
    assert scheduled.told_states("WATCHER") == ["IN PROGRESS"]


def test_what_is_subscribed_to_already_is_not_told_again(scheduled: Desk) -> None:
    scheduled.subscriptions.subscribe("WATCHER", UID, deletion_lock=False)
    scheduled.told("WATCHER")
    scheduled.subscriptions.subscribe_to_worklist("WATCHER", deletion_lock=True)
    assert scheduled.told("WATCHER") == []


def test_a_suspended_subscriber_keeps_what_he_has(scheduled: Desk) -> None:
    scheduled.subscriptions.subscribe_to_worklist("WATCHER", deletion_lock=False)
    scheduled.subscriptions.suspend("WATCHER")
    scheduled.worklist.create(new_workitem(), OTHER)
    scheduled.worklist.change_state(UID, "IN PROGRESS", LOCK)
    assert scheduled.told_states("WATCHER") == ["IN PROGRESS"]
    with pytest.raises(NotFound):
        scheduled.subscriptions.suspend("WATCHER")


def test_leaving_the_worklist_ends_all_subscriptions(scheduled: Desk) -> None:
    scheduled.subscriptions.subscribe("WATCHER", UID, deletion_lock=True)
    scheduled.subscriptions.unsubscribe_from_worklist("WATCHER")
    scheduled.worklist.change_state(UID, "IN PROGRESS", LOCK)
    assert scheduled.told("WATCHER") == []
    with pytest.raises(NotFound):
        scheduled.subscriptions.unsubscribe_from_worklist("WATCHER")


def test_a_filter_chooses_as_a_search_does(scheduled: Desk) -> None:
    scheduled.subscriptions.subscribe_to_worklist(
        "WATCHER", False, keys(PatientName="*letizia*", WorklistLabel="IA")
    )
    scheduled.worklist.create(new_workitem(WorklistLabel="IA"), "2.999.1")
    scheduled.worklist.create(new_workitem(WorklistLabel="Altra"), "2.999.2")
    scheduled.worklist.create(new_workitem(WorklistLabel="IA", PatientName="Altro^Nome"), "2.999.3")
    told = {report["00001000"]["Value"][0] for report in scheduled.told("WATCHER")}
    assert told == {"2.999.1"}


def test_a_filter_chooses_among_what_is_there(scheduled: Desk) -> None:
    scheduled.worklist.create(new_workitem(ScheduledStationNameCodeSequence=OTHER_WORKSTATION), OTHER)
    station = next(key for key in KEYS if key.path == ("ScheduledStationNameCodeSequence", "CodeValue"))
    scheduled.subscriptions.subscribe_to_worklist("WATCHER", True, {station: ["WS2"]})
    assert [report["00001000"]["Value"] for report in scheduled.told("WATCHER")] == [[OTHER]]


def test_a_filter_that_cannot_be_understood_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidQuery, match="ScheduledProcedureStepStartDateTime"):
        desk.subscriptions.subscribe_to_worklist(
            "WATCHER", False, keys(ScheduledProcedureStepStartDateTime="x")
        )


def test_a_restart_is_told_once(scheduled: Desk) -> None:
    scheduled.subscriptions.subscribe_to_worklist("WATCHER", deletion_lock=False)
    scheduled.subscriptions.announce_restart()
    scheduled.subscriptions.announce_restart()
    (report,) = scheduled.told("WATCHER")
    assert report["00001002"]["Value"] == [SCP_STATUS_CHANGE]
    assert [report[key]["Value"] for key in ("00741242", "00741244", "00741246")] == [
        ["RESTARTED"],
        ["WARM START"],
        ["WARM START"],
    ]


def test_a_restart_is_told_to_the_fallback_list_and_what_was_lost_is_told_alone(scheduled: Desk) -> None:
    """PS3.4 CC.2.4.3."""
    told = []
    for kept in (False, True):
        scheduled.subscriptions.announce_restart(["WARD 2"], kept)
    scheduled.subscriptions.subscribe_to_worklist("WATCHER", deletion_lock=False)
    scheduled.subscriptions.announce_restart(["WARD 2", "WATCHER"])
    for ae_title in ("WARD 2", "WATCHER"):
        (report,) = scheduled.told(ae_title)
        told.append([report[key]["Value"][0] for key in ("00741242", "00741244", "00741246")])
    assert told == [["RESTARTED", "COLD STARTED", "COLD START"], ["RESTARTED", "WARM START", "WARM START"]]


def test_a_channel_that_another_has_replaced_tells_and_forgets_nothing(scheduled: Desk) -> None:
    scheduled.subscriptions.subscribe("WATCHER", UID, deletion_lock=False)
    old = scheduled.subscriptions.open_channel("WATCHER")
    waiting = scheduled.subscriptions.waiting("WATCHER", old, 10)
    assert waiting
    new = scheduled.subscriptions.open_channel("WATCHER")
    scheduled.subscriptions.told("WATCHER", old, waiting)
    assert scheduled.subscriptions.waiting("WATCHER", old, 10) is None
    assert scheduled.subscriptions.waiting("WATCHER", new, 10) == waiting


def test_a_channel_that_was_closed_is_forgotten_and_no_other(scheduled: Desk) -> None:
    old = scheduled.subscriptions.open_channel("WATCHER")
    new = scheduled.subscriptions.open_channel("WATCHER")
    scheduled.subscriptions.close_channel("WATCHER", old)
    assert scheduled.subscriptions.waiting("WATCHER", new, 10) == []
    scheduled.subscriptions.close_channel("WATCHER", new)
    assert scheduled.subscriptions.waiting("WATCHER", new, 10) is None


def test_channels_have_news_when_there_is_something_to_tell_or_another(scheduled: Desk) -> None:
    one, two = (scheduled.subscriptions.open_channel(name) for name in ("ONE", "TWO"))
    channels = {one: "ONE", two: "TWO"}
    assert scheduled.subscriptions.with_news(channels) == set()
    scheduled.subscriptions.subscribe("ONE", UID, deletion_lock=False)
    assert scheduled.subscriptions.with_news(channels) == {one}
    scheduled.subscriptions.open_channel("TWO")
    assert scheduled.subscriptions.with_news(channels) == {one, two}


def test_of_what_waits_too_long_the_oldest_goes(scheduled: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "MAX_REPORTS", 3)
    scheduled.subscriptions.subscribe("WATCHER", UID, deletion_lock=False)
    for readiness in ("INCOMPLETE", "UNAVAILABLE", "READY", "INCOMPLETE"):
        scheduled.worklist.update(UID, dicom_json(InputReadinessState=readiness))
    told = [report["00404041"]["Value"][0] for report in scheduled.told("WATCHER")]
    assert told == ["UNAVAILABLE", "READY", "INCOMPLETE"]
