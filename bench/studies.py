"""The studies that are stored and asked for: one CT and one MR series, and copies of them under fresh UIDs.

Every file of a template carries a mark of eight digits in its UIDs and in its Patient ID. A copy under fresh
UIDs is the same bytes with another mark, so that making hundreds of new instances costs next to nothing.
"""

import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset, FileMetaDataset, dcmwrite
from pydicom.uid import PYDICOM_ROOT_UID, ExplicitVRLittleEndian

from testdata.ct import ct_series
from testdata.mr import mr_series

ROOT_UID = f"{PYDICOM_ROOT_UID}9001."
FIRST_MARK = 10_000_000
LIBRARY_STUDIES = 50
LIBRARY_SLICES = 200
SLICES_OF_OTHERS = 20
MOST_MR = 800  # sent over one association: fewer would measure the start of the client


@dataclass(frozen=True, slots=True)
class Batch:
    """One series on disk, in a folder of its own, under UIDs that were never used before."""

    folder: Path
    patient_id: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uids: tuple[str, ...]

    @property
    def path(self) -> str:
        """Of the series below the root of DICOMweb, PS3.18 10.1.1."""
        return f"/studies/{self.study_instance_uid}/series/{self.series_instance_uid}"

    @property
    def files(self) -> list[Path]:
        """The files in the order of the instances."""
        return sorted(self.folder.iterdir())


@dataclass(frozen=True, slots=True)
class Template:
    """The Part 10 files of one series, under FIRST_MARK. The pixels are the last `pixel_bytes` of each."""

    files: tuple[bytes, ...]
    pixel_bytes: int

    def pixels(self, number: int) -> bytes:
        """The native frame of instance `number`, from 1: to know a right answer by."""
        return self.files[number - 1][-self.pixel_bytes :]

    def marked(self, mark: int, count: int) -> Iterator[bytes]:
        """The first `count` files under another mark."""
        for data in self.files[:count]:
            moved = data.replace(_root_uid(FIRST_MARK).encode(), _root_uid(mark).encode())
            yield moved.replace(_patient_id(FIRST_MARK).encode(), _patient_id(mark).encode())

    def write(self, folder: Path, mark: int, count: int) -> Batch:
        """Write the first `count` files under another mark into a new folder."""
        folder.mkdir(parents=True)
        for number, data in enumerate(self.marked(mark, count), start=1):
            (folder / f"{number:04}.dcm").write_bytes(data)
        root = _root_uid(mark)
        instances = tuple(_instance_uid(mark, number) for number in range(1, count + 1))
        return Batch(folder, _patient_id(mark), f"{root}1", f"{root}2", instances)


@dataclass(frozen=True, slots=True)
class Library:
    """What both archives hold when they are read from: LIBRARY_STUDIES studies, one a long CT series."""

    long_series: Batch
    others: tuple[Batch, ...]

    @property
    def batches(self) -> list[Batch]:
        """All of them."""
        return [self.long_series, *self.others]


class Studies:
    """Makes batches. Marks only grow, so that nothing that was stored is ever stored again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._marks = itertools.count(FIRST_MARK + 1)
        self.ct = template(ct_series(slices=LIBRARY_SLICES, rows=512, columns=512))
        self.mr = template(mr_series(slices=MOST_MR, rows=128, columns=128))

    def fresh(self, of: Template, count: int) -> Batch:
        """A new batch of as many instances as the template has, at most."""
        mark = next(self._marks)
        return of.write(self._folder / str(mark), mark, count)

    def library(self) -> Library:
        """The studies to be read from."""
        others = [self.fresh(self.mr, SLICES_OF_OTHERS) for _ in range(LIBRARY_STUDIES - 1)]
        return Library(self.fresh(self.ct, LIBRARY_SLICES), tuple(others))


def template(datasets: Sequence[Dataset]) -> Template:
    """Give the images of a series their identifiers and write each as Part 10, Explicit VR Little Endian."""
    files = tuple(_part10(dataset, number) for number, dataset in enumerate(datasets, start=1))
    return Template(files, len(datasets[0].PixelData))


def multipart(files: Sequence[bytes], boundary: str) -> bytes:
    """The body of a STOW-RS request, PS3.18 10.5.1."""
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return b"".join(head + data + b"\r\n" for data in files) + f"--{boundary}--\r\n".encode()


def _root_uid(mark: int) -> str:
    return f"{ROOT_UID}{mark}."


def _patient_id(mark: int) -> str:
    return f"BENCH{mark}"


def _instance_uid(mark: int, number: int) -> str:
    return f"{_root_uid(mark)}3.{number}"


def _part10(dataset: Dataset, number: int) -> bytes:
    root = _root_uid(FIRST_MARK)
    dataset.PatientID = _patient_id(FIRST_MARK)
    dataset.StudyInstanceUID = f"{root}1"
    dataset.SeriesInstanceUID = f"{root}2"
    dataset.SOPInstanceUID = _instance_uid(FIRST_MARK, number)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
