from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomweb.search_parameters import SearchRequest, parse_search
from pacs.errors import InvalidQuery
from pacs.model import Level
from pacs.query import Condition, Empty, OnDay, OneOf, Range, Sounds, Wildcard


def search(
    query: str, level: Level = Level.STUDY, study: str | None = None, series: str | None = None
) -> SearchRequest:
    return parse_search(level, parse_qsl(query, keep_blank_values=True), study, series)


def conditions(request: SearchRequest) -> dict[str, Condition]:
    return {c.attribute.keyword: c.condition for c in request.query.criteria}


def included(request: SearchRequest) -> frozenset[str]:
    assert request.include is not None
    assert list(request.include) == sorted(request.include)
    return frozenset(request.include)


_OPENING = "limit=101&offset=0&fuzzymatching=false&includefield=00081030%2C00080060%2C00080090%2C00100030"


def test_the_study_list_of_the_viewer_is_understood() -> None:
    request = search(_OPENING)
    assert (request.query.level, request.query.limit, request.query.offset) == (Level.STUDY, 101, 0)
    assert request.query.criteria == ()
    assert request.warnings == ()
    used = (
        "0020000D 00080020 00080030 00080050 00100020 00100010 00100030 00201208 00081030 00080061 00080090"
    )
    assert included(request) >= set(used.split())


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("PatientName=*Rossi*", {"PatientName": Wildcard("*rossi*")}),
        ("00100020=*VIEW*", {"PatientID": Wildcard("*VIEW*")}),
        ("AccessionNumber=*ACC*", {"AccessionNumber": Wildcard("*ACC*")}),
        ("StudyDescription=*torace*", {"StudyDescription": Wildcard("*torace*")}),
        ("ModalitiesInStudy=CT,MR", {"ModalitiesInStudy": OneOf(("CT", "MR"))}),
        ("ModalitiesInStudy=CT%2CMR", {"ModalitiesInStudy": OneOf(("CT", "MR"))}),
        ("StudyDate=20240101-20241231", {"StudyDate": Range("20240101", "20241231")}),
        ("StudyInstanceUID=1.2.3", {"StudyInstanceUID": OneOf(("1.2.3",))}),
        ("00100020=P1", {"PatientID": OneOf(("P1",))}),
        (
            "PatientName=*Rossi*&00100020=*VIEW*",
            {"PatientName": Wildcard("*rossi*"), "PatientID": Wildcard("*VIEW*")},
        ),
    ],
)
def test_the_filters_of_the_viewer_are_understood(filters: str, expected: dict[str, Condition]) -> None:
    request = search(f"{_OPENING}&{filters}")
    assert conditions(request) == expected
    assert request.warnings == ()


def test_the_series_list_of_the_viewer_is_understood() -> None:
    query = "includefield=00080021%2C00080031%2C0008103E%2C00200011"
    request = search(query, Level.SERIES, study="1.2")
    assert conditions(request) == {"StudyInstanceUID": OneOf(("1.2",))}
    used = "0020000D 0020000E 00080060 00200011 00080021 00080031 00201209 0008103E"
    assert included(request) >= set(used.split())
    assert "00100010" not in included(request)


@pytest.mark.parametrize(("level", "key"), [(Level.SERIES, "0020000E=1.2"), (Level.INSTANCE, "00080018=1.2")])
def test_a_search_over_all_studies_answers_with_the_levels_above(level: Level, key: str) -> None:
    tags = included(search(key, level))
    assert tags >= {"0020000D", "0020000E", "00100010", "00100020", "00080020", "00080050", "00080060"}


def test_instances_of_a_study_come_with_their_series_and_those_of_a_series_without() -> None:
    of_study = included(search("", Level.INSTANCE, study="1.2"))
    of_series = included(search("", Level.INSTANCE, study="1.2", series="1.3"))
    assert "00200011" in of_study
    assert "00100010" not in of_study
    assert of_series & {"00200011", "00100010"} == set()
    assert of_series >= {"0020000D", "0020000E", "00080018", "00080016", "00200013"}


