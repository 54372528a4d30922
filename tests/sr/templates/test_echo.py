"""Echocardiograms (PS3.16 TID 5200 and 5300): where, how, when in the cycle, and which value was chosen."""

from typing import Any

import pytest

from sr.mapping import Mapped
from testdata.echo_report import echo_report, simplified_echo_report
from tests.sr.templates.told import mapped_of, measured, of_type, said


@pytest.fixture(scope="module")
def mapped() -> Mapped:
    return mapped_of(echo_report())


@pytest.fixture(scope="module")
def found(mapped: Mapped) -> dict[str, dict[str, Any]]:
    return measured(mapped)


@pytest.mark.parametrize(("name", "point"), [("Volume 120", "End diastole"), ("Volume 48", "End Systole")])
def test_two_volumes_of_one_concept_are_told_apart(
    found: dict[str, dict[str, Any]], name: str, point: str
) -> None:
    volume = found[name]
    assert volume["bodySite"]["text"] == "Left Ventricle"
    assert volume["method"]["text"] == "Method of Disks, Biplane"
    assert said(volume) == {
        "Image Mode": "2D mode",
        "Cardiac Cycle Point": point,
        "Image View": "Apical four chamber",
    }


def test_each_section_is_of_its_own_site(found: dict[str, dict[str, Any]]) -> None:
    velocity = found["Peak Blood Velocity 0.85"]
    assert velocity["bodySite"]["text"] == "Mitral Valve"
    assert said(velocity)["Image Mode"] == "Doppler Pulsed"
    assert said(velocity)["Flow Direction"] == "Antegrade Flow"


def test_the_value_that_was_chosen_is_told_from_its_samples(found: dict[str, dict[str, Any]]) -> None:
    velocities = {name[-4:]: said(one) for name, one in found.items() if name.startswith("Peak")}
    assert velocities.keys() == {"0.80", "0.90", "0.85"}
    assert {name: one.get("Selection Status") for name, one in velocities.items()} == {
        "0.80": None,
        "0.90": None,
        "0.85": "Mean value chosen",
    }
    assert velocities["0.85"]["Derivation"] == "Mean"
    assert "Derivation" not in velocities["0.80"]


def test_repeated_measurements_are_observations_of_their_own(mapped: Mapped) -> None:
    velocities = [one for name, one in measured(mapped).items() if name.startswith("Peak")]
    assert len({one["id"] for one in velocities}) == 3
    groups = [one for one in of_type(mapped, "Observation") if one["code"]["text"] == "Measurement Group"]
    assert [len(one["hasMember"]) for one in groups] == [2, 3]


def test_a_wall_segment_moves_at_a_stage(mapped: Mapped) -> None:
    segments = [one for one in of_type(mapped, "Observation") if one["code"]["text"] == "Wall Segment"]
    assert [one["valueCodeableConcept"]["text"] for one in segments] == [
        "left ventricle basal anterior segment"
    ] * 2
    assert [said(one) for one in segments] == [
        {"Stage": "Rest", "Cardiac Wall Motion": "Normal wall motion", "Score": "1 no units"},
        {"Stage": "Peak stress", "Cardiac Wall Motion": "Akinesis", "Score": "3 no units"},
    ]


def test_what_modifiers_name_is_told_with_them() -> None:
    found = measured(mapped_of(simplified_echo_report()))
    velocity = found["Peak Blood Velocity 2.9"]
    assert velocity["bodySite"]["text"] == "Tricuspid Valve"
    assert said(velocity) == {
        "Short Label": "TR Vmax",
        "Measurement Type": "Directly measured",
        "Flow Direction": "Regurgitant Flow",
        "Image Mode": "Doppler Continuous Wave",
    }
    chosen = found["Left Ventricle Internal End Diastolic Dimension 4.85"]
    assert said(chosen) == {"Selection Status": "User chosen value"}


@pytest.mark.parametrize("recipe", [echo_report, simplified_echo_report])
def test_nothing_is_lost_but_what_the_report_says_of_itself(recipe: Any) -> None:
    left = {one.concept.meaning for one in mapped_of(recipe()).unmapped if one.concept}
    assert left <= {"Procedure reported"}
