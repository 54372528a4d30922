"""Parts that are objects (PS3.18 10.5.1.4, application/dicom): each is written to its place as it comes."""

from collections.abc import Mapping

from dicomweb.multipart import MultipartError
from dicomweb.received import Received, Submissions
from pacs.errors import ArchiveError, MalformedObject
from pacs.incoming import Incoming, Sender


class ObjectParts:
    """The objects of one request."""

    def __init__(self, submissions: Submissions, sender: Sender) -> None:
        self._submissions = submissions
        self._received = submissions.received
        self._sender = sender
        self._incoming: Incoming | None = None

    def room(self) -> memoryview | None:
        """Where the object is gathered, once its head has been read."""
        return None if self._incoming is None else self._incoming.room()

    def begin(self, _: Mapping[str, str]) -> None:
        """A part is an object, whatever it says it is."""
        self._received.append(Received())
        self._incoming = self._sender.begin_part10()

    def write(self, data: memoryview) -> None:
        """Write to its place what is not there already."""
        if self._incoming is None:
            return  # the part has failed already
        try:
            if isinstance(data.obj, bytes):
                self._incoming.write(data)
            else:  # it is in its room already
                self._incoming.filled(len(data))
        except ArchiveError as error:
            self._fail(self._incoming, error)

    def end(self) -> None:
        """The object is whole, unless it has failed already."""
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            self._submissions.submit(self._received[-1], incoming)

    def _fail(self, incoming: Incoming, error: ArchiveError) -> None:
        incoming.abort()
        self._incoming = None
        self._received[-1].tell(incoming, error)

    def break_off(self, error: MultipartError) -> None:
        """Fail the part that the body ended in; where it is the only one, so does the request."""
        malformed = MalformedObject(str(error))
        if self._incoming is not None:
            self._fail(self._incoming, malformed)
            if len(self._received) == 1:
                self._received.clear()
        elif self._received:
            self._received.append(Received(outcome=malformed))

    def finish(self) -> None:
        """Commit what waits."""
        self._submissions.commit()

    def abandon(self) -> None:
        """Remove the object that was coming."""
        if self._incoming is not None:
            self._incoming.abort()
            self._incoming = None
