"""Where a finding is: site, side and tracking identifiers, as bodySite and as BodyStructure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sr.codes import Code
from sr.coding_schemes import DCM, CodingSchemes
from sr.content_tree import Item
from sr.identifiers import uid_identifier
from sr.primitives import compact, is_uid, string
from sr.roles import TRACKING_UID, Parts, Role, parts_of
from sr.source_report import Report

# The standard extension by which an R4 element refers to a BodyStructure.
BODY_SITE = "http://hl7.org/fhir/StructureDefinition/bodySite"


@dataclass(frozen=True, slots=True)
class Site:
    """A finding site with its laterality and topographical modifiers.

    members: what an Observation says of it: bodySite, and the extension to the BodyStructure.
    structure: that BodyStructure; empty where none is needed.
    """

    code: Code | None = None
    qualifiers: tuple[Code, ...] = ()
    members: dict[str, Any] = field(default_factory=dict)
    structure: dict[str, Any] = field(default_factory=dict)


def located(item: Item, parts: Parts, around: Site, report: Report) -> tuple[Site, list[Item]] | None:
    """The site, side and tracking identifiers that children of an item tell, and which of them do.

    None when they tell none.  around: the site of what the item stands in, whose side they may tell.
    """
    sites = [(one, one.value) for one in parts[Role.SITE] if isinstance(one.value, Code)][:1]
    beside = [*parts[Role.QUALIFIER], *(one for site, _ in sites for one in parts_of(site)[Role.QUALIFIER])]
    sides = [(one, one.value) for one in beside if isinstance(one.value, Code)]
    identifiers = tracking_identifiers(parts[Role.TRACKING])
    code = sites[0][1] if sites else around.code
    if not sites and (code is None or not sides) and not identifiers:
        return None
    if code is None:
        sides = []  # of nothing
    qualifiers = (*(() if sites else around.qualifiers), *(side for _, side in sides))
    tracking = [one for one in parts[Role.TRACKING] if tracking_identifiers([one])]
    told = [*(one for one, _ in (*sites, *sides)), *tracking]
    return site_of(item, code, qualifiers, identifiers, report), told


def site_of(
    item: Item,
    code: Code | None,
    qualifiers: tuple[Code, ...],
    identifiers: list[dict[str, Any]],
    report: Report,
) -> Site:
    """The site of an item; with a BodyStructure where R4 has no other room for what is told of it."""
    site = _body_site(code, qualifiers, report.schemes) if code else {}
    if not report.patient or not (qualifiers or identifiers):
        return Site(code, qualifiers, compact({"bodySite": site}))
    structure = _body_structure(
        report.resource_id(item.position, "body"), code, qualifiers, identifiers, report
    )
    reference = {"reference": f"BodyStructure/{structure['id']}"}
    members = {"extension": [{"url": BODY_SITE, "valueReference": reference}], "bodySite": site}
    return Site(code, qualifiers, compact(members), structure)


def _body_site(code: Code, qualifiers: Iterable[Code], schemes: CodingSchemes) -> dict[str, Any]:
    """The site as a CodeableConcept; its text tells the side too, so that left stays left for any reader."""
    concept = schemes.concept(code)
    words = [code.label, *(qualifier.label for qualifier in qualifiers)]
    return compact({**concept, "text": string(", ".join(word for word in words if word))})


def tracking_identifiers(items: Iterable[Item]) -> list[dict[str, Any]]:
    """Tracking Identifier and Tracking Unique Identifier as Identifiers."""
    identifiers = []
    for item in items:
        text = item.value.label if isinstance(item.value, Code) else item.value
        if not isinstance(text, str):
            continue
        if item.key == TRACKING_UID and is_uid(text):
            identifiers.append(uid_identifier(text, DCM, "112040", "Tracking Unique Identifier"))
        elif string(text):
            coding = {"system": DCM, "code": "112039", "display": "Tracking Identifier"}
            identifiers.append({"type": {"coding": [coding]}, "value": string(text)})
    return identifiers


def _body_structure(
    structure_id: str,
    code: Code | None,
    qualifiers: Iterable[Code],
    identifiers: list[dict[str, Any]],
    report: Report,
) -> dict[str, Any]:
    return compact(
        {
            "resourceType": "BodyStructure",
            "id": structure_id,
            "identifier": identifiers,
            "location": report.schemes.concept(code) if code else {},
            "locationQualifier": [report.schemes.concept(qualifier) for qualifier in qualifiers],
            "patient": {"reference": report.patient},  # which FHIR requires
        }
    )
