"""The states of a work item and the ways between them (PS3.4 CC.1.1)."""

from collections.abc import Mapping
from enum import Enum, StrEnum, auto

from pacs.errors import Refusal


class State(StrEnum):
    """PS3.4 Table CC.1.1-1."""

    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"


FINAL_STATES = (State.COMPLETED, State.CANCELED)


class Step(Enum):
    """What a request leads to, when it is not refused."""

    CHANGE = auto()
    CHANGE_WHEN_COMPLETE = auto()  # when the final state requirements are met
    WARN = auto()  # it is in the requested state already
    TELL = auto()  # the performer learns of the request


_Cells = tuple[Step | Refusal, Step | Refusal, Step | Refusal, Step | Refusal]

_CHANGE, _WHEN_COMPLETE, _WARN = Step.CHANGE, Step.CHANGE_WHEN_COMPLETE, Step.WARN
_INCORRECT, _FINAL, _NOT_YET = Refusal.TRANSACTION_UID_INCORRECT, Refusal.FINAL, Refusal.NOT_IN_PROGRESS

# PS3.4 Table CC.1.1-2: Change State to, with the correct Transaction UID or without.
# Columns: SCHEDULED, IN PROGRESS, COMPLETED, CANCELED.
_CHANGES: Mapping[tuple[State, bool], _Cells] = {
    (State.IN_PROGRESS, True): (_CHANGE, Refusal.IN_PROGRESS, _FINAL, _FINAL),
    (State.IN_PROGRESS, False): (_INCORRECT, _INCORRECT, _INCORRECT, _INCORRECT),
    (State.SCHEDULED, True): (Refusal.ONLY_CREATED_SCHEDULED,) * 4,
    (State.SCHEDULED, False): (Refusal.ONLY_CREATED_SCHEDULED,) * 4,
    (State.COMPLETED, True): (_NOT_YET, _WHEN_COMPLETE, _WARN, _FINAL),
    (State.COMPLETED, False): (_INCORRECT, _INCORRECT, _INCORRECT, _INCORRECT),
    (State.CANCELED, True): (_NOT_YET, _WHEN_COMPLETE, _FINAL, _WARN),
    (State.CANCELED, False): (_INCORRECT, _INCORRECT, _INCORRECT, _INCORRECT),
}

# The same table: Request Cancel
_CANCEL: _Cells = (Step.CHANGE, Step.TELL, Refusal.COMPLETED, Step.WARN)

_COLUMNS = tuple(State)


def on_change(current: State, requested: State, has_correct_uid: bool) -> Step | Refusal:
    """What becomes of a request to change the state."""
    return _CHANGES[requested, has_correct_uid][_COLUMNS.index(current)]


def on_cancel_request(current: State) -> Step | Refusal:
    """What becomes of a request to cancel by one who does not perform the step."""
    return _CANCEL[_COLUMNS.index(current)]
