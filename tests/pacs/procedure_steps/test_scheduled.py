"""The modality worklist on both databases (PS3.4 K.6)."""

from collections.abc import Mapping
from typing import Any

import pytest

from pacs.errors import InvalidStep, NotFound, StepConflict
from pacs.index import Index
from pacs.keys import parse_criteria
from pacs.procedure_steps.scheduled import ScheduledSteps
from pacs.procedure_steps.scheduled_attributes import KEYS, SEQUENCE
from pacs.query import Semantics
from testdata.procedure_steps import STUDY, elements, scheduled_step

BY_NAME = {".".join(key.path): key for key in KEYS}
STEPS = "00400100"


@pytest.fixture
def steps(index: Index) -> ScheduledSteps:
    return ScheduledSteps(index.worklist)


@pytest.fixture
def planned(steps: ScheduledSteps) -> ScheduledSteps:
    """Three days of two scanners."""
    of_days: dict[str, dict[str, Any]] = {
        "A": {"date": "20261130", "time": "0830"},
        "B": {"date": "20261130", "time": "1700", "station": "MR1", "modality": "MR", "name": "山田^太郎"},
        "C": {"date": "20261201", "time": "0900", "name": "Παπαδοπούλου^Ελένη", "patient_id": "P2"},
        "D": {"date": "20261202", "time": "1100", "name": "Ròssi^Màrio", "patient_id": "P3"},
    }
    for step_id, others in of_days.items():
        steps.create(scheduled_step(step_id, **others))
    return steps


def ids(found: Any) -> list[str]:
    return [one[STEPS]["Value"][0]["00400009"]["Value"][0] for one in found]


def search(steps: ScheduledSteps, keys: Mapping[str, list[str]]) -> list[str]:
    of_step = {key.keyword: key for key in KEYS if key.path[0] == SEQUENCE and len(key.path) == 2}
    named = {BY_NAME.get(name) or of_step[name]: values for name, values in keys.items()}
    return ids(steps.search(parse_criteria(named, Semantics(combined_datetime=True))))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, "ABCD"),
        ({"ScheduledStationAETitle": ["CT1"]}, "ACD"),
        ({"Modality": ["MR"]}, "B"),
        ({"ScheduledProcedureStepStartDate": ["20261130"]}, "AB"),
        ({"ScheduledProcedureStepStartDate": ["20261201-"]}, "CD"),
        ({"ScheduledProcedureStepStartTime": ["0800-0900"]}, "AC"),
        (  # one range, from the first moment to the last
            {
                "ScheduledProcedureStepStartDate": ["20261130-20261202"],
                "ScheduledProcedureStepStartTime": ["1000-1000"],
            },
            "BC",
        ),
        (
            {
                "ScheduledProcedureStepStartDate": ["20261130"],
                "ScheduledProcedureStepStartTime": ["0800-1200"],
            },
            "A",
        ),
        ({"PatientName": ["rossi*"]}, "AD"),
        ({"PatientName": ["παπαδοπουλου*"]}, "C"),
        ({"PatientName": ["山田*"]}, "B"),
        ({"PatientID": ["P2"], "Modality": ["CT"]}, "C"),
        ({"PatientID": ["P2"], "Modality": ["MR"]}, ""),
        ({"StudyInstanceUID": [STUDY, "1.2.3"]}, "ABCD"),
        ({"ScheduledProcedureStepID": ["D"]}, "D"),
        ({"ScheduledPerformingPhysicianName": ["bianchi*"]}, "ABCD"),
    ],
    ids=str,
)
def test_keys_match(planned: ScheduledSteps, keys: dict[str, list[str]], expected: str) -> None:
    assert search(planned, keys) == list(expected)


def test_pages_are_in_a_stable_order(planned: ScheduledSteps) -> None:
    assert [ids(planned.search([], 2, offset)) for offset in (0, 2, 4)] == [["A", "B"], ["C", "D"], []]


def test_what_names_a_step_is_made_where_it_is_absent(steps: ScheduledSteps) -> None:
    given = scheduled_step(None, study=None)
    del given["00401001"]
    study, step = steps.create(given)
    made = steps.get(study, step)
    assert made["0020000D"]["Value"] == [study]
    assert made["00401001"]["Value"] == [step]
    assert made[STEPS]["Value"][0]["00400020"]["Value"] == ["SCHEDULED"]
    assert len(step) == 16
    assert steps.create(scheduled_step(None, study=study)) != (study, step)


@pytest.mark.parametrize(
    "absent",
    ["PatientName", "PatientID", "ScheduledStationAETitle", "Modality", "ScheduledProcedureStepStartTime"],
)
def test_what_is_required_is_named(steps: ScheduledSteps, absent: str) -> None:
    given = scheduled_step()
    (tag,) = elements(**{absent: None})
    (given if tag in given else given[STEPS]["Value"][0]).pop(tag)
    with pytest.raises(InvalidStep, match=f"{absent} is missing"):
        steps.create(given)
    assert ids(steps.search([])) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"date": "soon"}, "StartDate is no date"),
        ({"time": "noon"}, "StartTime is no time"),
        ({"study": "abc"}, "StudyInstanceUID is no uid"),
        ({"ScheduledProcedureStepSequence": []}, "0 items, not one"),
        ({"ScheduledProcedureStepSequence": [{}, {}]}, "2 items, not one"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(steps: ScheduledSteps, changed: dict[str, Any], message: str) -> None:
    sequence = {"ScheduledProcedureStepSequence"} & changed.keys()
    given = scheduled_step() if sequence else scheduled_step(**changed)
    for keyword in sequence:
        given[STEPS]["Value"] = changed[keyword]
    with pytest.raises(InvalidStep, match=message):
        steps.create(given)


def test_one_name_is_given_once(steps: ScheduledSteps) -> None:
    steps.create(scheduled_step())
    with pytest.raises(StepConflict, match="already"):
        steps.create(scheduled_step(name="Verdi^Ugo"))
    assert steps.get(STUDY, "SPS1")["00100010"]["Value"] == [{"Alphabetic": "Rossi^Maria"}]


def test_putting_makes_or_replaces(steps: ScheduledSteps) -> None:
    assert steps.put(STUDY, "SPS9", scheduled_step(None, study=None))
    assert not steps.put(STUDY, "SPS9", scheduled_step("SPS9", station="CT2"))
    assert search(steps, {"ScheduledStationAETitle": ["CT2"]}) == ["SPS9"]
    assert search(steps, {"ScheduledStationAETitle": ["CT1"]}) == []
    for other in (scheduled_step("SPS1"), scheduled_step("SPS9", study="1.2.3")):
        with pytest.raises(InvalidStep, match="not that of the request"):
            steps.put(STUDY, "SPS9", other)


def test_what_is_deleted_is_gone(planned: ScheduledSteps) -> None:
    planned.delete(STUDY, "B")
    assert search(planned, {}) == ["A", "C", "D"]
    with pytest.raises(NotFound):
        planned.delete(STUDY, "B")
    with pytest.raises(NotFound):
        planned.get(STUDY, "B")


def test_what_was_performed_is_found_only_by_its_status(planned: ScheduledSteps) -> None:
    planned.put(STUDY, "A", scheduled_step("A", step={"ScheduledProcedureStepStatus": "COMPLETED"}))
    assert search(planned, {}) == ["B", "C", "D"]
    assert search(planned, {"ScheduledProcedureStepStatus": ["COMPLETED"]}) == ["A"]
