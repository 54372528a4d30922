"""Finding: the questions of the query cases, asked of SQL, of a matcher in memory, and of literal answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydicom.uid import (
    ComprehensiveSRStorage,
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
)

from pacs.archive import Archive
from pacs.errors import StorageFailed
from pacs.files import DiskFiles
from pacs.files.derived import DerivedFiles
from pacs.index import Index, lookup, search
from pacs.keys import parse_criteria
from pacs.model import DicomJson, Found, Level
from pacs.query import (
    PLAIN,
    Condition,
    Criterion,
    OneOf,
    Query,
    Range,
    Semantics,
    Wildcard,
)
from testdata.files import part10
from testdata.raw_bytes import element, item
from tests.pacs.index.conftest import DATABASES, empty_index
from tests.pacs.index.test_write import of_patient, record
from tests.pacs.objects import begin, picture, store, stored
from tests.properties.query_cases import CASES, EXTENDED_CASES, Case, data_sets, label_of, uid_of
from tests.properties.reference_matcher import BY_KEYWORDS, found_in_memory


@pytest.fixture(scope="module", params=DATABASES)
def held(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive that holds the objects of the query cases."""
    folder: Path = tmp_path_factory.mktemp("held")
    with empty_index(request.param, folder, request) as url:
        index = Index(url)
        archive = Archive(
            DiskFiles(folder), DerivedFiles(folder), index, "DIAFANA", "/dicom-web", lambda: None
        )
        for pending in [archive.submit(begin(archive, part10(dataset))) for dataset in data_sets()]:
            pending.result()
        yield archive
        index.close()


def query(level: Level, keys: Mapping[str, Sequence[str]], semantics: Semantics = PLAIN) -> Query:
    asked = {BY_KEYWORDS[path]: list(values) for path, values in keys.items()}
    return Query(level, tuple(Criterion(*pair) for pair in parse_criteria(asked, semantics)))


def labels(level: Level, answers: Iterator[Found]) -> list[str]:
    return [label_of(level, found.attributes) for found in answers]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_question_finds_what_it_must(held: Archive, case: Case) -> None:
    found = labels(case.level, held.search(query(case.level, case.keys)))
    assert sorted(found) == sorted(case.found)
    assert found_in_memory(case.level, case.keys) == case.found


@pytest.mark.parametrize("case", EXTENDED_CASES, ids=str)
def test_a_question_with_semantics_of_its_own_finds_what_it_must(held: Archive, case: Case) -> None:
    asked = query(case.level, case.keys, case.semantics)
    assert sorted(labels(case.level, held.search(asked))) == sorted(case.found)


@pytest.mark.parametrize("case", [*CASES, *EXTENDED_CASES], ids=str)
def test_few_answers_are_the_same_as_all(held: Archive, case: Case) -> None:
    asked = query(case.level, case.keys, case.semantics)
    few = held.few(asked)
    assert few is None or few == list(held.search(asked))


@pytest.mark.parametrize(
    ("level", "keys", "leads"),
    [
        (Level.STUDY, {"PatientID": ["P1"], "StudyDate": ["20240101-"]}, True),
        (Level.STUDY, {"AccessionNumber": ["ACC-1"]}, True),
        (Level.STUDY, {"StudyInstanceUID": [uid_of("A")]}, True),
        (Level.STUDY, {"PatientID": ["P*"]}, False),
        (Level.STUDY, {"PatientName": ["Perez*"]}, False),
        (Level.STUDY, {}, False),
        # All of these may be thousands, or be counted from thousands
        (Level.STUDY, {"StudyInstanceUID": [uid_of("A"), uid_of("B")]}, False),
        (Level.PATIENT, {"PatientID": ["P1"]}, False),
        (Level.SERIES, {"StudyInstanceUID": [uid_of("A")]}, False),
        (Level.INSTANCE, {"StudyInstanceUID": [uid_of("A")]}, False),
    ],
)
def test_few_are_found_at_once_where_an_index_leads_to_them(
    held: Archive,
    request: pytest.FixtureRequest,
    level: Level,
    keys: Mapping[str, Sequence[str]],
    leads: bool,
) -> None:
    """A database behind a network would have others wait."""
    is_local = "postgresql" not in request.node.name
    assert (held.few(query(level, keys)) is not None) is (leads and is_local)


