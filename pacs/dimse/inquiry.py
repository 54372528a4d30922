"""An association in which a question has many responses, and objects may come meanwhile (PS3.7 9.1)."""

import ssl
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from pacs.dimse import wire
from pacs.dimse.command import (
    C_STORE_RQ,
    DATA_SET,
    NO_DATA_SET,
    RESPONSE,
    Command,
    decode_command,
)
from pacs.dimse.message import pdus_of
from pacs.dimse.negotiation import Context
from pacs.dimse.reception import Reception
from pacs.dimse.requestor import RESPONSE_LIMIT, RESPONSE_TIME, Requestor
from pacs.dimse.status import is_pending
from pacs.errors import MalformedObject
from pacs.model import Peer

MOST_BYTES = 16 << 20  # of the identifier of one response

# What takes an object in that the peer sends: made of the command set and the context of its request
Store = Callable[[Command, Context], Reception]

_Value = tuple[int, int, memoryview]


class Response(NamedTuple):
    """A response of the peer, or ours to an object that it sent meanwhile.

    identifier: the data set, empty when it has none.
    """

    command: Command
    identifier: bytes

    @property
    def is_of_object(self) -> bool:
        """Whether it is ours."""
        return bool(self.command["CommandField"] == C_STORE_RQ | RESPONSE)

    @property
    def is_last(self) -> bool:
        """Whether no other follows."""
        return not self.is_of_object and not is_pending(self.command["Status"])


class Inquiry(Requestor):
    """Asks one question after the other. To leave before the last response aborts the association."""

    def __init__(
        self,
        peer: Peer,
        calling: str,
        contexts: Sequence[Context],
        provided: Collection[str] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """As Requestor.  provided: the storage classes that the peer may send us."""
        super().__init__(peer, calling, contexts, provided, tls=tls)
        self._contexts_by_id = {number: context for context, number in self.contexts.items()}
        self._values = self._read_values()

    def inquire(
        self, context: Context, fields: Command, identifier: bytes, store: Store | None = None
    ) -> Iterator[Response]:
        """Ask; each response as it comes, up to the last one, and ours to each object that came meanwhile.

        store: takes the objects in; without it the peer may send none.
        Raises PeerFailed.
        """
        self._messages = self._messages % 0xFFFF + 1
        command: Command = {**fields, "MessageID": self._messages, "CommandDataSetType": DATA_SET}
        self.is_in_message = True
        with self._talk():
            for pdus in pdus_of(self.contexts[context], command, [identifier], self._maximum):
                self._wire.write(*pdus)
        while self.is_in_message:
            with self._talk():
                response = self._receive(command, store)
            self.is_in_message = not response.is_last
            yield response

    def _receive(self, asked: Command, store: Store | None) -> Response:
        """Take in the next message."""
        context_id, command = self._command()
        field = command.get("CommandField", 0)
        has_data = command.get("CommandDataSetType", NO_DATA_SET) != NO_DATA_SET
        if field == C_STORE_RQ and store is not None and has_data:
            return self._take_object(context_id, command, store)
        said = field, command.get("MessageIDBeingRespondedTo")
        if said != (asked["CommandField"] | RESPONSE, asked["MessageID"]) or "Status" not in command:
            raise wire.ProtocolError("a message that is no response to what was asked", wire.UNEXPECTED_PDU)
        identifier = bytearray()
        for data in self._data_set(context_id) if has_data else ():
            if len(identifier) + len(data) > MOST_BYTES:
                raise wire.ProtocolError(f"an identifier of more than {MOST_BYTES} bytes", 0)
            identifier += data
        return Response(command, bytes(identifier))

    def _take_object(self, context_id: int, command: Command, store: Store) -> Response:
        context = self._contexts_by_id.get(context_id)
        if context is None:
            raise wire.ProtocolError("an object in a context that was not accepted", wire.INVALID_PARAMETER)
        reception = store(command, context)
        try:
            for data in self._data_set(context_id):
                reception.write(data)
            fields = reception.finish()
        finally:
            reception.abandon()
        response: Command = {
            "CommandField": C_STORE_RQ | RESPONSE,
            "MessageIDBeingRespondedTo": command.get("MessageID", 0),
            "CommandDataSetType": NO_DATA_SET,
            "AffectedSOPClassUID": context.abstract_syntax,
            "AffectedSOPInstanceUID": command.get("AffectedSOPInstanceUID", ""),
            **fields,
        }
        for pdus in pdus_of(context_id, response, None, self._maximum):
            self._wire.write(*pdus)
        return Response(response, b"")

    def _command(self) -> tuple[int, Command]:
        received = bytearray()
        for context_id, control, data in self._values:
            if not control & 1 or len(received) + len(data) > RESPONSE_LIMIT:
                break
            received += data
            if control & 2:
                try:
                    return context_id, decode_command(received)
                except MalformedObject as error:
                    raise wire.ProtocolError(str(error), wire.INVALID_PARAMETER) from error
        raise wire.ProtocolError("a command set that is none", wire.INVALID_PARAMETER)

    def _data_set(self, of_context: int) -> Iterator[memoryview]:
        """Its pieces, each valid until the next."""
        for context_id, control, data in self._values:
            if control & 1 or context_id != of_context:
                raise wire.ProtocolError("a data set that is none", wire.INVALID_PARAMETER)
            yield data
            if control & 2:
                return

    def _read_values(self) -> Iterator[_Value]:
        """All presentation data values, each valid until the next."""
        while True:
            kind, content = self._wire.read(RESPONSE_TIME)
            if kind in (wire.ABORT, wire.RELEASE_RQ):
                raise self._refusal("ends the association in the middle")
            if kind != wire.P_DATA:
                raise wire.ProtocolError(f"a PDU of type {kind} as a response", wire.UNEXPECTED_PDU)
            yield from wire.values(content)
