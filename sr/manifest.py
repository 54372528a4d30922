"""An imaging manifest as a FHIR R4 document (IHE RAD.MADO, FHIR Imaging Study Manifest)."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from sr import lenient
from sr.coding_schemes import DCM, LOINC, SCT
from sr.content_tree import Item
from sr.device import device
from sr.identifiers import V2_IDENTIFIER_TYPE, issuer_system, uid_identifier
from sr.image_library import ImageLibrary, read_image_library
from sr.manifest_study import MADO, header_members, manifest_study, viewers, wado_endpoint
from sr.patient import patient
from sr.primitives import AS_WRITTEN, compact, date_and_time, date_time, is_uid, stable_id, string
from sr.source_report import Report

Resource = dict[str, Any]

# PS3.18 F.2: the elements of a patient that have no items
_PATIENT = {
    "00100020": ("LO", "PatientID"),
    "00100021": ("LO", "IssuerOfPatientID"),
    "00100030": ("DA", "PatientBirthDate"),
    "00100040": ("CS", "PatientSex"),
}
_QUALIFIERS = {"00400032": ("UT", "UniversalEntityID"), "00400033": ("CS", "UniversalEntityIDType")}
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")

TYPE = {"coding": [{"system": LOINC, "code": "18748-4", "display": "Diagnostic imaging study"}]}
CATEGORY = {
    "coding": [
        {
            "system": "http://hl7.eu/fhir/eu-health-data-api/CodeSystem/eehrxf-document-priority-category-cs",
            "code": "Medical-Imaging",
            "display": "Medical-Imaging",
        }
    ]
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as it was read. bundle: the document.  library: what it lists."""

    library: ImageLibrary
    bundle: Resource

    def resource(self, resource_type: str) -> Resource:
        """The first resource of a type; empty when there is none."""
        entries = (entry["resource"] for entry in self.bundle["entry"])
        return next((one for one in entries if one["resourceType"] == resource_type), {})


def read_manifest(dataset: lenient.Source, root: Item, report: Report, identity: str) -> Manifest | None:
    """The manifest that a key object selection is; None when it is another.

    identity: of the patient, "" when it is not known.
    A document of FHIR needs a date: without Content Date none is made.
    """
    library = read_image_library(dataset, root)
    if library is None or not date_time(report.header.content_time, ""):
        return None
    subject = _patient(dataset, identity or stable_id("patient", report.header.sop_instance_uid))
    orders = list(_orders(dataset, report, subject))
    started = date_and_time(lenient.text(dataset, "StudyDate"), lenient.text(dataset, "StudyTime"))
    description = lenient.text(dataset, "StudyDescription")
    header = header_members(report.header.study_instance_uid, description, started, report.header.zone)
    header["subject"] = _link(subject)
    header["basedOn"] = [_link(order) | {"identifier": order["identifier"][0]} for order in orders]
    study = manifest_study(library, header, report.schemes, report.header.zone, _link)
    made = {one["id"]: one for series in library.series if (one := wado_endpoint(series))}
    endpoints = [*made.values(), *viewers(library)]
    owner = _organization(lenient.text(dataset, "InstitutionName"))
    maker = _creator(dataset, owner)
    composition = _composition(report, study, subject, [maker, *owner])
    resources = [composition, study, subject, maker, *owner, *endpoints, *orders]
    return Manifest(library, _bundle(report, resources))


def _bundle(report: Report, resources: list[Resource]) -> Resource:
    return {
        "resourceType": "Bundle",
        "id": stable_id("manifest", report.header.sop_instance_uid),
        "identifier": _identifier(report),
        "type": "document",
        **_instant("timestamp", report.header.content_time, report.header.zone),
        "entry": [{"fullUrl": _url(resource), "resource": resource} for resource in resources],
    }


def _composition(report: Report, study: Resource, subject: Resource, authors: list[Resource]) -> Resource:
    header = report.header
    title = study.get("description") or "Imaging study"
    is_preliminary = report.status == "preliminary" and "PreliminaryFlag" in header.flags
    return compact(
        {
            "resourceType": "Composition",
            "id": stable_id("manifest composition", header.sop_instance_uid),
            "text": _narrative([("Study", study["id"]), ("Description", study.get("description", ""))]),
            "identifier": _identifier(report),
            "status": "preliminary" if is_preliminary else "final",
            "type": TYPE,
            "category": [CATEGORY],
            "subject": _link(subject),
            **_date(header.content_time, header.zone),
            "author": [_link(author) for author in authors],
            "title": title,
            "event": [{"detail": [_link(study)]}],
            "section": [_section(number, series) for number, series in enumerate(study["series"], 1)],
        }
    )


def _section(number: int, series: Resource) -> Resource:
    told = [
        ("Series", series["uid"]),
        ("Modality", series["modality"]["code"]),
        ("Body site", series.get("bodySite", {}).get("display", "")),
        ("Description", series.get("description", "")),
        ("Instances", str(series["numberOfInstances"])),
    ]
    return compact(
        {
            "title": f"Series {series.get('number', number)}",
            "text": _narrative(told),
            "entry": series.get("endpoint", []),
        }
    )


def _narrative(told: list[tuple[str, str]]) -> Resource:
    rows = "".join(f"<tr><td><b>{name}</b></td><td>{escape(text)}</td></tr>" for name, text in told if text)
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><table><tbody>{rows}</tbody></table></div>'
    return {"status": "generated", "div": div}


