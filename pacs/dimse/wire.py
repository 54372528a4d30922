"""Protocol data units on a socket (PS3.8 9.3): bounded before anything is allocated, each with a deadline."""

import select
import socket
import time
from collections.abc import Iterator
from struct import pack, unpack, unpack_from

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)

# Bytes. What we ask peers to stay below; DCMTK sends no larger ones.
MAXIMUM_PDU = 131_072
# Bytes. 128 presentation contexts with 30 transfer syntaxes each stay below this.
MAXIMUM_ASSOCIATE = 131_072
_OTHER_MAXIMUM = 1024

_LIMITS = {ASSOCIATE_RQ: MAXIMUM_ASSOCIATE, P_DATA: MAXIMUM_PDU}

# Seconds for a PDU to arrive whole, once its first byte is here.
PDU_TIME = 30.0


class PeerGone(Exception):
    """The peer closed the connection, or was silent for too long."""


class ProtocolError(Exception):
    """The peer sent what PS3.8 does not allow. reason: of A-ABORT, Table 9-26."""

    def __init__(self, message: str, reason: int) -> None:
        super().__init__(message)
        self.reason = reason


UNRECOGNIZED_PDU, UNEXPECTED_PDU, INVALID_PARAMETER = 1, 2, 6


class Wire:
    """One TCP connection that speaks PDUs. Used by one thread."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._connection = connection
        self._header = bytearray(6)
        self._buffer = bytearray(4096)

    def read(self, patience: float) -> tuple[int, memoryview]:
        """The type and the content of the next PDU. The content is valid until the next read.

        patience: seconds to wait for it to begin.
        Raises PeerGone, or ProtocolError before a PDU that is too long is received.
        """
        self._receive(memoryview(self._header)[:1], time.monotonic() + patience)
        deadline = time.monotonic() + PDU_TIME
        self._receive(memoryview(self._header)[1:], deadline)
        kind, _, length = unpack(">BBI", self._header)
        if not ASSOCIATE_RQ <= kind <= ABORT:
            raise ProtocolError(f"PDU type {kind} is unknown", UNRECOGNIZED_PDU)
        if length > _LIMITS.get(kind, _OTHER_MAXIMUM):
            raise ProtocolError(f"a PDU of type {kind} announces {length} bytes", INVALID_PARAMETER)
        if length > len(self._buffer):
            self._buffer = bytearray(_LIMITS[kind])
        content = memoryview(self._buffer)[:length]
        self._receive(content, deadline)
        return kind, content

    def _receive(self, into: memoryview, deadline: float) -> None:
        connection = self._connection
        while into:
            rest = deadline - time.monotonic()
            if rest <= 0:
                raise PeerGone("silent for too long")
            connection.settimeout(rest)
            try:
                count = connection.recv_into(into)
            except TimeoutError:
                continue
            except OSError as error:
                raise PeerGone(error.strerror or "connection lost") from error
            if not count:
                raise PeerGone("closed by the peer")
            into = into[count:]

    def write(self, *pdus: bytes) -> None:
        """Send PDUs together. Raises PeerGone when the peer does not take them in PDU_TIME."""
        try:
            self._connection.settimeout(PDU_TIME)
            self._connection.sendall(b"".join(pdus))
        except OSError as error:
            raise PeerGone(error.strerror or "connection lost") from error

    def is_readable(self) -> bool:
        """Whether the peer has sent something that was not read yet."""
        return bool(select.select([self._connection], [], [], 0)[0])

    def abort(self, reason: int = 0) -> None:
        """Send A-ABORT by the service provider, as far as the peer still listens."""
        try:
            self.write(pack(">BBIBBBB", ABORT, 0, 4, 0, 0, 2, reason))
        except PeerGone:
            return

    def close(self) -> None:
        """Close the connection; a read that waits in another thread ends with PeerGone."""
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the peer was faster
        finally:
            self._connection.close()


def values(content: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Context ID, message control header and bytes of each presentation data value of a P-DATA-TF PDU.

    Raises ProtocolError when a length leads beyond the end (PS3.8 9.3.5, E.2).
    """
    position = 0
    while position < len(content):
        if position + 6 > len(content):
            raise ProtocolError("a presentation data value is cut off", INVALID_PARAMETER)
        length, context, control = unpack_from(">IBB", content, position)
        end = position + 4 + length
        if length < 2 or end > len(content):
            raise ProtocolError("a presentation data value has a wrong length", INVALID_PARAMETER)
        yield context, control, content[position + 6 : end]
        position = end


def data_pdus(context: int, is_command: bool, data: bytes, maximum: int) -> Iterator[bytes]:
    """P-DATA-TF PDUs that carry a command or data set. maximum: bytes of a PDU that the peer takes."""
    size = maximum - 6
    for start in range(0, max(1, len(data)), size):
        piece = data[start : start + size]
        is_last = start + size >= len(data)
        control = (1 if is_command else 0) | (2 if is_last else 0)
        yield pack(">BBIIBB", P_DATA, 0, len(piece) + 6, len(piece) + 2, context, control) + piece
