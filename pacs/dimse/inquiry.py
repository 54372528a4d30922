"""An association in which a question has many responses, and objects may come meanwhile (PS3.7 9.1)."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from pacs.dimse import wire
from pacs.dimse.command import C_STORE_RQ, RESPONSE, Command
from pacs.dimse.heard import QUERIES, Heard, Then
from pacs.dimse.negotiation import Context
from pacs.dimse.reception import Reception
from pacs.dimse.requestor import Requestor, checked, has_data_set

MOST_BYTES = 16 << 20  # of the identifier of one response

# What takes an object in that the peer sends: made of the command set and the context of its request
Store = Callable[[Command, Context], Reception]


class Response(NamedTuple):
    """A response of the peer, or ours to an object that it sent meanwhile.

    identifier: the data set, empty when it has none.  then: what is done about it.
    """

    command: Command
    identifier: bytes
    then: Then

    @property
    def is_of_object(self) -> bool:
        """Whether it is ours."""
        return bool(self.command["CommandField"] == C_STORE_RQ | RESPONSE)

    @property
    def is_last(self) -> bool:
        """Whether no other follows."""
        return self.then is not Then.GOES_ON


class Inquiry(Requestor):
    """Asks one question after the other. To leave before the last response aborts the association.

    What the peer may send us are the storage classes among those provided.
    """

    def inquire(
        self, context: Context, fields: Command, identifier: bytes, store: Store | None = None
    ) -> Iterator[Response]:
        """Ask; each response as it comes, up to the last one, and ours to each object that came meanwhile.

        store: takes the objects in; without it the peer may send none.
        Raises PeerFailed.
        """
        asked = self.send(context, fields, [identifier])
        heard = QUERIES[asked["CommandField"]]
        while self.is_in_message:
            with self.talking():
                response = self._receive(asked, heard, store)
            self.is_in_message = not response.is_last
            yield response

    def _receive(self, asked: Command, heard: Heard, store: Store | None) -> Response:
        """Take in the next message."""
        context_id, command = self.command()
        if command.get("CommandField") == C_STORE_RQ and store is not None and has_data_set(command):
            return self._take_object(context_id, command, store)
        checked(command, asked)
        identifier = self.data_set(context_id, MOST_BYTES) if has_data_set(command) else b""
        return Response(command, identifier, heard.then(command["Status"]))

    def _take_object(self, context_id: int, command: Command, store: Store) -> Response:
        context = next((one for one, number in self.contexts.items() if number == context_id), None)
        if context is None:
            raise wire.ProtocolError("an object in a context that was not accepted", wire.INVALID_PARAMETER)
        reception = store(command, context)
        try:
            for data in self.pieces(context_id):
                reception.write(data)
            fields = reception.finish()
        finally:
            reception.abandon()
        return Response(self.reply(context_id, command, fields), b"", Then.GOES_ON)
