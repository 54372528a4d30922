"""Protocol data units on a socket (PS3.8 9.3): bounded before anything is allocated, each with a deadline."""

import time
from struct import pack, unpack_from

from pacs.dimse.stream import Stream, SupportsFileno, TlsFailed

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)

# Bytes. What we ask peers to stay below; DCMTK sends no larger ones.
MAXIMUM_PDU = 131_072
# Bytes. 128 presentation contexts with 30 transfer syntaxes each stay below this.
MAXIMUM_ASSOCIATE = 131_072
_OTHER_MAXIMUM = 1024

_LIMITS = {ASSOCIATE_RQ: MAXIMUM_ASSOCIATE, ASSOCIATE_AC: MAXIMUM_ASSOCIATE, P_DATA: MAXIMUM_PDU}

_TLS_HANDSHAKE = 22  # the first byte of a connection by TLS (RFC 8446 5.1)

_HEADER = 6  # bytes before the content of a PDU
_FIRST_BUFFER = 4096  # bytes; nobody gets more before a PDU has announced more

# Seconds for a PDU to arrive whole, once its first byte is here.
PDU_TIME = 30.0
# Seconds for the peer to close the connection, once it was told why (the ARTIM timer of PS3.8 9.1.5).
LAST_WORDS = 1.0


class PeerGone(Exception):
    """The peer closed the connection, or was silent for too long."""


class ProtocolError(Exception):
    """The peer sent what PS3.8 does not allow. reason: of A-ABORT, Table 9-26."""

    def __init__(self, message: str, reason: int) -> None:
        super().__init__(message)
        self.reason = reason


UNRECOGNIZED_PDU, UNEXPECTED_PDU, INVALID_PARAMETER = 1, 2, 6


