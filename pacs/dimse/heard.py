"""What is done about the statuses that peers answer: the tables by which it is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pacs.dimse.status import (
    ATTRIBUTE_LIST_ERROR,
    ATTRIBUTE_VALUE_OUT_OF_RANGE,
    ATTRIBUTES_NOT_SUPPORTED,
    DUPLICATE_INSTANCE,
    NO_LONGER_UPDATED,
    OUT_OF_RESOURCES,
    PENDING,
    PENDING_WITHOUT_OPTIONAL_KEYS,
    PROCESSING_FAILURE,
    RESOURCE_LIMITATION,
    SUBOPERATIONS_WITH_FAILURES,
    SUCCESS,
    UNABLE_TO_PERFORM_SUBOPERATIONS,
)
from pacs.index.outbox import WARNINGS


class Then(StrEnum):
    """What is done."""

    DONE = "it is done"
    DONE_WITH_WARNING = "it is done, if not wholly as it was asked; that is counted as a warning"
    DONE_BEFORE = "after an attempt whose answer was lost: it is done; otherwise it is given up"
    GOES_ON = "the answer is taken, others are waited for"
    AGAIN = "it is tried again later"
    GIVEN_UP = "it is given up; the status is noted, or told to who asked"


@dataclass(frozen=True)
class Heard:
    """What is done about the answers of a service.

    rows: statuses, and what is done about them.  otherwise: about all others.
    """

    rows: tuple[tuple[Sequence[int], Then], ...]
    otherwise: Then = Then.GIVEN_UP

    def then(self, status: int) -> Then:
        """What is done about a status."""
        return next((then for statuses, then in self.rows if status in statuses), self.otherwise)


_DONE = ((SUCCESS,), Then.DONE)
_OUT_OF_RESOURCES = range(OUT_OF_RESOURCES, OUT_OF_RESOURCES + 0x100)  # PS3.4 Table B.2-1

# PS3.4 A.4
ECHO = Heard((_DONE,))

# PS3.4 Table B.2-1
STORE = Heard(
    (_DONE, (tuple(sorted(WARNINGS)), Then.DONE_WITH_WARNING), (_OUT_OF_RESOURCES, Then.AGAIN)),
)

# PS3.4 Tables C.4-1, C.4-2 and C.4-3; sub-operations that failed are told by their numbers
_PENDINGS = ((PENDING, PENDING_WITHOUT_OPTIONAL_KEYS), Then.GOES_ON)
QUERY_RETRIEVE = Heard(
    (
        _PENDINGS,
        ((SUCCESS, SUBOPERATIONS_WITH_FAILURES, UNABLE_TO_PERFORM_SUBOPERATIONS), Then.DONE),
    )
)

# PS3.7 10.1.4.1.10: who does not take the request may take it later
COMMITMENT_REQUEST = Heard((_DONE,), otherwise=Then.AGAIN)

# PS3.7 10.1.1.1.8
COMMITMENT_REPORT = Heard((_DONE, ((PROCESSING_FAILURE, RESOURCE_LIMITATION), Then.AGAIN)))

_STEP_DONE = (
    _DONE,
    (
        (ATTRIBUTES_NOT_SUPPORTED, ATTRIBUTE_LIST_ERROR, ATTRIBUTE_VALUE_OUT_OF_RANGE),
        Then.DONE_WITH_WARNING,
    ),
)
_STEP_AGAIN = (
    (PROCESSING_FAILURE, RESOURCE_LIMITATION, *range(OUT_OF_RESOURCES, OUT_OF_RESOURCES + 0x10)),
    Then.AGAIN,
)

# PS3.7 10.1.5.1.6, 10.1.3.1.9 and C.4; an Error ID of PS3.4 Table F.7.2-2 counts before the status
STEP_CREATED = Heard((*_STEP_DONE, ((DUPLICATE_INSTANCE,), Then.DONE_BEFORE), _STEP_AGAIN))
STEP_SET = Heard((*_STEP_DONE, ((NO_LONGER_UPDATED,), Then.DONE_BEFORE), _STEP_AGAIN))

# PS3.7 10.1.5.1.6 and C.4; the UID is ours, so nobody else has made an instance of it
AVAILABILITY = Heard((*_STEP_DONE, ((DUPLICATE_INSTANCE,), Then.DONE), _STEP_AGAIN))
