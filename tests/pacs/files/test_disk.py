"""The file store on a disk: the contract of every store, and what is a disk's own."""

import errno
import fcntl
import multiprocessing
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from pacs.errors import OutOfSpace, StorageFailed
from pacs.files import DiskFiles, FileStore
from pacs.files.new_file import BLOCK, HEAD_ROOM, STAGE
from pacs.files.storage_error import storage_error
from tests.contracts.file_store import CONTENT, FileStoreContract, content_of, kept
from tests.kept_files import open_files


@contextmanager
def small_disk(folder: Path, options: str = "size=1m") -> Iterator[Path]:
    """A file system in memory with little room. Skips the test where it may not be mounted."""
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


class TestDiskFiles(FileStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FileStore:
        return DiskFiles(tmp_path / "store")

    @pytest.fixture
    def small_store(self, tmp_path: Path) -> Iterator[FileStore]:
        with small_disk(tmp_path / "small") as folder:
            yield DiskFiles(folder)


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_two_stores_on_one_folder_are_one_store(tmp_path: Path) -> None:
    one, other = DiskFiles(tmp_path), DiskFiles(tmp_path)
    keys = [kept(one, b"of one"), kept(other, b"of the other")]
    assert content_of(other, keys[0]) == b"of one"
    assert list(one.walk()) == list(other.walk()) == keys


def test_a_file_set_aside_is_kept_for_a_person_to_look_at(tmp_path: Path) -> None:
    store = DiskFiles(tmp_path)
    key = kept(store, b"disputed")
    aside = store.set_aside(key)
    assert (tmp_path / "quarantine" / aside).read_bytes() == b"disputed"
    assert files_below(tmp_path / "objects") == []
    store.forget_aside(aside)
    assert files_below(tmp_path / "quarantine") == []


def test_files_of_one_hour_share_a_folder_that_tells_the_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DiskFiles(tmp_path)
    hour = 3_600_000_000_000
    keys = []
    for now in (5 * hour, 5 * hour + 1, 6 * hour - 1, 6 * hour, 24 * 365 * hour):
        monkeypatch.setattr(time, "time_ns", lambda now=now: now)
        keys.append(kept(store))
    folders = [key.rpartition("/")[0] for key in keys]
    assert folders == ["1970/01/01/05"] * 3 + ["1970/01/01/06", "1971/01/01/00"]
    assert list(store.walk()) == keys
    assert list(store.walk(since="1970/01/01/06")) == keys[3:]
    assert list(store.walk(since=keys[1])) == keys[1:]


def test_nobody_else_may_read_the_files(tmp_path: Path) -> None:
    key = kept(DiskFiles(tmp_path))
    assert (tmp_path / "objects" / key).stat().st_mode & 0o007 == 0


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    before = open_files(tmp_path)
    store = DiskFiles(tmp_path)
    for _ in range(10):
        content_of(store, kept(store))
        store.create().discard()
    store.close()
    assert open_files(tmp_path) == before


def test_a_disk_without_room_for_a_name_is_out_of_space(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "size=1m,nr_inodes=8") as folder:
        store = DiskFiles(folder)
        made = []
        with pytest.raises(OutOfSpace):
            for _ in range(8):
                made.append(store.create())
                made[-1].complete()
        for new in made:
            new.discard()
        assert list(store.walk()) == []


def test_a_disk_that_fails_is_not_called_full() -> None:
    assert isinstance(storage_error(OSError(28, "No space left on device")), OutOfSpace)
    assert isinstance(storage_error(OSError(122, "Disk quota exceeded")), OutOfSpace)
    failed = storage_error(OSError(5, "Input/output error"))
    assert isinstance(failed, StorageFailed)
    assert not isinstance(failed, OutOfSpace)
    assert "Input/output error" in str(failed)


def test_a_disk_that_may_only_be_read_fails(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as folder:
        store = DiskFiles(folder)
        key = kept(store, b"kept before")
        store.close()  # a disk on which anything is open for writing cannot be made read-only
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        with pytest.raises(StorageFailed, match="Read-only"):
            store.create().complete()
        with pytest.raises(StorageFailed, match="Read-only"):
            store.set_aside(key)
        assert content_of(store, key) == b"kept before"


@pytest.mark.parametrize("remove", ["delete", "forget_aside", "discard"])
def test_a_file_that_cannot_be_removed_is_a_failure_of_the_disk(tmp_path: Path, remove: str) -> None:
    with small_disk(tmp_path / "small") as folder:
        store = DiskFiles(folder)
        new, aside, key = store.create(), store.set_aside(kept(store)), kept(store)
        new.sync()
        store.close()
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        with pytest.raises(StorageFailed):
            if remove == "discard":
                new.discard()
            else:
                getattr(store, remove)(key if remove == "delete" else aside)


def test_the_folder_of_the_hour_may_vanish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 10**18)
    store = DiskFiles(tmp_path)
    first = kept(store)
    store.delete(first)
    (tmp_path / "objects" / first).parent.rmdir()
    assert content_of(store, kept(store)) == CONTENT


def test_a_stray_file_among_the_folders_does_not_end_the_walk(tmp_path: Path) -> None:
    store = DiskFiles(tmp_path)
    key = kept(store)
    (tmp_path / "objects" / "2000" / "01" / "01").mkdir(parents=True)
    (tmp_path / "objects" / "2000" / "01" / "01" / "notes.txt").touch()
    assert list(store.walk()) == [key]


# Writers, living and gone


def write_and_wait(folder: str, told: "Connection[str, None]") -> None:
    """What a process does that is killed while it receives."""
    new = DiskFiles(Path(folder)).create()
    new.write(b"half of")
    new.complete()
    told.send(new.key)
    time.sleep(600)


def test_the_files_of_a_process_that_was_killed_are_abandoned(tmp_path: Path) -> None:
    spawning = multiprocessing.get_context("spawn")
    hearing, telling = spawning.Pipe(duplex=False)
    process = spawning.Process(target=write_and_wait, args=(str(tmp_path), telling))
    process.start()
    key = hearing.recv()
    store = DiskFiles(tmp_path)
    assert not store.is_abandoned(key)
    process.kill()
    process.join()
    assert store.is_abandoned(key)
    assert store.is_abandoned(key)
    assert not store.is_abandoned(kept(store))


def test_files_of_stores_without_writers_are_abandoned(tmp_path: Path) -> None:
    store = DiskFiles(tmp_path)
    for key in ("2024/01/01/00/17a5a5a5a5a5a5a5aabbccdd.dcm", "2024/01/01/00/notes.txt", "notes"):
        assert store.is_abandoned(key)


# Files made ahead


@pytest.fixture
def ahead(tmp_path: Path) -> Iterator[DiskFiles]:
    store = DiskFiles(tmp_path, ahead=4)
    yield store
    store.close()


def test_files_made_ahead_are_used_and_filled_up(ahead: DiskFiles) -> None:
    keys = [kept(ahead, bytes([number])) for number in range(40)]
    assert len(set(keys)) == 40
    assert [content_of(ahead, key) for key in keys] == [bytes([number]) for number in range(40)]
    unused = set(ahead.walk()) - set(keys)
    assert len(unused) <= 4
    assert {content_of(ahead, key) for key in unused} <= {b""}


def test_a_store_may_be_closed_twice(tmp_path: Path) -> None:
    store = DiskFiles(tmp_path)
    key = kept(store, b"kept")
    store.close()
    store.close()
    assert content_of(store, key) == b"kept"


def test_files_made_ahead_and_not_used_go_when_the_store_closes(tmp_path: Path) -> None:
    before = open_files(tmp_path)
    store = DiskFiles(tmp_path, ahead=8)
    key = kept(store, b"used")
    store.close()
    assert files_below(tmp_path / "objects") == [key]
    assert files_below(tmp_path / "writers") == []
    assert open_files(tmp_path) == before


def test_files_made_ahead_in_another_hour_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour = 3_600_000_000_000
    now = [1_000_000 * hour]
    monkeypatch.setattr(time, "time_ns", lambda: now[0])
    store = DiskFiles(tmp_path, ahead=4)
    first = kept(store)
    now[0] += hour
    second = kept(store)
    store.close()
    assert first.rpartition("/")[0] < second.rpartition("/")[0]
    assert sorted(store.walk()) == [first, second]


def test_many_threads_share_what_was_made_ahead(ahead: DiskFiles) -> None:
    with ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(lambda number: kept(ahead, b"%d" % number), range(60)))
    assert [content_of(ahead, key) for key in keys] == [b"%d" % number for number in range(60)]


