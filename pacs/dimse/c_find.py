"""C-FIND (PS3.4 Annex C) on the Patient Root and Study Root models."""

from collections.abc import Iterable, Mapping

from pacs.dimse.association import Request
from pacs.dimse.identifier import Answerer, has_unsupported_keys, parse_query, zone_of
from pacs.dimse.sop_classes import FIND_LEVELS
from pacs.dimse.status import CANCEL, PENDING, PENDING_WITHOUT_OPTIONAL_KEYS, SUCCESS
from pacs.dimse.with_data_set import WithDataSet
from pacs.model import DicomJson
from pacs.query import Semantics

# PS3.4 Table C.5-1: what can be agreed on beyond the usual, a byte each, and whether it is supported
EXTENSIONS: Mapping[str, bool] = {
    "relational queries": True,
    "a date and a time as one range": True,
    "names by their sound (fuzzy)": True,
    "time zone query adjustment": True,
    "enhanced multi-frame image conversion": False,
    "empty value matching": True,
    "multiple value matching": True,
}
OPTIONS = bytes(EXTENSIONS.values())
_TIME_ZONE = 3  # its place among them


class Find(WithDataSet):
    """Answers one query, one response an answer, until all are sent or the peer cancels."""

    def answer(self, data_set: DicomJson) -> None:
        """Search and answer. Raises InvalidQuery."""
        request, association = self._request, self._request.association
        agreement, model = association.agreed, request.context.abstract_syntax
        options = agreement.extended.get(model, b"").ljust(len(OPTIONS), b"\0")
        zone = zone_of(data_set) if options[_TIME_ZONE] else None
        query = parse_query(data_set, FIND_LEVELS[model], _semantics(options), zone)
        called = agreement.called_ae_title
        answerer = Answerer(data_set, request.context, called, zone)
        found = (answerer.identifier(one.attributes) for one in association.archive.search(query))
        respond_each(request, found, has_unsupported_keys(data_set))


def respond_each(request: Request, identifiers: Iterable[bytes], has_unsupported_keys: bool) -> None:
    """A pending response for each identifier, and the last one (PS3.7 9.3.2.2)."""
    pending = PENDING_WITHOUT_OPTIONAL_KEYS if has_unsupported_keys else PENDING
    for identifier in identifiers:
        if request.association.is_cancelled(request.command.get("MessageID", 0)):
            request.respond({"Status": CANCEL})
            return
        request.respond({"Status": pending}, identifier)
    request.respond({"Status": SUCCESS})


def _semantics(options: bytes) -> Semantics:
    """How keys are matched, by the options that were agreed."""
    _, together, fuzzy, _, _, empty, multiple = options
    return Semantics(bool(together), bool(empty), bool(multiple), bool(fuzzy))
