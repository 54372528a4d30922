"""What the logs tell of a failure, and what they do not."""

import json
import subprocess
import sys
from typing import Any

import pytest

PROGRAM = """
import logging
import structlog
from diafana.logs import set_up_logs

def fails(error):
    try:
        try:
            int("ROSSI^MARIO")
        except ValueError:
            raise error
    except Exception:
        structlog.get_logger().exception("association failed", peer="127.0.0.1")
        logging.getLogger("library").exception("task failed")

set_up_logs()
fails(RuntimeError("19800101"))
fails(OSError(28, "No space left on device", "/mnt/ROSSI"))
"""


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_a_failure_is_told_by_its_way_and_its_kind(lines: list[dict[str, Any]]) -> None:
    assert [line["event"] for line in lines] == ["association failed", "task failed"] * 2
    for line in lines[:2]:
        assert line["exception"].splitlines()[-1] == "builtins.RuntimeError"
        assert "builtins.ValueError" in line["exception"]
        assert ", in fails\n" in line["exception"]
    assert lines[0]["peer"] == "127.0.0.1"


def test_the_words_of_the_system_are_told(lines: list[dict[str, Any]]) -> None:
    for line in lines[2:]:
        assert line["exception"].splitlines()[-1] == "builtins.OSError: No space left on device"


def test_no_words_that_may_quote_what_was_read_are_told(lines: list[dict[str, Any]]) -> None:
    told = json.dumps(lines)
    assert not [quoted for quoted in ("ROSSI", "MARIO", "19800101") if quoted in told]
