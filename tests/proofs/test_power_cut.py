"""Simulated power cuts while four associations send, or while objects are deleted or replaced (proof T1).

Nothing that was acknowledged is lost, and nothing that was deleted or replaced comes back.

The data lie on an ext4 file system of their own, which is shut down without flushing its journal: what was
not synced by then is gone, as when the power fails. Needs root.
"""

import fcntl
import os
import shutil
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from pydicom import Dataset, dcmread
from pynetdicom.dsutils import encode

from testdata.mr import mr_series
from tests.diafana.commands import diafana
from tests.pacs.dimse.peer import RawPeer
from tests.proofs.ingest import ASSOCIATIONS, Acknowledged, Ingest, half_written, lost, program
from tests.service import Service

CUTS, ACKNOWLEDGED = (50, 120) if os.environ.get("DIAFANA_PROOF") == "long" else (5, 60)

EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system needs root"),
    pytest.mark.timeout(1800),
]

# Each leaves out one of the three things that a success answer means. What is written past the page cache
# may survive this cut without fsync: the sync of the index takes it along, on a file system with a journal.
PLANTED_BUGS = {
    "the file is in the page cache and not synced": (
        "from pacs.files import new_file; from types import SimpleNamespace; import os; "
        "new_file._DIRECT = 0; new_file.os = SimpleNamespace(**vars(os) | {'fsync': lambda _: None})"
    ),
    "the index is not synced": "from pacs.index import log; log.WriteAheadLog.sync = lambda *_: None",
}
MOVED_WITHOUT_SYNC = "from pacs.files import recycled; recycled.sync_folder = lambda _: None"


class Disk:
    """An ext4 file system in a file, whose power can be cut."""

    def __init__(self, folder: Path) -> None:
        self._image, self.path = folder / "image", folder / "disk"
        self.path.mkdir()
        with self._image.open("wb") as image:
            image.truncate(400 << 20)
        subprocess.run(["mkfs.ext4", "-q", self._image], check=True)
        self.mount()

    def mount(self) -> None:
        subprocess.run(["mount", "-o", "loop", self._image, self.path], check=True)
        for log in self.path.glob("*.log"):  # it may be cut off within a line, which another would follow
            log.unlink()

    def cut(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY)
        fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        os.close(descriptor)

    def unmount(self) -> None:
        """Unmount; processes that were killed let go of their files one by one, so it may take a moment."""
        for _ in range(100):
            done = subprocess.run(["umount", self.path], check=False, capture_output=True, text=True)
            if done.returncode == 0:
                return
            time.sleep(0.1)
        raise AssertionError(done.stderr)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path)
    yield disk
    subprocess.run(["umount", disk.path], check=False)


def ingest_and_cut(disk: Disk, bug: str = "") -> list[Acknowledged]:
    """What was acknowledged before the cut began.

    What is acknowledged during the cut proves nothing: a plain program of write and fsync loses such files
    too, for an fsync that waits while ext4 gives its journal up may return success, which no processor
    without power can do.
    """
    service = Service(disk.path / "data", program=program(bug))
    ingest = Ingest(service.dimse_port)
    ingest.wait_for(ACKNOWLEDGED)
    acknowledged = list(ingest.acknowledged)
    disk.cut()
    service.kill()
    ingest.end()
    disk.unmount()
    disk.mount()
    return acknowledged


def test_what_was_acknowledged_survives_power_cuts(disk: Disk) -> None:
    acknowledged: list[Acknowledged] = []
    for _ in range(CUTS):
        acknowledged += ingest_and_cut(disk)
        with Service(disk.path / "data", program=program()) as service:
            assert lost(service.url, acknowledged[-2 * ACKNOWLEDGED :]) == []
    assert len(acknowledged) >= CUTS * ACKNOWLEDGED
    with Service(disk.path / "data", program=program()) as service:
        assert lost(service.url, acknowledged) == []
        assert half_written(service.url) == []


def delete_and_cut(disk: Disk, studies: int, bug: str = "") -> list[Acknowledged]:
    """What was acknowledged to be deleted when so many studies were, while the next is being deleted."""
    service = Service(disk.path / "data", program=program(bug))
    ingest = Ingest(service.dimse_port)
    ingest.wait_for(2 * ACKNOWLEDGED)
    ingest.end()
    deleted: list[str] = []
    enough = threading.Event()

    def delete() -> None:
        with httpx.Client(base_url=service.url, timeout=30) as client, suppress(httpx.TransportError):
            for study in {one.study for one in ingest.acknowledged}:
                if client.delete(f"/dicom-web/studies/{study}").status_code != 204:
                    return
                deleted.append(study)
                if len(deleted) == studies:
                    enough.set()

    deleting = threading.Thread(target=delete)
    deleting.start()
    assert enough.wait(60), "too slow"
    before = set(deleted)
    disk.cut()
    service.kill()
    deleting.join()
    disk.unmount()
    disk.mount()
    return [one for one in ingest.acknowledged if one.study in before]


