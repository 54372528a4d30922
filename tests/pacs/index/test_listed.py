"""What studies are found by beside their columns: listed values, their last change, and orders of both."""

import time

from sqlalchemy import Table, func, select

from pacs.attributes import ATTRIBUTES, LISTED
from pacs.files import DiskFiles
from pacs.index import Index, schema
from pacs.index.engine import open_engine
from pacs.model import Level
from pacs.query import Criterion, OneOf, Order, Query, SortKey
from testdata.raw_bytes import element, item
from tests.pacs.index.test_remove import deleted, write
from tests.pacs.index.test_write import of_patient, record
from tests.pacs.objects import Changes

READERS, OPERATORS, REFERRER, ADMISSION, REQUESTS = 0x00081060, 0x00081070, 0x00080090, 0x00380010, 0x00400275
STUDY_DATE, SERIES = 0x00080020, 0x0020000E
NEWEST_CHANGE = (Order(SortKey.CHANGED, is_descending=True),)
ANY_TIME = (float("-inf"), float("inf"))
_BY_KEYWORD = {one.keyword: one for one in (*ATTRIBUTES, *LISTED) if len(one.path) == 1 or one in LISTED}


def study(number: int, others: Changes | None = None) -> Changes:
    uid = f"1.2.{number}"
    return {**of_patient(f"P{number}", study=uid), SERIES: ("UI", f"{uid}.1".encode()), **(others or {})}


def matching(index: Index, keyword: str, *values: str) -> list[str]:
    key = Criterion(_BY_KEYWORD[keyword], OneOf(values))
    return [found.name for found in index.search(Query(Level.STUDY, below=(key,), limit=10))]


def rows(url: str, table: Table) -> int:
    engine = open_engine(url)
    with engine.connect() as connection:
        number = connection.scalar(select(func.count()).select_from(table)) or 0
    engine.dispose()
    return number


def test_each_value_of_a_study_and_of_its_series_finds_it(index: Index, files: DiskFiles) -> None:
    persons = {
        READERS: ("PN", b"Sartor^Eva\\De Nardi^Ivo"),
        OPERATORS: ("PN", b"Costa^Ugo\\Vida^Ida"),
        REFERRER: ("PN", b"Cantu^Noe"),
        ADMISSION: ("LO", b"V1"),
    }
    write(index, record(files, "a", study(1, persons)), record(files, "b", study(2)))
    for keyword, value in (
        ("NameOfPhysiciansReadingStudy", "sartor eva"),
        ("NameOfPhysiciansReadingStudy", "de nardi*"),
        ("OperatorsName", "vida ida"),
        ("OperatorsName", "* ug*"),
        ("ReferringPhysicianName", "cantu noe"),
        ("ReferringPhysicianName", "* no*"),
        ("AdmissionID", "V1"),
    ):
        assert matching(index, keyword, value) == ["1.2.1"], (keyword, value)
        assert matching(index, keyword, "nobody", value) == ["1.2.1"]
    for keyword in ("NameOfPhysiciansReadingStudy", "OperatorsName", "ReferringPhysicianName"):
        assert matching(index, keyword, "sart", "de nardi") == []
    assert matching(index, "PerformingPhysicianName", "costa ugo") == []


def test_the_codes_of_reasons_find_it_each(index: Index, files: DiskFiles) -> None:
    def request(code: bytes) -> bytes:
        reason = element(0x0040100A, "SQ", item(element(0x00080100, "SH", code)))
        return item(element(0x00401001, "SH", b"1 ") + reason)

    asked = {REQUESTS: ("SQ", request(b"R42.") + request(b"R05."))}
    write(index, record(files, "a", study(1, asked)), record(files, "b", study(2)))
    assert matching(index, "CodeValue", "R42.") == matching(index, "CodeValue", "R05.") == ["1.2.1"]
    assert matching(index, "CodeValue", "R07.") == []


def test_what_is_listed_goes_with_its_study(index: Index, index_url: str, files: DiskFiles) -> None:
    persons = {READERS: ("PN", b"A\\B"), OPERATORS: ("PN", b"C")}
    first = record(files, "a", study(1, persons))
    write(index, first)
    assert (rows(index_url, schema.study_value), rows(index_url, schema.series_value)) == (2, 1)
    assert deleted(index, first) == 1
    assert (rows(index_url, schema.study_value), rows(index_url, schema.series_value)) == (0, 0)


def changes(index: Index, level: Level) -> dict[str, float]:
    told = {found.name: found.changed for found in index.search(Query(level))}
    return {name: changed for name, changed in told.items() if changed is not None}


def test_what_comes_and_goes_changes_a_study_and_a_new_study_its_patient(
    index: Index, files: DiskFiles
) -> None:
    first, second = record(files, "a", study(1)), record(files, "b", study(1))
    before = time.time()
    write(index, first)
    at_first, of_patient_at_first = changes(index, Level.STUDY), changes(index, Level.PATIENT)
    write(index, second)
    at_second = changes(index, Level.STUDY)
    assert before <= at_first["1.2.1"] < at_second["1.2.1"]
    assert changes(index, Level.PATIENT) == of_patient_at_first
    assert deleted(index, second, Level.INSTANCE) == 1
    assert changes(index, Level.STUDY)["1.2.1"] > at_second["1.2.1"]
    write(index, record(files, "c", {**study(3), **of_patient("P1", study="1.2.3")}))
    ((patient, at_last),) = changes(index, Level.PATIENT).items()
    assert at_last > of_patient_at_first[patient]


def test_they_are_found_and_ordered_by_their_last_change(index: Index, files: DiskFiles) -> None:
    for number in (2, 1, 3):
        write(index, record(files, str(number), study(number)))
    times = changes(index, Level.STUDY)
    for bounds, expected in (
        (ANY_TIME, ["1.2.3", "1.2.1", "1.2.2"]),
        ((times["1.2.1"], times["1.2.3"]), ["1.2.3", "1.2.1"]),
        ((times["1.2.1"], times["1.2.1"]), ["1.2.1"]),
        ((ANY_TIME[0], times["1.2.2"]), ["1.2.2"]),
    ):
        for limit in (None, 10):
            newest = Query(Level.STUDY, changed=bounds, order=NEWEST_CHANGE, limit=limit)
            assert [found.name for found in index.search(newest)] == expected
    of_patients = changes(index, Level.PATIENT)
    last = max(of_patients, key=lambda name: of_patients[name])
    since = Query(Level.PATIENT, changed=(of_patients[last], ANY_TIME[1]), order=NEWEST_CHANGE, limit=10)
    assert [found.name for found in index.search(since)] == [last]
    assert len(list(index.search(Query(Level.PATIENT, changed=ANY_TIME)))) == 3


def test_orders_can_be_turned_round(index: Index, files: DiskFiles) -> None:
    for number, day in ((1, b"20260102"), (2, b"20260101"), (3, b"")):
        write(index, record(files, str(number), study(number, {STUDY_DATE: ("DA", day)})))
    for key, expected in (
        (SortKey.STARTED, ["1.2.3", "1.2.2", "1.2.1"]),
        (SortKey.ID, ["1.2.1", "1.2.2", "1.2.3"]),
        (SortKey.CHANGED, ["1.2.1", "1.2.2", "1.2.3"]),
    ):
        for is_descending in (False, True):
            order = (Order(key, is_descending),)
            found = [one.name for one in index.search(Query(Level.STUDY, order=order, limit=10))]
            assert found == (expected[::-1] if is_descending else expected), key
            second = Query(Level.STUDY, order=order, limit=1, offset=1)
            assert [one.name for one in index.search(second)] == ["1.2.2"]
