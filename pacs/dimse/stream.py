"""The bytes of one TCP connection, plain or by TLS. Every wait has its time."""

import errno
import math
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from struct import pack
from typing import Protocol

_DRAINED = 1 << 16  # bytes thrown away at a time

# Why a handshake fails, by OpenSSL's names of its reasons
_REASONS = {
    "WRONG_VERSION_NUMBER": "it does not speak TLS",
    "HTTP_REQUEST": "it does not speak TLS, but HTTP",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it shows no certificate",
    "UNSUPPORTED_PROTOCOL": "it speaks no version of TLS that is safe",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it speaks no version of TLS that is safe",
    "NO_SHARED_CIPHER": "it has no cipher suite that is taken here",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "it takes none of our cipher suites, or wants a certificate of ours",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it wants a certificate of ours, and there is none",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not know who issued our certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it does not accept our certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it does not accept our certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "our certificate has expired, it says",
}


class SupportsFileno(Protocol):
    """What the kernel can wait for."""

    def fileno(self) -> int:
        """The number of its descriptor."""
        ...


class TlsFailed(OSError):
    """What the peer sends is no TLS that is taken here. `strerror` says why."""


class Stream(Protocol):
    """One connection. Used by one thread; another may send and close to end it.

    is_prompt: acknowledge what comes at once, not after 40 ms, while only short responses are waited for.
        DCMTK writes each in two pieces, and its kernel holds the second back until the first is acknowledged
        (RFC 896).
    """

    is_prompt: bool

    @property
    def protection(self) -> str:
        """The version of TLS; empty without, and before it is agreed on."""
        ...

    def receive(self, into: memoryview, seconds: float) -> int | None:
        """How many bytes were received; 0 at the end of all, None when nothing came.

        seconds: to wait for them, about; with 0 what is here is taken, if there is anything.
        Raises OSError, TlsFailed among them.
        """
        ...

    def send(self, data: memoryview, seconds: float) -> int:
        """How many bytes were sent, at least one. Raises OSError when none could in this time."""
        ...

    def is_rung(self, bell: SupportsFileno, seconds: float) -> bool:
        """Wait so long for bytes, or for a bell to ring; whether it does. Raises OSError."""
        ...

    def drain(self, seconds: float) -> None:
        """Send no more, and throw away what still comes, until the peer closes. Raises OSError."""
        ...

    def close(self) -> None:
        """Close the connection; a wait for bytes in another thread ends."""
        ...


class PlainStream:
    """Without TLS. The kernel keeps the time: Python's own time-outs cost two more system calls each time."""

    protection = ""

    def __init__(self, connection: socket.socket, prompt: bool = False) -> None:
        """prompt: how `is_prompt` is at first."""
        _set_up(connection)
        connection.settimeout(None)
        self._connection = connection
        self.is_prompt = prompt
        self._wakes_after = math.inf  # seconds without a byte
        self._gives_up_after = math.inf  # seconds without room for one

    def receive(self, into: memoryview, seconds: float) -> int | None:
        """As Stream has it. It waits twice the time at most."""
        connection, flags = self._connection, 0 if seconds else socket.MSG_DONTWAIT
        if (
            0 < seconds < self._wakes_after / 2
        ):  # to set it each time would cost more than to be somewhat late
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(seconds))
            self._wakes_after = seconds
        if self.is_prompt:  # the kernel forgets it
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        try:
            return connection.recv_into(into, 0, flags)
        except BlockingIOError:
            return None

    def send(self, data: memoryview, seconds: float) -> int:
        """As Stream has it."""
        if seconds != self._gives_up_after:
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(seconds))
            self._gives_up_after = seconds
        return self._connection.send(data)

    def is_rung(self, bell: SupportsFileno, seconds: float) -> bool:
        """As Stream has it."""
        return _is_rung(self._connection, bell, seconds)

    def drain(self, seconds: float) -> None:
        """As Stream has it."""
        _drain(self._connection, seconds)

    def close(self) -> None:
        """As Stream has it."""
        _close(self._connection)


