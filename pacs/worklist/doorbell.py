"""Wakes the processes that hold notification connections when there is something to tell.

Each of them has a named pipe in a folder that all share; whoever has committed event reports writes into
every pipe. Nothing is said but "look": what is to be told is in the index.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path


class Doorbell:
    """The pipe of one process, which waits until it can be read from."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        name = secrets.token_hex(8)
        unready = folder / f".{name}"  # a pipe without a reader would be taken for that of a dead process
        os.mkfifo(unready, 0o600)
        self._pipe = os.open(unready, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._path = unready.rename(folder / name)

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
    """Wake every process that waits; the pipes of those that died are removed."""
    with suppress(FileNotFoundError):  # nobody has ever waited
        for path in folder.glob("[!.]*"):
            try:
                pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError:
                path.unlink(missing_ok=True)
                continue
            try:
                os.write(pipe, b"!")
            except (BlockingIOError, BrokenPipeError):
                pass  # a full pipe rings already; a broken one has just been left
            finally:
                os.close(pipe)
