"""One object while it is received, and those who send them."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from blake3 import blake3

from pacs.coercion import Coercer
from pacs.dataset.elements import Buffer
from pacs.dataset.header import Header, HeaderReader
from pacs.dataset.part10 import HEAD_LIMIT, FileMeta, file_meta_bytes, read_file_meta
from pacs.dataset.transfer_syntax import encoding_of
from pacs.errors import MalformedObject, MismatchedObject
from pacs.files import FileStore, NewFile
from pacs.index import Record
from pacs.model import Coercion, Duplicates, Source
from pacs.non_patient import Category
from pacs.worklist_patient import WorklistPatients

# Raises MismatchedObject for an object that is none of those that a request announced.
Check = Callable[[Header], None]

NO_COERCION = Coercion()

_COPY = 1 << 20  # bytes copied at a time
_LONGER = 1024  # bytes; objects that one sender sends one after the other mostly differ by less


def in_study(study_instance_uid: str) -> Check:
    """The object belongs to this study."""

    def check(header: Header) -> None:
        if header.study_instance_uid != study_instance_uid:
            raise MismatchedObject("the object belongs to another study than the request names", 0x0020000D)

    return check


def in_category(category: Category, sop_instance_uid: str | None) -> Check:
    """The object is of a class of the category.  sop_instance_uid: which it has, where that was said."""

    def check(header: Header) -> None:
        if header.sop_class_uid not in category.sop_classes:
            raise MismatchedObject(f"its SOP class is none of {category.npi_name}", 0x00080016)
        if sop_instance_uid not in (None, header.sop_instance_uid):
            raise MismatchedObject("its SOP Instance UID is not that of the request", 0x00080018)

    return check


def _pieces(content: Buffer, start: int, end: int) -> Iterator[Buffer]:
    return (content[offset : min(offset + _COPY, end)] for offset in range(start, end, _COPY))


class Sender:
    """One who sends objects: an association, a request, an import. What one sends is mostly alike."""

    def __init__(
        self,
        files: FileStore,
        source: Source,
        receiver: str,
        coercion: Coercion = NO_COERCION,
        patients: WorklistPatients | None = None,
        duplicates: Duplicates = Duplicates.SET_ASIDE,
    ) -> None:
        """receiver: AE title that takes the objects in.  coercion: what is put into them.

        patients: those that are put in, where the coercion says so.
        duplicates: what becomes of those whose UID is taken.
        """
        self.coercer = Coercer(coercion, source.ae_title, receiver, patients) if any(coercion) else None
        self.duplicates = duplicates
        self.source = source
        self.receiver = receiver
        self.files = files
        self.headers = HeaderReader()
        self.expected = 0  # bytes of the next data set: as many as the one before had

    def begin(self, meta: FileMeta) -> "Incoming":
        """Begin to receive a data set that was announced. Raises UnsupportedObject."""
        return Incoming(self, meta)

    def begin_part10(self) -> "Incoming":
        """Begin to receive a whole Part 10 file."""
        return Incoming(self, None)


class Incoming:
    """One object being received."""

    def __init__(self, sender: Sender, meta: FileMeta | None) -> None:
        """meta: what was announced of the data set that will be written.

        None when a whole Part 10 file will be written, which tells it at its head.
        Raises UnsupportedObject for an unknown transfer syntax.
        """
        self.sender = sender
        self.sop_class_uid = ""
        self.sop_instance_uid = ""
        self._announced = meta is not None
        self._head = bytearray()  # of a Part 10 file, while it is not there as a whole
        self._file: NewFile | None = None
        self.came = ""  # BLAKE3 of the data set as it came, where another is to be kept
        self.is_coerced = False  # whether another is kept, or was kept before
        if meta is not None:
            self._begin(meta)

    def _begin(self, meta: FileMeta) -> NewFile:
        encoding_of(meta.transfer_syntax_uid)
        self._meta = meta
        self.sop_class_uid = meta.sop_class_uid
        self.sop_instance_uid = meta.sop_instance_uid
        self._file = self.sender.files.create(self._our_head, self.sender.expected)
        return self._file

    def _our_head(self, length: int | None) -> bytes:
        sender = self.sender
        return file_meta_bytes(
            self._meta, sender.source, sender.receiver, length, sender.files.block, self.came
        )

    def write(self, data: Buffer) -> None:
        """Append what arrived. Raises MalformedObject, UnsupportedObject, OutOfSpace, StorageFailed."""
        if self._file is None:
            data = self._after_head(memoryview(data))
        if self._file is not None:
            self._file.write(data)

    def room(self) -> memoryview | None:
        """Where what arrives next may be put instead of being written; None while that is not known.

        It ends a little behind where the object does if it is as long as the one before it.
        """
        if self._file is None:
            return None
        room = self._file.room()
        rest = self.sender.expected + _LONGER - self._file.size
        return room[:rest] if rest > 0 else room

    def filled(self, count: int) -> None:
        """Say that so many bytes were put into the room. Raises OutOfSpace, StorageFailed."""
        if self._file is not None:
            self._file.filled(count)

    def _after_head(self, data: memoryview) -> Buffer:
        """What follows the head of a Part 10 file, or nothing while that is not there as a whole."""
        arrived: Buffer = b"".join((self._head, data)) if self._head else data
        read = read_file_meta(bytes(arrived[:HEAD_LIMIT]))
        if read is None:
            self._head = bytearray(arrived)
            return b""
        meta, start = read
        self._head.clear()
        self._begin(meta)
        return memoryview(arrived)[start:]

    def finish(self, check: Check | None) -> Record:
        """Read what was received, and complete its file. Raises what keeps it from being stored."""
        file = self._file
        if file is None:
            raise MalformedObject(f"not a DICOM Part 10 file: it ends after {len(self._head)} bytes")
        if self.sender.coercer is not None:
            file = self._coerced(file, self.sender.coercer)
        with file.content() as (content, start, end):
            header = self.sender.headers.read(content, self._meta.transfer_syntax_uid, start, end)
        if check is not None:
            check(header)
        file = self._agreeing(file, header)
        file.complete()
        self.sender.expected = file.size - file.head_size
        return Record.of(
            header,
            self._meta.transfer_syntax_uid,
            file=file.key,
            size=file.size,
            dataset_offset=file.head_size,
            digest=file.digest,
        )

    def _coerced(self, file: NewFile, coercer: Coercer) -> NewFile:
        """The file with what its data set does not state."""
        with file.content() as (content, start, end):
            coerced = coercer.coerce(content, self._meta.transfer_syntax_uid, start, end)
            if coerced is None:
                return file
            digest = blake3()
            for piece in _pieces(content, start, end):
                digest.update(piece)
            self.came, self.is_coerced = digest.hexdigest(), True
            pieces = chain([coerced.head], _pieces(content, coerced.rest, end))
            return self._in_place_of(file, self._meta, pieces)

    def _agreeing(self, file: NewFile, header: Header) -> NewFile:
        """The file with a head that tells what the data set is: the data set is right."""
        found = header.sop_class_uid, header.sop_instance_uid
        if found == (self.sop_class_uid, self.sop_instance_uid):
            return file
        if self._announced:
            raise MismatchedObject("the data set is not of the SOP class and instance announced", 0x00080018)
        meta = FileMeta(*found, self._meta.transfer_syntax_uid)
        with file.content() as (content, start, end):
            return self._in_place_of(file, meta, _pieces(content, start, end))

    def _in_place_of(self, file: NewFile, meta: FileMeta, pieces: Iterable[Buffer]) -> NewFile:
        """A file of these pieces; the one before it goes, also when the new one cannot be written."""
        try:
            right = self._begin(meta)
            for piece in pieces:
                right.write(piece)
        finally:
            file.discard()
        return right

    def sync(self) -> None:
        """Return when the content is on the device. Raises StorageFailed, OutOfSpace."""
        if self._file is not None:
            self._file.sync()

    def abort(self) -> None:
        """Remove what was written. May be called at any time, and twice."""
        if self._file is not None:
            self._file.discard()
