"""The DocumentReferences of an imaging manifest: of the object, and of its FHIR document (IHE RAD.MADO)."""

from typing import Any

from sr.coding_schemes import CodingSchemes
from sr.manifest import CATEGORY, TYPE, Manifest
from sr.manifest_study import MADO, modalities, regions
from sr.primitives import compact, stable_id
from sr.report_header import KEY_OBJECT_SELECTION

Resource = dict[str, Any]

_R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference"
_OF_DICOM = {
    "system": "http://dicom.nema.org/resources/ontology/DCMUID",
    "code": KEY_OBJECT_SELECTION,
    "display": "Key Object Selection Document",
}
_OF_FHIR = {
    "system": "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode",
    "code": "urn:ihe:rad:MADO:fhir-manifest:2026",
}
_PROFILE = {
    "url": f"{_R5}.content.profile",
    "extension": [{"url": "value", "valueCanonical": f"{MADO}/StructureDefinition/MadoFhirBundle"}],
}


def manifest_documents(
    source: Resource, manifest: Manifest, schemes: CodingSchemes
) -> tuple[Resource, Resource]:
    """The DocumentReference of the object, with what MADO wants of it, and that of the document made of it.

    source: the DocumentReference as of any report.
    """
    shared = compact(
        {
            **source,
            "extension": [
                *(_modality(modality) for modality in modalities(manifest.library)),
                *(_body_site(region) for region in regions(manifest.library, schemes)),
            ],
            "identifier": [source["masterIdentifier"]] if "masterIdentifier" in source else [],
            "type": TYPE,
            "category": [CATEGORY],
            "context": _context(manifest.resource("ImagingStudy")),
        }
    )
    attachment = {
        "contentType": "application/fhir+json",
        "url": f"Bundle/{manifest.bundle['id']}",
        "creation": source.get("date", ""),
    }
    made = {
        **shared,
        "id": stable_id("manifest document", source["id"]),
        "relatesTo": [{"code": "transforms", "target": {"reference": f"DocumentReference/{source['id']}"}}],
        "content": [{"extension": [_PROFILE], "attachment": compact(attachment), "format": _OF_FHIR}],
    }
    kept = {**shared, "content": [{**one, "format": _OF_DICOM} for one in source["content"]]}
    return kept, made


def _context(study: Resource) -> Resource:
    identifiers = study.get("identifier", ())
    return compact(
        {
            "period": {"start": study["started"]} if "started" in study else {},
            "related": [
                *(
                    {"reference": f"ImagingStudy/{study['id']}", "type": "ImagingStudy", "identifier": one}
                    for one in identifiers
                ),
                *(
                    {"type": "ServiceRequest", "identifier": order["identifier"]}
                    for order in study.get("basedOn", ())
                ),
            ],
        }
    )


def _modality(modality: Resource) -> Resource:
    return {"url": f"{_R5}.modality", "valueCodeableConcept": {"coding": [modality]}}


def _body_site(region: Resource) -> Resource:
    return {"url": f"{_R5}.bodySite", "extension": [{"url": "concept", "valueCodeableConcept": region}]}
