"""The attributes that the index keeps, and how each is matched: one table for C-FIND and QIDO-RS.

PS3.4 C.6.1.1 and C.6.2.1 (Patient and Study Root), PS3.18 10.6.1.2 and 10.6.3.3 (search transaction).
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from pydicom.datadict import dictionary_VR, tag_for_keyword

from pacs.model import Level


class Matching(StrEnum):
    """How a key is compared with what is stored (PS3.4 C.2.2.2)."""

    UID = "list of UIDs"
    EXACT = "single value or wildcard, case-sensitive"
    TEXT = "single value or wildcard, without regard to case and accents"
    NAME = "single value or wildcard on person names, without regard to case and accents"
    DATE = "single value or range of dates"
    TIME = "single value or range of times"
    DATETIME = "single value or range of date times"
    NUMBER = "single integer"
    RETURNED = "returned, not matched"
    COMPUTED = "counted from what is stored, returned only"


@dataclass(frozen=True)
class Key:
    """An attribute that may be asked for, and how it is matched.

    path: keywords from the data set's root; more than one where the value lies inside a sequence.
    """

    path: tuple[str, ...]
    matching: Matching

    @property
    def keyword(self) -> str:
        """The keyword of the value itself."""
        return self.path[-1]

    @cached_property
    def tags(self) -> tuple[int, ...]:
        """One integer tag for each keyword of the path."""
        return tuple(_tag(keyword) for keyword in self.path)

    @cached_property
    def vr(self) -> str:
        """The value representation of the value itself."""
        return dictionary_VR(self.tags[-1])

    @cached_property
    def json_key(self) -> str:
        """The outermost tag as DICOM JSON spells it, such as "00100020"."""
        return f"{self.tags[0]:08X}"

    @property
    def is_code(self) -> bool:
        """Whether its items are coded entries."""
        return self.keyword.endswith("CodeSequence")

    @property
    def is_multiple(self) -> bool:
        """Whether one answer can have several values of it, all of which are looked at."""
        return self.keyword in DERIVED_KEYWORDS


@dataclass(frozen=True)
class Attribute(Key):
    """One row of the table.

    level: where the value is kept; an attribute of a level is returned for all levels below it.
    default: returned by QIDO-RS although not asked for.
    """

    level: Level
    default: bool = False

    @cached_property
    def column(self) -> str:
        """The name of its column in the index."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", self.keyword).lower()

    @property
    def sound_column(self) -> str:
        """The name of the column for the sound of a person name."""
        return f"{self.column}_sound"


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise LookupError(f"{keyword} is not in the data dictionary")
    return tag


def _rows(level: Level, matching: Matching, default: str = "", others: str = "") -> list[Attribute]:
    return [
        Attribute(tuple(path.split(".")), matching, level, is_default)
        for names, is_default in ((default, True), (others, False))
        for path in names.split()
    ]


ATTRIBUTES: tuple[Attribute, ...] = (
    # PS3.4 Table C.6-1, patient level
    *_rows(Level.PATIENT, Matching.NAME, "PatientName"),
    *_rows(Level.PATIENT, Matching.EXACT, "PatientID IssuerOfPatientID PatientSex"),
    *_rows(Level.PATIENT, Matching.DATE, "PatientBirthDate"),
    *_rows(
        Level.PATIENT,
        Matching.RETURNED,
        others="""IssuerOfPatientIDQualifiersSequence TypeOfPatientID OtherPatientIDsSequence
        OtherPatientNames
        PatientBirthTime EthnicGroup PatientComments PatientSpeciesDescription""",
    ),
    *_rows(
        Level.PATIENT,
        Matching.COMPUTED,
        others="""NumberOfPatientRelatedStudies NumberOfPatientRelatedSeries
        NumberOfPatientRelatedInstances""",
    ),
    # PS3.4 Table C.6-2, study level
    *_rows(Level.STUDY, Matching.UID, "StudyInstanceUID"),
    *_rows(Level.STUDY, Matching.DATE, "StudyDate"),
    *_rows(Level.STUDY, Matching.TIME, "StudyTime"),
    *_rows(Level.STUDY, Matching.EXACT, "AccessionNumber StudyID"),
    *_rows(Level.STUDY, Matching.NAME, "ReferringPhysicianName"),
    *_rows(Level.STUDY, Matching.TEXT, "StudyDescription"),
    *_rows(
        Level.STUDY,
        Matching.EXACT,
        others="""IssuerOfAccessionNumberSequence.LocalNamespaceEntityID
        IssuerOfAccessionNumberSequence.UniversalEntityID""",
    ),
    *_rows(Level.STUDY, Matching.RETURNED, "TimezoneOffsetFromUTC"),
    *_rows(
        Level.STUDY,
        Matching.RETURNED,
        others="""ProcedureCodeSequence NameOfPhysiciansReadingStudy PhysiciansOfRecord
        AdmittingDiagnosesDescription ReferencedStudySequence PatientAge PatientSize PatientWeight Occupation
        AdditionalPatientHistory AdmissionID RequestedProcedureCodeSequence
        IssuerOfAccessionNumberSequence IssuerOfAdmissionIDSequence
        ReferringPhysicianIdentificationSequence""",
    ),
    # Matched against the series (modalities) and instances (SOP classes) of a study
    *_rows(Level.STUDY, Matching.EXACT, "ModalitiesInStudy"),
    *_rows(Level.STUDY, Matching.UID, others="SOPClassesInStudy"),
    *_rows(Level.STUDY, Matching.COMPUTED, "NumberOfStudyRelatedSeries NumberOfStudyRelatedInstances"),
    # PS3.4 Table C.6-3, series level
    *_rows(Level.SERIES, Matching.UID, "SeriesInstanceUID"),
    *_rows(Level.SERIES, Matching.EXACT, "Modality"),
    *_rows(Level.SERIES, Matching.NUMBER, "SeriesNumber"),
    *_rows(Level.SERIES, Matching.TEXT, "SeriesDescription"),
    *_rows(Level.SERIES, Matching.DATE, "SeriesDate PerformedProcedureStepStartDate"),
    *_rows(Level.SERIES, Matching.TIME, "SeriesTime PerformedProcedureStepStartTime"),
    *_rows(Level.SERIES, Matching.EXACT, others="BodyPartExamined StationName"),
    *_rows(Level.SERIES, Matching.TEXT, others="InstitutionName ProtocolName"),
    *_rows(
        Level.SERIES,
        Matching.EXACT,
        others="""RequestAttributesSequence.ScheduledProcedureStepID
        RequestAttributesSequence.RequestedProcedureID""",
    ),
    *_rows(
        Level.SERIES,
        Matching.RETURNED,
        "RequestAttributesSequence",
        """Laterality OperatorsName PerformingPhysicianName InstitutionalDepartmentName Manufacturer
        ManufacturerModelName DeviceSerialNumber SoftwareVersions DeviceUID FrameOfReferenceUID
        PatientPosition PerformedProcedureStepID PerformedProcedureStepDescription""",
    ),
    *_rows(Level.SERIES, Matching.COMPUTED, "NumberOfSeriesRelatedInstances"),
    # PS3.4 Table C.6-4, composite object instance level
    *_rows(Level.INSTANCE, Matching.UID, "SOPInstanceUID SOPClassUID"),
    *_rows(Level.INSTANCE, Matching.NUMBER, "InstanceNumber"),
    *_rows(Level.INSTANCE, Matching.DATE, others="ContentDate AcquisitionDate"),
    *_rows(Level.INSTANCE, Matching.TIME, others="ContentTime AcquisitionTime"),
    *_rows(
        Level.INSTANCE,
        Matching.RETURNED,
        "Rows Columns BitsAllocated NumberOfFrames",
        """ImageType AcquisitionDateTime ContentLabel ContentDescription ConceptNameCodeSequence
        CompletionFlag VerificationFlag PreliminaryFlag DocumentTitle MIMETypeOfEncapsulatedDocument
        ContainerIdentifier PresentationCreationDate PresentationCreationTime""",
    ),
    *_rows(Level.INSTANCE, Matching.COMPUTED, "InstanceAvailability", "AvailableTransferSyntaxUID"),
)

