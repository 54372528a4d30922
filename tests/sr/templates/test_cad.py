"""What programs marked for a reader (PS3.16 TID 4000, 4100, 4120)."""

from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ChestCADSRStorage, ColonCADSRStorage, MammographyCADSRStorage

from sr.mapping import Mapped, map_report
from testdata.cad_report import cad_report
from tests.sr.builders import IDENTITY, code, container, report
from tests.sr.fhir_rules import faults
from tests.sr.files import lean, written

INTENT = ("111056", "DCM", "Rendering Intent")
REQUIRED = ("111150", "DCM", "Presentation Required: Rendering device is expected to present")
OPTIONAL = ("111151", "DCM", "Presentation Optional: Rendering device may present")
HIDDEN = ("111152", "DCM", "Not for Presentation: Rendering device expected not to present")
FINDING = ("111059", "DCM", "Single Image Finding")
MASS = ("4147007", "SCT", "Mass")


@pytest.fixture(scope="module")
def mapped() -> Mapped:
    return map_report(lean(written(cad_report())), IDENTITY)


def observations(mapped: Mapped, text: str) -> list[dict[str, Any]]:
    return [
        one
        for one in mapped.resources
        if one["resourceType"] == "Observation" and one["code"].get("text") == text
    ]


def test_only_what_is_for_presentation_is_told(mapped: Mapped) -> None:
    assert faults(*mapped.resources) == []
    (finding,) = observations(mapped, "Single Image Finding")
    assert finding["valueCodeableConcept"]["text"] == "Mass"
    hidden = [one for one in mapped.unmapped if "not for presentation" in one.reason]
    names = {one.concept.meaning for one in hidden if one.concept}
    assert names >= {"Single Image Finding", "Certainty of Finding"}
    told = str(mapped.resources)
    assert "Calcification cluster" not in told


def test_a_mark_is_preliminary_and_of_its_algorithm(mapped: Mapped) -> None:
    (finding,) = observations(mapped, "Single Image Finding")
    assert finding["status"] == "preliminary"
    devices = {f"Device/{one['id']}": one for one in mapped.resources if one["resourceType"] == "Device"}
    algorithm = devices[finding["device"]["reference"]]
    assert algorithm["deviceName"] == [{"name": "Segnaposto", "type": "user-friendly-name"}]
    assert algorithm["parent"]["reference"] in devices
    kinds = {one["resourceType"] for one in mapped.resources}
    assert not kinds & {"DiagnosticReport", "Condition"}


def test_a_mark_has_the_side_of_its_image_and_its_certainty(mapped: Mapped) -> None:
    (finding,) = observations(mapped, "Single Image Finding")
    components = {one["code"]["text"]: one for one in finding["component"]}
    assert components["Image Laterality"]["valueCodeableConcept"]["text"] == "Right"
    assert str(components["Certainty of Finding"]["valueQuantity"]["value"]) == "87.5"


def test_what_ran_is_not_told_as_found(mapped: Mapped) -> None:
    (summary,) = observations(mapped, "CAD Processing and Findings Summary")
    assert summary["valueCodeableConcept"]["text"] == "All algorithms succeeded; with findings"
    assert observations(mapped, "Detection Performed") == observations(mapped, "Summary of Detections") == []
    left = {one.concept.meaning: one.reason for one in mapped.unmapped if one.concept}
    assert left["Detection Performed"] == "it tells which algorithms ran, not what they found"


@pytest.mark.parametrize("sop_class", [MammographyCADSRStorage, ChestCADSRStorage, ColonCADSRStorage])
@pytest.mark.parametrize(("intent", "told"), [(REQUIRED, 1), (OPTIONAL, 1), (HIDDEN, 0)])
def test_of_every_kind(sop_class: str, intent: tuple[str, str, str], told: int) -> None:
    marked = code(FINDING, MASS, code(INTENT, intent, rel="HAS CONCEPT MOD"))
    dataset: Dataset = report(container(("111034", "DCM", "Individual Impression"), marked))
    dataset.SOPClassUID = sop_class
    assert len(observations(map_report(lean(written(dataset)), IDENTITY), "Single Image Finding")) == told
