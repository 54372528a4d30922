"""The Minimal Lower Layer Protocol: messages framed by two control characters, on a connection."""

import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import structlog

from hl7v2.receiver import Receiver

START, END = b"\x0b", b"\x1c\r"  # <VT>, <FS><CR>

_RECEIVED_AT_ONCE = 65_536  # bytes

log = structlog.get_logger()


@dataclass(frozen=True)
class Limits:
    """What senders may do.

    frame: bytes of a message.  connections: open at once.
    message_time: seconds for a message, once it has begun, and for its answer to be taken.
    idle_time: seconds that a connection may stay open without one.
    """

    frame: int = 65_536
    connections: int = 32
    message_time: float = 30.0
    idle_time: float = 3600.0


class FrameError(Exception):
    """What comes is no message of this protocol; the text says why."""


class MllpServer:
    """Listens for messages, a thread for each connection, the messages of one in their order."""

    def __init__(self, listener: socket.socket, receiver: Receiver, limits: Limits) -> None:
        self._listener = listener
        self._receiver = receiver
        self._limits = limits
        self._open: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()

    def run(self, is_stopping: Callable[[], bool], wake: socket.socket) -> None:
        """Accept until something comes through `wake` and it is time to stop; then finish messages begun."""
        self._listener.setblocking(False)
        with selectors.DefaultSelector() as selector:
            for one in (self._listener, wake):
                selector.register(one, selectors.EVENT_READ)
            while not is_stopping():
                selector.select()
                with suppress(OSError):  # it was woken for something else, or the sender has gone already
                    connection, address = self._listener.accept()
                    self._admit(connection, str(address[0]))
        self._stop()

    def _stop(self) -> None:
        with self._lock:
            left = dict(self._open)
        for connection in left.values():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)  # who reads comes to an end, who answers goes on
        for thread in left:
            thread.join(self._limits.message_time)

    def _admit(self, connection: socket.socket, address: str) -> None:
        connection.setblocking(True)
        with self._lock:
            if len(self._open) >= self._limits.connections:
                log.warning("connection refused", peer=address, reason="too many are open")
                connection.close()
                return
            thread = threading.Thread(target=self._run, args=(connection, address), daemon=True)
            self._open[thread] = connection
        thread.start()

    def _run(self, connection: socket.socket, address: str) -> None:
        try:
            for message in self._messages(connection):
                answer = self._receiver.take(message, address)
                connection.settimeout(self._limits.message_time)
                connection.sendall(START + answer + END)
        except FrameError as error:
            log.warning("connection closed by us", peer=address, reason=str(error))
        except OSError as error:
            log.warning("connection broken off", peer=address, reason=type(error).__name__)
        except Exception:  # the edge: no connection may take the listener down
            log.exception("connection failed", peer=address)
        finally:
            connection.close()
            with self._lock:
                del self._open[threading.current_thread()]

    def _messages(self, connection: socket.socket) -> Iterator[bytes]:
        """Those that arrive, each without its frame. Raises FrameError, OSError."""
        received = b""
        while True:
            message, received = self._message(connection, received)
            if message is None:
                return
            yield message

    def _message(self, connection: socket.socket, received: bytes) -> tuple[bytes | None, bytes]:
        """The next one, and what came after it; None when the sender has closed the connection."""
        deadline = time.monotonic() + self._limits.message_time if received else None
        while END not in received:
            if len(received) > self._limits.frame:
                raise FrameError(f"the message is longer than {self._limits.frame} bytes")
            if received and not received.startswith(START):
                raise FrameError("a message begins with the character VT")
            left = self._limits.idle_time if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise FrameError("the message did not come to its end in time")
            connection.settimeout(left)
            piece = connection.recv(_RECEIVED_AT_ONCE)
            if not piece:
                if received:
                    raise FrameError("the connection ended within a message")
                return None, b""
            deadline = deadline or time.monotonic() + self._limits.message_time
            received += piece if received else piece.lstrip(b"\r\n")
        message, _, after = received.partition(END)
        if not message.startswith(START) or len(message) > self._limits.frame:
            raise FrameError("a message begins with the character VT, and is no longer than is taken")
        return message.removeprefix(START), after
