"""The attributes of a Unified Procedure Step: what must be given when, and what is matched and returned."""

from collections.abc import Mapping

from pacs.attributes import CODE_KEYS, Key, Matching
from pacs.requirements import EMPTY, NOT_ALLOWED, Row

UPS_PUSH = "1.2.840.10008.5.1.4.34.6.1"  # the SOP Class of every work item (PS3.4 CC.2.5.1.3.1)

_UID, _EXACT, _TEXT, _NAME = Matching.UID, Matching.EXACT, Matching.TEXT, Matching.NAME
_DATE, _DATETIME, _NONE = Matching.DATE, Matching.DATETIME, Matching.RETURNED


def _row(path: str, create: str, change: str, final: str, matching: Matching, returned: str) -> Row:
    return Row(tuple(path.split(".")), matching, create, change, final, returned)


# PS3.4 Table CC.2.5-3. Of the macros, that of coded entries alone is checked (Table CC.2.5-2a).
# The attributes of a sequence follow it. All attributes that are not named are 3/3 and O.
TABLE: tuple[Row, ...] = (
    _row("TransactionUID", EMPTY, "3/3", "O", _NONE, ""),
    # SOP Common Module
    _row("SpecificCharacterSet", "1C/1C", "1C/1C", "RC", _NONE, "1C"),
    _row("SOPClassUID", "3/1", NOT_ALLOWED, "R", _UID, "1"),
    _row("SOPInstanceUID", NOT_ALLOWED, NOT_ALLOWED, "R", _UID, "1"),
    # Unified Procedure Step Scheduled Procedure Information Module
    _row("ScheduledProcedureStepPriority", "1/1", "3/1", "R", _EXACT, "1"),
    _row("ScheduledProcedureStepModificationDateTime", "3/1", "3/1", "R", _DATETIME, "3"),
    _row("ProcedureStepLabel", "1/1", "3/1", "O", _TEXT, "1"),
    _row("WorklistLabel", "2/1", "3/1", "O", _TEXT, "1"),
    _row("ScheduledProcessingParametersSequence", "2/2", "3/2", "O", _NONE, "2"),
    _row("ScheduledStationNameCodeSequence", "2/2", "3/2", "O", _NONE, "2"),
    _row("ScheduledStationClassCodeSequence", "2/2", "3/2", "O", _NONE, "2"),
    _row("ScheduledStationGeographicLocationCodeSequence", "2/2", "3/2", "O", _NONE, "2"),
    _row("ScheduledHumanPerformersSequence", "2C/2C", "3/2", "O", _NONE, "2"),
    _row("ScheduledHumanPerformersSequence.HumanPerformerCodeSequence", "1/1", "1/1", "O", _NONE, "1"),
    _row("ScheduledHumanPerformersSequence.HumanPerformerName", "1/1", "1/1", "O", _NAME, "3"),
    _row("ScheduledHumanPerformersSequence.HumanPerformerOrganization", "1/1", "1/1", "O", _TEXT, "3"),
    _row("ScheduledProcedureStepStartDateTime", "1/1", "3/1", "R", _DATETIME, "1"),
    _row("ExpectedCompletionDateTime", "3/1", "3/1", "O", _DATETIME, "3"),
    _row("ScheduledProcedureStepExpirationDateTime", "3/3", "3/3", "O", _DATETIME, "3"),
    _row("ScheduledWorkitemCodeSequence", "2/2", "3/1", "O", _NONE, "2"),
    _row("CommentsOnTheScheduledProcedureStep", "2/2", "3/1", "O", _TEXT, "3"),
    _row("InputReadinessState", "1/1", "3/1", "R", _EXACT, "1"),
    _row("InputInformationSequence", "2/2", "3/2", "O", _NONE, "2"),
    _row("StudyInstanceUID", "1C/2", "3/2", "O", _UID, "2"),
    _row("OutputDestinationSequence", "3/3", "3/3", "O", _NONE, "3"),
    # Unified Procedure Step Relationship Module
    _row("PatientName", "2/2", NOT_ALLOWED, "O", _NAME, "2"),
    _row("PatientID", "1C/2", NOT_ALLOWED, "O", _EXACT, "2"),
    _row("IssuerOfPatientID", "2/2", NOT_ALLOWED, "O", _EXACT, "2"),
    _row("IssuerOfPatientIDQualifiersSequence", "2/2", NOT_ALLOWED, "O", _NONE, "2"),
    _row("OtherPatientIDsSequence", "2/2", "3/3", "O", _NONE, "2"),
    _row("OtherPatientIDsSequence.PatientID", "1/1", "1/1", "O", _EXACT, "1"),
    _row("PatientBirthDate", "2/2", NOT_ALLOWED, "O", _DATE, "2"),
    _row("PatientSex", "2/2", NOT_ALLOWED, "O", _EXACT, "2"),
    _row("ReferencedPatientPhotoSequence", "3/3", "3/3", "O", _NONE, "3"),
    _row("AdmissionID", "2/2", NOT_ALLOWED, "O", _EXACT, "2"),
    _row("IssuerOfAdmissionIDSequence", "2/2", NOT_ALLOWED, "O", _NONE, "2"),
    _row("IssuerOfAdmissionIDSequence.LocalNamespaceEntityID", "3/3", NOT_ALLOWED, "O", _EXACT, "1C"),
    _row("IssuerOfAdmissionIDSequence.UniversalEntityID", "3/3", NOT_ALLOWED, "O", _EXACT, "1C"),
    _row("AdmittingDiagnosesDescription", "2/2", NOT_ALLOWED, "O", _TEXT, "2"),
    _row("AdmittingDiagnosesCodeSequence", "2/2", NOT_ALLOWED, "O", _NONE, "2"),
    _row("ReferencedRequestSequence", "2/2", NOT_ALLOWED, "O", _NONE, "2"),
    _row("ReferencedRequestSequence.StudyInstanceUID", "1/1", NOT_ALLOWED, "O", _UID, "1"),
    _row("ReferencedRequestSequence.AccessionNumber", "2/2", NOT_ALLOWED, "O", _EXACT, "2"),
    _row("ReferencedRequestSequence.IssuerOfAccessionNumberSequence", "2/2", NOT_ALLOWED, "O", _NONE, "2"),
    _row(
        "ReferencedRequestSequence.IssuerOfAccessionNumberSequence.LocalNamespaceEntityID",
        *("3/3", NOT_ALLOWED, "O", _EXACT, "1C"),
    ),
    _row(
        "ReferencedRequestSequence.IssuerOfAccessionNumberSequence.UniversalEntityID",
        *("3/3", NOT_ALLOWED, "O", _EXACT, "1C"),
    ),
    _row("ReferencedRequestSequence.PlacerOrderNumberImagingServiceRequest", "3/1", "3/1", "O", _EXACT, "1C"),
    _row("ReferencedRequestSequence.OrderPlacerIdentifierSequence", "2/2", NOT_ALLOWED, "O", _NONE, "2"),
    _row("ReferencedRequestSequence.FillerOrderNumberImagingServiceRequest", "3/1", "3/1", "O", _EXACT, "1C"),
    _row("ReferencedRequestSequence.OrderFillerIdentifierSequence", "2/2", NOT_ALLOWED, "O", _NONE, "2"),
    _row("ReferencedRequestSequence.RequestedProcedureID", "2/2", NOT_ALLOWED, "O", _EXACT, "2"),
    _row("ReferencedRequestSequence.RequestedProcedureDescription", "2/2", NOT_ALLOWED, "O", _TEXT, "2"),
    _row("ReferencedRequestSequence.RequestedProcedureCodeSequence", "2/2", NOT_ALLOWED, "O", _NONE, "2"),
    _row("ReferencedRequestSequence.RequestingPhysician", "3/3", "3/3", "O", _NAME, "3"),
    _row("ReferencedRequestSequence.RequestingService", "3/1", "3/1", "O", _TEXT, "3"),
    _row("ReferencedRequestSequence.ReferringPhysicianName", "3/3", "3/3", "O", _NAME, "3"),
    _row("ReplacedProcedureStepSequence", "1C/1C", NOT_ALLOWED, "O", _NONE, "3"),
    _row("ReplacedProcedureStepSequence.ReferencedSOPClassUID", "1/1", NOT_ALLOWED, "O", _UID, "1"),
    _row("ReplacedProcedureStepSequence.ReferencedSOPInstanceUID", "1/1", NOT_ALLOWED, "O", _UID, "1"),
    # Patient Medical Module
    _row("MedicalAlerts", "3/2", "3/2", "O", _TEXT, "2C"),
    _row("PregnancyStatus", "3/2", "3/2", "O", _EXACT, "2C"),
    _row("SpecialNeeds", "3/2", "3/2", "O", _TEXT, "2C"),
    # Unified Procedure Step Progress Information Module
    _row("ProcedureStepState", "1/1", NOT_ALLOWED, "R", _EXACT, "1"),
    _row("ProcedureStepProgressInformationSequence", EMPTY, "3/2", "X", _NONE, "2"),
    _row("ProcedureStepProgressInformationSequence.ProcedureStepProgress", "3/1", "3/1", "O", _NONE, ""),
    _row(
        "ProcedureStepProgressInformationSequence.ProcedureStepCancellationDateTime",
        *("3/1", "3/1", "X", _NONE, ""),
    ),
    _row(
        "ProcedureStepProgressInformationSequence.ProcedureStepDiscontinuationReasonCodeSequence",
        *("3/1", "3/1", "X", _NONE, ""),
    ),
    # Unified Procedure Step Performed Procedure Information Module
    _row("UnifiedProcedureStepPerformedProcedureSequence", EMPTY, "3/2", "P", _NONE, ""),
    *(
        _row(
            f"UnifiedProcedureStepPerformedProcedureSequence.{path}", "3/3", change, final, matching, returned
        )
        for path, change, final, matching, returned in (
            ("ActualHumanPerformersSequence", "3/1", "RC", _NONE, "1C"),
            ("ActualHumanPerformersSequence.HumanPerformerCodeSequence", "3/1", "RC", _NONE, ""),
            ("ActualHumanPerformersSequence.HumanPerformerName", "3/1", "RC", _NAME, ""),
            ("PerformedStationNameCodeSequence", "3/2", "P", _NONE, "3"),
            ("PerformedStationClassCodeSequence", "3/2", "O", _NONE, ""),
            ("PerformedStationGeographicLocationCodeSequence", "3/2", "O", _NONE, ""),
            ("PerformedProcedureStepStartDateTime", "3/1", "P", _DATETIME, "1C"),
            ("PerformedProcedureStepDescription", "3/1", "O", _TEXT, ""),
            ("CommentsOnThePerformedProcedureStep", "3/1", "O", _NONE, ""),
            ("PerformedWorkitemCodeSequence", "3/1", "P", _NONE, "1C"),
            ("PerformedProcedureStepEndDateTime", "3/1", "P", _DATETIME, "1C"),
            ("OutputInformationSequence", "2/2", "P", _NONE, ""),
        )
    ),
)

# It may have no items even in the final state, but has to be there (remark of the table).
MAY_BE_WITHOUT_ITEMS = frozenset({"OutputInformationSequence"})

# PS3.3 C.30.2 and PS3.4 Table CC.1.1-1; of these values no others are taken.
ENUMERATED: Mapping[str, tuple[str, ...]] = {
    "ScheduledProcedureStepPriority": ("HIGH", "MEDIUM", "LOW"),
    "InputReadinessState": ("INCOMPLETE", "UNAVAILABLE", "READY"),
}

KEYS: tuple[Key, ...] = tuple(
    key
    for row in TABLE
    for key in (row, *(Key((*row.path, name), matching) for name, matching in CODE_KEYS if row.is_code))
    if key.matching is not _NONE
)
KEYS_BY_PATH: Mapping[tuple[int, ...], Key] = {key.tags: key for key in KEYS}

# PS3.18 11.9.2: the outermost attributes of every answer to a search, where the work item has them
RETURNED: frozenset[str] = frozenset(
    f"{row.tags[0]:08X}" for row in TABLE if len(row.path) == 1 and row.returned not in ("", "3")
)
