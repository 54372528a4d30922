"""Obstetrics and gynaecology, section by section (PS3.16 TID 5002 to 5016): code, side, subject, dates."""

from typing import Any

import pytest

from sr.mapping import Mapped
from sr.templates import fetal
from testdata.pelvis_report import pelvis_report
from testdata.pregnancy_report import pregnancy_report
from tests.sr.builders import LENGTH, code, container, num, report, text
from tests.sr.templates.told import mapped_of, measured, of_type, said

LOINC = "http://loinc.org"


@pytest.fixture(scope="module")
def pregnancy() -> Mapped:
    return mapped_of(pregnancy_report())


@pytest.fixture(scope="module")
def pelvis() -> dict[str, dict[str, Any]]:
    return measured(mapped_of(pelvis_report()))


def code_of(observation: dict[str, Any]) -> str:
    return str(observation["code"]["coding"][0]["code"])


def category_of(observation: dict[str, Any]) -> str:
    """The section that it stands in."""
    return str(observation["category"][-1]["text"])


@pytest.mark.parametrize("recipe", [pregnancy_report, pelvis_report])
def test_nothing_is_lost(recipe: Any) -> None:
    assert mapped_of(recipe()).unmapped == ()


@pytest.mark.parametrize(
    ("concept", "day"), [("8665-2", "2026-05-01"), ("11779-6", "2027-02-05"), ("11781-2", "2027-02-03")]
)
def test_dates_are_dates_of_the_mother(pregnancy: Mapped, concept: str, day: str) -> None:
    (found,) = (one for one in of_type(pregnancy, "Observation") if code_of(one) == concept)
    assert found["code"]["coding"][0]["system"] == LOINC
    assert found["valueDateTime"] == day
    assert found["effectiveDateTime"].startswith("2026-11-06")
    assert category_of(found) == "Summary"
    assert said(found) == {}


@pytest.mark.parametrize(
    ("name", "concept", "unit", "section"),
    [
        ("Estimated Weight 1012", "11727-5", "g", "Fetus Summary"),
        ("Fetal Heart Rate 142", "11948-7", "{H.B.}/min", "Fetus Summary"),
        ("FL/AC 22", "11871-1", "%", "Fetal Biometry Ratios"),
        ("Cephalic Index 82.5", "11823-2", "%", "Fetal Biometry Ratios"),
        ("Abdominal Circumference 24.1", "11979-2", "cm", "Biometry Group"),
        ("Gestational Age 190", "18185-9", "d", "Biometry Group"),
        ("Humerus length 47", "11966-9", "mm", "Biometry Group"),
        ("Transverse Cerebellar Diameter 30.4", "11863-8", "mm", "Biometry Group"),
        ("Fetal Breathing 0", "11632-7", "{0:2}", "Biophysical Profile"),
        ("Biophysical Profile Sum Score 8", "11634-3", "{0:10}", "Biophysical Profile"),
    ],
)
def test_values_of_an_only_fetus_are_not_the_mothers(
    pregnancy: Mapped, name: str, concept: str, unit: str, section: str
) -> None:
    found = measured(pregnancy)[name]
    assert code_of(found) == concept
    assert found["valueQuantity"]["code"] == unit
    assert category_of(found) == section
    assert said(found)["Subject Class"] == "Fetus"
    assert found["subject"]["reference"].startswith("Patient/")


def test_a_comment_on_the_fetus_is_of_the_fetus(pregnancy: Mapped) -> None:
    (comment,) = (one for one in of_type(pregnancy, "Observation") if one["code"]["text"] == "Comment")
    assert comment["valueString"] == "Cisti dei plessi corioidei."
    assert said(comment)["Subject Class"] == "Fetus"


@pytest.mark.parametrize(
    ("name", "low", "high", "words"),
    [
        ("FL/AC 22", 20, 24, "Rossi, 1983"),
        ("Cephalic Index 82.5", 70, 86, "Rossi, 1981"),
        ("Fetal Heart Rate 142", 110, 160, None),
    ],
)
def test_normal_ranges_stand_beside_their_values(
    pregnancy: Mapped, name: str, low: int, high: int, words: str | None
) -> None:
    found = measured(pregnancy)[name]
    (normal,) = found["referenceRange"]
    assert (normal["low"]["value"], normal["high"]["value"], normal.get("text")) == (low, high, words)
    assert normal["low"]["code"] == found["valueQuantity"]["code"]


def test_what_is_normal_is_said_so(pregnancy: Mapped) -> None:
    found = measured(pregnancy)["Fetal Heart Rate 142"]
    assert found["interpretation"][0]["coding"][0]["code"] == "N"


