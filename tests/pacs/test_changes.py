"""Followers of the change feed: each change seen, failures retried, nobody held up by another."""

import multiprocessing
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pacs import changes
from pacs.archive import Archive
from pacs.changes import RETRY_DELAYS, Bell, Follower, Runner
from pacs.index import Backlog, Index, Task, sqlite_url
from pacs.model import Change, Instance, Level
from tests.pacs.objects import Changes, picture, store, stored


class Clock:
    """The time that the runner sees."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(changes, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def no_gathering(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner does not wait for more changes to come."""
    monkeypatch.setattr(changes, "GATHER", 0.0)


@pytest.fixture
def bell(tmp_path: Path) -> Bell:
    return Bell(tmp_path / "bell")


def follower(
    name: str,
    work: Callable[[Task], None],
    level: Level = Level.INSTANCE,
    rest: float = 0.0,
    wants: Callable[[Change], bool] = lambda _: True,
) -> Follower:
    return Follower(name, level, rest, wants, work)


def run(runner: Runner) -> None:
    """All that is due now, as one turn of the runner does it."""
    runner.read_feed()
    while runner.run_due(lambda: False):
        pass


def in_series(number: int) -> Changes:
    return {0x0020000E: ("UI", b"1.2.3.%d" % number)}


def test_a_follower_sees_each_change_once(archive: Archive, index: Index, bell: Bell) -> None:
    seen: list[str] = []
    runner = Runner(index.tasks, [follower("watch", lambda task: seen.append(task.sop_instance_uid))], bell)
    run(runner)
    instances = [stored(archive, picture(str(number))) for number in range(3)]
    run(runner)
    instances.append(stored(archive, picture("late")))
    store(archive, picture("late"))
    run(runner)
    run(runner)
    assert seen == [instance.sop_instance_uid for instance in instances]


def test_a_long_feed_is_read_to_its_end(
    archive: Archive, index: Index, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "_BATCH", 3)
    monkeypatch.setattr(changes, "_TASKS", 2)
    seen: list[str] = []
    for number in range(10):
        store(archive, picture(str(number)))
    run(Runner(index.tasks, [follower("watch", lambda task: seen.append(task.sop_instance_uid))], bell))
    assert len(seen) == len(set(seen)) == 10


@pytest.mark.parametrize(
    ("level", "expected"),
    [(Level.STUDY, 1), (Level.SERIES, 2), (Level.INSTANCE, 6)],
    ids=lambda one: str(one),
)
def test_changes_of_one_subject_are_one_task(
    archive: Archive, index: Index, bell: Bell, level: Level, expected: int
) -> None:
    seen: list[Task] = []
    instances = [stored(archive, picture(str(number), in_series(number % 2))) for number in range(6)]
    run(Runner(index.tasks, [follower("watch", seen.append, level)], bell))
    assert len(seen) == expected
    assert {task.study_instance_uid for task in seen} == {instances[0].study_instance_uid}
    assert len({task.series_instance_uid for task in seen} - {""}) == (0 if level is Level.STUDY else 2)
    assert len({task.sop_instance_uid for task in seen} - {""}) == (6 if level is Level.INSTANCE else 0)


def test_a_follower_gets_only_what_it_wants(archive: Archive, index: Index, bell: Bell) -> None:
    wanted = stored(archive, picture("wanted", in_series(1)))
    store(archive, picture("unwanted", in_series(2)))
    seen: list[str] = []
    watch = follower(
        "watch",
        lambda task: seen.append(task.sop_instance_uid),
        wants=lambda change: change.series_instance_uid == "1.2.3.1",
    )
    run(Runner(index.tasks, [watch], bell))
    assert seen == [wanted.sop_instance_uid]
    assert index.tasks.backlog() == [Backlog("watch", 0, 0, 0)]


def test_a_series_is_handled_once_it_has_come_to_rest(
    archive: Archive, index: Index, bell: Bell, clock: Clock
) -> None:
    seen: list[str] = []
    watch = follower("watch", lambda task: seen.append(task.series_instance_uid), Level.SERIES, rest=10.0)
    runner = Runner(index.tasks, [watch], bell)
    for number in range(3):
        store(archive, picture(str(number)))
        run(runner)
        clock.now += 9.0
    assert seen == []
    clock.now += 1.0
    run(runner)
    run(runner)
    assert len(seen) == 1


def test_what_fails_is_tried_again_later_and_later_and_then_given_up(
    archive: Archive, index: Index, bell: Bell, clock: Clock
) -> None:
    tried: list[float] = []

    def fail(_: Task) -> None:
        tried.append(clock.now)
        raise ValueError("it always fails")

    runner = Runner(index.tasks, [follower("fails", fail)], bell)
    store(archive, picture("a"))
    start = clock.now
    run(runner)
    for delay in RETRY_DELAYS:
        clock.now += delay - 0.5
        run(runner)
        clock.now += 0.5
        run(runner)
    assert [moment - start for moment in tried] == [
        sum(RETRY_DELAYS[:n]) for n in range(len(RETRY_DELAYS) + 1)
    ]
    clock.now += 1e9
    run(runner)
    assert len(tried) == len(RETRY_DELAYS) + 1
    assert index.tasks.backlog() == [Backlog("fails", 0, 0, 1)]


