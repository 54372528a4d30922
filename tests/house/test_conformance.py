"""The pages that are made of the code's own tables say what these say."""

import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("page", "command", "word"),
    [
        ("conformance.md", "diafana conformance", "C-FIND"),
        ("sr-to-fhir.md", "sr", "valueQuantity"),
    ],
)
def test_the_page_is_not_stale(page: str, command: str, word: str) -> None:
    made = [sys.executable, "-m", *command.split()]
    told = subprocess.run(made, capture_output=True, text=True, check=True).stdout
    assert word in told
    assert (DOCS / page).read_text() == told, f"run `.venv/bin/python -m {command} > docs/{page}`"
