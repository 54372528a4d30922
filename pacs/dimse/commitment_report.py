"""N-EVENT-REPORT of the Storage Commitment Push Model (PS3.4 J.3.3): telling the result of a request."""

import structlog

from pacs.dimse.command import N_EVENT_REPORT_RQ, Command
from pacs.dimse.commitment_data import (
    ALL_COMMITTED,
    FAILURES_EXIST,
    PUSH_MODEL,
    PUSH_MODEL_INSTANCE,
    Information,
    write_information,
)
from pacs.dimse.heard import COMMITMENT_REPORT, Then
from pacs.dimse.negotiation import Context
from pacs.index import Result

log = structlog.get_logger()


def report(result: Result, context: Context) -> tuple[Command, bytes]:
    """The command set but for what every message has, and the data set."""
    committed = [reference for reference, reason in result.references if not reason]
    failed = [(reference, reason) for reference, reason in result.references if reason]
    fields: Command = {
        "CommandField": N_EVENT_REPORT_RQ,
        "AffectedSOPClassUID": PUSH_MODEL,
        "AffectedSOPInstanceUID": PUSH_MODEL_INSTANCE,
        "EventTypeID": FAILURES_EXIST if failed else ALL_COMMITTED,
    }
    return fields, write_information(Information(result.transaction_uid, committed, failed), context)


def end_of(transaction_uid: str, destination: str, status: int) -> bool:
    """Whether nothing more is to be told, as the status of the response says."""
    then = COMMITMENT_REPORT.then(status)
    if then is Then.DONE:
        log.info("commitment told", destination=destination, transaction=transaction_uid)
    else:
        log.warning(
            "commitment told, and not taken",
            destination=destination,
            transaction=transaction_uid,
            status=f"{status:04X}",
        )
    return then is not Then.AGAIN
