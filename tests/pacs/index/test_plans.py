"""How SQLite goes about searches that very many studies would make slow."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from pydicom.datadict import tag_for_keyword
from sqlalchemy import Engine

from dicomweb.search_parameters import parse_search
from pacs.attributes import BY_TAG, LISTED
from pacs.index import migrate, sqlite_url
from pacs.index.compile import Narrow, shape_of, statement
from pacs.index.engine import open_engine
from pacs.index.trigrams import Trigrams
from pacs.model import Level
from pacs.query import Criterion, OneOf, Order, Query, SortKey


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Engine]:
    url = sqlite_url(tmp_path / "index.sqlite")
    migrate(url)
    engine = open_engine(url)
    yield engine
    engine.dispose()


def plan(engine: Engine, **keys: str) -> list[str]:
    """Each step that reads a table, in SQLite's words."""
    return plan_of(engine, parse_search(Level.STUDY, [*keys.items(), ("limit", "50")]).query)


def plan_of(
    engine: Engine, query: Query, offsets: tuple[int, ...] = (), narrow: Narrow = lambda tests: tests
) -> list[str]:
    """The same of any query."""
    shape, parameters = shape_of(query, offsets, narrow)
    compiled = statement(shape).compile(engine)
    values = compiled.construct_params(parameters)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {compiled}", tuple(values[name] for name in compiled.positiontup or ())
        )
        return [row[3] for row in rows if row[3].startswith(("SCAN", "SEARCH"))]


def test_a_name_is_looked_for_in_the_order_of_the_list_without_reading_rows(empty: Engine) -> None:
    assert "SCAN study USING COVERING INDEX ix_study_newest" in plan(empty, PatientName="*ossi*")


def test_the_middle_of_a_name_that_few_have_is_found_by_its_trigrams(empty: Engine) -> None:
    for name in ("*ossi*", "*ossi", "*ross?ni*an*"):
        query = parse_search(Level.STUDY, [("PatientName", name), ("limit", "50")]).query
        steps = plan_of(empty, query, narrow=partial(Trigrams(empty).narrow, Level.STUDY))
        assert any(step.startswith("SEARCH study USING INTEGER PRIMARY KEY") for step in steps), steps
        assert not any(step.startswith("SCAN study ") for step in steps)


def test_the_beginning_of_a_name_bounds_what_is_read(empty: Engine) -> None:
    steps = plan(empty, PatientName="rossi*")
    assert any("ix_study_patient_name (patient_name>? AND patient_name<?)" in step for step in steps)


def test_the_modalities_of_a_study_are_those_of_its_own_series(empty: Engine) -> None:
    steps = plan(empty, ModalitiesInStudy="CT", StudyDate="20260101-20260131")
    assert any("ix_study_newest (study_date>? AND study_date<?)" in step for step in steps)
    (of_series,) = (step for step in steps if "series_1" in step)
    assert "(study_key=?)" in of_series


def test_a_day_of_a_time_zone_bounds_what_is_read(empty: Engine) -> None:
    keys = [("StudyDate", "20260101"), ("TimezoneOffsetFromUTC", "+0100"), ("limit", "50")]
    steps = plan_of(empty, parse_search(Level.STUDY, keys).query, (60, -300))
    assert any("ix_study_newest (study_date>? AND study_date<?)" in step for step in steps), steps
    assert not any(step.startswith("SCAN") for step in steps)


@pytest.mark.parametrize(
    ("keyword", "index"),
    [
        ("SeriesInstanceUID", "ix_series_series_instance_uid (series_instance_uid=?)"),
        ("SOPInstanceUID", "(sop_instance_uid=?)"),
    ],
)
def test_a_study_that_holds_a_uid_is_found_from_there(empty: Engine, keyword: str, index: str) -> None:
    key = Criterion(BY_TAG[tag_for_keyword(keyword) or 0], OneOf(("1.2.3",)))
    steps = plan_of(empty, Query(Level.STUDY, below=(key,), limit=50))
    assert any(index in step for step in steps)
    assert not any(step.startswith("SCAN") for step in steps)


@pytest.mark.parametrize(
    ("keyword", "index"),
    [("PatientID", "ix_study_patient_id"), ("AccessionNumber", "ix_study_accession_number")],
)
def test_an_identifier_leads_to_its_studies(empty: Engine, keyword: str, index: str) -> None:
    steps = plan(empty, **{keyword: "x"})
    assert any(f"{index} (" in step for step in steps), steps
    assert not any(step.startswith("SCAN") for step in steps)


def test_the_newest_studies_are_not_sorted(empty: Engine) -> None:
    assert any("ix_study_newest" in step for step in plan(empty))


@pytest.mark.parametrize("keyword", [one.keyword for one in LISTED])
def test_what_is_listed_leads_to_its_studies(empty: Engine, keyword: str) -> None:
    listed = next(one for one in LISTED if one.keyword == keyword)
    for value in ("rossi", "rossi*"):
        below = (Criterion(listed, OneOf((value,))),)
        steps = plan_of(empty, Query(Level.STUDY, below=below, limit=50))
        assert any("_value_path (path=? AND value" in step for step in steps)
        assert not any(step.startswith("SCAN") for step in steps)


def test_words_of_a_referring_physician_are_looked_for_in_the_index_alone(empty: Engine) -> None:
    key = Criterion(BY_TAG[0x00080090], OneOf(("rossi*", "* rossi*")))
    steps = plan_of(empty, Query(Level.STUDY, below=(key,), limit=50))
    assert any("COVERING INDEX ix_study_referring_physician_name" in step for step in steps)
    assert "SCAN study USING COVERING INDEX ix_study_newest" in steps  # half of them may have it


def test_the_studies_of_a_patient_are_found_from_there(empty: Engine) -> None:
    steps = plan_of(empty, Query(Level.STUDY, patient_identity="x", limit=50))
    assert any("ix_study_patient_key (patient_key=?)" in step for step in steps)
    assert not any(step.startswith("SCAN") for step in steps)


@pytest.mark.parametrize("is_descending", [False, True])
@pytest.mark.parametrize(
    ("key", "index"),
    [
        (SortKey.STARTED, "ix_study_newest"),
        (SortKey.CHANGED, "ix_study_changed"),
        (SortKey.ID, "sqlite_autoindex_study"),
    ],
)
def test_studies_in_order_are_not_sorted(
    empty: Engine, key: SortKey, index: str, is_descending: bool
) -> None:
    steps = plan_of(empty, Query(Level.STUDY, limit=50, order=(Order(key, is_descending),)))
    assert any(index in step for step in steps)


def test_the_last_changes_bound_what_is_read(empty: Engine) -> None:
    newest = (Order(SortKey.CHANGED, is_descending=True),)
    steps = plan_of(empty, Query(Level.STUDY, limit=50, changed=(1.0, 2.0), order=newest))
    assert any("ix_study_changed (changed>? AND changed<?)" in step for step in steps)
