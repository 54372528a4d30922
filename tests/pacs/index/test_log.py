"""The log of SQLite: when it is synced, for whom, and what follows when it cannot be."""

import errno
import os
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.schema import CreateTable

from pacs.errors import StorageFailed
from pacs.index import engine as engines
from pacs.index.engine import Transactions, open_engine, sqlite_url
from tests.pacs.index.notes import note, notes


class Device:
    """What fdatasync meets: how often it was asked, and whether it fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.syncs = 0
        self.fails = False
        self._sync = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self._fdatasync)

    def _fdatasync(self, descriptor: int) -> None:
        self.syncs += 1
        if self.fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._sync(descriptor)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Device:
    return Device(monkeypatch)


def commit_note(transactions: Transactions, number: int) -> int:
    """Commit, without sync; returns the number of the commit."""
    with transactions.begin_unsynced() as connection:
        connection.execute(insert(note), {"number": number})
    return transactions.last


def test_a_transaction_is_synced_when_it_ends(transactions: Transactions, device: Device) -> None:
    for number in range(3):
        with transactions.begin() as connection:
            connection.execute(insert(note), {"number": number})
        assert device.syncs == number + 1


def test_one_sync_serves_all_that_was_committed_before(
    engine: Engine, transactions: Transactions, device: Device
) -> None:
    first, second = commit_note(transactions, 1), commit_note(transactions, 2)
    assert notes(engine) == [1, 2]
    assert device.syncs == 0
    transactions.sync(second)
    transactions.sync(first)
    assert device.syncs == 1
    transactions.sync(commit_note(transactions, 3))
    assert device.syncs == 2


def test_a_transaction_that_only_read_is_synced_too(transactions: Transactions, device: Device) -> None:
    """What it read may be another process's commit that is not on the device yet."""
    with transactions.begin() as connection:
        connection.execute(select(note))
    assert device.syncs == 1


def test_a_log_that_sqlite_has_removed_needs_no_sync(tmp_path: Path, device: Device) -> None:
    engine = open_engine(sqlite_url(tmp_path / "notes.sqlite"))
    with engine.begin() as connection:
        connection.execute(CreateTable(note))
    transactions = Transactions(engine)
    commit = commit_note(transactions, 1)
    transactions._drop()
    engine.dispose()
    assert not (tmp_path / "notes.sqlite-wal").exists()
    transactions.sync(commit)
    assert device.syncs == 0
    transactions.sync(commit_note(transactions, 2))
    assert device.syncs == 1
    assert notes(engine) == [1, 2]
    transactions.close()
    engine.dispose()


def test_the_log_that_is_synced_is_the_one_that_is_there(
    tmp_path: Path, engine: Engine, transactions: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[os.stat_result] = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: synced.append(os.fstat(descriptor)))
    log = tmp_path / "notes.sqlite-wal"
    transactions.sync(commit_note(transactions, 1))
    before = log.stat().st_ino
    transactions._drop()
    engine.dispose()
    log.unlink(missing_ok=True)
    (tmp_path / "another").touch()  # so that the new log cannot have the old one's number
    transactions.sync(commit_note(transactions, 2))
    assert [each.st_ino for each in synced] == [before, log.stat().st_ino]


def test_after_a_failed_sync_nothing_is_promised_until_all_is_in_the_database(
    tmp_path: Path, engine: Engine, transactions: Transactions, device: Device
) -> None:
    device.fails = True
    commit = commit_note(transactions, 1)
    with pytest.raises(StorageFailed, match="could not be synced: Input/output error"):
        transactions.sync(commit)
    device.fails = False
    database = tmp_path / "notes.sqlite"
    before = database.read_bytes()
    with transactions.begin() as connection:
        assert database.read_bytes() != before  # the checkpoint
        connection.execute(insert(note), {"number": 2})
    assert notes(engine) == [1, 2]


def test_a_device_that_fails_once_fails_all_that_were_committed_by_then(
    engine: Engine, transactions: Transactions, device: Device
) -> None:
    first, second = commit_note(transactions, 1), commit_note(transactions, 2)
    device.fails = True
    with pytest.raises(StorageFailed):
        transactions.sync(first)
    device.fails = False
    with pytest.raises(StorageFailed):
        transactions.sync(second)
    transactions.sync(commit_note(transactions, 3))
    assert notes(engine) == [1, 2, 3]


@pytest.mark.parametrize("patience", ["100"])
def test_doubt_stays_while_a_reader_stands_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: Device, patience: str
) -> None:
    shorter = [
        row if row[0] != "busy_timeout" else ("busy_timeout", patience, int(patience))
        for row in engines._PRAGMAS
    ]
    monkeypatch.setattr(engines, "_PRAGMAS", tuple(shorter))
    engine = open_engine(sqlite_url(tmp_path / "notes.sqlite"))
    with engine.begin() as connection:
        connection.execute(CreateTable(note))
    transactions = Transactions(engine)
    with engine.connect() as reader:
        reader.execute(select(note)).all()
        device.fails = True
        with pytest.raises(StorageFailed):
            transactions.sync(commit_note(transactions, 1))
        device.fails = False
        for _ in range(2):
            with pytest.raises(StorageFailed, match="stands in the way"), transactions.begin():
                pytest.fail("a transaction was begun")
    with transactions.begin() as connection:
        connection.execute(insert(note), {"number": 2})
    assert notes(engine) == [1, 2]
    transactions.close()
    engine.dispose()
