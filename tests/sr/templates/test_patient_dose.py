"""Doses to organs (PS3.16 TID 10030): of which organ and side, and by which estimate."""

from typing import Any

import pytest

from sr.mapping import Mapped
from testdata.dose_report import dose_report
from testdata.patient_dose_report import patient_dose_report
from tests.sr.templates.told import mapped_of, of_type, said


@pytest.fixture(scope="module")
def mapped() -> Mapped:
    return mapped_of(patient_dose_report())


def named(mapped: Mapped, text: str) -> list[dict[str, Any]]:
    return [one for one in of_type(mapped, "Observation") if one["code"].get("text") == text]


def dose(mapped: Mapped, digits: str) -> dict[str, Any]:
    found = named(mapped, "Mean Absorbed Radiation Dose")
    (one,) = (one for one in found if str(one["valueQuantity"]["value"]) == digits)
    return one


def test_all_is_told(mapped: Mapped) -> None:
    assert mapped.unmapped == ()


@pytest.mark.parametrize(
    ("digits", "site"),
    [("9.4", "Lung"), ("11.2", "Lung"), ("8.1", "Breast, Right"), ("8.3", "Breast, Left")],
)
def test_a_dose_is_of_its_organ_and_side(mapped: Mapped, digits: str, site: str) -> None:
    found = dose(mapped, digits)
    assert found["bodySite"]["text"] == site
    assert found["valueQuantity"]["code"] == "mGy"


def test_two_estimates_of_one_organ_are_told_apart_by_their_method(mapped: Mapped) -> None:
    one, other = dose(mapped, "9.4"), dose(mapped, "11.2")
    assert one["method"]["text"] == "Monte Carlo Method"
    assert other["method"]["text"] == "Tabular Data Algorithm"
    assert said(one)["Radiation Dose Estimate Name"] == "Monte Carlo, paziente"
    assert said(other)["Radiation Dose Estimate Name"] == "Tabelle, adulto di riferimento"


def test_model_and_parameters_stand_beside_each_dose(mapped: Mapped) -> None:
    beside = said(dose(mapped, "8.3"))
    assert beside["Patient Model Type"] == "Anthropomorphic Model"
    assert beside["Radiation Transport Model Type"] == "Voxelized Radiation Transport Model"
    assert beside["Model Minimum Age"] == "18 year"
    assert beside["SSDE Conversion Factor"] == "1.31 ratio"
    assert beside["Radiation Dose Estimate Method Reference"] == "Relazione di prova 1"
    assert beside["+/-, range of measurement uncertainty"] == "1.7 mGy"


def test_what_stood_in_the_beam_is_told_thing_by_thing(mapped: Mapped) -> None:
    things = [said(one) for one in named(mapped, "X-Ray Beam Attenuator")]
    assert [(one["Attenuator Description"], one["Equivalent Attenuator Thickness"]) for one in things] == [
        ("Carbonio", "2 mm"),
        ("Schiuma", "40 mm"),
    ] * 2
    assert "Equivalent Attenuator Thickness" not in said(dose(mapped, "9.4"))


def test_an_estimate_is_derived_from_the_dose_report_that_it_used(mapped: Mapped) -> None:
    used = dose_report()
    for estimate in named(mapped, "Radiation Dose Estimate"):
        identifiers = [one["identifier"]["value"] for one in estimate["derivedFrom"]]
        assert identifiers[:2] == [f"urn:oid:{used.SOPInstanceUID}", f"urn:oid:{used.StudyInstanceUID}"]


def test_an_estimate_is_no_summary_and_has_no_total(mapped: Mapped) -> None:
    codings = [
        coding["code"]
        for one in mapped.resources
        if one["resourceType"] == "Observation"
        for coding in one["code"].get("coding", [])
    ]
    assert "73569-6" not in codings
    doses = {str(one["valueQuantity"]["value"]) for one in mapped.resources if "valueQuantity" in one}
    assert doses == {"9.4", "8.1", "8.3", "11.2"}


def test_what_nobody_verified_is_no_final_dose(mapped: Mapped) -> None:
    assert dose(mapped, "9.4")["status"] == "preliminary"
