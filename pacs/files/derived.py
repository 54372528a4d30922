"""What is made from stored objects and can be made again: series metadata, thumbnails.

A derived file bears the version of what it was made from, so that a stale one is never served.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


class DerivedFiles:
    """Derived files in folders. None of them is needed: one that is lost or broken off is made again."""

    def __init__(self, root: Path) -> None:
        """root: the folder that holds them; made when absent."""
        self._root = root

    def read(self, kind: str, subject: str, version: int) -> bytes | None:
        """The content made of this version of the subject, or None when it is still to be made.

        kind: such as "metadata".  subject: whatever names it, such as UIDs; it does not enter the path.
        """
        try:
            return self._path(kind, subject, version).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, kind: str, subject: str, version: int, content: bytes) -> None:
        """Keep the content made of this version, and forget those of others."""
        path = self._path(kind, subject, version)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{secrets.token_hex(8)}")
        try:
            with unfinished.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        for other in self._versions(path):
            if other != path:
                other.unlink(missing_ok=True)

    def forget(self, kind: str, subject: str) -> None:
        """Remove what was made of any version of a subject that is there no longer."""
        for path in self._versions(self._path(kind, subject, 0)):
            path.unlink(missing_ok=True)

    def _path(self, kind: str, subject: str, version: int) -> Path:
        name = hashlib.sha256(subject.encode()).hexdigest()[:40]
        return self._root / kind / name[:2] / f"{name}-{version}"

    def _versions(self, path: Path) -> Iterator[Path]:
        return path.parent.glob(f"{path.name.partition('-')[0]}-*")
