"""One connection: no peer holds a thread by being slow, neither in sending nor in taking."""

import socket
import threading
from collections.abc import Iterator
from struct import pack

import pytest

from pacs.dimse import wire
from pacs.dimse.stream import PlainStream
from pacs.dimse.wire import P_DATA, PeerGone, Wire

Ends = tuple[Wire, socket.socket]


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ends]:
    """Our end of a connection, where a PDU has half a second, and the peer's."""
    monkeypatch.setattr(wire, "PDU_TIME", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = socket.create_connection(listener.getsockname())
        ours = Wire(PlainStream(listener.accept()[0]))
    yield ours, peer
    ours.close()
    peer.close()


def test_a_pdu_comes_in_any_pieces(ends: Ends) -> None:
    ours, peer = ends
    for byte in pack(">BBI", P_DATA, 0, 4) + b"data" + pack(">BBI", P_DATA, 0, 0):
        peer.sendall(bytes([byte]))
    kind, content = ours.read(10)
    assert (kind, bytes(content)) == (P_DATA, b"data")
    kind, content = ours.read(10)
    assert (kind, bytes(content)) == (P_DATA, b"")


@pytest.mark.parametrize("said", [b"", b"\x04", pack(">BBI", P_DATA, 0, 4) + b"dat"])
def test_silence_ends_the_connection(ends: Ends, said: bytes) -> None:
    ours, peer = ends
    peer.sendall(said)
    with pytest.raises(PeerGone, match="silent"):
        ours.read(0.2)


def test_a_peer_that_sends_a_little_now_and_then_has_no_more_time(ends: Ends) -> None:
    ours, peer = ends
    done = threading.Event()

    def trickle() -> None:
        while not done.wait(0.05):
            peer.sendall(b"\x04")

    thread = threading.Thread(target=trickle)
    peer.sendall(pack(">BBI", P_DATA, 0, 10_000))
    thread.start()
    try:
        with pytest.raises(PeerGone, match="silent"):
            ours.read(10)
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("takes", [0, 1000])
def test_a_peer_that_does_not_take_what_it_asked_for_is_let_go(ends: Ends, takes: int) -> None:
    ours, peer = ends
    done = threading.Event()

    def take_little() -> None:
        while not done.wait(0.02):
            if takes:
                peer.recv(takes)

    thread = threading.Thread(target=take_little)
    thread.start()
    try:
        with pytest.raises(PeerGone):
            ours.write(bytes(64 << 20))
    finally:
        done.set()
        thread.join()


def test_what_is_sent_arrives_whole(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PDU_TIME", 60.0)
    ours, peer = ends
    peer.settimeout(60)
    sent = bytes(range(256)) * 20_000
    thread = threading.Thread(target=ours.write, args=(sent[:1000], sent[1000:]))
    thread.start()
    received = b""
    while len(received) < len(sent):
        received += peer.recv(1 << 20)
    thread.join()
    assert received == sent
