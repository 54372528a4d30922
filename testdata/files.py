"""Objects as Part 10 files (PS3.10 7)."""

import io
from collections.abc import Iterable
from pathlib import Path

from pydicom import Dataset, dcmwrite


def part10(dataset: Dataset) -> bytes:
    """The whole file: preamble, prefix, file meta information, and the data set in the syntax it names."""
    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def write_folder(datasets: Iterable[Dataset], folder: Path) -> list[Path]:
    """Write each object as study/series/instance.dcm below the folder; returns the paths in that order."""
    paths = []
    for dataset in datasets:
        series = folder / dataset.StudyInstanceUID / dataset.SeriesInstanceUID
        series.mkdir(parents=True, exist_ok=True)
        path = series / f"{dataset.SOPInstanceUID}.dcm"
        path.write_bytes(part10(dataset))
        paths.append(path)
    return paths