@pytest.mark.parametrize("others", [{}, {"StudyDate": ["19000101"]}, {"StudyInstanceUID": ["2.999.3"]}])
def test_a_number_that_many_share_leads_to_none(
    index: Index, files: DiskFiles, others: dict[str, list[str]]
) -> None:
    """Whatever is asked besides would have all of them read, unless it leads to few."""
    records = [
        record(files, f"study{n}", of_patient("P1", study=f"2.999.{n}")) for n in range(search.FEW + 1)
    ]
    asked = query(Level.STUDY, {"PatientID": ["P1"], **others})
    index.writer.write(records[:-1])
    is_local = index.few(asked) is not None
    index.writer.write(records[-1:])
    assert (index.few(asked) is not None) is (is_local and "StudyInstanceUID" in others)


@pytest.mark.parametrize("case", [case for case in CASES if case.level is Level.INSTANCE], ids=str)
def test_what_is_kept_is_told_of_the_same_instances_in_the_same_order(held: Archive, case: Case) -> None:
    """All but where they are, which answers have besides."""
    asked = query(case.level, case.keys)
    levels = [found.levels for found in held.search(asked)]
    kept = list(held.kept(asked))
    assert [orjson.loads(one.attributes) for one in kept] == [
        {tag: element for tag, element in instance.items() if tag not in ("00083002", "00080056")}
        for _, _, instance in levels
    ]
    uids = [one[:3] for one in kept]
    tags = "0020000D", "0020000E", "00080018"
    assert uids == [
        tuple(told[tag]["Value"][0] for told, tag in zip(one, tags, strict=True)) for one in levels
    ]
    numbers = [instance.get("00200013", {"Value": [None]})["Value"][0] for *_, instance in levels]
    assert [one.number for one in kept] == numbers


@pytest.mark.parametrize("level", Level)
def test_answers_are_counted_whatever_the_page(held: Archive, level: Level) -> None:
    for keys in ({}, {"PatientName": ["perez*"]}, {"PatientID": ["nobody"]}):
        whole = query(level, keys)
        expected = len(labels(level, held.search(whole)))
        assert held.count_answers(whole) == expected
        assert held.count_answers(replace(whole, limit=1, offset=2)) == expected


# Letters that meet, miss and fold onto those of the query cases.
NAMES = st.text("PpEeÉérzRZ JjOoSs^*?%_", max_size=9)
IDENTIFIERS = st.text("Pp12_%-*?AC", max_size=6)
TEXTS = st.text("TtCc Òo10%_*?dse", max_size=9)
DATES = st.sampled_from(["", "20240101", "20240229", "20240301", "20250101", "20250103", "20991231"])
TIMES = st.sampled_from(["", "00", "08", "0800", "091500", "0915", "101530.5", "1200", "235959.999999"])


