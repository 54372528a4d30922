"""An association that we ask for (PS3.8 7.1): to see whether somebody listens, and to send objects.

pynetdicom codes what is agreed on; the messages go through the wire that the accepting side has.
"""

import socket
from collections.abc import Iterable, Iterator, Sequence
from struct import pack
from types import TracebackType
from typing import Self

from pydicom.uid import UID
from pynetdicom._globals import APPLICATION_CONTEXT_NAME
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
)
from pynetdicom.presentation import build_context

from pacs.dataset.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from pacs.dimse import wire
from pacs.dimse.command import DATA_SET, NO_DATA_SET, Command, decode_command, encode_command
from pacs.dimse.negotiation import maximum_sent
from pacs.errors import MalformedObject
from pacs.model import Peer

CONNECT_TIME = 10.0  # seconds for the peer to take the connection
ASSOCIATE_TIME = 30.0  # seconds for its answer to the request
RESPONSE_TIME = 120.0  # seconds for its answer to a message; some answer once the object is on their disks
RELEASE_TIME = 10.0

COMMAND_LIMIT = 16_384  # bytes; command sets are below 1 KB

MOST_CONTEXTS = 128  # the odd numbers of a byte, PS3.8 9.3.2.2

# An abstract syntax, and the transfer syntaxes of which the peer may choose one
Proposal = tuple[str, tuple[str, ...]]


class NotAssociated(Exception):
    """There is no association with the peer, or no longer. The message says where and why."""


class Requestor:
    """An association with a peer, from its request to its release. Used by one thread."""

    def __init__(self, peer: Peer, calling_ae_title: str, proposals: Sequence[Proposal]) -> None:
        """proposals: at most MOST_CONTEXTS. Raises NotAssociated."""
        self._where = f"{peer.ae_title} at {peer.host}:{peer.port}"
        try:
            connection = socket.create_connection((peer.host, peer.port), timeout=CONNECT_TIME)
        except (OSError, UnicodeError) as error:  # the latter for what cannot be the name of a host
            reason = getattr(error, "strerror", None) or error
            raise NotAssociated(f"{self._where}: {reason}") from error
        self._wire = wire.Wire(connection, prompt=True)
        self._message_id = 0
        self._is_open = True
        try:
            request = _request(peer.ae_title, calling_ae_title, proposals)
            answer = self._agree(request)
        except NotAssociated:
            self._wire.close()
            raise
        self._maximum = maximum_sent(answer.maximum_length_received)
        # Context ID and transfer syntax of each proposal that was accepted
        self.accepted: dict[Proposal, tuple[int, str]] = {}
        for context in answer.presentation_context_definition_results_list:
            number = context.context_id or 0
            if context.result == 0 and number // 2 < len(proposals):
                self.accepted[proposals[number // 2]] = number, str(context.transfer_syntax[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._is_open:
                self._release()
            elif self._is_open:
                self.abandon()
        finally:
            self._wire.close()

    def abandon(self) -> None:
        """Abort it, for a message could not be ended."""
        self._is_open = False
        self._wire.abort()

    def ask(self, context_id: int, command: Command, data_set: Iterable[bytes] = ()) -> Command:
        """Send a request, and wait for its response. Raises NotAssociated.

        command: without what the message itself decides.  data_set: in pieces, none for no data set.
        """
        self._message_id = self._message_id % 0xFFFF + 1
        pieces = iter(data_set)
        first = next(pieces, None)
        whole = command | {
            "MessageID": self._message_id,
            "CommandDataSetType": NO_DATA_SET if first is None else DATA_SET,
        }
        try:
            self._wire.write(*wire.data_pdus(context_id, True, encode_command(whole), self._maximum))
            if first is not None:
                self._send_data_set(context_id, first, pieces)
            return self._response()
        except (wire.PeerGone, wire.ProtocolError) as error:
            self._is_open = False
            raise NotAssociated(f"{self._where}: {error}") from error

    def _send_data_set(self, context_id: int, first: bytes, others: Iterator[bytes]) -> None:
        """Pieces of any length as P-DATA-TF PDUs, the last one marked."""
        held = first
        for piece in others:
            self._write_fragments(context_id, held, is_last=False)
            held = piece
        self._write_fragments(context_id, held, is_last=True)

    def _write_fragments(self, context_id: int, data: bytes, is_last: bool) -> None:
        pdus = wire.data_pdus(context_id, False, data, self._maximum)
        if not is_last:  # bit 1 of the control header, behind PDU header, length and context ID
            pdus[-1] = pdus[-1][:11] + b"\0" + pdus[-1][12:]
        for pdu in pdus:
            self._wire.write(pdu)

    def _response(self) -> Command:
        command = bytearray()
        while True:
            kind, content = self._wire.read(RESPONSE_TIME)
            if kind != wire.P_DATA:
                raise wire.PeerGone("it ended the association")
            for _, control, data in wire.values(content):
                if len(command) + len(data) > COMMAND_LIMIT:
                    raise wire.ProtocolError("the command set is too long", wire.INVALID_PARAMETER)
                command += data if control & 1 else b""
                if control & 3 == 3:
                    return _decoded(command)

    def _agree(self, request: bytes) -> A_ASSOCIATE:
        try:
            self._wire.write(request)
            kind, content = self._wire.read(ASSOCIATE_TIME)
        except (wire.PeerGone, wire.ProtocolError) as error:
            raise NotAssociated(f"{self._where}: {error}") from error
        encoded = pack(">BBI", kind, 0, len(content)) + bytes(content)
        if kind == wire.ASSOCIATE_RJ:
            rejection = A_ASSOCIATE_RJ()
            rejection.decode(encoded)
            raise NotAssociated(f"{self._where} rejects the association: {rejection.reason_str}")
        if kind != wire.ASSOCIATE_AC:
            raise NotAssociated(f"{self._where}: it breaks off instead of answering the request")
        answer = A_ASSOCIATE_AC()
        try:
            answer.decode(encoded)
            return answer.to_primitive()
        except Exception as error:
            # pynetdicom raises whatever its parsing meets: all of it means the same
            raise NotAssociated(f"{self._where}: its answer cannot be read") from error

    def _release(self) -> None:
        try:
            self._wire.write(pack(">BBII", wire.RELEASE_RQ, 0, 4, 0))
            self._wire.read(RELEASE_TIME)
        except (wire.PeerGone, wire.ProtocolError):
            return  # all that was asked is answered


def _decoded(command: bytearray) -> Command:
    try:
        return decode_command(command)
    except MalformedObject as error:
        raise wire.ProtocolError(str(error), wire.INVALID_PARAMETER) from error


def _request(called: str, calling: str, proposals: Sequence[Proposal]) -> bytes:
    request = A_ASSOCIATE()
    request.application_context_name = APPLICATION_CONTEXT_NAME
    request.calling_ae_title, request.called_ae_title = calling, called
    contexts = [build_context(abstract, list(syntaxes)) for abstract, syntaxes in proposals]
    for number, context in enumerate(contexts):
        context.context_id = 2 * number + 1
    request.presentation_context_definition_list = contexts
    length = MaximumLengthNotification()
    length.maximum_length_received = wire.MAXIMUM_PDU
    implementation = ImplementationClassUIDNotification()
    implementation.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
    name = ImplementationVersionNameNotification()
    name.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    request.user_information = [length, implementation, name]
    pdu = A_ASSOCIATE_RQ()
    pdu.from_primitive(request)
    encoded: bytes = pdu.encode()
    return encoded
