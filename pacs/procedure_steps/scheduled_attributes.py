"""The attributes of a Scheduled Procedure Step as the Modality Worklist has them (PS3.4 Table K.6-1)."""

from collections.abc import Mapping
from dataclasses import dataclass

from pacs.attributes import CODE_KEYS, Key, Matching

_UID, _EXACT, _TEXT, _NAME = Matching.UID, Matching.EXACT, Matching.TEXT, Matching.NAME
_DATE, _TIME, _NONE = Matching.DATE, Matching.TIME, Matching.RETURNED


@dataclass(frozen=True)
class Row(Key):
    """One row of the table.

    key_type: R for required matching keys, O for optional ones; all of them are matched.
    returned: the Return Key Type.
    """

    key_type: str
    returned: str


def _row(path: str, key_type: str, matching: Matching, returned: str) -> Row:
    return Row(tuple(path.split(".")), matching, key_type, returned)


SEQUENCE = "ScheduledProcedureStepSequence"

# The attributes of a sequence follow it.
TABLE: tuple[Row, ...] = (
    # SOP Common Module
    _row("SpecificCharacterSet", "O", _NONE, "1C"),
    # Scheduled Procedure Step Module
    _row(SEQUENCE, "R", _NONE, "1"),
    _row(f"{SEQUENCE}.ScheduledStationAETitle", "R", _EXACT, "1"),
    _row(f"{SEQUENCE}.ScheduledProcedureStepStartDate", "R", _DATE, "1"),
    _row(f"{SEQUENCE}.ScheduledProcedureStepStartTime", "R", _TIME, "1"),
    _row(f"{SEQUENCE}.Modality", "R", _EXACT, "1"),
    _row(f"{SEQUENCE}.ScheduledPerformingPhysicianName", "R", _NAME, "2"),
    _row(f"{SEQUENCE}.ScheduledProcedureStepDescription", "O", _TEXT, "1C"),
    _row(f"{SEQUENCE}.ScheduledStationName", "O", _EXACT, "2"),
    _row(f"{SEQUENCE}.ScheduledProcedureStepLocation", "O", _EXACT, "2"),
    _row(f"{SEQUENCE}.ScheduledProtocolCodeSequence", "O", _NONE, "1C"),
    _row(f"{SEQUENCE}.PreMedication", "O", _TEXT, "2C"),
    _row(f"{SEQUENCE}.ScheduledProcedureStepID", "O", _EXACT, "1"),
    _row(f"{SEQUENCE}.RequestedContrastAgent", "O", _TEXT, "2C"),
    _row(f"{SEQUENCE}.ScheduledProcedureStepStatus", "O", _EXACT, "3"),
    # Requested Procedure Module
    _row("RequestedProcedureID", "O", _EXACT, "1"),
    _row("RequestedProcedureDescription", "O", _TEXT, "1C"),
    _row("RequestedProcedureCodeSequence", "O", _NONE, "1C"),
    _row("StudyInstanceUID", "O", _UID, "1"),
    _row("StudyDate", "O", _DATE, "3"),
    _row("StudyTime", "O", _TIME, "3"),
    _row("ReferencedStudySequence", "O", _NONE, "2"),
    _row("ReferencedStudySequence.ReferencedSOPClassUID", "O", _UID, "1"),
    _row("ReferencedStudySequence.ReferencedSOPInstanceUID", "O", _UID, "1"),
    _row("RequestedProcedurePriority", "O", _EXACT, "2"),
    _row("PatientTransportArrangements", "O", _TEXT, "2"),
    # Imaging Service Request Module
    _row("AccessionNumber", "O", _EXACT, "2"),
    _row("IssuerOfAccessionNumberSequence", "O", _NONE, "3"),
    _row("IssuerOfAccessionNumberSequence.LocalNamespaceEntityID", "O", _EXACT, "1C"),
    _row("IssuerOfAccessionNumberSequence.UniversalEntityID", "O", _EXACT, "1C"),
    _row("PlacerOrderNumberImagingServiceRequest", "O", _EXACT, "3"),
    _row("FillerOrderNumberImagingServiceRequest", "O", _EXACT, "3"),
    _row("RequestingPhysician", "O", _NAME, "2"),
    _row("ReferringPhysicianName", "O", _NAME, "2"),
    # Visit Identification, Status and Relationship Modules
    _row("AdmissionID", "O", _EXACT, "2"),
    _row("CurrentPatientLocation", "O", _TEXT, "2"),
    _row("ReferencedPatientSequence", "O", _NONE, "2"),
    _row("ReferencedPatientSequence.ReferencedSOPClassUID", "O", _UID, "1"),
    _row("ReferencedPatientSequence.ReferencedSOPInstanceUID", "O", _UID, "1"),
    # Patient Identification and Demographic Modules
    _row("PatientName", "R", _NAME, "1"),
    _row("PatientID", "R", _EXACT, "1"),
    _row("IssuerOfPatientID", "O", _EXACT, "3"),
    _row("OtherPatientIDsSequence", "O", _NONE, "3"),
    _row("OtherPatientIDsSequence.PatientID", "O", _EXACT, "1"),
    _row("PatientBirthDate", "O", _DATE, "2"),
    _row("PatientSex", "O", _EXACT, "2"),
    _row("PatientWeight", "O", _NONE, "2"),
    _row("ConfidentialityConstraintOnPatientDataDescription", "O", _TEXT, "2"),
    # Patient Medical Module
    _row("PatientState", "O", _TEXT, "2"),
    _row("PregnancyStatus", "O", _NONE, "2"),
    _row("MedicalAlerts", "O", _TEXT, "2"),
    _row("Allergies", "O", _TEXT, "2"),
    _row("SpecialNeeds", "O", _TEXT, "2"),
)

KEYS: tuple[Key, ...] = tuple(
    key
    for row in TABLE
    for key in (row, *(Key((*row.path, name), matching) for name, matching in CODE_KEYS if row.is_code))
    if key.matching is not _NONE
)
KEYS_BY_PATH: Mapping[tuple[int, ...], Key] = {key.tags: key for key in KEYS}

# The outermost attributes of every answer, where the item has them
RETURNED: frozenset[str] = frozenset(
    row.json_key for row in TABLE if len(row.path) == 1 and row.returned != "3"
)

STATUS = next(row for row in TABLE if row.keyword == "ScheduledProcedureStepStatus")
