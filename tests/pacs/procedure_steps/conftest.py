"""The steps are tried on each of the databases that the index may be kept in."""

from tests.pacs.index.conftest import index, index_url, new_postgresql

__all__ = ["index", "index_url", "new_postgresql"]
