"""One association from its request to its end, read by one thread that waits in the kernel.

PS3.8 9.2 without the parts that a requestor or a second thread would need: an acceptor that handles one
message after the other has few states, and each is a place in this file.
"""

import time
from collections.abc import Iterable
from functools import cached_property
from struct import pack
from typing import NamedTuple, Protocol

import structlog

from pacs.archive import Archive
from pacs.dimse import wire
from pacs.dimse.admission import Admission, tell_refused
from pacs.dimse.answers import BEFORE, Answers
from pacs.dimse.command import (
    C_CANCEL_RQ,
    DATA_SET,
    NO_DATA_SET,
    RESPONSE,
    Command,
    decode_command,
)
from pacs.dimse.message import pdus_of, response_to
from pacs.dimse.negotiation import Agreement, Context, Negotiator, Rejected, titles
from pacs.dimse.status import is_pending
from pacs.errors import MalformedObject
from pacs.incoming import Sender
from pacs.metrics import ASSOCIATIONS, request_counter
from pacs.model import Permission, Source

COMMAND_LIMIT = 16_384  # bytes; command sets are below 1 KB
REQUEST_TIME = 30.0  # seconds for the association request to arrive: the ARTIM timer
MESSAGE_TIME = 60.0  # seconds between the parts of one message
RESPONSE_TIME = 120.0  # seconds for the response to what we ask

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
    """A request as its command set states it, and the means to answer it.

    answers: what can be answered.
    """

    association: "Association"
    context_id: int
    context: Context
    command: Command
    answers: Answers = BEFORE

    def respond(self, fields: Command, data_set: bytes | None = None) -> None:
        """Send a response. fields: Status and whatever else belongs to it."""
        response = response_to(self.command, fields, data_set is not None)
        self.association.send(self.context_id, response, data_set)


class Watch(Protocol):
    """What an association waits for beside the messages of its peer."""

    def fileno(self) -> int:
        """What can be read when there is something to do."""
        ...

    def heed(self) -> None:
        """Do it. The peer may be asked, and may ask meanwhile."""
        ...

    def close(self) -> None:
        """The association has ended."""
        ...


class Released(wire.PeerGone):
    """The peer has released the association while it was being asked."""


class Dispatch(Protocol):
    """What is offered to peers."""

    negotiator: Negotiator

    def admit(self, calling: str, called: str) -> Admission:
        """What a peer may do, by both AE titles. Raises Rejected."""
        ...

    def begin(self, request: Request, command_field: int) -> Service:
        """What handles a request."""
        ...


