"""The listener for messages over real connections."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from hl7v2.mllp import END, START, Limits, MllpServer
from hl7v2.receiver import Receiver
from pacs.index import Index
from pacs.procedure_steps.orders import Orders
from pacs.procedure_steps.scheduled import ScheduledSteps
from testdata.orders import omi, orm

StartServer = Callable[..., int]


@pytest.fixture
def steps(index: Index) -> ScheduledSteps:
    return ScheduledSteps(index.worklist)


@pytest.fixture
def start(index: Index) -> Iterator[StartServer]:
    """Starts a listener with these limits; returns its port."""
    with ExitStack() as stack:

        def start(**limits: float) -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            woken, wake = socket.socketpair()
            stack.callback(woken.close)
            stack.callback(wake.close)
            told = threading.Event()
            kept = {"message_time": 5.0} | limits
            server = MllpServer(listener, Receiver(Orders(index.worklist)), Limits(**kept))  # type: ignore[arg-type]
            thread = threading.Thread(target=server.run, args=(told.is_set, woken))
            thread.start()
            stack.callback(thread.join)
            stack.callback(wake.send, b"!")
            stack.callback(told.set)
            port: int = listener.getsockname()[1]
            return port

        yield start


class Ris:
    """A sender of messages."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._received = b""

    def __enter__(self) -> "Ris":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, message: bytes) -> str:
        self.socket.sendall(START + message + END)
        return self.answer()

    def answer(self) -> str:
        """MSA-1 of the next acknowledgement."""
        while END not in self._received:
            piece = self.socket.recv(65536)
            assert piece, "the connection was closed"
            self._received += piece
        answer, _, self._received = self._received.partition(END)
        assert answer.startswith(START)
        msa = answer.decode().split("\r")[1]
        assert msa.startswith("MSA|")
        return msa.split("|")[1]

    def is_closed(self) -> bool:
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def test_messages_of_a_connection_are_done_in_their_order(start: StartServer, steps: ScheduledSteps) -> None:
    with Ris(start()) as ris:
        assert [ris.send(one) for one in (orm(), orm("XO"), omi())] == ["AA", "AA", "AA"]
        assert len(list(steps.search([]))) == 3
        assert [ris.send(one) for one in (orm("CA"), orm("XO"), b"MSH|^~\\&|x", b"?")] == [
            "AA",
            "AE",
            "AR",
            "AR",
        ]
    assert len(list(steps.search([]))) == 2


def test_messages_may_come_in_pieces_and_together(start: StartServer, steps: ScheduledSteps) -> None:
    with Ris(start()) as ris:
        whole = b"\r\n" + START + orm() + END + START + omi() + END
        for at in range(0, len(whole), 100):
            ris.socket.sendall(whole[at : at + 100])
            time.sleep(0.001)
        assert [ris.answer(), ris.answer()] == ["AA", "AA"]
    assert len(list(steps.search([]))) == 3


def test_what_is_no_message_ends_the_connection(start: StartServer, steps: ScheduledSteps) -> None:
    port = start()
    for content in (
        b"GET / HTTP/1.1\r\n\r\n",
        orm() + END,
        START + b"x" * 70_000 + END,
        START + b"x" * 70_000,
    ):
        with Ris(port) as ris:
            ris.socket.sendall(content)
            assert ris.is_closed(), content[:20]
    with Ris(port) as ris:
        assert ris.send(orm()) == "AA"
    assert len(list(steps.search([]))) == 1


def test_a_message_that_does_not_end_is_given_up(start: StartServer) -> None:
    with Ris(start(message_time=0.3)) as ris:
        ris.socket.sendall(START + orm()[:50])
        assert ris.is_closed()


def test_an_idle_connection_is_closed(start: StartServer) -> None:
    with Ris(start(idle_time=0.3)) as ris:
        assert ris.is_closed()


def test_connections_are_limited(start: StartServer) -> None:
    port = start(connections=2)
    with Ris(port) as one, Ris(port) as two:
        assert (one.send(orm()), two.send(orm())) == ("AA", "AA")
        with Ris(port) as three:
            assert three.is_closed()
        assert one.send(omi()) == "AA"


def test_many_senders_at_once(start: StartServer, steps: ScheduledSteps) -> None:
    port = start()
    answers: list[str] = []

    def send(number: int) -> None:
        with Ris(port) as ris:
            for step in range(5):
                named = f"S{number}-{step}".encode()
                answers.append(ris.send(orm().replace(b"SPS1001", named).replace(b"PLC1001", named)))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["AA"] * 40
    assert len(list(steps.search([]))) == 40
