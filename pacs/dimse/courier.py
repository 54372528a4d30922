"""Sends what is asked to be sent: one request after the other to each system, until it answers."""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import structlog

from pacs.archive import Archive
from pacs.changes import Bell
from pacs.dimse.commitment_user import ask
from pacs.dimse.heard import STORE, Then
from pacs.dimse.pace import Pace
from pacs.dimse.requestor import PeerFailed
from pacs.dimse.rounds import MOST_ATTEMPTS, Rounds, Stopping, pause
from pacs.dimse.sender import Sent, send
from pacs.dimse.status import MOVE_DESTINATION_UNKNOWN, NO_SUCH_INSTANCE, PROCESSING_FAILURE
from pacs.errors import StorageFailed
from pacs.forwarding.hours import next_open
from pacs.index import Due, Index
from pacs.model import ForwardRule, Peer

GROUP = 200  # instances looked up at a time
NOTED_AFTER = 1.0  # seconds, so that a cut has little sent again

log = structlog.get_logger()


class Held(Exception):
    """The rule that asks for it lets it wait.

    until: seconds since 1970; None until somebody lets it go on.
    """

    def __init__(self, until: float | None) -> None:
        super().__init__()
        self.until = until


class Canceled(Exception):
    """Nobody wants it to be sent any more."""


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
        self._rounds = Rounds(index.outbox, bell, self._deliver)
        self._tls = tls

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Work until it is time to stop and the bell rings."""
        self._rounds.run(is_stopping)

    def _deliver(self, due: Due, is_stopping: Callable[[], bool]) -> None:
        """Send one request as far as it goes."""
        try:
            peer = self._index.peers.find(due.destination)
            if peer is None:
                self._index.outbox.end(due.transaction_uid, MOVE_DESTINATION_UNKNOWN)
            elif not self._is_overdue(due):
                self._send(peer, due, is_stopping)
                self._conclude(peer, due)
        except Stopping:
            return
        except Canceled:
            log.info("sending was canceled", destination=due.destination, transaction=due.transaction_uid)
        except Held as held:
            if held.until is not None:
                self._index.outbox.hold(due.transaction_uid, held.until)
        except Exception as error:  # noqa: BLE001 - the edge: whatever it is, no others may wait for it
            self._put_off(due, error)

    def _send(self, peer: Peer, due: Due, is_stopping: Callable[[], bool]) -> None:
        rule = self._index.forwarding.rule_of(due.transaction_uid)
        rate = rule and rule.bytes_per_second
        pace = Pace(rate, is_stopping) if rate else None
        while unsent := self._index.outbox.unsent(due.transaction_uid, GROUP):
            found = self._index.instances_by_uid([uid for _, uid in unsent])
            keys = {uid: key for key, uid in unsent}
            lost = [(key, NO_SUCH_INSTANCE) for key, uid in unsent if uid not in found]
            self._index.outbox.note(lost)
            instances = [found[uid] for _, uid in unsent if uid in found]
            # Each time another one is the first: one that breaks the association off holds up no others
            first = due.attempts % max(1, len(instances))
            ordered = instances[first:] + instances[:first]
            self._check(due, rule)
            with closing(
                send(self._archive, peer, self._ae_title, ordered, pace=pace, tls=self._tls)
            ) as sent:
                answered = ((keys[one.sop_instance_uid], _status(due, one)) for one in sent)
                self._note(answered, is_stopping, lambda: self._check(due, rule))

    def _is_overdue(self, due: Due) -> bool:
        """Whether a commitment was waited for, and never told; then it is taken for one to nothing."""
        commitments = self._index.sent_commitments
        overdue = commitments.overdue(due.transaction_uid)
        if overdue is None:
            return False
        log.warning("a commitment was never told", destination=due.destination, transaction=overdue)
        commitments.hear(overdue, due.destination, {}, time.time())
        return True

    def _conclude(self, peer: Peer, due: Due) -> None:
        """Ask the destination to commit to what it has, if it is to be asked; otherwise it is done."""
        self._check_waits(due)
        commitments = self._index.sent_commitments
        asking = commitments.begin(due.transaction_uid) if peer.commits else None
        if asking is not None and asking.references:
            ask(commitments, peer, self._ae_title, asking, self._tls)
            log.info("commitment asked", destination=due.destination, transaction=asking.transaction_uid)
        else:
            self._index.outbox.end(due.transaction_uid)
            log.info("sent", destination=due.destination, transaction=due.transaction_uid)

    def _check(self, due: Due, rule: ForwardRule | None) -> None:
        """Raises Canceled; Held when the rule that asks for it is paused or gone, and out of its hours."""
        self._check_waits(due)
        if rule is None:
            return
        current = self._index.forwarding.rule_of(due.transaction_uid)
        if current is None or current.is_paused:
            raise Held(None)
        now = time.time()
        begin = next_open(current.hours, now)
        if begin > now:
            raise Held(begin)

    def _check_waits(self, due: Due) -> None:
        if not self._index.outbox.waits(due.transaction_uid):
            raise Canceled

    def _note(
        self,
        answered: Iterator[tuple[int, int]],
        is_stopping: Callable[[], bool],
        check: Callable[[], None],
    ) -> None:
        """Note what was answered, a second's worth at a time, and the rest whatever ends it.

        answered: the key of each object, and its status.
        check: called each time that it was noted; what it raises ends the sending.
        """
        fresh: list[tuple[int, int]] = []
        noted = time.monotonic()
        try:
            for one in answered:
                fresh.append(one)
                if time.monotonic() - noted > NOTED_AFTER:
                    self._index.outbox.note(fresh)
                    fresh, noted = [], time.monotonic()
                    check()
                if is_stopping():
                    raise Stopping
        finally:
            self._index.outbox.note(fresh)

    def _put_off(self, due: Due, error: Exception) -> None:
        log.warning(
            "sending was broken off",
            destination=due.destination,
            transaction=due.transaction_uid,
            error=type(error).__name__,
            reason=str(error),
            attempt=due.attempts + 1,
        )
        if _is_last(due):
            self._index.sent_commitments.give_up(due.transaction_uid)
            self._index.outbox.end(due.transaction_uid, PROCESSING_FAILURE)
        elif isinstance(error, PeerFailed) and isinstance(error.__cause__, OSError):
            # There is no connection, for the others neither
            self._index.outbox.put_off_all(due, str(error), time.time() + pause(due))
        else:
            self._index.outbox.put_off(due, str(error), time.time() + pause(due))


def _is_last(due: Due) -> bool:
    """Whether this is the last attempt."""
    return due.attempts + 1 >= MOST_ATTEMPTS


def _status(due: Due, sent: Sent) -> int:
    """The status with which an object is done. Raises PeerFailed and StorageFailed for what is tried again.

    Where our own storage fails for the object to the last, the others do not fail with it.
    """
    if isinstance(sent.error, StorageFailed) and not _is_last(due):
        raise sent.error
    if sent.error is None and STORE.then(sent.status) is Then.AGAIN:
        raise PeerFailed("it has no room left")
    return sent.status
