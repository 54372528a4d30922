"""Section 7.3: status codes, from the tables by which they are answered and heeded."""

from collections.abc import Iterator, Mapping, Sequence

from diafana.conformance.dimse_services import DAYS
from diafana.conformance.markdown import listed, paragraph, table
from diafana.conformance.offered import in_chapter, offered, offers_of, uses_of
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from dicomweb.status import FAILURE_REASON, HTTP_STATUS, REFUSED, TRANSFER_SYNTAX_NOT_SUPPORTED
from dicomweb.transaction import Transaction
from dicomweb.ups.conflicts import TRANSACTIONS
from pacs.dimse.answers import BEFORE, Answers
from pacs.dimse.commitment_data import PUSH_MODEL
from pacs.dimse.heard import Heard
from pacs.dimse.rejection import REJECTIONS
from pacs.dimse.sop_classes import (
    FIND_LEVELS,
    GET_LEVELS,
    INSTANCE_AVAILABILITY,
    MODALITY_WORKLIST,
    MOVE_LEVELS,
    PERFORMED_STEP,
    PERFORMED_STEP_RETRIEVE,
    VERIFICATION,
)
from pacs.dimse.status import MEANINGS, NO_LONGER_UPDATED, PROCESSING_FAILURE, class_of


def _initiator() -> Iterator[str]:
    yield from table(
        ("Failure", "Failure Behavior"),
        (
            (
                "no connection, or no TLS",
                f"what waits for the system is tried again, at growing distances, for {DAYS} days; "
                "who asked at once is told",
            ),
            ("Timeout", "the association is aborted; else the same"),
            ("Association rejected", "the same; the log says why, by source and reason"),
            ("Association aborted", "the same; what was answered before is not sent again"),
            ("Network Disconnect", "the same"),
        ),
    )


def _acceptor() -> Iterator[str]:
    yield from table(
        ("Exception", "result", "source", "reason"),
        ((r.when, str(r.result), str(r.source), str(r.reason)) for r in REJECTIONS),
    )
    yield from table(
        ("Exception", "Failure response"),
        (
            (
                "a PDU or message that PS3.8 does not allow there",
                "A-ABORT with the reason of PS3.8 Table 9-26",
            ),
            (
                "a message that does not go on, or a peer that is silent for too long",
                "the connection is closed",
            ),
            ("a check of integrity by TLS fails", "the connection is closed: A-ABORT could not be sent"),
            ("a defect of ours", "A-ABORT; the log says more"),
            ("an association that ends before a request is complete", "nothing of the request is kept"),
        ),
    )


def _dimse() -> Iterator[str]:
    yield paragraph(
        "Error Comment says what is wrong, Offending Element where, if it is known. Of every service, "
        "before it is asked:"
    )
    yield from _answers(BEFORE)


def _answers(answers: Answers) -> Iterator[str]:
    return table(
        ("Service Status", "Further Meaning", "Status Code", "Error ID", "Condition"),
        (
            (
                class_of(one.status),
                MEANINGS[one.status],
                f"{one.status:04X}",
                "" if one.error_id is None else f"{one.error_id:04X}",
                one.when,
            )
            for one in answers
        ),
    )


def _heard(heard: Heard) -> Iterator[str]:
    return table(
        ("Status Code", "Behavior"),
        (
            *((_codes(statuses), then.value) for statuses, then in heard.rows),
            ("anything else", heard.otherwise.value),
        ),
    )


def _codes(statuses: Sequence[int]) -> str:
    """Runs of them from the first to the last."""
    runs: list[list[int]] = []
    for status in sorted(statuses):
        if runs and status == runs[-1][-1] + 1:
            runs[-1].append(status)
        else:
            runs.append([status])
    return listed(_code(run[0]) if len(run) == 1 else f"[{_code(run[0])} … {_code(run[-1])}]" for run in runs)


def _code(status: int) -> str:
    """As it is written; an Error ID with the status that it comes with."""
    is_error_id = status == NO_LONGER_UPDATED
    return f"{PROCESSING_FAILURE:04X}, Error ID {status:04X}" if is_error_id else f"{status:04X}"


