"""C-STORE (PS3.4 Annex B): the data set goes to its file as it arrives; success means kept."""

import structlog

from pacs.dataset.part10 import FileMeta
from pacs.dimse.association import Request
from pacs.dimse.status import SUCCESS, failure, status_of
from pacs.errors import ArchiveError, MismatchedObject, Quarantined
from pacs.incoming import Incoming

log = structlog.get_logger()


class Store:
    """Receives one object. What fails on the way is answered at its end, as PS3.7 9.3.1 has it."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._incoming: Incoming | None = None
        self._error: ArchiveError | None = None
        try:
            self._incoming = self._begin()
        except ArchiveError as error:
            self._error = error

    def _begin(self) -> Incoming:
        command, context = self._request.command, self._request.context
        if command.get("AffectedSOPClassUID") != context.abstract_syntax:
            raise MismatchedObject("the SOP class is not that of the presentation context", 0x00000002)
        meta = FileMeta(
            context.abstract_syntax, command.get("AffectedSOPInstanceUID", ""), context.transfer_syntax
        )
        return self._request.association.sender.begin(meta)

    def write(self, data: memoryview) -> None:
        """Append to the file; after an error, pass over."""
        if self._incoming is None:
            return
        try:
            self._incoming.write(data)
        except ArchiveError as error:
            self._fail(error)

    def finish(self) -> None:
        """Store, and answer only then."""
        # Let go first: what is stored must not be removed when the answer cannot be sent
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            try:
                self._request.association.archive.store(incoming)
            except ArchiveError as error:
                self._error = error
        if self._error is None:
            self._request.respond({"Status": SUCCESS})
            return
        self._log(self._error)
        self._request.respond(failure(self._error))

    def abandon(self) -> None:
        """Remove what was received of an object that did not come whole."""
        if self._incoming is not None:
            self._incoming.abort()

    def _fail(self, error: ArchiveError) -> None:
        if self._incoming is not None and not isinstance(error, Quarantined):
            self._incoming.abort()
        self._incoming, self._error = None, error

    def _log(self, error: ArchiveError) -> None:
        source = self._request.association.source
        log.warning(
            "instance not stored",
            peer=source.address,
            calling=source.ae_title,
            instance=self._request.command.get("AffectedSOPInstanceUID"),
            status=f"{status_of(error):04X}",
            reason=str(error),
        )