def test_the_uids_of_the_path_are_criteria() -> None:
    request = search("", Level.INSTANCE, study="1.2", series="1.3")
    assert conditions(request) == {
        "StudyInstanceUID": OneOf(("1.2",)),
        "SeriesInstanceUID": OneOf(("1.3",)),
    }


@pytest.mark.parametrize("uid", ["", "*", " ", "1.2,1.3", "x", "1" * 65])
def test_a_path_without_a_uid_is_refused(uid: str) -> None:
    with pytest.raises(InvalidQuery, match="StudyInstanceUID"):
        search("", Level.SERIES, study=uid)


@pytest.mark.parametrize(
    "path",
    [
        "RequestAttributesSequence.ScheduledProcedureStepID",
        "00400275.00400009",
        "RequestAttributesSequence.00400009",
    ],
)
def test_keys_inside_sequences_are_matched_and_the_sequence_is_answered(path: str) -> None:
    request = search(f"{path}=SPS1", Level.SERIES)
    assert conditions(request) == {"ScheduledProcedureStepID": OneOf(("SPS1",))}
    assert "00400275" in included(request)
    assert request.warnings == ()


@pytest.mark.parametrize(
    "query", ["StudyInstanceUID=1.2,1.3", r"0020000d=1.2\1.3", "0020000D=1.2&0020000D=1.3"]
)
def test_uids_are_listed_in_any_manner(query: str) -> None:
    assert conditions(search(query)) == {"StudyInstanceUID": OneOf(("1.2", "1.3"))}


def test_a_comma_in_a_name_or_text_is_a_comma() -> None:
    request = search("PatientName=Rossi, Mario&StudyDescription=Chest, two views&PatientID=a,b")
    assert conditions(request) == {
        "PatientName": OneOf(("rossi, mario",)),
        "StudyDescription": OneOf(("chest, two views",)),
        "PatientID": OneOf(("a,b",)),
    }


def test_a_key_without_a_value_is_answered_and_matches_anything() -> None:
    request = search("PatientBirthDate=&PatientComments=&NumberOfPatientRelatedStudies=")
    assert request.query.criteria == ()
    assert included(request) >= {"00100030", "00104000", "00201200"}
    assert request.warnings == ()


def test_fields_to_include_may_be_repeated_listed_and_nested() -> None:
    request = search(
        "includefield=PatientComments&includefield=00101010, 00081032.CodeValue&includeField=00091001"
    )
    assert included(request) >= {"00104000", "00101010", "00081032", "00091001"}
    assert request.warnings == ()


def test_all_fields_may_be_included() -> None:
    attributes = {"00100010": {"vr": "PN"}, "00104000": {"vr": "LT"}}
    everything = search("includefield=all")
    assert everything.include is None
    assert everything.picker()([attributes, {}]) == attributes
    assert search("").picker()([attributes, {}]) == {"00100010": {"vr": "PN"}}


@pytest.mark.parametrize(
    ("query", "warning"),
    [
        ("_=1718", "_ is unknown here"),
        ("PatientName.Nothing=x", "PatientName.Nothing is unknown here"),
        ("EthnicGroup.CodeValue=x", "EthnicGroup.CodeValue is not kept for searching"),
        ("0009,1001=x", "a parameter is unknown here"),
        ("00091001=x", "00091001 is not kept for searching"),
        ("Modality=CT", "Modality belongs to the series level"),
        ("SOPInstanceUID=1.2", "SOPInstanceUID belongs to the instance level"),
        ("PatientComments=x", "PatientComments is returned but cannot be matched"),
        ("includefield=Nonsense", "includefield Nonsense is no attribute"),
    ],
)
def test_what_is_not_heeded_is_ignored_with_a_warning(query: str, warning: str) -> None:
    request = search(query)
    assert request.query.criteria == ()
    assert len(request.warnings) == 1
    assert request.warnings[0].startswith(warning)


