"""The attributes of a Modality Performed Procedure Step (PS3.4 Table F.7.2-1)."""

from collections.abc import Mapping

from pacs.attributes import Key, Matching
from pacs.requirements import NOT_ALLOWED, Row

MPPS = "1.2.840.10008.3.1.2.3.3"  # the SOP class of every step

_NONE, _UID, _DATE, _TIME = Matching.RETURNED, Matching.UID, Matching.DATE, Matching.TIME
_EXACT, _NAME = Matching.EXACT, Matching.NAME


def _row(path: str, create: str, change: str, final: str = "", matching: Matching = _NONE) -> Row:
    return Row(tuple(path.split(".")), matching, create, change, final, "")


def _issuer(path: str) -> tuple[Row, ...]:
    """Who issued an identifier, as the table has it everywhere but for patient IDs."""
    return (
        _row(path, "3/3", NOT_ALLOWED),
        _row(f"{path}.LocalNamespaceEntityID", "1C/1C unless UniversalEntityID", NOT_ALLOWED),
        _row(f"{path}.UniversalEntityID", "1C/1C unless LocalNamespaceEntityID", NOT_ALLOWED),
        _row(f"{path}.UniversalEntityIDType", "1C/1C if UniversalEntityID", NOT_ALLOWED),
    )


def _references(path: str, change: str) -> tuple[Row, ...]:
    keywords = ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID")
    return tuple(_row(f"{path}.{keyword}", "1/1", change, "", _UID) for keyword in keywords)


_SCHEDULED, _SERIES = "ScheduledStepAttributesSequence", "PerformedSeriesSequence"
_IMAGES = f"{_SERIES}.ReferencedImageSequence"
_OTHERS = f"{_SERIES}.ReferencedNonImageCompositeSOPInstanceSequence"
_QUALIFIERS, _IDS = "IssuerOfPatientIDQualifiersSequence", "OtherPatientIDsSequence"

