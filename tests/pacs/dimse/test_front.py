"""The front under attack and under load: limits before memory, deadlines, an orderly end."""

import resource
import socket
import threading
import time
from struct import pack

import psutil
import pytest
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from structlog.testing import capture_logs

from pacs.archive import Archive
from pacs.dimse import DimseServer, Limits, server, wire
from pacs.dimse.answers import C_ECHO, C_STORE
from pacs.dimse.c_echo import Echo
from pacs.dimse.c_store import Store
from pacs.dimse.command import C_ECHO_RQ, C_STORE_RQ, NO_DATA_SET, decode_command, encode_command
from pacs.dimse.offer import Offer, Offers
from pacs.dimse.wire import MAXIMUM_ASSOCIATE, MAXIMUM_PDU, data_pdus
from pacs.occupancy import Occupancy
from testdata.ct import ct_series
from tests.pacs.dimse.conftest import StartFront
from tests.pacs.dimse.peer import (
    SECONDARY_CAPTURE,
    VERIFICATION,
    RawPeer,
    associated,
    association_request,
    pdu,
)

ABORT, CLOSED, REJECTED = 7, 0, 3
OFFERS = Offers(
    [
        Offer("C-ECHO", "A", C_ECHO_RQ, (VERIFICATION,), Echo, C_ECHO),
        Offer("C-STORE", "B", C_STORE_RQ, (), Store, C_STORE),
    ],
    accept_unknown_sop_classes=False,
)
GRAYSCALE_PRINT, HANGING_PROTOCOL_FIND = "1.2.840.10008.5.1.1.9", "1.2.840.10008.5.1.4.38.2"


def echo(port: int) -> int:
    with associated(port, (VERIFICATION, ExplicitVRLittleEndian)) as association:
        return int(association.send_c_echo().Status)


def test_c_echo_is_answered(port: int) -> None:
    assert echo(port) == 0


def test_who_only_looks_whether_the_port_is_open_is_no_warning(port: int) -> None:
    with capture_logs() as logs:
        socket.create_connection(("127.0.0.1", port)).close()
        with RawPeer(port) as peer:
            peer.associate()
        while len(told := [log for log in logs if log["event"] == "association broken off"]) < 2:
            time.sleep(0.01)
    assert sorted(log["log_level"] for log in told) == ["info", "warning"]


def test_the_log_names_the_services_that_are_refused(port: int) -> None:
    ae = AE()
    for uid in (GRAYSCALE_PRINT, VERIFICATION, HANGING_PROTOCOL_FIND):
        ae.add_requested_context(uid)
    with capture_logs() as logs:
        ae.associate("127.0.0.1", port).release()
        echo(port)
    first, second = (log for log in logs if log["event"] == "association accepted")
    assert first["refused"] == (
        "Basic Grayscale Print Management Meta SOP Class",
        "Hanging Protocol Information Model - FIND",
    )
    assert "refused" not in second


@pytest.mark.parametrize("kind", [1, 4])
@pytest.mark.parametrize("length", [0xFFFFFFFF, 400 << 20, max(MAXIMUM_PDU, MAXIMUM_ASSOCIATE) + 1])
def test_a_pdu_that_announces_too_much_is_refused_before_memory_is_taken(
    kind: int, length: int, port: int
) -> None:
    before = psutil.Process().memory_info().rss
    with RawPeer(port) as peer:
        if kind == 4:
            peer.associate()
        peer.socket.sendall(pdu(kind, b"x" * 1000, length))
        assert peer.read() == (ABORT, bytes([0, 0, 2, 6]))
        assert peer.read()[0] == CLOSED
    assert psutil.Process().memory_info().rss - before < 20 << 20
    assert echo(port) == 0


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        pdu(9, b""),
        pdu(4, b"\0\0\0\x02\x01\x03"),
        pdu(5, b"\0\0\0\0"),
        pdu(1, b""),
        pdu(1, b"\0\x01" + bytes(2) + b"A" * 16 + b"B" * 16 + bytes(32) + b"\x10\0\xff\xffshort"),
    ],
    ids=["HTTP", "unknown type", "data first", "release first", "empty request", "request cut off"],
)
def test_what_is_no_association_request_is_aborted(sent: bytes, port: int) -> None:
    with RawPeer(port) as peer:
        peer.socket.sendall(sent)
        assert peer.read()[0] == ABORT
    assert echo(port) == 0


def test_another_application_context_is_rejected(port: int) -> None:
    with RawPeer(port) as peer:
        peer.socket.sendall(
            association_request(VERIFICATION, ExplicitVRLittleEndian).replace(b"3.1.1.1", b"3.1.1.9")
        )
        assert peer.read() == (REJECTED, bytes([0, 1, 1, 2]))


@pytest.mark.parametrize(
    "values",
    [
        pack(">IBB", 500, 1, 3) + b"x" * 10,
        pack(">IBB", 1, 1, 3),
        b"\0\0\0",
        pack(">IBB", 6, 1, 2) + b"data",
        pack(">IBB", 6, 99, 3) + b"data",
        pack(">IBB", 10, 1, 3) + b"\0\0\0\x09\xff\0\0\0",
    ],
    ids=["too long", "too short", "cut off", "data without command", "unknown context", "bad command"],
)
def test_broken_data_values_are_aborted(values: bytes, port: int) -> None:
    with RawPeer(port) as peer:
        peer.associate()
        peer.socket.sendall(pdu(4, values))
        assert peer.read()[0] == ABORT
    assert echo(port) == 0


