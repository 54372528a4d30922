"""Modality Performed Procedure Steps and their states, on both databases (PS3.4 F.7)."""

from typing import Any

import pytest

from pacs.errors import InvalidStep, NotFound, StepConflict, StepRefusal
from pacs.index import Index
from pacs.keys import parse_criteria
from pacs.procedure_steps.performed import PerformedSteps
from pacs.procedure_steps.performed_attributes import KEYS
from pacs.procedure_steps.scheduled import ScheduledSteps
from testdata.procedure_steps import STUDY, begun_step, code, elements, ended_step, scheduled_step, without

UID = "2.999.15.1"
KEYS_BY_NAME = {".".join(key.path): key for key in KEYS}


@pytest.fixture
def scheduled(index: Index) -> ScheduledSteps:
    return ScheduledSteps(index.worklist)


@pytest.fixture
def performed(index: Index) -> PerformedSteps:
    return PerformedSteps(index.worklist, 30.0)


def status(performed: PerformedSteps) -> str:
    return str(performed.get(UID)["00400252"]["Value"][0])


@pytest.mark.parametrize("final", ["COMPLETED", "DISCONTINUED"])
def test_a_step_is_begun_and_ended(performed: PerformedSteps, final: str) -> None:
    performed.create(UID, begun_step())
    assert status(performed) == "IN PROGRESS"
    performed.update(UID, elements(PerformedProcedureStepDescription="Torace senza contrasto"))
    performed.update(UID, ended_step(final))
    kept = performed.get(UID)
    assert status(performed) == final
    assert kept["00400254"]["Value"] == ["Torace senza contrasto"]
    assert kept["00080018"]["Value"] == [UID]
    assert len(kept["00400340"]["Value"]) == 1


@pytest.mark.parametrize("final", ["COMPLETED", "DISCONTINUED"])
def test_nothing_changes_after_the_end(performed: PerformedSteps, final: str) -> None:
    """F.7.2.2.4: it may no longer be updated."""
    performed.create(UID, begun_step())
    performed.update(UID, ended_step(final))
    kept = performed.get(UID)
    for change in (
        elements(PerformedProcedureStepDescription="anders"),
        ended_step(),
        ended_step("DISCONTINUED"),
    ):
        with pytest.raises(StepConflict) as refused:
            performed.update(UID, change)
        assert refused.value.reason is StepRefusal.FINAL
    assert performed.get(UID) == kept


@pytest.mark.parametrize("state", ["COMPLETED", "DISCONTINUED"])
def test_it_begins_in_progress(performed: PerformedSteps, state: str) -> None:
    with pytest.raises(InvalidStep, match="PerformedProcedureStepStatus is not IN PROGRESS"):
        performed.create(UID, begun_step(PerformedProcedureStepStatus=state))
    with pytest.raises(InvalidStep, match="is none of"):
        performed.create(UID, begun_step(PerformedProcedureStepStatus="PAUSED"))
    with pytest.raises(NotFound):
        performed.get(UID)


@pytest.mark.parametrize(
    "absent",
    [
        "ScheduledStepAttributesSequence",
        "PerformedProcedureStepID",
        "Modality",
        "PatientName",
        "PerformedSeriesSequence",
    ],
)
def test_what_is_required_at_the_beginning_is_named(performed: PerformedSteps, absent: str) -> None:
    with pytest.raises(InvalidStep, match=f"{absent} is missing"):
        performed.create(UID, without(begun_step(), absent))


@pytest.mark.parametrize(
    "change",
    [
        {"PatientName": "Verdi^Ugo"},
        {"Modality": "MR"},
        {"PerformedProcedureStepStartDate": "20270101"},
        {"ServiceEpisodeID": "E1"},
    ],
    ids=str,
)
def test_what_may_not_be_set_is_named(performed: PerformedSteps, change: dict[str, Any]) -> None:
    performed.create(UID, begun_step())
    kept = performed.get(UID)
    with pytest.raises(InvalidStep, match=f"{next(iter(change))} is not allowed"):
        performed.update(UID, elements(**change))
    assert performed.get(UID) == kept


def test_only_what_was_named_at_the_beginning_can_be_set(performed: PerformedSteps) -> None:
    performed.create(UID, begun_step())
    with pytest.raises(StepConflict, match="00400281") as refused:
        performed.update(UID, elements(PerformedProcedureStepDiscontinuationReasonCodeSequence=None))
    assert refused.value.reason is StepRefusal.NOT_CREATED


