"""Folders whose names survive a power cut."""

import os
from pathlib import Path


def sync_folder(path: Path) -> None:
    """Return when the names in a folder are on the device."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
