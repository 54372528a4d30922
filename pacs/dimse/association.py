"""One association from its request to its end, read by one thread that waits in the kernel.

PS3.8 9.2 without the parts that a requestor or a second thread would need: an acceptor that handles one
message after the other has few states, and each is a place in this file.
"""

from collections.abc import Callable
from functools import cached_property
from struct import pack
from typing import NamedTuple, Protocol

import structlog

from pacs.archive import Archive
from pacs.dimse import wire
from pacs.dimse.command import (
    C_CANCEL_RQ,
    DATA_SET,
    NO_DATA_SET,
    RESPONSE,
    Command,
    decode_command,
    encode_command,
)
from pacs.dimse.negotiation import Agreement, Context, Rejected, agree
from pacs.dimse.status import UNRECOGNIZED_OPERATION
from pacs.errors import MalformedObject
from pacs.incoming import Sender
from pacs.metrics import ASSOCIATIONS, request_counter
from pacs.model import Source

COMMAND_LIMIT = 16_384  # bytes; command sets are below 1 KB
REQUEST_TIME = 30.0  # seconds for the association request to arrive: the ARTIM timer
MESSAGE_TIME = 60.0  # seconds between the parts of one message

log = structlog.get_logger()


class Service(Protocol):
    """Handles one request: takes its data set as it arrives, and answers at its end."""

    def write(self, data: memoryview) -> None:
        """A part of the data set. It is valid only during the call."""
        ...

    def finish(self) -> None:
        """The request is complete: answer it."""
        ...

    def abandon(self) -> None:
        """The association ended before the request was complete."""
        ...


class Request(NamedTuple):
    """A request as its command set states it, and the means to answer it."""

    association: "Association"
    context_id: int
    context: Context
    command: Command

    def respond(self, fields: Command, data_set: bytes | None = None) -> None:
        """Send a response. fields: Status and whatever else belongs to it."""
        command = self.command
        response: Command = {
            "CommandField": command["CommandField"] | RESPONSE,
            "MessageIDBeingRespondedTo": command.get("MessageID", 0),
            "CommandDataSetType": NO_DATA_SET if data_set is None else DATA_SET,
        }
        for keyword in ("AffectedSOPClassUID", "AffectedSOPInstanceUID"):
            if keyword in command:
                response[keyword] = command[keyword]
        self.association.send(self.context_id, response | fields, data_set)


Services = dict[int, Callable[[Request], Service]]


