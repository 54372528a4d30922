"""Sending on several associations at once, noting every acknowledgement, and asking for each again."""

import hashlib
import threading
from dataclasses import dataclass, field

import httpx
from pydicom import Dataset, dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.uid import generate_uid
from pynetdicom.dsutils import encode

from testdata.mr import mr_series
from tests.pacs.dimse.peer import RawPeer

ASSOCIATIONS = 4

# The service without the adoption of orphans, which would heal some of what these proofs look for.
UNHEALED = "from diafana import cli, service; service.adopt_orphans = lambda *_: (0, 0)"


def program(bug: str = "") -> tuple[str, ...]:
    """What Python runs for the service; bug: statements that plant one."""
    return ("-c", f"{UNHEALED}\n{bug}\ncli.main()")


@dataclass(frozen=True)
class Acknowledged:
    """An instance whose sender was told success. digest: of its data set as it was sent."""

    study: str
    series: str
    instance: str
    digest: str


@dataclass
class Ingest:
    """Four senders that go on until they are told to stop or lose the service."""

    port: int
    acknowledged: list[Acknowledged] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._enough = threading.Condition()
        self._threads = [threading.Thread(target=self._send_all) for _ in range(ASSOCIATIONS)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, number: int) -> None:
        """Return when so many instances are acknowledged."""
        with self._enough:
            assert self._enough.wait_for(lambda: len(self.acknowledged) >= number, timeout=300), "too slow"

    def end(self) -> None:
        """Stop sending, and wait for the senders."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send_all(self) -> None:
        (template,) = mr_series(slices=1, rows=64, columns=64)
        template.StudyInstanceUID, template.SeriesInstanceUID = generate_uid(), generate_uid()
        with RawPeer(self.port) as peer:
            peer.associate(template.SOPClassUID)
            while not self._stop.is_set() and self._send(peer, template):
                template.InstanceNumber += 1
            peer.release()

    def _send(self, peer: RawPeer, template: Dataset) -> bool:
        """Send one instance; whether the association still stands."""
        template.SOPInstanceUID = generate_uid()
        sent = encode(template, is_implicit_vr=False, is_little_endian=True)
        assert sent is not None
        status = peer.store(template.SOPClassUID, template.SOPInstanceUID, sent)
        if status is None:
            return False
        if status != 0:
            self.failures.append(status)
            return True
        digest = hashlib.sha256(sent).hexdigest()
        uids = (template.StudyInstanceUID, template.SeriesInstanceUID, template.SOPInstanceUID)
        with self._enough:
            self.acknowledged.append(Acknowledged(*uids, digest))
            self._enough.notify_all()
        return True


def lost(url: str, acknowledged: list[Acknowledged]) -> list[str]:
    """What is wrong with acknowledged instances as the service gives them back now; empty when nothing is."""
    wrong = []
    with httpx.Client(base_url=url, timeout=30, headers={"Accept": "application/dicom"}) as client:
        for one in acknowledged:
            path = f"/dicom-web/studies/{one.study}/series/{one.series}/instances/{one.instance}"
            answer = client.get(path)
            if answer.status_code != 200:
                wrong.append(f"{one.instance}: status {answer.status_code}")
            elif hashlib.sha256(data_set_of(answer.content)).hexdigest() != one.digest:
                wrong.append(f"{one.instance}: other bytes")
    return wrong


def half_written(url: str) -> list[str]:
    """Instances that the service lists but cannot give back whole, whoever sent them."""
    wrong = []
    with httpx.Client(base_url=url, timeout=60, headers={"Accept": "application/dicom"}) as client:
        listed = client.get("/dicom-web/instances", headers={"Accept": "application/dicom+json"}).json()
        for found in listed:
            study, series, instance = (found[key]["Value"][0] for key in ("0020000D", "0020000E", "00080018"))
            answer = client.get(f"/dicom-web/studies/{study}/series/{series}/instances/{instance}")
            if answer.status_code != 200:
                wrong.append(f"{instance}: status {answer.status_code}")
                continue
            pixels = dcmread(DicomBytesIO(answer.content)).PixelData
            if len(pixels) != 64 * 64 * 2:
                wrong.append(f"{instance}: {len(pixels)} bytes of pixels")
    return wrong


def data_set_of(part10: bytes) -> bytes:
    """The data set of a Part 10 file: what follows group 0002."""
    length = int.from_bytes(part10[140:144], "little")
    return part10[144 + length :]
