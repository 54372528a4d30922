"""The twelve ways in which a report becomes clinically misleading; each is a test, and each can fail."""

from decimal import Decimal
from typing import Any

import pytest

from sr.fhir_json import dumps
from sr.mapping import Mapped
from testdata.cad_report import cad_report
from testdata.dose_report import dose_report
from testdata.echo_report import echo_report
from testdata.fetal_report import fetal_report
from testdata.vascular_report import vascular_report
from testdata.written_report import heart_report, text_report
from tests.sr.builders import (
    DOSE,
    LENGTH,
    SECTION,
    Triple,
    code,
    container,
    num,
    report,
    text,
)
from tests.sr.templates.told import mapped_of, measured, of_type, said

OBSERVED, MODIFIER = "HAS OBS CONTEXT", "HAS CONCEPT MOD"
SUBJECT_CLASS: Triple = ("121024", "DCM", "Subject Class")
FETUS: Triple = ("121026", "DCM", "Fetus")
PATIENT: Triple = ("121025", "DCM", "Patient")
UNKNOWN: Triple = ("114010", "DCM", "Value unknown")
ACCUMULATED: Triple = ("113702", "DCM", "Accumulated X-Ray Dose Data")
TITLE_OF_DOSE: Triple = ("113701", "DCM", "X-Ray Radiation Dose Report")
TOTAL: Triple = ("113725", "DCM", "Dose (RP) Total")
GRAY: Triple = ("Gy", "UCUM", "Gy")


def observation(mapped: Mapped, text: str) -> dict[str, Any]:
    (found,) = (one for one in of_type(mapped, "Observation") if one["code"].get("text") == text)
    return found


def test_1_a_value_loses_its_modifiers() -> None:
    velocity = measured(mapped_of(echo_report()))["Peak Blood Velocity 0.85"]
    assert velocity["bodySite"]["text"] == "Mitral Valve"
    assert said(velocity) == {
        "Image Mode": "Doppler Pulsed",
        "Flow Direction": "Antegrade Flow",
        "Derivation": "Mean",
        "Selection Status": "Mean value chosen",
    }


def test_2_left_becomes_right_or_one_twin_the_other() -> None:
    arteries = measured(mapped_of(vascular_report()))
    sites = {name: one["bodySite"]["text"].split(", ")[1] for name, one in arteries.items()}
    assert sites == {"Peak Systolic Velocity 74.5": "Right", "Peak Systolic Velocity 231": "Left"}
    twins = measured(mapped_of(fetal_report()))
    assert said(twins["Biparietal Diameter 47.1"])["Fetus ID"] == "A"
    assert said(twins["Biparietal Diameter 44"])["Fetus ID"] == "B"


def test_3_one_of_several_values_is_picked_silently() -> None:
    mapped = mapped_of(
        report(container(SECTION, num(LENGTH, "1"), num(LENGTH, "2"), num(LENGTH, ["3", "4"])))
    )
    told = [
        element["valueQuantity"]["value"]
        for one in of_type(mapped, "Observation")
        for element in (one, *one.get("component", []))
        if "valueQuantity" in element
    ]
    assert sorted(told) == [Decimal(1), Decimal(2), Decimal(3), Decimal(4)]


def test_4_doses_are_counted_twice() -> None:
    planes = [
        container(
            ACCUMULATED,
            code(("113764", "DCM", "Acquisition Plane"), (number, "DCM", plane), rel=MODIFIER),
            num(TOTAL, total, GRAY),
        )
        for number, plane, total in (("113620", "Plane A", "0.5"), ("113621", "Plane B", "0.25"))
    ]
    mapped = mapped_of(report(*planes, title=TITLE_OF_DOSE, SOPClassUID=DOSE))
    totals = [said(one) for one in of_type(mapped, "Observation")]
    assert [(one["Acquisition Plane"], one["Dose (RP) Total"]) for one in totals] == [
        ("Plane A", "0.5 Gy"),
        ("Plane B", "0.25 Gy"),
    ]
    scanner = mapped_of(dose_report())
    products = [said(one).get("CT Dose Length Product Total") for one in of_type(scanner, "Observation")]
    assert [one for one in products if one] == ["271.0 mGy.cm"]
    assert "263.8" not in str(of_type(scanner, "Observation"))