def ranges(bounds: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """One value, or two in their order with a dash between them."""
    ordered = st.tuples(bounds, bounds).filter(lambda pair: any(pair) and (not pair[1] or pair[0] <= pair[1]))
    return bounds | ordered.map("-".join)


@given(
    keys=st.fixed_dictionaries(
        {},
        optional={
            "PatientName": st.tuples(NAMES),
            "PatientID": st.tuples(IDENTIFIERS),
            "AccessionNumber": st.tuples(IDENTIFIERS),
            "StudyDescription": st.tuples(TEXTS),
            "StudyDate": st.tuples(ranges(DATES)),
            "StudyTime": st.tuples(ranges(TIMES)),
            "PatientSex": st.tuples(st.sampled_from(["M", "F", "?", "m"])),
            "ModalitiesInStudy": st.lists(st.sampled_from(["CT", "MR", "SR", "XX"]), max_size=2),
        },
    ),
    level=st.sampled_from([Level.STUDY, Level.SERIES]),
)
@example(keys={"PatientName": (" ",)}, level=Level.STUDY)
def test_any_question_finds_what_the_matcher_in_memory_finds(
    held: Archive, keys: dict[str, Sequence[str]], level: Level
) -> None:
    found = labels(level, held.search(query(level, keys)))
    assert len(found) == len(set(found))
    assert frozenset(found) == found_in_memory(level, keys)


def test_studies_come_from_the_newest(held: Archive) -> None:
    assert labels(Level.STUDY, held.search(Query(Level.STUDY))) == ["F", "E", "H", "D", "C", "B", "A", "G"]


def test_series_and_instances_come_by_their_numbers(held: Archive) -> None:
    series = query(Level.SERIES, {"StudyInstanceUID": [uid_of("A")]})
    assert labels(Level.SERIES, held.search(series)) == ["A1", "A2", "A3"]
    instances = query(Level.INSTANCE, {"SeriesInstanceUID": [uid_of("A1")]})
    assert labels(Level.INSTANCE, held.search(instances)) == ["A1a", "A1b", "A1c"]


@pytest.mark.xfail(raises=AssertionError, reason="below the studies the order is that of arrival")
def test_series_and_instances_of_many_studies_follow_the_order_of_the_studies(held: Archive) -> None:
    assert labels(Level.SERIES, held.search(Query(Level.SERIES))) == (
        ["F1", "E1", "H1", "D1", "C1", "C2", "B1", "A1", "A2", "A3", "G1"]
    )
    assert labels(Level.INSTANCE, held.search(Query(Level.INSTANCE))) == (
        ["F1a", "E1a", "H1a", "D1a", "C1a", "C2a", "B1a", "A1a", "A1b", "A1c", "A2a", "A3a", "G1a"]
    )


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_pages_put_together_are_the_whole(held: Archive, level: Level, limit: int) -> None:
    whole = labels(level, held.search(Query(level)))
    offsets = range(0, len(whole) + limit, limit)
    pages = [labels(level, held.search(Query(level, limit=limit, offset=offset))) for offset in offsets]
    assert [label for page in pages for label in page] == whole
    assert all(len(page) <= limit for page in pages)


def test_an_offset_needs_no_limit(held: Archive) -> None:
    whole = labels(Level.STUDY, held.search(Query(Level.STUDY)))
    assert labels(Level.STUDY, held.search(Query(Level.STUDY, offset=3))) == whole[3:]
    assert labels(Level.STUDY, held.search(Query(Level.STUDY, limit=0))) == []
    assert labels(Level.STUDY, held.search(Query(Level.STUDY, offset=99))) == []


def attributes(archive: Archive, level: Level, label: str) -> DicomJson:
    (found,) = (f for f in archive.search(Query(level)) if label_of(level, f.attributes) == label)
    return found.attributes


def value(found: DicomJson, keyword: str) -> object:
    return found[BY_KEYWORDS[keyword].json_key].get("Value")


@pytest.mark.parametrize("level", [Level.STUDY, Level.SERIES, Level.INSTANCE])
def test_what_is_counted_of_a_study_is_told_at_every_level(held: Archive, level: Level) -> None:
    found = attributes(held, level, "A1a"[: level.value if level < Level.INSTANCE else 3])
    assert value(found, "NumberOfStudyRelatedSeries") == [3]
    assert value(found, "NumberOfStudyRelatedInstances") == [5]
    assert value(found, "ModalitiesInStudy") == ["CT", "SR"]
    assert value(found, "SOPClassesInStudy") == sorted(
        [CTImageStorage, EnhancedCTImageStorage, ComprehensiveSRStorage]
    )


def test_what_is_counted_of_a_series_is_told_below_it(held: Archive) -> None:
    for level, label in ((Level.SERIES, "A1"), (Level.INSTANCE, "A1b")):
        assert value(attributes(held, level, label), "NumberOfSeriesRelatedInstances") == [3]
    assert value(attributes(held, Level.SERIES, "A2"), "NumberOfSeriesRelatedInstances") == [1]


def test_what_is_counted_of_a_patient_is_told(held: Archive) -> None:
    found = attributes(held, Level.PATIENT, "A")
    assert value(found, "NumberOfPatientRelatedStudies") == [2]
    assert value(found, "NumberOfPatientRelatedSeries") == [4]
    assert value(found, "NumberOfPatientRelatedInstances") == [6]


def test_a_study_without_modalities_says_so(held: Archive) -> None:
    assert attributes(held, Level.STUDY, "G")[BY_KEYWORDS["ModalitiesInStudy"].json_key] == {"vr": "CS"}


def test_an_instance_tells_how_it_can_be_had(held: Archive) -> None:
    found = attributes(held, Level.INSTANCE, "A1a")
    assert value(found, "AvailableTransferSyntaxUID") == [ExplicitVRLittleEndian]
    assert value(found, "InstanceAvailability") == ["ONLINE"]


def test_an_answer_tells_what_is_kept_of_its_level_and_those_above(held: Archive) -> None:
    expected = {"PatientName", "PatientID", "StudyDate", "Modality", "SeriesNumber", "ContentDate"}
    found = attributes(held, Level.INSTANCE, "A1a")
    assert {BY_KEYWORDS[keyword].json_key for keyword in expected} <= found.keys()
    assert value(found, "PatientName") == [{"Alphabetic": "Pérez^José"}]
    assert BY_KEYWORDS["ContentDate"].json_key not in attributes(held, Level.SERIES, "A1")
    assert BY_KEYWORDS["StudyDate"].json_key not in attributes(held, Level.PATIENT, "A")


def test_an_identity_leads_to_the_studies_of_one_patient_alone(held: Archive) -> None:
    of_patients = {
        label_of(Level.PATIENT, found.attributes): found.patient_identity
        for found in held.search(Query(Level.PATIENT))
    }
    assert len(set(of_patients.values())) == len(of_patients) == 7
    studies = {
        label: labels(Level.STUDY, held.search(Query(Level.STUDY, patient_identity=identity)))
        for label, identity in of_patients.items()
    }
    assert studies == {"A": ["H", "A"], **{label: [label] for label in "BCDEFG"}}
    series = held.search(Query(Level.SERIES, patient_identity=of_patients["A"]))
    assert sorted(labels(Level.SERIES, series)) == ["A1", "A2", "A3", "H1"]
    (patient,) = held.search(Query(Level.PATIENT, patient_identity=of_patients["A"]))
    assert label_of(Level.PATIENT, patient.attributes) == "A"
    assert list(held.search(Query(Level.STUDY, patient_identity="0" * 64))) == []


def criterion(path: str, condition: Condition) -> Criterion:
    return Criterion(BY_KEYWORDS[path], condition)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (criterion("PatientID", OneOf(("P1", "P_2"))), "ABDH"),
        (criterion("PatientName", OneOf(("rossi", "山田 太郎"))), "DF"),
        (criterion("PatientID", Wildcard("P\\*")), ""),
        (criterion("PatientID", Wildcard("*\\")), ""),
        (criterion("PatientID", Wildcard("**P**1**")), "ABH"),
        (criterion("PatientID", OneOf(("' OR 1=1 --",))), ""),
        (criterion("PatientID", Wildcard("*' OR 1=1 --*")), ""),
        (criterion("PatientName", Wildcard("*=*")), "D"),
        (criterion("StudyDate", Range("20240101", None)), "ABCDEFH"),
        (criterion("StudyDate", Range(None, "20240101")), "A"),
    ],
)
def test_conditions_of_every_form_are_compiled(held: Archive, given: Criterion, found: str) -> None:
    answers = held.search(Query(Level.STUDY, (given,)))
    assert sorted(labels(Level.STUDY, answers)) == list(found)


