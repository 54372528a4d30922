"""PS3.4 Table CC.2.5-3: what must be given when, and refusals that name the attribute."""

from typing import Any

import pytest

from pacs.errors import InvalidStep
from pacs.worklist.requirements import check_change, check_creation, lacking_for
from pacs.worklist.state import State
from testdata.workitems import (
    INTERPRETATION,
    WORKSTATION,
    dicom_json,
    discontinued,
    new_workitem,
    performed,
    performer,
    without,
)


def test_a_whole_work_item_may_be_made() -> None:
    check_creation(new_workitem(ScheduledHumanPerformersSequence=performer("Zen^Anna", "7")))


# Types 1 and 2 of the N-CREATE column
REQUIRED = """TransactionUID ScheduledProcedureStepPriority ProcedureStepLabel WorklistLabel
    ScheduledProcessingParametersSequence ScheduledStationNameCodeSequence ScheduledStationClassCodeSequence
    ScheduledStationGeographicLocationCodeSequence ScheduledProcedureStepStartDateTime
    ScheduledWorkitemCodeSequence CommentsOnTheScheduledProcedureStep InputReadinessState
    InputInformationSequence PatientName IssuerOfPatientID IssuerOfPatientIDQualifiersSequence
    OtherPatientIDsSequence PatientBirthDate PatientSex AdmissionID IssuerOfAdmissionIDSequence
    AdmittingDiagnosesDescription AdmittingDiagnosesCodeSequence ReferencedRequestSequence
    ProcedureStepState ProcedureStepProgressInformationSequence
    UnifiedProcedureStepPerformedProcedureSequence"""

# Final State Code P
PERFORMED = """PerformedStationNameCodeSequence PerformedProcedureStepStartDateTime
    PerformedWorkitemCodeSequence PerformedProcedureStepEndDateTime OutputInformationSequence"""


@pytest.mark.parametrize("keyword", REQUIRED.split())
def test_what_is_missing_is_named(keyword: str) -> None:
    with pytest.raises(InvalidStep, match=f"^{keyword} is missing$"):
        check_creation(without(new_workitem(), keyword))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"ScheduledProcedureStepPriority": None}, "ScheduledProcedureStepPriority has no value"),
        ({"InputReadinessState": None}, "InputReadinessState has no value"),
        ({"ExpectedCompletionDateTime": None}, "ExpectedCompletionDateTime has no value"),
        ({"TransactionUID": "1.2"}, "TransactionUID has a value, but must be empty"),
        (
            {"ScheduledProcedureStepPriority": "STAT"},
            "ScheduledProcedureStepPriority is none of HIGH, MEDIUM",
        ),
        ({"InputReadinessState": "ready"}, "InputReadinessState is none of INCOMPLETE, UNAVAILABLE, READY"),
        ({"ScheduledProcedureStepStartDateTime": "tomorrow"}, "StartDateTime is no datetime"),
        ({"PatientBirthDate": "1.4.58"}, "PatientBirthDate is no date"),
        ({"StudyInstanceUID": "../../x"}, "StudyInstanceUID is no uid"),
        (
            {"ScheduledWorkitemCodeSequence": {}},
            "ScheduledWorkitemCodeSequence has an item without code value",
        ),
        (
            {"ScheduledWorkitemCodeSequence": without(INTERPRETATION, "CodingSchemeDesignator")},
            "ScheduledWorkitemCodeSequence has an item without coding scheme designator",
        ),
        (
            {"ScheduledWorkitemCodeSequence": without(INTERPRETATION, "CodeMeaning")},
            "ScheduledWorkitemCodeSequence has an item without code meaning",
        ),
        (
            {"ScheduledHumanPerformersSequence": without(performer("Zen^Anna", "7"), "HumanPerformerName")},
            "ScheduledHumanPerformersSequence.HumanPerformerName is missing",
        ),
        (
            {"ReferencedRequestSequence": dicom_json(StudyInstanceUID="1.2")},
            "ReferencedRequestSequence.AccessionNumber is missing",
        ),
        ({"UnifiedProcedureStepPerformedProcedureSequence": {}}, "has a value, but must be empty"),
    ],
)
def test_what_is_wrong_in_a_new_work_item_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidStep, match=message):
        check_creation(new_workitem(**values))


def test_commands_are_no_part_of_a_work_item() -> None:
    with pytest.raises(InvalidStep, match=r"^00000002 is no attribute of a data set$"):
        check_creation(new_workitem(AffectedSOPClassUID="1.2"))


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidStep, match=r"PatientName is missing; PatientSex is missing"):
        check_creation(without(new_workitem(), "PatientName", "PatientSex"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"ProcedureStepState": "COMPLETED"}, "ProcedureStepState is not allowed here"),
        ({"PatientName": "Altro^Nome"}, "PatientName is not allowed here"),
        ({"SOPInstanceUID": "1.2"}, "SOPInstanceUID is not allowed here"),
        ({"ReferencedRequestSequence": None}, "ReferencedRequestSequence is not allowed here"),
        ({"WorklistLabel": None}, "WorklistLabel has no value"),
        (
            {
                "UnifiedProcedureStepPerformedProcedureSequence": dicom_json(
                    PerformedProcedureStepDescription="x"
                )
            },
            "UnifiedProcedureStepPerformedProcedureSequence.OutputInformationSequence is missing",
        ),
    ],
)
def test_what_is_wrong_in_a_change_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidStep, match=message):
        check_change(dicom_json(**values))


def test_what_may_be_emptied_may_be_emptied() -> None:
    check_change(dicom_json(ScheduledStationNameCodeSequence=None, StudyInstanceUID=None))
    check_change(
        dicom_json(
            ScheduledStationNameCodeSequence=[WORKSTATION], ScheduledWorkitemCodeSequence=INTERPRETATION
        )
    )


def ended(*changes: dict[str, Any]) -> dict[str, Any]:
    """A work item as it is kept, with changes."""
    ours = dicom_json(
        SOPClassUID="1.2.3", SOPInstanceUID="1.2.3.4", ScheduledProcedureStepModificationDateTime="20261127"
    )
    attributes = new_workitem() | ours
    for change in changes:
        attributes |= change
    return attributes


# Final State Codes R and P for COMPLETED, R and X for CANCELED
def test_a_step_is_complete_when_it_tells_what_was_done() -> None:
    assert lacking_for(State.COMPLETED, ended(performed())) == []
    assert lacking_for(State.COMPLETED, ended()) == ["UnifiedProcedureStepPerformedProcedureSequence"]


@pytest.mark.parametrize("keyword", PERFORMED.split())
def test_of_what_was_done_nothing_may_lack(keyword: str) -> None:
    sequence = "UnifiedProcedureStepPerformedProcedureSequence"
    (item,) = performed()["00741216"]["Value"]
    change = dicom_json(**{sequence: without(item, keyword)})
    assert lacking_for(State.COMPLETED, ended(change)) == [f"{sequence}.{keyword}"]


def test_a_canceled_step_tells_when_and_why() -> None:
    progress = "ProcedureStepProgressInformationSequence"
    assert lacking_for(State.CANCELED, ended()) == [progress]
    assert lacking_for(State.CANCELED, ended(discontinued())) == [
        f"{progress}.ProcedureStepCancellationDateTime"
    ]
    item = dicom_json(ProcedureStepCancellationDateTime="20261127")
    assert lacking_for(State.CANCELED, ended(dicom_json(**{progress: item}))) == [
        f"{progress}.ProcedureStepDiscontinuationReasonCodeSequence"
    ]
