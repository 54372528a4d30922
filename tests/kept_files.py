"""Looking into the files of a service that goes on working, or of this process."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def contents(folder: Path, pattern: str = "*.dcm") -> Iterator[tuple[Path, bytes]]:
    """Each file below a folder, but those that are being moved or removed."""
    for path in folder.rglob(pattern):
        with suppress(FileNotFoundError):
            yield path, path.read_bytes()


def open_files(folder: Path) -> list[str]:
    """What this process has open below it, nameless files too; other tests' connections come and go."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(str(link.readlink()))
    return sorted(path for path in found if path.startswith(f"{folder}/"))
