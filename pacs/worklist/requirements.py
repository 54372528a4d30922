"""What a work item must have when it is made, changed, and brought to its end (PS3.4 CC.2.5.1, 5.4.2.1)."""

from pacs.model import DicomJson
from pacs.requirements import check, lacking
from pacs.worklist.attributes import ENUMERATED, MAY_BE_WITHOUT_ITEMS, TABLE
from pacs.worklist.state import State

_CREATE = {row: row.create for row in TABLE}
_CHANGE = {row: row.change for row in TABLE}

# Final State Codes that ask for a value (Table CC.2.5-1); the condition of RC is "if known", which only the
# performer can tell
_REQUIRED_IN = {
    State.COMPLETED: [row for row in TABLE if row.final in ("R", "P")],
    State.CANCELED: [row for row in TABLE if row.final in ("R", "X")],
}


def check_creation(attributes: DicomJson) -> None:
    """Raises InvalidStep, naming what is absent, empty or not allowed in a new work item."""
    check(attributes, _CREATE, ENUMERATED)


def check_change(attributes: DicomJson) -> None:
    """Raises InvalidStep, naming what is absent, empty or not allowed in a change of a work item."""
    check(attributes, _CHANGE, ENUMERATED)


def lacking_for(state: State, attributes: DicomJson) -> list[str]:
    """The attributes that a work item still lacks for a final state."""
    return lacking(attributes, _REQUIRED_IN[state], MAY_BE_WITHOUT_ITEMS)
