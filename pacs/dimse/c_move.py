"""C-MOVE (PS3.4 C.4.2): what is asked for is sent to a system that is known here."""

import ssl

from pacs.dimse.association import Request
from pacs.dimse.sender import Originator, send
from pacs.dimse.sop_classes import MOVE_LEVELS
from pacs.dimse.status import MOVE_DESTINATION_UNKNOWN, NOT_AUTHORIZED
from pacs.dimse.suboperations import Suboperations, priority_of, requested
from pacs.dimse.with_data_set import WithDataSet
from pacs.index import Peers
from pacs.model import DicomJson


class Move(WithDataSet):
    """Sends in the thread of the association, over another one."""

    def __init__(
        self, request: Request, peers: Peers, ae_title: str, tls: ssl.SSLContext | None = None
    ) -> None:
        """ae_title: ours, by which we call the destination.  tls: how to call one that wants TLS."""
        super().__init__(request)
        self._peers = peers
        self._ae_title = ae_title
        self._tls = tls

    def answer(self, data_set: DicomJson) -> None:
        """Send what is asked for. Raises InvalidQuery, TooManyMatches."""
        request = self._request
        destination = request.command.get("MoveDestination", "")
        peer = self._peers.find(destination)
        if peer is None:
            comment = "the move destination is not known here"
            request.respond({"Status": MOVE_DESTINATION_UNKNOWN, "ErrorComment": comment})
            return
        if not request.association.admission.may_move_to(destination):
            comment = "nothing may be moved there"
            request.respond({"Status": NOT_AUTHORIZED, "ErrorComment": comment})
            return
        instances = requested(request, data_set, MOVE_LEVELS[request.context.abstract_syntax])
        originator = Originator(request.association.source.ae_title, request.command.get("MessageID", 0))
        sending = send(
            request.association.archive,
            peer,
            self._ae_title,
            instances,
            originator,
            tls=self._tls,
            priority=priority_of(request),
        )
        Suboperations(request, instances).run(sending)
