"""The report itself as a FHIR R4 DocumentReference: what all that is found in it refers back to."""

from collections.abc import Mapping
from typing import Any

from sr.content_tree import Item
from sr.identifiers import DICOM_UID, uid_identifier
from sr.observers import observed_by
from sr.participants import ATTESTER, AUTHOR, VERIFIER
from sr.primitives import compact, date_time, is_uid, string, uid_uri
from sr.report_header import ENCAPSULATED_PDF, KEY_OBJECT_SELECTION
from sr.source_report import Report, flag_tags, order_references

_KEY_OBJECT_DESCRIPTION = ("DCM", "113012")
# Format codes of IHE XDS-I.b, by SOP class
FORMATS: Mapping[str, dict[str, str]] = {
    KEY_OBJECT_SELECTION: {
        "system": "urn:oid:1.2.840.10008.2.6.1",
        "code": KEY_OBJECT_SELECTION,
        "display": "Key Object Selection Document Storage",
    },
    ENCAPSULATED_PDF: {
        "system": "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
        "code": "urn:ihe:rad:PDF",
        "display": "Radiology XDS-I PDF",
    },
}
_DOC_STATUS = {"preliminary": "preliminary", "final": "final", "amended": "amended"}


def document(report: Report, root: Item, equipment: str, attachment: dict[str, Any]) -> dict[str, Any]:
    """The DocumentReference of a report.

    equipment: reference of the Device that made it, or "".  attachment: what tells the object from others.
    """
    uid = report.header.sop_instance_uid
    issued = date_time(report.header.content_time, report.header.zone)
    authors = [*({"reference": one} for one in (equipment,) if one), *report.references(AUTHOR)]
    authors += observed_by(root, report.people)
    return compact(
        {
            "resourceType": "DocumentReference",
            "id": report.document_id,
            "meta": compact({"tag": flag_tags(report.header)}),
            "masterIdentifier": {"system": DICOM_UID, "value": uid_uri(uid)} if is_uid(uid) else {},
            "status": "current",
            "docStatus": _DOC_STATUS.get(report.status, ""),
            "type": report.schemes.concept(root.concept) if root.concept else {},
            "subject": {"reference": report.patient} if report.patient else {},
            "date": issued if "T" in issued else "",
            "author": list({one["reference"]: one for one in authors}.values()),
            "authenticator": next(iter(report.references(VERIFIER, ATTESTER)), {}),
            "relatesTo": [
                {
                    "code": "replaces",
                    "target": {"type": "DocumentReference", "identifier": uid_identifier(predecessor)},
                }
                for predecessor in report.header.predecessors
                if is_uid(predecessor)
            ],
            "description": string(" ".join(str(item.value) for item in descriptions(root))),
            "content": [_content(report, root, issued, attachment)],
            "context": compact(
                {
                    "encounter": [report.base["encounter"]] if "encounter" in report.base else [],
                    "related": [
                        *report.studies,
                        *order_references(report.orders, report.header),
                        *report.physicians,
                    ],
                }
            ),
        }
    )


def _content(report: Report, root: Item, issued: str, attachment: dict[str, Any]) -> dict[str, Any]:
    """The object itself, which whoever keeps it gives out as a Binary under its SOP Instance UID."""
    uid = report.header.sop_instance_uid
    told = {
        "contentType": "application/dicom",
        "url": f"Binary/{uid}" if is_uid(uid) else "",
        "title": string(root.concept.meaning) if root.concept else "",
        "creation": issued,
    }
    form = FORMATS.get(report.header.sop_class_uid, {})
    return compact({"attachment": compact(told | attachment), "format": form})


def descriptions(root: Item) -> list[Item]:
    """The items that describe a key object selection (PS3.16 TID 2010)."""
    return [
        child
        for child in root.children
        if child.key == _KEY_OBJECT_DESCRIPTION and isinstance(child.value, str)
    ]
