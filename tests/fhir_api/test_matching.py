"""What resources say under their search parameters."""

from typing import Any

import pytest

from fhir_api.conditions import Condition, LogicalReference, Reference, Text, Token, Value
from fhir_api.matching import matches, references, tokens
from fhir_api.search_table import SearchParameter, parameter_of

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "1",
    "status": "final",
    "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.2"}, {"value": "plain"}, {"system": "s"}],
    "code": {"coding": [{"system": "a", "code": "1"}, {"code": "2"}], "text": "unheeded"},
    "category": [{"text": "no coding"}, {"coding": [{"system": "c", "code": "imaging"}]}],
    "derivedFrom": [
        {"reference": "ImagingStudy/1.3", "type": "ImagingStudy", "identifier": {"value": "study"}},
        {
            "reference": "DocumentReference/1.4",
            "type": "DocumentReference",
            "identifier": {"value": "a"},
        },
        {"display": "neither"},
    ],
}
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "1",
    "name": [{"text": "Dr. Zoë Ó Brien", "family": "Ó Brien", "given": ["Zoë", "Ann"]}],
}


def parameter(resource_type: str, name: str) -> SearchParameter:
    found = parameter_of(resource_type, name)
    assert found is not None
    return found


def test_tokens_of_each_data_type() -> None:
    said = {
        name: list(tokens(OBSERVATION, parameter("Observation", name)))
        for name in ("_id", "status", "code", "category", "identifier")
    }
    assert said == {
        "_id": [Token("", "1")],
        "status": [Token("http://hl7.org/fhir/observation-status", "final")],
        "code": [Token("a", "1"), Token("", "2")],
        "category": [Token("c", "imaging")],
        "identifier": [Token("urn:dicom:uid", "1.2"), Token("", "plain"), Token("", "a")],
    }


def test_references_literal_and_by_identifier() -> None:
    assert list(references(OBSERVATION, parameter("Observation", "derived-from"))) == [
        Reference("ImagingStudy/1.3"),
        LogicalReference(Token("", "study")),
        Reference("DocumentReference/1.4"),
        LogicalReference(Token("", "a")),
    ]
    assert list(references(OBSERVATION, parameter("Observation", "has-member"))) == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("code", Token(None, "1"), True),
        ("code", Token("a", None), True),
        ("code", Token("", "1"), False),
        ("code", Token("", "2"), True),
        ("code", Token("b", "1"), False),
        ("derived-from", Reference("ImagingStudy/1.3"), True),
        ("derived-from", Reference("Observation/1.3"), False),
        ("derived-from", LogicalReference(Token(None, "study")), True),
        ("derived-from", LogicalReference(Token(None, "other")), False),
    ],
)
def test_conditions_on_tokens_and_references(name: str, value: Value, expected: bool) -> None:
    assert matches(OBSERVATION, Condition(parameter("Observation", name), (value,))) is expected


@pytest.mark.parametrize(
    ("name", "beginning", "expected"),
    [
        ("family", "o bri", True),
        ("family", "brien", False),
        ("given", "ann", True),
        ("name", "dr. zoe", True),
        ("name", "x", False),
    ],
)
def test_conditions_on_names(name: str, beginning: str, expected: bool) -> None:
    assert matches(PATIENT, Condition(parameter("Patient", name), (Text(beginning),))) is expected


def test_a_condition_without_values_holds_for_nothing() -> None:
    assert not matches(OBSERVATION, Condition(parameter("Observation", "code"), ()))