def test_the_age_keeps_its_table_and_its_population(pregnancy: Mapped) -> None:
    found = measured(pregnancy)["Gestational Age 190"]
    assert found["method"]["text"] == "AC, Hadlock 1984"
    assert "referenceRange" not in found
    assert said(found)["5th Percentile Value of population"] == "176 days"
    assert said(found)["95th Percentile Value of population"] == "204 days"
    assert said(found)["Biometry Group"] == "Abdominal Circumference"


def test_the_weight_keeps_its_uncertainty_and_equation(pregnancy: Mapped) -> None:
    found = measured(pregnancy)["Estimated Weight 1012"]
    assert found["method"]["coding"][0]["code"] == "11738-2"
    assert said(found)["+/-, range of measurement uncertainty"] == "98 g"


def test_pockets_of_fluid_are_told_quadrant_by_quadrant(pregnancy: Mapped) -> None:
    found = [
        one
        for one in measured(pregnancy).values()
        if one.get("bodySite", {}).get("coding", [{}])[0].get("code") == "70847004"
    ]
    assert [(code_of(one), str(one["valueQuantity"]["value"])) for one in found] == [
        ("11627-7", "13.6"),
        ("11624-4", "3.1"),
        ("11626-9", "3.6"),
        ("11625-1", "2.9"),
        ("11623-6", "4.0"),
    ]


def test_the_profile_holds_its_scores(pregnancy: Mapped) -> None:
    (profile,) = (
        one for one in of_type(pregnancy, "Observation") if one["code"]["text"] == "Biophysical Profile"
    )
    assert len(profile["hasMember"]) == 6


@pytest.mark.parametrize(
    ("name", "concept", "site"),
    [
        ("Uterus Volume 136", "33192-6", None),
        ("Uterus Length 9.5", "11842-2", None),
        ("Endometrium Thickness 4", "12145-9", None),
        ("Cervix Length 5.3", "11961-0", None),
        ("Left Ovary Volume 6.1", "12164-0", "Ovary"),
        ("Right Ovary Volume 7.4", "12165-7", "Ovary"),
        ("Number of follicles in right ovary 2", "11880-2", "Ovarian Follicle, Right"),
        ("Follicle Diameter 15", "11793-7", "Ovarian Follicle, Right"),
        ("Follicle Diameter 18", "11793-7", "Ovarian Follicle, Right"),
        ("Follicle Diameter 12", "11793-7", "Ovarian Follicle, Left"),
    ],
)
def test_what_is_of_the_mother_has_its_place_and_side(
    pelvis: dict[str, dict[str, Any]], name: str, concept: str, site: str | None
) -> None:
    found = pelvis[name]
    assert code_of(found) == concept
    assert found.get("bodySite", {}).get("text") == site
    assert "Subject Class" not in said(found)


def test_each_follicle_keeps_its_number(pelvis: dict[str, dict[str, Any]]) -> None:
    numbers = {name: said(one)["Identifier"] for name, one in pelvis.items() if "Diameter" in name}
    assert numbers == {
        "Follicle Diameter 15": "#1",
        "Follicle Diameter 18": "#2",
        "Follicle Diameter 12": "#1",
    }


def test_a_number_of_a_follicle_is_no_finding_whatever_its_relationship() -> None:
    group = container(
        ("125007", "DCM", "Measurement Group"), text(("125010", "DCM", "Identifier"), "#3"), num(LENGTH, "9")
    )
    found = measured(mapped_of(report(group)))["Length 9"]
    assert said(found) == {"Identifier": "#3"}


def test_the_crown_is_of_the_fetus(pelvis: dict[str, dict[str, Any]]) -> None:
    assert said(pelvis["Crown Rump Length 22"])["Subject Class"] == "Fetus"
    assert pelvis["Gestational Age 62"]["method"]["text"] == "CRL, Hadlock 1992"


@pytest.mark.parametrize("section", fetal.SECTIONS, ids=lambda key: key[1])
def test_a_section_that_names_its_fetus_names_it_once(section: tuple[str, str]) -> None:
    scheme, value = section
    named = code(("121024", "DCM", "Subject Class"), ("121026", "DCM", "Fetus"), rel="HAS OBS CONTEXT")
    inner = container((value, scheme, "Section"), num(LENGTH, "9"))
    for dataset in (
        report(container((value, scheme, "Section"), named, num(LENGTH, "9"))),
        report(container(("121111", "DCM", "Summary"), named, inner)),
        report(inner),
    ):
        found = measured(mapped_of(dataset))["Length 9"]
        assert [one["code"]["text"] for one in found["component"]] == ["Subject Class"]
