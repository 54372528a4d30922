"""Sends what is asked to be sent: one request after the other to each system, until it answers."""

import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from pacs.archive import Archive
from pacs.changes import Bell
from pacs.dimse.requestor import PeerFailed
from pacs.dimse.sender import Sent, send
from pacs.errors import ArchiveError
from pacs.index import Due, Index

# Seconds before each further attempt; the last one again and again, for a week
PAUSES = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
MOST_ATTEMPTS = 7 * 24

AT_ONCE = 4  # systems that are sent to at the same time
GROUP = 200  # instances looked up at a time
NOTED_AFTER = 1.0  # seconds, so that a cut has little sent again

PROCESSING_FAILURE, NO_SUCH_INSTANCE = 0x0110, 0x0112  # PS3.7 C.4.2, C.5.5
UNKNOWN_DESTINATION = 0xA801  # PS3.4 Table C.4-2
# The other has no room: PS3.4 Table B.2-1
OUT_OF_RESOURCES = range(0xA700, 0xA800)

log = structlog.get_logger()


class Stopping(Exception):
    """The service ends; what is left is sent after its next start."""


class Courier:
    """Works off the outbox. One in all processes of a service."""

    def __init__(
        self,
        archive: Archive,
        index: Index,
        ae_title: str,
        bell: Bell,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """ae_title: ours.  bell: rings when something was put into the outbox.

        tls: how to call those that want TLS.
        """
        self._archive = archive
        self._index = index
        self._ae_title = ae_title
        self._bell = bell
        self._tls = tls
        self._busy: dict[str, Future[None]] = {}

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Work until it is time to stop and the bell rings."""
        with ThreadPoolExecutor(AT_ONCE, "courier") as pool:
            while not is_stopping():
                try:
                    self._send_off(pool, is_stopping)
                    seconds = self._idle_seconds()
                except ArchiveError as error:
                    log.error("the outbox cannot be read", reason=str(error), retry_in=PAUSES[0])
                    seconds = PAUSES[0]
                self._bell.wait(seconds)
                self._busy = {name: future for name, future in self._busy.items() if not future.done()}

    def _send_off(self, pool: ThreadPoolExecutor, is_stopping: Callable[[], bool]) -> None:
        for due in self._index.outbox.due(time.time()):
            if due.destination not in self._busy and len(self._busy) < AT_ONCE:
                future = pool.submit(self._deliver, due, is_stopping)
                self._busy[due.destination] = future
                future.add_done_callback(lambda _: self._bell.ring())

    def _idle_seconds(self) -> float | None:
        """Until a time that has come; a new request and a system that is free again ring the bell."""
        due = self._index.outbox.next_due(but=self._busy)
        full = len(self._busy) >= AT_ONCE
        return None if due is None or full else max(0.0, due - time.time())

    def _deliver(self, due: Due, is_stopping: Callable[[], bool]) -> None:
        """Send one request as far as it goes."""
        try:
            peer = self._index.peers.find(due.destination)
            if peer is None:
                self._index.outbox.end(due.transaction_uid, UNKNOWN_DESTINATION)
                return
            while unsent := self._index.outbox.unsent(due.transaction_uid, GROUP):
                found = self._index.instances_by_uid([uid for _, uid in unsent])
                keys = {uid: key for key, uid in unsent}
                lost = [(key, NO_SUCH_INSTANCE) for key, uid in unsent if uid not in found]
                self._index.outbox.note(lost)
                instances = [found[uid] for _, uid in unsent if uid in found]
                # Each time another one is the first: one that breaks the association off holds up no others
                first = due.attempts % max(1, len(instances))
                ordered = instances[first:] + instances[:first]
                sent = send(self._archive, peer, self._ae_title, ordered, tls=self._tls)
                self._note(keys, sent, is_stopping)
            self._index.outbox.end(due.transaction_uid)
            log.info("sent", destination=due.destination, transaction=due.transaction_uid)
        except Stopping:
            return
        except Exception as error:  # noqa: BLE001 - the edge: whatever it is, no others may wait for it
            self._put_off(due, error)

    def _note(self, keys: dict[str, int], sent: Iterator[Sent], is_stopping: Callable[[], bool]) -> None:
        """Note what was answered, a second's worth at a time, and the rest whatever ends it."""
        answered: list[tuple[int, int]] = []
        noted = time.monotonic()
        try:
            for uid, status in sent:
                if status in OUT_OF_RESOURCES:
                    raise PeerFailed("it has no room left")
                answered.append((keys[uid], status))
                if time.monotonic() - noted > NOTED_AFTER:
                    self._index.outbox.note(answered)
                    answered, noted = [], time.monotonic()
                if is_stopping():
                    raise Stopping
        finally:
            self._index.outbox.note(answered)

    def _put_off(self, due: Due, error: Exception) -> None:
        pause = PAUSES[min(due.attempts, len(PAUSES) - 1)]
        log.warning(
            "sending was broken off",
            destination=due.destination,
            transaction=due.transaction_uid,
            error=type(error).__name__,
            reason=str(error),
            attempt=due.attempts + 1,
        )
        try:
            if due.attempts + 1 >= MOST_ATTEMPTS:
                self._index.outbox.end(due.transaction_uid, PROCESSING_FAILURE)
            else:
                self._index.outbox.put_off(due, str(error), time.time() + pause)
        except ArchiveError:  # then it is still due, and would be tried again at once
            time.sleep(PAUSES[0])
