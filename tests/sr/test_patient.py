from typing import Any

import pytest

from sr.patient import patient
from tests.sr.builders import IDENTITY
from tests.sr.fhir_rules import faults


def _attributes(**extra: Any) -> dict[str, Any]:
    return {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jane"}]},
        "00100020": {"vr": "LO", "Value": ["4711"]},
        "00100021": {"vr": "LO", "Value": ["HOSP"]},
        "00100030": {"vr": "DA", "Value": ["19740114"]},
        "00100040": {"vr": "CS", "Value": ["F"]},
        **extra,
    }


def test_a_patient() -> None:
    made = patient(_attributes(), IDENTITY)
    assert made == {
        "resourceType": "Patient",
        "id": IDENTITY,
        "identifier": [
            {
                "type": {
                    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]
                },
                "system": "urn:x-dicom:issuer:HOSP",
                "value": "4711",
            }
        ],
        "name": [{"text": "Jane Doe", "family": "Doe", "given": ["Jane"]}],
        "gender": "female",
        "birthDate": "1974-01-14",
    }
    assert faults(made) == []


def test_the_universal_issuer_comes_before_the_local_one() -> None:
    qualifiers = {
        "00400032": {"vr": "UT", "Value": ["2.16.840.1.113883.2.9.4.3.2"]},
        "00400033": {"vr": "CS", "Value": ["ISO"]},
    }
    made = patient(_attributes(**{"00100024": {"vr": "SQ", "Value": [qualifiers]}}), IDENTITY)
    assert made["identifier"][0]["system"] == "urn:oid:2.16.840.1.113883.2.9.4.3.2"


def test_other_ids_and_names_are_kept() -> None:
    other = {"00100020": {"vr": "LO", "Value": ["X9"]}, "00100021": {"vr": "LO", "Value": ["1.2.3"]}}
    made = patient(
        _attributes(
            **{
                "00101002": {"vr": "SQ", "Value": [other, {}]},
                "00101001": {"vr": "PN", "Value": [{"Alphabetic": "Roe^Jane"}]},
            }
        ),
        IDENTITY,
    )
    assert [(one["system"], one["value"]) for one in made["identifier"]] == [
        ("urn:x-dicom:issuer:HOSP", "4711"),
        ("urn:oid:1.2.3", "X9"),
    ]
    assert [name["family"] for name in made["name"]] == ["Doe", "Roe"]


@pytest.mark.parametrize(
    ("sex", "gender"), [("M", "male"), ("O", "other"), ("U", "unknown"), ("f", "female")]
)
def test_genders(sex: str, gender: str) -> None:
    assert patient({"00100040": {"vr": "CS", "Value": [sex]}}, IDENTITY)["gender"] == gender


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"00100010": {"vr": "PN"}, "00100020": {"vr": "LO", "Value": [None]}},
        {"00100030": {"vr": "DA", "Value": ["19999999"]}, "00100040": {"vr": "CS", "Value": []}},
        {"00100010": {"vr": "PN", "Value": ["Doe^Jane"]}, "00100020": None},
    ],
)
def test_what_is_absent_or_broken_is_left_out(attributes: dict[str, Any]) -> None:
    assert patient(attributes, IDENTITY) == {"resourceType": "Patient", "id": IDENTITY}
