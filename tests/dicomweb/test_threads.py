import asyncio
import threading

from dicomweb.threads import READERS, Threads


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