def test_a_command_set_that_never_ends_is_aborted(port: int) -> None:
    with RawPeer(port) as peer:
        peer.associate()
        for _ in range(20):
            peer.socket.sendall(pdu(4, pack(">IBB", 4098, 1, 1) + bytes(4096)))
        assert peer.read()[0] == ABORT


def test_a_peer_that_sends_byte_by_byte_meets_a_deadline(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PDU_TIME", 0.5)
    with RawPeer(port) as peer:
        request = association_request(VERIFICATION, ExplicitVRLittleEndian)
        began = time.monotonic()
        for byte in request:
            try:
                peer.socket.sendall(bytes([byte]))
            except OSError:
                break
            time.sleep(0.05)
            if time.monotonic() - began > 10:
                pytest.fail("it was listened to for ever")
        assert peer.read()[0] == CLOSED


def test_an_idle_association_is_ended(start_front: StartFront) -> None:
    with RawPeer(start_front(idle_time=0.3)) as peer:
        peer.associate()
        assert peer.read()[0] == CLOSED


def test_associations_beyond_the_limit_are_refused_without_a_thread(start_front: StartFront) -> None:
    port = start_front(associations=5)
    peers = [RawPeer(port) for _ in range(5)]
    for peer in peers:
        peer.associate()
    threads = threading.active_count()
    for _ in range(20):
        with RawPeer(port) as late:
            assert late.read() == (REJECTED, bytes([0, 2, 3, 2]))
    assert threading.active_count() <= threads
    peers.pop().socket.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with RawPeer(port) as next_one:
            next_one.socket.sendall(association_request(VERIFICATION, ExplicitVRLittleEndian))
            if next_one.read()[0] == 2:
                break
    else:
        pytest.fail("the place that became free was not given away")
    for peer in peers:
        peer.socket.close()


def test_associations_are_shared_out_between_those_who_accept(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "WAITS", 5000)  # one that is held up is waited for
    with socket.create_server(("127.0.0.1", 0)) as listener, listener.dup() as same:
        occupancy, limits = Occupancy(2), Limits(12, 50, 10.0)
        fronts = [
            DimseServer(one, archive, OFFERS, limits, occupancy.place(number))
            for number, one in enumerate((listener, same))
        ]
        for front in fronts:
            front.start()
        peers = [RawPeer(listener.getsockname()[1]) for _ in range(12)]
        for peer in peers:
            peer.associate(VERIFICATION)
        assert [front.number_open for front in fronts] == [6, 6]
        with RawPeer(listener.getsockname()[1]) as late:  # the limit is that of all
            assert late.read() == (REJECTED, bytes([0, 2, 3, 2]))
        for peer in peers:
            peer.socket.close()
        for front in fronts:
            front.stop(5.0)


def test_one_address_cannot_take_all_places(start_front: StartFront) -> None:
    port = start_front(associations=50, from_one_address=2)
    with RawPeer(port) as first, RawPeer(port) as second, RawPeer(port) as third:
        first.associate()
        second.associate()
        assert third.read()[0] == REJECTED


def test_half_open_connections_cost_no_more_than_their_limit(start_front: StartFront) -> None:
    port = start_front(associations=30, from_one_address=30)
    threads = threading.active_count()
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    peers = [RawPeer(port) for _ in range(min(200, soft // 4))]
    for peer in peers[30:]:
        assert peer.read()[0] == REJECTED
    assert threading.active_count() - threads <= 30
    for peer in peers:
        peer.socket.close()


def test_associations_finish_while_the_front_stops_and_no_new_ones_begin(archive: Archive) -> None:
    series = ct_series(slices=10, rows=64, columns=64)
    sender = AE("SENDER")
    sender.add_requested_context(series[0].SOPClassUID, ExplicitVRLittleEndian)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        front = DimseServer(listener, archive, OFFERS, Limits(5, 5, 10.0))
        front.start()
        association = sender.associate("127.0.0.1", listener.getsockname()[1])
        assert association.send_c_store(series[0]).Status == 0
        stopping = threading.Thread(target=front.stop, args=(20.0,))
        stopping.start()
        assert [association.send_c_store(dataset).Status for dataset in series[1:]] == [0] * 9
        association.release()
        stopping.join(20.0)
        assert not stopping.is_alive()
    assert len(archive.instances(series[0].StudyInstanceUID)) == 10


def test_an_association_that_does_not_finish_is_ended(archive: Archive) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        front = DimseServer(listener, archive, OFFERS, Limits(5, 5, 10.0))
        front.start()
        with RawPeer(listener.getsockname()[1]) as peer:
            peer.associate()
            front.stop(0.1)
            assert peer.read()[0] == ABORT


def test_an_unrecognized_request_is_answered_so(port: int) -> None:
    with RawPeer(port) as peer:
        peer.associate()
        command = {"AffectedSOPClassUID": SECONDARY_CAPTURE, "CommandField": 0x0021, "MessageID": 7}
        for one in data_pdus(1, True, encode_command(command | {"CommandDataSetType": NO_DATA_SET}), 16384):
            peer.socket.sendall(one)
        kind, content = peer.read()
        assert kind == 4
        response = decode_command(content[6:])
        assert (response["Status"], response["MessageIDBeingRespondedTo"]) == (0x0211, 7)
        assert response["CommandField"] == 0x8021
