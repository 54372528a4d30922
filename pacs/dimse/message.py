"""A message as the PDUs that carry it (PS3.7 6.3, PS3.8 Annex E), in the pieces in which its data set is."""

from collections.abc import Iterable, Iterator

from pacs.dimse import wire
from pacs.dimse.command import Command, encode_command


def pdus_of(
    context_id: int, command: Command, data_set: Iterable[bytes] | None, maximum: int
) -> Iterator[list[bytes]]:
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
