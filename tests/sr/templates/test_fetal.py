"""Obstetrics (PS3.16 TID 5000): which twin, which measurement, by which table; and what is of the mother."""

from typing import Any

import pytest

from sr.mapping import Mapped
from testdata.fetal_report import fetal_report
from tests.sr.templates.told import mapped_of, measured, of_type, said


@pytest.fixture(scope="module")
def mapped() -> Mapped:
    return mapped_of(fetal_report())


@pytest.fixture(scope="module")
def found(mapped: Mapped) -> dict[str, dict[str, Any]]:
    return measured(mapped)


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("Biparietal Diameter 47.1", "A"),
        ("Gestational Age 142", "A"),
        ("Gestational Age 140", "A"),
        ("Growth Percentile Rank 45", "A"),
        ("Biparietal Diameter 44", "B"),
        ("Gestational Age 135", "B"),
    ],
)
def test_every_value_names_its_twin(found: dict[str, dict[str, Any]], name: str, identifier: str) -> None:
    beside = said(found[name])
    assert beside["Subject Class"] == "Fetus"
    assert beside["Fetus ID"] == identifier
    assert beside["Fetus number"].startswith("1" if identifier == "A" else "2")


def test_what_is_of_the_mother_names_no_fetus(found: dict[str, dict[str, Any]], mapped: Mapped) -> None:
    ovary = found["Left Ovary Length 32"]
    assert "Fetus ID" not in said(ovary)
    assert ovary["bodySite"]["text"] == "Ovary"
    assert "Gravida 2" not in found
    left = {one.concept.meaning: one.reason for one in mapped.unmapped if one.concept}
    assert left == {"Gravida": "it tells of the patient, not of a finding"}


def test_a_group_holds_one_twin_alone(mapped: Mapped) -> None:
    by_reference = {f"Observation/{one['id']}": one for one in of_type(mapped, "Observation")}
    groups = [one for one in by_reference.values() if one["code"]["text"] == "Fetal Biometry"]
    assert [said(one)["Fetus ID"] for one in groups] == ["A", "B"]
    for group in groups:
        waiting = [by_reference[one["reference"]] for one in group["hasMember"]]
        while waiting:
            one = waiting.pop()
            assert said(one)["Fetus ID"] == said(group)["Fetus ID"]
            waiting += [by_reference[below["reference"]] for below in one.get("hasMember", [])]


@pytest.mark.parametrize(
    ("name", "measurement", "table"),
    [
        ("Gestational Age 142", "Biparietal Diameter", "BPD, Hadlock 1984"),
        ("Gestational Age 140", "Femur Length", "FL, Hadlock 1984"),
        ("Growth Percentile Rank 45", "Biparietal Diameter", "BPD by GA, Hadlock 1984"),
    ],
)
def test_what_was_computed_names_its_measurement_and_table(
    found: dict[str, dict[str, Any]], name: str, measurement: str, table: str
) -> None:
    assert said(found[name])["Biometry Group"] == measurement
    assert found[name]["method"]["text"] == table


def test_a_table_is_no_observation(mapped: Mapped) -> None:
    names = {one["code"]["text"] for one in of_type(mapped, "Observation")}
    assert not names & {"Equation", "Table of Values"}


def test_the_chosen_measurement_is_told_from_the_others(found: dict[str, dict[str, Any]]) -> None:
    chosen = said(found["Biparietal Diameter 47.1"])
    assert (chosen["Derivation"], chosen["Selection Status"]) == ("Mean", "Mean value chosen")
    assert "Selection Status" not in said(found["Biparietal Diameter 46.9"])
    assert "Selection Status" not in said(found["Biparietal Diameter 47.3"])
