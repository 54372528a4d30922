"""Reference ranges and interpretations (PS3.16 TID 310 to 312), each told once."""

from decimal import Decimal
from typing import Any

import pytest
from pydicom.dataset import Dataset

from sr.mapping import map_report
from sr.normality import INTERPRETATIONS
from tests.sr.builders import (
    DERIVATION,
    IDENTITY,
    LENGTH,
    MEAN,
    MM,
    SECTION,
    Triple,
    code,
    container,
    num,
    report,
    reread,
    text,
)
from tests.sr.fhir_rules import faults, observations, quantities

LOWER: Triple = ("385524004", "SCT", "Normal Range Lower Limit")
UPPER: Triple = ("371933006", "SCT", "Normal Range Upper Limit")
NORMALITY: Triple = ("121402", "DCM", "Normality")
HIGH: Triple = ("371879000", "SCT", "Abnormally High")
POPULATION: Triple = ("121405", "DCM", "Population description")
DESCRIPTION: Triple = ("121407", "DCM", "Normal Range description")
AUTHORITY: Triple = ("121408", "DCM", "Normal Range Authority")
PERCENTILE: Triple = ("371888009", "SCT", "5th Percentile Value of population")
PROPERTY = "HAS PROPERTIES"


def limit(concept: Triple, value: str | None, *children: Dataset) -> Dataset:
    return num(concept, value, MM, *children, rel=PROPERTY)


def said(concept: Triple, words: str) -> Dataset:
    return text(concept, words, rel=PROPERTY)


def told(*properties: Dataset) -> dict[str, Any]:
    """The Observation of a length of 8.0 mm with these properties; nothing of it is left out."""
    mapped = map_report(reread(report(num(LENGTH, "8.0", MM, *properties))), IDENTITY)
    assert faults(*mapped.resources) == []
    assert mapped.unmapped == ()
    return observations(mapped.resources)["1.1"]


def concepts(observation: dict[str, Any]) -> list[str]:
    return [one["code"]["text"] for one in observation.get("component", [])]


def test_limits_are_a_reference_range_and_no_components() -> None:
    observation = told(
        limit(LOWER, "2.50"), limit(UPPER, "6"), said(DESCRIPTION, "adults"), said(AUTHORITY, "Rossi 1999")
    )
    (normal,) = observation["referenceRange"]
    assert normal["low"]["value"].as_tuple() == Decimal("2.50").as_tuple()
    assert (normal["high"]["value"], normal["high"]["code"]) == (6, "mm")
    assert normal["type"]["coding"][0]["code"] == "normal"
    assert normal["text"] == "adults; Rossi 1999"
    assert "component" not in observation
    assert quantities([observation]) == {Decimal("8.0"): 1, Decimal("2.50"): 1, Decimal(6): 1}


@pytest.mark.parametrize(("concept", "name"), [(LOWER, "low"), (UPPER, "high")])
def test_one_limit_is_a_range(concept: Triple, name: str) -> None:
    (normal,) = told(limit(concept, "3"))["referenceRange"]
    assert normal.keys() == {name, "type"}


def test_a_description_alone_is_a_range() -> None:
    (normal,) = told(said(DESCRIPTION, "less than half of the width"))["referenceRange"]
    assert normal["text"] == "less than half of the width"


def test_an_authority_alone_is_none() -> None:
    observation = told(said(AUTHORITY, "Rossi 1999"))
    assert "referenceRange" not in observation
    assert concepts(observation) == ["Normal Range Authority"]


def test_a_coded_authority_stays_a_component() -> None:
    authority = code(AUTHORITY, ("R99", "99PROVA", "Rossi 1999"), rel=PROPERTY)
    observation = told(limit(LOWER, "3"), authority)
    assert "text" not in observation["referenceRange"][0]
    assert concepts(observation) == ["Normal Range Authority"]


def test_a_limit_that_comes_again_begins_another_range() -> None:
    women, men = said(DESCRIPTION, "women"), said(DESCRIPTION, "men")
    observation = told(limit(LOWER, "1"), limit(UPPER, "2"), women, limit(LOWER, "3"), limit(UPPER, "4"), men)
    assert [
        (one["low"]["value"], one["high"]["value"], one["text"]) for one in observation["referenceRange"]
    ] == [(1, 2, "women"), (3, 4, "men")]


def test_the_population_of_a_range_is_whom_it_applies_to() -> None:
    observation = told(limit(UPPER, "3"), said(POPULATION, "women, 20 to 40 years"))
    assert observation["referenceRange"][0]["appliesTo"] == [{"text": "women, 20 to 40 years"}]


def test_the_population_of_statistics_stays_with_them() -> None:
    observation = told(limit(UPPER, "3"), limit(PERCENTILE, "1"), said(POPULATION, "women"))
    assert "appliesTo" not in observation["referenceRange"][0]
    assert concepts(observation) == ["5th Percentile Value of population", "Population description"]


@pytest.mark.parametrize(
    "odd", [limit(LOWER, None), limit(LOWER, "3", code(DERIVATION, MEAN, rel="HAS CONCEPT MOD"))]
)
def test_a_limit_that_is_no_plain_number_stays_a_component(odd: Dataset) -> None:
    observation = told(odd, limit(UPPER, "4"))
    (normal,) = observation["referenceRange"]
    assert "low" not in normal
    assert "Normal Range Lower Limit" in concepts(observation)


@pytest.mark.parametrize(("key", "expected"), INTERPRETATIONS.items())
def test_normality_is_an_interpretation(key: tuple[str, str], expected: tuple[str, str]) -> None:
    observation = told(code(NORMALITY, (key[1], key[0], "as it was coded"), rel=PROPERTY))
    (interpretation,) = observation["interpretation"]
    hl7, original = interpretation["coding"]
    assert (hl7["code"], original["code"]) == (expected[0], key[1])
    assert interpretation["text"] == "as it was coded"
    assert "component" not in observation


def test_what_is_measured_beside_a_value_has_its_own_range() -> None:
    beside = num(("118565006", "SCT", "Volume"), "5", MM, limit(UPPER, "4"), rel=PROPERTY)
    beside.ContentSequence.append(code(NORMALITY, HIGH, rel=PROPERTY))
    observation = told(beside)
    (component,) = observation["component"]
    assert component["referenceRange"][0]["high"]["value"] == 4
    assert component["interpretation"][0]["text"] == "Abnormally High"
    assert observation.keys().isdisjoint({"referenceRange", "interpretation"})


def test_several_values_have_no_range() -> None:
    mapped = map_report(reread(report(num(LENGTH, ["8", "9"], MM, limit(UPPER, "4")))), IDENTITY)
    observation = observations(mapped.resources)["1.1"]
    assert "referenceRange" not in str(observation)
    assert concepts(observation) == ["Length", "Length", "Normal Range Upper Limit"]


def test_a_finding_may_be_judged_too() -> None:
    finding = code(LENGTH, MEAN, code(NORMALITY, HIGH, rel=PROPERTY))
    observation = observations(map_report(reread(report(finding)), IDENTITY).resources)["1.1"]
    assert observation["interpretation"][0]["coding"][0]["code"] == "H"


def test_a_range_of_what_modifies_a_group_is_told_once() -> None:
    """What modifies a group stands again beside its members, in words."""
    modifier = code(DERIVATION, MEAN, limit(UPPER, "4"), rel="HAS CONCEPT MOD")
    mapped = map_report(reread(report(container(SECTION, modifier, num(LENGTH, "1")))), IDENTITY)
    assert quantities(mapped.resources) == {Decimal(4): 1, Decimal(1): 1}