class Association:
    """An association, accepted or about to be."""

    def __init__(
        self, connection: wire.Wire, address: str, archive: Archive, offers: Dispatch, idle_time: float
    ) -> None:
        """idle_time: seconds that a peer may keep the association open without asking anything."""
        self.archive = archive
        self.agreement: Agreement | None = None
        self.admission = Admission()
        self.is_in_message = False  # whether the peer has a part of what we ask it
        self._wire = connection
        self._address = address
        self._offers = offers
        self._idle_time = idle_time
        self._command = bytearray()
        self._service: Service | None = None
        self._is_answering = False
        self._cancelled: set[int] = set()
        self._messages = 0  # that we have sent
        self.watch: Watch | None = None
        self._asked: dict[int, Command | None] = {}  # the responses to what we ask, by Message ID

    @property
    def agreed(self) -> Agreement:
        """The agreement, by which all messages are; there are none before."""
        assert self.agreement is not None  # noqa: S101 - messages are read once it is there
        return self.agreement

    @property
    def source(self) -> Source:
        """Who the peer says it is, and from where."""
        return Source(self.agreement.calling_ae_title if self.agreement else "", self._address)

    @cached_property
    def sender(self) -> Sender:
        """What takes in the objects that the peer sends."""
        peer = self.admission.peer
        if peer is None:
            return self.archive.sender(self.source)
        return self.archive.sender(self.source, peer.coercion, peer.duplicates)

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
        except Released:
            end = "released"
        except wire.PeerGone as error:
            # Who only watches whether the port is open connects and goes, all day long
            tell = log.warning if self.agreement else log.info
            tell("association broken off", peer=self._address, reason=str(error))
        finally:
            if self._service:
                self._service.abandon()
            if self.watch:
                self.watch.close()
            ASSOCIATIONS.labels(end).inc()

    def _accept(self) -> None:
        kind, content = self._wire.read(REQUEST_TIME)
        if kind != wire.ASSOCIATE_RQ:
            raise wire.ProtocolError(f"a PDU of type {kind} before the association", wire.UNEXPECTED_PDU)
        request = bytes(content)
        self.admission = admission = self._offers.admit(*titles(request))
        agreement = self._offers.negotiator.agree(request, admission.may, admission.transfer_syntaxes)
        self.agreement = agreement
        self._wire.write(agreement.reply)
        log.info(
            "association accepted",
            peer=self._address,
            calling=agreement.calling_ae_title,
            called=agreement.called_ae_title,
            contexts=len(agreement.contexts),
            **({"refused": agreement.refused} if agreement.refused else {}),
            tls=self._wire.protection,
        )
        for permission in sorted(agreement.lacking):
            self.tell_refused(permission)

    def tell_refused(self, permission: Permission) -> None:
        """Log that the peer wanted what it may not."""
        source = self.source
        tell_refused(source.ae_title, source.address, permission, self.admission.advice)

    def _serve(self) -> str:
        while True:
            in_message = self._service is not None or self._command
            kind, content = self._wire.read(MESSAGE_TIME if in_message else self._heed())
            if kind == wire.P_DATA:
                self._take_all(content)
            elif kind == wire.RELEASE_RQ:
                self._release()
                return "released"
            elif kind == wire.ABORT:
                log.warning("association aborted by peer", peer=self._address)
                return "aborted"
            else:
                raise wire.ProtocolError(f"a PDU of type {kind} within the association", wire.UNEXPECTED_PDU)

    def _heed(self) -> float:
        """Do what is to be done until the peer says something; the seconds in which it has to."""
        if self.watch is None:
            return self._idle_time
        deadline = time.monotonic() + self._idle_time
        while self._wire.is_rung(self.watch, max(0.0, deadline - time.monotonic())):
            self.watch.heed()
        return max(1.0, deadline - time.monotonic())

    def _release(self) -> None:
        self._wire.write(pack(">BBII", wire.RELEASE_RP, 0, 4, 0))
        log.info("association released", peer=self._address)

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
        context = self.agreed.contexts.get(context_id)
        if context is None or self._service is not None:
            raise wire.ProtocolError("a command out of its place", wire.INVALID_PARAMETER)
        try:
            command = decode_command(self._command)
        except MalformedObject as error:
            raise wire.ProtocolError(str(error), wire.INVALID_PARAMETER) from error
        self._command.clear()
        field = command.get("CommandField")
        if field == C_CANCEL_RQ:
            self._cancelled.add(command.get("MessageIDBeingRespondedTo", 0))
            return  # of what was answered already it changes nothing
        if field is None or (self._is_answering and not field & RESPONSE):
            raise wire.ProtocolError("a second request while one is being answered", wire.UNEXPECTED_PDU)
        has_data = command.get("CommandDataSetType", NO_DATA_SET) != NO_DATA_SET
        if field & RESPONSE:
            self._take_response(command)
            self._service = Passed() if has_data else None
            return
        self._cancelled.discard(command.get("MessageID", 0))  # one that came too late for an earlier request
        self._service = self._offers.begin(Request(self, context_id, context, command), field)
        if not has_data:
            self._finish()

    def _take_response(self, command: Command) -> None:
        number = command.get("MessageIDBeingRespondedTo")
        if number not in self._asked or "Status" not in command:
            raise wire.ProtocolError("a response to nothing that was asked", wire.UNEXPECTED_PDU)
        self._asked[number] = command

    def _finish(self) -> None:
        service, self._service = self._service, None
        assert service is not None  # noqa: S101 - only called while a message is open
        was_answering, self._is_answering = self._is_answering, True
        service.finish()
        self._is_answering = was_answering

    def send(self, context_id: int, command: Command, data_set: bytes | None = None) -> None:
        """Send a response."""
        pieces = None if data_set is None else (data_set,)
        for pdus in pdus_of(context_id, command, pieces, self.agreed.maximum_sent):
            self._wire.write(*pdus)
        if not is_pending(command["Status"]):
            request_counter(command["CommandField"], command["Status"]).inc()

    @property
    def contexts(self) -> dict[Context, int]:
        """Those in which the peer is an SCP and can be asked, with their IDs."""
        return self.agreed.taken

    def request(self, context: Context, fields: Command, data_set: Iterable[bytes] | None = None) -> Command:
        """Ask the peer, who is an SCP in this context, and wait for its response, as `ask` does."""
        return self.ask(self.contexts[context], fields, data_set)

    def ask(self, context_id: int, fields: Command, data_set: Iterable[bytes] | None = None) -> Command:
        """Ask the peer in an accepted context, and wait for its response. It may ask meanwhile.

        fields: the command set, but for what every message has.
        data_set: in pieces. What raises before the second leaves the association usable: nothing was sent.
        Raises PeerGone, ProtocolError.
        """
        number = self._messages = self._messages % 0xFFFF + 1
        has_data = NO_DATA_SET if data_set is None else DATA_SET
        command: Command = {**fields, "MessageID": number, "CommandDataSetType": has_data}
        for pdus in pdus_of(context_id, command, data_set, self.agreed.maximum_sent):
            self.is_in_message = True
            self._wire.write(*pdus)
        self.is_in_message = False
        self._asked[number] = None
        self._wire.acknowledge_at_once(True)
        while self._asked[number] is None or self._service is not None:
            self._read_on(RESPONSE_TIME)
        self._wire.acknowledge_at_once(False)
        response = self._asked.pop(number)
        assert response is not None  # noqa: S101 - the loop has waited for it
        return response

    def _read_on(self, patience: float) -> None:
        kind, content = self._wire.read(patience)
        if kind == wire.RELEASE_RQ:
            self._release()
            raise Released
        if kind != wire.P_DATA:
            raise wire.PeerGone("it ended the association while it was being answered")
        self._take_all(content)

    def abort(self) -> None:
        """End the association within a message that cannot be sent whole. Raises PeerGone."""
        self._wire.abort()
        raise wire.PeerGone("aborted, for an object could not be read to its end")

    def is_cancelled(self, message_id: int) -> bool:
        """Whether the peer has asked, meanwhile, to cancel this request (PS3.7 9.3.2.3)."""
        while message_id not in self._cancelled and self._wire.is_readable():
            self._read_on(MESSAGE_TIME)
        return message_id in self._cancelled


class Passed:
    """Takes what is not looked at."""

    def write(self, data: memoryview) -> None:
        """It is read and passed over."""

    def finish(self) -> None:
        """There is nothing to answer."""

    def abandon(self) -> None:
        """There is nothing to take back."""


class Refusing(Passed):
    """Answers a request that no service here handles for this peer."""

    def __init__(self, request: Request, status: int) -> None:
        self._request = request
        self._status = status

    def finish(self) -> None:
        """Say so."""
        self._request.respond({"Status": self._status})
