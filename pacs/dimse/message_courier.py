"""Tells known systems what is noted for them, in its order for each, until it is taken or refused."""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from pydicom.uid import UID

from pacs.changes import Bell
from pacs.dimse.command import N_CREATE_RQ, N_SET_RQ, Command
from pacs.dimse.dialogue import Dialogue
from pacs.dimse.heard import Then
from pacs.dimse.negotiation import Context
from pacs.dimse.proposal import proposed
from pacs.dimse.requestor import NotTaken, PeerFailed
from pacs.dimse.rounds import Rounds, pause
from pacs.errors import ArchiveError
from pacs.index import Message, MessageQueue, Peers
from pacs.model import Peer

WEEK = 7 * 86_400.0  # seconds after which who is away is told no more of what was noted before
MOST_REFUSALS = 6  # of what the other does not take for now, or what cannot be written; others wait behind it

_MOST_BYTES = 4 << 20  # of the data set that may come with a response

log = structlog.get_logger()


@dataclass(frozen=True)
class Kind:
    """Messages about SOP instances of one class.

    name: what they tell of, and advice: what to do where they are refused, for the log.
    write: the data set of what is kept of a message.
    then: what is done about the response to a message.
    """

    sop_class: str
    name: str
    advice: str
    write: Callable[[bytes, Context], bytes]
    then: Callable[[Message, Command], Then]


class MessageCourier:
    """Works off the messages of a kind. One in all processes of a service."""

    def __init__(
        self,
        kind: Kind,
        queue: MessageQueue,
        peers: Peers,
        ae_title: str,
        bell: Bell,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """ae_title: ours.  bell: rings when something was put into the queue.  tls: as Requestor has it."""
        self._kind = kind
        self._queue = queue
        self._peers = peers
        self._ae_title = ae_title
        self._tls = tls
        self._rounds = Rounds(queue, bell, self._deliver)

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Work until it is time to stop and the bell rings."""
        self._rounds.run(is_stopping)

    def _deliver(self, message: Message, _is_stopping: Callable[[], bool]) -> None:
        try:
            peer = self._peers.find(message.destination)
            if peer is None:
                raise PeerFailed(f"{message.destination} is not known; `diafana peer add` makes it known")
            content = self._queue.content(message)
            if content is not None:
                self._queue.begin(message)
                self._conclude(message, self._tell(peer, message, content))
        except Exception as error:  # noqa: BLE001 - the edge: whatever it is, no others may wait for it
            self._put_off(message, error)

    def _tell(self, peer: Peer, message: Message, content: bytes) -> Command:
        """Send it; the response. Raises PeerFailed."""
        sop_class = self._kind.sop_class
        contexts = proposed(sop_class)
        of_it = "Affected" if message.is_new else "Requested"
        fields: Command = {
            "CommandField": N_CREATE_RQ if message.is_new else N_SET_RQ,
            f"{of_it}SOPClassUID": sop_class,
            f"{of_it}SOPInstanceUID": message.uid,
        }
        with Dialogue(peer, self._ae_title, contexts, most_bytes=_MOST_BYTES, tls=self._tls) as association:
            context = next((one for one in contexts if one in association.contexts), None)
            if context is None:
                raise NotTaken(f"{peer.ae_title} takes the association, but not {UID(sop_class).name}")
            return association.request(context, fields, (self._kind.write(content, context),))

    def _conclude(self, message: Message, response: Command) -> None:
        """Tell no more of it, unless the peer may take it later: then raises NotTaken."""
        status, then = response["Status"], self._kind.then(message, response)
        if then is Then.DONE:
            log.info(f"{self._kind.name} told", destination=message.destination, instance=message.uid)
        elif then is Then.AGAIN:
            raise NotTaken(f"{message.destination} answers with status {status:04X}")
        else:
            self._give_up(message, f"it was refused with status {status:04X}")
        self._queue.done(message)

    def _put_off(self, message: Message, error: Exception) -> None:
        """Try again later, unless it was tried for long enough."""
        is_away = isinstance(error, PeerFailed | ArchiveError) and not isinstance(error, NotTaken)
        week_ago = time.time() - WEEK
        if not is_away and message.refusals + 1 >= MOST_REFUSALS:
            self._give_up(message, str(error))
            self._queue.done(message)
        elif message.at < week_ago:
            number = self._queue.expire(message.destination, week_ago)
            self._give_up(message, f"for a week: {error}", messages=number)
        else:
            self._log_failure(message, error)
            self._queue.put_off(message, str(error), time.time() + pause(message), not is_away)

    def _give_up(self, message: Message, reason: str, **more: int) -> None:
        about = {"destination": message.destination, "instance": message.uid, "reason": reason, **more}
        log.error(f"{self._kind.name} not told", advice=self._kind.advice, **about)

    def _log_failure(self, message: Message, error: Exception) -> None:
        log.warning(
            f"{self._kind.name} could not be told",
            destination=message.destination,
            instance=message.uid,
            error=type(error).__name__,
            reason=str(error),
            attempt=message.attempts + 1,
        )
