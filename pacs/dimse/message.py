"""A message as the PDUs that carry it (PS3.7 6.3, PS3.8 Annex E), in the pieces in which its data set is."""

from collections.abc import Iterable, Iterator

from pacs.dimse import wire
from pacs.dimse.command import DATA_SET, NO_DATA_SET, RESPONSE, Command, encode_command

# PS3.7 9.3 and 10.3: what a response says again of its request, and what that calls it
_SAID_AGAIN = {
    "AffectedSOPClassUID": "AffectedSOPClassUID",
    "RequestedSOPClassUID": "AffectedSOPClassUID",
    "AffectedSOPInstanceUID": "AffectedSOPInstanceUID",
    "RequestedSOPInstanceUID": "AffectedSOPInstanceUID",
    "EventTypeID": "EventTypeID",
    "ActionTypeID": "ActionTypeID",
}


def response_to(command: Command, fields: Command, has_data_set: bool = False) -> Command:
    """The command set of a response.  fields: Status and whatever else belongs to it."""
    response: Command = {
        "CommandField": command["CommandField"] | RESPONSE,
        "MessageIDBeingRespondedTo": command.get("MessageID", 0),
        "CommandDataSetType": DATA_SET if has_data_set else NO_DATA_SET,
    }
    said_again = {keyword: command[name] for name, keyword in _SAID_AGAIN.items() if name in command}
    return response | said_again | fields


def pdus_of(
    context_id: int, command: Command, data_set: Iterable[bytes] | None, maximum: int
) -> Iterator[list[bytes | memoryview]]:
    """PDUs to be written together, one piece of the data set after the other.

    maximum: bytes of a PDU that the peer takes.
    What the data set raises before its second piece comes before anything is given.
    """
    pdus = wire.data_pdus(context_id, True, encode_command(command), maximum)
    for piece, is_last in _marked(_even(data_set or ())):
        yield pdus + wire.data_pdus(context_id, False, piece, maximum, is_last)
        pdus = []
    if pdus:
        yield pdus


def _even(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of even length, none of them empty."""
    rest = b""
    for piece in pieces:
        joined = rest + piece if rest else piece
        whole = len(joined) & ~1
        rest = joined[whole:]
        if whole:
            yield joined[:whole]
    if rest:
        yield rest


def _marked(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each piece, and whether it is the last."""
    before = next(pieces, None)
    for piece in pieces:
        assert before is not None  # noqa: S101 - one came before this one
        yield before, False
        before = piece
    if before is not None:
        yield before, True