@pytest.mark.parametrize(
    "reason", [None, [code("110513", "DCM", "Discontinued for unspecified reason")]], ids=["unknown", "known"]
)
def test_a_reason_is_told_where_it_was_made_room_for(performed: PerformedSteps, reason: Any) -> None:
    """Note 5 of the table: it is created without a value."""
    performed.create(UID, begun_step(PerformedProcedureStepDiscontinuationReasonCodeSequence=None))
    given = {"PerformedProcedureStepDiscontinuationReasonCodeSequence": reason} if reason else {}
    performed.update(UID, ended_step("DISCONTINUED", **given))
    assert performed.get(UID)["00400281"].get("Value") == reason


def test_a_step_keeps_its_name(performed: PerformedSteps) -> None:
    """PS3.4 5.4.2.3: the request tells what it is of, not the data set."""
    performed.create(UID, begun_step(SOPInstanceUID=UID))
    performed.update(UID, elements(SOPInstanceUID=UID, PerformedProcedureStepDescription="Torace"))
    performed.update(UID, elements(SOPInstanceUID=None))
    for keyword, other in (("SOPInstanceUID", "2.999.15.2"), ("SOPClassUID", "1.2.840.10008.1.1")):
        with pytest.raises(InvalidStep, match=f"{keyword} is not that of the request"):
            performed.update(UID, elements(**{keyword: other}))
    assert performed.get(UID)["00080018"]["Value"] == [UID]


def test_series_are_not_set_to_none(performed: PerformedSteps) -> None:
    """N-SET 3/1."""
    performed.create(UID, begun_step())
    with pytest.raises(InvalidStep, match="PerformedSeriesSequence has no value"):
        performed.update(UID, elements(PerformedSeriesSequence=None))


@pytest.mark.parametrize("keyword", ["ProcedureCodeSequence", "PerformedProtocolCodeSequence"])
def test_codes_of_what_was_done_need_no_meaning(performed: PerformedSteps, keyword: str) -> None:
    """Table F.7.2-1e."""
    performed.create(UID, begun_step(**{keyword: [code("CT01")]}))
    performed.update(UID, elements(**{keyword: [code("CT02")]}))
    for wrong, lacks in ((code("CT01", None), "coding scheme designator"), (elements(), "code value")):
        with pytest.raises(InvalidStep, match=f"{keyword} has an item without {lacks}"):
            performed.update(UID, elements(**{keyword: [wrong]}))


def test_other_codes_need_a_meaning(performed: PerformedSteps) -> None:
    """Table F.7.2-1c."""
    keyword = "ReasonForPerformedProcedureCodeSequence"
    with pytest.raises(InvalidStep, match=f"{keyword} has an item without code meaning"):
        performed.create(UID, begun_step(**{keyword: [code("R1")]}))
    performed.create(UID, begun_step(**{keyword: [code("R1", meaning="Caduta")]}))


@pytest.mark.parametrize(
    ("issuer", "problem"),
    [
        (elements(LocalNamespaceEntityID="Ospedale"), ""),
        (elements(UniversalEntityID="2.999.1", UniversalEntityIDType="ISO"), ""),
        (elements(UniversalEntityID="2.999.1"), "UniversalEntityIDType is missing"),
        (elements(), "LocalNamespaceEntityID is missing"),
    ],
    ids=["local", "universal", "universal without type", "neither"],
)
def test_an_issuer_is_named_in_one_way(
    performed: PerformedSteps, issuer: dict[str, Any], problem: str
) -> None:
    """1C/1C: each is required where the other is absent."""
    given = begun_step(AdmissionID="RIC1", IssuerOfAdmissionIDSequence=[issuer])
    if problem:
        with pytest.raises(InvalidStep, match=f"IssuerOfAdmissionIDSequence.{problem}"):
            performed.create(UID, given)
    else:
        performed.create(UID, given)
        assert performed.get(UID)["00380014"]["Value"] == [issuer]


@pytest.mark.parametrize(
    "absent", ["PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime", "PerformedSeriesSequence"]
)
def test_what_the_end_requires_is_named(performed: PerformedSteps, absent: str) -> None:
    performed.create(UID, begun_step())
    with pytest.raises(StepConflict, match=absent) as refused:
        performed.update(UID, without(ended_step(), absent))
    assert refused.value.reason is StepRefusal.FINAL_STATE_REQUIREMENTS
    assert status(performed) == "IN PROGRESS"


