"""The service over real HTTP: uvicorn on a free port of the loopback, with an archive of its own."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
import uvicorn
from dicomweb_client import DICOMwebClient
from fastapi import FastAPI
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG4HP41,
    DeflatedExplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
    VideoEndoscopicImageStorage,
)

from dicomweb.app import DicomWeb
from dicomweb.commitment import StorageCommitment, transactions_of
from dicomweb.multipart import MultipartReader, PartData, PartEnded, PartStarted, boundary_of
from dicomweb.problems import add_problem_handlers
from dicomweb.threads import Threads
from pacs.archive import Archive
from pacs.commitment import Commitment
from pacs.files import DiskFiles
from pacs.files.derived import DerivedFiles
from pacs.index import Index, migrate, sqlite_url
from pacs.model import Source
from testdata.composite import composite
from testdata.compressed import compressed
from testdata.ct import ct_series
from testdata.dose_report import dose_report
from testdata.files import part10
from testdata.mr import mr_series
from testdata.pdf import encapsulated_pdf
from testdata.secondary_capture import secondary_capture
from testdata.studies import HEART_US
from testdata.us import us_cine
from tests.dicomweb.told import only_told

PATIENCE = 20.0  # seconds for the server to come up

Part = tuple[dict[str, str], bytes]


@dataclass(frozen=True)
class Service:
    """A running service.  url: of its DICOMweb root.  http: a client whose base is that root."""

    services: DicomWeb
    archive: Archive
    derived: DerivedFiles
    url: str
    http: httpx.Client

    @property
    def client(self) -> DICOMwebClient:
        return DICOMwebClient(self.url)

    @property
    def host(self) -> str:
        return self.url.removesuffix("/dicom-web")

    def keep(self, *objects: Dataset | bytes) -> None:
        """Store without HTTP."""
        for one in objects:
            incoming = self.archive.sender(Source(address="test")).begin_part10()
            incoming.write(one if isinstance(one, bytes) else part10(one))
            self.archive.store(incoming)


@contextmanager
def serving(folder: Path, may_delete: bool = True) -> Iterator[Service]:
    url = sqlite_url(folder / "index.sqlite")
    migrate(url)
    index, derived = Index(url), DerivedFiles(folder / "derived")
    files = DiskFiles(folder)
    archive = Archive(files, derived, index, "DIAFANA", "/dicom-web", lambda: None)
    commitment = StorageCommitment(Commitment(files, index), index.commitments, Threads())
    services = DicomWeb(archive, derived, may_delete=may_delete, others=transactions_of(commitment))
    app = FastAPI(routes=services.routes)
    add_problem_handlers(app)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE
        while not server.started:
            assert thread.is_alive() and time.monotonic() < deadline, "the server did not come up"
            time.sleep(0.005)
        host = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        check = only_told(services.transactions, "/dicom-web")
        hooks = {"response": [check]}
        with httpx.Client(base_url=f"{host}/dicom-web", timeout=30, event_hooks=hooks) as http:
            yield Service(services, archive, derived, f"{host}/dicom-web", http)
    finally:
        server.should_exit = True
        thread.join()
        index.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service without any object."""
    with serving(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def parts_of() -> Callable[[httpx.Response], list[Part]]:
    """Takes a multipart answer to pieces: headers and content of each part."""

    def take_apart(response: httpx.Response) -> list[Part]:
        content_type = response.headers["content-type"]
        assert content_type.startswith("multipart/related; "), content_type
        reader = MultipartReader(boundary_of(content_type))
        parts: list[Part] = []
        for event in reader.feed(response.content):
            match event:
                case PartStarted(headers):
                    parts.append((headers, b""))
                case PartData(data):
                    headers, content = parts.pop()
                    parts.append((headers, content + bytes(data)))
                case PartEnded():
                    pass  # what belongs to it is in `parts` already
        reader.close()
        return parts

    return take_apart


@dataclass(frozen=True)
class Library:
    """A service with one object of each kind; nobody stores into it."""

    service: Service
    ct: list[Dataset]
    pdf: Dataset
    report: Dataset
    cine: Dataset
    jpeg_ls: Dataset
    rle: Dataset
    film: Dataset
    bits: Dataset
    deflated: Dataset

    @property
    def http(self) -> httpx.Client:
        return self.service.http

    @property
    def document_length(self) -> int:
        """Of the PDF, without padding; it is odd."""
        return int(self.pdf.EncapsulatedDocumentLength)

    @staticmethod
    def path(dataset: Dataset) -> str:
        """Of the instance, below the root."""
        return (
            f"/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
            f"/instances/{dataset.SOPInstanceUID}"
        )


FILM = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 40


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    ct = ct_series(slices=4, rows=64, columns=64)
    head = mr_series(slices=2, rows=48, columns=40)
    odd = np.random.default_rng(1).random((3, 5, 5)) > 0.5
    with serving(tmp_path_factory.mktemp("library")) as service:
        library = Library(
            service,
            ct=ct,
            pdf=_pdf(),
            report=dose_report(),
            cine=us_cine(frames=5, rows=48, columns=64),
            jpeg_ls=compressed(head[0], JPEGLSLossless),
            rle=compressed(head[1], RLELossless),
            film=_film(),
            bits=secondary_capture(odd, series_number=901),
            deflated=compressed(
                secondary_capture(np.arange(64, dtype=np.uint16).reshape(8, 8), series_number=902),
                DeflatedExplicitVRLittleEndian,
            ),
        )
        service.keep(*library.ct, library.pdf, library.report, library.cine, library.jpeg_ls)
        service.keep(library.rle, library.film, library.bits, library.deflated)
        yield library


def _pdf() -> Dataset:
    """A document of odd length, too long to stand in the metadata."""
    dataset = encapsulated_pdf()
    document = dataset.EncapsulatedDocument[: dataset.EncapsulatedDocumentLength] + b"%" * 2000
    document += b"%" * (1 - len(document) % 2)
    dataset.EncapsulatedDocumentLength = len(document)
    dataset.EncapsulatedDocument = document + b"\x00"
    return dataset


def _film() -> Dataset:
    """A film of 50 frames in two fragments."""
    dataset = composite(HEART_US, VideoEndoscopicImageStorage, "ES", 5, 1)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, "YBR_PARTIAL_420"
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = 576, 720, 50
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelRepresentation = dataset.PlanarConfiguration = 0
    dataset.PixelData = encapsulate([FILM[:6000], FILM[6000:]], has_bot=False)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = MPEG4HP41
    return dataset
