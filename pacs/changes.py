"""Followers of the change feed: everything that is made from what was stored, off the ingest path.

A follower names what it wants; the feed is turned into tasks, kept in the index, that are retried with
growing delays and given up, visibly, after RETRY_DELAYS is used up. Nothing polls: the runner sleeps until
the bell rings or the next task is due.
"""

import os
import select
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from pacs.index import Plan, Task, Tasks
from pacs.model import Change, Level

RETRY_DELAYS = (5.0, 30.0, 120.0, 600.0, 3600.0, 6 * 3600.0)  # seconds before each further attempt

GATHER = 0.5  # seconds between reading the feed, so that a storm of commits is not followed one by one

_BATCH = 1000  # changes read at a time
_TASKS = 50  # tasks run before the feed is read again

log = structlog.get_logger()


@dataclass(frozen=True)
class Follower:
    """Something that is done for what was stored.

    level: what one task is about: an instance, a series or a study.
    rest: seconds without change after which a task is due, so that a series is handled once it is complete.
    wants: which changes it cares for.  work: does one task; whatever it raises makes the task be retried.
    """

    name: str
    level: Level
    rest: float
    wants: Callable[[Change], bool]
    work: Callable[[Task], None]


class Interest:
    """Whether anybody cares for a change: it is asked once for all changes up to the newest."""

    def __init__(self, tasks: Tasks, is_there: Callable[[], bool]) -> None:
        """is_there: whether there is anybody now; who comes since a change is for none that is older."""
        self._tasks = tasks
        self._is_there = is_there
        self._known_to = 0
        self._answer = False

    def __call__(self, change: Change) -> bool:
        """Whether anybody does."""
        if change.sequence > self._known_to:
            self._known_to = max(change.sequence, self._tasks.newest())
            self._answer = self._is_there()
        return self._answer


class Bell:
    """Rings across threads and processes after each commit: a named pipe beside the index."""

    def __init__(self, path: Path) -> None:
        with suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def ring(self) -> None:
        """Wake whoever waits. Ringing a bell that rings already changes nothing."""
        with suppress(BlockingIOError):  # a full pipe rings already
            os.write(self._pipe, b"!")

    def wait(self, seconds: float | None) -> None:
        """Sleep until it rings or the time is over; None waits for the ring alone."""
        select.select([self._pipe], [], [], seconds)
        with suppress(BlockingIOError):  # the time was over
            os.read(self._pipe, 65536)


class Runner:
    """Runs the followers, one task at a time. One process has one runner."""

    def __init__(self, tasks: Tasks, followers: list[Follower], bell: Bell) -> None:
        self._tasks = tasks
        self._followers = {follower.name: follower for follower in followers}
        self._bell = bell

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Work until it is time to stop and the bell rings."""
        while not is_stopping():
            self.read_feed()
            if not self.run_due(is_stopping):
                due = self._tasks.next_due()
                self._bell.wait(None if due is None else max(0.0, due - time.time()))
                time.sleep(GATHER)

    def read_feed(self) -> None:
        """Turn what is new in the change feed into tasks; what comes meanwhile is left for the next time."""
        is_more = True
        while is_more:
            is_more = self._read_some()

    def _read_some(self) -> bool:
        """Read what comes next for each follower; whether more of it was there.

        Those that have read equally far share one reading.
        """
        abreast: dict[int, list[Follower]] = {}
        cursors = self._tasks.cursors()
        for follower in self._followers.values():
            abreast.setdefault(cursors.get(follower.name, 0), []).append(follower)
        readings = [(cursor, self._tasks.changes(cursor, _BATCH), group) for cursor, group in abreast.items()]
        plans = [
            _plan(follower, cursor, changes)
            for cursor, changes, group in readings
            if changes
            for follower in group
        ]
        if plans:
            self._tasks.plan(plans)
        return any(len(changes) == _BATCH for _, changes, _ in readings)

    def run_due(self, is_stopping: Callable[[], bool]) -> bool:
        """Run tasks that are due; whether there were any."""
        tasks = self._tasks.due(time.time(), _TASKS)
        for task in tasks:
            if is_stopping():
                break
            self._run(task)
        return bool(tasks)

    def _run(self, task: Task) -> None:
        follower = self._followers.get(task.follower)
        if follower is None:
            self._tasks.failed(task, "there is no such follower any more", None)
            return
        try:
            follower.work(task)
        except Exception as error:  # noqa: BLE001 - the edge: no follower may stop the others
            self._failed(task, error)
        else:
            self._tasks.done([task])

    def _failed(self, task: Task, error: Exception) -> None:
        delay = RETRY_DELAYS[task.attempts] if task.attempts < len(RETRY_DELAYS) else None
        log.warning(
            "follower failed",
            follower=task.follower,
            study=task.study_instance_uid,
            error=type(error).__name__,
            attempt=task.attempts + 1,
            retry_in=delay,
        )
        self._tasks.failed(task, f"{type(error).__name__}: {error}", delay and time.time() + delay)


def _plan(follower: Follower, cursor: int, changes: list[Change]) -> Plan:
    """What changes give it to do.  cursor: the last one that it has read before them."""
    subjects = {_subject(c, follower.level): c.sequence for c in changes if follower.wants(c)}
    due = time.time() + follower.rest
    return Plan(follower.name, subjects, due, changes[-1].sequence, since=cursor)


def _subject(change: Change, level: Level) -> tuple[str, str, str]:
    uids = (change.study_instance_uid, change.series_instance_uid, change.sop_instance_uid)
    kept = level - Level.PATIENT
    study, series, instance = (uid if place < kept else "" for place, uid in enumerate(uids))
    return study, series, instance
