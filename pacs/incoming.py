"""One object while it is received: gathered in memory, and from a size on in its file as it comes."""

from dataclasses import replace

from blake3 import blake3

from pacs.dataset.elements import Buffer, OnlyBeginning
from pacs.dataset.header import Header, read_header
from pacs.dataset.part10 import HEAD_LIMIT, FileMeta, file_meta_bytes, read_file_meta
from pacs.dataset.transfer_syntax import encoding_of, is_deflated
from pacs.errors import MalformedObject, MismatchedObject
from pacs.files import FileStore, NewFile
from pacs.index import Record
from pacs.model import Instance, Source

GATHERED = 1_000_000  # bytes of a data set that are gathered before its file is begun

_COPY = 1 << 20  # bytes copied at a time
_HEAD = 1 << 16  # bytes kept in memory of the beginning of a larger one, where nearly every header ends


class Incoming:
    """One object being received.

    Most are small, and have no file before they are whole and found to be sound.
    """

    def __init__(self, files: FileStore, source: Source, receiver: str, meta: FileMeta | None) -> None:
        """meta: what was announced of the data set that will be written.

        None when a whole Part 10 file will be written, which tells it at its head.
        Raises UnsupportedObject for an unknown transfer syntax.
        """
        self.source = source
        self._files = files
        self._receiver = receiver
        self._announced = meta is not None
        self._meta: FileMeta | None = None
        self._beginning = bytearray()  # of the data set; before its meta information is known, of the file
        self._file: NewFile | None = None
        self._digest = blake3()
        self._dataset_offset = 0
        self.sop_class_uid = ""
        self.sop_instance_uid = ""
        if meta is not None:
            self._is(meta)

    def _is(self, meta: FileMeta) -> None:
        encoding_of(meta.transfer_syntax_uid)
        self.sop_class_uid = meta.sop_class_uid
        self.sop_instance_uid = meta.sop_instance_uid
        self._meta = meta

    def write(self, data: Buffer) -> None:
        """Append what arrived. Raises MalformedObject, UnsupportedObject, OutOfSpace, StorageFailed."""
        if self._meta is None:
            data = self._after_head(memoryview(data))
        if self._file is not None:
            self._append(self._file, data)
        elif data:
            self._beginning += data
            if len(self._beginning) > GATHERED:
                self._begin_file()

    def _after_head(self, data: memoryview) -> Buffer:
        """What follows the head of a Part 10 file, or nothing while that is not there as a whole."""
        arrived: Buffer = b"".join((self._beginning, data)) if self._beginning else data
        read = read_file_meta(bytes(arrived[:HEAD_LIMIT]))
        if read is None:
            self._beginning = bytearray(arrived)
            return b""
        meta, start = read
        self._is(meta)
        self._beginning = bytearray()
        return memoryview(arrived)[start:]

    def _begin_file(self, block: int = 1) -> NewFile:
        """Write what is gathered, which is all of the data set where a block is given for it to fill."""
        assert self._meta is not None  # noqa: S101 - a file is begun when it is known what is in it
        file = self._file = self._files.create()
        length = len(self._beginning) if block > 1 else None
        head = file_meta_bytes(self._meta, self.source, self._receiver, length, block)
        self._dataset_offset = len(head)
        file.write(head)
        self._digest = blake3()
        self._append(file, self._beginning)
        del self._beginning[_HEAD:]
        return file

    def _append(self, file: NewFile, data: Buffer) -> None:
        file.write(data)
        self._digest.update(data)

    def finish(self, study_instance_uid: str | None) -> Record:
        """Read what was received, and have it in a file. Raises what keeps it from being stored."""
        if self._meta is None:
            raise MalformedObject(f"not a DICOM Part 10 file: it ends after {len(self._beginning)} bytes")
        header = self._read_header(self._meta.transfer_syntax_uid)
        if study_instance_uid not in (None, header.study_instance_uid):
            raise MismatchedObject("the object belongs to another study than the request names", 0x0020000D)
        self._agree(header, self._meta)
        file = self._file or self._begin_file(self._files.block)
        self._beginning = bytearray()
        record = Record(header, self._instance(file, header, self._meta.transfer_syntax_uid))
        record.row  # noqa: B018 - made here, where nobody waits for it
        return record

    def _read_header(self, transfer_syntax_uid: str) -> Header:
        if self._file is None:
            return read_header(self._beginning, transfer_syntax_uid)
        start = self._dataset_offset
        try:
            return read_header(self._beginning, transfer_syntax_uid, 0, self._file.size - start)
        except OnlyBeginning:
            with self._file.view() as content:
                return read_header(content, transfer_syntax_uid, start)

    def _agree(self, header: Header, meta: FileMeta) -> None:
        """See that the file meta information tells what the data set is: the data set is right."""
        found = header.sop_class_uid, header.sop_instance_uid
        if found == (self.sop_class_uid, self.sop_instance_uid):
            return
        if self._announced:
            raise MismatchedObject("the data set is not of the SOP class and instance announced", 0x00080018)
        self._is(FileMeta(*found, meta.transfer_syntax_uid))
        if self._file is not None:
            self._rewrite(self._file)

    def _rewrite(self, wrong: NewFile) -> None:
        start = self._dataset_offset
        with wrong.view() as content:
            try:
                self._beginning = bytearray()
                file = self._begin_file()
                for offset in range(start, len(content), _COPY):
                    self._append(file, content[offset : offset + _COPY])
            finally:
                wrong.discard()

    def _instance(self, file: NewFile, header: Header, transfer_syntax_uid: str) -> Instance:
        shift = 0 if is_deflated(transfer_syntax_uid) else self._dataset_offset
        return Instance(
            study_instance_uid=header.study_instance_uid,
            series_instance_uid=header.series_instance_uid,
            sop_instance_uid=self.sop_instance_uid,
            sop_class_uid=self.sop_class_uid,
            transfer_syntax_uid=transfer_syntax_uid,
            file=file.key,
            size=file.size,
            dataset_offset=self._dataset_offset,
            digest=self._digest.hexdigest(),
            pixels=header.pixels and replace(header.pixels, offset=header.pixels.offset + shift),
        )

    def sync(self) -> None:
        """Return when the content is on the device. Raises StorageFailed, OutOfSpace."""
        if self._file is not None:
            self._file.sync()

    def abort(self) -> None:
        """Remove what was written. May be called at any time, and twice."""
        if self._file is not None:
            self._file.discard()
