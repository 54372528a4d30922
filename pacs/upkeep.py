"""Looking after what is kept: verifying the files, rebuilding the index from them, adopting orphans."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from time import gmtime, strftime

from blake3 import blake3

from pacs.dataset.header import read_header
from pacs.dataset.part10 import HEAD_LIMIT, FileMeta, read_file_meta
from pacs.errors import ArchiveError, MalformedObject, NotFound, Refused
from pacs.files import FileStore, StoredFile
from pacs.index import Index, Record, Removal, Verdict
from pacs.model import Instance
from pacs.rejection_note import KEY_OBJECT_SELECTION, read_rejection_note
from pacs.retrieve import Reader

GROUP = 200  # records written together

_DAY = 86_400_000_000_000  # nanoseconds


@dataclass(frozen=True, slots=True)
class Damage:
    """A stored instance whose file is not what was acknowledged."""

    instance: Instance
    what: str


def verify(files: FileStore, index: Index, step: Callable[[], None]) -> Iterator[Damage]:
    """Read every file again and compare it with its digest. step: called after each instance."""
    for instance in index.walk():
        what = damage(files, instance)
        if what:
            yield Damage(instance, what)
        step()


def damage(files: FileStore, instance: Instance) -> str:
    """What is wrong with the file of an instance, which is read whole; empty when nothing is."""
    try:
        with files.open(instance.file) as file:
            if file.size != instance.size:
                return f"the file has {file.size} bytes instead of {instance.size}"
            meta = read_file_meta(file.read(0, instance.dataset_offset + 16))
            digest = _digest(file, instance.dataset_offset)
    except NotFound:
        return "the file is gone"
    except ArchiveError as error:
        return str(error)
    uids = FileMeta(instance.sop_class_uid, instance.sop_instance_uid, instance.transfer_syntax_uid)
    if meta != (uids, instance.dataset_offset):
        return "the file meta information has changed"
    return "" if digest == instance.digest else "the content has changed"


def reindex(files: FileStore, index: Index, step: Callable[[], None]) -> list[tuple[str, str]]:
    """Fill an empty index from the files, oldest first. step: called after each file.

    The files of what was deleted are noted as such.
    Returns the files that could not be indexed, each with the reason.
    """
    left_out: list[tuple[str, str]] = []
    group: list[Record] = []

    def write() -> None:
        for record, verdict in zip(group, index.writer.write(group) if group else [], strict=True):
            if verdict is not Verdict.CREATED:
                left_out.append((record.instance.file, verdict.value))
        group.clear()

    for key in files.walk():
        try:
            group.append(read_record(files, key))
        except ArchiveError as error:
            left_out.append((key, str(error)))
        if len(group) >= GROUP:
            write()
        step()
    write()
    return left_out + _reindex_recycled(files, index)


def _reindex_recycled(files: FileStore, index: Index) -> list[tuple[str, str]]:
    """Note the files of what was deleted, whose time begins anew, and what rejection notes among them say."""
    left_out: list[tuple[str, str]] = []
    reader = Reader(lambda instance: files.recycled.open(instance.file))
    for batch in _batches(files.recycled.walk(), GROUP):
        found: list[tuple[Instance, Removal]] = []
        for key in batch:
            try:
                with files.recycled.open(key) as file:
                    instance = read_record_of(file, key).instance
                found.append((instance, _remember_rejection(index, reader, instance)))
            except ArchiveError as error:
                left_out.append((f"recycled {key}", str(error)))
        index.remover.add_found(found)
    return left_out


def _remember_rejection(index: Index, reader: Reader, instance: Instance) -> Removal:
    """Keep out what a deleted rejection note names; why the instance itself went, as far as one can see."""
    note = None
    if instance.sop_class_uid == KEY_OBJECT_SELECTION:
        with suppress(MalformedObject):  # then it was an object like others
            note = read_rejection_note(reader, instance)
    if note is None:
        return Removal("found by reindex", "")
    if note.is_lasting:
        index.remover.remember(instance, note.reason, note.references)
    return Removal(note.reason, instance.sop_instance_uid)


def adopt_orphans(files: FileStore, index: Index) -> tuple[int, int]:
    """See to files that no row of the index names, left by a process that was killed while receiving.

    A whole object is indexed: whether its sender was answered cannot be known, and keeping it is never
    wrong. What is no whole object was never acknowledged, and goes. Files of processes that still run are
    left to them.

    Returns how many were adopted, and how many removed.
    """
    adopted = removed = 0
    for batch in _batches(files.walk(since=_a_day_before(index.newest_file())), GROUP):
        known = index.known_files(batch)
        for key in batch:
            if key in known or not files.is_abandoned(key):
                continue
            if _adopt(files, index, key):
                adopted += 1
            else:
                removed += 1
    return adopted, removed


def _adopt(files: FileStore, index: Index, key: str) -> bool:
    try:
        record = read_record(files, key) if files.is_whole(key) else None
    except Refused:
        record = None  # it would have been refused, had its sender not been cut off
    if record is None:
        files.delete(key)
        return False
    files.secure(key)
    (verdict,) = index.writer.write([record])
    if verdict is Verdict.IDENTICAL:
        files.delete(key)
    elif verdict is not Verdict.CREATED:
        files.set_aside(key)
    return verdict is Verdict.CREATED


def read_record(files: FileStore, key: str) -> Record:
    """What a kept file is, read from the file alone. Raises MalformedObject when it is no whole object."""
    with files.open(key) as file:
        return read_record_of(file, key)


def read_record_of(file: StoredFile, key: str) -> Record:
    """The same of a file that is open. Raises MalformedObject."""
    read = read_file_meta(file.read(0, HEAD_LIMIT))
    if read is None:
        raise MalformedObject("the file ends within its file meta information")
    meta, offset = read
    header = read_header(file.read(0, file.size), meta.transfer_syntax_uid, offset)
    return Record.of(
        header,
        meta.transfer_syntax_uid,
        file=key,
        size=file.size,
        dataset_offset=offset,
        digest=_digest(file, offset),
    )


def _digest(file: StoredFile, offset: int) -> str:
    digest = blake3()
    for chunk in file.chunks(offset, file.size - offset):
        digest.update(chunk)
    return digest.hexdigest()


def _made_at(key: str) -> int:
    """Nanoseconds since 1970, which every key bears in its name; 0 for a stranger's file."""
    try:
        return int(key.rpartition("/")[2][:16], 16)
    except ValueError:
        return 0


def _a_day_before(key: str) -> str:
    """The folder from which on orphans are looked for: no association lasts longer than a day."""
    made = _made_at(key) - _DAY
    return strftime("%Y/%m/%d/%H", gmtime(made // 1_000_000_000)) if made > 0 else ""


def _batches(keys: Iterator[str], size: int) -> Iterator[list[str]]:
    batch: list[str] = []
    for key in keys:
        batch.append(key)
        if len(batch) == size:
            yield batch
            batch = []
    yield batch
