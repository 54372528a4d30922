"""The command as its user types it: a process of its own, with its output and exit code."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Done:
    """A command that has ended. out, err: what it printed."""

    code: int
    out: str
    err: str


class Command:
    """`diafana` with arguments, begun at once. Settings come from the options alone, and from given ones."""

    def __init__(self, *arguments: str | Path, cwd: Path | None = None, **environment: str) -> None:
        """environment: such as DIAFANA_DATA."""
        rest = {name: value for name, value in os.environ.items() if not name.startswith("DIAFANA_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "diafana", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # A terminal as wide as any line; otherwise names are broken where eighty columns end.
            env=rest | {"COLUMNS": "10000"} | environment,
            cwd=cwd,
            text=True,
        )

    def wait(self) -> Done:
        """Its end."""
        out, err = self._process.communicate(timeout=60)
        return Done(self._process.returncode, out, err)


def diafana(*arguments: str | Path, cwd: Path | None = None, **environment: str) -> Done:
    """Run a command to its end, and see that an error never comes as a traceback."""
    done = Command(*arguments, cwd=cwd, **environment).wait()
    assert "Traceback" not in done.err, done.err
    return done
