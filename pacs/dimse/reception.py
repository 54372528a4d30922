"""One object that a peer sends by C-STORE, whoever asked for the association (PS3.4 Annex B)."""

import structlog

from pacs.archive import Archive
from pacs.dataset.part10 import FileMeta
from pacs.dimse.answers import C_STORE
from pacs.dimse.command import Command
from pacs.dimse.negotiation import Context
from pacs.dimse.status import COERCION_OF_ELEMENTS, SUCCESS
from pacs.errors import ArchiveError, MismatchedObject, Quarantined
from pacs.incoming import Check, Incoming, Sender
from pacs.model import Outcome

log = structlog.get_logger()


class Reception:
    """Receives one object. What fails on the way is answered at its end, as PS3.7 9.3.1 has it."""

    def __init__(
        self, archive: Archive, sender: Sender, command: Command, context: Context, check: Check | None = None
    ) -> None:
        """command: of the request.  check: whether it is what was asked for."""
        self._archive = archive
        self._sender = sender
        self._command = command
        self._check = check
        self._incoming: Incoming | None = None
        self._error: ArchiveError | None = None
        try:
            self._incoming = self._begin(context)
        except ArchiveError as error:
            self._error = error

    def _begin(self, context: Context) -> Incoming:
        if self._command.get("AffectedSOPClassUID") != context.abstract_syntax:
            raise MismatchedObject("the SOP class is not that of the presentation context", 0x00000002)
        uid = self._command.get("AffectedSOPInstanceUID", "")
        return self._sender.begin(FileMeta(context.abstract_syntax, uid, context.transfer_syntax))

    def write(self, data: memoryview) -> None:
        """Append to the file; after an error, pass over."""
        if self._incoming is None:
            return
        try:
            self._incoming.write(data)
        except ArchiveError as error:
            self._fail(error)

    def finish(self) -> Command:
        """Store; what the response says, which is sent only then."""
        # Let go first: what is stored must not be removed when the answer cannot be sent
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            try:
                stored = self._archive.store(incoming, self._check)
                if stored.outcome is Outcome.FIRST_KEPT:
                    return self._first_kept()
                if stored.is_coerced:
                    comment = "elements were put in: Original Attributes has what was there"
                    return {"Status": COERCION_OF_ELEMENTS, "ErrorComment": comment}
            except ArchiveError as error:
                self._error = error
        if self._error is None:
            return {"Status": SUCCESS}
        fields = C_STORE.failure(self._error)
        self._log("instance not stored", fields["Status"], str(self._error))
        return fields

    def _first_kept(self) -> Command:
        """A warning: the sender need not try again, and hears that what is kept is not what it has sent."""
        self._log("instance set aside", COERCION_OF_ELEMENTS, "other content of its UID is kept")
        comment = "the first of this UID is kept, this is set aside"
        return {"Status": COERCION_OF_ELEMENTS, "ErrorComment": comment}

    def abandon(self) -> None:
        """Remove what was received of an object that did not come whole."""
        if self._incoming is not None:
            self._incoming.abort()

    def _fail(self, error: ArchiveError) -> None:
        if self._incoming is not None and not isinstance(error, Quarantined):
            self._incoming.abort()
        self._incoming, self._error = None, error

    def _log(self, event: str, status: int, reason: str) -> None:
        source = self._sender.source
        log.warning(
            event,
            peer=source.address,
            calling=source.ae_title,
            instance=self._command.get("AffectedSOPInstanceUID"),
            status=f"{status:04X}",
            reason=reason,
        )
