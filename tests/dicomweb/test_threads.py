import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from time import monotonic, sleep

import pytest

from dicomweb.threads import READERS, SEARCHERS, Threads


def test_each_kind_of_work_has_threads_of_its_own() -> None:
    async def names() -> list[str]:
        threads = Threads()
        kinds = (threads.search, threads.read, threads.draw, threads.store)
        return [await kind(lambda: threading.current_thread().name) for kind in kinds]

    found = [name.rpartition("_")[0] for name in asyncio.run(names())]
    assert found == ["dicomweb-search", "dicomweb-read", "dicomweb-draw", "dicomweb-store"]


def test_one_kind_of_work_does_not_wait_for_another() -> None:
    async def work() -> int:
        threads, free = Threads(), threading.Event()
        waiting = [asyncio.ensure_future(threads.read(free.wait)) for _ in range(READERS + 4)]
        answer = await threads.search(int, "7")
        free.set()
        assert all(await asyncio.gather(*waiting))
        return answer

    assert asyncio.run(work()) == 7


def test_short_searches_are_made_by_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dicomweb.threads.SOON", 3600)
    done: list[tuple[int, int]] = []

    async def work() -> None:
        threads = Threads()
        await asyncio.gather(
            *(threads.search(lambda n: done.append((threading.get_ident(), n)), n) for n in range(500))
        )

    asyncio.run(work())
    assert [number for _, number in done] == [*range(500)]
    assert len({thread for thread, _ in done}) == 1


def test_a_long_search_does_not_hold_up_the_others() -> None:
    async def work() -> list[int]:
        threads, free = Threads(), threading.Event()
        waiting = [asyncio.ensure_future(threads.search(free.wait)) for _ in range(SEARCHERS - 1)]
        answers = [await threads.search(int, str(number)) for number in range(8)]
        free.set()
        assert all(await asyncio.gather(*waiting))
        return answers

    assert asyncio.run(work()) == [*range(8)]


@pytest.mark.parametrize("kind", ["search", "read"])
def test_what_waits_behind_all_threads_is_done(kind: str) -> None:
    done: list[int] = []

    async def work() -> None:
        give: Callable[..., Awaitable[object]] = getattr(Threads(), kind)
        await asyncio.gather(*(give(done.append, number) for number in range(500)))

    asyncio.run(work())
    assert sorted(done) == [*range(500)]


def test_what_work_raises_is_raised_where_it_is_waited_for() -> None:
    async def work() -> None:
        threads = Threads()
        with pytest.raises(ZeroDivisionError):
            await threads.search(lambda: 1 // 0)
        assert await threads.search(int, "7") == 7

    asyncio.run(work())


def test_nobody_works_for_who_has_left() -> None:
    async def work() -> list[str]:
        threads, free, done = Threads(), threading.Event(), list[str]()
        waiting = [asyncio.ensure_future(threads.search(free.wait)) for _ in range(SEARCHERS)]
        await asyncio.sleep(0.1)
        left = asyncio.ensure_future(threads.search(done.append, "left"))
        stayed = asyncio.ensure_future(threads.search(done.append, "stayed"))
        await asyncio.sleep(0)
        left.cancel()
        free.set()
        await asyncio.gather(stayed, *waiting)
        return done

    assert asyncio.run(work()) == ["stayed"]


def test_threads_end_when_nobody_can_give_them_work() -> None:
    async def work() -> threading.Thread:
        threads = Threads()
        await threads.search(int)
        return await threads.search(threading.current_thread)

    thread = asyncio.run(work())
    gc.collect()
    deadline = monotonic() + 30
    while thread.is_alive() and monotonic() < deadline:
        sleep(0.01)
    assert not thread.is_alive()
