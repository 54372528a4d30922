"""A long body of a request, received straight from its connection by the thread that works on it.

A server that can do so says it in the scope of the request, as an extension of ASGI of our own. It saves the
event loop the body, and a copy of it.
"""

import asyncio
import select
import socket
from collections.abc import Callable, Iterator
from typing import Self

from starlette.requests import ClientDisconnect, Request

LENT_BODY = "diafana.lent_body"  # the extension; its "lend" is a Callable[[], LentBody | None]

PIECE = 256_000  # bytes that a thread waits for, where so many are still to come
BETWEEN = 8192  # bytes received at once that belong to no file, or not yet
PATIENCE = 50  # milliseconds that a thread waits for more before it leaves the waiting to the event loop


class LentBody:
    """What is still to come of a body. Leaving it gives the connection back."""

    def __init__(
        self, connection: socket.socket, arrived: bytes, missing: int, give_back: Callable[[int], None]
    ) -> None:
        """connection: does not block; it is closed at the end, so give a duplicate.

        arrived: what was received already.  missing: bytes that follow.
        give_back: called at the end, with the bytes that nobody has received.
        """
        self._connection = connection
        self._arrived = arrived
        self._missing = missing
        self._give_back = give_back

    def __enter__(self) -> Self:
        self._await_more()
        return self

    def __exit__(self, *_: object) -> None:
        self._await(1)
        self._connection.close()
        self._give_back(self._missing)

    @property
    def is_whole(self) -> bool:
        """Whether all of it has been received."""
        return not self._missing

    async def more(self) -> None:
        """Return when more has come, or the sender has broken off."""
        loop, come = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._connection, come.set)
        try:
            await come.wait()
        finally:
            loop.remove_reader(self._connection)

    def pieces(self, room: Callable[[], memoryview | None]) -> Iterator[bytes | memoryview]:
        """For a thread: what comes, until it is whole or nothing comes for a while.

        room: asked before each piece. What it gives is filled, and what was filled of it is the piece.
        Raises ClientDisconnect when the sender has broken off.
        """
        if self._arrived:
            arrived, self._arrived = self._arrived, b""
            yield arrived
        while self._missing:
            piece = self._receive(room())
            if piece is not None:
                self._missing -= len(piece)
                if self._missing < PIECE:
                    self._await_more()
                yield piece
            elif not self._has_more():
                return

    def _receive(self, room: memoryview | None) -> bytes | memoryview | None:
        """What is there now; None when nothing is. Asking first whether something is would cost a turn."""
        try:
            if room is None:
                piece: bytes | memoryview = self._connection.recv(min(self._missing, BETWEEN))
            else:
                piece = room[: self._connection.recv_into(room, min(self._missing, len(room)))]
        except BlockingIOError:
            return None
        except OSError as error:
            raise ClientDisconnect from error
        if not piece:
            raise ClientDisconnect
        return piece

    def _has_more(self) -> bool:
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        return bool(poll.poll(PATIENCE))

    def _await_more(self) -> None:
        """Have the kernel wait for a whole piece, or for what is missing."""
        self._await(max(1, min(self._missing, PIECE)))

    def _await(self, count: int) -> None:
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, count)


def borrow(request: Request) -> LentBody | None:
    """The body of the request, where the server lends it: long, with its length told, and not encrypted."""
    extension = request.scope.get("extensions", {}).get(LENT_BODY)
    if extension is None:
        return None
    lend: Callable[[], LentBody | None] = extension["lend"]
    return lend()
