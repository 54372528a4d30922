"""Where a finding is: site, side and tracking identifiers, as bodySite and as BodyStructure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sr.codes import Code
from sr.coding_schemes import DCM, CodingSchemes
from sr.content_tree import Item
from sr.identifiers import uid_identifier
from sr.primitives import compact, is_uid, string
from sr.roles import TRACKING_UID

# The standard extension by which an R4 element refers to a BodyStructure.
BODY_SITE = "http://hl7.org/fhir/StructureDefinition/bodySite"


@dataclass(frozen=True, slots=True)
class Site:
    """A finding site with its laterality and topographical modifiers.

    members: what an Observation says of it: bodySite, and the extension to the BodyStructure.
    """

    code: Code | None = None
    qualifiers: tuple[Code, ...] = ()
    members: dict[str, Any] = field(default_factory=dict)


def body_site(code: Code, qualifiers: Iterable[Code], schemes: CodingSchemes) -> dict[str, Any]:
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


def body_structure(
    structure_id: str,
    code: Code | None,
    qualifiers: Iterable[Code],
    identifiers: list[dict[str, Any]],
    schemes: CodingSchemes,
    patient: str,
) -> dict[str, Any]:
    """A BodyStructure. patient: its reference, which FHIR requires."""
    return compact(
        {
            "resourceType": "BodyStructure",
            "id": structure_id,
            "identifier": identifiers,
            "location": schemes.concept(code) if code else {},
            "locationQualifier": [schemes.concept(qualifier) for qualifier in qualifiers],
            "patient": {"reference": patient},
        }
    )