class Wire:
    """One connection that speaks PDUs. Used by one thread."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._buffer = memoryview(bytearray(_FIRST_BUFFER))
        self._start = self._end = 0  # of what was received and not taken yet

    @property
    def protection(self) -> str:
        """The version of TLS; empty without."""
        return self._stream.protection

    def read(self, patience: float) -> tuple[int, memoryview]:
        """The type and the content of the next PDU. The content is valid until the next read.

        patience: seconds to wait for it to begin.
        Raises PeerGone, or ProtocolError before a PDU that is too long is received.
        """
        if self._start == self._end:
            self._receive(1, time.monotonic() + patience)
        deadline = time.monotonic() + PDU_TIME
        if self._end - self._start < _HEADER:
            self._receive(_HEADER, deadline)
        kind, _, length = unpack_from(">BBI", self._buffer, self._start)
        if kind == _TLS_HANDSHAKE:
            raise ProtocolError("TLS on a port that has none", UNRECOGNIZED_PDU)
        if not ASSOCIATE_RQ <= kind <= ABORT:
            raise ProtocolError(f"PDU type {kind} is unknown", UNRECOGNIZED_PDU)
        limit = _LIMITS.get(kind, _OTHER_MAXIMUM)
        if length > limit:
            raise ProtocolError(f"a PDU of type {kind} announces {length} bytes", INVALID_PARAMETER)
        if _HEADER + length > len(self._buffer):
            self._enlarge(limit)
        if self._end - self._start < _HEADER + length:
            self._receive(_HEADER + length, deadline)
        begin, self._start = self._start + _HEADER, self._start + _HEADER + length
        return kind, self._buffer[begin : self._start]

    def _receive(self, count: int, deadline: float) -> None:
        """Return when so many bytes are here; whatever else has arrived is taken along, as far as it fits.

        A peer that is silent is given up at twice its time at the latest.
        """
        if self._start == self._end or self._start + count > len(self._buffer):
            waiting = self._end - self._start
            self._buffer[:waiting] = self._buffer[self._start : self._end]
            self._start, self._end = 0, waiting
        while self._end - self._start < count:
            rest = deadline - time.monotonic()
            if rest <= 0:
                raise PeerGone("silent for too long")
            self._end += self._received(rest)

    def _received(self, seconds: float) -> int:
        """How many bytes came within this time, or somewhat later."""
        try:
            received = self._stream.receive(self._buffer[self._end :], seconds)
        except TlsFailed as error:
            raise ProtocolError(f"no TLS: {error.strerror}", UNRECOGNIZED_PDU) from error
        except OSError as error:
            raise PeerGone(error.strerror or "connection lost") from error
        if received == 0:
            raise PeerGone("closed by the peer")
        return received or 0

    def _enlarge(self, limit: int) -> None:
        """Room for the longest PDU of a kind, and for the beginning of the next."""
        buffer = memoryview(bytearray(_HEADER + limit + _FIRST_BUFFER))
        waiting = self._end - self._start
        buffer[:waiting] = self._buffer[self._start : self._end]
        self._buffer, self._start, self._end = buffer, 0, waiting

    def acknowledge_at_once(self, is_prompt: bool) -> None:
        """Whether what comes is acknowledged at once (`Stream.is_prompt`)."""
        self._stream.is_prompt = is_prompt

    def write(self, *pdus: bytes | memoryview) -> None:
        """Send PDUs, or parts of them, together.

        Raises PeerGone when the peer does not take them in PDU_TIME, or just after.
        """
        rest = memoryview(b"".join(pdus))
        deadline = time.monotonic() + PDU_TIME
        try:
            while rest := rest[self._stream.send(rest, PDU_TIME) :]:
                if time.monotonic() > deadline:
                    raise PeerGone("too slow to take what it asked for")
        except OSError as error:
            raise PeerGone(error.strerror or "connection lost") from error

    def is_readable(self, seconds: float = 0.0) -> bool:
        """Whether the peer has sent something that was not read yet, or does in so many seconds.

        What the last read gave is valid no more. One that was closed is readable: the next read tells.
        """
        if self._end == self._start:
            self._start = self._end = 0
            try:
                self._end = self._received(seconds)
            except (PeerGone, ProtocolError):
                return True
        return self._end > self._start

    def is_rung(self, bell: SupportsFileno, seconds: float) -> bool:
        """Wait so long for the peer to send something, or for the bell to ring; whether the bell does.

        Raises PeerGone when the connection was closed meanwhile.
        """
        has_more = self.is_readable()  # by TLS, what was received may be all that there is to see
        try:
            return self._stream.is_rung(bell, 0.0 if has_more else seconds)
        except (OSError, ValueError) as error:  # the latter for what is closed
            raise PeerGone("closed by us") from error

    def abort(self, reason: int = 0) -> None:
        """Send A-ABORT by the service provider, as far as the peer still listens."""
        try:
            self.write(pack(">BBIBBBB", ABORT, 0, 4, 0, 0, 2, reason))
        except PeerGone:
            return

    def linger(self) -> None:
        """Let the peer read what it was told last: to close while it still sends would take that away."""
        self._start = self._end = 0
        try:
            self._stream.drain(LAST_WORDS)
        except OSError:
            return

    def close(self) -> None:
        """Close the connection; a read that waits in another thread ends with PeerGone."""
        self._stream.close()


def values(content: memoryview) -> list[tuple[int, int, memoryview]]:
    """Context ID, message control header and bytes of each presentation data value of a P-DATA-TF PDU.

    Raises ProtocolError when a length leads beyond the end (PS3.8 9.3.5, E.2).
    """
    found = []
    position = 0
    while position < len(content):
        if position + 6 > len(content):
            raise ProtocolError("a presentation data value is cut off", INVALID_PARAMETER)
        length, context, control = unpack_from(">IBB", content, position)
        end = position + 4 + length
        if length < 2 or end > len(content):
            raise ProtocolError("a presentation data value has a wrong length", INVALID_PARAMETER)
        found.append((context, control, content[position + 6 : end]))
        position = end
    return found


def data_pdus(
    context: int, is_command: bool, data: bytes, maximum: int, is_end: bool = True
) -> list[bytes | memoryview]:
    """P-DATA-TF PDUs that carry (a part of even length of) a command or data set: heads and contents in turn.

    maximum: bytes of a PDU that the peer takes.  is_end: whether nothing of it follows.
    """
    size = maximum - 6 & ~1  # fragments are of even length (PS3.8 E.1)
    view = memoryview(data)
    pdus: list[bytes | memoryview] = []
    for start in range(0, max(1, len(data)), size):
        piece = view[start : start + size]
        is_last = is_end and start + size >= len(data)
        control = (1 if is_command else 0) | (2 if is_last else 0)
        pdus += (pack(">BBIIBB", P_DATA, 0, len(piece) + 6, len(piece) + 2, context, control), piece)
    return pdus
