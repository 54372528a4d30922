"""Measurements of vessels (PS3.16 TID 5104, 5025, 5026): which vessel, which side, which part of it."""

from typing import Any

import pytest
from pydicom.dataset import Dataset

from sr.mapping import map_report
from sr.templates.vessels import VESSELS
from testdata.vascular_report import vascular_report
from tests.sr.builders import IDENTITY, LATERALITY, LEFT, code, container, num, report
from tests.sr.fhir_rules import faults
from tests.sr.files import lean, written

UMBILICAL = ("50536004", "SCT", "Umbilical artery")
RESISTIVITY = ("12023-8", "LN", "Resistivity Index")
RATIO = ("{ratio}", "UCUM", "ratio")


def of_type(dataset: Dataset, kind: str) -> list[dict[str, Any]]:
    mapped = map_report(lean(written(dataset)), IDENTITY)
    assert faults(*mapped.resources) == []
    return [one for one in mapped.resources if one["resourceType"] == kind]


def measured(dataset: Dataset) -> dict[str, dict[str, Any]]:
    """The measurements by their value."""
    found = of_type(dataset, "Observation")
    return {str(one["valueQuantity"]["value"]): one for one in found if "valueQuantity" in one}


def test_the_vessels_are_those_of_the_context_groups() -> None:
    names = {("SCT", "86117002"), ("SCT", "32062004"), ("SCT", "50536004"), ("SCT", "7832008")}
    assert names <= VESSELS  # internal and common carotid, umbilical artery, abdominal aorta
    assert ("SCT", "39607008") not in VESSELS  # lung


def test_a_velocity_is_of_its_vessel_side_and_segment() -> None:
    found = measured(vascular_report())
    structures = {f"BodyStructure/{one['id']}": one for one in of_type(vascular_report(), "BodyStructure")}
    for value, side in (("74.5", "Right"), ("231", "Left")):
        site = found[value]["bodySite"]
        assert site["coding"][0]["code"] == "86117002"
        assert site["text"].lower() == f"internal carotid artery, {side}, proximal".lower()
        (extension,) = found[value]["extension"]
        structure = structures[extension["valueReference"]["reference"]]
        assert structure["location"]["coding"][0]["code"] == "86117002"
        assert [one["text"] for one in structure["locationQualifier"]] == [side, "Proximal"]


def test_how_it_was_derived_stays_with_the_velocity() -> None:
    (component,) = measured(vascular_report())["231"]["component"]
    assert component["valueCodeableConcept"]["text"] == "Maximum"


def test_a_vessel_may_tell_its_side_itself() -> None:
    """TID 5026."""
    group = container(
        UMBILICAL, code(LATERALITY, LEFT, rel="HAS CONCEPT MOD"), num(RESISTIVITY, "0.6", RATIO)
    )
    site = measured(report(group))["0.6"]["bodySite"]
    assert (site["coding"][0]["code"], site["text"]) == ("50536004", "Umbilical artery, Left")


def test_without_a_side_it_is_the_vessel_alone() -> None:
    (found,) = measured(report(container(UMBILICAL, num(RESISTIVITY, "0.6", RATIO)))).values()
    assert found["bodySite"]["text"] == "Umbilical artery"
    assert "extension" not in found


@pytest.mark.parametrize("depth", [1, 2])
def test_what_is_below_a_vessel_is_of_it(depth: int) -> None:
    inner = num(RESISTIVITY, "0.6", RATIO)
    for _ in range(depth - 1):
        inner = container(("125007", "DCM", "Measurement Group"), inner)
    assert measured(report(container(UMBILICAL, inner)))["0.6"]["bodySite"]["coding"][0]["code"] == "50536004"
