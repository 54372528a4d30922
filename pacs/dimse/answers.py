"""What each service can answer: by these tables it answers, and of them the conformance statement is made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pacs import errors
from pacs.dimse.command import Command
from pacs.dimse.status import (
    ATTRIBUTES_NOT_SUPPORTED,
    CANCEL,
    COERCION_OF_ELEMENTS,
    INVALID_ARGUMENT_VALUE,
    INVALID_INSTANCE,
    MEANINGS,
    MOVE_DESTINATION_UNKNOWN,
    NO_SUCH_ACTION,
    NO_SUCH_EVENT_TYPE,
    NO_SUCH_INSTANCE,
    NO_SUCH_SOP_CLASS,
    NOT_AUTHORIZED,
    OF_STORAGE,
    PENDING,
    PENDING_WITHOUT_OPTIONAL_KEYS,
    PROCESSING_FAILURE,
    RESOURCE_LIMITATION,
    STATUS,
    STEP_REFUSAL,
    SUBOPERATIONS_WITH_FAILURES,
    SUCCESS,
    UNABLE_TO_PERFORM_SUBOPERATIONS,
    UNRECOGNIZED_OPERATION,
    Statuses,
    status_of,
)
from pacs.errors import StepRefusal

_COMMENT_LENGTH = 64  # characters of Error Comment (PS3.7 C.4)

Conditions = Mapping[type[errors.ArchiveError], str]


class Answer(NamedTuple):
    """A status that is answered, and when.

    meaning: what the standard calls it in this service.  error_id: what comes with it, None for nothing.
    """

    status: int
    when: str
    meaning: str
    error_id: int | None = None


@dataclass(frozen=True)
class Answers:
    """What a service can answer.

    said: what it says by itself, and when.
    failures: the status of each kind of error that it can meet; any other is a processing failure.
    conditions: what kinds of error mean here, where that is not what they mean elsewhere.
    refusals: why a procedure step can stay as it is.
    meanings: what the standard calls statuses here that have another name elsewhere.
    """

    said: Mapping[int, str]
    failures: Statuses = field(default_factory=dict)
    conditions: Conditions = field(default_factory=dict)
    refusals: Sequence[StepRefusal] = ()
    meanings: Mapping[int, str] = field(default_factory=dict)

    def failure(self, error: errors.ArchiveError) -> Command:
        """Status, Error Comment and Offending Element of the response to what failed (PS3.7 C.4)."""
        fields: Command = {
            "Status": status_of(error, self.failures),
            "ErrorComment": str(error)[:_COMMENT_LENGTH],
        }
        if error.tag is not None:
            fields["OffendingElement"] = error.tag
        if isinstance(error, errors.StepConflict) and error.reason in self.refusals:
            fields |= STEP_REFUSAL[error.reason]
        return fields

    def __iter__(self) -> Iterator[Answer]:
        for status, when in self.said.items():
            yield self._answer(status, when)
        for kind, status in self.failures.items():
            yield self._answer(status, self.conditions.get(kind) or kind.summary())
        for reason in self.refusals:
            refusal = STEP_REFUSAL[reason]
            yield self._answer(refusal["Status"], str(reason), refusal.get("ErrorID"))

    def _answer(self, status: int, when: str, error_id: int | None = None) -> Answer:
        return Answer(status, when, self.meanings.get(status) or MEANINGS[status], error_id)

    @property
    def statuses(self) -> frozenset[int]:
        """The codes of all of it."""
        return frozenset(answer.status for answer in self)


def _failures(*kinds: type[errors.ArchiveError]) -> Statuses:
    """As composite objects have them, beside those that every service can meet."""
    return {kind: STATUS[kind] for kind in (*kinds, errors.StorageFailed, errors.OutOfSpace)}


# Of every service: what is said before one is asked, beside what it says itself
BEFORE = Answers(
    {
        NOT_AUTHORIZED: "the peer may not ask for this service",
        UNRECOGNIZED_OPERATION: "no service of ours has this message on this SOP class",
    }
)

# PS3.4 A.4
C_ECHO = Answers({SUCCESS: "we are here"})

# PS3.4 Table B.2-1
C_STORE = Answers(
    {
        SUCCESS: "it is kept: file, folder and index are on the device; also where the same was kept already",
        COERCION_OF_ELEMENTS: "the same, coerced by a rule for the sender; "
        "or the first of its UID stays, this one is in quarantine (`--duplicates keep`)",
    },
    _failures(
        errors.MalformedObject,
        errors.InvalidIdentifier,
        errors.MismatchedObject,
        errors.UnsupportedObject,
        errors.InstanceConflict,
        errors.PatientConflict,
    ),
    meanings=OF_STORAGE,
)

_ASKED = (errors.MalformedObject, errors.InvalidQuery, errors.DataSetTooLong)
_UNREADABLE: Conditions = {errors.MalformedObject: "the identifier cannot be read"}

# PS3.4 Table C.4-1
C_FIND = Answers(
    {
        PENDING: "an answer, and other responses follow",
        PENDING_WITHOUT_OPTIONAL_KEYS: "the same; some of what is asked for is not kept for searching",
        CANCEL: "the peer has asked to cancel it",
        SUCCESS: "there are no other answers",
    },
    _failures(*_ASKED),
    _UNREADABLE,
)

# PS3.4 Table K.4-1
C_FIND_WORKLIST = Answers(
    {
        **C_FIND.said,
        PENDING_WITHOUT_OPTIONAL_KEYS: "the same; a key has a value that nothing is compared with",
    },
    _failures(*_ASKED),
    _UNREADABLE,
)

_SENT = {
    PENDING: "sub-operations remain",
    CANCEL: "the peer has asked to cancel it; what was sent is sent",
    SUCCESS: "all is sent, or nothing matches",
    SUBOPERATIONS_WITH_FAILURES: "some failed, or ended with a warning; the identifier names what failed",
    UNABLE_TO_PERFORM_SUBOPERATIONS: "all failed; Error Comment says why, where the association was lost",
}

# PS3.4 Table C.4-2
C_MOVE = Answers(
    {
        **_SENT,
        MOVE_DESTINATION_UNKNOWN: "no system of this AE title is known here",
        NOT_AUTHORIZED: "the peer may have nothing moved to there",
    },
    _failures(*_ASKED, errors.TooManyMatches),
    _UNREADABLE,
)

# PS3.4 Table C.4-3
C_GET = Answers(_SENT, _failures(*_ASKED, errors.TooManyMatches), _UNREADABLE)

# PS3.7 10.1.1.1.8 and 10.1.4.1.10
_COMMITMENT: Statuses = {
    errors.MalformedObject: INVALID_ARGUMENT_VALUE,
    errors.InvalidQuery: INVALID_ARGUMENT_VALUE,
    errors.TooManyMatches: RESOURCE_LIMITATION,
    errors.DataSetTooLong: RESOURCE_LIMITATION,
    errors.StorageFailed: PROCESSING_FAILURE,
    errors.OutOfSpace: RESOURCE_LIMITATION,
}

_OF_COMMITMENT: Conditions = {
    errors.MalformedObject: "the information cannot be read",
    errors.InvalidQuery: "it lacks a UID, or names no instances",
    errors.TooManyMatches: "it names too many instances, or too many requests wait already",
}

N_ACTION = Answers(
    {
        SUCCESS: "the request is noted durably; its result comes by N-EVENT-REPORT",
        NO_SUCH_SOP_CLASS: "another Requested SOP Class UID",
        NO_SUCH_INSTANCE: "another Requested SOP Instance UID than the well-known one",
        NO_SUCH_ACTION: "another Action Type ID",
    },
    _COMMITMENT,
    _OF_COMMITMENT,
)

N_EVENT_REPORT = Answers(
    {
        SUCCESS: "the report is noted durably",
        NO_SUCH_SOP_CLASS: "another Affected SOP Class UID",
        NO_SUCH_INSTANCE: "another Affected SOP Instance UID than the well-known one",
        NO_SUCH_EVENT_TYPE: "another Event Type ID",
        INVALID_ARGUMENT_VALUE: "nobody waits for this report of this system",
    },
    _COMMITMENT,
    _OF_COMMITMENT,
)

# PS3.7 10.1.2.1.9, 10.1.3.1.9 and 10.1.5.1.6
_OF_STEP: Statuses = {
    errors.MalformedObject: PROCESSING_FAILURE,
    errors.InvalidIdentifier: INVALID_INSTANCE,
    errors.DataSetTooLong: RESOURCE_LIMITATION,
    errors.StorageFailed: PROCESSING_FAILURE,
    errors.OutOfSpace: RESOURCE_LIMITATION,
}
_STEP_GIVEN: Statuses = {
    **_OF_STEP,
    **{
        kind: STATUS[kind]
        for kind in (errors.InvalidStep, errors.AttributeMissing, errors.AttributeEmpty, errors.StepConflict)
    },
}
_STEP_NAMED: Statuses = {errors.NotFound: NO_SUCH_INSTANCE}
_OF_DATA_SET: Conditions = {
    errors.MalformedObject: "the data set cannot be read",
    errors.InvalidIdentifier: "the UID of the step is none",
    errors.StepConflict: "the state of the step does not allow it, for another reason than those below",
    errors.NotFound: "there is no such performed procedure step here",
}

# PS3.4 F.7.2.1 and F.7.2.2
N_CREATE = Answers({SUCCESS: "the step is noted durably"}, _STEP_GIVEN, _OF_DATA_SET, (StepRefusal.EXISTS,))
N_SET = Answers(
    {SUCCESS: "the step is changed durably"},
    {**_STEP_GIVEN, **_STEP_NAMED},
    _OF_DATA_SET,
    (StepRefusal.FINAL, StepRefusal.NOT_CREATED, StepRefusal.FINAL_STATE_REQUIREMENTS),
)

# PS3.4 Table F.8.2-2
N_GET = Answers(
    {
        SUCCESS: "the attributes that are asked for, or all",
        ATTRIBUTES_NOT_SUPPORTED: "some of what is asked for is not there; the rest is",
    },
    {**_OF_STEP, **_STEP_NAMED},
    _OF_DATA_SET,
)
