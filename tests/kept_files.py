"""Looking into the files of a service that goes on working."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def contents(folder: Path, pattern: str = "*.dcm") -> Iterator[tuple[Path, bytes]]:
    """Each file below a folder, but those that are being moved or removed."""
    for path in folder.rglob(pattern):
        with suppress(FileNotFoundError):
            yield path, path.read_bytes()