@pytest.mark.parametrize(
    "query",
    [
        "fuzzymatching=TRUE",
        "emptyvaluematching=",
        "count=false",
        "accept=application/json",
        "charset=utf-8",
        "",
    ],
)
def test_what_is_heeded_makes_no_warning(query: str) -> None:
    assert search(query).warnings == ()


def test_warnings_can_travel_in_a_header() -> None:
    request = search("&".join(f"X-Ping%0d%0a{n}%22é=1&Unknown{n}=1" for n in range(100)))
    assert len(request.warnings) == 16
    assert all(text.isascii() and text.isprintable() and '"' not in text for text in request.warnings)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=ten", "limit"),
        ("limit=-1", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=%D9%A3", "limit"),
        ("offset=1.5", "offset"),
        ("fuzzymatching=yes", "fuzzymatching"),
        ("emptyvaluematching=1", "emptyvaluematching"),
        ("multiplevaluematching=no", "multiplevaluematching"),
        ("count=all", "count"),
        ("StudyDate=yesterday", "StudyDate"),
        ("00080020=20240101,20240102", "StudyDate"),
        ("StudyInstanceUID=a", "StudyInstanceUID"),
        ("ModalitiesInStudy=CT,M*", "ModalitiesInStudy"),
        ("PatientID=%00", "PatientID"),
        ("PatientID=" + "x" * 513, "PatientID"),
        ("StudyInstanceUID=" + "1," * 1001, "StudyInstanceUID"),
        ("&".join(["PatientID="] * 257), "query string"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(query: str, named: str) -> None:
    with pytest.raises(InvalidQuery, match=named):
        search(query)


def test_paging_is_taken_over() -> None:
    request = search("limit=0&offset=50")
    assert (request.query.limit, request.query.offset) == (0, 50)
    assert search("").query.limit is None
    assert search("limit=+5%1F").query.limit == 5  # a sign that strip() takes for a blank, and int() does not


_NAMES = st.sampled_from(
    [
        "PatientName",
        "00100020",
        "StudyDate",
        "StudyTime",
        "SeriesNumber",
        "includefield",
        "limit",
        "a.b",
        "00400275.",
    ]
)


@given(st.lists(st.tuples(_NAMES | st.text(max_size=20), st.text(max_size=20))), st.sampled_from(Level))
def test_any_query_string_is_understood_or_refused(pairs: list[tuple[str, str]], level: Level) -> None:
    try:
        request = parse_search(level, pairs)
    except InvalidQuery as refusal:
        assert str(refusal)
    else:
        assert all(criterion.attribute.level <= level for criterion in request.query.criteria)


def test_matching_beyond_the_usual_is_that_which_is_asked_for() -> None:
    assert search('AccessionNumber=""&emptyvaluematching=true').query.criteria[0].condition == Empty()
    assert search('AccessionNumber=""').query.criteria[0].condition == OneOf(('""',))
    apart = search("ModalitiesInStudy=CT,MR&multiplevaluematching=true").query.criteria
    assert [criterion.condition for criterion in apart] == [OneOf(("CT",)), OneOf(("MR",))]
    (name,) = search("PatientName=Rossi&fuzzymatching=true").query.criteria
    assert isinstance(name.condition, Sounds)


def test_a_range_of_dates_and_one_of_times_are_one_range() -> None:
    criteria = search("StudyDate=20240101-20240103&StudyTime=10-11").query.criteria
    assert [criterion.condition for criterion in criteria] == [
        Range("20240101", "20240103"),
        OnDay("20240101", Range("100000.000000", None)),
        OnDay("20240103", Range(None, "115959.999999")),
    ]


def test_fields_that_the_index_does_not_keep_are_read_from_the_objects() -> None:
    asked = search("includefield=SliceThickness,PatientID&includefield=00091001")
    assert asked.unindexed == {"00180050", "00090010", "00091001"}
    assert {"00180050", "00090010", "00091001", "00100020"} <= set(asked.include or ())
    everything = search("includefield=all&includefield=SliceThickness")
    assert everything.include is None
    assert everything.unindexed == {"00180050"}
    assert search("includefield=all,00081190,00080005").unindexed == frozenset()
