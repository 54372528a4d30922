"""N-ACTION of the Storage Commitment Push Model (PS3.4 J.3.2), and associations that wait for its result."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from pacs.dimse.association import Association, Request
from pacs.dimse.commitment_data import (
    MOST_BYTES,
    PUSH_MODEL,
    PUSH_MODEL_INSTANCE,
    REQUEST_COMMITMENT,
    read_information,
)
from pacs.dimse.commitment_report import end_of, report
from pacs.dimse.status import (
    NO_SUCH_ACTION,
    NO_SUCH_INSTANCE,
    NO_SUCH_SOP_CLASS,
    SUCCESS,
)
from pacs.dimse.with_data_set import WithDataSet
from pacs.doorbell import Doorbell
from pacs.errors import ArchiveError, InvalidQuery, TooManyMatches
from pacs.index import Asked, CommitmentRequests

log = structlog.get_logger()

SAID = (  # what a request has to say, and the status of one that does not
    ("RequestedSOPClassUID", PUSH_MODEL, NO_SUCH_SOP_CLASS),
    ("RequestedSOPInstanceUID", PUSH_MODEL_INSTANCE, NO_SUCH_INSTANCE),
    ("ActionTypeID", REQUEST_COMMITMENT, NO_SUCH_ACTION),
)


@dataclass(frozen=True)
class Desk:
    """Where requests are taken.

    doors: the folder of the doorbells of associations that wait.  ring: wakes the courier.
    """

    requests: CommitmentRequests
    doors: Path
    ring: Callable[[], None]


class Action(WithDataSet):
    """Takes a request, to be worked off by the courier: nothing is read back in a thread of the front."""

    most_bytes = MOST_BYTES

    def __init__(self, request: Request, desk: Desk) -> None:
        super().__init__(request)
        self._desk = desk

    def finish(self) -> None:
        """Answer, and refuse what is no request for storage commitment."""
        command = self._request.command
        wrong = [status for keyword, value, status in SAID if command.get(keyword) != value]
        if wrong:
            self._request.respond({"Status": wrong[0]})
        else:
            super().finish()

    def read(self, data: bytes) -> None:
        """Take the request, durably. Raises InvalidQuery, MalformedObject, StorageFailed."""
        request, association = self._request, self._request.association
        information = read_information(data, request.context)
        if not information.references:
            raise InvalidQuery("Referenced SOP Sequence is absent or empty", 0x00081199)
        agreement = association.agreement
        calling, called = (agreement.calling_ae_title, agreement.called_ae_title) if agreement else ("", "")
        asked = Asked(information.transaction_uid, calling, called, information.references)
        if not self._desk.requests.add(asked, self._door()):
            raise TooManyMatches("too many requests wait already")
        request.respond({"Status": SUCCESS})
        self._desk.ring()

    def _door(self) -> str:
        """The name of the doorbell of the association; empty when it can have none."""
        request, association = self._request, self._request.association
        if not isinstance(association.watch, Awaited):
            try:
                association.watch = Awaited(association, request.context_id, self._desk)
            except OSError as error:  # then the result comes over another association
                log.warning("an association has no doorbell", reason=error.strerror)
                return ""
        return association.watch.name


class Awaited:
    """The results that the peer of an open association waits for."""

    def __init__(self, association: Association, context_id: int, desk: Desk) -> None:
        """context_id: in which the peer is told. Raises OSError."""
        self._association = association
        self._context_id = context_id
        self._desk = desk
        self._doorbell = Doorbell(desk.doors)
        self.name = self._doorbell.name

    def fileno(self) -> int:
        """What can be read when there are some."""
        return self._doorbell.fileno()

    def heed(self) -> None:
        """Tell the peer. What the index fails at is left to the courier."""
        self._doorbell.silence()
        agreement = self._association.agreement
        assert agreement is not None  # noqa: S101 - it was agreed before anything was asked
        context = agreement.contexts[self._context_id]
        try:
            for result in self._desk.requests.answered_at(self.name):
                fields, data_set = report(result, context)
                status = self._association.ask(self._context_id, fields, [data_set])["Status"]
                if end_of(result.transaction_uid, self._association.source.ae_title, status):
                    self._desk.requests.told(result)
        except ArchiveError as error:
            log.error("a commitment cannot be told for now", reason=str(error))

    def close(self) -> None:
        """What is not told yet is left to the courier."""
        self._doorbell.close()
        try:
            if self._desk.requests.leave(self.name):
                self._desk.ring()
        except ArchiveError as error:  # the courier finds the door closed
            log.error("a commitment is told later", reason=str(error))
