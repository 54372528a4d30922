"""The FHIR API of the running service, over real sockets."""

import base64
import hashlib
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from testdata.pdf import encapsulated_pdf
from testdata.secondary_capture import secondary_capture
from tests.diafana.commands import diafana
from tests.pacs.dimse.peer import store
from tests.service import Service
from tests.waiting import wait_until

pytestmark = pytest.mark.xdist_group("service")


def test_a_document_from_its_arrival_to_its_end_and_back(tmp_path: Path) -> None:
    document = encapsulated_pdf()
    pdf = document.EncapsulatedDocument[: document.EncapsulatedDocumentLength]
    reference = f"/fhir/DocumentReference/{document.SOPInstanceUID}"
    with Service(tmp_path / "data") as service:
        assert store(service.dimse_port, document).Status == 0
        wait_until(lambda: service.get(reference).status_code == 200)
        binary = f"/fhir/{service.get(reference).json()['content'][0]['attachment']['url']}"
        assert service.get(binary).content == pdf
        part = service.get(binary, Range="bytes=5-99")
        assert (part.status_code, part.content) == (206, pdf[5:100])
        resource = service.get(binary, Accept="application/fhir+json").json()
        assert base64.b64decode(resource["data"]) == pdf
        head = httpx.head(service.url + binary)
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(pdf)))

        study = f"/dicom-web/studies/{document.StudyInstanceUID}"
        assert httpx.delete(service.url + study).status_code == 204
        wait_until(lambda: service.get(reference).status_code == 410)
        assert service.get(binary).status_code == 404
        assert diafana("restore", document.SOPInstanceUID, "--data", service.data).code == 0
        wait_until(lambda: service.get(reference).status_code == 200)
        history = service.get(f"{reference}/_history").json()["entry"]
        told = [(one["request"]["method"], one["response"]["etag"]) for one in history]
        assert told == [("PUT", 'W/"3"'), ("DELETE", 'W/"2"')]
        assert service.stop() == 0


def test_a_large_original_passes_through_little_memory(tmp_path: Path) -> None:
    image = secondary_capture(np.zeros((160, 1024, 1024), np.uint8))
    with Service(tmp_path / "data", "--workers", "1") as service:
        assert store(service.dimse_port, image).Status == 0
        url = f"{service.url}/fhir/Binary/{image.SOPInstanceUID}"
        children = psutil.Process(service.process.pid).children()
        worker = min(children, key=lambda process: int(process.nice()))
        assert httpx.get(f"{url}x").status_code == 404  # all that it takes is loaded
        Path(f"/proc/{worker.pid}/clear_refs").write_text("5")
        before = worker.memory_info().rss
        received, digest = 0, hashlib.sha256()
        with httpx.stream("GET", url) as answer:
            assert answer.headers["content-type"] == "application/dicom"
            for piece in answer.iter_bytes():
                received += len(piece)
                digest.update(piece)
        assert received == int(answer.headers["content-length"]) > 160 << 20
        files = (tmp_path / "data" / "objects").rglob("*.dcm")
        file = max(files, key=lambda path: path.stat().st_size)  # beside those that wait to be written
        assert digest.digest() == hashlib.sha256(file.read_bytes()).digest()
        status = Path(f"/proc/{worker.pid}/status").read_text().splitlines()
        most = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
        assert most - before < 32 << 20
        refused = httpx.get(url, headers={"Accept": "application/fhir+json"})
        assert refused.status_code == 406
        assert service.stop() == 0
