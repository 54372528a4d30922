"""C-GET (PS3.4 C.4.3): what is asked for comes back over the same association."""

from collections.abc import Generator, Sequence

from pacs.dimse.sender import Sent, Store
from pacs.dimse.sop_classes import GET_LEVELS
from pacs.dimse.suboperations import Suboperations, priority_of, requested
from pacs.dimse.with_data_set import WithDataSet
from pacs.model import DicomJson, Instance


class Get(WithDataSet):
    """Sends by C-STORE to the peer, who has proposed to be an SCP of it."""

    def answer(self, data_set: DicomJson) -> None:
        """Send what is asked for. Raises InvalidQuery, TooManyMatches."""
        instances = requested(self._request, data_set, GET_LEVELS[self._request.context.abstract_syntax])
        Suboperations(self._request, instances).run(self._send(instances))

    def _send(self, instances: Sequence[Instance]) -> Generator[Sent, None, None]:
        association = self._request.association
        preferred = association.admission.transfer_syntaxes
        store = Store(
            association.archive,
            association,
            None,
            preferred=preferred,
            priority=priority_of(self._request),
        )
        for instance in instances:
            yield store.send(instance)
