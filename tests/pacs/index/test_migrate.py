"""Migrations lead to the tables that the code speaks of."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import UniqueConstraint, inspect

from pacs.attributes import columns
from pacs.index import Index, migrate, sqlite_url
from pacs.index.engine import open_engine
from pacs.index.schema import metadata
from pacs.model import Level


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = sqlite_url(tmp_path / "index.sqlite")
    migrate(url)
    return url


def test_migrating_makes_the_tables_of_the_schema(url: str) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
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
