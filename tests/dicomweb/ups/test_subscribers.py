"""Subscriptions and notification connections (PS3.18 11.10 to 11.13, 8.10)."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from dicomweb.ups import channel as channels
from testdata.workitems import dicom_json, new_workitem, performer
from tests.dicomweb.ups.conftest import LOCK, PATIENCE, WorklistService, told
from tests.waiting import wait_until

UID = "2.999.39.7.7"
WORKLIST, FILTERED = "1.2.840.10008.5.1.4.34.5", "1.2.840.10008.5.1.4.34.5.1"


@pytest.fixture
def scheduled(service: WorklistService) -> WorklistService:
    service.create(UID, ScheduledStationNameCodeSequence=None)
    return service


def subscribe(service: WorklistService, resource: str, ae_title: str, query: str = "") -> None:
    response = service.http.post(f"/workitems/{resource}/subscribers/{ae_title}{query}")
    assert (response.status_code, response.content) == (201, b""), response.text
    assert response.headers["content-location"] == (
        f"{service.url.replace('http', 'ws')}/subscribers/{ae_title}"
    )


def test_a_subscriber_is_told_as_it_happens(scheduled: WorklistService) -> None:
    with scheduled.channel("WATCHER") as channel:
        subscribe(scheduled, UID, "WATCHER")
        assert told(channel) == {
            "00000002": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.34.6.1"]},
            "00000110": {"vr": "US", "Value": [1]},
            "00001000": {"vr": "UI", "Value": [UID]},
            "00001002": {"vr": "US", "Value": [1]},
            "00404041": {"vr": "CS", "Value": ["READY"]},
            "00741000": {"vr": "CS", "Value": ["SCHEDULED"]},
        }
        scheduled.change_state(UID, "IN PROGRESS")
        report = told(channel)
        assert (report["00741000"]["Value"], report["00000110"]["Value"]) == (["IN PROGRESS"], [2])


def test_what_happened_meanwhile_is_told_on_connection(scheduled: WorklistService) -> None:
    subscribe(scheduled, UID, "WATCHER")
    scheduled.change_state(UID, "IN PROGRESS")
    with scheduled.channel("WATCHER") as channel:
        assert [told(channel)["00741000"]["Value"] for _ in range(2)] == [["SCHEDULED"], ["IN PROGRESS"]]
    scheduled.post(f"/workitems/{UID}?{LOCK}", dicom_json(InputReadinessState="INCOMPLETE"))
    with scheduled.channel("WATCHER") as channel:
        readiness = ""
        while readiness != "INCOMPLETE":  # what was told when the channel closed may be told again
            (readiness,) = told(channel)["00404041"]["Value"]


def test_many_subscribers_are_told_each_his_own(scheduled: WorklistService) -> None:
    with scheduled.channel("ALL") as everything, scheduled.channel("AI") as some:
        subscribe(scheduled, WORKLIST, "ALL")
        subscribe(scheduled, FILTERED, "AI", "?filter=WorklistLabel=IA,00741200=HIGH")
        scheduled.create("2.999.1", WorklistLabel="Altra")
        scheduled.create("2.999.2", WorklistLabel="IA", ScheduledProcedureStepPriority="HIGH")
        assert [told(everything)["00001000"]["Value"][0] for _ in range(4)] == ["2.999.1"] * 2 + [
            "2.999.2"
        ] * 2
        assert told(some)["00001000"]["Value"] == ["2.999.2"]


def test_a_filter_may_be_spelt_as_a_search(scheduled: WorklistService) -> None:
    subscribe(
        scheduled, FILTERED, "AI", "?deletionlock=true&PatientName=*letizia*&WorklistLabel=Refertazione"
    )
    with scheduled.channel("AI") as channel:
        assert told(channel)["00001000"]["Value"] == [UID]


def test_a_comma_may_be_part_of_a_value(service: WorklistService) -> None:
    subscribe(service, FILTERED, "AI", "?filter=ProcedureStepLabel=uno,%20due,WorklistLabel=IA")
    service.create("2.999.1", WorklistLabel="IA", ProcedureStepLabel="uno, due")
    with service.channel("AI") as channel:
        assert told(channel)["00001000"]["Value"] == ["2.999.1"]


def test_who_unsubscribes_or_suspends_is_told_no_more(scheduled: WorklistService) -> None:
    subscribe(scheduled, UID, "ONE")
    subscribe(scheduled, WORKLIST, "TWO")
    subscribe(scheduled, WORKLIST, "THREE", "?deletionlock=true")
    delete, post = scheduled.http.delete, scheduled.http.post
    assert delete(f"/workitems/{UID}/subscribers/ONE").status_code == 200
    assert delete(f"/workitems/{WORKLIST}/subscribers/TWO").status_code == 200
    assert post(f"/workitems/{WORKLIST}/subscribers/THREE/suspend").status_code == 200
    scheduled.create("2.999.1")
    scheduled.change_state(UID, "IN PROGRESS")
    with scheduled.channel("THREE") as channel:
        assert [told(channel)["00741000"]["Value"] for _ in range(2)] == [["SCHEDULED"], ["IN PROGRESS"]]
    for path in (f"{UID}/subscribers/ONE", f"{WORKLIST}/subscribers/TWO", f"{FILTERED}/subscribers/NOBODY"):
        assert delete(f"/workitems/{path}").status_code == 404
    assert post(f"/workitems/{WORKLIST}/subscribers/THREE/suspend").status_code == 404
    assert post(f"/workitems/{UID}/subscribers/ONE/suspend").status_code == 400


def test_the_owner_of_a_work_item_hears_of_a_request_to_cancel(scheduled: WorklistService) -> None:
    scheduled.change_state(UID, "IN PROGRESS")
    with scheduled.channel("PERFORMER") as channel:
        subscribe(scheduled, UID, "PERFORMER")
        told(channel)
        wish = dicom_json(ReasonForCancellation="doppione", ContactURI="tel:+39")
        assert scheduled.post(f"/workitems/{UID}/cancelrequest", wish).status_code == 202
        report = told(channel)
    assert report["00001002"]["Value"] == [2]
    assert report["00741236"]["Value"] == ["DIAFANA"]
    assert wish.items() <= report.items()


def test_a_later_channel_takes_the_place_of_an_earlier_one(scheduled: WorklistService) -> None:
    with scheduled.channel("WATCHER") as earlier, scheduled.channel("WATCHER") as later:
        with pytest.raises(ConnectionClosed) as closed:
            earlier.recv(timeout=PATIENCE)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1001
        subscribe(scheduled, UID, "WATCHER")
        assert told(later)["00001000"]["Value"] == [UID]


def test_what_a_subscriber_says_is_passed_over(scheduled: WorklistService) -> None:
    with scheduled.channel("WATCHER") as channel:
        channel.send("hello")
        channel.send(b"\x00" * 100)
        subscribe(scheduled, UID, "WATCHER")
        assert told(channel)["00001000"]["Value"] == [UID]


def test_a_long_message_ends_the_channel(scheduled: WorklistService) -> None:
    with scheduled.channel("WATCHER") as channel:
        channel.send("x" * 5000)
        with pytest.raises(ConnectionClosed):
            channel.recv(timeout=PATIENCE)


@pytest.mark.parametrize("ae_title", ["A" * 17, "%20", "A%5CB", "%C3%A9", "A%0AB", "A%00"])
def test_what_is_no_ae_title_is_refused(scheduled: WorklistService, ae_title: str) -> None:
    assert scheduled.http.post(f"/workitems/{UID}/subscribers/{ae_title}").status_code == 400
    assert scheduled.http.delete(f"/workitems/{UID}/subscribers/{ae_title}").status_code == 400
    with pytest.raises(InvalidStatus) as refused:
        scheduled.channel(ae_title)
    assert refused.value.response.status_code == 400


def test_what_cannot_be_subscribed_to_is_refused(scheduled: WorklistService) -> None:
    post = scheduled.http.post
    assert post("/workitems/2.999.404/subscribers/WATCHER").status_code == 404
    assert post("/workitems/x/subscribers/WATCHER").status_code == 400
    assert post(f"/workitems/{UID}/subscribers/WATCHER?deletionlock=maybe").status_code == 400
    for query in ("", "?filter=", "?filter=Nonsense=1", "?ScheduledProcedureStepStartDateTime=x"):
        assert post(f"/workitems/{FILTERED}/subscribers/WATCHER{query}").status_code == 400
    assert scheduled.http.delete(f"/workitems/{WORKLIST}/subscribers/WATCHER").status_code == 404


def test_pages_of_other_hosts_are_told_nothing(service: WorklistService) -> None:
    with pytest.raises(InvalidStatus) as refused:
        service.channel("WATCHER", origin="http://elsewhere.example")
    assert refused.value.response.status_code == 403
    with service.channel("WATCHER", origin=service.url.removesuffix("/dicom-web")) as channel:
        assert channel.ping().wait(PATIENCE)


def test_so_many_channels_are_open_at_once(service: WorklistService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "MAX_CHANNELS", 2)
    with service.channel("ONE"), service.channel("TWO"):
        with pytest.raises(InvalidStatus) as refused:
            service.channel("THREE")
        assert refused.value.response.status_code == 503
    with opened_in_time(service, "THREE") as channel:
        assert channel.ping().wait(PATIENCE)


@contextmanager
def opened_in_time(service: WorklistService, ae_title: str) -> Iterator[ClientConnection]:
    """A channel, when there is room for it again."""
    opened: list[ClientConnection] = []
    with ExitStack() as stack:

        def opens() -> bool:
            with suppress(InvalidStatus):
                opened.append(stack.enter_context(service.channel(ae_title)))
            return bool(opened)

        wait_until(opens)
        yield opened[0]


HANDSHAKE = (
    b"GET /dicom-web/subscribers/SLOW HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@contextmanager
def flooded(service: WorklistService) -> Iterator[None]:
    """A channel of SLOW that takes nothing in, while there is more to tell than the kernel keeps for both."""
    address = urlsplit(service.url)
    with socket.create_connection((address.hostname, address.port)) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.sendall(HANDSHAKE)
        assert peer.recv(12) == b"HTTP/1.1 101"
        people = [performer("x" * 4000, str(number)) for number in range(100)]
        for number in range(12):  # nearly a megabyte each
            service.create(f"2.999.{number}", ScheduledHumanPerformersSequence=people)
        yield


def test_who_does_not_take_what_is_sent_is_let_go_and_told_later(
    service: WorklistService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "PATIENCE", 0.2)
    monkeypatch.setattr(channels, "MAX_CHANNELS", 1)
    subscribe(service, WORKLIST, "SLOW")
    with flooded(service), opened_in_time(service, "OTHER") as channel:
        assert channel.ping().wait(PATIENCE)
    with opened_in_time(service, "SLOW") as channel:
        assert told(channel)["00001000"]["Value"]


def test_who_does_not_take_last_words_holds_up_nobody(
    service: WorklistService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "LAST_WORDS_TIME", 3.0)
    subscribe(service, WORKLIST, "SLOW")
    with flooded(service), service.channel("OTHER") as other:
        service.server.should_exit = True
        assert told(other)["00741242"]["Value"] == ["GOING DOWN"]
        assert service.server.has_said_so.wait(PATIENCE)


def test_a_channel_is_no_page(service: WorklistService) -> None:
    assert service.http.get("/subscribers/WATCHER").status_code == 404
    with pytest.raises(InvalidStatus):
        connect(f"{service.url.replace('http', 'ws', 1)}/workitems")
    assert service.post("/workitems", new_workitem()).status_code == 201
