"""Connections shared out between processes; here between threads, which see the same memory, too."""

import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from diafana.http_server import HttpServer
from pacs.occupancy import Occupancy


class Worker:
    """A server in a thread."""

    def __init__(self, listener: socket.socket, occupancy: Occupancy, number: int) -> None:
        ready = threading.Event()
        answer = PlainTextResponse(str(number))
        config = uvicorn.Config(answer, loop="uvloop", lifespan="off", log_config=None, access_log=False)
        self.server = HttpServer(config, occupancy.place(number), ready.set, lambda: False)
        self.thread = threading.Thread(target=self.server.run, args=([listener],))
        self.thread.start()
        assert ready.wait(10)

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


def test_connections_are_shared_out(shared: tuple[list[Worker], int, Occupancy]) -> None:
    workers, port, occupancy = shared
    connections = [connect(port) for _ in range(10)]
    assert [worker.open for worker in workers] == [5, 5]
    for connection in connections:
        connection.close()
    deadline = time.monotonic() + 10
    while occupancy.place(0).total and time.monotonic() < deadline:
        time.sleep(0.01)
    assert occupancy.place(0).total == 0


def test_what_another_does_not_take_is_taken(shared: tuple[list[Worker], int, Occupancy]) -> None:
    """A process that died may have left its number low."""
    workers, port, _ = shared
    workers[0].stop()
    connections = [connect(port) for _ in range(3)]
    assert workers[1].open == 3
    for connection in connections:
        connection.close()
