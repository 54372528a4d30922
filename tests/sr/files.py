"""Part 10 files as the mapping gets them from the archive, reports of others, ways to write one data set."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.data import get_testdata_files
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from pacs.dataset.part10 import read_file_meta
from pacs.dataset.transfer_syntax import inflate, is_deflated
from sr.data_set import DataSet, read_data_set
from sr.mapping import is_report
from tests.conftest import CORPUS

SYNTAXES: tuple[UID, ...] = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)


def reports_of_pydicom() -> list[Path]:
    """Those that come with pydicom."""
    return [
        Path(name) for pattern in ("test-SR.dcm", "reportsi*.dcm") for name in get_testdata_files(pattern)
    ]


def reports_of_corpus() -> list[Path]:
    """Those of the corpus; none where it is not at hand."""
    folders = ("dose-sr", "highdicom", "dcmqi", "mado")
    paths = [path for folder in folders for path in sorted((CORPUS / folder).glob("*.dcm"))]
    return [path for path in paths if _is_report(path)]


def _is_report(path: Path) -> bool:
    header = pydicom.dcmread(path, specific_tags=["SOPClassUID", "Modality"], stop_before_pixels=True)
    return header.get("Modality") in ("SR", "KO") or is_report(str(header.get("SOPClassUID", "")))


def lean(content: bytes) -> DataSet:
    """The data set of a Part 10 file."""
    read = read_file_meta(content)
    assert read is not None
    meta, start = read
    syntax = meta.transfer_syntax_uid
    return read_data_set(inflate(content[start:]) if is_deflated(syntax) else content[start:], syntax)


def written(dataset: Dataset, transfer_syntax_uid: UID = ExplicitVRLittleEndian) -> bytes:
    """The data set as a file, its sequences as they are: of undefined length or not."""
    copy = Dataset(dataset)
    copy.file_meta = FileMetaDataset()
    copy.file_meta.TransferSyntaxUID = transfer_syntax_uid
    copy.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", "1.2")
    copy.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", "1.2")
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, copy, enforce_file_format=True)
    return buffer.getvalue()


def encoded(dataset: Dataset, transfer_syntax_uid: UID = ExplicitVRLittleEndian) -> bytes:
    """The data set alone, as it stands in its file."""
    file = written(dataset, transfer_syntax_uid)
    read = read_file_meta(file)
    assert read is not None
    return file[read[1] :]


def undefined(dataset: Dataset, sequences: bool = True, items: bool = True) -> Dataset:
    """The same data set, to be written with sequences or items of undefined length."""

    def mark(item: Dataset) -> None:
        for element in item:
            if element.VR == "SQ":
                element.is_undefined_length = sequences
                _mark_items(element.value, items, mark)

    mark(dataset)
    return dataset


def _mark_items(sequence: Sequence, items: bool, mark: Callable[[Dataset], None]) -> None:
    for item in sequence:
        item.is_undefined_length_sequence_item = items
        mark(item)