def test_what_was_given_up_is_tried_again_when_something_new_comes(
    archive: Archive, index: Index, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "RETRY_DELAYS", ())
    outcomes = iter([ValueError("not yet"), None])
    seen: list[str] = []

    def work(task: Task) -> None:
        error = next(outcomes)
        if error:
            raise error
        seen.append(task.series_instance_uid)

    runner = Runner(index.tasks, [follower("watch", work, Level.SERIES)], bell)
    instance = stored(archive, picture("a"))
    run(runner)
    assert index.tasks.backlog() == [Backlog("watch", 0, 0, 1)]
    store(archive, picture("b"))
    run(runner)
    assert seen == [instance.series_instance_uid]
    assert index.tasks.backlog() == [Backlog("watch", 0, 0, 0)]


def test_a_follower_that_fails_does_not_stop_the_others(archive: Archive, index: Index, bell: Bell) -> None:
    seen: list[str] = []

    def fail(_: Task) -> None:
        raise RuntimeError("broken")

    followers = [
        follower("a fails", fail),
        follower("b works", lambda task: seen.append(task.sop_instance_uid)),
        follower("c fails", fail),
    ]
    runner = Runner(index.tasks, followers, bell)
    instances = [stored(archive, picture(str(number))) for number in range(3)]
    run(runner)
    assert sorted(seen) == sorted(instance.sop_instance_uid for instance in instances)
    assert [(one.follower, one.behind, one.waiting) for one in index.tasks.backlog()] == [
        ("a fails", 0, 3),
        ("b works", 0, 0),
        ("c fails", 0, 3),
    ]


def test_what_changes_while_a_task_runs_makes_it_run_again(
    archive: Archive, index: Index, bell: Bell
) -> None:
    counts: list[int] = []

    def work(task: Task) -> None:
        if not counts:
            store(archive, picture("meanwhile"))
            runner.read_feed()
        counts.append(len(archive.instances(task.study_instance_uid, task.series_instance_uid)))

    runner = Runner(index.tasks, [follower("watch", work, Level.SERIES)], bell)
    store(archive, picture("first"))
    run(runner)
    assert counts == [2, 2]


def test_a_new_runner_goes_on_where_the_old_one_stopped(
    tmp_path: Path, archive: Archive, index: Index, bell: Bell
) -> None:
    seen: list[str] = []
    watch = follower("watch", lambda task: seen.append(task.sop_instance_uid))
    first = stored(archive, picture("first"))
    run(Runner(index.tasks, [watch], bell))
    planned = stored(archive, picture("planned"))
    Runner(index.tasks, [watch], bell).read_feed()  # and then the process is killed
    late = stored(archive, picture("late"))
    again = Index(sqlite_url(tmp_path / "index.sqlite"))
    run(Runner(again.tasks, [watch], bell))
    again.close()
    assert seen == [one.sop_instance_uid for one in (first, planned, late)]


def test_the_tasks_of_a_follower_that_is_no_more_are_given_up(
    archive: Archive, index: Index, bell: Bell
) -> None:
    store(archive, picture("a"))
    Runner(index.tasks, [follower("gone", lambda _: None)], bell).read_feed()
    run(Runner(index.tasks, [], bell))
    assert index.tasks.backlog() == [Backlog("gone", 0, 0, 1)]


def test_the_runner_works_when_the_bell_rings_and_stops_when_told(
    archive: Archive, index: Index, bell: Bell
) -> None:
    done = threading.Semaphore(0)
    stopping = threading.Event()
    runner = Runner(index.tasks, [follower("watch", lambda _: done.release())], bell)
    thread = threading.Thread(target=runner.run, args=(stopping.is_set,))
    thread.start()
    for number in range(3):
        store(archive, picture(str(number)))
        bell.ring()
        assert done.acquire(timeout=60)
    stopping.set()
    bell.ring()
    thread.join(timeout=60)
    assert not thread.is_alive()


def test_the_runner_wakes_for_what_is_due_later(archive: Archive, index: Index, bell: Bell) -> None:
    done, stopping = threading.Event(), threading.Event()
    runner = Runner(index.tasks, [follower("watch", lambda _: done.set(), rest=0.05)], bell)
    store(archive, picture("a"))
    thread = threading.Thread(target=runner.run, args=(stopping.is_set,))
    thread.start()
    assert done.wait(timeout=60)  # nobody rings
    stopping.set()
    bell.ring()
    thread.join(timeout=60)
    assert not thread.is_alive()


def ring(path: str) -> None:
    Bell(Path(path)).ring()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_bell_rings_across_processes(tmp_path: Path, bell: Bell, method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    process = context.Process(target=ring, args=(str(tmp_path / "bell"),))
    process.start()
    bell.wait(60)
    process.join()
    assert process.exitcode == 0


def test_a_bell_that_rang_however_often_wakes_once(bell: Bell) -> None:
    for _ in range(100_000):  # more than the pipe holds
        bell.ring()
    bell.wait(None)
    woken = threading.Event()

    def sleep() -> None:
        bell.wait(None)
        woken.set()

    thread = threading.Thread(target=sleep)
    thread.start()
    assert not woken.wait(0.05)
    bell.ring()
    thread.join(timeout=60)
    assert woken.is_set()


def test_series_metadata_follow_a_series(archive: Archive, index: Index, bell: Bell) -> None:
    keep = follower(
        "series metadata",
        lambda task: archive.keep_series_metadata(task.study_instance_uid, task.series_instance_uid),
        Level.SERIES,
    )
    instance: Instance = stored(archive, picture("a"))
    run(Runner(index.tasks, [keep], bell))
    made = archive.series_metadata(instance.study_instance_uid, instance.series_instance_uid)
    assert made == archive.series_metadata(instance.study_instance_uid, instance.series_instance_uid)
    assert index.tasks.backlog() == [Backlog("series metadata", 0, 0, 0)]
