"""What every file store must keep to, whatever it is made of. Stores inherit these tests."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pacs.errors import NotFound, OutOfSpace
from pacs.files import FileStore

CONTENT = bytes(range(256)) * 20


def kept(store: FileStore, content: bytes = CONTENT) -> str:
    """Write a file, sync and settle it; returns its key."""
    new = store.create()
    new.write(content)
    new.complete()
    new.sync()
    store.settle([new.key])
    return new.key


def content_of(store: FileStore, key: str) -> bytes:
    with store.open(key) as file:
        return file.read(0, file.size)


class FileStoreContract:
    """Inherited by the tests of a store, which give the fixtures."""

    @pytest.fixture
    def store(self) -> FileStore:
        """An empty store."""
        raise NotImplementedError

    @pytest.fixture
    def small_store(self) -> Iterator[FileStore]:
        """An empty store with room for less than two megabytes."""
        raise NotImplementedError

    def test_what_is_written_is_read_back(self, store: FileStore) -> None:
        new = store.create()
        for start in range(0, len(CONTENT), 700):
            new.write(memoryview(CONTENT)[start : start + 700])
            assert new.size == min(start + 700, len(CONTENT))
        new.complete()
        new.sync()
        store.settle([new.key])
        with store.open(new.key) as file:
            assert file.size == len(CONTENT)
            assert file.read(0, file.size) == CONTENT

    def test_a_file_may_be_empty(self, store: FileStore) -> None:
        new = store.create()
        with new.content() as (content, start, end):
            assert content[start:end] == b""
        new.complete()
        new.sync()
        store.settle([new.key])
        assert content_of(store, new.key) == b""

    @pytest.mark.parametrize("times", [1, 500])
    def test_what_was_written_is_seen_before_it_is_synced(self, store: FileStore, times: int) -> None:
        new = store.create()
        new.write(CONTENT * times)
        new.write(bytearray(b" and more"))
        for _ in range(2):
            with new.content() as (content, start, end):
                assert content[start:end] == CONTENT * times + b" and more"
                assert end - start == new.size
            new.complete()
        new.sync()
        assert content_of(store, new.key) == CONTENT * times + b" and more"

    @pytest.mark.parametrize("times", [0, 1, 500])
    @pytest.mark.parametrize("expected", [0, 1, 14, 4082, 4095, 4096 - 14 * len(CONTENT), 500 * len(CONTENT)])
    def test_the_head_of_a_file_stands_before_what_was_written(
        self, store: FileStore, times: int, expected: int
    ) -> None:
        asked: list[int | None] = []

        def head(length: int | None) -> bytes:
            asked.append(length)
            return b"the head of it"

        new = store.create(head, expected)
        new.write(CONTENT * times)
        new.complete()
        assert asked in ([len(CONTENT) * times], [None])
        assert (new.head_size, new.size) == (14, 14 + len(CONTENT) * times)
        with new.content() as (content, start, end):
            assert content[start:end] == CONTENT * times
        new.sync()
        assert content_of(store, new.key) == b"the head of it" + CONTENT * times

    def test_a_small_file_is_nowhere_before_it_is_complete(self, store: FileStore) -> None:
        new = store.create()
        new.write(CONTENT)
        assert new.key == ""
        assert list(store.walk()) == []
        new.complete()
        assert list(store.walk()) == [new.key]
        new.discard()

    def test_a_file_is_read_at_any_position(self, store: FileStore) -> None:
        with store.open(kept(store)) as file:
            for offset, length in ((0, 1), (255, 3), (1000, 0), (len(CONTENT) - 1, 1)):
                assert file.read(offset, length) == CONTENT[offset : offset + length]
                assert file.read_cached(offset, length) in (None, CONTENT[offset : offset + length])

    def test_what_is_expected_is_read_as_ever(self, store: FileStore) -> None:
        keys = [kept(store, bytes([number]) * 5000) for number in range(5)]
        store.delete(keys[2])
        store.expect(keys, 1000)
        assert [content_of(store, key)[0] for key in keys[:2] + keys[3:]] == [0, 1, 3, 4]
        with pytest.raises(NotFound):
            store.open(keys[2])

    def test_behind_the_end_of_a_file_is_nothing(self, store: FileStore) -> None:
        with store.open(kept(store)) as file:
            assert file.read(file.size - 3, 100) == CONTENT[-3:]
            assert file.read(file.size, 100) == b""
            assert file.read(file.size + 100, 100) == b""
            assert b"".join(file.chunks(file.size - 3, 100)) == CONTENT[-3:]

    def test_a_large_file_comes_in_pieces(self, store: FileStore) -> None:
        large = CONTENT * 700
        with store.open(kept(store, large)) as file:
            pieces = list(file.chunks(1, len(large) - 2))
        assert b"".join(pieces) == large[1:-1]
        assert len(pieces) > 1
        assert max(map(len, pieces)) <= 4 << 20

    def test_a_file_is_read_by_many_threads_at_once(self, store: FileStore) -> None:
        with store.open(kept(store)) as file, ThreadPoolExecutor(8) as threads:
            found = threads.map(lambda offset: file.read(offset, 16), range(0, len(CONTENT), 16))
            assert b"".join(found) == CONTENT

    def test_a_file_that_is_not_there_is_not_found(self, store: FileStore) -> None:
        key = kept(store)
        store.delete(key)
        with pytest.raises(NotFound):
            store.open(key)

    def test_deleting_twice_is_no_error(self, store: FileStore) -> None:
        key = kept(store)
        store.delete(key)
        store.delete(key)
        assert list(store.walk()) == []

    def test_an_open_file_outlives_its_name(self, store: FileStore) -> None:
        key = kept(store)
        with store.open(key) as file:
            store.delete(key)
            assert file.read(0, file.size) == CONTENT

    @pytest.mark.parametrize("steps", range(5))
    @pytest.mark.parametrize("times", [1, 500])
    def test_a_discarded_file_leaves_nothing(self, store: FileStore, steps: int, times: int) -> None:
        new = store.create()
        step: list[Callable[[], None]] = [
            lambda: new.write(CONTENT * times),
            new.complete,
            new.sync,
            lambda: store.settle([new.key]),
        ]
        for do in step[:steps]:
            do()
        new.discard()
        new.discard()
        assert list(store.walk()) == []
        if steps > 1:
            with pytest.raises(NotFound):
                store.open(new.key)

    def test_a_file_set_aside_is_out_of_the_archive(self, store: FileStore) -> None:
        first, second = kept(store, b"first"), kept(store, b"second")
        aside = store.set_aside(first)
        assert list(store.walk()) == [second]
        with pytest.raises(NotFound):
            store.open(first)
        store.forget_aside(aside)
        store.forget_aside(aside)
        assert content_of(store, second) == b"second"

    def test_a_recycled_file_is_out_of_the_archive_and_comes_back(self, store: FileStore) -> None:
        first, second = kept(store, b"first"), kept(store, b"second")
        store.recycled.take([first])
        assert (list(store.walk()), list(store.recycled.walk())) == ([second], [first])
        with pytest.raises(NotFound):
            store.open(first)
        with store.recycled.open(first) as file:
            assert file.read(0, file.size) == b"first"
        store.recycled.give_back([first])
        assert (list(store.walk()), list(store.recycled.walk())) == ([first, second], [])
        assert store.is_whole(first)
        assert content_of(store, first) == b"first"

    def test_a_file_is_recycled_while_it_is_read(self, store: FileStore) -> None:
        key = kept(store)
        with store.open(key) as file:
            store.recycled.take([key])
            store.recycled.delete([key])
            assert file.read(0, file.size) == CONTENT

    def test_moving_what_is_moved_already_is_no_error(self, store: FileStore) -> None:
        key, lost = kept(store), kept(store)
        store.delete(lost)
        for _ in range(2):
            store.recycled.take([key, lost])
        assert list(store.recycled.walk()) == [key]
        for _ in range(2):
            store.recycled.give_back([key, lost])
        assert list(store.walk()) == [key]

    def test_a_recycled_file_goes_for_good(self, store: FileStore) -> None:
        key, other = kept(store), kept(store)
        store.recycled.take([key])
        for _ in range(2):
            store.recycled.delete([key, other])
        assert (list(store.recycled.walk()), list(store.walk())) == ([], [other])
        with pytest.raises(NotFound):
            store.recycled.open(key)

    def test_one_at_a_time_moves_files(self, store: FileStore) -> None:
        order: list[str] = []

        def move() -> None:
            with store.recycled.moving():
                order.append("other")

        with ThreadPoolExecutor(1) as threads:
            with store.recycled.moving():
                moved = threads.submit(move)
                with pytest.raises(TimeoutError):
                    moved.result(0.1)
                order.append("one")
            moved.result(10)
        assert order == ["one", "other"]

    def test_files_are_walked_in_the_order_they_were_made(self, store: FileStore) -> None:
        assert list(store.walk()) == []
        keys = [kept(store, bytes([number])) for number in range(20)]
        assert sorted(keys) == keys
        assert list(store.walk()) == keys
        assert list(store.walk(since=keys[7])) == keys[7:]
        assert list(store.walk(since=keys[-1] + "~")) == []

    def test_keys_are_of_the_stores_own_making(self, store: FileStore) -> None:
        keys = {kept(store, b"../../etc/passwd\0PATIENT^NAME") for _ in range(5)}
        assert len(keys) == 5
        assert all(re.fullmatch(r"[0-9a-f][0-9a-f/]*(\.[0-9a-f]+)?(\.dcm)?", key) for key in keys)

    def test_many_threads_may_write_at_once(self, store: FileStore) -> None:
        contents = [bytes([number]) * 1000 for number in range(40)]
        with ThreadPoolExecutor(8) as threads:
            keys = list(threads.map(lambda content: kept(store, content), contents))
        assert len(set(keys)) == 40
        assert [content_of(store, key) for key in keys] == contents
        assert list(store.walk()) == sorted(keys)

    def test_a_file_is_not_abandoned_before_its_store_is_closed(self, store: FileStore) -> None:
        new, old = store.create(), kept(store)
        new.complete()
        assert not store.is_abandoned(new.key)
        assert not store.is_abandoned(old)
        store.close()
        assert store.is_abandoned(new.key)
        assert store.is_abandoned(old)

    def test_settling_nothing_is_no_error(self, store: FileStore) -> None:
        store.settle([])
        assert list(store.walk()) == []

    def test_when_there_is_no_room_nothing_is_left_behind(self, small_store: FileStore) -> None:
        before = kept(small_store, bytes(100))
        new = small_store.create()
        with pytest.raises(OutOfSpace, match="no room left"):
            for _ in range(8):
                new.write(bytes(1 << 18))
        new.discard()
        assert list(small_store.walk()) == [before]
        after = kept(small_store, bytes(1 << 19))  # there is room again
        assert content_of(small_store, after) == bytes(1 << 19)

    def test_its_secret_is_its_own_and_stays(self, store: FileStore) -> None:
        assert len(store.secret) == 32
        assert store.secret == store.secret
        assert len(set(store.secret)) > 8  # and not zeros
        assert list(store.walk()) == []
