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


class Validators:
    """The engines, running; they take some seconds to begin."""

    def __enter__(self) -> Self:
        command = ["node", str(FOLDER / "validate.cjs")]
        self._engines = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engines.communicate()

    def faults(self, resources: Iterable[dict[str, Any]]) -> list[str]:
        """What is wrong with each, behind its type and id."""
        asked = list(resources)
        assert self._engines.stdin is not None
        assert self._engines.stdout is not None
        self._engines.stdin.write(b"[" + b",".join(fhir_json.dumps(one) for one in asked) + b"]\n")
        self._engines.stdin.flush()
        answered: list[str] = json.loads(self._engines.stdout.readline())
        ids = (one["id"] for one in asked if "id" in one)
        return answered + [f"{name} is no id" for name in ids if not _ID.fullmatch(name)]
