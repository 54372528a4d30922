"""Plain answers are written as all others are, byte for byte."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pacs.dimse.identifier import Answerer
from pacs.dimse.negotiation import Context
from pacs.dimse.plain_answer import PlainWriter
from tests.pacs.dimse.peer import STUDY_ROOT_FIND

KEYS = {
    "StudyInstanceUID": "UI",
    "StudyDate": "DA",
    "StudyTime": "TM",
    "AccessionNumber": "SH",
    "ModalitiesInStudy": "CS",
    "PatientName": "PN",
    "PatientID": "LO",
    "NumberOfStudyRelatedInstances": "IS",
    "PatientWeight": "DS",
}
TAGS = {
    "StudyInstanceUID": "0020000D",
    "StudyDate": "00080020",
    "StudyTime": "00080030",
    "AccessionNumber": "00080050",
    "ModalitiesInStudy": "00080061",
    "PatientName": "00100010",
    "PatientID": "00100020",
    "NumberOfStudyRelatedInstances": "00201208",
    "PatientWeight": "00101030",
}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "UI": st.sampled_from(["1.2.3", "1.2.34", "2.999.1"]),
    "DA": st.sampled_from(["20260301", "19991231"]),
    "TM": st.sampled_from(["101500", "10", "101500.123"]),
    "SH": st.text("AB 9-", min_size=1, max_size=9).map(str.strip).filter(bool),
    "CS": st.sampled_from(["CT", "MR", "SEG"]),
    "PN": st.fixed_dictionaries(
        {"Alphabetic": st.sampled_from(["Rossi^Maria", "Bianchi^Ada^^Dr", "D'Amico^N"])},
        optional={"Phonetic": st.sampled_from(["rossi^maria", ""])},
    ),
    "LO": st.text("abc 1\x1b$-FB", min_size=1, max_size=9).map(str.strip).filter(bool),
    "IS": st.integers(0, 99999),
    "DS": st.sampled_from([61.5, 82, 0.25]),
}


def elements(vr: str) -> st.SearchStrategy[dict[str, Any]]:
    several = 1 if vr in ("UI", "SH", "LO", "PN") else 3
    values = st.lists(VALUES[vr], min_size=1, max_size=several)
    return st.one_of(st.just({"vr": vr}), st.builds(lambda found: {"vr": vr, "Value": found}, values))


ANSWERS = st.fixed_dictionaries({}, optional={TAGS[name]: elements(vr) for name, vr in KEYS.items()})


def asked(**more: Any) -> Dataset:
    question = Dataset()
    question.QueryRetrieveLevel = "STUDY"
    for name in KEYS:
        setattr(question, name, None)
    for name, value in more.items():
        setattr(question, name, value)
    return question


@given(
    answer=ANSWERS,
    syntax=st.sampled_from([ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]),
    terms=st.sampled_from([None, "ISO_IR 100", "ISO_IR 192", ["", "ISO 2022 IR 87"]]),
)
def test_an_answer_is_the_same_whoever_writes_it(answer: dict[str, Any], syntax: str, terms: Any) -> None:
    question = asked(SpecificCharacterSet=terms) if terms else asked()
    answerer = Answerer(question.to_json_dict(), Context(STUDY_ROOT_FIND, syntax), "DIAFANA")
    assert answerer.identifier(answer) == answerer.any_identifier(answer)


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        ("PN", {"Alphabetic": "Zanòbi^Letìzia"}),
        ("SQ", {"00080100": {"vr": "SH", "Value": ["X"]}}),
        ("US", 512),
        ("LO", "x" * 70_000),
        ("LO", "a\x1b-Fb"),
    ],
)
def test_what_is_not_plain_is_left_to_others(vr: str, value: Any) -> None:
    writer = PlainWriter([(0x00100020, vr)], {}, explicit=True)
    assert writer.write({"00100020": {"vr": vr, "Value": [value]}}) is None


def test_a_plain_study_is_not_left_to_others() -> None:
    writer = PlainWriter([(int(TAGS[name], 16), vr) for name, vr in KEYS.items()], {}, explicit=True)
    written = writer.write({TAGS["PatientID"]: {"vr": "LO", "Value": ["P1"]}})
    assert written is not None
    assert b"LO\x02\x00P1" in written
