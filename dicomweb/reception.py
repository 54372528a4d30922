"""Taking the objects of a store request out of its body as it streams, in worker threads."""

import threading
from collections.abc import Iterable, Mapping
from typing import Protocol

from dicomweb.aside import METADATA_MEDIA_TYPES
from dicomweb.media_types import DICOM, parse_media_type
from dicomweb.metadata_parts import MetadataParts
from dicomweb.multipart import Event, MultipartError, MultipartReader, PartData, PartStarted
from dicomweb.object_parts import ObjectParts
from dicomweb.received import Received, Submissions
from pacs.archive import Archive
from pacs.incoming import Check
from pacs.model import Source

MAX_PARTS = 50_000  # in one request


class Parts(Protocol):
    """What is done with the parts of a body: each is an object, or they are metadata with their bulk data."""

    def room(self) -> memoryview | None:
        """Where the next bytes of the body may be put; None while that is not known."""
        ...

    def begin(self, headers: Mapping[str, str]) -> None:
        """A part begins."""
        ...

    def write(self, data: memoryview) -> None:
        """Bytes of it came. Those that are no view of bytes lie in the room already."""
        ...

    def end(self) -> None:
        """It is whole."""
        ...

    def break_off(self, error: MultipartError) -> None:
        """The body ended otherwise than it should have; a part that has not ended is not whole."""
        ...

    def finish(self) -> None:
        """No further part will come."""
        ...

    def abandon(self) -> None:
        """Nobody waits for an answer: let go of what is not whole."""
        ...


class Reception:
    """The objects of one request. Any thread may do the next step; steps exclude each other."""

    def __init__(
        self,
        archive: Archive,
        source: Source,
        check: Check | None,
        boundary: str | None,
        media_type: str | None = DICOM,
    ) -> None:
        """check: whether an object is what the request announced.

        boundary: of the multipart body; None when the body is one part by itself.
        media_type: of the parts; None when the first of them will tell it.
        Raises MultipartError for what is no boundary.
        """
        self._archive = archive
        self._source = source
        self._submissions = Submissions(archive, check)
        self._reader = None if boundary is None else MultipartReader(boundary)
        self._parts = None if media_type is None else self._parts_for(media_type)
        self._started = 0
        self._broken: MultipartError | None = None
        self._abandoned = False
        self._one_at_a_time = threading.Lock()
        if self._reader is None:
            self._begin({})

    def _parts_for(self, media_type: str) -> Parts:
        sender = self._archive.sender(self._source)
        if media_type in METADATA_MEDIA_TYPES:
            return MetadataParts(self._submissions, sender, self._archive.scratch, media_type)
        return ObjectParts(self._submissions, sender)

    def room(self) -> memoryview | None:
        """Where the next bytes of the body may be put, to be taken at once; None while that is not known."""
        return None if self._parts is None else self._parts.room()

    def take(self, chunks: Iterable[bytes | memoryview]) -> None:
        """Take the next bytes of the body. What is wrong with a part is told at the end.

        chunks: a view is of the room, asked for just before it.
        """
        with self._one_at_a_time:
            for chunk in chunks:
                if self._abandoned:
                    return
                self._take(chunk)

    def finish(self) -> list[Received]:
        """Say that the body has ended, and learn what became of each object, in their order.

        Raises MultipartError when there was no part, or none before the body went wrong.
        """
        with self._one_at_a_time:
            self._close()
            received = self._submissions.received
            if self._broken is not None and not received:
                raise self._broken
            if not received:
                raise MultipartError("multipart body: it has no parts; nothing was sent to store")
            return received

    def abandon(self) -> None:
        """Let go of a request that broke off: whole objects stay, the one that was coming does not.

        What a thread has yet to take is passed over, also of what it is taking.
        """
        self._abandoned = True
        with self._one_at_a_time:
            if self._parts is not None:
                self._parts.abandon()
            self._submissions.commit()

    def _take(self, chunk: bytes | memoryview) -> None:
        if self._broken is not None:
            return
        try:
            if self._reader is None:
                self._write(memoryview(chunk))
                return
            for event in self._reader.feed(chunk):
                self._heed(event)
        except MultipartError as error:
            self._broken = error

    def _heed(self, event: Event) -> None:
        if isinstance(event, PartData):
            self._write(event.data)
        elif isinstance(event, PartStarted):
            if self._started == MAX_PARTS:
                raise MultipartError(f"multipart body: more than {MAX_PARTS} parts; send several requests")
            self._begin(event.headers)
        elif self._parts is not None:
            self._parts.end()

    def _begin(self, headers: Mapping[str, str]) -> None:
        self._started += 1
        if self._parts is None:
            media_type = parse_media_type(headers.get("content-type", ""))
            self._parts = self._parts_for(media_type.media_type if media_type else DICOM)
        self._parts.begin(headers)

    def _write(self, data: memoryview) -> None:
        if self._parts is not None:
            self._parts.write(data)

    def _close(self) -> None:
        try:
            if self._reader is not None and self._broken is None:
                self._reader.close()
        except MultipartError as error:
            self._broken = error
        if self._parts is None:
            return
        if self._broken is not None:
            self._parts.break_off(self._broken)
        elif self._reader is None:
            self._parts.end()
        self._parts.finish()
