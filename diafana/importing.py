"""`diafana import`: files, folders, DICOMDIRs and zip archives into the archive, to be resumed at will."""

import hashlib
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from pydicom import Dataset, dcmread

from pacs.archive import Archive
from pacs.dataset.elements import read_elements
from pacs.dataset.part10 import read_file_meta
from pacs.dataset.transfer_syntax import encoding_of
from pacs.errors import ArchiveError, OutOfSpace
from pacs.ingest import Pending
from pacs.model import Source

SOURCE = Source(address="import")
GROUP = 32  # objects that share one commit

_CHUNK = 1 << 20  # bytes
# A component of a File ID: PS3.10 8.2 has 8 characters of a small repertoire, devices write more.
_FILE_ID = re.compile(r"[^/\\\0]{1,255}")
_MAGIC = slice(128, 132)
# What an item can be wrong with; the last three are what zipfile raises, also for passwords.
_REFUSING = (ArchiveError, OSError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)
_DIRECTORY_CLASS = "1.2.840.10008.1.3.10"  # Media Storage Directory: a table of contents, no object to keep


class NotReadable(Exception):
    """What was named for import cannot be read; the message says what and why."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that may be an object: a file, or a member of a zip archive.

    name: for messages.
    member: which one of the archive, counted from 0; None for a file.
    """

    name: str
    path: Path
    member: int | None = None


@dataclass(slots=True)
class Summary:
    """What became of the items: how many by outcome, and why some were refused."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[str, str]] = field(default_factory=list)


class Journal:
    """The items that are done, so that an import that was broken off goes on where it was."""

    def __init__(self, folder: Path, paths: list[Path]) -> None:
        """folder: where journals are kept; there is one for each list of paths."""
        names = "\n".join(str(path.resolve()) for path in paths).encode("utf-8", "surrogateescape")
        self._path = folder / hashlib.sha256(names).hexdigest()[:32]
        folder.mkdir(parents=True, exist_ok=True)
        self._done = set(self._path.read_text().splitlines()) if self._path.exists() else set()
        self._file = self._path.open("a")

    def has(self, item: Item) -> bool:
        """Whether this very version of the item is done."""
        return _entry(item) in self._done

    def add(self, items: list[Item]) -> None:
        """Note items whose outcome is certain."""
        self._file.writelines(f"{_entry(item)}\n" for item in items)
        self._file.flush()

    def forget(self) -> None:
        """All is done: the next import of the same paths begins anew."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def _entry(item: Item) -> str:
    status = item.path.stat()
    text = f"{item.name}\0{item.member}\0{status.st_size}\0{status.st_mtime_ns}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def find_items(paths: list[Path]) -> Iterator[Item]:
    """All that the paths lead to, in a stable order. Raises FileNotFoundError for what is not there."""
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                if file.is_file():
                    yield from _of_file(file)
        elif path.exists():
            yield from _of_directory_file(path) if path.name.upper() == "DICOMDIR" else _of_file(path)
        else:
            raise FileNotFoundError(path)


def _of_file(path: Path) -> Iterator[Item]:
    if path.suffix.lower() != ".zip" or not zipfile.is_zipfile(path):
        yield Item(str(path), path)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            members = [(at, m.filename) for at, m in enumerate(archive.infolist()) if not m.is_dir()]
    except zipfile.BadZipFile:
        members = [(0, "")]  # refused when its turn comes
    yield from (Item(f"{path}!{name}", path, at) for at, name in members)


def _of_directory_file(path: Path) -> Iterator[Item]:
    """The files that a DICOMDIR names (PS3.3 F.3.2.2), none of them outside its folder.

    Raises NotReadable when it cannot be read to its end.
    """
    folder = path.parent.resolve()
    for record in _directory_records(path):
        parts = record.get("ReferencedFileID") or []
        parts = [parts] if isinstance(parts, str) else list(parts)
        if parts and all(_FILE_ID.fullmatch(part) for part in parts):
            file = folder.joinpath(*parts).resolve()
            if file.is_relative_to(folder):
                yield Item(str(file), file)  # one that is absent is refused when its turn comes


def _directory_records(path: Path) -> list[Dataset]:
    content = path.read_bytes()
    if content[_MAGIC] != b"DICM":
        return []
    try:
        read = read_file_meta(content)
        if read is None:
            raise NotReadable(f"{path}: this DICOMDIR breaks off")
        read_elements(content, encoding_of(read[0].transfer_syntax_uid), read[1])
    except ArchiveError as error:
        raise NotReadable(f"{path}: this DICOMDIR cannot be read: {error}") from error
    return list(dcmread(BytesIO(content)).get("DirectoryRecordSequence") or [])


class Importer:
    """Puts items into the archive, many to a commit."""

    def __init__(self, archive: Archive, journal: Journal) -> None:
        self.summary = Summary()
        self._archive = archive
        self._sender = archive.sender(SOURCE)
        self._journal = journal
        self._pending: list[tuple[Item, Pending]] = []

    def take(self, item: Item) -> None:
        """Import one item. Raises OutOfSpace, after which the import can be resumed."""
        try:
            if self._journal.has(item):
                self.summary.counts["done before"] += 1
                return
            pending = self._submit(item)
        except OutOfSpace:
            raise
        except _REFUSING as error:
            self._refuse(item, str(error))
            return
        if pending is None:
            self.summary.counts["no DICOM object"] += 1
            self._journal.add([item])
            return
        self._pending.append((item, pending))
        if len(self._pending) >= GROUP:
            self.settle()

    def settle(self) -> None:
        """Wait until all that was taken is durably stored."""
        stored: list[Item] = []
        for item, pending in self._pending:
            try:
                self.summary.counts[pending.result().outcome.value] += 1
                stored.append(item)
            except OutOfSpace:
                raise
            except ArchiveError as error:
                self._refuse(item, str(error))
        self._journal.add(stored)
        self._pending.clear()

    def _refuse(self, item: Item, reason: str) -> None:
        self.summary.counts["refused"] += 1
        self.summary.refused.append((item.name, reason))

    def _submit(self, item: Item) -> Pending | None:
        """None for what is no DICOM object, or only a table of contents."""
        if item.member is None:
            with item.path.open("rb") as file:
                return self._read(file)
        with zipfile.ZipFile(item.path) as archive, archive.open(archive.infolist()[item.member]) as file:
            return self._read(file)  # type: ignore[arg-type]  # ZipExtFile reads bytes as any file does

    def _read(self, file: BinaryIO) -> Pending | None:
        chunk = file.read(_CHUNK)
        if chunk[_MAGIC] != b"DICM":
            return None
        incoming = self._sender.begin_part10()
        try:
            while chunk:
                incoming.write(chunk)
                if incoming.sop_class_uid == _DIRECTORY_CLASS:
                    incoming.abort()
                    return None
                chunk = file.read(_CHUNK)
        except BaseException:
            incoming.abort()
            raise
        return self._archive.submit(incoming)
