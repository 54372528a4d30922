"""What a key means: universal, single, list, wildcard or range; and how text is compared."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pacs.attributes import ATTRIBUTES, Attribute, Matching
from pacs.errors import InvalidQuery
from pacs.keys import parse_condition
from pacs.query import (
    Condition,
    OneOf,
    Range,
    Wildcard,
    fold,
    fold_name,
    normal_date,
    normal_time,
)

BY_KEYWORD: dict[str, Attribute] = {attribute.keyword: attribute for attribute in ATTRIBUTES}


@pytest.mark.parametrize(
    ("keyword", "values", "expected"),
    [
        ("PatientID", [], None),
        ("PatientID", [""], None),
        ("PatientID", ["  "], None),
        ("PatientID", ["*"], None),
        ("PatientID", [" * "], None),
        ("PatientID", ["P1 "], OneOf(("P1",))),
        ("PatientID", ["P1", "", "P2"], OneOf(("P1", "P2"))),
        ("PatientID", ["P*"], Wildcard("P*")),
        ("PatientID", ["?1"], Wildcard("?1")),
        ("PatientName", ["Pérez^José"], OneOf(("perez jose",))),
        ("PatientName", ["PÉREZ*"], Wildcard("perez*")),
        ("PatientName", ["Yamada^Tarou=山田^太郎="], OneOf(("yamada tarou=山田 太郎",))),
        ("StudyDescription", ["  TC   Tòrace "], OneOf(("tc torace",))),
        ("ModalitiesInStudy", ["CT", "MR"], OneOf(("CT", "MR"))),
        ("StudyInstanceUID", ["1.2", "1.3"], OneOf(("1.2", "1.3"))),
        ("SOPClassesInStudy", ["1.2"], OneOf(("1.2",))),
        ("SeriesNumber", ["007"], OneOf(("7",))),
        ("SeriesNumber", ["+7", "-7"], OneOf(("7", "-7"))),
        ("StudyDate", ["20240101"], Range("20240101", "20240101")),
        ("StudyDate", ["20240101-20241231"], Range("20240101", "20241231")),
        ("StudyDate", ["20240101-"], Range("20240101", None)),
        ("StudyDate", ["-20240101"], Range(None, "20240101")),
        ("StudyDate", ["2024.01.02"], Range("20240102", "20240102")),
        ("StudyTime", ["10"], Range("100000.000000", "105959.999999")),
        ("StudyTime", ["1030-1130"], Range("103000.000000", "113059.999999")),
        ("StudyTime", ["10:30:15.5"], Range("103015.500000", "103015.599999")),
        ("StudyTime", ["-0900"], Range(None, "090059.999999")),
        ("PatientComments", ["anything*"], None),
        ("NumberOfStudyRelatedSeries", ["3"], None),
    ],
)
def test_a_key_is_understood(keyword: str, values: list[str], expected: Condition | None) -> None:
    assert parse_condition(BY_KEYWORD[keyword], values) == expected


@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("StudyInstanceUID", ["1.2.*"]),
        ("StudyInstanceUID", ["study"]),
        ("StudyInstanceUID", ["1" * 65]),
        ("StudyInstanceUID", ["1.2", "1.3;DROP TABLE"]),
        ("SeriesNumber", ["one"]),
        ("SeriesNumber", ["1.5"]),
        ("SeriesNumber", ["1-3"]),
        ("SeriesNumber", ["9" * 13]),
        ("StudyDate", ["2024"]),
        ("StudyDate", ["202401*"]),
        ("StudyDate", ["yesterday"]),
        ("StudyDate", ["20240101", "20240102"]),
        ("StudyDate", ["20241231-20240101"]),
        ("StudyDate", ["20240101-20240102-20240103"]),
        ("StudyTime", ["noon"]),
        ("StudyTime", ["1"]),
        ("StudyTime", ["1200-1100"]),
        ("PatientID", ["P*", "Q1"]),
        ("PatientName", ["A?", "B"]),
    ],
)
def test_a_key_that_cannot_be_understood_is_named(keyword: str, values: list[str]) -> None:
    attribute = BY_KEYWORD[keyword]
    with pytest.raises(InvalidQuery, match=f"^{keyword}: ") as refused:
        parse_condition(attribute, values)
    assert refused.value.tag == attribute.tags[-1]
    assert not any(value in str(refused.value) for value in values)


@given(attribute=st.sampled_from(ATTRIBUTES), values=st.lists(st.text(max_size=30), max_size=4))
def test_no_key_whatever_does_more_than_be_refused(attribute: Attribute, values: list[str]) -> None:
    try:
        condition = parse_condition(attribute, values)
    except InvalidQuery:
        return
    match condition:
        case OneOf(found):
            assert found
            assert len(found) <= len(values)
            if attribute.matching is Matching.NUMBER:
                assert all(str(int(value)) == value for value in found)
        case Wildcard(pattern):
            assert "*" in pattern or "?" in pattern
        case Range(low, high):
            assert low is None or high is None or low <= high
        case None:
            is_matched = attribute.matching not in (Matching.RETURNED, Matching.COMPUTED)
            assert not is_matched or {value.strip() for value in values} <= {"", "*"}


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("PÉREZ", "perez"),
        ("Łódź", "łodz"),
        ("  TC \t torace\n", "tc torace"),
        ("Straße", "strasse"),
        ("ﬁne", "fine"),
        ("Ｆｕｌｌ", "full"),
        ("山田", "山田"),
        ("", ""),
    ],
)
def test_text_is_folded(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Pérez^José", "perez jose"),
        ("Pérez^José^^", "perez jose"),
        ("Rossi^^Maria", "rossi maria"),
        ("Yamada^Tarou=山田^太郎=", "yamada tarou=山田 太郎"),
        ("=山田^太郎", "=山田 太郎"),
        ("A^B==C", "a b==c"),
        ("==", ""),
    ],
)
def test_a_name_is_folded_group_by_group(name: str, folded: str) -> None:
    assert fold_name(name) == folded


@given(st.text(max_size=40))
@example("İstanbul")
@example("ŉ\u0345")
@example("a\uff3eb")
@example("\u2a75 a\uff1d")
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold_name(fold_name(text)) == fold_name(text)


@given(st.text("aeiouèàç^= ÉÜß", max_size=20))
def test_case_and_accents_do_not_matter(text: str) -> None:
    assert fold(text) == fold(text.upper()) == fold(text.lower())
    assert fold_name(text) == fold_name(text.upper())


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("10", "100000.000000", "105959.999999"),
        ("1030", "103000.000000", "103059.999999"),
        ("103015", "103015.000000", "103015.999999"),
        ("103015.25", "103015.250000", "103015.259999"),
        ("10:30:15", "103015.000000", "103015.999999"),
        (" 1030 ", "103000.000000", "103059.999999"),
        ("235959.999999", "235959.999999", "235959.999999"),
    ],
)
def test_a_partial_time_reaches_from_its_beginning_to_its_end(text: str, begin: str, end: str) -> None:
    assert (normal_time(text), normal_time(text, "9")) == (begin, end)


@pytest.mark.parametrize("text", ["", "1", "103", "10301", "noon", "10.1234567", "10-11", "1030150"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert normal_time(text) is None


@pytest.mark.parametrize(
    ("text", "normal"),
    [("20240102", "20240102"), ("2024.01.02", "20240102"), (" 20240102 ", "20240102")],
)
def test_a_date_is_eight_digits(text: str, normal: str) -> None:
    assert normal_date(text) == normal


@pytest.mark.parametrize("text", ["", "2024", "2024-01-02", "202401021", "today", "2024010a"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert normal_date(text) is None


def test_digits_are_those_of_ascii() -> None:
    assert normal_date("٢٠٢٤٠١٠١") is None
    assert normal_time("١٠٣٠") is None
    with pytest.raises(InvalidQuery):
        parse_condition(BY_KEYWORD["SeriesNumber"], ["٧"])
