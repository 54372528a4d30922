"""Connections shared out between processes; here between threads, which see the same memory, too."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from http.client import HTTPConnection
from itertools import cycle
from random import Random
from typing import Any

import pytest
import uvicorn
import uvloop
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.sync.client import connect as connect_websocket

from diafana import http_server
from diafana.http_server import HttpServer
from dicomweb.lent_body import PATIENCE, PIECE, LentBody, borrow
from pacs.occupancy import Occupancy
from tests.waiting import wait_until


class Worker:
    """A server in a thread."""

    def __init__(self, listener: socket.socket, occupancy: Occupancy, number: int) -> None:
        ready = threading.Event()
        self.number = number
        self.broken_off = threading.Event()
        config = uvicorn.Config(
            self.answer,
            interface="asgi3",
            loop="uvloop",
            lifespan="off",
            log_config=None,
            access_log=False,
            ws="websockets-sansio",
        )
        self.open_at_last: list[int] = []
        self.server = HttpServer(
            config, occupancy.place(number), ready.set, lambda: False, self.say_last_words
        )
        self.thread = threading.Thread(target=self.server.run, args=([listener],))
        self.thread.start()
        assert ready.wait(10)

    async def say_last_words(self) -> None:
        """Note how many could still hear them."""
        self.open_at_last.append(self.open)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """With its number, or with the digest of the body, or without having received it."""
        if scope["type"] == "websocket":
            await self.flood(scope, receive, send)
            return
        if scope["path"] == "/unread":
            await PlainTextResponse("unread")(scope, receive, send)
            return
        digest = sha256()
        try:
            request = Request(scope, receive)
            body = borrow(request) if scope["path"] == "/lent" else None
            if body is None:
                async for piece in request.stream():
                    digest.update(piece)
            else:
                with body:
                    await self.receive_directly(body, digest)
        except ClientDisconnect:
            self.broken_off.set()
            return
        words = str(self.number) if scope["method"] == "GET" else digest.hexdigest()
        await PlainTextResponse(words)(scope, receive, send)

    async def flood(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A WebSocket, into which much is sent once the peer says so, and then no more."""
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        with suppress(WebSocketDisconnect, TimeoutError):
            await websocket.receive_text()
            while True:
                await asyncio.wait_for(websocket.send_bytes(bytes(1_000_000)), 0.1)

    async def receive_directly(self, body: LentBody, digest: Any) -> None:
        memory = memoryview(bytearray(100_000))
        rooms = cycle((memory, None, memory[:1]))

        def take() -> None:
            for piece in body.pieces(lambda: next(rooms)):
                digest.update(piece)

        while not body.is_whole:
            await body.more()
            await asyncio.to_thread(take)

    @property
    def open(self) -> int:
        return len(self.server.server_state.connections)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def shared() -> Iterator[tuple[list[Worker], int, Occupancy]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        occupancy = Occupancy(2)
        workers = [Worker(listener.dup(), occupancy, number) for number in range(2)]
        yield workers, listener.getsockname()[1], occupancy
        for worker in workers:
            worker.stop()


def connect(port: int) -> HTTPConnection:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/")
    assert connection.getresponse().read() in (b"0", b"1")
    return connection


def test_connections_are_shared_out(
    shared: tuple[list[Worker], int, Occupancy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "WAITS", 5000)  # one that is held up is waited for
    workers, port, occupancy = shared
    connections = [connect(port) for _ in range(10)]
    assert [worker.open for worker in workers] == [5, 5]
    for connection in connections:
        connection.close()
    assert_all_ended(occupancy)


def test_head_and_body_of_an_answer_come_together(shared: tuple[list[Worker], int, Occupancy]) -> None:
    _, port, _ = shared
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for path in (b"/", b"/unread"):
            connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head, end, body = connection.recv(65536).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert end
            assert body in (b"0", b"1", b"unread")


def test_what_is_held_for_who_has_left_is_dropped() -> None:
    async def leave() -> list[dict[str, Any]]:
        loop = asyncio.get_running_loop()
        failures: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: failures.append(context))
        ours, theirs = socket.socketpair()
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, ours)
        gathering = http_server._Gathering(transport)
        transport.abort()
        await asyncio.sleep(0.05)
        gathering.write(b"HTTP/1.1 200 OK")
        await asyncio.sleep(0.05)
        assert theirs.recv(100) == b""
        theirs.close()
        return failures

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(leave()) == []


def assert_all_ended(occupancy: Occupancy) -> None:
    wait_until(lambda: occupancy.place(0).total == 0)


def test_a_websocket_is_counted_until_it_ends(shared: tuple[list[Worker], int, Occupancy]) -> None:
    _, port, occupancy = shared
    with connect_websocket(f"ws://127.0.0.1:{port}/"):
        assert occupancy.place(0).total == 1
    assert_all_ended(occupancy)