_REASON = "RequestAttributesSequence.ReasonForRequestedProcedureCodeSequence"

# What studies are found by with every value that they or their series have: a row for each value, not a
# column. No key of C-FIND and QIDO-RS; what it is told by is above.
LISTED: tuple[Attribute, ...] = (
    *_rows(Level.STUDY, Matching.NAME, others="NameOfPhysiciansReadingStudy"),
    *_rows(Level.STUDY, Matching.EXACT, others="AdmissionID"),
    *_rows(Level.SERIES, Matching.NAME, others="PerformingPhysicianName OperatorsName"),
    *_rows(Level.SERIES, Matching.EXACT, others=f"{_REASON}.CodeValue {_REASON}.LongCodeValue"),
)

BY_TAG: dict[int, Attribute] = {a.tags[0]: a for a in ATTRIBUTES if len(a.path) == 1}
BY_PATH: dict[tuple[int, ...], Attribute] = {a.tags: a for a in ATTRIBUTES}

LISTED_BY_PATH: dict[tuple[int, ...], Attribute] = {a.tags: a for a in LISTED}

# Kept in the instances and series, and only compared, never stored, at the level that names them.
DERIVED_KEYWORDS = frozenset({"ModalitiesInStudy", "SOPClassesInStudy"})

# What a coded entry is matched by (PS3.4 Tables 8-1a and CC.2.5-2a)
CODE_KEYS = (
    ("CodeValue", Matching.EXACT),
    ("CodingSchemeDesignator", Matching.EXACT),
    ("LongCodeValue", Matching.EXACT),
    ("URNCodeValue", Matching.EXACT),
)


def date_of(time: Key) -> Key:
    """The date that a time tells more exactly, by its keyword."""
    return Key((*time.path[:-1], f"{time.keyword.removesuffix('Time')}Date"), Matching.DATE)


def time_of(date: Key) -> Key:
    """The time that tells a date more exactly, by its keyword."""
    return Key((*date.path[:-1], f"{date.keyword.removesuffix('Date')}Time"), Matching.TIME)


def columns(level: Level) -> list[Attribute]:
    """The attributes of one level that have a column of their own in the index."""
    unindexed = (Matching.RETURNED, Matching.COMPUTED)
    return [
        a
        for a in ATTRIBUTES
        if a.level is level and a.matching not in unindexed and a.keyword not in DERIVED_KEYWORDS
    ]


def listed(level: Level) -> list[Attribute]:
    """The attributes of one level of which each value has a row in the index."""
    return [a for a in LISTED if a.level is level]


def stored_tags(level: Level) -> frozenset[int]:
    """The outermost tags whose values are kept, as DICOM JSON, in the rows of one level."""
    return frozenset(
        a.tags[0]
        for a in ATTRIBUTES
        if a.level is level and a.matching is not Matching.COMPUTED and a.keyword not in DERIVED_KEYWORDS
    )
