"""Taking objects in. A success means kept: file and folder synced, then the index committed with sync.

Whatever waits at one moment shares one commit: one thread commits for all that wait, and each then sees that
the commit is on the device. A commit of two objects costs little more than a commit of one, so who is ready
waits a moment for those who soon will be.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from pacs.conflicts import Conflicts
from pacs.errors import ArchiveError, OutOfSpace, StorageFailed
from pacs.files import FileStore
from pacs.incoming import Check, Incoming
from pacs.index import Index, Record, Verdict
from pacs.metrics import BYTES, instance_counter
from pacs.model import Instance, Outcome, Stored

GROUP = 256  # objects at most that share one commit
MOMENT = 0.0005  # seconds that an object waits at most for others to be read and synced
TAKERS = 6  # threads that read and sync what was submitted; fewer do not keep the device busy
AHEAD = 16  # objects submitted and not yet synced; further ones would only fill the memory

log = structlog.get_logger()


class Pending:
    """An object that is being read and synced, and then waits for the commit of the index."""

    def __init__(self, committer: "Committer", incoming: Incoming, taken: Record | Future[Record]) -> None:
        """taken: what was read of it, or a future done when it is read and synced."""
        self._committer = committer
        self._taken = taken
        self.incoming = incoming
        self.verdict: Verdict | None = None
        self.commit = 0
        self.outcome: Stored | ArchiveError | None = None

    @property
    def is_decided(self) -> bool:
        """Whether the index has it, or it is refused."""
        return self.verdict is not None or self.outcome is not None

    @property
    def is_taken(self) -> bool:
        """Whether it is read and synced, or refused."""
        return not isinstance(self._taken, Future) or self._taken.done()

    @property
    def record(self) -> Record:
        """What was read of it, once it is taken. Raises what refused it."""
        if isinstance(self._taken, Future):
            self._taken = self._taken.result()
        return self._taken

    def wait(self) -> None:
        """Return when it is read and synced, or refused."""
        if isinstance(self._taken, Future):
            self._taken.exception()

    def result(self) -> Stored:
        """Commit, with all others that wait, unless another thread has done so. Raises what refused it."""
        self._committer.commit_until(self)
        if isinstance(self.outcome, Stored):
            return self.outcome
        raise self.outcome or StorageFailed("the commit of the index broke off")


class Committer:
    """Commits to the index in groups. One for each process."""

    def __init__(self, files: FileStore, index: Index, on_commit: Callable[[], None]) -> None:
        """on_commit: called after each commit that stored something new."""
        self._files = files
        self._writer = index.writer
        self._conflicts = Conflicts(files, index, on_commit)
        self._on_commit = on_commit
        self._pool = ThreadPoolExecutor(TAKERS, thread_name_prefix="take")
        self._ahead = threading.BoundedSemaphore(AHEAD)
        self._waiting: deque[Pending] = deque()
        self._taking: set[Incoming] = set()  # by those who then wait
        self._committing = threading.Condition(threading.Lock())

    def submit(self, incoming: Incoming, check: Check | None) -> Pending:
        """Read and sync an object in a thread of the pool, and let it wait.

        Returns when fewer than AHEAD are on their way.
        """
        self._ahead.acquire()
        taken = self._pool.submit(self._take, incoming, check)
        taken.add_done_callback(lambda _: self._ahead.release())
        return self._wait(incoming, taken)

    def take(self, incoming: Incoming, check: Check | None) -> Pending:
        """The same here and now, for one who has nothing to do meanwhile. Raises what refuses it."""
        self._taking.add(incoming)
        try:
            return self._wait(incoming, self._take(incoming, check))
        finally:
            self._taking.discard(incoming)

    def _wait(self, incoming: Incoming, taken: Record | Future[Record]) -> Pending:
        pending = Pending(self, incoming, taken)
        self._waiting.append(pending)
        return pending

    @staticmethod
    def _take(incoming: Incoming, check: Check | None) -> Record:
        """Raises what refuses the object; nothing of it stays then."""
        try:
            record = incoming.finish(check)
            incoming.sync()
        except BaseException as error:
            incoming.abort()
            instance_counter(type(error).__name__).inc()
            raise
        return record

    def commit_until(self, pending: Pending) -> None:
        """Return when this object's outcome is known, and on the device."""
        pending.wait()
        with self._committing:
            if self._taking and not pending.is_decided:
                self._committing.wait_for(lambda: pending.is_decided or not self._taking, MOMENT)
            while not pending.is_decided:
                group = self._next_group()
                self._commit(group)
                if len(group) > 1:
                    self._committing.notify_all()
        if pending.verdict is not None and pending.outcome is None:
            pending.outcome = self._settled(pending, pending.verdict)
            _count(pending)

    def _next_group(self) -> list[Pending]:
        """Those that wait for nothing but the commit, in their order: nobody waits for what others send."""
        group: list[Pending] = []
        others: list[Pending] = []
        while self._waiting and len(group) < GROUP:
            pending = self._waiting.popleft()
            (group if pending.is_taken else others).append(pending)
        self._waiting.extendleft(reversed(others))
        return group

    def _commit(self, group: list[Pending]) -> None:
        group = [pending for pending in group if _is_sound(pending)]
        if not group:
            return
        try:
            records = [pending.record for pending in group]
            self._files.settle(record.instance.file for record in records)
            verdicts, commit = self._writer.commit(records)
        except StorageFailed as error:
            self._failed(group, error)
            return
        except Exception:  # the oddity of one object must not fail those that wait beside it
            log.exception("commit failed", objects=len(group))
            self._failed(group, StorageFailed("the index could not take the object in"))
            return
        for pending, verdict in zip(group, verdicts, strict=True):
            pending.commit, pending.verdict = commit, verdict
        if Verdict.CREATED in verdicts:
            self._on_commit()

    def _failed(self, group: list[Pending], error: StorageFailed) -> None:
        if len(group) == 1 or isinstance(error, OutOfSpace):
            _give_up(group, error)
            return
        for pending in group:  # one bad object must not fail its neighbours
            self._commit([pending])

    def _settled(self, pending: Pending, verdict: Verdict) -> Stored | ArchiveError:
        try:
            self._writer.sync(pending.commit)
            outcome = Outcome.STORED
            if verdict is not Verdict.CREATED:
                outcome = self._conflicts.settle(pending.incoming, pending.record, verdict)
        except ArchiveError as error:
            return error
        except Exception:  # as above: who sent it must be told
            log.exception("settling failed", instance=pending.record.instance.sop_instance_uid)
            return StorageFailed("the index could not take the object in")
        return _stored(pending.record.instance, outcome, pending.incoming.is_coerced)


