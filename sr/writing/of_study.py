"""What a report has in common with the study that it is written for: its patient, and the study itself."""

import datetime
import re
from copy import deepcopy

from pydicom import Dataset

# PS3.3 Table C.7-1, Patient Module
_PATIENT = """
    PatientName PatientID IssuerOfPatientID IssuerOfPatientIDQualifiersSequence TypeOfPatientID
    PatientBirthDate PatientBirthTime PatientSex OtherPatientIDsSequence OtherPatientNames
    ReferencedPatientSequence EthnicGroup PatientComments PatientSpeciesDescription
    PatientSpeciesCodeSequence PatientBreedDescription PatientBreedCodeSequence BreedRegistrationSequence
    ResponsiblePerson ResponsiblePersonRole ResponsibleOrganization
    PatientIdentityRemoved DeidentificationMethod DeidentificationMethodCodeSequence"""

# PS3.3 Table C.7-3, General Study Module, and Table C.7-4a, Patient Study Module
_STUDY = """
    StudyInstanceUID StudyDate StudyTime StudyID AccessionNumber IssuerOfAccessionNumberSequence
    StudyDescription ReferringPhysicianName ReferringPhysicianIdentificationSequence
    ProcedureCodeSequence ReferencedStudySequence
    PatientAge PatientSize PatientWeight PregnancyStatus"""

# PS3.3 Table C.12-1, SOP Common Module: in which zone the times of the study are.
_ZONE = "TimezoneOffsetFromUTC"

KEYWORDS = (*_PATIENT.split(), *_STUDY.split(), _ZONE)

# Those of type 2
_NEVER_ABSENT = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"),
)

_OFFSET = re.compile(r"([+-])(\d\d)([0-5]\d)", re.ASCII)


def of_study(instance: Dataset) -> Dataset:
    """Copies of the attributes of patient and study, as any object of the study has them."""
    shared = Dataset()
    for keyword in KEYWORDS:
        if keyword in instance:
            shared[keyword] = deepcopy(instance[keyword])
    for keyword in _NEVER_ABSENT:
        if keyword not in shared:
            setattr(shared, keyword, None)
    return shared


def in_zone_of(shared: Dataset, now: datetime.datetime) -> datetime.datetime:
    """The time in the zone that the study says its times are in; in that of this machine if it says none."""
    match = _OFFSET.fullmatch(str(shared.get(_ZONE, "")).strip())
    if match is None:
        return now.astimezone()
    offset = datetime.timedelta(hours=int(match[2]), minutes=int(match[3]))
    if offset > datetime.timedelta(hours=14):
        return now.astimezone()
    return now.astimezone(datetime.timezone(-offset if match[1] == "-" else offset))
