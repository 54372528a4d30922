"""Bringing the tables of an index to the present form, step by step."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DBAPIError

from pacs.index.engine import index_error, open_engine


def migrate(url: str) -> None:
    """Create the tables, or alter those of an older version. One process does this, before all others.

    Raises StorageFailed when this is no index.
    """
    engine = open_engine(url)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except DBAPIError as error:
        raise index_error(error.orig or error) from error
    finally:
        engine.dispose()
