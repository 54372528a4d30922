"""What the rows share while they are measured: the studies, a place on disk, and how much to do."""

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.studies import Batch, Library, Studies, Template


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much is done for one figure.

    ct, mr: instances sent over one association; four associations send half as many each.
    stow: requests.
    seconds: of one run of wrk, where the service is not slow.
    searches: among a million studies.
    """

    ct: int = 200
    mr: int = 800
    stow: int = 12
    seconds: int = 5
    searches: int = 60


QUICK = Amounts(ct=40, mr=200, stow=1, seconds=2, searches=20)


class Stage:
    """Studies to store, and the library to read from once it was stored."""

    def __init__(self, folder: Path, sources: Path, amounts: Amounts) -> None:
        """folder: on the disk that is measured.  sources: where the clients read from, best in memory.

        postgresql: the address of an index with a million studies, while there is one.
        """
        self.folder = folder
        self.sources = sources
        self.amounts = amounts
        self.studies = Studies(sources / "studies")
        self.library: Library = self.studies.library()
        self.postgresql = ""
        self._numbers = itertools.count(1)

    def number(self) -> int:
        """A number that was never given before."""
        return next(self._numbers)

    @contextmanager
    def fresh(self, of: Template, count: int, folders: int = 1) -> Iterator[list[Batch]]:
        """New series of `count` instances each, written to disk, and removed at the end."""
        batches = [self.studies.fresh(of, count) for _ in range(folders)]
        try:
            yield batches
        finally:
            for batch in batches:
                shutil.rmtree(batch.folder)

    def scratch(self) -> Path:
        """A new empty folder on the disk that is measured. It stays: a disk that was removed from is slow."""
        folder = self.folder / f"scratch-{self.number()}"
        folder.mkdir()
        return folder
