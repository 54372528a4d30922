"""Parts that are metadata and bulk data (PS3.18 10.5.1.4): put aside, and made objects once all are there."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

from dicomweb.aside import Aside, Part
from dicomweb.assembly import Assembler
from dicomweb.json_texts import MOST_TEXT, check_text, data_set_texts, read_data_set
from dicomweb.media_types import DICOM_JSON, OCTET_STREAM
from dicomweb.multipart import MultipartError, PayloadTooLarge
from dicomweb.pixel_value import first_value
from dicomweb.read_native_xml import read_native_xml
from dicomweb.received import Received, Submissions
from pacs.dataset.header import is_uid
from pacs.errors import ArchiveError, MalformedObject
from pacs.files import Scratch
from pacs.incoming import Sender
from pacs.model import DicomJson

MOST_METADATA = 64 << 20  # bytes of all metadata of a request
MOST_OBJECTS = 50_000  # that one request describes
ROOM = 256_000  # bytes of the body received at once


class MetadataParts:
    """The parts of one request."""

    def __init__(
        self, submissions: Submissions, sender: Sender, scratch: Callable[[], Scratch], media_type: str
    ) -> None:
        """media_type: of metadata that do not say it themselves."""
        self._submissions = submissions
        self._aside = Aside(scratch())
        self._assembler = Assembler(sender, self._aside)
        self._media_type = media_type
        self._part: Part | None = None
        self._metadata = 0  # bytes
        self._room = memoryview(bytearray(ROOM))

    def room(self) -> memoryview | None:
        """Memory that is used again and again: nothing of it is kept."""
        return self._room

    def begin(self, headers: Mapping[str, str]) -> None:
        """A part says what it is; the first is metadata if it does not."""
        self._part = self._aside.begin(headers, OCTET_STREAM if self._aside.parts else self._media_type)

    def write(self, data: memoryview) -> None:
        """Put it aside. Raises PayloadTooLarge for too much metadata, StorageFailed, OutOfSpace."""
        if self._part is None:
            return
        if self._part.is_metadata:
            self._metadata += len(data)
            if self._metadata > MOST_METADATA:
                raise PayloadTooLarge(
                    f"metadata exceed {MOST_METADATA >> 20} MB; send several requests, and bulk data in parts"
                )
        self._aside.add(self._part, data)

    def end(self) -> None:
        """The part is whole."""
        self._part = None

    def break_off(self, error: MultipartError) -> None:
        """Leave out the part that the body ended in; who names it will miss it."""
        if self._part is not None:
            self._aside.parts.pop()
        if isinstance(error, PayloadTooLarge):
            self._aside.parts.clear()
        elif self._aside.parts:
            self._submissions.received.append(Received(outcome=MalformedObject(str(error))))

    def finish(self) -> None:
        """Make the objects, and commit them."""
        with closing(self._aside.scratch):
            self._aside.index()
            for part in self._aside.parts:
                if part.is_metadata:
                    self._store_described(part)
            for part in self._aside.bulk_data():
                if not part.is_named:
                    error = MalformedObject(
                        "a part of bulk data has a Content-Location that no BulkDataURI names"
                    )
                    self._submissions.received.append(Received(outcome=error))
            self._submissions.commit()

    def abandon(self) -> None:
        """Nothing of it was an object yet."""
        self._aside.scratch.close()

    def _store_described(self, part: Part) -> None:
        """Each data set of a part. What cannot be told from the next fails with all that follow it."""
        try:
            for text in self._texts(part):
                if len(self._submissions.received) >= MOST_OBJECTS:
                    raise MalformedObject(f"more than {MOST_OBJECTS} objects; send several requests")
                self._store(text, part.media_type.media_type == DICOM_JSON)
        except MalformedObject as error:
            self._submissions.received.append(Received(outcome=error))

    def _texts(self, part: Part) -> Iterator[bytes]:
        scratch = self._aside.scratch
        if part.media_type.media_type == DICOM_JSON:
            return data_set_texts(scratch.chunks(part.where))
        return iter((scratch.read(part.where, MOST_TEXT + 1),))

    def _store(self, text: bytes, is_json: bool) -> None:
        received = Received()
        self._submissions.received.append(received)
        try:
            data_set = read_data_set(text) if is_json else _read_xml(text)
            received.sop_class_uid, received.sop_instance_uid = _uids(data_set)
            incoming, received.discarded = self._assembler.assemble(data_set)
        except ArchiveError as error:
            received.outcome = error
        else:
            self._submissions.submit(received, incoming)


def _read_xml(text: bytes) -> DicomJson:
    check_text(text, b"<")
    return read_native_xml(text)


def _uids(data_set: DicomJson) -> tuple[str, str]:
    """SOP Class and Instance UID as far as they are there."""
    found = first_value(data_set, "00080016"), first_value(data_set, "00080018")
    sop_class, sop_instance = (uid if is_uid(uid) else "" for uid in found)
    return sop_class, sop_instance
