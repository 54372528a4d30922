"""Taking the objects of a store request out of its body as it streams, in worker threads."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from dicomweb.multipart import Event, MultipartError, MultipartReader, PartData, PartStarted
from pacs.archive import Archive
from pacs.errors import ArchiveError, MalformedObject
from pacs.incoming import Incoming
from pacs.ingest import Pending
from pacs.model import Source, Stored

MAX_PARTS = 50_000  # in one request
COMMITTED_TOGETHER = 64  # parts that wait for one commit of the index


@dataclass(slots=True)
class Received:
    """What became of one part: stored, or why not.

    The UIDs are what is known of it; empty while or where they could not be read.
    """

    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    outcome: Stored | ArchiveError = field(default_factory=lambda: MalformedObject("it did not come whole"))

    def tell(self, incoming: Incoming, outcome: Stored | ArchiveError) -> None:
        """Note what became of it, and what is known of it by then."""
        self.sop_class_uid = incoming.sop_class_uid
        self.sop_instance_uid = incoming.sop_instance_uid
        self.outcome = outcome


class Reception:
    """The objects of one request. Any thread may do the next step; steps exclude each other."""

    def __init__(self, archive: Archive, source: Source, study: str | None, boundary: str | None) -> None:
        """study: which all objects must belong to, when the request names it.

        boundary: of the multipart body; None when the body is one object.
        Raises MultipartError for what is no boundary.
        """
        self._archive = archive
        self._sender = archive.sender(source)
        self._study = study
        self._reader = None if boundary is None else MultipartReader(boundary)
        self._received: list[Received] = []
        self._incoming: Incoming | None = None
        self._waiting: list[tuple[Received, Pending]] = []
        self._broken: MultipartError | None = None
        self._abandoned = False
        self._one_at_a_time = threading.Lock()
        if self._reader is None:
            self._begin()

    def room(self) -> memoryview | None:
        """Where the next bytes of the body may be put, to be taken at once; None while that is not known."""
        return None if self._incoming is None else self._incoming.room()

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
        """Say that the body has ended, and learn what became of each part, in their order.

        Raises MultipartError when there was no part, or none before the body went wrong.
        """
        with self._one_at_a_time:
            self._close()
            self._commit()
            if self._broken is not None and not self._received:
                raise self._broken
            if not self._received:
                raise MultipartError("multipart body: it has no parts; nothing was sent to store")
            return self._received

    def abandon(self) -> None:
        """Let go of a request that broke off: whole objects stay, the one that was coming does not.

        What a thread has yet to take is passed over, also of what it is taking.
        """
        self._abandoned = True
        with self._one_at_a_time:
            self._drop()
            self._commit()

    def _take(self, chunk: bytes | memoryview) -> None:
        if self._reader is None:
            self._write(memoryview(chunk))
        elif self._broken is None:
            try:
                for event in self._reader.feed(chunk):
                    self._heed(event)
            except MultipartError as error:
                self._broken = error

    def _heed(self, event: Event) -> None:
        if isinstance(event, PartData):
            self._write(event.data)
        elif isinstance(event, PartStarted):
            if len(self._received) == MAX_PARTS:
                raise MultipartError(f"multipart body: more than {MAX_PARTS} parts; send several requests")
            self._begin()
        else:
            self._end()

    def _begin(self) -> None:
        self._received.append(Received())
        self._incoming = self._sender.begin_part10()

    def _write(self, data: memoryview) -> None:
        if self._incoming is None:
            return  # the part has failed already
        try:
            if isinstance(data.obj, bytes):
                self._incoming.write(data)
            else:  # it is in its room already
                self._incoming.filled(len(data))
        except ArchiveError as error:
            self._fail(self._incoming, error)

    def _end(self) -> None:
        incoming, self._incoming = self._incoming, None
        if incoming is None:
            return
        self._waiting.append((self._received[-1], self._archive.submit(incoming, self._study)))
        if len(self._waiting) >= COMMITTED_TOGETHER:
            self._commit()

    def _fail(self, incoming: Incoming, error: ArchiveError) -> None:
        incoming.abort()
        self._incoming = None
        self._received[-1].tell(incoming, error)

    def _close(self) -> None:
        if self._reader is None:
            self._end()
            return
        try:
            if self._broken is None:
                self._reader.close()
        except MultipartError as error:
            self._broken = error
        if self._broken is not None:
            self._break_off(self._broken)

    def _break_off(self, error: MultipartError) -> None:
        """Fail the part that the body ended in; where it is the only one, so does the request."""
        malformed = MalformedObject(str(error))
        if self._incoming is not None:
            self._fail(self._incoming, malformed)
            if len(self._received) == 1:
                self._received.clear()
        elif self._received:
            self._received.append(Received(outcome=malformed))

    def _drop(self) -> None:
        if self._incoming is not None:
            self._incoming.abort()
            self._incoming = None

    def _commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        for received, pending in waiting:
            try:
                received.tell(pending.incoming, pending.result())
            except ArchiveError as error:
                received.tell(pending.incoming, error)
