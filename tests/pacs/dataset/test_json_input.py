"""DICOM JSON that comes in (PS3.18 F.2), from friends and others."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacs.dataset.json_input import MAX_DEPTH, read_dicom_json
from pacs.errors import MalformedObject
from testdata.workitems import new_workitem


def read(data_set: Any) -> Any:
    return read_dicom_json(orjson.dumps(data_set))


def nested(depth: int) -> dict[str, Any]:
    data_set: dict[str, Any] = {}
    for _ in range(depth):
        data_set = {"0040A730": {"vr": "SQ", "Value": [data_set]}}
    return data_set


def test_a_sound_data_set_is_read_as_it_is() -> None:
    workitem = new_workitem()
    assert read(workitem) == read([workitem]) == workitem


def test_elements_without_a_value_have_none() -> None:
    empty: list[list[Any]] = [[], [""], [None], [{}]]
    for values in empty:
        assert read({"00100010": {"vr": "PN", "Value": values}}) == {"00100010": {"vr": "PN"}}


def test_what_is_spelt_otherwise_is_put_right() -> None:
    assert read({"0020000d": {"vr": "UI", "Value": ["1.2"]}}) == {"0020000D": {"vr": "UI", "Value": ["1.2"]}}
    assert read({"00741000": {"vr": "LT", "Value": ["SCHEDULED"]}})["00741000"]["vr"] == "CS"
    name = {"vr": "PN", "Value": [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}]}
    assert read({"00100010": {"vr": "PN", "Value": ["Yamada^Tarou=山田^太郎"]}}) == {"00100010": name}


def test_numbers_and_binary_values_are_taken() -> None:
    data_set = {
        "00200013": {"vr": "IS", "Value": [7, "8"]},
        "00280010": {"vr": "US", "Value": [0]},
        "00091001": {"vr": "OB", "InlineBinary": "AAE="},
    }
    assert read(data_set) == dict(sorted(data_set.items()))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"null", b"[]", b"[{}, {}]", b"7", b"[" * 100_000])
def test_what_is_no_data_set_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedObject, match="the body"):
        read_dicom_json(content)


@pytest.mark.parametrize(
    ("data_set", "named"),
    [
        ({"PatientName": {"vr": "PN"}}, "the data set"),
        ({"0010001": {"vr": "PN"}}, "the data set"),
        ({"00100010": "Rossi"}, "00100010"),
        ({"00100010": {"Value": []}}, "00100010"),
        ({"00100010": {"vr": "ZZ"}}, "00100010"),
        ({"00100010": {"vr": ["PN"]}}, "00100010"),
        ({"00100010": {"vr": "PN", "Value": "Rossi"}}, "00100010"),
        ({"00100010": {"vr": "PN", "Value": [7]}}, "00100010"),
        ({"00100010": {"vr": "PN", "Value": [{"Other": "x"}]}}, "00100010"),
        ({"00100010": {"vr": "PN", "Value": [{"Alphabetic": 7}]}}, "00100010"),
        ({"00100020": {"vr": "LO", "Value": [7]}}, "00100020"),
        ({"00100020": {"vr": "LO", "Value": ["a\0b"]}}, "00100020"),
        ({"00100040": {"vr": "CS", "Value": ["é"]}}, "00100040"),
        ({"00100030": {"vr": "DA", "Value": ["１９５８０３１４"]}}, "00100030"),
        ({"00100020": {"vr": "LO", "Value": ["a"], "more": 1}}, "00100020"),
        ({"00100020": {"vr": "SQ", "Value": [{}]}}, "00100020"),
        ({"00280010": {"vr": "US", "Value": ["7"]}}, "00280010"),
        ({"00280010": {"vr": "US", "Value": [True]}}, "00280010"),
        ({"0040A370": {"vr": "LO", "Value": ["a"]}}, "0040A370"),
        ({"0040A370": {"vr": "SQ", "Value": ["a"]}}, r"0040A370\[0\]"),
        (
            {"0040A370": {"vr": "SQ", "Value": [{"00080050": {"vr": "SH", "Value": [1]}}]}},
            r"0040A370\[0\]\.00080050",
        ),
        ({"00420011": {"vr": "OB", "BulkDataURI": "file:///etc/passwd"}}, "00420011"),
        ({"00420011": {"vr": "OB", "Value": [1]}}, "00420011"),
        ({"00420011": {"vr": "OB", "InlineBinary": 7}}, "00420011"),
        ({"00100020": {"vr": "LO", "InlineBinary": "AAE="}}, "00100020"),
        (nested(MAX_DEPTH), "0040A730"),
    ],
)
def test_what_cannot_be_read_is_named(data_set: Any, named: str) -> None:
    with pytest.raises(MalformedObject, match=f"^{named}"):
        read(data_set)


KEYS = st.sampled_from(
    ["00100010", "0040A370", "00280010", "7FE00010", "00091001", "vr", "Value", "InlineBinary", ""]
)
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=3)
WORDS = st.sampled_from(["PN", "SQ", "US", "OB", "LO", "UN", "Alphabetic"])
ANYTHING = st.recursive(
    SCALARS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, ANYTHING, max_size=3))
def test_whatever_comes_is_read_or_refused(data_set: dict[str, Any]) -> None:
    try:
        once = read(data_set)
    except MalformedObject:
        return
    assert read(once) == once


def test_values_are_not_quoted() -> None:
    with pytest.raises(MalformedObject) as refused:
        read({"00100020": {"vr": "LO", "Value": ["Segretissima\0"]}})
    assert "Segretissima" not in str(refused.value)


def test_sequences_go_so_deep() -> None:
    assert read(nested(MAX_DEPTH - 1)) == nested(MAX_DEPTH - 1)
