"""Waiting for what must happen by itself."""

import time
from collections.abc import Callable

PATIENCE = 40.0  # seconds; a test whose machine is busy needs them, and no other


def wait_until(holds: Callable[[], object]) -> None:
    """Return when it does."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
