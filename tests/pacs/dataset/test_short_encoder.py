"""The data sets of messages as pydicom writes them, byte for byte, in each encoding."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.dsutils import encode

from pacs.dataset.character_set import DEFAULT, CharacterSet, character_set
from pacs.dataset.dicom_json import JsonWriter
from pacs.dataset.elements import read_elements
from pacs.dataset.short_encoder import NotHeld, encode_short
from pacs.dataset.transfer_syntax import encoding_of
from pacs.model import DicomJson
from testdata.character_sets import CHARACTER_SETS

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]


def of(terms: str) -> CharacterSet:
    return character_set(tuple(terms.split("\\")))


def written(data_set: DicomJson, syntax: str = ExplicitVRLittleEndian, terms: str = "") -> bytes:
    return encode_short(data_set, encoding_of(syntax), of(terms))


def read(data: bytes, syntax: str = ExplicitVRLittleEndian) -> DicomJson:
    encoding = encoding_of(syntax)
    return JsonWriter(data, encoding).write(read_elements(data, encoding).elements)


def data_set(terms: str) -> Dataset:
    """Of all kinds of values, with names in the character set."""
    names = CHARACTER_SETS[terms]
    inner = Dataset()
    inner.CodeMeaning = names.description
    inner.ReferencedFrameNumber = [1, 20]
    outer = Dataset()
    outer.SpecificCharacterSet = terms.split("\\")
    outer.StudyDate = "20261128"
    outer.ModalitiesInStudy = ["CT", "SR"]
    outer.ReferringPhysicianName = [names.name, "Smith^John"]
    outer.PatientName = names.name
    outer.OtherPatientIDs = ["A", "", "B2"]
    outer.PatientComments = names.description + "\\"
    outer.PatientWeight = "61.5"
    outer.StudyInstanceUID = "2.999.1"
    outer.SeriesNumber = -3
    outer.Rows = 512
    outer.TableTopVerticalPosition = 0.5
    outer.FrameIncrementPointer = [0x00181063, 0x00181065]
    outer.RequestAttributesSequence = [inner, Dataset()]
    outer.StudyID = None
    outer.TextValue = "x" * 70_000
    return outer


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
@pytest.mark.parametrize("terms", CHARACTER_SETS)
def test_a_data_set_is_written_as_pydicom_writes_it(terms: str, syntax: str) -> None:
    expected = data_set(terms)
    theirs = encode(expected, syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian)
    assert written(expected.to_json_dict(), syntax, terms) == theirs


def test_what_a_set_does_not_hold_is_not_written() -> None:
    for item in ({"00104000": {"vr": "LT", "Value": ["é"]}}, {"00080104": {"vr": "LO", "Value": ["é"]}}):
        with pytest.raises(NotHeld):
            encode_short({"00400275": {"vr": "SQ", "Value": [item]}}, encoding_of(SYNTAXES[0]), DEFAULT)


def test_items_are_in_the_set_that_is_told_above_them() -> None:
    item: DicomJson = {
        "00080005": {"vr": "CS", "Value": ["ISO_IR 144"]},
        "00080104": {"vr": "LO", "Value": ["é"]},
    }
    answer = read(written({"00400275": {"vr": "SQ", "Value": [item]}}, terms="ISO_IR 100"))
    assert answer["00080005"]["Value"] == ["ISO_IR 100"]
    assert answer["00400275"]["Value"] == [{"00080104": {"vr": "LO", "Value": ["é"]}}]


@pytest.mark.parametrize(
    ("vr", "values"),
    [("US", ["x"]), ("US", [1 << 20]), ("LO", [5]), ("PN", [7]), ("LT", ["a", "b"]), ("AT", ["zz"])],
)
def test_what_does_not_fit_its_vr_is_written_without_a_value(vr: str, values: list[Any]) -> None:
    assert read(written({"00100020": {"vr": vr, "Value": values}})) == {"00100020": {"vr": vr}}


def test_binary_values_are_left_out() -> None:
    assert read(written({"7FE00010": {"vr": "OW", "InlineBinary": "AAAA"}})) == {"7FE00010": {"vr": "OW"}}


@given(
    st.dictionaries(
        st.sampled_from(["PatientName", "PatientID", "StudyDescription", "PatientComments"]),
        st.text(st.characters(exclude_characters="\\=^\0", exclude_categories=("Cs", "Cc")), min_size=1),
    )
)
def test_text_is_read_as_it_was(texts: dict[str, str]) -> None:
    data_set = Dataset()
    for keyword, text in texts.items():
        if text.strip(" ") == text:
            setattr(data_set, keyword, text)
    expected = data_set.to_json_dict()
    answer = read(written(expected, terms="ISO_IR 192"))
    del answer["00080005"]
    assert answer == expected
    assert [Tag(key) for key in answer] == sorted(data_set.keys())
