"""PS3.4 Table CC.1.1-2, read from the standard a second time, with its status codes."""

import pytest

from pacs.errors import Refusal
from pacs.worklist.state import State, Step, on_cancel_request, on_change

CODES = {
    "C300": Refusal.FINAL,
    "C301": Refusal.TRANSACTION_UID_INCORRECT,
    "C302": Refusal.IN_PROGRESS,
    "C303": Refusal.ONLY_CREATED_SCHEDULED,
    "C310": Refusal.NOT_IN_PROGRESS,
    "C311": Refusal.COMPLETED,
    "B304": Step.WARN,
    "B306": Step.WARN,
    "change": Step.CHANGE,
    "if met": Step.CHANGE_WHEN_COMPLETE,
    "report": Step.TELL,
}

# Of SCHEDULED, IN PROGRESS, COMPLETED, CANCELED
ROWS = [
    ("IN PROGRESS", True, "change C302 C300 C300"),
    ("IN PROGRESS", False, "C301 C301 C301 C301"),
    ("SCHEDULED", True, "C303 C303 C303 C303"),
    ("SCHEDULED", False, "C303 C303 C303 C303"),
    ("COMPLETED", True, "C310 if_met B306 C300"),
    ("COMPLETED", False, "C301 C301 C301 C301"),
    ("CANCELED", True, "C310 if_met C300 B304"),
    ("CANCELED", False, "C301 C301 C301 C301"),
]


@pytest.mark.parametrize(("requested", "correct", "cells"), ROWS)
def test_every_change_leads_where_the_table_says(requested: str, correct: bool, cells: str) -> None:
    found = [on_change(state, State(requested), correct) for state in State]
    assert found == [CODES[cell.replace("_", " ")] for cell in cells.split()]


def test_a_request_to_cancel_leads_where_the_table_says() -> None:
    cells = ("change", "report", "C311", "B304")
    assert [on_cancel_request(state) for state in State] == [CODES[cell] for cell in cells]
