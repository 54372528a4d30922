from typing import Any

import pytest

from sr import json_attributes

ATTRIBUTES: dict[str, Any] = {
    "00100020": {"vr": "LO", "Value": [" 4711 ", None, ""]},
    "00201208": {"vr": "IS", "Value": [301]},
    "00200013": {"vr": "IS", "Value": [-1]},
    "00101002": {"vr": "SQ", "Value": [{"00100020": {"vr": "LO", "Value": ["X"]}}, None]},
    "00080060": {"vr": "CS"},
    "00081030": None,
    "0008103E": {"vr": "LO", "Value": "lung"},
}


def test_values() -> None:
    assert json_attributes.texts(ATTRIBUTES, "PatientID") == ["4711"]
    assert json_attributes.text(ATTRIBUTES, "PatientID") == "4711"
    assert json_attributes.count(ATTRIBUTES, "NumberOfStudyRelatedInstances") == 301
    item = json_attributes.item(ATTRIBUTES, "OtherPatientIDsSequence")
    assert json_attributes.text(item, "PatientID") == "X"
    assert json_attributes.items(ATTRIBUTES, "OtherPatientIDsSequence") == [item]


@pytest.mark.parametrize("keyword", ["Modality", "StudyDescription", "SeriesDescription", "StudyDate"])
def test_what_is_absent_or_broken_is_empty(keyword: str) -> None:
    assert json_attributes.texts(ATTRIBUTES, keyword) == []
    assert json_attributes.text(ATTRIBUTES, keyword) == ""
    assert json_attributes.item(ATTRIBUTES, keyword) == {}


@pytest.mark.parametrize("keyword", ["InstanceNumber", "PatientID", "StudyDate"])
def test_what_fhir_cannot_count_is_none(keyword: str) -> None:
    assert json_attributes.count({**ATTRIBUTES, "00100020": {"Value": [2**31]}}, keyword) is None


def test_a_keyword_that_is_none_is_our_own_mistake() -> None:
    with pytest.raises(LookupError):
        json_attributes.text(ATTRIBUTES, "NoSuchKeyword")
