"""What the tests of the front door share."""

from pathlib import Path

import pytest


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that a service has used."""
    folder = tmp_path / "data"
    (folder / "derived").mkdir(parents=True)
    return folder