def _of(*rows: tuple[str, tuple[str, ...]]) -> Content:
    """Of messages in some SOP classes: what is answered, and what is done about answers."""

    def content() -> Iterator[str]:
        for message, uids in rows:
            for offer in offers_of(message, *uids):
                yield f"{'SCU' if offer.is_from_provider else 'SCP'}, {message}: what we answer.\n"
                yield from _answers(offer.answers)
            for use in uses_of(message, *uids):
                yield f"{'SCP' if use.is_provider else 'SCU'}, {message}: what we do about answers.\n"
                yield from _heard(use.heard)

    return content


def _general() -> Iterator[str]:
    yield paragraph(
        "Of all transactions. Failures come with problem details (RFC 9457), which say what is wrong and "
        "where."
    )
    yield from table(
        ("HTTP Status", "Condition"),
        sorted(
            (
                *((str(int(status)), kind.summary()) for kind, status in HTTP_STATUS.items()),
                *((str(status), when) for status, when in REFUSED.items()),
            )
        ),
    )


def _done(rows: Sequence[Transaction]) -> Iterator[str]:
    """What is answered where nothing is refused; those together that answer the same."""
    same: dict[tuple[int, ...], list[str]] = {}
    for t in rows:
        same.setdefault(t.done, []).append(t.name)
    return table(
        ("Transactions", "HTTP Status"),
        ((listed(dict.fromkeys(names)), listed(map(int, done))) for done, names in same.items()),
    )


def _uri() -> Iterator[str]:
    yield from _done([offered().uri])


def _in(*sections: str) -> Content:
    return lambda: _done(in_chapter(*sections))


def _studies() -> Iterator[str]:
    yield paragraph(
        "202: some were stored, or with warnings; where none was, the status is that of "
        f"{link('7.3.3.1', 'what hindered most')}."
    )
    yield from _done(in_chapter("10"))
    yield paragraph("Failure Reasons (0008,1197) of the store transaction:")
    yield from table(
        ("Failure Reason", "Condition"),
        (
            *((f"{reason:04X}", kind.summary()) for kind, reason in FAILURE_REASON.items()),
            (
                f"{TRANSFER_SYNTAX_NOT_SUPPORTED:04X}",
                "The transfer syntax, or its pixels, are not accepted here.",
            ),
        ),
    )


def _worklist() -> Iterator[str]:
    yield paragraph("206: there are more. A work item that was removed after its end is 410 from then on.")
    yield from _done(in_chapter("11"))
    yield paragraph("Where the work item stays as it is:")
    yield from table(
        ("Transaction", "HTTP Status", "Warning", "Condition"),
        (
            (name, str(status), text, reason.value)
            for name, answers in TRANSACTIONS.items()
            for reason, (status, text) in answers.items()
        ),
    )


def _non_patient() -> Iterator[str]:
    yield paragraph(
        "Where some are stored and others are not the status is 200, and the answer names the failures."
    )
    yield from _done(in_chapter("12"))


SECTIONS: Mapping[str, Content] = {
    "7.3.1.1": _initiator,
    "7.3.1.2": _acceptor,
    "7.3.2": _dimse,
    "7.3.2.1": _of(("C-FIND", (MODALITY_WORKLIST,))),
    "7.3.2.2": _of(
        ("N-CREATE", (PERFORMED_STEP,)),
        ("N-SET", (PERFORMED_STEP,)),
        ("N-GET", (PERFORMED_STEP_RETRIEVE,)),
    ),
    "7.3.2.4": _of(("N-CREATE", (INSTANCE_AVAILABILITY,))),
    "7.3.2.5": _of(("C-STORE", ())),
    "7.3.2.6": _of(("N-ACTION", (PUSH_MODEL,)), ("N-EVENT-REPORT", (PUSH_MODEL,))),
    "7.3.2.7": _of(
        ("C-FIND", tuple(FIND_LEVELS)), ("C-MOVE", tuple(MOVE_LEVELS)), ("C-GET", tuple(GET_LEVELS))
    ),
    "7.3.2.9": _of(("C-ECHO", (VERIFICATION,))),
    "7.3.3.1": _general,
    "7.3.3.2": _uri,
    "7.3.3.3": _studies,
    "7.3.3.4": _worklist,
    "7.3.3.5": _non_patient,
    "7.3.3.6": _in("13"),
    "7.3.3.7": _in("14", "15", "Sup 248", "-"),
}
