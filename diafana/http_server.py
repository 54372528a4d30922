"""uvicorn on a listening socket that several processes share, each taking its part of the connections."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from dicomweb.lent_body import LENT_BODY, PIECE, LentBody
from pacs.occupancy import WAIT, WAITS, Place

_OUT_OF_DESCRIPTORS_WAIT = 0.1  # seconds
_HELD = 1 << 14  # bytes; what is longer than a head and a small body is written at once
_LAST_WORDS_TIME = 10.0  # seconds that a peer has to take what a WebSocket still sent


class _Gathering:
    """A transport that writes the head of an answer and its body together, by one call of the system.

    What is written waits for the end of this turn of the event loop, unless it is long.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: list[bytes] = []
        self._length = 0
        # What else a protocol asks of its transport goes to it directly
        self.is_closing = transport.is_closing
        self.get_extra_info = transport.get_extra_info
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.abort = transport.abort

    def write(self, data: bytes) -> None:
        """Write soon."""
        if not self._held:
            asyncio.get_running_loop().call_soon(self._write)
        self._held.append(data)
        self._length += len(data)
        if self._length > _HELD:
            self._write()

    def close(self) -> None:
        """Close once all is written."""
        self._write()
        self._transport.close()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """From here on, another protocol reads."""
        self._write()
        self._transport.set_protocol(protocol)

    def _write(self) -> None:
        held, self._held, self._length = self._held, [], 0
        if held and not self._transport.is_closing():  # the client may have left in the meantime
            self._transport.writelines(held)


class _Connection(HttpToolsProtocol):
    """A connection that tells when it begins and ends, and lends its socket to who receives a long body."""

    def __init__(self, tell: Callable[[], None], **parts: Any) -> None:
        super().__init__(**parts)
        self.ws_protocol_class = partial(_Channel, tell)  # type: ignore[assignment]
        self._tell = tell
        self._missing = 0  # bytes of the body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It is one of those that are open."""
        super().connection_made(_Gathering(transport))  # type: ignore[arg-type]
        self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is no more."""
        super().connection_lost(exc)
        self._tell()

    def on_headers_complete(self) -> None:
        """The body begins, if there is one whose length is told. A long one may be borrowed."""
        super().on_headers_complete()
        self._missing = next((int(value) for name, value in self.headers if name == b"content-length"), 0)
        if self._missing >= PIECE and self.scheme == "http":
            self.scope["extensions"] = {LENT_BODY: {"lend": partial(self._lend, self.cycle)}}

    def on_body(self, body: bytes) -> None:
        """Count what the parser has seen."""
        self._missing -= len(body)
        super().on_body(body)

    def _lend(self, cycle: RequestResponseCycle) -> LentBody | None:
        """The body of this request, unless all of it is here, or the client is not."""
        if cycle is not self.cycle or not self._missing or self.transport.is_closing():
            return None
        self.flow.pause_reading()
        if cycle.waiting_for_100_continue:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            cycle.waiting_for_100_continue = False
        arrived, cycle.body = bytes(cycle.body), bytearray()
        connection = socket.socket(fileno=os.dup(self.transport.get_extra_info("socket").fileno()))
        connection.setblocking(False)
        return LentBody(connection, arrived, self._missing, self._go_on)

    def _go_on(self, missing: int) -> None:
        """Read what follows the body; where the body is not whole, nothing can."""
        if self.transport.is_closing():
            return
        if missing:
            self.cycle.keep_alive = False
            return
        self.parser = httptools.HttpRequestParser(self)  # the one before still waits for the body
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn sets its own
        self._missing = 0
        self.cycle.more_body = False
        self.flow.resume_reading()


class _Channel(WebSocketsSansIOProtocol):
    """A connection that became a WebSocket, and tells when it ends."""

    def __init__(self, tell: Callable[[], None], **parts: Any) -> None:
        super().__init__(**parts)
        self._tell = tell

    async def run_asgi(self) -> None:
        """Serve it; at the end a peer that takes nothing in is not waited for."""
        await super().run_asgi()
        self.loop.call_later(_LAST_WORDS_TIME, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is no more."""
        super().connection_lost(exc)
        self._tell()


class HttpServer(uvicorn.Server):
    """uvicorn, which accepts while no other process has fewer connections open, and tells when it began."""

    def __init__(
        self,
        config: uvicorn.Config,
        place: Place,
        on_started: Callable[[], None],
        is_told_to_end: Callable[[], bool],
        last_words: Callable[[], Awaitable[None]],
    ) -> None:
        """is_told_to_end: whether a signal came before signals were heeded here.

        last_words: awaited at the end while connections are still open; it takes moments.
        """
        super().__init__(config)
        self._last_words = last_words
        self._is_told_to_end = is_told_to_end
        self._place = place
        self._on_started = on_started
        self._listener: socket.socket | None = None
        self._beginning: set[asyncio.Task[Any]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept from now on, and tell. sockets: the one that is listened on."""
        await super().startup([])
        (self._listener,) = sockets or []
        self._listener.setblocking(False)
        self._tell()
        self._wait_for_next(self._listener)
        self._on_started()
        self.should_exit = self.should_exit or self._is_told_to_end()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, and let what is open finish."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener = None
        await self._last_words()
        await super().shutdown(sockets)

    def _tell(self) -> None:
        self._place.tell(len(self.server_state.connections) + len(self._beginning))

    def _wait_for_next(self, listener: socket.socket) -> None:
        if self._listener is not None:
            asyncio.get_running_loop().add_reader(listener, self._take_turns, listener, 0)

    def _take_turns(self, listener: socket.socket, waited: int) -> None:
        """A connection has come: leave it for a while to a process that has fewer."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        if self._listener is None:
            return
        if waited < WAITS and not self._place.is_least:
            loop.call_later(WAIT, self._take_turns, listener, waited + 1)
            return
        try:
            connection, _ = listener.accept()
        except BlockingIOError:  # another process has taken it
            self._wait_for_next(listener)
        except OSError:
            loop.call_later(_OUT_OF_DESCRIPTORS_WAIT, self._wait_for_next, listener)
        else:
            self._begin(connection)
            self._wait_for_next(listener)

    def _begin(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        task = loop.create_task(loop.connect_accepted_socket(self._protocol, connection))
        self._beginning.add(task)
        task.add_done_callback(self._has_begun)
        self._tell()

    def _has_begun(self, task: asyncio.Task[Any]) -> None:
        self._beginning.discard(task)
        self._tell()

    def _protocol(self) -> asyncio.Protocol:
        return _Connection(
            self._tell,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
