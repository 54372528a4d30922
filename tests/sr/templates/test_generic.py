from decimal import Decimal
from typing import Any

from pydicom.dataset import Dataset

from sr.mapping import Mapped, map_report
from tests.sr.builders import (
    DERIVATION,
    DOSE,
    IDENTITY,
    LENGTH,
    LUNG,
    MEAN,
    MM,
    SECTION,
    SITE,
    code,
    container,
    content,
    image,
    num,
    report,
    reread,
    text,
)
from tests.sr.fhir_rules import faults, observations, quantities

TITLE = ("18748-4", "LN", "Diagnostic Imaging Report")
CHAPTER = ("121111", "DCM", "Summary")
PLANE = ("113764", "DCM", "Acquisition Plane")
PLANE_A = ("113620", "DCM", "Plane A")
PLANE_B = ("113621", "DCM", "Plane B")
DAP = ("113722", "DCM", "Dose Area Product Total")
GY_M2 = ("Gy.m2", "UCUM", "Gy.m2")
SUBJECT_CLASS = ("121024", "DCM", "Subject Class")
FETUS = ("121026", "DCM", "Fetus")
FETUS_NUMBER = ("121037", "DCM", "Fetus Number")
PATIENT = ("121025", "DCM", "Patient")
AGE = ("121033", "DCM", "Subject Age")
BEAT = ("122157", "DCM", "Beat number")
MOD, OBS, ACQ = "HAS CONCEPT MOD", "HAS OBS CONTEXT", "HAS ACQ CONTEXT"


def _map(*children: Dataset, **elements: Any) -> tuple[Mapped, dict[str, dict[str, Any]]]:
    mapped = map_report(reread(report(*children, title=TITLE, **elements)), IDENTITY)
    assert faults(*mapped.resources) == []
    return mapped, observations(mapped.resources)


def _members(observation: dict[str, Any]) -> list[str]:
    return [reference["reference"].removeprefix("Observation/") for reference in observation["hasMember"]]


def _texts(observation: dict[str, Any]) -> list[str]:
    """The components, each as "concept: value"."""
    found = []
    for component in observation.get("component", []):
        value = component.get("valueString") or component.get("valueCodeableConcept", {}).get("text")
        value = value or str(component.get("valueQuantity", {}).get("value"))
        found.append(f"{component['code']['text']}: {value}")
    return found


def test_a_container_with_values_is_a_group() -> None:
    mapped, made = _map(container(SECTION, num(LENGTH, "1"), text(CHAPTER, "was ill")))
    assert made["1.1"]["code"]["text"] == "Findings"
    assert _members(made["1.1"]) == [made["1.1.1"]["id"], made["1.1.2"]["id"]]
    assert made["1.1.2"]["valueString"] == "was ill"
    assert mapped.unmapped == ()


def test_a_container_of_containers_is_none() -> None:
    _, made = _map(container(SECTION, container(CHAPTER, text(SECTION, "x"))))
    assert made.keys() == {"1.1.1", "1.1.1.1"}


def test_the_containers_around_are_kept_as_categories() -> None:
    _, made = _map(container(CHAPTER, container(SECTION, text(SECTION, "x"))))
    categories = [
        category.get("text") or category["coding"][0]["code"] for category in made["1.1.1.1"]["category"]
    ]
    assert categories == ["imaging", "Diagnostic Imaging Report", "Summary", "Findings"]


def test_nested_groups_are_members() -> None:
    _, made = _map(container(SECTION, text(CHAPTER, "x"), container(CHAPTER, text(SECTION, "y"))))
    assert _members(made["1.1"]) == [made["1.1.1"]["id"], made["1.1.2"]["id"]]


