"""C-STORE (PS3.4 Annex B): the data set goes to its file as it arrives; success means kept."""

from pacs.dimse.association import Request
from pacs.dimse.reception import Reception


class Store:
    """Receives one object, and answers."""

    def __init__(self, request: Request) -> None:
        association = request.association
        self._request = request
        self._reception = Reception(association.archive, association.sender, request.command, request.context)
        self.write = self._reception.write
        self.abandon = self._reception.abandon

    def finish(self) -> None:
        """Store, and answer only then."""
        self._request.respond(self._reception.finish())
