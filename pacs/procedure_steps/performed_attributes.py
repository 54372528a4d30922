"""The attributes of a Modality Performed Procedure Step (PS3.4 Table F.7.2-1)."""

from collections.abc import Mapping

from pacs.attributes import Matching
from pacs.requirements import NOT_ALLOWED, Row

MPPS = "1.2.840.10008.3.1.2.3.3"  # the SOP class of every step

_NONE, _UID, _DATE, _TIME = Matching.RETURNED, Matching.UID, Matching.DATE, Matching.TIME


def _row(path: str, create: str, change: str, final: str = "", matching: Matching = _NONE) -> Row:
    return Row(tuple(path.split(".")), matching, create, change, final, "")


_SCHEDULED, _SERIES = "ScheduledStepAttributesSequence", "PerformedSeriesSequence"

# Of the final states: 1 for what must have a value then. The attributes of a sequence follow it.
# All attributes that are not named are 3/3 in both operations.
TABLE: tuple[Row, ...] = (
    # Performed Procedure Step Relationship Module
    _row(_SCHEDULED, "1/1", NOT_ALLOWED),
    _row(f"{_SCHEDULED}.StudyInstanceUID", "1/1", NOT_ALLOWED, "", _UID),
    _row(f"{_SCHEDULED}.ReferencedStudySequence", "2/2", NOT_ALLOWED),
    _row(f"{_SCHEDULED}.ReferencedStudySequence.ReferencedSOPClassUID", "1/1", NOT_ALLOWED, "", _UID),
    _row(f"{_SCHEDULED}.ReferencedStudySequence.ReferencedSOPInstanceUID", "1/1", NOT_ALLOWED, "", _UID),
    _row(f"{_SCHEDULED}.AccessionNumber", "2/2", NOT_ALLOWED),
    _row(f"{_SCHEDULED}.PlacerOrderNumberImagingServiceRequest", "3/3", NOT_ALLOWED),
    _row(f"{_SCHEDULED}.FillerOrderNumberImagingServiceRequest", "3/3", NOT_ALLOWED),
    _row(f"{_SCHEDULED}.RequestedProcedureCodeSequence", "3/3", NOT_ALLOWED),
    _row(f"{_SCHEDULED}.RequestedProcedureID", "2/2", NOT_ALLOWED),
    _row(f"{_SCHEDULED}.RequestedProcedureDescription", "2/2", NOT_ALLOWED),
    _row(f"{_SCHEDULED}.ScheduledProcedureStepID", "2/2", NOT_ALLOWED),
    _row(f"{_SCHEDULED}.ScheduledProcedureStepDescription", "2/2", NOT_ALLOWED),
    _row(f"{_SCHEDULED}.ScheduledProtocolCodeSequence", "2/2", NOT_ALLOWED),
    _row("PatientName", "2/2", NOT_ALLOWED),
    _row("PatientID", "2/2", NOT_ALLOWED),
    _row("IssuerOfPatientID", "3/3", NOT_ALLOWED),
    _row("IssuerOfPatientIDQualifiersSequence", "3/3", NOT_ALLOWED),
    _row("OtherPatientIDsSequence", "3/3", NOT_ALLOWED),
    _row("PatientBirthDate", "2/2", NOT_ALLOWED, "", _DATE),
    _row("PatientSex", "2/2", NOT_ALLOWED),
    _row("ReferencedPatientSequence", "2/2", NOT_ALLOWED),
    _row("ReferencedPatientSequence.ReferencedSOPClassUID", "1/1", NOT_ALLOWED, "", _UID),
    _row("ReferencedPatientSequence.ReferencedSOPInstanceUID", "1/1", NOT_ALLOWED, "", _UID),
    _row("AdmissionID", "3/3", NOT_ALLOWED),
    # Performed Procedure Step Information Module
    _row("PerformedProcedureStepID", "1/1", NOT_ALLOWED),
    _row("PerformedStationAETitle", "1/1", NOT_ALLOWED),
    _row("PerformedStationName", "2/2", NOT_ALLOWED),
    _row("PerformedLocation", "2/2", NOT_ALLOWED),
    _row("PerformedProcedureStepStartDate", "1/1", NOT_ALLOWED, "", _DATE),
    _row("PerformedProcedureStepStartTime", "1/1", NOT_ALLOWED, "", _TIME),
    _row("PerformedProcedureStepStatus", "1/1", "3/1"),
    _row("PerformedProcedureStepDescription", "2/2", "3/2"),
    _row("PerformedProcedureTypeDescription", "2/2", "3/2"),
    _row("ProcedureCodeSequence", "2/2", "3/2"),
    _row("PerformedProcedureStepEndDate", "2/2", "3/1", "1", _DATE),
    _row("PerformedProcedureStepEndTime", "2/2", "3/1", "1", _TIME),
    _row("CommentsOnThePerformedProcedureStep", "3/3", "3/3"),
    _row("PerformedProcedureStepDiscontinuationReasonCodeSequence", "3/3", "3/3"),
    # Image Acquisition Results Module
    _row("Modality", "1/1", NOT_ALLOWED),
    _row("StudyID", "2/2", NOT_ALLOWED),
    _row("PerformedProtocolCodeSequence", "2/2", "3/2"),
    _row(_SERIES, "2/2", "3/2", "1"),
    _row(f"{_SERIES}.PerformingPhysicianName", "2/2", "2/2"),
    _row(f"{_SERIES}.ProtocolName", "1/1", "1/1"),
    _row(f"{_SERIES}.OperatorsName", "2/2", "2/2"),
    _row(f"{_SERIES}.SeriesInstanceUID", "1/1", "1/1", "", _UID),
    _row(f"{_SERIES}.SeriesDescription", "2/2", "2/2"),
    _row(f"{_SERIES}.RetrieveAETitle", "2/2", "2/2"),
    _row(f"{_SERIES}.ReferencedImageSequence", "2/2", "2/2"),
    _row(f"{_SERIES}.ReferencedImageSequence.ReferencedSOPClassUID", "1/1", "1/1", "", _UID),
    _row(f"{_SERIES}.ReferencedImageSequence.ReferencedSOPInstanceUID", "1/1", "1/1", "", _UID),
    _row(f"{_SERIES}.ReferencedNonImageCompositeSOPInstanceSequence", "2/2", "2/2"),
    *(
        _row(f"{_SERIES}.ReferencedNonImageCompositeSOPInstanceSequence.{keyword}", "1/1", "1/1", "", _UID)
        for keyword in ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID")
    ),
)

# PS3.4 Table F.1-3
IN_PROGRESS, DISCONTINUED, COMPLETED = "IN PROGRESS", "DISCONTINUED", "COMPLETED"
FINAL_STATES = (DISCONTINUED, COMPLETED)

ENUMERATED: Mapping[str, tuple[str, ...]] = {
    "PerformedProcedureStepStatus": (IN_PROGRESS, *FINAL_STATES),
}