def test_modifiers_of_a_container_hold_for_what_it_holds() -> None:
    planes = [
        container(SECTION, code(PLANE, plane, rel=MOD), num(DAP, digits, GY_M2))
        for plane, digits in ((PLANE_A, "1.07E-05"), (PLANE_B, "2"))
    ]
    mapped, made = _map(*planes, SOPClassUID=DOSE)
    assert _texts(made["1.1.2"]) == ["Acquisition Plane: Plane A"]
    assert _texts(made["1.2.2"]) == ["Acquisition Plane: Plane B"]
    assert made["1.1.2"]["valueQuantity"]["value"] == Decimal("1.07E-05")
    assert made["1.1.2"]["status"] == "final"
    assert mapped.unmapped == ()


def test_context_of_the_whole_report_is_told_once() -> None:
    started = ("113809", "DCM", "Start of X-Ray Irradiation")
    _, made = _map(
        content("DATETIME", started, rel=OBS, DateTime="20240229101500"), container(SECTION, num(LENGTH, "1"))
    )
    assert [one["code"]["text"] for one in made["1"]["component"]] == [started[2]]
    assert "component" not in made["1.2.1"]


def test_a_number_that_modifies_a_container_is_a_number_once() -> None:
    mapped, made = _map(container(SECTION, num(BEAT, "3", None, rel=ACQ), num(LENGTH, "1")))
    assert _texts(made["1.1"]) == ["Beat number: 3"]
    assert _texts(made["1.1.2"]) == ["Beat number: 3"]
    assert quantities(mapped.resources) == {Decimal(3): 1, Decimal(1): 1}


def test_properties_of_properties_are_told_too() -> None:
    mapped, made = _map(
        num(LENGTH, "1", MM, code(DERIVATION, MEAN, num(BEAT, "4", None, rel="HAS PROPERTIES"), rel=MOD))
    )
    assert _texts(made["1.1"]) == ["Derivation: Mean", "Beat number: 4"]
    assert mapped.unmapped == ()


def test_what_a_value_is_inferred_from_is_what_it_is_derived_from() -> None:
    _, made = _map(text(SECTION, "large", num(LENGTH, "9", rel="INFERRED FROM"), text(CHAPTER, "old")))
    assert made["1.1"]["derivedFrom"][-1]["reference"] == f"Observation/{made['1.1.1']['id']}"
    assert _members(made["1.1"]) == [made["1.1.2"]["id"]]


def test_another_subject_than_the_patient_is_told_with_every_value() -> None:
    mapped, made = _map(
        container(
            SECTION,
            code(SUBJECT_CLASS, FETUS, rel=OBS),
            num(FETUS_NUMBER, "2", None, rel=OBS),
            container(CHAPTER, num(LENGTH, "30")),
        )
    )
    assert _texts(made["1.1.3.1"]) == ["Subject Class: Fetus", "Fetus Number: 2"]
    assert quantities(mapped.resources) == {Decimal(2): 1, Decimal(30): 1}
    assert mapped.unmapped == ()


def test_another_subject_of_the_whole_report_is_told_with_every_value() -> None:
    _, made = _map(code(SUBJECT_CLASS, FETUS, rel=OBS), container(SECTION, num(LENGTH, "30")))
    assert _texts(made["1.2.1"]) == ["Subject Class: Fetus"]


def test_what_tells_of_the_patient_is_no_finding() -> None:
    mapped, made = _map(
        code(SUBJECT_CLASS, PATIENT, rel=OBS),
        num(AGE, "50", ("a", "UCUM", "years"), rel=OBS),
        container(("121118", "DCM", "Patient Characteristics"), num(("29463-7", "LN", "Weight"), "70")),
        container(SECTION, num(LENGTH, "1")),
    )
    assert made.keys() == {"1.4", "1.4.1"}
    assert [(item.position, item.reason) for item in mapped.unmapped] == [
        (position, "it tells of the patient, not of a finding") for position in ("1.1", "1.2", "1.3.1")
    ]


