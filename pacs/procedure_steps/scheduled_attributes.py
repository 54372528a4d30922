"""The attributes of a Scheduled Procedure Step as the Modality Worklist has them (PS3.4 Table K.6-1)."""

from collections.abc import Mapping
from dataclasses import dataclass

from pacs.attributes import CODE_KEYS, Key, Matching

_UID, _EXACT, _TEXT, _NAME = Matching.UID, Matching.EXACT, Matching.TEXT, Matching.NAME
_DATE, _TIME, _NONE = Matching.DATE, Matching.TIME, Matching.RETURNED


@dataclass(frozen=True)
class Row(Key):
    """One row of the table.

    key_type: R for required matching keys, O for optional ones, - for what is never matched.
    returned: the Return Key Type, that of 1C with its condition.
    """

    key_type: str
    returned: str


def _row(path: str, key_type: str, matching: Matching, returned: str) -> Row:
    return Row(tuple(path.split(".")), matching, key_type, returned)


def _references(path: str, key_type: str, matching: Matching) -> tuple[Row, ...]:
    keywords = ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID")
    return tuple(_row(f"{path}.{keyword}", key_type, matching, "1") for keyword in keywords)


SEQUENCE = "ScheduledProcedureStepSequence"
_CONTEXT = f"{SEQUENCE}.ScheduledProtocolCodeSequence.ProtocolContextSequence"
_SPECIMEN, _DOCUMENT = "ScheduledSpecimenSequence", "PertinentDocumentsSequence"
_LANGUAGE, _HL7 = "PatientPrimaryLanguageCodeSequence", "HL7StructuredDocumentReferenceSequence"

