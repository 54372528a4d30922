"""What long requests and answers cost of memory.

A store request no more than 64 MB, whatever it holds (docs/adr/0015); downloads as much each as is under way.
"""

import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from struct import pack

import httpx
import numpy as np
import psutil
import pytest
from pydicom import Dataset

from testdata.files import part10
from testdata.secondary_capture import secondary_capture
from tests.dicomweb.metadata_bodies import BOUNDARY, JSON, XML, Part, body, metadata_of, metadata_part
from tests.service import Service

FRAMES = 320  # of a megabyte each
MEGABYTE = 1 << 20
MOST = 64 * MEGABYTE

pytestmark = pytest.mark.xdist_group("service")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("memory") / "data", "--workers", "1") as service:
        yield service


def loop(number: int) -> Dataset:
    """All but the pixels."""
    dataset = secondary_capture(np.zeros((1, 8, 8), np.uint8), series_number=number)
    dataset.Rows = dataset.Columns = 1024
    dataset.NumberOfFrames = FRAMES
    del dataset.PixelData
    return dataset


def around_pixels(*parts: Part) -> tuple[bytes, bytes]:
    """What stands before and after the pixels in a body whose last part ends with them."""
    delimiter = f"\r\n--{BOUNDARY}".encode()
    start, end = body(parts).rsplit(delimiter, 1)
    return start, delimiter + end


def whole_object(number: int) -> tuple[bytes, bytes]:
    head = part10(loop(number)) + pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, FRAMES * MEGABYTE)
    return around_pixels(("application/dicom", "", head))


def described(form: str, media_type: str, number: int) -> tuple[bytes, bytes]:
    metadata = metadata_of(loop(number)) | {"7FE00010": {"vr": "OB", "BulkDataURI": "pixels"}}
    return around_pixels(*metadata_part(form, metadata), (media_type, "pixels", b""))


KINDS = {
    "objects": ("application/dicom", whole_object(1)),
    "JSON": (JSON, described(JSON, "application/octet-stream", 2)),
    "XML": (XML, described(XML, "application/octet-stream", 3)),
    "a film": (JSON, described(JSON, "video/mp4; transfer-syntax=1.2.840.10008.1.2.4.102", 4)),
}


def worker(service: Service) -> psutil.Process:
    return min(psutil.Process(service.process.pid).children(), key=lambda process: int(process.nice()))


def peak(process: psutil.Process) -> int:
    """Most bytes resident since the last reset (proc(5), VmHWM)."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) * 1024


def send(service: Service, kind: str, chunked: bool) -> httpx.Response:
    form, around = KINDS[kind]
    return send_around(service, form, around, chunked)


def send_around(service: Service, form: str, around: tuple[bytes, bytes], chunked: bool) -> httpx.Response:
    start, end = around
    headers = {"Content-Type": f'multipart/related; type="{form}"; boundary={BOUNDARY}'}
    if not chunked:
        headers["Content-Length"] = str(len(start) + FRAMES * MEGABYTE + len(end))

    def stream() -> Iterable[bytes]:
        yield start
        for _ in range(FRAMES):
            yield bytes(MEGABYTE)
        yield end

    return httpx.post(f"{service.url}/dicom-web/studies", content=stream(), headers=headers, timeout=500)


@pytest.mark.parametrize("chunked", [False, True], ids=["of known length", "in chunks"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_long_body_costs_little_memory(service: Service, kind: str, chunked: bool) -> None:
    service.get("/dicom-web/studies")  # so that what is made once is there
    process = worker(service)
    idle = process.memory_info().rss
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")
    response = send(service, kind, chunked)
    assert response.status_code == 200, response.text
    assert peak(process) - idle < MOST


DOWNLOADS = 100


def test_downloads_at_once_keep_no_more_than_what_is_under_way(service: Service) -> None:
    """10.4: a hundred viewers take a study of more than a gigabyte each, in turns; that would be 125 GB."""
    for number in range(11, 15):
        stored = send_around(service, "application/dicom", whole_object(number), chunked=False)
        assert stored.status_code == 200, stored.text
    study = loop(1).StudyInstanceUID
    process = worker(service)
    idle = process.memory_info().rss
    with ExitStack() as stack:
        viewers = [stack.enter_context(download(service, study)) for _ in range(DOWNLOADS)]
        take(viewers, 8 * MEGABYTE)
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")
        after_a_while = process.memory_info().rss
        take(viewers, 16 * MEGABYTE)
        assert peak(process) - after_a_while < MOST
        assert after_a_while - idle < DOWNLOADS * 3 * MEGABYTE


def download(service: Service, study: str) -> socket.socket:
    """The connection of somebody who has asked for a study."""
    connection = socket.create_connection(("127.0.0.1", service.http_port), timeout=500)
    accept = 'multipart/related; type="application/dicom"; transfer-syntax=*'
    connection.sendall(
        f"GET /dicom-web/studies/{study} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n".encode()
    )
    return connection


def take(viewers: list[socket.socket], amount: int) -> None:
    """Each takes so many bytes, a megabyte in turn."""
    room = bytearray(MEGABYTE)
    for _ in range(amount // MEGABYTE):
        for viewer in viewers:
            taken = 0
            while taken < MEGABYTE:
                received = viewer.recv_into(room, MEGABYTE - taken)
                assert received, "the answer ended early"
                taken += received