def come_back(disk: Disk, deleted: list[Acknowledged]) -> int:
    """How many of them are there again, and nothing is half there."""
    with Service(disk.path / "data", program=program()) as service:
        assert half_written(service.url) == []
        return len(deleted) - len(lost(service.url, deleted))


def lose_the_index(disk: Disk) -> None:
    assert "instances indexed" in diafana("reindex", "--data", disk.path / "data").out


def test_what_was_deleted_stays_deleted_after_a_power_cut(disk: Disk) -> None:
    deleted = delete_and_cut(disk, ASSOCIATIONS // 2)
    assert len(deleted) > 2
    assert come_back(disk, deleted) == 0
    lose_the_index(disk)
    assert come_back(disk, deleted) == 0


def test_the_proof_notices_files_that_were_moved_without_sync(disk: Disk) -> None:
    for _ in range(5):  # what else syncs its files just before the cut takes the names along
        deleted = delete_and_cut(disk, ASSOCIATIONS, MOVED_WITHOUT_SYNC)
        lose_the_index(disk)  # before a service can move what was not moved
        if come_back(disk, deleted) > 0:
            return
        shutil.rmtree(disk.path / "data")
    pytest.fail("it does not notice them")


def replace_and_cut(disk: Disk, bug: str = "") -> tuple[Dataset, int]:
    """An instance that is replaced again and again, and the last version that was acknowledged."""
    known = diafana(
        *("peer", "add", "RAW", "127.0.0.1", "104"),
        *("--duplicates", "replace", "--data"),
        disk.path / "data",
    )
    assert known.code == 0
    service = Service(disk.path / "data", program=program(bug))
    (image,) = mr_series(slices=1, rows=64, columns=64)
    acknowledged: list[int] = []
    enough = threading.Event()

    def replace() -> None:
        with RawPeer(service.dimse_port) as peer:
            peer.associate(image.SOPClassUID)
            for number in range(100_000):
                image.InstanceNumber = number
                sent = encode(image, is_implicit_vr=False, is_little_endian=True)
                if peer.store(image.SOPClassUID, image.SOPInstanceUID, sent or b"") != 0:
                    return
                acknowledged.append(number)
                if number == ACKNOWLEDGED:
                    enough.set()

    replacing = threading.Thread(target=replace)
    replacing.start()
    assert enough.wait(60), "too slow"
    last = acknowledged[-1]
    disk.cut()
    service.kill()
    replacing.join()
    disk.unmount()
    disk.mount()
    return image, last


def version_of(disk: Disk, image: Dataset) -> int:
    """Which version is there now, whole; -1 for none."""
    path = f"/dicom-web/studies/{image.StudyInstanceUID}/series/{image.SeriesInstanceUID}"
    with Service(disk.path / "data", program=program()) as service:
        answer = service.get(f"{path}/instances/{image.SOPInstanceUID}", Accept="application/dicom")
    if answer.status_code != 200:
        return -1
    found = dcmread(BytesIO(answer.content))
    assert found.PixelData == image.PixelData
    return int(found.InstanceNumber)


def test_what_was_replaced_stays_so_after_a_power_cut(disk: Disk) -> None:
    for _ in range(CUTS // 3 + 1):
        image, last = replace_and_cut(disk)
        assert version_of(disk, image) >= last
        lose_the_index(disk)
        assert version_of(disk, image) >= last
        shutil.rmtree(disk.path / "data")


def test_the_proof_notices_what_was_replaced_before_its_commit_was_synced(disk: Disk) -> None:
    image, last = replace_and_cut(disk, PLANTED_BUGS["the index is not synced"])
    assert version_of(disk, image) < last


@pytest.mark.parametrize("bug", PLANTED_BUGS)
def test_the_proof_notices(bug: str, disk: Disk) -> None:
    acknowledged = ingest_and_cut(disk, PLANTED_BUGS[bug])
    with Service(disk.path / "data", program=program()) as service:
        assert lost(service.url, acknowledged) != []
