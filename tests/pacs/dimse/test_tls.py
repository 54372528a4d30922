"""Associations by TLS (PS3.15 B.12), in both directions, with DCMTK and with what goes wrong."""

import select
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from pacs.archive import Archive
from pacs.changes import Bell
from pacs.dimse import DimseServer, Limits, TlsPort, association, wire
from pacs.dimse.courier import Courier
from pacs.dimse.dialogue import echo
from pacs.dimse.offer import Offer, Offers
from pacs.dimse.requestor import PeerFailed
from pacs.dimse.sender import Sent, send
from pacs.dimse.stream import TlsStream
from pacs.dimse.tls import (
    CIPHER_SUITES,
    SUITES_OF_TLS_1_3,
    CannotUseTls,
    ClientCertificate,
    TlsFiles,
    accepting,
    calling,
)
from pacs.dimse.wire import P_DATA, PeerGone, ProtocolError, Wire, data_pdus
from pacs.index import Index
from pacs.model import Peer
from testdata.certificates import Authority, Identity
from testdata.ct import ct_series
from testdata.files import write_folder
from tests.pacs.dimse.committing import Committer, committing
from tests.pacs.dimse.peer import VERIFICATION, RawPeer, association_request
from tests.pacs.dimse.scp import storescp
from tests.pacs.dimse.working import at_work
from tests.pacs.objects import keep
from tests.waiting import wait_until

PATIENCE = 20.0  # seconds for what must happen by itself
ABORT, ACCEPT, CLOSED = 7, 2, 0

pytestmark = pytest.mark.needs("openssl", "storescu")


class Papers:
    """An authority whom we trust, what it has issued, and what another one has."""

    def __init__(self, folder: Path) -> None:
        ours = Authority(folder, "authority")
        others = Authority(folder / "others", "stranger")
        self.authorities = ours.certificate
        self.other_authorities = others.certificate
        self.here = ours.issue("here", "IP:127.0.0.1")
        self.client = ours.issue("modality")
        self.stranger = others.issue("modality", "IP:127.0.0.1")

    def files(self, identity: Identity | None, authorities: Path | None = None) -> TlsFiles:
        shown = identity or Identity(None, None)  # type: ignore[arg-type]
        return TlsFiles(*shown, authorities or self.authorities)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


StartTls = Callable[..., tuple[int, int]]


@pytest.fixture
def start(archive: Archive, services: tuple[Offer, ...], papers: Papers) -> Iterator[StartTls]:
    """Starts a front with both ports, and returns them: plain, and by TLS."""
    with ExitStack() as stack:

        def start(
            clients: ClientCertificate = ClientCertificate.REQUIRED, associations: int = 20
        ) -> tuple[int, int]:
            plain, protected = (stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2))
            context = accepting(papers.files(papers.here), clients)
            offers = Offers(services, accept_unknown_sop_classes=True)
            limits = Limits(associations, associations, 10.0)
            front = DimseServer(plain, archive, offers, limits, tls_port=TlsPort(protected, context))
            front.start()
            stack.callback(front.stop, 5.0)
            return plain.getsockname()[1], protected.getsockname()[1]

        yield start


def us(port: int) -> Peer:
    return Peer("DIAFANA", "127.0.0.1", port, tls=True)