class Association:
    """An association, accepted or about to be."""

    def __init__(
        self,
        connection: wire.Wire,
        address: str,
        archive: Archive,
        services: Services,
        idle_time: float,
        accept_unknown_sop_classes: bool,
    ) -> None:
        """services: what makes a service from a request, by Command Field.

        idle_time: seconds that a peer may keep the association open without asking anything.
        """
        self.archive = archive
        self.agreement: Agreement | None = None
        self._wire = connection
        self._address = address
        self._services = services
        self._idle_time = idle_time
        self._accept_unknown = accept_unknown_sop_classes
        self._command = bytearray()
        self._service: Service | None = None

    @property
    def source(self) -> Source:
        """Who the peer says it is, and from where."""
        return Source(self.agreement.calling_ae_title if self.agreement else "", self._address)

    @cached_property
    def sender(self) -> Sender:
        """What takes in the objects that the peer sends."""
        return self.archive.sender(self.source)

    def run(self) -> None:
        """Serve the peer until it releases the association, aborts it, or falls silent."""
        end = "aborted"
        try:
            self._accept()
            end = self._serve()
        except Rejected as error:
            self._wire.write(error.reply)
            self._wire.linger()
            end = "rejected"
            log.warning("association rejected", peer=self._address, reason=str(error))
        except wire.ProtocolError as error:
            self._wire.abort(error.reason)
            self._wire.linger()
            log.warning("association aborted by us", peer=self._address, reason=str(error))
        except wire.PeerGone as error:
            # Who only watches whether the port is open connects and goes, all day long
            tell = log.warning if self.agreement else log.info
            tell("association broken off", peer=self._address, reason=str(error))
        finally:
            if self._service:
                self._service.abandon()
            ASSOCIATIONS.labels(end).inc()

    def _accept(self) -> None:
        kind, content = self._wire.read(REQUEST_TIME)
        if kind != wire.ASSOCIATE_RQ:
            raise wire.ProtocolError(f"a PDU of type {kind} before the association", wire.UNEXPECTED_PDU)
        agreement = agree(bytes(content), self._accept_unknown)
        self.agreement = agreement
        self._wire.write(agreement.reply)
        log.info(
            "association accepted",
            peer=self._address,
            calling=agreement.calling_ae_title,
            called=agreement.called_ae_title,
            contexts=len(agreement.contexts),
            **({"refused": agreement.refused} if agreement.refused else {}),
        )

    def _serve(self) -> str:
        while True:
            in_message = self._service is not None or self._command
            kind, content = self._wire.read(MESSAGE_TIME if in_message else self._idle_time)
            if kind == wire.P_DATA:
                self._take_all(content)
            elif kind == wire.RELEASE_RQ:
                self._wire.write(pack(">BBII", wire.RELEASE_RP, 0, 4, 0))
                log.info("association released", peer=self._address)
                return "released"
            elif kind == wire.ABORT:
                log.warning("association aborted by peer", peer=self._address)
                return "aborted"
            else:
                raise wire.ProtocolError(f"a PDU of type {kind} within the association", wire.UNEXPECTED_PDU)

    def _take_all(self, content: memoryview) -> None:
        values = wire.values(content)
        if len(values) > 1:  # while one message is answered more may be read, to where the next lies
            values = wire.values(memoryview(bytes(content)))
        for context_id, control, data in values:
            self._take(context_id, control, data)

    def _take(self, context_id: int, control: int, data: memoryview) -> None:
        """One presentation data value: a piece of a command set (bit 0) or data set, the last one (bit 1)."""
        is_last = bool(control & 2)
        if not control & 1:
            if self._service is None:
                raise wire.ProtocolError("a data set without a command", wire.UNEXPECTED_PDU)
            self._service.write(data)
            if is_last:
                self._finish()
            return
        if len(self._command) + len(data) > COMMAND_LIMIT:
            raise wire.ProtocolError("the command set is too long", wire.INVALID_PARAMETER)
        self._command += data
        if is_last:
            self._begin(context_id)

    def _begin(self, context_id: int) -> None:
        assert self.agreement is not None  # noqa: S101 - set before any message is read
        context = self.agreement.contexts.get(context_id)
        if context is None or self._service is not None:
            raise wire.ProtocolError("a command out of its place", wire.INVALID_PARAMETER)
        try:
            command = decode_command(self._command)
        except MalformedObject as error:
            raise wire.ProtocolError(str(error), wire.INVALID_PARAMETER) from error
        self._command.clear()
        field = command.get("CommandField")
        if field is None or field & RESPONSE:
            raise wire.ProtocolError("not a request", wire.UNEXPECTED_PDU)
        if field == C_CANCEL_RQ:
            return  # what it would cancel is done already
        request = Request(self, context_id, context, command)
        self._service = self._services.get(field, Unrecognized)(request)
        if command.get("CommandDataSetType", NO_DATA_SET) == NO_DATA_SET:
            self._finish()

    def _finish(self) -> None:
        service = self._service
        assert service is not None  # noqa: S101 - only called while a request is open
        service.finish()
        self._service = None

    def send(self, context_id: int, command: Command, data_set: bytes | None = None) -> None:
        """Send a message."""
        assert self.agreement is not None  # noqa: S101 - nothing is sent before
        maximum = self.agreement.maximum_sent
        pdus = wire.data_pdus(context_id, True, encode_command(command), maximum)
        if data_set is not None:
            pdus += wire.data_pdus(context_id, False, data_set, maximum)
        self._wire.write(*pdus)
        if command["Status"] & 0xFF00 != 0xFF00:
            request_counter(command["CommandField"], command["Status"]).inc()

    def is_cancelled(self, message_id: int) -> bool:
        """Whether the peer has asked, meanwhile, to cancel this request (PS3.7 9.3.2.3)."""
        if not self._wire.is_readable():
            return False
        kind, content = self._wire.read(MESSAGE_TIME)
        if kind != wire.P_DATA:
            raise wire.PeerGone("it ended the association while it was being answered")
        values = wire.values(content)
        command = decode_command(b"".join(data for _, control, data in values if control & 1))
        if command.get("CommandField") != C_CANCEL_RQ:
            raise wire.ProtocolError("a second request while one is being answered", wire.UNEXPECTED_PDU)
        return bool(command.get("MessageIDBeingRespondedTo") == message_id)


class Unrecognized:
    """Answers a request that no service here handles."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def write(self, data: memoryview) -> None:
        """Its data set is read and passed over."""

    def finish(self) -> None:
        """Say so."""
        self._request.respond({"Status": UNRECOGNIZED_OPERATION})

    def abandon(self) -> None:
        """There is nothing to take back."""
