"""Small objects, and short ways to hand them to an archive and to find them again."""

from collections.abc import Mapping
from pathlib import Path

from pydicom import Dataset
from pydicom.uid import UID

from pacs.archive import Archive
from pacs.files import DiskFiles
from pacs.incoming import Incoming
from pacs.model import Instance, Source, Stored
from pacs.upkeep import read_record
from testdata.files import part10
from testdata.raw_bytes import (
    PIXEL_DATA,
    SEQUENCE_END,
    UNDEFINED,
    fields,
    file_meta,
    header,
    part10_bytes,
    written,
)

# By tag: VR and value, or None for an element that is to be left out.
Changes = Mapping[int, tuple[str, bytes] | None]


def picture(name: str, changes: Changes | None = None, behind: bytes = b"", **meta: str) -> bytes:
    """The sound little picture of testdata.raw_bytes as a file, some of its elements changed.

    behind: bytes that follow its last element.  meta: as for testdata.raw_bytes.file_meta.
    """
    return part10_bytes(file_meta(name, **meta), data_set(name, changes) + behind)


def data_set(name: str, changes: Changes | None = None) -> bytes:
    """The data set alone, in Explicit VR Little Endian."""
    changed = {**fields(name), **(changes or {})}
    return written({tag: field for tag, field in changed.items() if field is not None})


def encapsulated(name: str, items: bytes, transfer_syntax_uid: str, changes: Changes | None = None) -> bytes:
    """The same picture as a file whose pixel data are these items, the offset table first."""
    head = data_set(name, {**(changes or {}), PIXEL_DATA: None})
    pixels = header(PIXEL_DATA, "OB", UNDEFINED) + items + SEQUENCE_END
    return part10_bytes(file_meta(name, transfer_syntax_uid), head + pixels)


def renamed(dataset: Dataset, sop_instance_uid: str) -> Dataset:
    """The object under another SOP Instance UID."""
    dataset.SOPInstanceUID = UID(sop_instance_uid)
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    return dataset


def in_syntax(dataset: Dataset, transfer_syntax_uid: str) -> Dataset:
    """An object without pixels, to be written in this transfer syntax."""
    dataset.file_meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    return dataset


def begin(archive: Archive, data: bytes, chunk: int | None = None) -> Incoming:
    """Write a Part 10 file to the archive, in chunks of so many bytes, and stop before it is stored."""
    incoming = archive.sender(Source("SENDER", "10.1.2.3")).begin_part10()
    step = chunk or len(data)
    for start in range(0, len(data), step):
        incoming.write(data[start : start + step])
    return incoming


def store(archive: Archive, data: bytes | Dataset) -> Stored:
    """Store a Part 10 file, or a data set as one."""
    return archive.store(begin(archive, part10(data) if isinstance(data, Dataset) else data))


def stored(archive: Archive, data: bytes | Dataset) -> Instance:
    """Store, and find again."""
    return instance_of(archive, store(archive, data))


def keep(archive: Archive, *datasets: Dataset) -> list[Instance]:
    """Store; the instances in the same order."""
    return [stored(archive, one) for one in datasets]


def file_of(folder: Path, dataset: Dataset) -> Path:
    """The file in a data folder that has an object."""
    uid = dataset.SOPInstanceUID.encode()
    return next(file for file in folder.glob("objects/**/*.dcm") if uid in file.read_bytes())


def instance_of(archive: Archive, answer: Stored) -> Instance:
    """The instance that an answer tells of."""
    return archive.instance(answer.study_instance_uid, answer.series_instance_uid, answer.sop_instance_uid)


def kept(files: DiskFiles, data: bytes) -> Instance:
    """A file in the store, and what the archive would know of it."""
    new = files.create()
    new.write(data)
    new.sync()
    return read_record(files, new.key).instance
