"""C-FIND (PS3.4 Annex C) on the Patient Root and Study Root models."""

from collections.abc import Iterator

import structlog
from pydicom import Dataset

from pacs.dimse.association import Request
from pacs.dimse.identifier import Answerer, decode_identifier, has_unsupported_keys, parse_query
from pacs.dimse.sop_classes import FIND_LEVELS
from pacs.dimse.status import CANCEL, PENDING, PENDING_WITHOUT_OPTIONAL_KEYS, SUCCESS, failure
from pacs.errors import ArchiveError, InvalidQuery
from pacs.model import Found

IDENTIFIER_LIMIT = 1 << 20  # bytes

log = structlog.get_logger()


class Find:
    """Answers one query, one response an answer, until all are sent or the peer cancels."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._identifier = bytearray()
        self._too_long = False

    def write(self, data: memoryview) -> None:
        """Gather the identifier."""
        self._too_long = self._too_long or len(self._identifier) + len(data) > IDENTIFIER_LIMIT
        if not self._too_long:
            self._identifier += data

    def abandon(self) -> None:
        """There is nothing to take back."""

    def finish(self) -> None:
        """Search and answer."""
        try:
            status = self._answer()
        except ArchiveError as error:
            log.warning("query refused", peer=self._request.association.source.address, reason=str(error))
            self._request.respond(failure(error))
        else:
            self._request.respond({"Status": status})

    def _answer(self) -> int:
        context, association = self._request.context, self._request.association
        if self._too_long:
            raise InvalidQuery("the identifier is longer than 1 MB")
        asked = decode_identifier(bytes(self._identifier), context)
        query = parse_query(asked, FIND_LEVELS[context.abstract_syntax])
        return self._send(asked, association.archive.search(query))

    def _send(self, asked: Dataset, answers: Iterator[Found]) -> int:
        association = self._request.association
        called = association.agreement.called_ae_title if association.agreement else ""
        answerer = Answerer(asked, self._request.context, called)
        pending = PENDING_WITHOUT_OPTIONAL_KEYS if has_unsupported_keys(asked) else PENDING
        for found in answers:
            if association.is_cancelled(self._request.command.get("MessageID", 0)):
                return CANCEL
            self._request.respond({"Status": pending}, answerer.identifier(found.attributes))
        return SUCCESS