def _is_sound(pending: Pending) -> bool:
    """Whether an object that is taken can be committed; if not, it is told what refused it."""
    try:
        _ = pending.record
    except ArchiveError as error:
        pending.outcome = error
    except Exception:  # the oddity of one object must not fail those that wait beside it
        log.exception("reading failed", instance=pending.incoming.sop_instance_uid)
        pending.outcome = StorageFailed("the archive could not read the object")
    return pending.outcome is None


def _give_up(group: list[Pending], error: StorageFailed) -> None:
    """Answer all with the error.

    Their files go only when the commit surely failed; otherwise whether an index row names them is not
    known, and the collector of orphans asks the index later.
    """
    for pending in group:
        if isinstance(error, OutOfSpace):
            pending.incoming.abort()
        pending.outcome = error
        _count(pending)


def _count(pending: Pending) -> None:
    outcome = pending.outcome
    if isinstance(outcome, Stored):
        instance_counter(outcome.outcome.value).inc()
        BYTES.inc(pending.record.instance.size)
    else:
        instance_counter(type(outcome).__name__).inc()


def _stored(instance: Instance, outcome: Outcome, is_coerced: bool) -> Stored:
    return Stored(
        outcome,
        instance.study_instance_uid,
        instance.series_instance_uid,
        instance.sop_instance_uid,
        instance.sop_class_uid,
        is_coerced,
    )
