"""Identifiers and references between resources, from DICOM UIDs, numbers and their issuers."""

import re
from typing import Any

from sr.coding_schemes import DCM
from sr.primitives import compact, is_uid, string, uid_uri, uri_part

DICOM_UID = "urn:dicom:uid"
V2_IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
DICOM_IDENTIFIER_TYPE = "http://hl7.org/fhir/uv/dicom-sr/CodeSystem/dicom-identifier-type"

_URI = re.compile(r"(?i)(urn:[a-z0-9][a-z0-9-]+:|https?://)\S+")


def issuer_system(local: str, universal: str = "", universal_type: str = "") -> str:
    """The namespace of an identifier as a URI; empty when there is no issuer.

    local: a local namespace, or an HL7 v2 hierarchic designator such as "HOSP&1.2.3&ISO".
    universal, universal_type: Universal Entity ID and its type (PS3.3 10.14).
    """
    if not universal and local.count("&") == 2:
        local, universal, universal_type = local.split("&")
    known = {"ISO": "urn:oid:", "UUID": "urn:uuid:", "URI": ""}.get(universal_type.upper())
    if universal and known is not None and not re.search(r"[\s\x00-\x1f\x7f-\x9f]", universal):
        return f"{known}{universal}"
    issuer = string(universal or local)
    if is_uid(issuer):
        return uid_uri(issuer)
    if _URI.fullmatch(issuer):
        return issuer
    return f"urn:x-dicom:issuer:{uri_part(issuer)}" if issuer else ""


def uid_identifier(uid: str, system: str = "", code: str = "", display: str = "") -> dict[str, Any]:
    """A UID as an Identifier, with its type where one is given."""
    kind = {"coding": [compact({"system": system, "code": code, "display": display})]} if code else {}
    return compact({"type": kind, "system": DICOM_UID, "value": uid_uri(uid)})


def study_identifier(uid: str) -> dict[str, Any]:
    """A Study Instance UID as an Identifier."""
    return uid_identifier(uid, DCM, "110180", "Study Instance UID")


def accession_identifier(number: str, system: str) -> dict[str, Any]:
    """An Accession Number as an Identifier."""
    return order_identifier(number, system, "ACSN", "Accession ID")


def order_identifier(number: str, system: str, code: str, display: str) -> dict[str, Any]:
    """A number of an order as an Identifier. code, display: its type in HL7 v2 table 0203."""
    kind = {"coding": [{"system": V2_IDENTIFIER_TYPE, "code": code, "display": display}]}
    return compact({"type": kind, "system": system, "value": string(number)})


def study_reference(uid: str) -> dict[str, Any]:
    """A reference to the ImagingStudy of a Study Instance UID, both literal and by identifier."""
    return {"reference": f"ImagingStudy/{uid}", "type": "ImagingStudy", "identifier": study_identifier(uid)}


def document_reference(uid: str) -> dict[str, Any]:
    """A reference to the DocumentReference of a report's SOP Instance UID, both literal and by identifier."""
    return {
        "reference": f"DocumentReference/{uid}",
        "type": "DocumentReference",
        "identifier": uid_identifier(uid),
    }


def order_reference(identifier: dict[str, Any], request_id: str = "") -> dict[str, Any]:
    """A reference to a ServiceRequest by an identifier; literal, too, where its id is known."""
    literal = f"ServiceRequest/{request_id}" if request_id else ""
    return compact({"reference": literal, "type": "ServiceRequest", "identifier": identifier})


def encounter_reference(number: str, system: str) -> dict[str, Any]:
    """A reference to the Encounter of an Admission ID, by identifier; empty without one.

    It is the Visit Number, PV1-19 of HL7 v2 (IHE RAD TF-2 Appendix B). system: the namespace of its issuer.
    """
    identifier = order_identifier(number, system, "VN", "Visit number")
    return {"type": "Encounter", "identifier": identifier} if "value" in identifier else {}


def patient_id(identity: str) -> str:
    """The id of the Patient with this identity: its first 32 digits."""
    return identity[:32]
