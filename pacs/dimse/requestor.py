"""An association that we ask for and use (PS3.8 9.2), one message after the other, in one thread."""

import socket
import ssl
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from struct import pack
from typing import NamedTuple, Self

from pacs.dataset.transfer_syntax import IMPLICIT_LITTLE_ENDIAN
from pacs.dimse import wire
from pacs.dimse.command import (
    C_ECHO_RQ,
    DATA_SET,
    NO_DATA_SET,
    RESPONSE,
    Command,
    decode_command,
)
from pacs.dimse.heard import ECHO, Then
from pacs.dimse.message import pdus_of, response_to
from pacs.dimse.negotiation import Context
from pacs.dimse.proposal import association_request, read_acceptance, rejection_reason
from pacs.dimse.sop_classes import VERIFICATION
from pacs.dimse.stream import PlainStream, Stream, TlsStream
from pacs.errors import MalformedObject
from pacs.model import Peer

CONNECT_TIME = 10.0  # seconds for the connection
ANSWER_TIME = 30.0  # seconds for the answer to the request of an association, or of its release
RESPONSE_TIME = 120.0  # seconds for the response to a message: some archives compress before they answer
RESPONSE_LIMIT = 16_384  # bytes of a command set; they are below 1 KB


class PeerFailed(Exception):
    """The peer is not reached, refuses, or broke the association off. The message says where and why."""


class NotTaken(PeerFailed):
    """The peer is there, and does not take the message: not now, or not at all."""


class Received(NamedTuple):
    """A request of the peer."""

    context_id: int
    context: Context
    command: Command
    data_set: bytes