# Past the page cache


Open = Callable[[str, int, int], int]
Write = Callable[[int, memoryview], int]

SIZES = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, STAGE - HEAD_ROOM, STAGE - 1, STAGE, STAGE + 1, 2 * STAGE]


def content(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def no_direct_open(path: str, flags: int, mode: int = 0o777, *, _open: Open = os.open) -> int:
    """What a file system does that does not offer it."""
    if flags & os.O_DIRECT:
        raise OSError(errno.EINVAL, "Invalid argument")
    return _open(path, flags, mode)


def no_direct_write(descriptor: int, data: memoryview, *, _write: Write = os.write) -> int:
    """What a file system does that offers it, and then refuses it."""
    if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
        raise OSError(errno.EINVAL, "Invalid argument")
    return _write(descriptor, data)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("refused", [None, "open", "write"])
def test_files_of_any_size_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, refused: str | None
) -> None:
    if refused == "open":
        monkeypatch.setattr(os, "open", no_direct_open)
    elif refused == "write":
        monkeypatch.setattr(os, "write", no_direct_write)
    store = DiskFiles(tmp_path)
    assert content_of(store, kept(store, content(size))) == content(size)


@pytest.mark.parametrize("size", [BLOCK, STAGE - HEAD_ROOM, STAGE, 3 * STAGE + 1])
def test_memory_is_used_again_and_nothing_of_it_is_left(tmp_path: Path, size: int) -> None:
    store = DiskFiles(tmp_path)
    kept(store, b"\xff" * (2 * STAGE))
    new = store.create(lambda _: b"head")
    new.write(content(size))
    new.complete()
    new.sync()
    assert content_of(store, new.key) == b"head" + content(size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("largest", [BLOCK + 1, 2 * STAGE])
def test_what_comes_may_be_put_into_its_room(tmp_path: Path, size: int, largest: int) -> None:
    store = DiskFiles(tmp_path)
    new = store.create(lambda _: b"head", size)
    rest = content(size)
    while rest:
        room = new.room()
        assert len(room) > 0
        count = min(len(room), len(rest), largest)
        room[:count] = rest[:count]
        new.filled(count)
        rest = rest[count:]
    new.complete()
    new.sync()
    assert content_of(store, new.key) == b"head" + content(size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("wrong_by", [0, 1, BLOCK, -1])
@pytest.mark.parametrize("head", [lambda length: bytes(-(length or 0) % BLOCK), lambda _: bytes(BLOCK + 600)])
def test_more_or_less_may_come_than_was_expected(
    tmp_path: Path, size: int, wrong_by: int, head: Callable[[int | None], bytes]
) -> None:
    store = DiskFiles(tmp_path)
    new = store.create(head, max(0, size + wrong_by))
    new.write(content(size))
    new.complete()
    new.sync()
    written = content_of(store, new.key)
    assert written[new.head_size :] == content(size)
    assert len(written) == new.size


def test_a_disk_whose_refusal_means_something_else_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_descriptor: int, _data: memoryview) -> int:
        raise OSError(errno.EINVAL, "Invalid argument")

    store = DiskFiles(tmp_path)
    new = store.create()
    new.write(content(BLOCK))
    new.complete()
    monkeypatch.setattr(os, "write", failing)
    with pytest.raises(StorageFailed, match="Invalid argument"):
        new.sync()
    new.discard()
    assert list(store.walk()) == []


def secret_in_another_process(folder: Path) -> bytes:
    return DiskFiles(folder).secret


def test_processes_that_ask_at_once_get_one_secret(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        secrets = pool.map(secret_in_another_process, [tmp_path] * 12)
    assert len({*secrets, DiskFiles(tmp_path).secret}) == 1
    assert [name for name in files_below(tmp_path) if not name.startswith("writers/")] == ["secret"]
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o400


def test_two_stores_have_two_secrets(tmp_path: Path) -> None:
    assert DiskFiles(tmp_path / "one").secret != DiskFiles(tmp_path / "other").secret


def test_a_damaged_secret_is_not_made_up_anew(tmp_path: Path) -> None:
    DiskFiles(tmp_path)
    (tmp_path / "secret").write_bytes(b"too short")
    with pytest.raises(StorageFailed, match="secret is damaged"):
        _ = DiskFiles(tmp_path).secret
    assert (tmp_path / "secret").read_bytes() == b"too short"