# As of DICOM 2024b. The attributes of a sequence follow it; those of coded entries are in CODE_KEYS.
# Where the table asks for single values, a wildcard is understood too. All other attributes are O and 3.
TABLE: tuple[Row, ...] = (
    # Scheduled Procedure Step
    _row(SEQUENCE, "R", _NONE, "1"),
    _row(f"{SEQUENCE}.ScheduledStationAETitle", "R", _EXACT, "1"),
    _row(f"{SEQUENCE}.ScheduledProcedureStepStartDate", "R", _DATE, "1"),
    _row(f"{SEQUENCE}.ScheduledProcedureStepStartTime", "R", _TIME, "1"),
    _row(f"{SEQUENCE}.Modality", "R", _EXACT, "1"),
    _row(f"{SEQUENCE}.ScheduledPerformingPhysicianName", "R", _NAME, "2"),
    _row(
        f"{SEQUENCE}.ScheduledProcedureStepDescription",
        *("O", _TEXT, "1C unless ScheduledProtocolCodeSequence"),
    ),
    _row(f"{SEQUENCE}.ScheduledStationName", "O", _EXACT, "2"),
    _row(f"{SEQUENCE}.ScheduledProcedureStepLocation", "O", _EXACT, "2"),
    _row(f"{SEQUENCE}.ReferencedDefinedProtocolSequence", "O", _NONE, "3"),
    *_references(f"{SEQUENCE}.ReferencedDefinedProtocolSequence", "O", _UID),
    _row(f"{SEQUENCE}.ReferencedPerformedProtocolSequence", "O", _NONE, "3"),
    *_references(f"{SEQUENCE}.ReferencedPerformedProtocolSequence", "O", _UID),
    _row(
        f"{SEQUENCE}.ScheduledProtocolCodeSequence",
        *("O", _NONE, "1C unless ScheduledProcedureStepDescription"),
    ),
    _row(_CONTEXT, "-", _NONE, "3"),
    _row(f"{_CONTEXT}.ValueType", "-", _NONE, "1"),
    _row(f"{_CONTEXT}.ConceptNameCodeSequence", "-", _NONE, "1"),
    _row(f"{_CONTEXT}.DateTime", "-", _NONE, "1C if ValueType is DATETIME"),
    _row(f"{_CONTEXT}.PersonName", "-", _NONE, "1C if ValueType is PNAME"),
    _row(f"{_CONTEXT}.TextValue", "-", _NONE, "1C if ValueType is TEXT"),
    _row(f"{_CONTEXT}.ConceptCodeSequence", "-", _NONE, "1C if ValueType is CODE"),
    _row(f"{_CONTEXT}.NumericValue", "-", _NONE, "1C if ValueType is NUMERIC"),
    _row(f"{_CONTEXT}.MeasurementUnitsCodeSequence", "-", _NONE, "1C if ValueType is NUMERIC"),
    _row(f"{SEQUENCE}.PreMedication", "O", _TEXT, "2C"),
    _row(f"{SEQUENCE}.ScheduledProcedureStepID", "O", _EXACT, "1"),
    _row(f"{SEQUENCE}.RequestedContrastAgent", "O", _TEXT, "2C"),
    _row(f"{SEQUENCE}.ScheduledProcedureStepStatus", "O", _EXACT, "3"),
    _row(_SPECIMEN, "O", _NONE, "3"),
    _row(f"{_SPECIMEN}.ContainerIdentifier", "O", _EXACT, "1"),
    _row(f"{_SPECIMEN}.ContainerTypeCodeSequence", "-", _NONE, "2"),
    _row(f"{_SPECIMEN}.SpecimenDescriptionSequence", "O", _NONE, "1"),
    _row(f"{_SPECIMEN}.SpecimenDescriptionSequence.SpecimenIdentifier", "O", _EXACT, "1"),
    _row(f"{_SPECIMEN}.SpecimenDescriptionSequence.SpecimenUID", "O", _UID, "1"),
    _row("BarcodeValue", "O", _EXACT, "3"),
    # Requested Procedure
    _row("RequestedProcedureID", "O", _EXACT, "1"),
    _row("RequestedProcedureDescription", "O", _TEXT, "1C unless RequestedProcedureCodeSequence"),
    _row("RequestedProcedureCodeSequence", "O", _NONE, "1C unless RequestedProcedureDescription"),
    _row("RequestedLateralityCodeSequence", "O", _NONE, "3"),
    _row("StudyInstanceUID", "O", _UID, "1"),
    _row("StudyDate", "O", _DATE, "3"),
    _row("StudyTime", "O", _TIME, "3"),
    _row("ReferencedStudySequence", "O", _NONE, "2"),
    *_references("ReferencedStudySequence", "O", _UID),
    _row("RequestedProcedurePriority", "O", _EXACT, "2"),
    _row("PatientTransportArrangements", "O", _TEXT, "2"),
    # Imaging Service Request
    _row("AccessionNumber", "O", _EXACT, "2"),
    _row("IssuerOfAccessionNumberSequence", "O", _NONE, "3"),
    _row("RequestingPhysician", "O", _NAME, "2"),
    _row("ReferringPhysicianName", "O", _NAME, "2"),
    # Visit Identification, Status and Relationship
    _row("AdmissionID", "O", _EXACT, "2"),
    _row("IssuerOfAdmissionIDSequence", "O", _NONE, "3"),
    _row("CurrentPatientLocation", "O", _TEXT, "2"),
    _row("ReferencedPatientSequence", "O", _NONE, "2"),
    *_references("ReferencedPatientSequence", "O", _UID),
    # Patient Identification and Demographic
    _row("PatientName", "R", _NAME, "1"),
    _row("PatientID", "R", _EXACT, "1"),
    _row("IssuerOfPatientID", "O", _EXACT, "3"),
    _row("IssuerOfPatientIDQualifiersSequence", "O", _NONE, "3"),
    _row("OtherPatientIDsSequence", "O", _NONE, "3"),
    _row("PatientBirthDate", "O", _DATE, "2"),
    _row("PatientSex", "O", _EXACT, "2"),
    _row(_LANGUAGE, "O", _NONE, "3"),
    _row(f"{_LANGUAGE}.PatientPrimaryLanguageModifierCodeSequence", "O", _NONE, "3"),
    _row("PatientWeight", "O", _NONE, "2"),
    _row("PatientSize", "O", _NONE, "3"),
    _row("ConfidentialityConstraintOnPatientDataDescription", "O", _TEXT, "2"),
    # Patient Medical
    _row("PatientState", "O", _TEXT, "2"),
    _row("PregnancyStatus", "O", _EXACT, "2"),
    _row("MedicalAlerts", "O", _TEXT, "2"),
    _row("Allergies", "O", _TEXT, "2"),
    _row("SpecialNeeds", "O", _TEXT, "2"),
    _row(_DOCUMENT, "O", _NONE, "3"),
    *_references(_DOCUMENT, "-", _NONE),
    _row(f"{_DOCUMENT}.PurposeOfReferenceCodeSequence", "-", _NONE, "2"),
    _row(f"{_DOCUMENT}.DocumentTitle", "-", _NONE, "2"),
    # Of the other attributes of the modules, which are not named: those that are matched
    _row("IssuerOfAccessionNumberSequence.LocalNamespaceEntityID", "O", _EXACT, "3"),
    _row("IssuerOfAccessionNumberSequence.UniversalEntityID", "O", _EXACT, "3"),
    _row("PlacerOrderNumberImagingServiceRequest", "O", _EXACT, "3"),
    _row("FillerOrderNumberImagingServiceRequest", "O", _EXACT, "3"),
    _row("OtherPatientIDsSequence.PatientID", "O", _EXACT, "3"),
    # Table K.6-1a, of what is in identifiers and not in the information model
    _row("SpecificCharacterSet", "-", _NONE, "1C"),
    _row("TimezoneOffsetFromUTC", "-", _NONE, "1C"),
    _row(_HL7, "-", _NONE, "1C"),
    *_references(_HL7, "-", _NONE),
    _row(f"{_HL7}.HL7InstanceIdentifier", "-", _NONE, "1"),
    _row(f"{_HL7}.RetrieveURI", "-", _NONE, "3"),
)

# The code sequences of Tables 8-2a and 8-2b: they need no code meaning
WITHOUT_MEANING = frozenset(
    {"ScheduledProtocolCodeSequence", "RequestedProcedureCodeSequence", "RequestedLateralityCodeSequence"}
)

KEYS: tuple[Key, ...] = tuple(
    key
    for row in TABLE
    if row.key_type != "-"
    for key in (row, *(Key((*row.path, name), matching) for name, matching in CODE_KEYS if row.is_code))
    if key.matching is not _NONE
)
KEYS_BY_PATH: Mapping[tuple[int, ...], Key] = {key.tags: key for key in KEYS}

# The outermost attributes of every answer, where the item has them
RETURNED: frozenset[str] = frozenset(
    row.json_key for row in TABLE if len(row.path) == 1 and row.returned != "3"
)

STATUS = next(row for row in TABLE if row.keyword == "ScheduledProcedureStepStatus")
