"""Whether FHIR R4 resources are valid, said by two engines of Node.js that know nothing of each other.

One knows structure, dates, invariants and the targets of references; the other knows the codes of required
bindings. Neither sees all faults of the other, and neither checks the form of an id.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sr import fhir_json

FOLDER = Path(__file__).parent
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def are_missing() -> bool:
    """Whether tests that need them are to be skipped; in CI they fail by trying."""
    return not (FOLDER / "node_modules").is_dir() and not os.environ.get("CI")


class _Program:
    """A program of Node.js that answers each line with a line of JSON; it takes some seconds to begin."""

    script = ""

    def __enter__(self) -> Self:
        command = ["node", str(FOLDER / self.script)]
        self._program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._program.communicate()

    def _ask(self, line: bytes) -> Any:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(line + b"\n")
        self._program.stdin.flush()
        return json.loads(self._program.stdout.readline())


class Validators(_Program):
    """The engines, running."""

    script = "validate.cjs"

    def faults(self, resources: Iterable[dict[str, Any]]) -> list[str]:
        """What is wrong with each, behind its type and id."""
        asked = list(resources)
        answered: list[str] = self._ask(b"[" + b",".join(fhir_json.dumps(one) for one in asked) + b"]")
        ids = (one["id"] for one in asked if "id" in one)
        return answered + [f"{name} is no id" for name in ids if not _ID.fullmatch(str(name))]


class Converter(_Program):
    """One of the engines, which also reads and writes XML."""

    script = "convert.cjs"

    def convert(self, texts: Iterable[str]) -> list[str]:
        """Each resource, XML as JSON and JSON as XML."""
        answered: list[str] = self._ask(json.dumps(list(texts)).encode())
        return answered