def test_what_tells_of_the_report_is_no_finding() -> None:
    mapped, made = _map(
        code(("121049", "DCM", "Language"), ("it", "RFC5646", "Italian"), rel=MOD),
        code(
            ("121058", "DCM", "Procedure reported"),
            ("24627-2", "LN", "CT Chest"),
            code(("363703001", "SCT", "Has Intent"), MEAN, rel=MOD),
            rel=MOD,
        ),
        text(("121013", "DCM", "Device Observer Name"), "CT1", rel=OBS),
        text(("113907", "DCM", "Reason for Proceeding"), "urgent"),
    )
    assert made == {}
    assert [item.position for item in mapped.unmapped] == ["1.1", "1.2", "1.2.1", "1.3", "1.4"]


def test_the_image_library_is_no_finding() -> None:
    library = container(("111028", "DCM", "Image Library"), image(), num(LENGTH, "128", rel=ACQ))
    mapped, made = _map(library)
    assert made == {}
    assert [(item.position, item.reason) for item in mapped.unmapped] == [
        (position, "it describes the images, as ImagingStudy does") for position in ("1.1.1", "1.1.2")
    ]


def test_the_person_observer_performed() -> None:
    observer = ("121008", "DCM", "Person Observer Name")
    mapped, made = _map(
        content("PNAME", observer, rel=OBS, PersonName="Doe^Jane"),
        container(SECTION, content("PNAME", observer, rel=OBS, PersonName="Poe^Bob"), num(LENGTH, "1")),
        num(LENGTH, "2"),
    )
    assert [one["display"] for one in made["1.3"]["performer"]] == ["Jane Doe"]
    assert [one["display"] for one in made["1.2.2"]["performer"]] == ["Bob Poe"]
    assert mapped.resources[0]["author"][1:] == made["1.3"]["performer"]
    assert mapped.unmapped == ()


def test_a_site_above_holds_below() -> None:
    _, made = _map(container(SECTION, code(SITE, LUNG, rel=MOD), container(CHAPTER, num(LENGTH, "1"))))
    assert made["1.1.2.1"]["bodySite"]["text"] == "Lung"


def test_items_without_a_name_or_a_relationship_are_told() -> None:
    mapped, made = _map(
        content("TEXT", None, rel="", TextValue="A mass"), container(None, text(SECTION, "x"))
    )
    assert made["1.1"]["code"] == {"text": "unnamed"}
    assert made["1.2"]["code"] == {"text": "unnamed"}
    assert [problem.position for problem in mapped.problems] == ["1.1"]


def test_an_empty_item_with_properties_keeps_them() -> None:
    mapped, made = _map(content("CODE", SECTION, code(DERIVATION, MEAN, rel=MOD)), content("CODE", SECTION))
    assert made.keys() == {"1", "1.1"}
    assert made["1.1"]["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert _texts(made["1.1"]) == ["Derivation: Mean"]
    assert mapped.unmapped == ()


def test_a_region_beside_no_value_is_told_as_unmapped() -> None:
    region = content("SCOORD", SECTION, image(rel="SELECTED FROM"), GraphicType="POINT", GraphicData=[1, 2])
    mapped, made = _map(image(), region)
    assert made == {}
    assert [item.position for item in mapped.unmapped] == ["1.1", "1.2", "1.2.1"]
    assert {item.reason for item in mapped.unmapped} == {
        "no Observation stands beside it that could refer to it"
    }


def test_the_mother_is_not_taken_for_the_fetus_whose_section_she_stands_in() -> None:
    _, made = _map(
        container(
            SECTION,
            code(SUBJECT_CLASS, FETUS, rel=OBS),
            num(FETUS_NUMBER, "2", None, rel=OBS),
            num(LENGTH, "30"),
            container(CHAPTER, code(SUBJECT_CLASS, PATIENT, rel=OBS), num(LENGTH, "40")),
        )
    )
    assert _texts(made["1.1.3"]) == ["Subject Class: Fetus", "Fetus Number: 2"]
    assert "component" not in made["1.1.4.2"]
    assert "component" not in made["1.1.4"]
