"""Unified Procedure Steps as DICOM JSON, with all that PS3.4 Table CC.2.5-3 asks for."""

from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword

from testdata.patients import LETIZIA

Json = dict[str, Any]

# What has to be there when a work item is made, although nothing is known of it
_EMPTY = """TransactionUID ScheduledProcessingParametersSequence ScheduledStationClassCodeSequence
ScheduledStationGeographicLocationCodeSequence CommentsOnTheScheduledProcedureStep InputInformationSequence
IssuerOfPatientIDQualifiersSequence OtherPatientIDsSequence AdmissionID IssuerOfAdmissionIDSequence
AdmittingDiagnosesDescription AdmittingDiagnosesCodeSequence ReferencedRequestSequence
ProcedureStepProgressInformationSequence UnifiedProcedureStepPerformedProcedureSequence"""


def key_of(keyword: str) -> str:
    """A keyword's tag as DICOM JSON spells it."""
    return f"{tag_for_keyword(keyword):08X}"


def dicom_json(**values: Any) -> Json:
    """A data set: keywords with one value, a list of values, or None for no value."""
    data_set: Json = {}
    for keyword, value in values.items():
        vr = dictionary_VR(keyword)
        listed = [] if value is None else value if isinstance(value, list) else [value]
        if vr == "PN":
            listed = [{"Alphabetic": name} for name in listed]
        data_set[key_of(keyword)] = {"vr": vr} | ({"Value": listed} if listed else {})
    return data_set


def code(value: str, scheme: str, meaning: str) -> Json:
    """A coded entry."""
    return dicom_json(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


INTERPRETATION = code("110005", "DCM", "Interpretation")
WORKSTATION, OTHER_WORKSTATION = (
    code("WS1", "99PROVA", "Workstation 1"),
    code("WS2", "99ALTRO", "Workstation 2"),
)
EQUIPMENT_FAILURE = code("110501", "DCM", "Equipment failure")


def performer(name: str, number: str) -> Json:
    """A human performer."""
    return dicom_json(
        HumanPerformerCodeSequence=code(number, "99PROVA", name),
        HumanPerformerName=name,
        HumanPerformerOrganization="Radiologia",
    )


def new_workitem(**values: Any) -> Json:
    """What makes a work item.  values: by keyword, others than usual; `without` leaves some out."""
    usual: Json = dict.fromkeys(_EMPTY.split()) | {
        "ScheduledProcedureStepPriority": "MEDIUM",
        "ProcedureStepLabel": "Refertazione TC torace",
        "WorklistLabel": "Refertazione",
        "ScheduledStationNameCodeSequence": WORKSTATION,
        "ScheduledWorkitemCodeSequence": INTERPRETATION,
        "ScheduledProcedureStepStartDateTime": "20261127090000",
        "InputReadinessState": "READY",
        "StudyInstanceUID": "2.999.39.7.1",
        "PatientName": LETIZIA.name,
        "PatientID": LETIZIA.identifier,
        "IssuerOfPatientID": LETIZIA.issuer,
        "PatientBirthDate": LETIZIA.birth_date,
        "PatientSex": LETIZIA.sex,
        "ProcedureStepState": "SCHEDULED",
    }
    return dicom_json(**(usual | values))


def without(data_set: Json, *keywords: str) -> Json:
    """A data set that lacks some attributes."""
    return {key: element for key, element in data_set.items() if key not in map(key_of, keywords)}


def state_change(state: str, transaction_uid: str = "2.999.39.8.1") -> Json:
    """What asks for another state."""
    return dicom_json(ProcedureStepState=state, TransactionUID=transaction_uid or None)


def performed() -> Json:
    """A change that tells what was done, as a completed work item has to."""
    return dicom_json(
        UnifiedProcedureStepPerformedProcedureSequence=dicom_json(
            PerformedStationNameCodeSequence=WORKSTATION,
            PerformedProcedureStepStartDateTime="20261127090500",
            PerformedProcedureStepEndDateTime="20261127091500",
            PerformedWorkitemCodeSequence=INTERPRETATION,
            OutputInformationSequence=None,
        )
    )


def discontinued() -> Json:
    """A change that tells why, as a canceled work item has to."""
    return dicom_json(
        ProcedureStepProgressInformationSequence=dicom_json(
            ProcedureStepDiscontinuationReasonCodeSequence=EQUIPMENT_FAILURE
        )
    )