def test_a_key_below_the_asked_level_finds_nothing(held: Archive) -> None:
    key = criterion("Modality", OneOf(("CT",)))
    assert list(held.search(Query(Level.STUDY, (key,)))) == []


@pytest.mark.parametrize("keyword", ["ModalitiesInStudy", "SOPClassesInStudy"])
def test_what_is_in_a_study_is_below_the_level_of_patients(held: Archive, keyword: str) -> None:
    key = criterion(keyword, OneOf(("CT",) if keyword == "ModalitiesInStudy" else (CTImageStorage,)))
    assert list(held.search(Query(Level.PATIENT, (key,)))) == []


def test_a_range_open_on_both_sides_finds_all(held: Archive) -> None:
    found = held.search(query(Level.STUDY, {"StudyDate": ["-"]}))
    assert sorted(labels(Level.STUDY, found)) == list("ABCDEFGH")


def test_a_question_mark_stands_for_one_syllable_of_hangul(held: Archive) -> None:
    found = held.search(query(Level.STUDY, {"ReferringPhysicianName": ["홍^?동"]}))
    assert labels(Level.STUDY, found) == ["D"]


def test_a_search_may_be_left_early(held: Archive) -> None:
    for _ in range(100):  # more often than there are connections
        assert next(held.search(Query(Level.INSTANCE)))
    assert len(labels(Level.INSTANCE, held.search(Query(Level.INSTANCE)))) == 13