class TlsStream:
    """By TLS. The socket never blocks: OpenSSL asks for what it needs, and the waiting is ours.

    One thread at a time is within OpenSSL, so that another can end what the first waits for.
    """

    def __init__(
        self,
        connection: socket.socket,
        context: ssl.SSLContext,
        host: str | None = None,
        prompt: bool = False,
    ) -> None:
        """host: whom we have called; None when we were called.  prompt: as PlainStream has it.

        The handshake is made by `agree`, or while the first bytes are received. Raises OSError.
        """
        _set_up(connection)
        connection.setblocking(False)
        self._connection = context.wrap_socket(
            connection, server_side=host is None, server_hostname=host, do_handshake_on_connect=False
        )
        self.is_prompt = prompt
        self._turn = threading.Lock()
        self._is_agreed = self._is_closed = False

    @property
    def protection(self) -> str:
        """The version of TLS."""
        return (self._connection.version() or "") if self._is_agreed else ""

    def agree(self, seconds: float) -> None:
        """Make the handshake. Raises OSError, TlsFailed among them."""
        self._insist(lambda: 1, seconds)

    def receive(self, into: memoryview, seconds: float) -> int | None:
        """As Stream has it."""
        if self.is_prompt:
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return self._attempt(lambda: self._connection.recv_into(into), seconds)

    def send(self, data: memoryview, seconds: float) -> int:
        """As Stream has it."""
        if not self._is_agreed:
            raise OSError(errno.ENOTCONN, "TLS is not agreed on yet")
        return self._insist(lambda: self._connection.send(data), seconds)

    def _insist(self, work: Callable[[], int], seconds: float) -> int:
        done = self._attempt(work, seconds)
        if done is None:
            raise TimeoutError(errno.ETIMEDOUT, "silent for too long")
        return done

    def _attempt(self, work: Callable[[], int], seconds: float) -> int | None:
        """What is done as soon as what it lacks is there; None when that was not in time."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                with self._turn:
                    return self._work(work)
            except ssl.SSLWantReadError:
                lacks = select.POLLIN
            except ssl.SSLWantWriteError:
                lacks = select.POLLOUT
            except ssl.SSLEOFError as error:
                raise ConnectionResetError(errno.ECONNRESET, "closed by the peer") from error
            except ssl.SSLError as error:
                raise TlsFailed(errno.EPROTO, _reason(error)) from error
            rest = deadline - time.monotonic()
            if rest <= 0 or not _wait(self._connection, lacks, rest):
                return None

    def _work(self, work: Callable[[], int]) -> int:
        if self._is_closed:
            raise OSError(errno.EBADF, "closed")
        if not self._is_agreed:
            self._connection.do_handshake()
            self._is_agreed = True
        return work()

    def is_rung(self, bell: SupportsFileno, seconds: float) -> bool:
        """As Stream has it."""
        return _is_rung(self._connection, bell, seconds)

    def drain(self, seconds: float) -> None:
        """As Stream has it."""
        self._take_leave()
        _drain(self._connection, seconds)

    def close(self) -> None:
        """As Stream has it."""
        self._take_leave()
        with self._turn:
            self._is_closed = True
            _close(self._connection)

    def _take_leave(self) -> None:
        """Say that this is the end (close_notify), as far as it goes at once."""
        with self._turn, suppress(OSError, ValueError):
            if self._is_agreed and not self._is_closed:
                self._connection.unwrap()


def _set_up(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _timeval(seconds: float) -> bytes:
    """As socket(7) wants it, at least a microsecond, for none would be without end."""
    return pack("ll", int(seconds), max(1, int(seconds % 1 * 1_000_000)))


def _wait(connection: socket.socket, events: int, seconds: float) -> bool:
    descriptor = connection.fileno()
    if descriptor < 0:
        raise OSError(errno.EBADF, "closed")
    poll = select.poll()
    poll.register(descriptor, events)
    return bool(poll.poll(max(0.0, seconds) * 1000))


def _is_rung(connection: socket.socket, bell: SupportsFileno, seconds: float) -> bool:
    poll = select.poll()
    for one in (connection, bell):
        poll.register(one.fileno(), select.POLLIN)
    return bell.fileno() in [descriptor for descriptor, _ in poll.poll(seconds * 1000)]


def _drain(connection: socket.socket, seconds: float) -> None:
    """On the socket itself, for which TLS is over."""
    deadline = time.monotonic() + seconds
    socket.socket.shutdown(connection, socket.SHUT_WR)
    while (rest := deadline - time.monotonic()) > 0 and _wait(connection, select.POLLIN, rest):
        if not socket.socket.recv(connection, _DRAINED):
            return


def _close(connection: socket.socket) -> None:
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        return  # the peer was faster
    finally:
        connection.close()


def _reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    name = error.reason or "the handshake failed"
    return _REASONS.get(name, name.lower().replace("_", " "))
