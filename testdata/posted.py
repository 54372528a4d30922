"""Observations as a client posts them: what was measured in an image, with its place in it."""

from decimal import Decimal
from typing import Any

from pydicom import Dataset

_SCT = "http://snomed.info/sct"
_SELECTION = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ImagingSelection.instance"
_BODY_SITE = "http://hl7.org/fhir/StructureDefinition/bodySite"

LINE = ("1.5", "2", "11.5", "2")


def concept(code: str, display: str, system: str = _SCT) -> dict[str, Any]:
    """A CodeableConcept."""
    return {"coding": [{"system": system, "code": code, "display": display}]}


def millimetres(value: str) -> dict[str, Any]:
    """A Quantity."""
    unit = {"unit": "millimeter", "system": "http://unitsofmeasure.org", "code": "mm"}
    return {"value": Decimal(value), **unit}


def imaging(
    image: Dataset, kind: str = "polyline", coordinates: tuple[str, ...] = LINE, frame: int = 0
) -> dict[str, Any]:
    """A reference to the study of an image, the image, and a region in it."""
    numbers = [{"url": "coordinate", "valueDecimal": Decimal(number)} for number in coordinates]
    region = {"url": "imageRegion2D", "extension": [{"url": "regionType", "valueCode": kind}, *numbers]}
    parts: list[dict[str, Any]] = [{"url": "uid", "valueId": image.SOPInstanceUID}]
    parts += [{"url": "subset", "valueString": str(frame)}] if frame else []
    extension = {"url": _SELECTION, "extension": [*parts, *([region] if kind else [])]}
    return {"reference": f"ImagingStudy/{image.StudyInstanceUID}", "extension": [extension]}


def left_lung() -> dict[str, Any]:
    """The members that tell a site with its side."""
    structure = {
        "resourceType": "BodyStructure",
        "id": "site",
        "location": concept("39607008", "Lung"),
        "locationQualifier": [concept("7771000", "Left")],
    }
    extension = {"url": _BODY_SITE, "valueReference": {"reference": "#site"}}
    return {"contained": [structure], "extension": [extension], "bodySite": concept("39607008", "Lung")}


def length(image: Dataset, **members: Any) -> dict[str, Any]:
    """A preliminary length of a line in an image. members: instead of those, or besides; None leaves out."""
    observation = {
        "resourceType": "Observation",
        "status": "preliminary",
        "code": concept("410668003", "Length"),
        "valueQuantity": millimetres("10.50"),
        "derivedFrom": [imaging(image)],
        **members,
    }
    return {name: member for name, member in observation.items() if member is not None}
