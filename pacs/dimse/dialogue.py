"""An association of ours in which each message has one response, and the peer may ask something, too."""

import ssl
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from pacs.dataset.transfer_syntax import IMPLICIT_LITTLE_ENDIAN
from pacs.dimse import wire
from pacs.dimse.command import C_ECHO_RQ, RESPONSE, Command
from pacs.dimse.heard import ECHO, Then
from pacs.dimse.negotiation import Context
from pacs.dimse.requestor import PeerFailed, Requestor, checked, has_data_set
from pacs.dimse.sop_classes import VERIFICATION
from pacs.model import Peer


class Received(NamedTuple):
    """A request of the peer."""

    context_id: int
    context: Context
    command: Command
    data_set: bytes


class _Message(NamedTuple):
    context_id: int
    command: Command
    data_set: bytes

    @property
    def is_request(self) -> bool:
        """Whether it asks something, rather than answer."""
        return not self.command.get("CommandField", RESPONSE) & RESPONSE


class Dialogue(Requestor):
    """One message after the other."""

    def __init__(
        self,
        peer: Peer,
        calling: str,
        contexts: Sequence[Context],
        provided: Collection[str] = (),
        most_bytes: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """As Requestor.

        most_bytes: of the data set of what the peer asks of us, or that comes with a response, where it is
            passed over; 0 where it may ask nothing.
        """
        self._most_bytes = most_bytes
        self._asked: list[_Message] = []  # what the peer asked before it answered
        super().__init__(peer, calling, contexts, provided, tls)

    def request(self, context: Context, fields: Command, data_set: Iterable[bytes] | None = None) -> Command:
        """Send a message as `send` does, and wait for its response. Raises PeerFailed."""
        command = self.send(context, fields, data_set)
        with self.talking():
            message = self._message()
            while message.is_request and self._most_bytes and not self._asked:
                self._asked.append(message)
                message = self._message()
            response = checked(message.command, command)
        self.is_in_message = False
        return response

    def _message(self) -> _Message:
        context_id, command = self.command()
        # Some say that a data set follows their response to C-STORE, and send none
        is_taken = self._most_bytes and has_data_set(command)
        return _Message(context_id, command, self.data_set(context_id, self._most_bytes) if is_taken else b"")

    def wait_for_request(self, seconds: float) -> Received | None:
        """What the peer asks, who may ask in the accepted contexts, too; None when it does not in time.

        Raises PeerFailed.
        """
        with self.talking():
            if not self._asked:
                if not self.is_readable(seconds):
                    return None
                self._asked.append(self._message())
            message = self._asked.pop()
            contexts = {number: context for context, number in self.contexts.items()}
            if not message.is_request or message.context_id not in contexts:
                raise wire.ProtocolError("a message that is no request", wire.UNEXPECTED_PDU)
            context = contexts[message.context_id]
            return Received(message.context_id, context, message.command, message.data_set)

    def respond(self, request: Received, fields: Command) -> None:
        """Answer it.  fields: Status and whatever else belongs to it.  Raises PeerFailed."""
        with self.talking():
            self.reply(request.context_id, request.command, fields)


def echo(peer: Peer, calling: str, tls: ssl.SSLContext | None = None) -> None:
    """C-ECHO (PS3.7 9.1.5). Raises PeerFailed when it is not answered with success."""
    verification = Context(VERIFICATION, IMPLICIT_LITTLE_ENDIAN)
    with Dialogue(peer, calling, [verification], tls=tls) as association:
        if verification not in association.contexts:
            raise PeerFailed(f"{peer.ae_title} takes the association, but not C-ECHO")
        fields: Command = {"CommandField": C_ECHO_RQ, "AffectedSOPClassUID": VERIFICATION}
        status = association.request(verification, fields)["Status"]
    if ECHO.then(status) is not Then.DONE:
        raise PeerFailed(f"{peer.ae_title} answers C-ECHO with status {status:04X}")
