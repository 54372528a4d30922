"""Listening for associations: limits before a thread exists, and an orderly end."""

import selectors
import socket
import ssl
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import structlog

from pacs.archive import Archive
from pacs.dimse.association import Association, Dispatch
from pacs.dimse.rejection import LIMIT_EXCEEDED
from pacs.dimse.stream import PlainStream, Stream, TlsStream
from pacs.dimse.wire import Wire
from pacs.metrics import ASSOCIATIONS, OPEN_ASSOCIATIONS
from pacs.occupancy import WAIT, WAITS, Occupancy, Place

log = structlog.get_logger()


@dataclass(frozen=True)
class Limits:
    """What peers may do.

    associations: open at once, in all processes that share the listener.
    from_one_address: of those, in one process.
    idle_time: seconds that an association may stay open without a request.
    """

    associations: int
    from_one_address: int
    idle_time: float


class TlsPort(NamedTuple):
    """A socket that listens for associations by TLS, and how they are protected."""

    listener: socket.socket
    context: ssl.SSLContext


class DimseServer:
    """Accepts on a listening socket. Of processes that share one, that with the fewest open is first."""

    def __init__(
        self,
        listener: socket.socket,
        archive: Archive,
        offers: Dispatch,
        limits: Limits,
        place: Place | None = None,
        tls_port: TlsPort | None = None,
    ) -> None:
        """place: among the processes that share the listener; None when there is but this one.

        tls_port: where associations by TLS are accepted, too, within the same limits.
        """
        self._place = place or Occupancy(1).place(0)
        self._place.tell(0)
        self._contexts: dict[socket.socket, ssl.SSLContext | None] = {listener: None}
        if tls_port is not None:
            self._contexts[tls_port.listener] = tls_port.context
        self._archive = archive
        self._offers = offers
        self._limits = limits
        self._wake_end, self._wait_end = socket.socketpair()
        self._changed = threading.Condition()
        self._open: dict[threading.Thread, Wire] = {}
        self._addresses: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._accept_all, name="dimse", daemon=True)

    def start(self) -> None:
        """Accept from now on, in a thread of its own."""
        for listener in self._contexts:
            listener.setblocking(False)
        self._thread.start()

    @property
    def number_open(self) -> int:
        """How many associations are open here."""
        return len(self._open)

    def stop(self, grace: float) -> None:
        """Accept no more, let associations finish for so many seconds, then end those that are left."""
        self._wake_end.send(b"!")
        self._thread.join()
        self._wake_end.close()
        self._wait_end.close()
        deadline = time.monotonic() + grace
        with self._changed:
            while self._open and (rest := deadline - time.monotonic()) > 0:
                self._changed.wait(rest)
            left = list(self._open.items())
        for _, connection in left:
            connection.abort()
            connection.close()
        for thread, _ in left:
            thread.join()

    def _accept_all(self) -> None:
        with selectors.DefaultSelector() as selector:
            for listener, context in self._contexts.items():
                selector.register(listener, selectors.EVENT_READ, context)
            stop = selector.register(self._wait_end, selectors.EVENT_READ)
            while stop not in (ready := [key for key, _ in selector.select()]):
                for key in ready:
                    self._accept(key.fileobj, key.data)

    def _accept(self, listener: Any, context: ssl.SSLContext | None) -> None:
        """Accept one without waiting for a word of the peer: the handshake is made in its thread."""
        self._let_others_be_first()
        try:
            connection, address = listener.accept()
        except OSError:
            return  # another process was faster, or the peer has gone already
        try:
            self._admit(connection, str(address[0]), context)
        except OSError:
            connection.close()  # the peer has gone meanwhile

    def _let_others_be_first(self) -> None:
        """Wait while another process has fewer open."""
        for _ in range(WAITS):
            if self._place.is_least:
                return
            time.sleep(WAIT)

    def _admit(self, connection: socket.socket, address: str, context: ssl.SSLContext | None) -> None:
        with self._changed:
            is_full = self._place.total >= self._limits.associations
            if is_full or self._addresses[address] >= self._limits.from_one_address:
                self._refuse(connection, address, context)
                return
            stream: Stream = TlsStream(connection, context) if context else PlainStream(connection)
            wire = Wire(stream)
            thread = threading.Thread(target=self._run, args=(wire, address), daemon=True)
            self._open[thread] = wire
            self._addresses[address] += 1
            self._place.tell(len(self._open))
        OPEN_ASSOCIATIONS.inc()
        thread.start()

    def _refuse(self, connection: socket.socket, address: str, context: ssl.SSLContext | None) -> None:
        """Answer before the request is read: a peer of DICOM understands it, any other learns nothing.

        By TLS there is no answer before a handshake, which is not worth its cost.
        """
        log.warning("association refused", peer=address, reason="too many are open; try again later")
        ASSOCIATIONS.labels("refused").inc()
        with connection, suppress(OSError):
            connection.settimeout(1.0)
            if context is None:
                connection.sendall(LIMIT_EXCEEDED.pdu)

    def _run(self, wire: Wire, address: str) -> None:
        association = Association(wire, address, self._archive, self._offers, self._limits.idle_time)
        try:
            association.run()
        except Exception:  # the edge: no association may take the service down
            log.exception("association failed", peer=address)
            wire.abort()
        finally:
            wire.close()
            OPEN_ASSOCIATIONS.dec()
            with self._changed:
                del self._open[threading.current_thread()]
                self._place.tell(len(self._open))
                self._addresses[address] -= 1
                if not self._addresses[address]:
                    del self._addresses[address]
                self._changed.notify_all()
