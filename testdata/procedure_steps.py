"""Scheduled and performed procedure steps, as DICOM JSON (PS3.4 Tables K.6-1 and F.7.2-1)."""

from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword

DicomJson = dict[str, Any]

STUDY = "2.999.14.1"


def elements(**values: Any) -> DicomJson:
    """Elements by keyword; None for one without a value, lists for sequences and several values."""
    data_set = {}
    for keyword, value in values.items():
        tag = tag_for_keyword(keyword) or 0
        vr = dictionary_VR(tag)
        element: DicomJson = {"vr": vr}
        if value is not None:
            listed = value if isinstance(value, list) else [value]
            element["Value"] = [{"Alphabetic": one} if vr == "PN" else one for one in listed]
        data_set[f"{tag:08X}"] = element
    return dict(sorted(data_set.items()))


def code(value: str, scheme: str | None = "99PROVA", meaning: str | None = None) -> DicomJson:
    """A coded entry, without what is None."""
    given = {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}
    return elements(**{keyword: one for keyword, one in given.items() if one is not None})


def without(data_set: DicomJson, *keywords: str) -> DicomJson:
    """A data set without some of its elements."""
    absent = elements(**dict.fromkeys(keywords))
    return {tag: element for tag, element in data_set.items() if tag not in absent}


def scheduled_step(
    step_id: str | None = "SPS1",
    *,
    study: str | None = STUDY,
    station: str = "CT1",
    modality: str = "CT",
    date: str = "20261130",
    time: str = "0830",
    name: str = "Rossi^Maria",
    patient_id: str = "P1",
    step: dict[str, Any] | None = None,
    **others: Any,
) -> DicomJson:
    """A step as an order filler gives it.  step: more attributes of the item of its sequence."""
    item = elements(
        ScheduledStationAETitle=station,
        ScheduledProcedureStepStartDate=date,
        ScheduledProcedureStepStartTime=time,
        Modality=modality,
        ScheduledPerformingPhysicianName="Bianchi^Anna",
        ScheduledProcedureStepDescription="Torace",
        **({"ScheduledProcedureStepID": step_id} if step_id else {}),
        **(step or {}),
    )
    named = {"StudyInstanceUID": study} if study else {}
    return elements(
        ScheduledProcedureStepSequence=[item],
        RequestedProcedureID="RP1",
        RequestedProcedureDescription="TC torace",
        AccessionNumber="A1",
        PatientName=name,
        PatientID=patient_id,
        PatientBirthDate="19580314",
        PatientSex="F",
        **named,
        **others,
    )


def begun_step(*scheduled: tuple[str, str], **others: Any) -> DicomJson:
    """What a modality says when it begins.

    scheduled: Study Instance UID and ID of each step that it performs.
    """
    items = [
        elements(
            StudyInstanceUID=study,
            ReferencedStudySequence=None,
            AccessionNumber="A1",
            RequestedProcedureID="RP1",
            RequestedProcedureDescription="TC torace",
            ScheduledProcedureStepID=step_id,
            ScheduledProcedureStepDescription="Torace",
            ScheduledProtocolCodeSequence=None,
        )
        for study, step_id in scheduled or ((STUDY, "SPS1"),)
    ]
    required: dict[str, Any] = {
        "ScheduledStepAttributesSequence": items,
        "PatientName": "Rossi^Maria",
        "PatientID": "P1",
        "PatientBirthDate": "19580314",
        "PatientSex": "F",
        "ReferencedPatientSequence": None,
        "PerformedProcedureStepID": "PPS1",
        "PerformedStationAETitle": "CT1",
        "PerformedStationName": None,
        "PerformedLocation": None,
        "PerformedProcedureStepStartDate": "20261130",
        "PerformedProcedureStepStartTime": "083412",
        "PerformedProcedureStepStatus": "IN PROGRESS",
        "PerformedProcedureStepDescription": None,
        "PerformedProcedureTypeDescription": None,
        "ProcedureCodeSequence": None,
        "PerformedProcedureStepEndDate": None,
        "PerformedProcedureStepEndTime": None,
        "Modality": "CT",
        "StudyID": None,
        "PerformedProtocolCodeSequence": None,
        "PerformedSeriesSequence": None,
    }
    return elements(**(required | others))


def ended_step(status: str = "COMPLETED", **others: Any) -> DicomJson:
    """What a modality says at the end."""
    series = elements(
        PerformingPhysicianName=None,
        ProtocolName="Torace",
        OperatorsName="Verdi^Ugo",
        SeriesInstanceUID=f"{STUDY}.1",
        SeriesDescription=None,
        RetrieveAETitle=None,
        ReferencedImageSequence=None,
        ReferencedNonImageCompositeSOPInstanceSequence=None,
    )
    said: dict[str, Any] = {
        "PerformedProcedureStepStatus": status,
        "PerformedProcedureStepEndDate": "20261130",
        "PerformedProcedureStepEndTime": "084001",
        "PerformedSeriesSequence": [series],
    }
    return elements(**(said | others))
