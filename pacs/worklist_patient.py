"""Whose a study is by the worklist, and what an object that says otherwise is to say instead.

A modality has the Study Instance UID of a worklist item from there only. What it says of the patient may
have been typed.
"""

import time
from typing import Any, NamedTuple

import structlog
from pydicom.datadict import tag_for_keyword

from pacs.index import Worklists
from pacs.model import DicomJson

REMEMBERED = 10.0  # seconds for which the patient of a study is not looked up again

_ACCESSION_NUMBER, _ID, _ISSUER = "00080050", "00100020", "00100021"

# What is put in, by VR (PS3.3 C.7.1.1); the first are there even without a value (Type 2)
_ALWAYS_THERE = {"00100010": "PN", _ID: "LO", "00100030": "DA", "00100040": "CS"}
PATIENT = _ALWAYS_THERE | {_ISSUER: "LO", "00100024": "SQ"}

# What is of one person as well, and goes when it was another: of PS3.3 Tables C.7-1, C.2-2 and C.2-3 all but
# what is measured (size and weight), or of any of the kind (species, breed, phantoms)
_OF_A_PERSON = """
    TypeOfPatientID OtherPatientIDs OtherPatientIDsSequence OtherPatientNames
    SourcePatientGroupIdentificationSequence GroupOfPatientsIdentificationSequence ReferencedPatientSequence
    ReferencedPatientPhotoSequence MedicalRecordLocator PatientBirthName PatientMotherBirthName
    PatientBirthTime PatientBirthDateInAlternativeCalendar PatientDeathDateInAlternativeCalendar
    PatientAlternativeCalendar PatientAge EthnicGroup EthnicGroupCodeSequence PatientReligiousPreference
    PatientPrimaryLanguageCodeSequence PatientInsurancePlanCodeSequence Occupation MilitaryRank
    BranchOfService CountryOfResidence RegionOfResidence PatientAddress PatientTelephoneNumbers
    PatientTelecomInformation ResponsiblePerson ResponsiblePersonRole ResponsibleOrganization
    ConfidentialityConstraintOnPatientDataDescription PatientComments
"""
OF_THE_FORMER = tuple(f"{tag_for_keyword(keyword) or 0:08X}" for keyword in _OF_A_PERSON.split())

SAID = frozenset({_ACCESSION_NUMBER, *PATIENT, *OF_THE_FORMER})

log = structlog.get_logger()


class WorklistPatient(NamedTuple):
    """The patient of a study.

    accession_numbers: of its worklist items; none when they state none.
    """

    attributes: DicomJson
    accession_numbers: frozenset[str]


class WorklistPatients:
    """Looks up the patients of studies for one sender; what it sends together is mostly of one study."""

    def __init__(self, tables: Worklists) -> None:
        self._tables = tables
        self._last: tuple[str, float, WorklistPatient | None] = ("", 0.0, None)
        self._told = ("", "")

    def of(self, study_instance_uid: str) -> WorklistPatient | None:
        """The one patient of its worklist items, ended ones too; None where there is none.

        Raises StorageFailed.
        """
        study, until, patient = self._last
        if study == study_instance_uid and time.monotonic() < until:
            return patient
        with self._tables.reading() as rows:
            items = rows.scheduled_steps.of_study(study_instance_uid)
        patient = self._one_of(study_instance_uid, items)
        self._last = study_instance_uid, time.monotonic() + REMEMBERED, patient
        return patient

    def _one_of(self, study: str, items: list[DicomJson]) -> WorklistPatient | None:
        patients = [{key: item[key] for key in PATIENT if _stated(item, key)} for item in items]
        one = {key: element for patient in patients for key, element in patient.items()}
        if _ID not in one:
            return None
        if any(_ID not in patient or not _agrees(patient, one) for patient in patients):
            self.tell(study, "its worklist items do not say the same of the patient")
            return None
        numbers = frozenset(number for item in items if (number := _stated(item, _ACCESSION_NUMBER)))
        return WorklistPatient(one, numbers)

    def tell(self, study: str, reason: str) -> None:
        """Log why the patient of a study is not put in: once for the objects that come together."""
        if self._told != (study, reason):
            self._told = study, reason
            log.warning("patient not taken from the worklist", study=study, reason=reason)


def is_of_another_order(said: DicomJson, patient: WorklistPatient) -> bool:
    """Whether the accession number of an object is none of those of the worklist.  said: its attributes."""
    number = _stated(said, _ACCESSION_NUMBER)
    return bool(number and patient.accession_numbers) and number not in patient.accession_numbers


def corrections(said: DicomJson, patient: DicomJson) -> dict[str, DicomJson | None]:
    """What is to be put in the place of what an object says, by tag; None for what is to be left out.

    Of the same patient, only what the worklist states; of another all, so that nobody is made of two.
    """
    differing = [key for key in PATIENT if _stated(said, key) != _stated(patient, key)]
    if not _is_another(said, patient):
        return {key: patient[key] for key in differing if key in patient}
    empty = {key: {"vr": vr} for key, vr in _ALWAYS_THERE.items()}
    former = dict.fromkeys(key for key in OF_THE_FORMER if key in said)
    return {key: patient.get(key, empty.get(key)) for key in differing} | former


def _is_another(said: DicomJson, patient: DicomJson) -> bool:
    pairs = [(_stated(said, key), _stated(patient, key)) for key in (_ID, _ISSUER)]
    return any(None not in pair and pair[0] != pair[1] for pair in pairs)


def _agrees(patient: DicomJson, one: DicomJson) -> bool:
    """Whether all that an item of the worklist states is so."""
    return all(_stated(patient, key) == _stated(one, key) for key in patient)


def _stated(attributes: DicomJson, key: str) -> Any:
    """What an element says, in a form that can be compared; None when it has no value."""
    element = attributes.get(key, {})
    said = [_comparable(value, element["vr"]) for value in element.get("Value", ())]
    if element.get("vr") == "SQ":
        return [item for item in said if item] or None
    return said[0] or None if said else None


def _comparable(value: Any, vr: str) -> Any:
    if vr == "SQ":
        return _all_stated(value or {})
    if isinstance(value, dict):
        groups = {name: group.rstrip("^ ") for name, group in value.items()}
        return {name: group for name, group in groups.items() if group}
    return None if value is None else str(value).strip()


def _all_stated(attributes: DicomJson) -> dict[str, Any]:
    return {key: said for key in attributes if (said := _stated(attributes, key)) is not None}
