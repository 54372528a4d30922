"""What the courier does with requests that meet something on their way."""

from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from structlog.testing import capture_logs

from pacs.archive import Archive
from pacs.changes import Bell
from pacs.dimse import courier
from pacs.dimse.courier import Courier
from pacs.dimse.status import PROCESSING_FAILURE
from pacs.index import Index
from pacs.index.outbox import CANCELED, Sending
from pacs.model import Instance
from testdata.ct import ct_series
from tests.pacs.dimse.scp import receiver
from tests.pacs.dimse.working import at_work
from tests.pacs.objects import keep
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("impatient")

UID = "2.999.20.9"
TAKEN = ([CTImageStorage], [str(ExplicitVRLittleEndian)])


@pytest.fixture
def courier_(archive: Archive, index: Index, bell: Bell) -> Courier:
    return Courier(archive, index, "DIAFANA", bell)


@pytest.fixture
def ct(archive: Archive) -> list[Instance]:
    return keep(archive, *ct_series(slices=4, rows=32, columns=32))


def sending(index: Index) -> Sending:
    found = index.outbox.sending(UID)
    assert found is not None
    return found


def has_ended(index: Index) -> bool:
    return sending(index).has_ended


class Unreadable:
    """A file that the system does not open: its name leads to itself."""

    def __init__(self, folder: Path, instance: Instance) -> None:
        (self._file,) = folder.glob(f"**/{instance.file}*")
        self._kept = self._file.rename(self._file.with_suffix(".aside"))
        self._file.symlink_to(self._file)

    def mend(self) -> None:
        self._kept.replace(self._file)


def test_what_we_cannot_read_for_a_moment_is_sent_later(
    courier_: Courier, index: Index, bell: Bell, ct: list[Instance], tmp_path: Path
) -> None:
    unreadable = [Unreadable(tmp_path, one) for one in ct]
    with receiver(*TAKEN) as other, at_work(courier_.run, bell):
        index.peers.put(other.peer)
        index.outbox.add(UID, "OTHER", ct)
        bell.ring()
        wait_until(lambda: "the storage device failed" in sending(index).error)
        for one in unreadable:
            one.mend()
        wait_until(lambda: has_ended(index))
    assert (sending(index).completed, sending(index).failed) == (len(ct), [])
    assert sorted(other.uids) == sorted(one.sop_instance_uid for one in ct)


def test_what_we_can_never_read_holds_up_nothing_and_is_given_up(
    courier_: Courier,
    index: Index,
    bell: Bell,
    ct: list[Instance],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    damaged = ct[1]
    Unreadable(tmp_path, damaged)
    with receiver(*TAKEN) as other, at_work(courier_.run, bell):
        index.peers.put(other.peer)
        index.outbox.add(UID, "OTHER", ct)
        bell.ring()
        wait_until(lambda: sending(index).completed == len(ct) - 1)
        assert not has_ended(index)
        monkeypatch.setattr(courier, "MOST_ATTEMPTS", 1)
        wait_until(lambda: has_ended(index))
    failed = [(damaged.sop_class_uid, damaged.sop_instance_uid, PROCESSING_FAILURE)]
    assert (sending(index).completed, sending(index).failed) == (len(ct) - 1, failed)


def test_of_what_we_can_never_read_there_may_be_more(
    courier_: Courier,
    index: Index,
    bell: Bell,
    ct: list[Instance],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More than there are attempts: what can be read is sent all the same."""
    monkeypatch.setattr(courier, "MOST_ATTEMPTS", 2)
    for one in ct[:3]:
        Unreadable(tmp_path, one)
    with receiver(*TAKEN) as other, at_work(courier_.run, bell):
        index.peers.put(other.peer)
        index.outbox.add(UID, "OTHER", ct)
        bell.ring()
        wait_until(lambda: has_ended(index))
    assert other.uids == [ct[3].sop_instance_uid]
    assert [status for *_, status in sending(index).failed] == [PROCESSING_FAILURE] * 3


def test_what_is_canceled_on_its_way_goes_no_further(
    courier_: Courier, index: Index, bell: Bell, ct: list[Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "NOTED_AFTER", 0.0)
    came: list[str] = []

    def cancel(event: Any) -> int:
        came.append(str(event.request.AffectedSOPInstanceUID))
        return 0 if len(came) < 2 or index.outbox.end(UID) else 0xC000

    with capture_logs() as logs, receiver(*TAKEN, cancel) as other, at_work(courier_.run, bell):
        index.peers.put(other.peer)
        index.outbox.add(UID, "OTHER", ct)
        bell.ring()
        wait_until(lambda: logs)
    assert came == [one.sop_instance_uid for one in ct[:2]]
    assert (sending(index).completed, sending(index).remaining) == (1, 0)
    assert [status for *_, status in sending(index).failed] == [CANCELED] * 3
    assert [one["event"] for one in logs] == ["sending was canceled"]
