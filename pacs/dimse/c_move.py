"""C-MOVE (PS3.4 C.4.2): what is asked for is sent to a system that is known here."""

from pydicom import Dataset

from pacs.dimse.association import Request
from pacs.dimse.sender import Originator, send
from pacs.dimse.sop_classes import MOVE_LEVELS
from pacs.dimse.status import MOVE_DESTINATION_UNKNOWN
from pacs.dimse.suboperations import Suboperations, requested
from pacs.dimse.with_data_set import WithDataSet
from pacs.index import Peers


class Move(WithDataSet):
    """Sends in the thread of the association, over another one."""

    def __init__(self, request: Request, peers: Peers, ae_title: str) -> None:
        """ae_title: ours, by which we call the destination."""
        super().__init__(request)
        self._peers = peers
        self._ae_title = ae_title

    def answer(self, data_set: Dataset) -> None:
        """Send what is asked for. Raises InvalidQuery, TooManyMatches."""
        request = self._request
        destination = request.command.get("MoveDestination", "")
        peer = self._peers.find(destination)
        if peer is None:
            comment = "the move destination is not known here"
            request.respond({"Status": MOVE_DESTINATION_UNKNOWN, "ErrorComment": comment})
            return
        instances = requested(request, data_set, MOVE_LEVELS[request.context.abstract_syntax])
        originator = Originator(request.association.source.ae_title, request.command.get("MessageID", 0))
        sending = send(request.association.archive, peer, self._ae_title, instances, originator)
        Suboperations(request, instances).run(sending)