@pytest.mark.parametrize(
    "item",
    [
        num(("121033", "DCM", "Subject Age"), "50", ("a", "UCUM", "year"), rel=OBSERVED),
        container(("121118", "DCM", "Patient Characteristics"), num(("29463-7", "LN", "Body weight"), "50")),
        text(("113907", "DCM", "Reason for Proceeding"), "50"),
    ],
    ids=["age", "weight", "reason for proceeding"],
)
def test_5_what_is_of_the_patient_becomes_a_finding(item: Any) -> None:
    mapped = mapped_of(report(item, container(SECTION, num(LENGTH, "1"))))
    assert measured(mapped).keys() == {"Length 1"}
    assert "50" not in [one.get("valueString") for one in of_type(mapped, "Observation")]
    assert len(mapped.unmapped) == 1


def test_6_a_value_that_is_not_there_becomes_nought() -> None:
    found = observation(mapped_of(report(num(LENGTH, None, qualifier=UNKNOWN))), "Length")
    assert found["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert "valueQuantity" not in found


def test_7_what_is_absent_or_past_becomes_present() -> None:
    assert (
        observation(mapped_of(heart_report()), "Mitral regurgitation")["valueCodeableConcept"]["text"]
        == "Absent"
    )
    for heading in (("121060", "DCM", "History"), ("121068", "DCM", "Previous Findings")):
        past = container(heading, code(("121071", "DCM", "Finding"), ("27925004", "SCT", "Nodule")))
        mapped = mapped_of(report(past, container(SECTION, num(LENGTH, "1"))))
        assert "Nodule" not in str(of_type(mapped, "Observation"))
    prose = mapped_of(text_report())
    assert "Tosse" not in str(of_type(prose, "Observation"))
    assert "Tosse" in of_type(prose, "DiagnosticReport")[0]["text"]["div"]


def test_8_the_mother_and_the_fetus_are_mixed_up() -> None:
    mother = container(SECTION, code(SUBJECT_CLASS, PATIENT, rel=OBSERVED), num(LENGTH, "160"))
    fetus = container(SECTION, code(SUBJECT_CLASS, FETUS, rel=OBSERVED), num(LENGTH, "30"), mother)
    found = measured(mapped_of(report(fetus)))
    assert said(found["Length 30"]) == {"Subject Class": "Fetus"}
    assert said(found["Length 160"]) == {}


def test_9_marks_that_nobody_is_to_see_are_shown() -> None:
    mapped = mapped_of(cad_report())
    assert "Calcification cluster" not in str(mapped.resources)
    assert "Mass" in str(of_type(mapped, "Observation"))


@pytest.mark.parametrize(
    ("digits", "told"),
    [
        ("12.50", "12.50"),
        ("1.07E-05", "0.0000107"),
        ("-119.0730", "-119.0730"),
        ("0.1000000000000000055", "0.1000000000000000055"),
    ],
)
def test_10_digits_are_rewritten(digits: str, told: str) -> None:
    (found,) = measured(mapped_of(report(num(LENGTH, digits.encode())))).values()
    assert found["valueQuantity"]["value"] == Decimal(digits)
    assert f'"value":{told},'.encode() in dumps(found)


def test_11_what_nobody_verified_passes_for_final() -> None:
    for recipe, expected in (
        (heart_report, "preliminary"),
        (text_report, "final"),
        (cad_report, "preliminary"),
    ):
        assert {one["status"] for one in of_type(mapped_of(recipe()), "Observation")} == {expected}
    flags = {one["code"] for one in of_type(mapped_of(heart_report()), "Observation")[0]["meta"]["tag"]}
    assert "UNVERIFIED" in flags


@pytest.mark.parametrize(
    ("scheme", "unit", "code_in_ucum"),
    [("UCM", "mm", "mm"), ("UCUM", "mGycm", "mGy.cm"), ("UCUM", "%tile", None), ("99PROVA", "mm", None)],
)
def test_12_a_unit_that_is_none_passes_for_one(scheme: str, unit: str, code_in_ucum: str | None) -> None:
    (found,) = measured(mapped_of(report(num(LENGTH, "1", (unit, scheme, unit))))).values()
    quantity = found["valueQuantity"]
    assert quantity.get("code") == code_in_ucum
    assert (quantity.get("system") == "http://unitsofmeasure.org") is (code_in_ucum is not None)
    assert quantity["unit"] == unit
