"""Connections: as strict as was asked, one writer at a time, and errors in the archive's own words."""

import fcntl
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, text
from sqlalchemy.schema import CreateTable

from pacs.errors import OutOfSpace, StorageFailed
from pacs.index import engine as engines
from pacs.index.engine import Prepared, Transactions, open_engine, sqlite_url
from tests.pacs.files.test_disk import small_disk
from tests.pacs.index.notes import note, notes


@pytest.mark.parametrize(
    ("pragma", "expected"),
    [("journal_mode", "wal"), ("synchronous", 1), ("foreign_keys", 1), ("busy_timeout", 30000)],
)
def test_every_connection_is_as_strict_as_was_asked(engine: Engine, pragma: str, expected: object) -> None:
    with engine.connect() as one, engine.connect() as other:
        for connection in (one, other):
            assert connection.execute(text(f"PRAGMA {pragma}")).scalar() == expected


def test_text_is_compared_with_regard_to_case(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 'abc' LIKE 'ABC%'")).scalar() == 0


def test_a_pragma_that_does_not_read_back_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_PRAGMAS", (("synchronous", "NORMAL", 3),))
    engine = open_engine(sqlite_url(tmp_path / "lax.sqlite"))
    with pytest.raises(StorageFailed, match="does not keep synchronous=NORMAL"):
        engine.connect()


def test_a_transaction_is_committed_when_it_ends_well(engine: Engine, transactions: Transactions) -> None:
    for number in range(3):
        with transactions.begin() as connection:
            connection.execute(insert(note), {"number": number})
    assert notes(engine) == [0, 1, 2]


@pytest.mark.parametrize("error", [RuntimeError, StorageFailed, KeyboardInterrupt])
def test_nothing_of_a_transaction_stays_when_it_breaks_off(
    engine: Engine, transactions: Transactions, error: type[BaseException]
) -> None:
    with pytest.raises(error), transactions.begin() as connection:
        connection.execute(insert(note), {"number": 1})
        raise error("broken off")
    with transactions.begin() as connection:
        connection.execute(insert(note), {"number": 2})
    assert notes(engine) == [2]


def test_a_statement_that_fails_is_a_failure_of_storage_and_the_next_goes_well(
    engine: Engine, transactions: Transactions
) -> None:
    with pytest.raises(StorageFailed, match="IntegrityError"), transactions.begin() as connection:
        connection.execute(insert(note), [{"number": 1}, {"number": 1}])
    with transactions.begin() as connection:
        connection.execute(insert(note), {"number": 1})
    assert notes(engine) == [1]


def test_readers_see_what_was_before_until_the_commit(engine: Engine, transactions: Transactions) -> None:
    with transactions.begin() as connection:
        connection.execute(insert(note), {"number": 1})
        assert notes(engine) == []
    assert notes(engine) == [1]


def is_locked(path: Path) -> bool:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_one_process_writes_at_a_time(tmp_path: Path, transactions: Transactions) -> None:
    lock = tmp_path / "notes.sqlite-lock"
    assert not is_locked(lock)
    with transactions.begin():
        assert is_locked(lock)
    assert not is_locked(lock)
    with pytest.raises(RuntimeError), transactions.begin():
        raise RuntimeError("broken off")
    assert not is_locked(lock)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_closing_leaves_no_descriptor_open(engine: Engine) -> None:
    before = open_descriptors()
    for _ in range(5):
        transactions = Transactions(engine)
        with transactions.begin():
            pass
        transactions.close()
        transactions.close()
        engine.dispose()
    assert open_descriptors() <= before


def test_an_index_that_outgrows_its_disk_is_out_of_space_until_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "size=2m") as folder:
        engine = open_engine(sqlite_url(folder / "notes.sqlite"))
        with engine.begin() as connection:
            connection.execute(CreateTable(note))
        transactions = Transactions(engine)
        filling = folder / "filling"
        with filling.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            while file.write(bytes(4096)):
                pass
        with pytest.raises(OutOfSpace, match="no room left for the index"), transactions.begin() as full:
            full.execute(insert(note), {"number": 1, "words": "word" * 20_000})
        assert notes(engine) == []
        filling.unlink()
        with transactions.begin() as connection:
            connection.execute(insert(note), {"number": 2, "words": "word" * 20_000})
        assert notes(engine) == [2]
        transactions.close()
        engine.dispose()


def test_a_prepared_statement_runs_for_one_row_or_for_many(
    engine: Engine, transactions: Transactions
) -> None:
    prepared = Prepared(insert(note), engine, ["number", "words"])
    with transactions.begin() as connection:
        cursor = connection.connection.cursor()
        prepared.run(cursor, [{"number": 1, "words": "one"}])
        prepared.run(cursor, [{"words": "two", "number": 2}, {"number": 3, "words": None}])
    assert notes(engine) == [1, 2, 3]


def test_a_transaction_that_broke_off_within_a_statement_locks_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorter = [row if row[0] != "busy_timeout" else ("busy_timeout", "100", 100) for row in engines._PRAGMAS]
    monkeypatch.setattr(engines, "_PRAGMAS", tuple(shorter))
    engine = open_engine(sqlite_url(tmp_path / "notes.sqlite"))
    with engine.begin() as connection:
        connection.execute(CreateTable(note))
    transactions = Transactions(engine)
    prepared = Prepared(insert(note), engine, ["number", "words"])
    cursors = []
    with pytest.raises(OverflowError), transactions.begin() as connection:
        cursors.append(connection.connection.cursor())
        prepared.run(cursors[0], [{"number": number, "words": ""} for number in (1, 2**63)])
    with transactions.begin() as connection:
        connection.execute(insert(note), {"number": 2})
    assert notes(engine) == [2]


def test_only_what_runs_can_be_prepared(engine: Engine) -> None:
    with pytest.raises(TypeError):
        Prepared(CreateTable(note), engine)


def test_the_log_of_sqlite_has_its_whole_length_before_the_first_commit(
    engine: Engine, transactions: Transactions, tmp_path: Path
) -> None:
    database, log = tmp_path / "notes.sqlite", tmp_path / "notes.sqlite-wal"
    before = database.stat().st_size
    transactions.lengthen_log()
    length = log.stat().st_size
    assert length >= 8000 * 4096
    transactions.lengthen_log()
    with transactions.begin() as connection:
        connection.execute(insert(note), {"number": 1})
    assert notes(engine) == [1]
    assert (log.stat().st_size, database.stat().st_size) == (length, before)


def test_a_small_disk_is_not_filled_with_the_log(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        engine = open_engine(sqlite_url(disk / "notes.sqlite"))
        transactions = Transactions(engine)
        transactions.lengthen_log()
        transactions.close()
        engine.dispose()
        assert sum(file.stat().st_size for file in disk.iterdir()) < 1 << 20
