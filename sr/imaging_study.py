"""A study of the archive as a FHIR R4 ImagingStudy, after the `dicom` mapping of its StructureDefinition."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sr import json_attributes
from sr.body_parts import BODY_PARTS
from sr.codes import Code
from sr.coding_schemes import DCM, SCT, CodingSchemes
from sr.identifiers import (
    accession_identifier,
    encounter_reference,
    issuer_system,
    order_reference,
    study_identifier,
)
from sr.json_attributes import Attributes
from sr.names import readable_name
from sr.primitives import code as fhir_code
from sr.primitives import compact, date_and_time, dated, is_uid, offset, string, uid_uri

# PS3.3 C.7.3.1, Laterality (0020,0060)
_LATERALITIES = {
    "L": {"system": SCT, "code": "7771000", "display": "Left"},
    "R": {"system": SCT, "code": "24028007", "display": "Right"},
    "B": {"system": SCT, "code": "51440002", "display": "Right and left"},
}
_REASON_CODES = "ReasonForRequestedProcedureCodeSequence"
_ROLE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_PERFORMERS = (
    ("PerformingPhysicianName", {"system": _ROLE, "code": "PRF", "display": "performer"}),
    ("OperatorsName", {"system": _ROLE, "code": "SPRF", "display": "secondary performer"}),
)
# What tells the kind of an instance
KIND = ("SOPClassUID", "ConceptNameCodeSequence", "DocumentTitle", "ContentLabel", "ImageType")


def imaging_study(
    study: Attributes,
    series: Sequence[Attributes],
    instances_by_series: Mapping[str, Sequence[Any]],
    identity: str,
    endpoint: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The ImagingStudy of a study; all attributes in DICOM JSON (PS3.18 F.2), as a search returns them.

    instances_by_series: by Series Instance UID what `study_instance` gives, or that as a fragment of JSON;
        without those of a series, it is told without instances.
    identity: of the patient.  endpoint: the Endpoint resource from which the study is had.
    """
    uid = json_attributes.text(study, "StudyInstanceUID")
    zone = offset(json_attributes.text(study, "TimezoneOffsetFromUTC"))
    accession, system = _issued(study, "AccessionNumber", "IssuerOfAccessionNumberSequence")
    admission = _issued(study, "AdmissionID", "IssuerOfAdmissionIDSequence")
    procedures = json_attributes.items(study, "ProcedureCodeSequence")
    return compact(
        {
            "resourceType": "ImagingStudy",
            "id": uid,
            "identifier": [
                study_identifier(uid),
                *([accession_identifier(accession, system)] if accession else []),
            ],
            "status": "available",
            "modality": [_modality(name) for name in _modalities(study, series)],
            "subject": {"reference": f"Patient/{identity}"},
            # Not in the mapping of R4, which has no place for it elsewhere
            "encounter": encounter_reference(*admission),
            **_started(study, "StudyDate", "StudyTime", zone),
            "basedOn": [order_reference(accession_identifier(accession, system))] if accession else [],
            "referrer": next(iter(_people(study, "ReferringPhysicianName")), {}),
            "interpreter": _people(study, "NameOfPhysiciansReadingStudy"),
            "endpoint": [{"reference": f"Endpoint/{endpoint['id']}"}] if endpoint else [],
            "numberOfSeries": _count(study, "NumberOfStudyRelatedSeries", len(series)),
            "numberOfInstances": json_attributes.count(study, "NumberOfStudyRelatedInstances"),
            "procedureCode": [concept for code in procedures if (concept := _concept(code))],
            "location": next(({"display": name} for name in _departments(series)), {}),
            "reasonCode": _reasons(study, series),
            "description": string(json_attributes.text(study, "StudyDescription")),
            "series": [_series(one, instances_by_series, zone) for one in series],
        }
    )


def _series(
    series: Attributes, instances_by_series: Mapping[str, Sequence[Any]], zone: str
) -> dict[str, Any]:
    uid = json_attributes.text(series, "SeriesInstanceUID")
    instances = instances_by_series.get(uid, ())
    laterality = json_attributes.text(series, "Laterality").upper()
    return compact(
        {
            "uid": uid,
            "number": json_attributes.count(series, "SeriesNumber"),
            # FHIR requires a modality; OT is what DICOM calls one that is none of its own.
            "modality": _modality(json_attributes.text(series, "Modality") or "OT"),
            "description": string(json_attributes.text(series, "SeriesDescription")),
            "numberOfInstances": _count(series, "NumberOfSeriesRelatedInstances", len(instances)),
            "bodySite": _body_site(json_attributes.text(series, "BodyPartExamined")),
            "laterality": _LATERALITIES.get(laterality),
            **_started(series, "SeriesDate", "SeriesTime", zone),
            "performer": [
                {"function": {"coding": [function]}, "actor": person}
                for keyword, function in _PERFORMERS
                for person in _people(series, keyword)
            ],
            "instance": list(instances),
        }
    )


