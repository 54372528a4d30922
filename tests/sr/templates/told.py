"""What resources say, in words, for tests."""

from typing import Any

from pydicom.dataset import Dataset

from sr.mapping import Mapped, map_report
from tests.sr.builders import IDENTITY
from tests.sr.fhir_rules import faults
from tests.sr.files import lean, written


def mapped_of(dataset: Dataset) -> Mapped:
    """What a report becomes, all of it within FHIR's rules."""
    mapped = map_report(lean(written(dataset)), IDENTITY)
    assert faults(*mapped.resources) == []
    return mapped


def of_type(mapped: Mapped, kind: str) -> list[dict[str, Any]]:
    return [one for one in mapped.resources if one["resourceType"] == kind]


def measured(mapped: Mapped) -> dict[str, dict[str, Any]]:
    """The Observations with a quantity, by their concept and its digits."""
    return {
        f"{one['code']['text']} {one['valueQuantity']['value']}": one
        for one in of_type(mapped, "Observation")
        if "valueQuantity" in one
    }


def said(resource: dict[str, Any]) -> dict[str, str]:
    """The components by concept: what they say in words, or as a number with its unit."""
    words = {}
    for one in resource.get("component", []):
        words[one["code"]["text"]] = _words(one)
    return words


def _words(component: dict[str, Any]) -> str:
    if "valueQuantity" in component:
        return f"{component['valueQuantity']['value']} {component['valueQuantity']['unit']}"
    if "valueCodeableConcept" in component:
        return str(component["valueCodeableConcept"]["text"])
    (value,) = (value for name, value in component.items() if name.startswith("value"))
    return str(value)
