"""C-FIND (PS3.4 Annex C) on the Patient Root and Study Root models."""

from pydicom import Dataset

from pacs.dimse.identifier import Answerer, has_unsupported_keys, parse_query
from pacs.dimse.sop_classes import FIND_LEVELS
from pacs.dimse.status import CANCEL, PENDING, PENDING_WITHOUT_OPTIONAL_KEYS, SUCCESS
from pacs.dimse.with_data_set import WithDataSet


class Find(WithDataSet):
    """Answers one query, one response an answer, until all are sent or the peer cancels."""

    def answer(self, data_set: Dataset) -> None:
        """Search and answer. Raises InvalidQuery."""
        request, association = self._request, self._request.association
        query = parse_query(data_set, FIND_LEVELS[request.context.abstract_syntax])
        called = association.agreement.called_ae_title if association.agreement else ""
        answerer = Answerer(data_set, request.context, called)
        pending = PENDING_WITHOUT_OPTIONAL_KEYS if has_unsupported_keys(data_set) else PENDING
        for found in association.archive.search(query):
            if association.is_cancelled(request.command.get("MessageID", 0)):
                request.respond({"Status": CANCEL})
                return
            request.respond({"Status": pending}, answerer.identifier(found.attributes))
        request.respond({"Status": SUCCESS})
