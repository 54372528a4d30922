"""Tells other systems of performed steps, as modalities told us: MPPS as an SCU (PS3.4 F.7.2)."""

import ssl
import time
from collections.abc import Callable

import structlog

from pacs.changes import Bell
from pacs.dataset.transfer_syntax import EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN
from pacs.dimse.command import N_CREATE_RQ, N_SET_RQ, Command
from pacs.dimse.data_set import DataSetWriter, asked_in
from pacs.dimse.heard import STEP_CREATED, STEP_SET, Then
from pacs.dimse.negotiation import Context
from pacs.dimse.requestor import PeerFailed, Requestor
from pacs.dimse.rounds import MOST_ATTEMPTS, PAUSES
from pacs.dimse.sop_classes import PERFORMED_STEP
from pacs.dimse.status import NO_LONGER_UPDATED
from pacs.errors import ArchiveError
from pacs.index import Peers, StepMessage, StepOutbox
from pacs.model import Peer

_CONTEXTS = [Context(PERFORMED_STEP, syntax) for syntax in (EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN)]

_MOST_BYTES = 4 << 20  # of the data set that may come with a response

# Attempts at what the other answers so; others wait behind it
MOST_REFUSALS = 6

log = structlog.get_logger()


class StepCourier:
    """Works off what is to be told, in its order for each system. One in all processes of a service."""

    def __init__(
        self,
        outbox: StepOutbox,
        peers: Peers,
        ae_title: str,
        bell: Bell,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """ae_title: ours.  bell: rings when something was put into the outbox."""
        self._tls = tls
        self._outbox = outbox
        self._peers = peers
        self._ae_title = ae_title
        self._bell = bell

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Work until it is time to stop and the bell rings."""
        while not is_stopping():
            try:
                seconds = self._work_off(is_stopping)
            except ArchiveError as error:
                log.error("the messages about steps cannot be read", reason=str(error), retry_in=PAUSES[0])
                seconds = PAUSES[0]
            self._bell.wait(seconds)

    def _work_off(self, is_stopping: Callable[[], bool]) -> float | None:
        """Send what is due; the seconds until there is more, None when nothing waits."""
        while due := self._outbox.due(time.time()):
            for message in due:
                if is_stopping():
                    return None
                self._deliver(message)
        next_due = self._outbox.next_due()
        return None if next_due is None else max(0.0, next_due - time.time())

    def _deliver(self, message: StepMessage) -> None:
        try:
            peer = self._peers.find(message.destination)
            if peer is None:
                raise PeerFailed(f"{message.destination} is not known; `diafana peer add` makes it known")
            response = tell(peer, self._ae_title, message, self._tls)
        except PeerFailed as error:
            self._put_off(message, str(error), MOST_ATTEMPTS)
            return
        status = response["Status"]
        then = _then(message, response)
        if then is Then.DONE:
            log.info("step forwarded", destination=message.destination, step=message.uid)
        elif then is Then.AGAIN:
            self._put_off(message, f"it answers with status {status:04X}", MOST_REFUSALS)
            return
        else:
            log.error("step not forwarded", destination=message.destination, step=message.uid, status=status)
        self._outbox.done(message)

    def _put_off(self, message: StepMessage, reason: str, most: int) -> None:
        """Try again later, unless this was the last of so many attempts."""
        about = {"destination": message.destination, "step": message.uid, "reason": reason}
        if message.attempts + 1 >= most:
            log.error("step not forwarded", **about)
            self._outbox.done(message)
            return
        log.warning("forwarding was broken off", attempt=message.attempts + 1, **about)
        pause = PAUSES[min(message.attempts, len(PAUSES) - 1)]
        self._outbox.put_off(message, reason, time.time() + pause)


def tell(peer: Peer, calling: str, message: StepMessage, tls: ssl.SSLContext | None = None) -> Command:
    """N-CREATE or N-SET; the response.  calling: our AE title.  Raises PeerFailed."""
    of_it = "Affected" if message.is_new else "Requested"
    fields: Command = {
        "CommandField": N_CREATE_RQ if message.is_new else N_SET_RQ,
        f"{of_it}SOPClassUID": PERFORMED_STEP,
        f"{of_it}SOPInstanceUID": message.uid,
    }
    with Requestor(peer, calling, _CONTEXTS, most_bytes=_MOST_BYTES, tls=tls) as association:
        context = next((one for one in _CONTEXTS if one in association.contexts), None)
        if context is None:
            raise PeerFailed(f"{peer.ae_title} takes the association, but not performed steps")
        data_set = DataSetWriter(context, asked_in(message.attributes)).write(message.attributes)
        return association.request(context, fields, (data_set,))


def _then(message: StepMessage, response: Command) -> Then:
    """Whether the other has it, or is to be told again."""
    is_final = response.get("ErrorID") == NO_LONGER_UPDATED
    heard = STEP_CREATED if message.is_new else STEP_SET
    then = heard.then(NO_LONGER_UPDATED if is_final else response["Status"])
    if then is Then.DONE_BEFORE:
        return Then.DONE if message.attempts else Then.GIVEN_UP
    return Then.DONE if then is Then.DONE_WITH_WARNING else then
