"""A worklist with an index of its own, and who was woken."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from pacs.index import Index, migrate, sqlite_url
from pacs.model import DicomJson
from pacs.worklist.subscriptions import Subscriptions
from pacs.worklist.worklist import Worklist


@dataclass
class Desk:
    """The worklist, its subscriptions, and how often the doorbell rang."""

    index: Index
    days_kept: float = 30.0
    rings: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        def ring() -> None:
            self.rings.append(1)

        self.worklist = Worklist(self.index.worklist, "DIAFANA", self.days_kept, ring)
        self.subscriptions = Subscriptions(self.index.worklist, ring)

    def told(self, ae_title: str) -> list[DicomJson]:
        """What a subscriber is told now, once."""
        token = self.subscriptions.open_channel(ae_title)
        waiting = self.subscriptions.waiting(ae_title, token, 1000) or []
        self.subscriptions.told(ae_title, token, waiting)
        return [orjson.loads(report.report) for report in waiting]

    def told_states(self, ae_title: str) -> list[str]:
        """The states among them."""
        return [report["00741000"]["Value"][0] for report in self.told(ae_title) if "00741000" in report]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    url = sqlite_url(tmp_path / "index.sqlite")
    migrate(url)
    index = Index(url)
    yield Desk(index)
    index.close()
