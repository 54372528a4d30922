"""Looks at what peers want to be committed, and tells them over associations of our own (PS3.4 J.3.3)."""

import ssl
import time
from collections.abc import Callable

import structlog

from pacs.changes import Bell
from pacs.commitment import Commitment, FailureReason, Wanted
from pacs.dimse.commitment_data import PROPOSED, PUSH_MODEL
from pacs.dimse.commitment_report import end_of, report
from pacs.dimse.dialogue import Dialogue
from pacs.dimse.n_action import Desk
from pacs.dimse.requestor import PeerFailed
from pacs.dimse.rounds import MOST_ATTEMPTS, Rounds, Stopping, pause
from pacs.doorbell import ring_one
from pacs.index import Owed, Peers, Result
from pacs.model import Peer

GROUP = 50  # instances that are read back before it is asked whether it is time to stop
GRACE = 300.0  # seconds in which an open association has to tell its peer, before it is told over another

log = structlog.get_logger()


class Teller:
    """Works off the requests of a desk. One in all processes of a service."""

    def __init__(
        self,
        desk: Desk,
        peers: Peers,
        commitment: Commitment,
        bell: Bell,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """bell: rings when there is something to be done.  tls: as Requestor has it."""
        self._tls = tls
        self._requests = desk.requests
        self._doors = desk.doors
        self._peers = peers
        self._commitment = commitment
        self._rounds = Rounds(desk.requests, bell, self._work)

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Work until it is time to stop and the bell rings."""
        self._rounds.run(is_stopping)

    def _work(self, owed: Owed, is_stopping: Callable[[], bool]) -> None:
        try:
            if not owed.is_answered:
                reasons = self._reasons(owed, is_stopping)
                owed = self._requests.answer(owed, reasons, time.time() + GRACE)
                if owed.door and ring_one(self._doors, owed.door):
                    return
            self._tell(owed)
        except Stopping:
            return
        except Exception as error:  # noqa: BLE001 - the edge: whatever it is, no others may wait for it
            self._put_off(owed, error)

    def _reasons(self, owed: Owed, is_stopping: Callable[[], bool]) -> list[int]:
        """Of each instance why it is not committed, 0 when it is: every file is read whole."""
        wanted = [Wanted(*reference) for reference in self._requests.references(owed.key)]
        if self._requests.is_duplicate(owed):
            return [FailureReason.DUPLICATE_TRANSACTION_UID] * len(wanted)
        reasons: list[int] = []
        for start in range(0, len(wanted), GROUP):
            if is_stopping():
                raise Stopping
            reasons += [reason or 0 for reason in self._commitment.check(wanted[start : start + GROUP])]
        return reasons

    def _tell(self, owed: Owed) -> None:
        peer = self._peers.find(owed.destination)
        if peer is None:
            self._requests.hold(owed)
            log.warning(
                "a commitment waits, for who asked is not known here",
                destination=owed.destination,
                transaction=owed.transaction_uid,
                advice=f"diafana peer add {owed.destination} HOST PORT",
            )
            return
        result = self._requests.result(owed.key)
        if end_of(owed.transaction_uid, owed.destination, self._report(peer, owed, result)):
            self._requests.told(result)
        else:
            raise PeerFailed(f"{peer.ae_title} does not take the report for now")

    def _report(self, peer: Peer, owed: Owed, result: Result) -> int:
        """The status that the peer answers. It knows us by the AE title that it called us by."""
        with Dialogue(peer, owed.called, PROPOSED, provided=[PUSH_MODEL], tls=self._tls) as association:
            context = next((one for one in PROPOSED if one in association.contexts), None)
            if context is None:
                raise PeerFailed(f"{peer.ae_title} takes the association, but no report of a commitment")
            fields, data_set = report(result, context)
            status: int = association.request(context, fields, [data_set])["Status"]
            return status

    def _put_off(self, owed: Owed, error: Exception) -> None:
        log.warning(
            "a commitment could not be told",
            destination=owed.destination,
            transaction=owed.transaction_uid,
            error=type(error).__name__,
            reason=str(error),
            attempt=owed.attempts + 1,
        )
        if owed.attempts + 1 >= MOST_ATTEMPTS:
            self._requests.give_up(owed)
        else:
            self._requests.put_off(owed, time.time() + pause(owed))
