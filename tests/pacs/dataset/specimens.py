"""Data sets to compare with pydicom's reading: files of others, and our own recipes made small."""

from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.data.data_manager import DATA_ROOT
from pydicom.uid import (
    ExplicitVRBigEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLSLossless,
    RLELossless,
)

from pacs.dataset.elements import Encoding
from pacs.dataset.part10 import read_file_meta
from pacs.dataset.transfer_syntax import encoding_of, inflate, is_deflated
from testdata.character_sets import CHARACTER_SETS, in_character_set
from testdata.compressed import LITTLE_ENDIAN, compressed
from testdata.ct import ct_series
from testdata.dose_report import dose_report
from testdata.enhanced_ct import enhanced_ct
from testdata.files import part10
from testdata.key_objects import key_objects
from testdata.pdf import encapsulated_pdf
from testdata.secondary_capture import secondary_capture
from testdata.written_report import text_report
from tests.conftest import CORPUS


def _is_part10(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


# Reports of so many thousand items that pydicom takes many seconds for each.
_TOO_LONG = {"RF-Pat-Orientation-Modifier-Missing.dcm", "RF-RDSR-Philips_Azurion.dcm"}
# pydicom.data.get_testdata_files would fetch more of them from the network.
_FOLDERS = (Path(DATA_ROOT, "test_files"), CORPUS)
OTHERS = [
    path
    for folder in _FOLDERS
    for path in sorted(folder.rglob("*.dcm"))
    if path.name not in _TOO_LONG and _is_part10(path)
]


def _picture(kind: str, transfer_syntax_uid: str) -> Dataset:
    if kind == "grey":
        picture = secondary_capture(np.arange(2560, dtype=np.uint16).reshape(2, 40, 32))
    else:
        picture = secondary_capture(np.arange(7680).astype(np.uint8).reshape(2, 40, 32, 3), "RGB")
    return compressed(picture, transfer_syntax_uid)


def _slices() -> list[Dataset]:
    return ct_series(slices=2, rows=16, columns=16)


_SYNTAXES = (*LITTLE_ENDIAN, ExplicitVRBigEndian, RLELossless, JPEGLSLossless, JPEG2000Lossless, JPEGLossless)

RECIPES: dict[str, Callable[[], Dataset]] = {
    "dose report": dose_report,
    "text report": text_report,
    "encapsulated pdf": encapsulated_pdf,
    "ct": lambda: _slices()[0],
    "enhanced ct": lambda: enhanced_ct(_slices()),
    "key objects": lambda: key_objects(_slices()),
    **{
        f"{kind} {uid.name}": partial(_picture, kind, uid) for kind in ("grey", "colour") for uid in _SYNTAXES
    },
    **{f"names in {terms}": partial(in_character_set, terms) for terms in CHARACTER_SETS},
}


class Specimen(NamedTuple):
    """A data set, inflated where it was deflated, and how pydicom reads it."""

    buffer: bytes
    encoding: Encoding
    by_pydicom: Dataset


def specimen_of(path: Path) -> Specimen:
    """A Part 10 file of others. Raises ArchiveError when it is refused by its head alone."""
    return _specimen(path.read_bytes())


def specimen_by(recipe: Callable[[], Dataset]) -> Specimen:
    """A recipe, written to a file."""
    return _specimen(part10(recipe()))


def _specimen(data: bytes) -> Specimen:
    read = read_file_meta(data)
    assert read is not None
    meta, start = read
    syntax = meta.transfer_syntax_uid
    buffer = inflate(data[start:]) if is_deflated(syntax) else data[start:]
    return Specimen(buffer, encoding_of(syntax), dcmread(BytesIO(data)))
