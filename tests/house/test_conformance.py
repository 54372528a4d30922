"""docs/conformance.md is what the code's own tables say."""

import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"


def test_the_conformance_page_is_not_stale() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "diafana", "conformance"], capture_output=True, text=True, check=True
    )
    assert "C-FIND" in told.stdout
    assert PAGE.read_text() == told.stdout, "run `.venv/bin/diafana conformance > docs/conformance.md`"