# As of DICOM 2024b. The attributes of a sequence follow it. Of the final states: 1 for what must have a value
# then, 2 for what must be there, which both operations see to. All other attributes are 3/3 in both.
TABLE: tuple[Row, ...] = (
    _row("SpecificCharacterSet", "1C/1C", "1C/1C"),
    # Performed Procedure Step Relationship
    _row(_SCHEDULED, "1/1", NOT_ALLOWED),
    _row(f"{_SCHEDULED}.StudyInstanceUID", "1/1", NOT_ALLOWED, "", _UID),
    _row(f"{_SCHEDULED}.ReferencedStudySequence", "2/2", NOT_ALLOWED),
    *_references(f"{_SCHEDULED}.ReferencedStudySequence", NOT_ALLOWED),
    _row(f"{_SCHEDULED}.AccessionNumber", "2/2", NOT_ALLOWED, "", _EXACT),
    *_issuer(f"{_SCHEDULED}.IssuerOfAccessionNumberSequence"),
    _row(f"{_SCHEDULED}.PlacerOrderNumberImagingServiceRequest", "3/3", NOT_ALLOWED),
    *_issuer(f"{_SCHEDULED}.OrderPlacerIdentifierSequence"),
    _row(f"{_SCHEDULED}.FillerOrderNumberImagingServiceRequest", "3/3", NOT_ALLOWED),
    *_issuer(f"{_SCHEDULED}.OrderFillerIdentifierSequence"),
    _row(f"{_SCHEDULED}.RequestedProcedureID", "2/2", NOT_ALLOWED, "", _EXACT),
    _row(f"{_SCHEDULED}.RequestedProcedureCodeSequence", "3/3", NOT_ALLOWED),
    _row(f"{_SCHEDULED}.RequestedProcedureDescription", "2/2", NOT_ALLOWED),
    _row(f"{_SCHEDULED}.ScheduledProcedureStepID", "2/2", NOT_ALLOWED, "", _EXACT),
    _row(f"{_SCHEDULED}.ScheduledProcedureStepDescription", "2/2", NOT_ALLOWED),
    _row(f"{_SCHEDULED}.ScheduledProtocolCodeSequence", "2/2", NOT_ALLOWED),
    _row("PatientName", "2/2", NOT_ALLOWED, "", _NAME),
    _row("PatientID", "2/2", NOT_ALLOWED, "", _EXACT),
    _row("IssuerOfPatientID", "3/3", NOT_ALLOWED),
    _row(_QUALIFIERS, "3/3", NOT_ALLOWED),
    _row(f"{_QUALIFIERS}.UniversalEntityID", "3/3", NOT_ALLOWED),
    _row(f"{_QUALIFIERS}.UniversalEntityIDType", "1C/1C if UniversalEntityID", NOT_ALLOWED),
    _row(_IDS, "3/3", NOT_ALLOWED),
    _row(f"{_IDS}.PatientID", "3/3", NOT_ALLOWED),
    _row(f"{_IDS}.IssuerOfPatientID", "3/3", NOT_ALLOWED),
    _row(f"{_IDS}.{_QUALIFIERS}", "3/3", NOT_ALLOWED),
    _row(f"{_IDS}.TypeOfPatientID", "3/3", NOT_ALLOWED),
    _row("PatientBirthDate", "2/2", NOT_ALLOWED, "", _DATE),
    _row("PatientSex", "2/2", NOT_ALLOWED),
    _row("ReferencedPatientSequence", "2/2", NOT_ALLOWED),
    *_references("ReferencedPatientSequence", NOT_ALLOWED),
    _row("AdmissionID", "3/3", NOT_ALLOWED),
    *_issuer("IssuerOfAdmissionIDSequence"),
    _row("ServiceEpisodeID", "3/3", NOT_ALLOWED),
    *_issuer("IssuerOfServiceEpisodeIDSequence"),
    _row("ServiceEpisodeDescription", "3/3", NOT_ALLOWED),
    # Performed Procedure Step Information
    _row("PerformedProcedureStepID", "1/1", NOT_ALLOWED, "", _EXACT),
    _row("PerformedStationAETitle", "1/1", NOT_ALLOWED, "", _EXACT),
    _row("PerformedStationName", "2/2", NOT_ALLOWED),
    _row("PerformedLocation", "2/2", NOT_ALLOWED),
    _row("PerformedProcedureStepStartDate", "1/1", NOT_ALLOWED, "", _DATE),
    _row("PerformedProcedureStepStartTime", "1/1", NOT_ALLOWED, "", _TIME),
    _row("PerformedProcedureStepStatus", "1/1", "3/1", "", _EXACT),
    _row("PerformedProcedureStepDescription", "2/2", "3/2"),
    _row("PerformedProcedureTypeDescription", "2/2", "3/2"),
    _row("ProcedureCodeSequence", "2/2", "3/2"),
    _row("ReasonForPerformedProcedureCodeSequence", "3/3", "3/3"),
    _row("PerformedProcedureStepEndDate", "2/2", "3/1", "1", _DATE),
    _row("PerformedProcedureStepEndTime", "2/2", "3/1", "1", _TIME),
    _row("CommentsOnThePerformedProcedureStep", "3/3", "3/3"),
    _row("PerformedProcedureStepDiscontinuationReasonCodeSequence", "3/3", "3/3"),
    # Image Acquisition Results
    _row("Modality", "1/1", NOT_ALLOWED, "", _EXACT),
    _row("StudyID", "2/2", NOT_ALLOWED, "", _EXACT),
    _row("PerformedProtocolCodeSequence", "2/2", "3/2"),
    _row(_SERIES, "2/2", "3/1", "1"),
    _row(f"{_SERIES}.PerformingPhysicianName", "2/2", "2/2", "2"),
    _row(f"{_SERIES}.ProtocolName", "1/1", "1/1", "1"),
    _row(f"{_SERIES}.OperatorsName", "2/2", "2/2", "2"),
    _row(f"{_SERIES}.SeriesInstanceUID", "1/1", "1/1", "1", _UID),
    _row(f"{_SERIES}.SeriesDescription", "2/2", "2/2", "2"),
    _row(f"{_SERIES}.RetrieveAETitle", "2/2", "2/2", "2"),
    _row(f"{_SERIES}.ArchiveRequested", "3/3", "3/3"),
    _row(_IMAGES, "2/2", "2/2"),
    *_references(_IMAGES, "1/1"),
    _row(f"{_IMAGES}.ContainerIdentifier", "3/3", "3/3"),
    _row(f"{_IMAGES}.SpecimenDescriptionSequence", "3/3", "3/3"),
    _row(f"{_IMAGES}.SpecimenDescriptionSequence.SpecimenIdentifier", "1/1", "1/1"),
    _row(f"{_IMAGES}.SpecimenDescriptionSequence.SpecimenUID", "1/1", "1/1", "", _UID),
    _row(_OTHERS, "2/2", "2/2"),
    *_references(_OTHERS, "1/1"),
)

# What steps are found by, which is ours: the standard has no search for them. The SOP classes of what they
# name lead nowhere.
KEYS: tuple[Key, ...] = tuple(
    row for row in TABLE if row.matching is not _NONE and row.keyword != "ReferencedSOPClassUID"
)
KEYS_BY_PATH: Mapping[tuple[int, ...], Key] = {key.tags: key for key in KEYS}

# The outermost attributes of what is found. The series, which name every instance, are given when asked for.
RETURNED: frozenset[str] = frozenset(
    {
        row.json_key
        for row in TABLE
        if row.create in ("1/1", "2/2") and len(row.path) == 1 and row.path != (_SERIES,)
    }
    | {"00080005", "00080016", "00080018"}
)

# The code sequences of Table F.7.2-1e: they need no code meaning
WITHOUT_MEANING = frozenset({"ProcedureCodeSequence", "PerformedProtocolCodeSequence"})

# PS3.4 Table F.1-3
IN_PROGRESS, DISCONTINUED, COMPLETED = "IN PROGRESS", "DISCONTINUED", "COMPLETED"
FINAL_STATES = (DISCONTINUED, COMPLETED)

ENUMERATED: Mapping[str, tuple[str, ...]] = {
    "PerformedProcedureStepStatus": (IN_PROGRESS, *FINAL_STATES),
}
