"""Wakes those that hold a connection open when there is something to tell over it.

Each of them has a named pipe in a folder that all processes share: the processes with notification
connections, which are woken together, and the associations that wait for a commitment, each by its own
name. Nothing is said but "look": what is to be told is in the index.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path


class Doorbell:
    """The pipe of one who waits until it can be read from."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        name = secrets.token_hex(8)
        unready = folder / f".{name}"  # a pipe without a reader would be taken for that of a dead process
        os.mkfifo(unready, 0o600)
        self._pipe = os.open(unready, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._path = unready.rename(folder / name)
        self.name = name

    def fileno(self) -> int:
        """What can be waited for."""
        return self._pipe

    def silence(self) -> None:
        """Take note that it rang."""
        with suppress(BlockingIOError):
            os.read(self._pipe, 65536)

    def close(self) -> None:
        """Nobody waits here any more."""
        self._path.unlink(missing_ok=True)
        os.close(self._pipe)


def ring(folder: Path) -> None:
    """Wake everyone who waits; the pipes of those that died are removed."""
    with suppress(FileNotFoundError):  # nobody has ever waited
        for path in folder.glob("[!.]*"):
            _ring(path)


def ring_one(folder: Path, name: str) -> bool:
    """Wake the one whose doorbell has this name; whether it is still there."""
    return _ring(folder / name)


def _ring(path: Path) -> bool:
    try:
        pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        path.unlink(missing_ok=True)
        return False
    try:
        os.write(pipe, b"!")
    except (BlockingIOError, BrokenPipeError):
        pass  # a full pipe rings already; a broken one has just been left
    finally:
        os.close(pipe)
    return True
