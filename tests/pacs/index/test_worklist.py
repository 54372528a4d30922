"""Work items in the index, on each of the databases: searching, subscribing, taking over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pacs.attributes import Key
from pacs.errors import WorkitemGone
from pacs.index import Index, migrate, sqlite_url
from pacs.keys import parse_condition
from pacs.model import DicomJson
from pacs.query import Condition
from pacs.worklist.attributes import KEYS
from pacs.worklist.subscriptions import Subscriptions
from pacs.worklist.worklist import Worklist
from testdata.workitems import (
    OTHER_WORKSTATION,
    WORKSTATION,
    dicom_json,
    new_workitem,
    performer,
    state_change,
)
from tests.pacs.index.conftest import DATABASES, empty_index

BY_PATH = {".".join(key.path): key for key in KEYS}
STATION = "ScheduledStationNameCodeSequence"

ITEMS: dict[str, DicomJson] = {
    "1": new_workitem(ScheduledProcedureStepStartDateTime="20261127100000", WorklistLabel="Refertazione"),
    "2": new_workitem(
        ScheduledProcedureStepStartDateTime="20261127080000",
        ScheduledStationNameCodeSequence=[WORKSTATION, OTHER_WORKSTATION],
        ScheduledProcedureStepPriority="HIGH",
        PatientName="Bruno^Pèppe",
        PatientID="P2",
    ),
    "3": new_workitem(
        ScheduledProcedureStepStartDateTime="20261201",
        ScheduledStationNameCodeSequence=None,
        InputReadinessState="INCOMPLETE",
        ReferencedRequestSequence=[
            dicom_json(
                StudyInstanceUID=f"2.999.{number}",
                AccessionNumber=f"ACC_{number}%",
                IssuerOfAccessionNumberSequence=None,
                OrderPlacerIdentifierSequence=None,
                OrderFillerIdentifierSequence=None,
                RequestedProcedureID=f"RP{number}",
                RequestedProcedureDescription=None,
                RequestedProcedureCodeSequence=None,
            )
            for number in (1, 2)
        ],
        ScheduledHumanPerformersSequence=performer("Zen^Anna", "7"),
    ),
}


def worklist_of(index: Index) -> Worklist:
    return Worklist(index.worklist, "DIAFANA", 30.0, lambda: None)


def fill(index: Index) -> Worklist:
    worklist = worklist_of(index)
    for number, item in ITEMS.items():
        worklist.create(item, f"2.999.7.{number}")
    worklist.change_state("2.999.7.2", "IN PROGRESS", state_change("IN PROGRESS")["00081195"]["Value"][0])
    return worklist


@pytest.fixture
def worklist(index: Index) -> Worklist:
    return fill(index)


@pytest.fixture(scope="module", params=DATABASES)
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worklist]:
    """A worklist that nobody changes."""
    with empty_index(request.param, tmp_path_factory.mktemp("kept"), request) as url:
        index = Index(url)
        yield fill(index)
        index.close()


def criteria(keys: dict[str, str]) -> list[tuple[Key, Condition]]:
    pairs = [
        (BY_PATH[path], parse_condition(BY_PATH[path], value.split(","))) for path, value in keys.items()
    ]
    return [(key, condition) for key, condition in pairs if condition is not None]


def found(worklist: Worklist, keys: dict[str, str], limit: int | None = None, offset: int = 0) -> str:
    """The last component of the UIDs that match, in their order."""
    items = worklist.search(criteria(keys), limit, offset)
    return "".join(item["00080018"]["Value"][0][-1] for item in items)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, "213"),
        ({"SOPInstanceUID": "2.999.7.1,2.999.7.3"}, "13"),
        ({"SOPInstanceUID": "2.999.7"}, ""),
        ({"ProcedureStepState": "SCHEDULED"}, "13"),
        ({"ProcedureStepState": "IN PROGRESS"}, "2"),
        ({"ScheduledProcedureStepPriority": "HIGH"}, "2"),
        ({"InputReadinessState": "READY"}, "21"),
        ({"ScheduledProcedureStepStartDateTime": "20261127"}, "21"),
        ({"ScheduledProcedureStepStartDateTime": "20261127090000-"}, "13"),
        ({"ScheduledProcedureStepStartDateTime": "-202611"}, "21"),
        ({"WorklistLabel": "refer*"}, "213"),
        ({"PatientName": "BRUNO*peppe"}, "2"),
        ({"PatientName": "letizia*"}, ""),
        ({"PatientID": "P?"}, "2"),
        ({f"{STATION}.CodeValue": "WS1"}, "21"),
        ({f"{STATION}.CodeValue": "WS2"}, "2"),
        ({f"{STATION}.CodeValue": "WS2", f"{STATION}.CodingSchemeDesignator": "99ALTRO"}, "2"),
        # Both are there, but in two items
        ({f"{STATION}.CodeValue": "WS1", f"{STATION}.CodingSchemeDesignator": "99ALTRO"}, ""),
        ({"ScheduledWorkitemCodeSequence.CodeValue": "110005", "ProcedureStepState": "SCHEDULED"}, "13"),
        ({"ReferencedRequestSequence.AccessionNumber": "ACC_2%"}, "3"),
        ({"ReferencedRequestSequence.AccessionNumber": "ACC?*%"}, "3"),
        ({"ReferencedRequestSequence.AccessionNumber": "ACC%*"}, ""),
        (
            {
                "ReferencedRequestSequence.AccessionNumber": "ACC_1%",
                "ReferencedRequestSequence.RequestedProcedureID": "RP1",
            },
            "3",
        ),
        (
            {
                "ReferencedRequestSequence.AccessionNumber": "ACC_1%",
                "ReferencedRequestSequence.RequestedProcedureID": "RP2",
            },
            "",
        ),
        ({"ScheduledHumanPerformersSequence.HumanPerformerName": "zen*"}, "3"),
        ({"ScheduledHumanPerformersSequence.HumanPerformerCodeSequence.CodeValue": "7"}, "3"),
    ],
)
def test_keys_match(kept: Worklist, keys: dict[str, str], expected: str) -> None:
    assert found(kept, keys) == expected


def test_answers_come_in_pages_of_one_order(kept: Worklist) -> None:
    assert [found(kept, {}, 1, offset) for offset in range(4)] == ["2", "1", "3", ""]
    assert found(kept, {}, 2, 1) == "13"


def test_what_was_changed_is_found_by_what_it_is_now(worklist: Worklist) -> None:
    worklist.update("2.999.7.1", dicom_json(ScheduledStationNameCodeSequence=OTHER_WORKSTATION))
    assert found(worklist, {f"{STATION}.CodeValue": "WS1"}) == "2"
    assert found(worklist, {f"{STATION}.CodeValue": "WS2"}) == "21"


def test_a_long_value_is_found_by_its_beginning(worklist: Worklist) -> None:
    comment = "Confrontare con " + "l'esame precedente 比較 " * 400
    worklist.create(new_workitem(CommentsOnTheScheduledProcedureStep=comment), "2.999.7.8")
    assert found(worklist, {"CommentsOnTheScheduledProcedureStep": "confrontare*"}) == "8"
    (kept,) = worklist.search(criteria({"SOPInstanceUID": "2.999.7.8"}))
    assert kept["00400400"]["Value"] == [comment]


def test_subscribers_are_told_on_every_database(index: Index, worklist: Worklist) -> None:
    subscriptions = Subscriptions(index.worklist, lambda: None)
    subscriptions.subscribe_to_worklist("WATCHER", True, {BY_PATH["WorklistLabel"]: ["Refertazione"]})
    subscriptions.subscribe_to_worklist("WATCHER", True)  # which takes the place of the first
    worklist.create(new_workitem(WorklistLabel="Altra"), "2.999.7.9")
    worklist.request_cancel("2.999.7.9", {})
    subscriptions.announce_restart()
    token = subscriptions.open_channel("WATCHER")
    waiting = subscriptions.waiting("WATCHER", token, 100)
    assert waiting is not None
    assert len(waiting) == 3 + 2 + 2 + 1  # what was there; new and assigned; two states; the restart
    subscriptions.told("WATCHER", token, waiting[:5])
    assert subscriptions.waiting("WATCHER", token, 100) == waiting[5:]
    subscriptions.unsubscribe_from_worklist("WATCHER")
    assert subscriptions.waiting("WATCHER", token, 100) == []


def test_a_uid_is_remembered_until_it_is_taken_again(index: Index) -> None:
    worklist = Worklist(index.worklist, "DIAFANA", 1e-9, lambda: None)
    for _ in range(2):
        for uid in ("2.999.7.1", "2.999.7.2"):
            worklist.create(new_workitem(), uid)
            worklist.request_cancel(uid, {})
        with pytest.raises(WorkitemGone):
            worklist.get("2.999.7.1")
        assert found(worklist, {"SOPInstanceUID": "2.999.7.1"}) == ""


def test_the_worklist_of_another_index_is_taken_over(tmp_path: Path) -> None:
    indexes = []
    for name in ("old", "new"):
        url = sqlite_url(tmp_path / f"{name}.sqlite")
        migrate(url)
        indexes.append(Index(url))
    old, new = indexes
    passing = Worklist(old.worklist, "DIAFANA", 1e-9, lambda: None)
    for uid in ("2.999.7.1", "2.999.7.3"):
        passing.create(new_workitem(), uid)
        passing.request_cancel(uid, {})
    worklist_of(old).create(ITEMS["2"], "2.999.7.2")
    Subscriptions(old.worklist, lambda: None).subscribe("WATCHER", "2.999.7.2", deletion_lock=True)
    old.close()
    new.worklist.copy_from(sqlite_url(tmp_path / "old.sqlite"))
    taken = worklist_of(new)
    assert found(taken, {f"{STATION}.CodeValue": "WS2"}) == "2"
    with pytest.raises(WorkitemGone):
        taken.get("2.999.7.1")
    taken.change_state("2.999.7.2", "IN PROGRESS", "2.999.8")
    subscriptions = Subscriptions(new.worklist, lambda: None)
    waiting = subscriptions.waiting("WATCHER", subscriptions.open_channel("WATCHER"), 10)
    assert len(waiting or []) == 2
    new.close()
