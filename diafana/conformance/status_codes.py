"""Section 7.3: status codes, from the tables by which they are answered and heeded."""

from collections.abc import Iterator, Mapping, Sequence

from diafana.conformance.dimse_services import DAYS
from diafana.conformance.markdown import listed, paragraph, table
from diafana.conformance.offered import in_chapter, of_message, offered
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from dicomweb.status import FAILURE_REASON, HTTP_STATUS, REFUSED, TRANSFER_SYNTAX_NOT_SUPPORTED
from dicomweb.transaction import Transaction
from dicomweb.ups.conflicts import TRANSACTIONS
from pacs.dimse.answers import BEFORE, C_STORE, Answers
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
from pacs.dimse.status import (
    CANNOT_UNDERSTAND,
    COERCION_OF_ELEMENTS,
    DOES_NOT_MATCH_SOP_CLASS,
    DUPLICATE_INSTANCE,
    IDENTIFIER_MISSING,
    OTHER_PATIENT,
    OUT_OF_RESOURCES,
    PROCESSING_FAILURE,
    SOP_CLASS_NOT_SUPPORTED,
    SUCCESS,
    class_of,
)
from pacs.dimse.uses import USES


def _initiator() -> Iterator[str]:
    yield from table(
        ("Failure", "Failure Behavior"),
        (
            (
                "no connection, or no TLS",
                f"what waits for the system is tried again, at growing distances, for {DAYS} days; "
                "who asked at once is told",
            ),
            ("Timeout", "the connection is closed; else the same"),
            ("Association rejected", "the same; the log says why, by source and reason"),
            (
                "Association aborted",
                "the same; what was answered before is not sent again. Within a message about a performed "
                "step or the availability of instances, it counts as a refusal of that message",
            ),
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
                one.meaning,
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
            *((f"any, with the Error ID {_code(one)}", then.value) for one, then in heard.error_ids.items()),
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
    return f"{status:04X}"


def _answered(message: str, *sop_classes: str) -> Content:
    """What we answer to a message in some SOP classes."""

    def content() -> Iterator[str]:
        yield "What we answer:\n"
        for offer in of_message(offered().offers, message, sop_classes):
            yield from _answers(offer.answers)

    return content


# PS3.4 B.4.3.2: what who sends is to do about a status of C-STORE other than success
RECOVERY: Mapping[int, str] = {
    COERCION_OF_ELEMENTS: "none: it is kept, or in quarantine for who runs the archive, as said above",
    CANNOT_UNDERSTAND: "send it anew; if it is refused again it is damaged: correct it where it was made",
    IDENTIFIER_MISSING: "correct it where it was made",
    DOES_NOT_MATCH_SOP_CLASS: "correct the request: its UIDs and those of the object differ",
    SOP_CLASS_NOT_SUPPORTED: "send it in another SOP class or transfer syntax, or change the setting",
    DUPLICATE_INSTANCE: "give it another SOP Instance UID, or see which of both is right (`--duplicates`)",
    OTHER_PATIENT: "correct the patient, or the Study Instance UID, of the object or of what is kept",
    PROCESSING_FAILURE: "send it again later; see the log",
    OUT_OF_RESOURCES: "send it again once there is room",
}


def _stored() -> Iterator[str]:
    yield from _answered("C-STORE")()
    yield paragraph("What is to be done about it:")
    statuses = {one.status for one in C_STORE} - {SUCCESS}
    yield from table(
        ("Status Code", "Recovery"),
        ((f"{status:04X}", RECOVERY[status]) for status in sorted(statuses)),
    )


def _asked(message: str, *sop_classes: str) -> Content:
    """What we do about answers to a message of ours."""

    def content() -> Iterator[str]:
        yield "What we do about answers:\n"
        for use in of_message(USES, message, sop_classes):
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


def _done_in(*sections: str) -> Content:
    return lambda: _done(in_chapter(*sections))


def _storing() -> Iterator[str]:
    yield paragraph(
        "202: some were stored, or with warnings; where none was, the status is that of "
        f"{link('7.3.3.1.1', 'what hindered most')}."
    )
    yield from _done(in_chapter("10.5"))
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
    yield paragraph(
        "A work item that was removed after its end is 410 from then on. Where the work item stays as it is:"
    )
    yield from table(
        ("Transaction", "HTTP Status", "Warning", "Condition"),
        (
            (name, str(status), text, reason.value)
            for name, answers in TRANSACTIONS.items()
            for reason, (status, text) in answers.items()
        ),
    )


def _searching_items() -> Iterator[str]:
    yield paragraph("206: there are more.")
    yield from _done(in_chapter("11.9"))


def _storing_non_patient() -> Iterator[str]:
    yield paragraph(
        "Where some are stored and others are not the status is 200, and the answer names the failures."
    )
    yield from _done(in_chapter("12.5"))


# The transactions of PS3.18 11.4 to 11.12, each as origin server, then as user agent
_WORKLIST = {f"7.3.3.4.{2 * place + 1}": _done_in(f"11.{place + 4}") for place in range(9)}

SECTIONS: Mapping[str, Content] = {
    "7.3.1.1": _initiator,
    "7.3.1.2": _acceptor,
    "7.3.2": _dimse,
    "7.3.2.1.2": _answered("C-FIND", MODALITY_WORKLIST),
    "7.3.2.2.1": _asked("N-CREATE", PERFORMED_STEP),
    "7.3.2.2.2": _asked("N-SET", PERFORMED_STEP),
    "7.3.2.2.3": _answered("N-CREATE", PERFORMED_STEP),
    "7.3.2.2.4": _answered("N-SET", PERFORMED_STEP),
    "7.3.2.2.5": _answered("N-GET", PERFORMED_STEP_RETRIEVE),
    "7.3.2.4.1": _asked("N-CREATE", INSTANCE_AVAILABILITY),
    "7.3.2.5.1": _asked("C-STORE"),
    "7.3.2.5.2": _stored,
    "7.3.2.6.1": _asked("N-ACTION", PUSH_MODEL),
    "7.3.2.6.2": _answered("N-EVENT-REPORT", PUSH_MODEL),
    "7.3.2.6.3": _answered("N-ACTION", PUSH_MODEL),
    "7.3.2.6.4": _asked("N-EVENT-REPORT", PUSH_MODEL),
    "7.3.2.7.1": _asked("C-FIND", *FIND_LEVELS),
    "7.3.2.7.2": _asked("C-MOVE", *MOVE_LEVELS),
    "7.3.2.7.3": _answered("C-FIND", *FIND_LEVELS),
    "7.3.2.7.4": _answered("C-MOVE", *MOVE_LEVELS),
    "7.3.2.7.5": _asked("C-GET", *GET_LEVELS),
    "7.3.2.7.6": _answered("C-GET", *GET_LEVELS),
    "7.3.2.9.1": _asked("C-ECHO", VERIFICATION),
    "7.3.2.9.2": _answered("C-ECHO", VERIFICATION),
    "7.3.3.1.1": _general,
    "7.3.3.2.1": _uri,
    "7.3.3.3.1": _done_in("10.4"),
    "7.3.3.3.3": _storing,
    "7.3.3.3.5": _done_in("10.6"),
    "7.3.3.4": _worklist,
    **_WORKLIST,
    "7.3.3.4.11": _searching_items,
    "7.3.3.5.1": _done_in("12.4"),
    "7.3.3.5.3": _storing_non_patient,
    "7.3.3.5.5": _done_in("12.6"),
    "7.3.3.6.1": _done_in("13.4"),
    "7.3.3.6.3": _done_in("13.5"),
    "7.3.3.7": _done_in("14", "15", "Sup 248", "-"),
}
