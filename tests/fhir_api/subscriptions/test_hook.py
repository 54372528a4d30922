"""Whatever a subscriber answers, a call ends."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from fhir_api.answers import Addresses
from fhir_api.subscriptions import hook as hook_module
from fhir_api.subscriptions.hook import CallFailed, RestHook
from fhir_api.subscriptions.model import Status, Subscription
from tests.fhir_api.subscriptions.conftest import JSON
from tests.fhir_api.subscriptions.subscriber import Subscriber

Speaker = Callable[[Callable[[socket.socket], None]], str]


PATIENT = (20.0, 40.0)
FOUND = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"


def subscription(endpoint: str, **channel: object) -> Subscription:
    content = {"criteria": "Device", "channel": {"type": "rest-hook", "endpoint": endpoint, **channel}}
    return Subscription("a", 1, 0, Status.REQUESTED, "", content, Addresses("", ""), 0, 0)


@pytest.fixture
def speaker() -> Iterator[Speaker]:
    """Makes a server that says what it is told to each who connects; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def begin(speak: Callable[[socket.socket], None]) -> str:
        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                speak(connection)

        threads.append(threading.Thread(target=serve))
        threads[0].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield begin
    for thread in threads:
        thread.join()
    listener.close()


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[RestHook]:
    """Waits so many seconds for a part of an answer, and for the whole."""
    timeout, deadline = getattr(request, "param", PATIENT)
    monkeypatch.setattr(hook_module, "TIMEOUT", timeout)
    monkeypatch.setattr(hook_module, "DEADLINE", deadline)
    hook = RestHook()
    yield hook
    hook.close()


def test_a_body_without_end_is_not_read(speaker: Speaker, hook: RestHook) -> None:
    def speak(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:  # until the other side has enough
            connection.sendall(b"x" * 65536)

    hook.greet(subscription(speaker(speak)))


def drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    stop = threading.Event()
    for number in range(100):
        connection.sendall(f"X-{number}: y\r\n".encode())
        stop.wait(0.1)


def saying(text: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(text)


@pytest.mark.parametrize(
    ("hook", "speak", "reason"),
    [
        ((20.0, 1.5), drip, "no answer: TimeoutError"),
        ((0.5, 40.0), lambda connection: connection.recv(1), "no answer: ReadTimeout"),
        (PATIENT, saying(b"220 mail.example.org ESMTP\r\n"), "no answer: RemoteProtocolError"),
        (PATIENT, lambda connection: connection.close(), "no answer: "),
        (PATIENT, saying(FOUND), "answered with 302"),
    ],
    indirect=["hook"],
)
def test_what_is_no_answer_is_a_failure(
    speaker: Speaker, hook: RestHook, speak: Callable[[socket.socket], None], reason: str
) -> None:
    with pytest.raises(CallFailed) as failed:
        hook.greet(subscription(speaker(speak)))
    assert str(failed.value).startswith(reason)
    assert not failed.value.is_refused


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:9/", "http://no.such.host.invalid/", "http://h:99999/"]
)
def test_an_address_where_nobody_is_is_a_failure(hook: RestHook, endpoint: str) -> None:
    with pytest.raises(CallFailed) as failed:
        hook.greet(subscription(endpoint, payload=JSON))
    assert "no answer" in str(failed.value)


def test_a_connection_is_used_again(subscriber: Subscriber, hook: RestHook) -> None:
    for _ in range(3):
        hook.greet(subscription(subscriber.url))
    assert len(subscriber.calls) == 3
    assert len({call.client_port for call in subscriber.calls}) == 1