def _patient(dataset: lenient.Source, identity: str) -> Resource:
    """The Patient, of the elements that a manifest has of it."""
    attributes = _json(dataset, _PATIENT)
    qualifiers = _json(lenient.first(dataset, "IssuerOfPatientIDQualifiersSequence"), _QUALIFIERS)
    groups = dict(zip(_GROUPS, lenient.text(dataset, "PatientName").split("="), strict=False))
    attributes["00100010"] = {"vr": "PN", "Value": [groups]}
    attributes["00100024"] = {"vr": "SQ", "Value": [qualifiers]}
    return patient(attributes, identity)


def _json(dataset: lenient.Source | None, elements: dict[str, tuple[str, str]]) -> dict[str, Any]:
    return {
        key: {"vr": vr, "Value": [text]}
        for key, (vr, keyword) in elements.items()
        if (text := lenient.text(dataset, keyword))
    }


def _creator(dataset: lenient.Source, owner: list[Resource]) -> Resource:
    """The equipment of the manifest: what made it, not what made the images."""
    equipment = device(dataset) or {"resourceType": "Device", "id": ""}
    kind = {"system": f"{MADO}/CodeSystem/MadoDeviceType", "code": "mado-creator", "display": "MADO Creator"}
    return compact(
        {
            **equipment,
            "id": stable_id("manifest creator", equipment["id"], *(one["id"] for one in owner)),
            "type": {"coding": [kind]},
            "owner": _link(owner[0]) if owner else {},
        }
    )


def _organization(institution: str) -> list[Resource]:
    """The institution, whose name may be of the HL7 v2 type XON; at most one."""
    components = [string(part) for part in institution.split("^")] + [""] * 10
    name, number, authority, identifier = components[0], components[2], components[5], components[9]
    value = identifier or number
    if not name and not value:
        return []
    known = (
        compact({"system": issuer_system(authority.replace("&amp;", "&")), "value": value}) if value else {}
    )
    return [
        compact(
            {
                "resourceType": "Organization",
                "id": stable_id("organization", *components[:10]),
                "identifier": [known] if known else [],
                "name": name,
            }
        )
    ]


def _orders(dataset: lenient.Source, report: Report, subject: Resource) -> Iterator[Resource]:
    """A ServiceRequest for each Accession Number of the study (PS3.3 10.7 and the header)."""
    made: dict[str, Resource] = {}
    for request in (*lenient.each(dataset, "ReferencedRequestSequence"), dataset):
        identifiers = [*_accession(request, report), *_order_numbers(request)]
        if identifiers:
            order = {
                "resourceType": "ServiceRequest",
                "id": stable_id("order", report.header.study_instance_uid, identifiers[0]["value"]),
                "identifier": identifiers,
                "status": "completed",
                "intent": "order",
                "category": [{"coding": [{"system": SCT, "code": "363679005", "display": "Imaging"}]}],
                "subject": _link(subject),
            }
            made.setdefault(identifiers[0]["value"], order)
    yield from made.values()


def _accession(request: lenient.Source, report: Report) -> list[Resource]:
    number = string(lenient.text(request, "AccessionNumber"))
    if not number:
        return []
    is_the_same = number == string(report.header.accession_number)
    system = _issuer(lenient.first(request, "IssuerOfAccessionNumberSequence"))
    codings = [
        {"system": DCM, "code": "121022", "display": "Accession Number"},
        {"system": V2_IDENTIFIER_TYPE, "code": "ACSN", "display": "Accession ID"},
    ]
    system = system or (report.header.accession_system if is_the_same else "")
    return [compact({"type": {"coding": codings}, "system": system, "value": number})]


def _order_numbers(request: lenient.Source) -> Iterator[Resource]:
    """Numbers of who placed and who fills the order, under who gave them."""
    for code, keyword, issuer in (
        ("PLAC", "PlacerOrderNumberImagingServiceRequest", "OrderPlacerIdentifierSequence"),
        ("FILL", "FillerOrderNumberImagingServiceRequest", "OrderFillerIdentifierSequence"),
    ):
        if number := string(lenient.text(request, keyword)):
            kind = {"coding": [{"system": V2_IDENTIFIER_TYPE, "code": code}]}
            system = _issuer(lenient.first(request, issuer))
            yield compact({"type": kind, "system": system, "value": number})


def _issuer(item: lenient.Source | None) -> str:
    keywords = ("LocalNamespaceEntityID", "UniversalEntityID", "UniversalEntityIDType")
    return issuer_system(*(lenient.text(item, keyword) for keyword in keywords))


def _identifier(report: Report) -> Resource:
    """The SOP Instance UID, which the document shares with the object that it was made of."""
    uid = report.header.sop_instance_uid
    return uid_identifier(uid) if is_uid(uid) else {"system": "urn:x-dicom:uid", "value": uid or "none"}


def _date(content_time: str, zone: str) -> Resource:
    return {"date": date_time(content_time, zone)}


def _instant(name: str, content_time: str, zone: str) -> Resource:
    """A DT value as an instant; without a time zone in UTC, and as it is written beside that."""
    if "T" in date_time(content_time, zone):
        return {name: date_time(content_time, zone)}
    written = {"extension": [{"url": AS_WRITTEN, "valueString": content_time}]}
    return {name: date_time(f"{content_time[:8]}{content_time[8:] or '000000'}", "Z"), f"_{name}": written}


def _url(resource: Resource) -> str:
    name = f"{resource['resourceType']}/{resource['id']}"
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'urn:x-dicom:manifest:{name}')}"


def _link(resource: Resource) -> Resource:
    """A reference within the document, with what a person knows the resource by."""
    names = resource.get("name")
    display = names if isinstance(names, str) else next((one.get("text", "") for one in names or ()), "")
    if not display:
        display = resource.get("description", "")
    return compact({"reference": _url(resource), "type": resource["resourceType"], "display": display})