def test_a_websocket_ends_although_its_peer_takes_nothing_in(
    shared: tuple[list[Worker], int, Occupancy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "_LAST_WORDS_TIME", 0.1)
    _, port, occupancy = shared
    key = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    request = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + key
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        assert connection.recv(12) == b"HTTP/1.1 101"
        connection.sendall(b"\x81\x80\x00\x00\x00\x00")  # an empty text
        assert_all_ended(occupancy)


def test_last_words_are_said_once_while_connections_are_open(alone: tuple[Worker, int]) -> None:
    worker, port = alone
    with connect_websocket(f"ws://127.0.0.1:{port}/"):
        worker.stop()
        assert worker.open_at_last == [1]


def test_what_another_does_not_take_is_taken(shared: tuple[list[Worker], int, Occupancy]) -> None:
    """A process that died may have left its number low."""
    workers, port, _ = shared
    workers[0].stop()
    connections = [connect(port) for _ in range(3)]
    assert workers[1].open == 3
    for connection in connections:
        connection.close()


@pytest.fixture
def alone() -> Iterator[tuple[Worker, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        worker = Worker(listener.dup(), Occupancy(1), 0)
        yield worker, listener.getsockname()[1]
        worker.stop()


LENGTHS = (0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7, 2 * PIECE)


@pytest.mark.parametrize("path", ["/", "/lent"])
@pytest.mark.parametrize("most", [100_000, 3 * PIECE])
def test_bodies_arrive_as_they_were_sent_one_after_the_other(
    alone: tuple[Worker, int], most: int, path: str
) -> None:
    random = Random(most)
    connection = connect(alone[1])
    for length in LENGTHS:
        body = random.randbytes(length)
        connection.putrequest("POST", path)
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        at = 0
        while at < length:
            size = random.randint(1, most)
            connection.send(body[at : at + size])
            at += size
            time.sleep(random.choice((0, 0.001)))
        assert connection.getresponse().read().decode() == sha256(body).hexdigest()
    connection.close()


def test_a_body_of_unknown_length_arrives_and_what_follows_it(alone: tuple[Worker, int]) -> None:
    connection = connect(alone[1])
    pieces = [Random(number).randbytes(length) for number, length in enumerate(LENGTHS) if length]
    for body in (iter(pieces), b"".join(pieces)):
        connection.request("POST", "/", body)
        assert connection.getresponse().read().decode() == sha256(b"".join(pieces)).hexdigest()
    connection.close()


@pytest.mark.parametrize("path", ["/", "/lent"])
@pytest.mark.parametrize("length", [10, 2 * PIECE, 3 * PIECE + 7])
def test_what_follows_a_long_body_at_once_is_answered(
    alone: tuple[Worker, int], length: int, path: str
) -> None:
    body = Random(length).randbytes(length)
    head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (path.encode(), length)
    with socket.create_connection(("127.0.0.1", alone[1]), timeout=10) as connection:
        last = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        connection.sendall((head + body) * 2 + last + b"which nobody reads")
        with connection.makefile("rb") as answers:
            answer = answers.read()
    digest = sha256(body).hexdigest().encode()
    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert answer.count(digest) == 2
    assert answer.endswith(b"\r\n\r\n0")


def test_a_long_body_that_nobody_receives_is_passed_over(alone: tuple[Worker, int]) -> None:
    connection = connect(alone[1])
    for _ in range(2):
        connection.request("POST", "/unread", bytes(5 * PIECE + 3))
        assert connection.getresponse().read() == b"unread"
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"0"
    connection.close()


@pytest.mark.parametrize("path", ["/", "/lent"])
@pytest.mark.parametrize("sent", [0, 10, PIECE, PIECE + 10])
def test_a_body_that_is_not_sent_to_its_end_is_broken_off(
    alone: tuple[Worker, int], sent: int, path: str
) -> None:
    worker, port = alone
    connection = connect(port)
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", str(5 * PIECE))
    connection.endheaders()
    connection.send(bytes(sent))
    connection.close()
    assert worker.broken_off.wait(10)


def test_requests_sent_before_the_first_is_answered_are_answered(alone: tuple[Worker, int]) -> None:
    body = bytes(PIECE + 5)
    request = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with socket.create_connection(("127.0.0.1", alone[1]), timeout=10) as connection:
        connection.sendall(request * 3)
        answers = b""
        while answers.count(sha256(body).hexdigest().encode()) < 3:
            answers += (received := connection.recv(65536))
            assert received


def test_a_sender_that_pauses_is_waited_for(alone: tuple[Worker, int]) -> None:
    body = Random(3).randbytes(3 * PIECE)
    connection = connect(alone[1])
    connection.putrequest("POST", "/lent")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    for part in (body[: PIECE + 7], body[PIECE + 7 :]):
        connection.send(part)
        time.sleep(4 * PATIENCE / 1000)  # so that the thread leaves the waiting to the event loop
    assert connection.getresponse().read().decode() == sha256(body).hexdigest()
    connection.close()


def test_who_waits_to_be_told_to_go_on_is_told(alone: tuple[Worker, int]) -> None:
    body = bytes(2 * PIECE)
    head = b"POST /lent HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", alone[1]), timeout=10) as connection:
        connection.sendall(head)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert b"200 OK" in connection.recv(1000)
