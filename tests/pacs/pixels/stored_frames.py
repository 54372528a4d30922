"""Objects as the archive hands them over: a header without pixels, and each frame as it is stored."""

from pathlib import Path

import numpy as np
import pydicom.data
from pydicom import Dataset, dcmread
from pydicom.encaps import get_frame
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID

from tests.conftest import CORPUS

PYDICOM_FILES = Path(pydicom.data.__file__).parent
DEFLATED_FRAMES = UID("1.2.840.10008.1.2.8.1")
PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def split(dataset: Dataset) -> tuple[Dataset, list[bytes]]:
    """The header, with an empty pixel element, and all frames."""
    keyword = next(keyword for keyword in PIXEL_KEYWORDS if keyword in dataset)
    frames = _frames(dataset, dataset[keyword].value)
    header = Dataset({element.tag: element for element in dataset if element.keyword not in PIXEL_KEYWORDS})
    header.add_new(keyword, dataset[keyword].VR, None)
    header.file_meta = dataset.file_meta
    return header, frames


def _frames(dataset: Dataset, data: bytes) -> list[bytes]:
    count = int(dataset.get("NumberOfFrames") or 1)
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    if syntax == DEFLATED_FRAMES or syntax.is_encapsulated:
        return [get_frame(data, index, number_of_frames=count) for index in range(count)]
    bits = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel * dataset.BitsAllocated
    if dataset.PhotometricInterpretation == "YBR_FULL_422":
        bits = bits * 2 // 3
    if bits % 8 == 0:
        return [data[index * bits // 8 :][: bits // 8] for index in range(count)]
    stream = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    return [np.packbits(stream[index * bits :][:bits], bitorder="little").tobytes() for index in range(count)]


def pictures_of_others() -> list[Path]:
    """Files with pixels, a transfer syntax and a size, from pydicom and, where it is at hand, the corpus."""
    folders = [PYDICOM_FILES / "test_files", *([CORPUS] if CORPUS.is_dir() else [])]
    paths = sorted(path for folder in folders for path in folder.rglob("*.dcm"))
    return [path for path in paths if _is_picture(path)]


def _is_picture(path: Path) -> bool:
    try:
        header = dcmread(path, specific_tags=["Rows", "Columns", "BitsAllocated", *PIXEL_KEYWORDS])
    except InvalidDicomError:
        return False
    return (
        "TransferSyntaxUID" in header.file_meta
        and any(keyword in header for keyword in PIXEL_KEYWORDS)
        and {"Rows", "Columns", "BitsAllocated"} <= set(header.dir())
    )