class Requestor:
    """An association with a peer. As a context it is released at its end, or aborted within a message."""

    def __init__(
        self,
        peer: Peer,
        calling: str,
        contexts: Sequence[Context],
        provided: Collection[str] = (),
        most_bytes: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Ask for it. contexts: what is proposed, MOST_CONTEXTS at most.  calling: our AE title.

        provided: the abstract syntaxes of which we are the SCP.
        most_bytes: of the data set of what the peer asks of us, or that comes with a response, where it is
            passed over; 0 where it may ask nothing.
        tls: how to call a peer that wants TLS.

        contexts: those that were accepted, with their IDs.
        Raises PeerFailed.
        """
        self._peer = peer
        self._messages = 0
        self._most_bytes = most_bytes
        self._asked: list[_Message] = []  # what the peer asked before it answered
        self.is_open = True
        self.is_in_message = False
        self._wire = wire.Wire(self._connected(tls))
        with self._talk():
            self._wire.write(association_request(calling, peer.ae_title, contexts, provided))
            kind, content = self._wire.read(ANSWER_TIME)
            if kind == wire.ASSOCIATE_RJ:
                raise self._failure(f"refuses the association: {rejection_reason(bytes(content))}")
            if kind == wire.ABORT:
                raise self._failure("aborts the association")
            if kind != wire.ASSOCIATE_AC:
                raise wire.ProtocolError(f"a PDU of type {kind} as the answer", wire.UNEXPECTED_PDU)
            self.contexts, self._maximum = read_acceptance(bytes(content), contexts)

    def _connected(self, tls: ssl.SSLContext | None) -> Stream:
        peer = self._peer
        if peer.tls and tls is None:
            raise self._failure("it wants TLS, which is not set up here")
        try:
            connection = socket.create_connection((peer.host, peer.port), CONNECT_TIME)
            if not peer.tls or tls is None:
                return PlainStream(connection, prompt=True)
            protected = TlsStream(connection, tls, peer.host, prompt=True)
        except (OSError, ValueError) as error:  # the latter for what cannot be the name of a host
            raise self._failure(f"no connection: {getattr(error, 'strerror', None) or error}") from error
        try:
            protected.agree(ANSWER_TIME)
        except OSError as error:
            protected.close()
            raise self._failure(f"no TLS: {error.strerror or error}") from error
        return protected

    def _failure(self, reason: str) -> PeerFailed:
        return PeerFailed(f"{self._peer.ae_title} at {self._peer.host}:{self._peer.port}: {reason}")

    @contextmanager
    def _talk(self) -> Iterator[None]:
        """What goes wrong inside ends the association, and is a PeerFailed."""
        try:
            yield
        except wire.PeerGone as error:
            self._close()
            raise self._failure(f"the connection is lost: {error}") from error
        except wire.ProtocolError as error:
            self.abort(error.reason)
            raise self._refusal(str(error)) from error
        except PeerFailed:
            self._close()
            raise

    def _refusal(self, reason: str) -> PeerFailed:
        """What the peer does instead of answering: it is about our message, if it is within one."""
        failure = self._failure(reason)
        return NotTaken(str(failure)) if self.is_in_message else failure

    def _close(self) -> None:
        self.is_open = False
        self._wire.close()

    def request(self, context: Context, fields: Command, data_set: Iterable[bytes] | None = None) -> Command:
        """Send a message and wait for its response.

        context: one of `contexts`.  fields: the command set, but for what every message has.
        data_set: in pieces. What raises before the second leaves the association usable: nothing was sent.
        Raises PeerFailed.
        """
        self._messages = self._messages % 0xFFFF + 1
        has_data = NO_DATA_SET if data_set is None else DATA_SET
        command: Command = {**fields, "MessageID": self._messages, "CommandDataSetType": has_data}
        for pdus in pdus_of(self.contexts[context], command, data_set, self._maximum):
            self.is_in_message = True
            with self._talk():
                self._wire.write(*pdus)
        with self._talk():
            response = self._response(command)
        self.is_in_message = False
        return response

    def _response(self, command: Command) -> Command:
        message = self._message(RESPONSE_TIME)
        while message.is_request and self._most_bytes and not self._asked:
            self._asked.append(message)
            message = self._message(RESPONSE_TIME)
        return _checked(message.command, command)

    def _message(self, patience: float) -> "_Message":
        message = _Message(RESPONSE_LIMIT, self._most_bytes)
        while not message.is_whole:
            kind, content = self._wire.read(patience)
            if kind in (wire.ABORT, wire.RELEASE_RQ):
                raise self._refusal("ends the association in the middle")
            if kind != wire.P_DATA:
                raise wire.ProtocolError(f"a PDU of type {kind} within a message", wire.UNEXPECTED_PDU)
            for value in wire.values(content):
                message.take(*value)
        return message

    def wait_for_request(self, seconds: float) -> Received | None:
        """What the peer asks, who may ask in the accepted contexts, too; None when it does not in time.

        Raises PeerFailed.
        """
        with self._talk():
            if not self._asked:
                if not self._wire.is_readable(seconds):
                    return None
                self._asked.append(self._message(RESPONSE_TIME))
            message = self._asked.pop()
            contexts = {number: context for context, number in self.contexts.items()}
            if not message.is_request or message.context_id not in contexts:
                raise wire.ProtocolError("a message that is no request", wire.UNEXPECTED_PDU)
            context = contexts[message.context_id]
            return Received(message.context_id, context, message.command, bytes(message.data_set))

    def respond(self, request: Received, fields: Command) -> None:
        """Answer it.  fields: Status and whatever else belongs to it.  Raises PeerFailed."""
        response = response_to(request.command, fields)
        with self._talk():
            for pdus in pdus_of(request.context_id, response, None, self._maximum):
                self._wire.write(*pdus)

    def abort(self, reason: int = 0) -> None:
        """End the association where it is.  reason: of A-ABORT (PS3.8 Table 9-26)."""
        self._wire.abort(reason)
        self._close()

    def release(self) -> None:
        """End the association. All was answered, so it does not matter what becomes of this."""
        try:
            self._wire.write(pack(">BBII", wire.RELEASE_RQ, 0, 4, 0))
            self._wire.read(ANSWER_TIME)
        except (wire.PeerGone, wire.ProtocolError):
            return
        finally:
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_in_message and self.is_open:
            self.abort()
        elif self.is_open:
            self.release()


def echo(peer: Peer, calling: str, tls: ssl.SSLContext | None = None) -> None:
    """C-ECHO (PS3.7 9.1.5). Raises PeerFailed when it is not answered with success."""
    verification = Context(VERIFICATION, IMPLICIT_LITTLE_ENDIAN)
    with Requestor(peer, calling, [verification], tls=tls) as association:
        if verification not in association.contexts:
            raise PeerFailed(f"{peer.ae_title} takes the association, but not C-ECHO")
        fields: Command = {"CommandField": C_ECHO_RQ, "AffectedSOPClassUID": VERIFICATION}
        status = association.request(verification, fields)["Status"]
    if ECHO.then(status) is not Then.DONE:
        raise PeerFailed(f"{peer.ae_title} answers C-ECHO with status {status:04X}")


class _Message:
    """A message as its pieces come. What is none raises ProtocolError."""

    def __init__(self, command_limit: int, most_bytes: int) -> None:
        """Bytes of its command set, and of its data set."""
        self._command_limit = command_limit
        self._most_bytes = most_bytes
        self._received = bytearray()
        self.context_id = 0
        self.command: Command = {}
        self.data_set = bytearray()
        self.is_whole = False

    @property
    def is_request(self) -> bool:
        """Whether it asks something, rather than answer."""
        return not self.command.get("CommandField", RESPONSE) & RESPONSE

    def take(self, context_id: int, control: int, data: memoryview) -> None:
        """A presentation data value: a piece of a command set (bit 0) or data set, the last one (bit 1)."""
        into, limit = (
            (self.data_set, self._most_bytes) if self.command else (self._received, self._command_limit)
        )
        is_command = not self.command
        if self.is_whole or bool(control & 1) != is_command or len(into) + len(data) > limit:
            raise wire.ProtocolError("a message that is none", wire.INVALID_PARAMETER)
        into += data
        self.context_id = context_id
        if control & 2:
            self.is_whole = not is_command or self._decode()

    def _decode(self) -> bool:
        """Whether no data set follows."""
        try:
            self.command = decode_command(self._received)
        except MalformedObject as error:
            raise wire.ProtocolError(str(error), wire.INVALID_PARAMETER) from error
        has_data = self.command.get("CommandDataSetType", NO_DATA_SET) != NO_DATA_SET
        return not has_data or not self._most_bytes


def _checked(response: Command, command: Command) -> Command:
    """The response to this command. Raises ProtocolError for anything else."""
    said = response.get("CommandField"), response.get("MessageIDBeingRespondedTo")
    if said != (command["CommandField"] | RESPONSE, command["MessageID"]) or "Status" not in response:
        raise wire.ProtocolError("a response that is none to what was asked", wire.UNEXPECTED_PDU)
    return response
