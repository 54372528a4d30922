"""What is done about the statuses that peers answer: the tables by which it is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pacs.dimse.command import C_FIND_RQ, C_GET_RQ, C_MOVE_RQ
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
    GIVEN_UP = "it is given up; the status is noted, logged, or told to who asked"


@dataclass(frozen=True)
class Heard:
    """What is done about the answers of a service.

    rows: statuses, and what is done about them.  otherwise: about all others.
    error_ids: what is done about an Error ID, whatever status it comes with.
    """

    rows: tuple[tuple[Sequence[int], Then], ...]
    otherwise: Then = Then.GIVEN_UP
    error_ids: Mapping[int, Then] = field(default_factory=dict)

    def then(self, status: int, error_id: int | None = None) -> Then:
        """What is done about a status, and the Error ID that comes with it."""
        if error_id is not None and error_id in self.error_ids:
            return self.error_ids[error_id]
        return next((then for statuses, then in self.rows if status in statuses), self.otherwise)


_DONE = ((SUCCESS,), Then.DONE)
_OUT_OF_RESOURCES = range(OUT_OF_RESOURCES, OUT_OF_RESOURCES + 0x100)  # PS3.4 Table B.2-1

# PS3.4 A.4
ECHO = Heard((_DONE,))

# PS3.4 Table B.2-1
STORE = Heard(
    (_DONE, (tuple(sorted(WARNINGS)), Then.DONE_WITH_WARNING), (_OUT_OF_RESOURCES, Then.AGAIN)),
)

# PS3.4 Table C.4-1
FIND = Heard((((PENDING, PENDING_WITHOUT_OPTIONAL_KEYS), Then.GOES_ON), _DONE))

# PS3.4 Tables C.4-2 and C.4-3; sub-operations that failed are told by their numbers. FF01 is not
# among them, and taken all the same
RETRIEVE = Heard(
    (
        ((PENDING, PENDING_WITHOUT_OPTIONAL_KEYS), Then.GOES_ON),
        ((SUCCESS, SUBOPERATIONS_WITH_FAILURES, UNABLE_TO_PERFORM_SUBOPERATIONS), Then.DONE),
    )
)

# By the message that asks
QUERIES: Mapping[int, Heard] = {C_FIND_RQ: FIND, C_GET_RQ: RETRIEVE, C_MOVE_RQ: RETRIEVE}

# PS3.7 10.1.4.1.10: who does not take the request may take it later
COMMITMENT_REQUEST = Heard((_DONE,), otherwise=Then.AGAIN)

# PS3.7 10.1.1.1.8
COMMITMENT_REPORT = Heard((_DONE, ((PROCESSING_FAILURE, RESOURCE_LIMITATION), Then.AGAIN)))

_TOLD = (
    (SUCCESS, ATTRIBUTES_NOT_SUPPORTED, ATTRIBUTE_LIST_ERROR, ATTRIBUTE_VALUE_OUT_OF_RANGE),
    Then.DONE,
)
_TOLD_AGAIN = (
    (PROCESSING_FAILURE, RESOURCE_LIMITATION, *range(OUT_OF_RESOURCES, OUT_OF_RESOURCES + 0x10)),
    Then.AGAIN,
)

# PS3.7 10.1.5.1.6 and C.4
STEP_CREATED = Heard((_TOLD, ((DUPLICATE_INSTANCE,), Then.DONE_BEFORE), _TOLD_AGAIN))

# PS3.7 10.1.3.1.9 and C.4; PS3.4 Table F.7.2-2
STEP_SET = Heard((_TOLD, _TOLD_AGAIN), error_ids={NO_LONGER_UPDATED: Then.DONE_BEFORE})

# PS3.7 10.1.5.1.6 and C.4; the UID is ours, so nobody else has made an instance of it
AVAILABILITY = Heard((_TOLD, ((DUPLICATE_INSTANCE,), Then.DONE), _TOLD_AGAIN))
