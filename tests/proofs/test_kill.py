"""kill -9 of the service while four associations send: nothing acknowledged is lost (proof T2)."""

import os
from pathlib import Path

import pytest

from tests.proofs.ingest import Acknowledged, Ingest, half_written, lost, program
from tests.service import Service

KILLS, ACKNOWLEDGED = (20, 500) if os.environ.get("DIAFANA_PROOF") == "long" else (5, 100)

ACKNOWLEDGE_BEFORE_COMMIT = """
import threading
from pacs import ingest
from pacs.model import Outcome

commit_until = ingest.Committer.commit_until

def too_early(self, pending):
    pending.outcome = ingest._stored(pending.record.instance, Outcome.STORED, False)
    later = ingest.Pending(self, pending.incoming, pending.record)
    self._waiting.remove(pending)
    self._waiting.append(later)
    threading.Timer(60, commit_until, (self, later)).start()

ingest.Committer.commit_until = too_early
"""


@pytest.mark.timeout(600)
def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    acknowledged: list[Acknowledged] = []
    for _ in range(KILLS):
        service = Service(tmp_path / "data", program=program())
        ingest = Ingest(service.dimse_port)
        ingest.wait_for(ACKNOWLEDGED)
        service.kill()
        ingest.end()
        assert ingest.failures == []
        acknowledged += ingest.acknowledged
    assert len(acknowledged) >= KILLS * ACKNOWLEDGED
    with Service(tmp_path / "data", program=program()) as service:
        assert lost(service.url, acknowledged) == []
        assert half_written(service.url) == []


def test_the_proof_notices_an_acknowledgement_before_the_commit(tmp_path: Path) -> None:
    service = Service(tmp_path / "data", program=program(ACKNOWLEDGE_BEFORE_COMMIT))
    ingest = Ingest(service.dimse_port)
    ingest.wait_for(50)
    service.kill()
    ingest.end()
    with Service(tmp_path / "data", program=program()) as service:
        assert lost(service.url, ingest.acknowledged) != []