def test_a_search_sees_the_index_as_it_was_when_it_began(archive: Archive) -> None:
    store(archive, picture("first"))
    answers = archive.search(Query(Level.INSTANCE))
    next(answers)
    store(archive, picture("second"))
    assert list(answers) == []
    assert len(list(archive.search(Query(Level.INSTANCE)))) == 2


def request(step: str, procedure: str) -> bytes:
    return item(element(0x00400009, "SH", step.encode()) + element(0x00401001, "SH", procedure.encode()))


def test_a_sequence_matches_when_any_of_its_items_does(archive: Archive) -> None:
    """Two orders, one acquisition: each order finds the series; both keys are of one item (C.2.2.2.6)."""
    requests = request("SPS-1", "RP-1") + request("SPS-2", "RP-2")
    store(archive, picture("requests", {0x00400275: ("SQ", requests)}))
    other = {0x00400275: ("SQ", request("SPS-2", "RP-3")), 0x0020000E: ("UI", b"2.999.77")}
    store(archive, picture("other", other))

    def found(level: Level, step: str, procedure: str = "") -> int:
        keys = {
            f"RequestAttributesSequence.{name}": [value]
            for name, value in (("ScheduledProcedureStepID", step), ("RequestedProcedureID", procedure))
            if value
        }
        return len(list(archive.search(query(level, keys))))

    for level in (Level.SERIES, Level.INSTANCE):
        assert [found(level, step) for step in ("SPS-1", "SPS-2", "SPS-*", "SPS-3")] == [1, 2, 2, 0]
        assert [found(level, "SPS-2", procedure) for procedure in ("RP-1", "RP-2", "RP-3")] == [0, 1, 1]


@pytest.mark.parametrize("index_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("ask", ["search", "instances", "series_of"])
def test_an_index_that_cannot_be_read_is_a_failure_of_storage(
    tmp_path: Path, archive: Archive, index: Index, ask: str
) -> None:
    store(archive, picture("before"))
    index.close()
    for path in tmp_path.glob("index.sqlite*"):
        path.write_bytes(b"no longer an index" * 1000)
    with pytest.raises(StorageFailed):
        list(archive.search(Query(Level.STUDY)) if ask == "search" else getattr(archive, ask)("1.2.3"))


def test_an_empty_index_knows_nothing(index: Index) -> None:
    assert list(index.walk()) == []
    assert index.newest_file() == ""
    assert index.count() == 0


def test_known_files_are_told_from_others(archive: Archive, index: Index) -> None:
    keys = [stored(archive, picture(str(number))).file for number in range(3)]
    assert index.known_files([*keys, "2026/01/01/00/unknown.dcm"]) == set(keys)
    assert index.known_files([]) == set()
    assert [instance.file for instance in index.walk()] == keys
    assert index.newest_file() == keys[-1]
    assert index.count() == 3


def test_a_long_walk_is_read_in_pages(
    archive: Archive, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        store(archive, picture(str(number)))
    for page in (1, 2, 5, 6):
        monkeypatch.setattr(search, "PAGE", page)
        monkeypatch.setattr(lookup, "PAGE", page)
        assert len({instance.file for instance in index.walk()}) == 5
        assert len(list(index.search(Query(Level.INSTANCE)))) == 5
