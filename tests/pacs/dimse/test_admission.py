"""Who may ask for what: what is not permitted is not negotiated, or answered so."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import structlog
from pydicom import Dataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)
from pynetdicom import AE, build_role, evt
from pynetdicom.association import Association

from pacs.archive import Archive
from pacs.dimse import DimseServer, Limits, proposal
from pacs.dimse.admission import Gate, Rules, tell_refused
from pacs.dimse.negotiation import Context
from pacs.dimse.offer import Offer, Offers
from pacs.errors import StorageFailed
from pacs.index import Index
from pacs.model import EVERYTHING, Peer, Permission, Source
from testdata.ct import ct_series
from testdata.files import part10
from tests.pacs.dimse.peer import STUDY_ROOT_FIND, VERIFICATION, RawPeer, association_request
from tests.pacs.dimse.scp import receiver

CT = "1.2.840.10008.5.1.4.1.1.2"
MOVE, GET = STUDY_ROOT_FIND[:-1] + "2", STUDY_ROOT_FIND[:-1] + "3"
SERVICES = {CT: Permission.STORE, STUDY_ROOT_FIND: Permission.QUERY} | dict.fromkeys(
    (MOVE, GET), Permission.RETRIEVE
)
STORE, QUERY, RETRIEVE = (frozenset({one}) for one in Permission)
NOT_AUTHORIZED = 0x0124
# Result, source and reason (PS3.8 Table 9-21)
CALLING_UNKNOWN, CALLED_UNKNOWN, CONGESTED = (1, 1, 3), (1, 1, 7), (2, 3, 1)

EVERYBODY = Rules()

Admit = Callable[..., int]


@pytest.fixture
def admit(archive: Archive, index: Index, services: tuple[Offer, ...]) -> Iterator[Admit]:
    """Starts a front with these rules; returns its port."""
    tell_refused.cache_clear()
    with ExitStack() as stack:

        def start(rules: Rules = EVERYBODY, find: Callable[[str], Peer | None] = index.peers.find) -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            offers = Offers(services, True, Gate(rules, find))
            front = DimseServer(listener, archive, offers, Limits(20, 20, 10.0))
            front.start()
            stack.callback(front.stop, 5.0)
            port: int = listener.getsockname()[1]
            return port

        yield start


def associate(
    port: int, calling: str = "SOMEBODY", called: str = "DIAFANA", syntaxes: Any = None, **more: Any
) -> Association:
    """An association in which everything is asked for."""
    scu = AE(calling)
    for uid in (VERIFICATION, *SERVICES):
        scu.add_requested_context(uid, syntaxes or [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
    return scu.associate("127.0.0.1", port, ae_title=called, **more)


def given(association: Association) -> frozenset[Permission]:
    """What was negotiated; C-ECHO is, for everybody."""
    assert association.is_established
    accepted = {str(context.abstract_syntax) for context in association.accepted_contexts}
    assert VERIFICATION in accepted
    assert {context.result for context in association.rejected_contexts} <= {1}  # user rejection
    association.release()
    granted = {SERVICES[uid] for uid in accepted - {VERIFICATION}}
    assert {uid for uid, needs in SERVICES.items() if needs in granted} == accepted - {VERIFICATION}
    return frozenset(granted)


def know(index: Index, **what: Any) -> Peer:
    peer = Peer("SOMEBODY", "127.0.0.1", 104)._replace(**what)
    index.peers.put(peer)
    return peer


def refusal(port: int, called: str = "DIAFANA") -> tuple[int, ...] | None:
    """Why the association of RAW is rejected; None when it is not."""
    request = association_request(VERIFICATION, ExplicitVRLittleEndian)
    with RawPeer(port) as peer:
        peer.socket.sendall(request.replace(b"DIAFANA".ljust(16), called.encode().ljust(16)))
        kind, content = peer.read()
    return tuple(content[1:]) if kind == 3 else None


def test_every_service_but_verification_needs_a_permission(services: tuple[Offer, ...]) -> None:
    """But for what a peer reports of what we asked it for."""
    assert [one.name for one in services if one.needs is None] == ["C-ECHO", "N-EVENT-REPORT"]


def test_everybody_may_everything_at_first(admit: Admit) -> None:
    assert given(associate(admit(), called="WHATEVER")) == EVERYTHING


@pytest.mark.parametrize("may", [STORE, QUERY, RETRIEVE, STORE | QUERY, frozenset(), EVERYTHING])
def test_a_known_system_may_what_it_may(admit: Admit, index: Index, may: frozenset[Permission]) -> None:
    know(index, may=may)
    assert given(associate(admit(Rules(unknown=EVERYTHING)))) == may


def test_what_is_changed_holds_for_the_next_association(admit: Admit, index: Index) -> None:
    port = admit()
    for may in (STORE, QUERY, STORE):
        know(index, may=may)
        assert given(associate(port)) == may
    index.peers.remove("SOMEBODY")
    assert given(associate(port)) == EVERYTHING


def test_unknown_systems_may_what_the_rules_say(admit: Admit, index: Index) -> None:
    port = admit(Rules(unknown=STORE))
    know(index)
    assert given(associate(port)) == EVERYTHING
    assert given(associate(port, "STRANGER")) == STORE


def test_unknown_systems_that_may_nothing_are_not_recognized(admit: Admit, index: Index) -> None:
    port = admit(Rules(unknown=frozenset()))
    assert refusal(port) == CALLING_UNKNOWN
    know(index, ae_title="RAW", may=frozenset())  # it can be sent to, and asks whether we are there
    assert refusal(port) is None


def test_our_ae_titles_have_rules_of_their_own(admit: Admit, index: Index) -> None:
    rules = Rules(called={"DIAFANA": EVERYTHING, "VIEWERS": QUERY | RETRIEVE}, called_otherwise=STORE)
    port = admit(rules)
    assert given(associate(port)) == EVERYTHING
    assert given(associate(port, called="VIEWERS")) == QUERY | RETRIEVE
    assert given(associate(port, called="OTHER")) == STORE
    know(index, may=STORE | QUERY)
    assert given(associate(port, called="VIEWERS")) == QUERY


def test_other_ae_titles_than_ours_can_be_refused(admit: Admit) -> None:
    port = admit(Rules(called={"DIAFANA": EVERYTHING}, called_otherwise=frozenset()))
    assert refusal(port) is None
    assert refusal(port, "OTHER") == CALLED_UNKNOWN


def test_an_index_that_cannot_be_read_lets_nobody_in(admit: Admit) -> None:
    def find(_: str) -> Peer | None:
        raise StorageFailed("the disk is gone")

    assert refusal(admit(find=find)) == CONGESTED


def test_what_is_refused_is_logged_once_with_what_to_do(admit: Admit, index: Index) -> None:
    know(index, may=QUERY)
    port = admit()
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            given(associate(port))
            associate(port, "STRANGER").release()
    refused = [one for one in logs if one["event"] == "not permitted"]
    assert sorted((one["calling"], one["wanted"]) for one in refused) == [
        ("SOMEBODY", "retrieve"),
        ("SOMEBODY", "store"),
    ]
    assert all("diafana peer change SOMEBODY --may" in one["advice"] for one in refused)


def keep(archive: Archive, *datasets: Dataset) -> None:
    for one in datasets:
        incoming = archive.sender(Source()).begin_part10()
        incoming.write(part10(one))
        archive.store(incoming)


def test_who_may_retrieve_gets_by_c_get_and_stores_nothing(
    admit: Admit, index: Index, archive: Archive
) -> None:
    """The context of C-GET is one of storage: what comes the other way in it is refused."""
    kept, other = ct_series(slices=2, rows=32, columns=32)
    keep(archive, kept)
    know(index, may=RETRIEVE)
    got: list[str] = []

    def store(event: evt.Event) -> int:
        got.append(str(event.dataset.SOPInstanceUID))
        return 0

    role = build_role(CT, scu_role=True, scp_role=True)
    port = admit()
    association = associate(port, ext_neg=[role], evt_handlers=[(evt.EVT_C_STORE, store)])
    identifier = Dataset()
    identifier.QueryRetrieveLevel, identifier.StudyInstanceUID = "STUDY", kept.StudyInstanceUID
    statuses = [status.Status for status, _ in association.send_c_get(identifier, GET)]
    assert (statuses[-1], got) == (0, [kept.SOPInstanceUID])
    accepted = next(cx for cx in association.accepted_contexts if cx.abstract_syntax == CT)
    assert (accepted.as_scu, accepted.as_scp) == (False, True)
    association.release()
    with RawPeer(port) as peer:  # which asks all the same
        peer.socket.sendall(_request_with_roles().replace(b"RAW".ljust(16), b"SOMEBODY".ljust(16)))
        assert peer.read()[0] == 2
        assert peer.store(CT, other.SOPInstanceUID, b"") == NOT_AUTHORIZED
    assert len(archive.instances(kept.StudyInstanceUID)) == 1


def _request_with_roles() -> bytes:
    """An A-ASSOCIATE-RQ that proposes CT, and to be the SCP of it."""
    return proposal.association_request("RAW", "DIAFANA", [Context(CT, ExplicitVRLittleEndian)], [CT])


def test_things_are_moved_to_where_they_may(admit: Admit, index: Index, archive: Archive) -> None:
    (image,) = ct_series(slices=1, rows=32, columns=32)
    keep(archive, image)
    identifier = Dataset()
    identifier.QueryRetrieveLevel, identifier.StudyInstanceUID = "STUDY", image.StudyInstanceUID
    with receiver([CT], [ExplicitVRLittleEndian]) as there:
        for name in ("THERE", "ELSEWHERE"):
            know(index, ae_title=name, port=there.peer.port)
        know(index, move_to=("THERE",))
        port = admit()
        for destination, expected in (("THERE", 0), ("ELSEWHERE", NOT_AUTHORIZED), ("NOWHERE", 0xA801)):
            association = associate(port)
            *_, (last, _) = association.send_c_move(identifier, destination, MOVE)
            assert last.Status == expected
            association.release()
        assert there.uids == [image.SOPInstanceUID]


def test_preferred_transfer_syntaxes_are_accepted_first(admit: Admit, index: Index) -> None:
    proposed = [ExplicitVRLittleEndian, RLELossless, JPEGLSLossless]
    port = admit()
    for preferred, expected in (
        ((), ExplicitVRLittleEndian),
        ((JPEGLSLossless,), JPEGLSLossless),
        ((JPEG2000Lossless, RLELossless), RLELossless),
    ):
        know(index, transfer_syntaxes=preferred)
        association = associate(port, syntaxes=proposed)
        (accepted,) = [cx for cx in association.accepted_contexts if cx.abstract_syntax == CT]
        assert accepted.transfer_syntax == [expected]
        association.release()


def test_what_a_known_system_leaves_out_is_put_in(admit: Admit, index: Index, archive: Archive) -> None:
    (image,) = ct_series(slices=1, rows=32, columns=32)
    image.IssuerOfPatientID = ""
    know(index, issuer_of_patient_id="HOSPITAL A")
    association = associate(admit(), syntaxes=[ExplicitVRLittleEndian])
    assert [association.send_c_store(image).Status for _ in range(2)] == [0xB000] * 2
    association.release()
    (kept,) = archive.instances(image.StudyInstanceUID)
    assert archive.dataset(kept).IssuerOfPatientID == "HOSPITAL A"
    assert archive.dataset(kept).OriginalAttributesSequence[0].SourceOfPreviousValues == "SOMEBODY"
