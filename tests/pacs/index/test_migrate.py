"""Migrations lead to the tables that the code speaks of."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from importlib import import_module
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import UniqueConstraint, inspect

from dicomweb.search_parameters import parse_search
from pacs import index as index_room
from pacs.attributes import columns
from pacs.files import DiskFiles
from pacs.index import Index, migrate, sqlite_url
from pacs.index.engine import open_engine
from pacs.index.schema import metadata
from pacs.keys import parse_criteria
from pacs.model import Level
from pacs.procedure_steps.performed import PerformedSteps
from pacs.procedure_steps.performed_attributes import KEYS
from pacs.query import Query
from testdata.procedure_steps import STUDY, begun_step
from tests.pacs.index.test_write import record

# What 0012 made, undone
_BEFORE = (
    "DROP TABLE study_value",
    *(f"DROP INDEX ix_{table}_changed" for table in ("patient", "study")),
    *(f"ALTER TABLE {table} DROP COLUMN changed" for table in ("patient", "study")),
)


FINDING_STEPS = import_module("pacs.index.migrations.versions.0014_performed_steps")
MIDDLE_OF_NAMES = import_module("pacs.index.migrations.versions.0020_the_middle_of_names")
TIME_ZONES = import_module("pacs.index.migrations.versions.0018_time_zones")


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = sqlite_url(tmp_path / "index.sqlite")
    migrate(url)
    return url


def test_migrating_makes_the_tables_of_the_schema(url: str) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        options = {"compare_type": True, "include_name": lambda name, *_: "_trigrams" not in (name or "")}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_migrating_makes_the_indexes_and_constraints_of_the_schema(url: str) -> None:
    engine = open_engine(url)
    inspector = inspect(engine)
    for name, table in metadata.tables.items():
        assert {one["name"] for one in inspector.get_indexes(name)} == {one.name for one in table.indexes}
        unique = [tuple(one["column_names"]) for one in inspector.get_unique_constraints(name)]
        said = [
            tuple(column.name for column in one.columns)
            for one in table.constraints
            if isinstance(one, UniqueConstraint)
        ]
        assert sorted(unique) == sorted(said)
    engine.dispose()


def test_migrating_again_changes_nothing(url: str) -> None:
    migrate(url)
    index = Index(url)
    assert index.count() == 0
    index.close()


@pytest.mark.parametrize("level", Level)
def test_every_searched_attribute_has_its_column(level: Level) -> None:
    table = metadata.tables[level.name.lower()]
    assert {attribute.column for attribute in columns(level)} <= set(table.c.keys())


def migrate_again(url: str, before: str, revision: str, undone: Iterable[str]) -> None:
    """Undo what one migration made, and let it make it again; what later ones made stays."""
    engine = open_engine(url)
    config = Config()
    config.set_main_option("script_location", str(Path(index_room.__file__).parent / "migrations"))
    with engine.begin() as connection:
        for statement in undone:
            connection.exec_driver_sql(statement)
        config.attributes["connection"] = connection
        command.stamp(config, before)
        command.upgrade(config, revision)
        command.stamp(config, "head")
    engine.dispose()


def test_when_studies_changed_is_taken_from_the_feed(tmp_path: Path, files: DiskFiles) -> None:
    url = sqlite_url(tmp_path / "index.sqlite")
    migrate(url)
    index = Index(url)
    index.writer.write([record(files, "a")])
    (written,) = index.search(Query(Level.STUDY))
    index.close()
    migrate_again(url, "0011", "0012", _BEFORE)
    index = Index(url)
    for level in (Level.PATIENT, Level.STUDY):
        (found,) = index.search(Query(level))
        assert found.changed == pytest.approx(written.changed, abs=60)
    index.close()


def test_time_zones_are_taken_from_what_studies_state(tmp_path: Path, files: DiskFiles) -> None:
    url = sqlite_url(tmp_path / "index.sqlite")
    migrate(url)
    index = Index(url)
    stated = {0x00080201: ("SH", b"-0330"), 0x0020000D: ("UI", b"2.999.1"), 0x0020000E: ("UI", b"2.999.2")}
    index.writer.write([record(files, "a", stated), record(files, "b")])
    index.close()
    undone = ("DROP INDEX ix_study_timezone_offset", "ALTER TABLE study DROP COLUMN timezone_offset")
    migrate_again(url, TIME_ZONES.down_revision, TIME_ZONES.revision, undone)
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as after:
        assert sorted(after.execute("select timezone_offset is null, timezone_offset from study")) == [
            (0, -210),
            (1, None),
        ]


def test_steps_that_were_performed_before_are_found(tmp_path: Path, url: str) -> None:
    """They are in no file, from which a new index could be made."""
    index = Index(url)
    PerformedSteps(index.worklist, 30.0).create("2.999.1", begun_step())
    index.close()
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as before:
        searched = "select performed_step_key, path, item, value from performed_step_value order by key"
        values = set(before.execute(searched))
    dropped = ("drop table performed_step_value", "drop table step_message")
    migrate_again(url, FINDING_STEPS.down_revision, FINDING_STEPS.revision, dropped)
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as after:
        assert set(after.execute(searched)) == values
    index = Index(url)
    study = next(key for key in KEYS if key.keyword == "StudyInstanceUID")
    found = PerformedSteps(index.worklist, 30.0).search(parse_criteria({study: [STUDY]}))
    assert [one["00080018"]["Value"] for one in found] == [["2.999.1"]]
    index.close()


def test_names_that_were_stored_before_are_found_by_their_middle(tmp_path: Path, files: DiskFiles) -> None:
    url = sqlite_url(tmp_path / "index.sqlite")
    migrate(url)
    index = Index(url)
    index.writer.write([record(files, "a", {0x00100010: ("PN", b"Rossi^Anna")})])
    index.close()
    undone = (
        statement
        for table in ("patient", "study")
        for statement in (
            *(f"DROP TRIGGER {table}_is_{event}" for event in ("new", "gone", "renamed")),
            f"DROP TABLE {table}_trigrams",
        )
    )
    migrate_again(url, MIDDLE_OF_NAMES.down_revision, MIDDLE_OF_NAMES.revision, undone)
    index = Index(url)
    for level in (Level.PATIENT, Level.STUDY):
        query = parse_search(level, [("PatientName", "*oss*")]).query
        assert index.count_answers(query) == 1
    index.close()


def test_they_are_found_by_what_new_ones_are_found_by() -> None:
    assert {(key.path, key.matching) for key in FINDING_STEPS.KEYS} == {
        (key.path, key.matching) for key in KEYS
    }
