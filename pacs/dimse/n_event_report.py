"""N-EVENT-REPORT of the Storage Commitment Push Model (PS3.4 J.3.3), from a peer that was asked to commit."""

import time
from collections.abc import Callable

import structlog

from pacs.dimse.answers import N_EVENT_REPORT
from pacs.dimse.association import Request
from pacs.dimse.command import Command
from pacs.dimse.commitment_data import (
    ALL_COMMITTED,
    FAILURES_EXIST,
    MOST_BYTES,
    PUSH_MODEL,
    PUSH_MODEL_INSTANCE,
    read_information,
)
from pacs.dimse.negotiation import Context
from pacs.dimse.status import (
    INVALID_ARGUMENT_VALUE,
    NO_SUCH_EVENT_TYPE,
    NO_SUCH_INSTANCE,
    NO_SUCH_SOP_CLASS,
    SUCCESS,
)
from pacs.dimse.with_data_set import WithDataSet
from pacs.errors import ArchiveError
from pacs.index import SentCommitments
from pacs.index.sent_commitments import COMMITTED

log = structlog.get_logger()


class EventReport(WithDataSet):
    """Takes a report that comes over an association which the peer has asked for."""

    most_bytes = MOST_BYTES

    def __init__(self, request: Request, commitments: SentCommitments, ring: Callable[[], None]) -> None:
        """ring: called when something is to be sent again."""
        super().__init__(request)
        self._commitments = commitments
        self._ring = ring

    def read(self, data: bytes) -> None:
        """Take it, and answer. Raises ArchiveError."""
        request = self._request
        reporter = request.association.source.ae_title
        status, is_more = hear(self._commitments, reporter, request.command, data, request.context)
        request.respond({"Status": status})
        if is_more:
            self._ring()


def hear(
    commitments: SentCommitments, reporter: str, command: Command, data: bytes, context: Context
) -> tuple[int, bool]:
    """Note a report; the status to answer, and whether something is to be sent again.

    reporter: its AE title.  Raises InvalidQuery, MalformedObject, StorageFailed.
    """
    if command.get("AffectedSOPClassUID") != PUSH_MODEL:
        return NO_SUCH_SOP_CLASS, False
    if command.get("AffectedSOPInstanceUID") != PUSH_MODEL_INSTANCE:
        return NO_SUCH_INSTANCE, False
    if command.get("EventTypeID") not in (ALL_COMMITTED, FAILURES_EXIST):
        return NO_SUCH_EVENT_TYPE, False
    uid, committed, failed = read_information(data, context)
    reasons = {instance: COMMITTED for _, instance in committed}
    reasons |= {instance: reason for (_, instance), reason in failed if reason}
    is_more = commitments.hear(uid, reporter, reasons, time.time())
    if is_more is None:
        return INVALID_ARGUMENT_VALUE, False  # of no request of ours
    log.info("commitment heard", reporter=reporter, transaction=uid, failed=len(failed))
    return SUCCESS, is_more


def answer(
    commitments: SentCommitments, reporter: str, command: Command, data: bytes, context: Context
) -> Command:
    """The same of a report that comes over our own association; the fields of the response."""
    try:
        status, _ = hear(commitments, reporter, command, data, context)
    except ArchiveError as error:
        log.warning("report refused", reporter=reporter, reason=str(error))
        return N_EVENT_REPORT.failure(error)
    return {"Status": status}
