"""An association that we ask for (PS3.8 9.2), used in one thread: what every use of it needs."""

import math
import socket
import ssl
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from struct import pack
from typing import Self

from pacs.dimse import wire
from pacs.dimse.command import DATA_SET, NO_DATA_SET, RESPONSE, Command, decode_command
from pacs.dimse.message import pdus_of, response_to
from pacs.dimse.negotiation import Context
from pacs.dimse.proposal import association_request, read_acceptance, rejection_reason
from pacs.dimse.stream import PlainStream, Stream, TlsStream
from pacs.errors import MalformedObject
from pacs.model import Peer

CONNECT_TIME = 10.0  # seconds for the connection
ANSWER_TIME = 30.0  # seconds for the answer to the request of an association, or of its release
RESPONSE_TIME = 120.0  # seconds for the response to a message: some archives compress before they answer
DATA_SET_TIME = 120.0  # seconds for a data set that is held in memory, once its command set is here
COMMAND_LIMIT = 16_384  # bytes of a command set; they are below 1 KB

# Context ID, message control header (PS3.8 E.2) and bytes, valid until the next is read
_Value = tuple[int, int, memoryview]


class PeerFailed(Exception):
    """The peer is not reached, refuses, or broke the association off. The message says where and why."""


class NotTaken(PeerFailed):
    """The peer is there, and does not take the message: not now, or not at all."""


class Requestor:
    """An association with a peer. As a context it is released at its end, or aborted within a message.

    contexts: those that were accepted, with their IDs.
    is_in_message: whether a message was begun, and not all of its responses are here.
    """

    def __init__(
        self,
        peer: Peer,
        calling: str,
        contexts: Sequence[Context],
        provided: Collection[str] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Ask for it. contexts: what is proposed, MOST_CONTEXTS at most.  calling: our AE title.

        provided: the abstract syntaxes of which we are the SCP.
        tls: how to call a peer that wants TLS.
        Raises PeerFailed.
        """
        self._peer = peer
        self._messages = 0
        self._values: deque[_Value] = deque()  # of the PDU that was read last
        self.is_open = True
        self.is_in_message = False
        self._wire = wire.Wire(self._connected(tls))
        with self.talking():
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
    def talking(self) -> Iterator[None]:
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

    def send(self, context: Context, fields: Command, data_set: Iterable[bytes] | None = None) -> Command:
        """Send a message that is to be answered; its command set. From its first piece on we are within it.

        context: one of `contexts`.  fields: the command set, but for what every message has.
        data_set: in pieces. What raises before the second leaves the association usable: nothing was sent.
        Raises PeerFailed.
        """
        self._messages = self._messages % 0xFFFF + 1
        has_data = NO_DATA_SET if data_set is None else DATA_SET
        command: Command = {**fields, "MessageID": self._messages, "CommandDataSetType": has_data}
        for pdus in pdus_of(self.contexts[context], command, data_set, self._maximum):
            self.is_in_message = True
            with self.talking():
                self._wire.write(*pdus)
        return command

    def reply(self, context_id: int, command: Command, fields: Command) -> Command:
        """Answer what the peer asks; the response.  fields: Status and whatever else belongs to it.

        As all that follows, within `talking`.
        """
        response = response_to(command, fields)
        for pdus in pdus_of(context_id, response, None, self._maximum):
            self._wire.write(*pdus)
        return response

    def is_readable(self, seconds: float) -> bool:
        """Whether the peer has said something that was not read yet, or does in so many seconds."""
        return bool(self._values) or self._wire.is_readable(seconds)

    def command(self) -> tuple[int, Command]:
        """The ID of the context of the next message, and its command set, once it is whole."""
        deadline = time.monotonic() + RESPONSE_TIME
        received, is_last = bytearray(), False
        while not is_last:
            context_id, control, data = self._value(deadline)
            if not control & 1 or len(received) + len(data) > COMMAND_LIMIT:
                raise wire.ProtocolError("a command set that is none", wire.INVALID_PARAMETER)
            received += data
            is_last = bool(control & 2)
        try:
            return context_id, decode_command(received)
        except MalformedObject as error:
            raise wire.ProtocolError(str(error), wire.INVALID_PARAMETER) from error

    def pieces(self, of_context: int, deadline: float = math.inf) -> Iterator[memoryview]:
        """The data set that follows, in pieces that are valid until the next. Each has RESPONSE_TIME.

        deadline: for all of them, by the monotonic clock.
        """
        is_last = False
        while not is_last:
            until, data = min(deadline, time.monotonic() + RESPONSE_TIME), memoryview(b"")
            while not data and not is_last:
                context_id, control, data = self._value(until)
                if control & 1 or context_id != of_context:
                    raise wire.ProtocolError("a data set that is none", wire.INVALID_PARAMETER)
                is_last = bool(control & 2)
            yield data

    def data_set(self, of_context: int, limit: int) -> bytes:
        """The data set that follows, whole.  limit: of its bytes."""
        whole = bytearray()
        for data in self.pieces(of_context, time.monotonic() + DATA_SET_TIME):
            if len(whole) + len(data) > limit:
                raise wire.ProtocolError(f"a data set of more than {limit} bytes", 0)
            whole += data
        return bytes(whole)

    def _value(self, deadline: float) -> _Value:
        """The next presentation data value. Those that are empty do not lengthen the time."""
        if time.monotonic() > deadline:
            raise wire.ProtocolError("a message that does not end", 0)
        while not self._values:
            kind, content = self._wire.read(max(0.0, deadline - time.monotonic()))
            if kind in (wire.ABORT, wire.RELEASE_RQ):
                raise self._refusal("ends the association in the middle")
            if kind != wire.P_DATA:
                raise wire.ProtocolError(f"a PDU of type {kind} within a message", wire.UNEXPECTED_PDU)
            self._values.extend(wire.values(content))
        return self._values.popleft()

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


def has_data_set(command: Command) -> bool:
    """Whether one follows (PS3.7 E.1)."""
    return bool(command.get("CommandDataSetType", NO_DATA_SET) != NO_DATA_SET)


def checked(response: Command, command: Command) -> Command:
    """The response to this command. Raises ProtocolError for anything else."""
    said = response.get("CommandField"), response.get("MessageIDBeingRespondedTo")
    if said != (command["CommandField"] | RESPONSE, command["MessageID"]) or "Status" not in response:
        raise wire.ProtocolError("a response that is none to what was asked", wire.UNEXPECTED_PDU)
    return response