class InstanceKind(NamedTuple):
    """What an ImagingStudy tells of an instance besides its UID and number: the same for many."""

    sop_class: dict[str, str]
    title: str


def study_instance(instance: Attributes) -> dict[str, Any]:
    """The element of an ImagingStudy that tells an instance; its attributes in DICOM JSON."""
    uid = json_attributes.text(instance, "SOPInstanceUID")
    return numbered(instance_kind(instance), uid, json_attributes.count(instance, "InstanceNumber"))


def instance_kind(instance: Attributes) -> InstanceKind:
    """What kind an instance is of, made of the attributes KIND and no others."""
    title = (
        json_attributes.text(json_attributes.item(instance, "ConceptNameCodeSequence"), "CodeMeaning")
        or json_attributes.text(instance, "DocumentTitle")
        or json_attributes.text(instance, "ContentLabel")
        or "\\".join(json_attributes.texts(instance, "ImageType"))
    )
    return InstanceKind(_sop_class(json_attributes.text(instance, "SOPClassUID")), string(title))


def numbered(kind: InstanceKind, uid: str, number: int | None) -> dict[str, Any]:
    """The element of an instance of this kind."""
    return compact({"uid": uid, "sopClass": kind.sop_class, "number": number, "title": kind.title})


@lru_cache(256)
def _sop_class(uid: str) -> dict[str, str]:
    return {"system": "urn:ietf:rfc:3986", "code": uid_uri(uid)} if is_uid(uid) else {}


def _issued(study: Attributes, number: str, issuer_sequence: str) -> tuple[str, str]:
    """A number and the namespace of its issuer."""
    issuer = json_attributes.item(study, issuer_sequence)
    keywords = ("LocalNamespaceEntityID", "UniversalEntityID", "UniversalEntityIDType")
    return json_attributes.text(study, number), issuer_system(
        *(json_attributes.text(issuer, keyword) for keyword in keywords)
    )


def _modalities(study: Attributes, series: Sequence[Attributes]) -> list[str]:
    named = json_attributes.texts(study, "ModalitiesInStudy")
    return named or list(
        dict.fromkeys(name for one in series if (name := json_attributes.text(one, "Modality")))
    )


def _departments(series: Sequence[Attributes]) -> list[str]:
    names = (string(json_attributes.text(one, "InstitutionalDepartmentName")) for one in series)
    return [name for name in names if name]


def _reasons(study: Attributes, series: Sequence[Attributes]) -> list[dict[str, Any]]:
    """Reasons for the requested procedures, in codes (0040,100A) and in words (0040,1002), each once."""
    requests = [
        request for one in series for request in json_attributes.items(one, "RequestAttributesSequence")
    ]
    codes = (code for one in requests for code in json_attributes.items(one, _REASON_CODES))
    words = (
        string(json_attributes.text(one, "ReasonForTheRequestedProcedure")) for one in (study, *requests)
    )
    told = [*map(_concept, codes), *({"text": reason} for reason in dict.fromkeys(words) if reason)]
    return [reason for number, reason in enumerate(told) if reason and reason not in told[:number]]


def _modality(name: str) -> dict[str, str]:
    return {"system": DCM, "code": fhir_code(name)}


def _body_site(part: str) -> dict[str, str]:
    """A Coding; a body part that the table lacks is told by its name alone."""
    known = BODY_PARTS.get(part.upper().replace(" ", ""), "")
    return compact({"system": SCT if known else "", "code": known, "display": string(part)})


def _started(attributes: Attributes, day: str, clock: str, zone: str) -> dict[str, Any]:
    started = date_and_time(json_attributes.text(attributes, day), json_attributes.text(attributes, clock))
    return dated("started", started, zone)


def _count(attributes: Attributes, keyword: str, otherwise: int) -> int:
    counted = json_attributes.count(attributes, keyword)
    return otherwise if counted is None else counted


def _people(attributes: Attributes, keyword: str) -> list[dict[str, Any]]:
    names = (groups.get("Alphabetic") for groups in json_attributes.items(attributes, keyword))
    readable = (readable_name(name) for name in names if isinstance(name, str))
    return [{"type": "Practitioner", "display": name} for name in readable if name]


def _concept(item: Attributes) -> dict[str, Any]:
    value = json_attributes.text(item, "CodeValue") or json_attributes.text(item, "LongCodeValue")
    code = Code(
        value, json_attributes.text(item, "CodingSchemeDesignator"), json_attributes.text(item, "CodeMeaning")
    )
    return CodingSchemes("", {}).concept(code) if code.label else {}