def test_one_uid_is_given_once(performed: PerformedSteps) -> None:
    performed.create(UID, begun_step())
    with pytest.raises(StepConflict) as refused:
        performed.create(UID, begun_step())
    assert refused.value.reason is StepRefusal.EXISTS
    with pytest.raises(InvalidStep, match="SOPInstanceUID"):
        performed.create("2.999.15.2", begun_step(SOPInstanceUID="2.999.15.3"))
    with pytest.raises(NotFound):
        performed.update("2.999.15.2", ended_step())


@pytest.mark.parametrize("final", ["COMPLETED", "DISCONTINUED"])
def test_the_worklist_follows(scheduled: ScheduledSteps, performed: PerformedSteps, final: str) -> None:
    """Two orders, one acquisition: both leave the worklist when it is done."""
    for step_id in ("SPS1", "SPS2", "SPS3"):
        scheduled.create(scheduled_step(step_id))

    def statuses() -> list[str]:
        kept = (scheduled.get(STUDY, step_id) for step_id in ("SPS1", "SPS2", "SPS3"))
        return [one["00400100"]["Value"][0]["00400020"]["Value"][0] for one in kept]

    performed.create(UID, begun_step((STUDY, "SPS1"), (STUDY, "SPS2"), ("1.2.3", "unknown here")))
    assert statuses() == ["STARTED", "STARTED", "SCHEDULED"]
    assert len(list(scheduled.search([]))) == 3
    performed.update(UID, ended_step(final))
    assert statuses() == [final, final, "SCHEDULED"]
    assert [one["0020000D"]["Value"] for one in scheduled.search([])] == [[STUDY]]


def test_the_worklist_follows_procedures_that_were_grouped(
    scheduled: ScheduledSteps, performed: PerformedSteps
) -> None:
    """F.7.2.1.2: a study made for both, and the requested ones referenced."""
    scheduled.create(scheduled_step("SPS1"))
    given = begun_step(("2.999.14.9", "SPS1"))
    reference = elements(ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1", ReferencedSOPInstanceUID=STUDY)
    given["00400270"]["Value"][0] |= elements(ReferencedStudySequence=[reference])
    performed.create(UID, given)
    performed.update(UID, ended_step())
    assert list(scheduled.search([])) == []


def test_what_has_ended_is_forgotten_in_time(index: Index, scheduled: ScheduledSteps) -> None:
    performed = PerformedSteps(index.worklist, days_kept=-1.0)
    scheduled.create(scheduled_step())
    scheduled.create(scheduled_step("SPS2"))
    performed.create(UID, begun_step())
    performed.update(UID, ended_step())
    with pytest.raises(NotFound):
        performed.get(UID)
    with pytest.raises(NotFound):
        scheduled.get(STUDY, "SPS1")
    assert scheduled.get(STUDY, "SPS2")


def test_steps_are_found_by_what_they_name(performed: PerformedSteps) -> None:
    """Study, series and instance, and what else they are known by; the newest first."""
    performed.create(UID, begun_step())
    performed.create("2.999.15.2", begun_step(("2.999.14.2", "SPS2"), PatientName="D'Alò^Niccolò"))
    ended = ended_step()
    image = elements(ReferencedSOPClassUID="1.2.3", ReferencedSOPInstanceUID="2.999.1.1.1")
    ended["00400340"]["Value"][0]["00081140"]["Value"] = [image]
    performed.update(UID, ended)
    cases: list[tuple[dict[str, str], list[str]]] = [
        ({}, ["2.999.15.2", UID]),
        ({"ScheduledStepAttributesSequence.StudyInstanceUID": STUDY}, [UID]),
        ({"ScheduledStepAttributesSequence.StudyInstanceUID": "2.999.14.2"}, ["2.999.15.2"]),
        ({"PerformedSeriesSequence.SeriesInstanceUID": f"{STUDY}.1"}, [UID]),
        ({"PerformedSeriesSequence.ReferencedImageSequence.ReferencedSOPInstanceUID": "2.999.1.1.1"}, [UID]),
        ({"PerformedSeriesSequence.ReferencedImageSequence.ReferencedSOPInstanceUID": "2.999.1.1"}, []),
        ({"PerformedProcedureStepStatus": "IN PROGRESS"}, ["2.999.15.2"]),
        ({"PatientName": "d'alo*", "PerformedProcedureStepStartDate": "20261101-"}, ["2.999.15.2"]),
    ]
    for keys, expected in cases:
        asked = {KEYS_BY_NAME[name]: [value] for name, value in keys.items()}
        found = performed.search(parse_criteria(asked))
        assert [one["00080018"]["Value"][0] for one in found] == expected, keys
