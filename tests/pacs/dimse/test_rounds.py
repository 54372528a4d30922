"""Working off what is due, where that fails."""

from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from pacs.changes import Bell
from pacs.dimse import rounds
from pacs.dimse.rounds import Rounds
from pacs.errors import OutOfSpace
from pacs.index import Availability, Index, Message
from pacs.model import Peer
from tests.pacs.dimse.working import at_work
from tests.waiting import wait_until


def test_what_cannot_be_put_off_is_not_tried_again_at_once(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index is full; others are worked for meanwhile, and the service can end."""
    monkeypatch.setattr(rounds, "PAUSES", (3600.0,))
    for name in ("RIS", "VIEWER"):
        index.peers.put(Peer(name, "10.1.2.3", 104, notified=True))
    index.notices.add([Availability("2.999.42", "", {})])
    tried: list[str] = []

    def work(message: Message, _: Callable[[], bool]) -> None:
        tried.append(message.destination)
        if message.destination == "RIS":
            raise OutOfSpace("no room left")
        index.notices.done(message)

    bell = Bell(tmp_path / "bell")
    with capture_logs() as logs, at_work(Rounds(index.notices, bell, work).run, bell):
        wait_until(lambda: logs and "VIEWER" in tried)
        for _ in range(3):  # each wakes it, as an attempt does that has ended
            told = tried.count("VIEWER")
            index.notices.add([Availability("2.999.42", "", {})])
            bell.ring()
            wait_until(lambda told=told: tried.count("VIEWER") > told)  # type: ignore[misc]
    assert tried.count("RIS") == 1
    ((event, reason),) = {(one["event"], one["reason"]) for one in logs}
    assert (event, reason) == ("what is due cannot be put off", "no room left")