def run(program: str, port: int, *options: str | Path, files: tuple[Path, ...] = ()) -> tuple[int, str]:
    """A program of DCMTK against us: its exit code, and what it says."""
    command = [program, *options, "-aec", "DIAFANA", "127.0.0.1", str(port), *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def shows(identity: Identity, authorities: Path) -> tuple[str | Path, ...]:
    return ("+tls", identity.key, identity.certificate, "+cf", authorities)


def test_dcmtk_stores_and_echoes_by_tls_and_without_side_by_side(
    start: StartTls, papers: Papers, archive: Archive, tmp_path: Path
) -> None:
    plain, protected = start()
    series = ct_series(slices=5, rows=64, columns=64)
    files = tuple(write_folder(series, tmp_path / "sent"))
    papers_of_client = shows(papers.client, papers.authorities)
    for profile in ("+py", "+px"):  # the profiles of BCP 195 that DCMTK 3.6.7 knows
        assert run("echoscu", protected, *papers_of_client, profile) == (0, "")
    assert run("storescu", protected, *papers_of_client, files=files[:3])[0] == 0
    assert run("storescu", plain, files=files[3:])[0] == 0
    assert len(archive.instances(series[0].StudyInstanceUID)) == 5


def test_who_shows_no_certificate_or_that_of_a_stranger_is_refused(start: StartTls, papers: Papers) -> None:
    _, protected = start()
    strange = shows(papers.stranger, papers.authorities)
    assert run("echoscu", protected, *strange)[0] != 0
    assert run("echoscu", protected, "+tla", "-ic")[0] != 0
    with pytest.raises(PeerFailed, match="does not know who issued our certificate"):
        echo(us(protected), "X", calling(papers.files(papers.stranger), check_host=True))
    with pytest.raises(PeerFailed, match="wants a certificate of ours"):
        echo(us(protected), "X", calling(papers.files(None), check_host=True))


@pytest.mark.parametrize("clients", [ClientCertificate.OPTIONAL, ClientCertificate.NONE])
def test_certificates_of_clients_can_be_left_to_them(
    start: StartTls, papers: Papers, clients: ClientCertificate
) -> None:
    _, protected = start(clients)
    echo(us(protected), "X", calling(papers.files(None), check_host=True))
    stranger = calling(papers.files(papers.stranger), check_host=True)
    if clients is ClientCertificate.NONE:
        echo(us(protected), "X", stranger)
    else:  # what is shown has to be right
        with pytest.raises(PeerFailed):
            echo(us(protected), "X", stranger)


def test_whom_we_call_has_to_be_whom_we_trust_and_mean(start: StartTls, papers: Papers) -> None:
    _, protected = start()
    mistrusting = papers.files(papers.client, papers.other_authorities)
    with pytest.raises(PeerFailed, match="no TLS: its certificate is not accepted"):
        echo(us(protected), "X", calling(mistrusting, check_host=True))
    elsewhere = us(protected)._replace(host="localhost")
    with pytest.raises(PeerFailed, match=r"Hostname mismatch.*'localhost'"):
        echo(elsewhere, "X", calling(papers.files(papers.client), check_host=True))
    echo(elsewhere, "X", calling(papers.files(papers.client), check_host=False))
    with pytest.raises(PeerFailed, match="not set up"):
        echo(us(protected), "X")


def test_old_versions_and_weak_suites_are_refused(start: StartTls, papers: Papers) -> None:
    _, protected = start()
    for weaken in (_only_tls_1_1, _only_cbc):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(papers.authorities)
        context.load_cert_chain(*papers.client)
        weaken(context)
        with (
            socket.create_connection(("127.0.0.1", protected)) as connection,
            pytest.raises((ssl.SSLError, ConnectionError)),
        ):
            context.wrap_socket(connection, server_hostname="localhost")


def _only_tls_1_1(context: ssl.SSLContext) -> None:
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1


def _only_cbc(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-RSA-AES128-SHA256")


def test_we_send_to_dcmtk_by_tls(archive: Archive, papers: Papers, tmp_path: Path) -> None:
    series = ct_series(slices=4, rows=512, columns=512)
    keep(archive, *series)
    instances = archive.instances(series[0].StudyInstanceUID)
    there = shows(papers.here, papers.authorities)
    with storescp(tmp_path / "received", *there) as peer:
        tls = calling(papers.files(papers.client), check_host=True)
        sent = list(send(archive, peer._replace(tls=True), "DIAFANA", instances, tls=tls))
        assert sent == [Sent(one.sop_instance_uid, 0) for one in instances]
        stranger = calling(papers.files(papers.stranger), check_host=True)
        with pytest.raises(PeerFailed):
            list(send(archive, peer._replace(tls=True), "DIAFANA", instances, tls=stranger))
        with pytest.raises(PeerFailed):
            list(send(archive, peer, "DIAFANA", instances))
    assert len(list((tmp_path / "received").iterdir())) == len(instances)


def test_a_commitment_is_told_by_tls_over_the_association_of_its_request(
    archive: Archive, index: Index, papers: Papers, tmp_path: Path
) -> None:
    series = ct_series(slices=2, rows=32, columns=32)
    keep(archive, *series)
    bell, uid = Bell(tmp_path / "bell"), "2.999.40.1"
    there = accepting(papers.files(papers.here), ClientCertificate.REQUIRED)
    tls = calling(papers.files(papers.client), check_host=True)
    with committing(Committer("here", pause=0.3), tls=there) as other:
        index.peers.put(other.peer)
        index.outbox.add(uid, "OTHER", archive.instances(series[0].StudyInstanceUID))
        with at_work(Courier(archive, index, "DIAFANA", bell, tls).run, bell):
            wait_until(lambda: (found := index.outbox.sending(uid)) and len(found.committed) == 2)
        assert other.answered.get(timeout=PATIENCE) == 0


def test_we_are_a_peer_of_ourselves_by_tls(start: StartTls, papers: Papers, archive: Archive) -> None:
    """Large objects in both directions, each response awaited: nothing is left lying in OpenSSL."""
    _, protected = start()
    series = ct_series(slices=6, rows=512, columns=512)
    keep(archive, *series)
    instances = archive.instances(series[0].StudyInstanceUID)
    tls = calling(papers.files(papers.client), check_host=True)
    sent = list(send(archive, us(protected), "DIAFANA", instances, tls=tls))
    assert [one.status for one in sent] == [0] * 6


def test_who_does_not_speak_tls_is_told_from_who_does(start: StartTls, papers: Papers) -> None:
    plain, protected = start()
    began = time.monotonic()
    with RawPeer(protected) as peer:
        peer.socket.sendall(association_request(VERIFICATION, ExplicitVRLittleEndian))
        while peer.socket.recv(4096):  # an alert of TLS, then the end
            pass
    assert time.monotonic() - began < PATIENCE
    with pytest.raises(PeerFailed):
        echo(us(protected)._replace(tls=False), "X")
    with pytest.raises(PeerFailed, match="no TLS: it does not speak TLS"):
        echo(us(plain), "X", calling(papers.files(papers.client), check_host=True))


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01"])
def test_a_handshake_that_never_ends_meets_the_deadline_of_a_request(
    start: StartTls, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it holds nobody up."""
    monkeypatch.setattr(association, "REQUEST_TIME", 3.0)
    plain, protected = start()
    with RawPeer(protected) as slow:
        slow.socket.sendall(said)
        with RawPeer(plain) as other:
            other.associate(VERIFICATION)
        assert slow.read()[0] == CLOSED


def test_both_ports_share_one_limit(start: StartTls) -> None:
    plain, protected = start(associations=2)
    with RawPeer(plain) as first:
        first.associate(VERIFICATION)
        with RawPeer(protected), RawPeer(protected) as late:
            assert late.read()[0] == CLOSED
            with RawPeer(plain) as later:
                assert later.read()[0] == 3


def test_the_end_of_the_service_ends_those_who_are_silent(
    archive: Archive, services: tuple[Offer, ...], papers: Papers
) -> None:
    """One within a handshake, one within an association, who is told so."""
    offers = Offers(services, accept_unknown_sop_classes=True)
    with socket.create_server(("127.0.0.1", 0)) as plain, socket.create_server(("127.0.0.1", 0)) as listener:
        port = TlsPort(listener, accepting(papers.files(papers.here), ClientCertificate.REQUIRED))
        front = DimseServer(plain, archive, offers, Limits(5, 5, 60.0), tls_port=port)
        front.start()
        with RawPeer(listener.getsockname()[1]) as silent, protected_peer(listener, papers) as (peer, _):
            peer.write(association_request(VERIFICATION, ExplicitVRLittleEndian))
            assert peer.read(PATIENCE)[0] == ACCEPT
            stopping = threading.Thread(target=front.stop, args=(0.1,))
            stopping.start()
            assert peer.read(PATIENCE)[0] == ABORT
            assert silent.read()[0] == CLOSED
            stopping.join(PATIENCE)
            assert not stopping.is_alive()


@contextmanager
def protected_peer(listener: socket.socket, papers: Papers) -> Iterator[tuple[Wire, socket.socket]]:
    """A connection by TLS to what listens there, and its socket."""
    connection = socket.create_connection(listener.getsockname())
    stream = TlsStream(connection, calling(papers.files(papers.client), check_host=True), "127.0.0.1")
    stream.agree(PATIENCE)
    yield Wire(stream), stream._connection
    stream.close()


Ends = tuple[Wire, Wire, socket.socket, socket.socket]


@pytest.fixture
def ends(papers: Papers) -> Iterator[Ends]:
    """Our end of a connection by TLS, the peer's, and the socket under each."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepted: list[TlsStream] = []

        def accept() -> None:
            context = accepting(papers.files(papers.here), ClientCertificate.REQUIRED)
            accepted.append(TlsStream(listener.accept()[0], context))
            accepted[0].agree(PATIENCE)

        thread = threading.Thread(target=accept)
        thread.start()
        with protected_peer(listener, papers) as (peer, under):
            thread.join(PATIENCE)
            ours = Wire(accepted[0])
            yield ours, peer, accepted[0]._connection, under
            ours.close()


def test_who_waits_sees_what_comes_meanwhile(ends: Ends) -> None:
    """Bytes are no end of the waiting until OpenSSL has made something of them."""
    ours, peer, _, _ = ends
    sending = threading.Timer(0.2, peer.write, data_pdus(1, False, b"x" * 8000, 16000))
    sending.start()
    assert ours.is_readable(PATIENCE)
    assert ours.read(PATIENCE)[0] == P_DATA
    sending.join()


def test_what_openssl_has_read_already_is_seen(ends: Ends) -> None:
    """Two PDUs in one record: after the first the socket has nothing more to say."""
    ours, peer, connection, _ = ends
    assert not ours.is_readable()
    one = b"".join(data_pdus(1, False, b"x" * 8000, 16000))
    peer.write(one, one)
    ours.read(PATIENCE)
    assert select.select([connection], [], [], 0)[0] == []
    assert ours.is_readable()
    assert ours.read(PATIENCE)[0] == P_DATA
    assert not ours.is_readable()
    peer.close()
    wait_until(ours.is_readable)
    with pytest.raises(PeerGone, match="closed"):
        ours.read(PATIENCE)


def test_more_than_the_peer_takes_at_once_arrives_whole(ends: Ends) -> None:
    ours, peer, *_ = ends
    sent = data_pdus(1, False, bytes(range(256)) * 80_000, 131_072)
    thread = threading.Thread(target=ours.write, args=sent)
    thread.start()
    time.sleep(0.2)  # until the buffers of both kernels are full
    heads, contents = sent[::2], sent[1::2]
    received = [bytes(peer.read(PATIENCE)[1]) for _ in heads]
    thread.join()
    assert received == [bytes(head)[6:] + bytes(one) for head, one in zip(heads, contents, strict=True)]


def test_what_breaks_within_tls_ends_the_connection(ends: Ends) -> None:
    ours, peer, _, theirs = ends
    one = b"".join(data_pdus(1, False, b"x" * 100, 16000))
    peer.write(one)
    ours.read(PATIENCE)
    socket.socket.send(theirs, b"\x17\x03\x03\x00\x20" + bytes(32))
    with pytest.raises(ProtocolError, match="no TLS"):
        ours.read(PATIENCE)


def test_a_peer_that_takes_nothing_is_let_go(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PDU_TIME", 0.5)
    with pytest.raises(PeerGone):
        ends[0].write(bytes(64 << 20))


def test_what_cannot_be_used_is_named(papers: Papers, tmp_path: Path) -> None:
    absent, junk = tmp_path / "absent.pem", tmp_path / "junk.pem"
    junk.write_text("no certificate\n")
    required = ClientCertificate.REQUIRED
    for files, said in (
        (TlsFiles(absent, None, papers.authorities), "absent.pem cannot be read: No such file"),
        (TlsFiles(papers.here.certificate, absent, papers.authorities), "absent.pem cannot be read"),
        (TlsFiles(junk, None, papers.authorities), "junk.pem"),
        (TlsFiles(papers.here.certificate, papers.client.key, papers.authorities), "KEY_VALUES_MISMATCH"),
        (TlsFiles(*papers.here, absent), "absent.pem"),
        (TlsFiles(*papers.here, junk), "junk.pem holds no certificates"),
        (TlsFiles(*papers.here, None), "are missing"),
        (TlsFiles(None, None, papers.authorities), "a certificate is missing"),
    ):
        with pytest.raises(CannotUseTls, match=said):
            accepting(files, required)


def test_the_suites_that_are_told_are_those_that_are_proposed(papers: Papers) -> None:
    context = calling(papers.files(None), check_host=True)
    proposed = {(one["protocol"], one["name"]) for one in context.get_ciphers()}
    assert proposed == {
        *(("TLSv1.3", name) for name in SUITES_OF_TLS_1_3),
        *(("TLSv1.2", name) for name in CIPHER_SUITES),
    }
