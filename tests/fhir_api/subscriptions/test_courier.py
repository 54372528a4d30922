"""Subscribers are told what changed, whatever happens to them or to us meanwhile."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.uid import UID
from sqlalchemy import ColumnElement, Connection
from structlog.testing import capture_logs

from fhir_api import store as store_module
from fhir_api.reports import FOLLOWER
from fhir_api.resources import Resources
from fhir_api.store import prepare
from fhir_api.subscriptions import courier as courier_module
from fhir_api.subscriptions import store as subscriptions_module
from fhir_api.subscriptions.courier import FAILING, MOST_ATTEMPTS, NOT_ALLOWED, PAUSES
from fhir_api.subscriptions.courier import FOLLOWER as STUDY_FOLLOWER
from fhir_api.subscriptions.criteria import matching
from fhir_api.subscriptions.model import Subscription
from pacs.errors import StorageFailed
from pacs.index import sqlite_url
from tests.fhir_api.conftest import put
from tests.fhir_api.subscriptions.conftest import JSON, LATE, Office
from tests.fhir_api.subscriptions.subscriber import Subscriber


def ids(office: Office, resource_type: str) -> set[str]:
    return office.client.found(resource_type)


def amended(report: Dataset) -> Dataset:
    """The same report under another UID, so that its document is another."""
    again = deepcopy(report)
    again.SOPInstanceUID = UID("2.999.77.1")
    again.file_meta.MediaStorageSOPInstanceUID = again.SOPInstanceUID
    return again


def test_what_a_report_became_is_put_to_who_takes_a_payload(
    office: Office, subscriber: Subscriber, study: list[Dataset]
) -> None:
    name = office.subscribe(f"{subscriber.url}/fhir/", payload=JSON, header=["Authorization: Bearer x"])
    office.serve()
    assert office.shown(name)["status"] == "active"
    assert [(call.method, call.path) for call in subscriber.calls] == [("OPTIONS", "/fhir/")]
    office.keep(*study)
    office.serve()
    told = subscriber.of("PUT")
    assert {call.path for call in told} == {f"/fhir/Observation/{one}" for one in ids(office, "Observation")}
    assert len(told) == len(ids(office, "Observation")) >= 10
    for call in told:
        assert call.headers["content-type"] == JSON
        assert call.headers["authorization"] == "Bearer x"
        assert json.loads(call.body) == office.client.get(call.path).json()
    office.serve()
    assert len(subscriber.of("PUT")) == len(told)


def test_who_takes_no_payload_is_called_with_nothing(
    office: Office, subscriber: Subscriber, study: list[Dataset]
) -> None:
    name = office.subscribe(f"{subscriber.url}/hook?of=us", "DocumentReference")
    office.serve()
    assert office.shown(name)["status"] == "active"
    office.keep(*study)
    office.serve()
    assert [(c.method, c.path, c.body) for c in subscriber.calls] == [("POST", "/hook?of=us", b"")] * 2


def test_only_what_fulfils_the_criteria_is_told(
    office: Office, subscriber: Subscriber, study: list[Dataset]
) -> None:
    patient = study[0].PatientID
    criteria = {
        "a": f"Observation?patient.identifier={patient}&value-quantity=gt0",
        "b": "Observation?patient.identifier=nobody",
        "c": "DiagnosticReport?status=final",
        "d": f"ImagingStudy?identifier={study[0].StudyInstanceUID}&modality=CT",
    }
    for path, one in criteria.items():
        office.subscribe(f"{subscriber.url}/{path}", one, payload=JSON)
    office.keep(*study)
    office.serve()
    told = {call.path for call in subscriber.of("PUT")}
    measured = office.client.found("Observation", value_quantity="gt0")
    assert measured < ids(office, "Observation")
    assert told == {
        *(f"/a/Observation/{one}" for one in measured),
        *(f"/c/DiagnosticReport/{one}" for one in ids(office, "DiagnosticReport")),
        f"/d/ImagingStudy/{study[0].StudyInstanceUID}",
    }


def test_nothing_is_told_of_what_was_there_before(
    office: Office, subscriber: Subscriber, study: list[Dataset]
) -> None:
    office.keep(*study)
    for criteria in ("Observation", "ImagingStudy", "DocumentReference"):
        office.subscribe(subscriber.url, criteria, payload=JSON)
    office.serve()
    assert subscriber.of("PUT") == []
    office.keep(amended(study[-1]))
    office.serve()
    told = {call.path.split("/")[1] for call in subscriber.of("PUT")}
    assert {"ImagingStudy", "DocumentReference"} <= told


def test_each_is_told_in_order_and_what_changes_meanwhile_once_as_it_is_then(
    office: Office, subscriber: Subscriber
) -> None:
    office.subscribe(subscriber.url, payload=JSON)
    (one,) = office.store.all()
    office.store.tell(one, "Observation", ["a", "b", "c"])
    office.store.tell(one, "Observation", ["a"])
    waiting = []
    while (told := office.store.next(one)) is not None:
        waiting.append(told.resource_id)
        office.store.done(one, told)
    assert waiting == ["b", "c", "a"]


def test_what_changes_while_it_is_told_is_told_again(office: Office, subscriber: Subscriber) -> None:
    office.subscribe(subscriber.url, payload=JSON)
    (one,) = office.store.all()
    office.store.tell(one, "Observation", ["a"])
    told = office.store.next(one)
    office.store.tell(one, "Observation", ["a"])
    office.store.done(one, told)
    again = office.store.next(one)
    assert again is not None
    assert again.resource_id == "a"


def test_failures_are_tried_again_at_growing_distances_and_told(
    office: Office, subscriber: Subscriber, study: list[Dataset]
) -> None:
    name = office.subscribe(f"{subscriber.url}/secret", "DocumentReference", payload=JSON, header=["K: hush"])
    office.serve()
    office.keep(*study)
    subscriber.failures = [503, 307, 401]
    courier = office.courier
    with capture_logs() as logs:
        for _ in range(3):
            courier.work(LATE)
    assert [(entry["reason"], entry["attempt"], entry["retry_in"]) for entry in logs] == [
        ("answered with 503", 1, PAUSES[0]),
        ("answered with 307", 2, PAUSES[1]),
        ("answered with 401", 3, PAUSES[2]),
    ]
    assert "hush" not in str(logs)
    assert "secret" not in str(logs)
    shown = office.shown(name)
    assert (shown["status"], shown["error"]) == ("error", "answered with 401")
    office.serve()
    shown = office.shown(name)
    assert (shown["status"], "error" in shown) == ("active", False)
    assert [call.path for call in subscriber.of("PUT")] == [
        f"/secret/DocumentReference/{study[-1].SOPInstanceUID}"
    ]


def test_one_that_fails_holds_up_no_other(
    office: Office, subscriber: Subscriber, study: list[Dataset]
) -> None:
    office.allowed = (subscriber.url, "http://127.0.0.1:9")
    office.subscribe("http://127.0.0.1:9/", "DocumentReference", payload=JSON)
    office.subscribe(subscriber.url, "DocumentReference", payload=JSON)
    office.keep(*study)
    office.serve()
    assert len(subscriber.of("PUT")) == 1


def test_criteria_that_cannot_be_answered_hold_up_no_other(
    office: Office, subscriber: Subscriber, study: list[Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    poisonous = office.subscribe(subscriber.url, "DocumentReference?status=current", payload=JSON)
    office.subscribe(subscriber.url, "DocumentReference", payload=JSON)

    def failing(resources: Resources, one: Subscription, ids: list[str]) -> list[str]:
        if one.subscription_id == poisonous:
            raise ValueError("Doe^Jane")
        return matching(resources, one, ids)

    monkeypatch.setattr(courier_module, "matching", failing)
    office.keep(*study)
    office.serve()
    assert len(subscriber.of("PUT")) == 1
    shown = office.shown(poisonous)
    assert (shown["status"], shown["error"]) == ("off", "its criteria cannot be answered: ValueError")


def test_nothing_that_fails_ends_the_work(
    office: Office, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Exception] = [StorageFailed("no disk"), ValueError("Doe^Jane")]
    expire = office.store.expire

    def failing(now: float) -> None:
        if failures:
            office.bell.ring()  # so that it is tried again at once
            raise failures.pop(0)
        expire(now)

    monkeypatch.setattr(office.store, "expire", failing)
    name = office.subscribe(subscriber.url)
    with capture_logs() as logs:
        office.courier.run(lambda: office.shown(name)["status"] == "active")
    assert [entry["error"] for entry in logs] == ["StorageFailed", "ValueError"]
    assert "Doe" not in str(logs)


def test_after_a_week_it_is_off_and_what_waits_is_told_when_it_is_requested_again(
    office: Office, subscriber: Subscriber, study: list[Dataset]
) -> None:
    name = office.subscribe(subscriber.url, "DocumentReference", payload=JSON)
    office.serve()
    office.keep(*study)
    subscriber.failures = [503] * MOST_ATTEMPTS
    for attempt in range(MOST_ATTEMPTS):
        assert office.shown(name)["status"] == ("error" if attempt >= FAILING else "active")
        assert office.courier.work(LATE)
    shown = office.shown(name)
    assert (shown["status"], shown["error"]) == ("off", "answered with 503")
    assert not office.courier.work(LATE)
    assert office.store.next_due() is None
    assert (
        office.submit("PUT", f"/{name}", subscriber.url, "DocumentReference", payload=JSON).status_code == 200
    )
    office.serve()
    assert len(subscriber.of("PUT")) == 1


def test_what_the_subscriber_refuses_is_put_aside_and_the_next_told(
    office: Office, subscriber: Subscriber
) -> None:
    name = office.subscribe(subscriber.url, "Device", payload=JSON)
    office.serve()
    origin = store_module.Origin("1.2.3", "1.2", "p")
    devices = [{"resourceType": "Device", "id": one} for one in "ab"]
    office.resources.replace(origin, devices, sequence=1)
    subscriber.failures = [422] * len(PAUSES)
    office.serve()
    for _ in PAUSES:
        office.courier.work(LATE)
    office.serve()
    assert [call.path for call in subscriber.of("PUT")] == ["/Device/b"]
    shown = office.shown(name)
    assert (shown["status"], shown["error"]) == ("active", "Device/a: answered with 422")
    (backlog,) = office.store.backlog()
    assert (backlog.waiting, backlog.dead) == (0, 1)
    office.submit("PUT", f"/{name}", subscriber.url, "Device", payload=JSON)
    office.serve()
    assert [call.path for call in subscriber.of("PUT")] == ["/Device/b", "/Device/a"]


def test_a_handshake_that_fails_is_tried_again(office: Office, subscriber: Subscriber) -> None:
    subscriber.failures = [500] * FAILING
    name = office.subscribe(subscriber.url)
    for _ in range(FAILING):
        office.courier.work(LATE)
    shown = office.shown(name)
    assert (shown["status"], shown["error"]) == ("requested", "answered with 500")
    office.courier.work(LATE)
    assert office.shown(name)["status"] == "active"


def test_it_is_off_when_its_end_is_past(office: Office, subscriber: Subscriber, study: list[Dataset]) -> None:
    name = office.subscribe(subscriber.url, payload=JSON)
    content = {**office.shown(name), "end": "2030-01-01T00:00:00Z", "status": "requested"}
    assert office.client.request("PUT", f"/fhir/Subscription/{name}", json=content).status_code == 200
    office.serve(now=1893456000 - 1)
    assert office.shown(name)["status"] == "active"
    assert office.store.next_due() == 1893456000
    office.keep(*study)
    office.serve(now=1893456000)
    assert office.shown(name)["status"] == "off"
    assert subscriber.of("PUT") == []


def test_one_that_is_renewed_as_it_ends_is_told_all_the_same(
    office: Office, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = office.subscribe(subscriber.url, "Device", payload=JSON)
    content = {**office.shown(name), "end": "2030-01-01T00:00:00Z", "status": "requested"}
    office.client.request("PUT", f"/fhir/Subscription/{name}", json=content)
    office.store.tell(office.store.all()[0], "Device", ["a"])
    read = subscriptions_module._read

    def renewing(connection: Connection, where: ColumnElement[bool]) -> list[Subscription]:
        found = read(connection, where)
        with monkeypatch.context() as once:
            once.setattr(subscriptions_module, "_read", read)
            office.submit("PUT", f"/{name}", subscriber.url, "Device", payload=JSON)
        return found

    with monkeypatch.context() as racing:
        racing.setattr(subscriptions_module, "_read", renewing)
        office.store.expire(1893456000)
    assert [(one.subscription.status, one.waiting) for one in office.store.backlog()] == [("requested", 1)]


def test_one_that_is_off_is_told_nothing(
    office: Office, subscriber: Subscriber, study: list[Dataset]
) -> None:
    name = office.subscribe(subscriber.url, payload=JSON)
    content = {**office.shown(name), "status": "off"}
    assert office.client.request("PUT", f"/fhir/Subscription/{name}", json=content).status_code == 200
    office.keep(*study)
    office.serve()
    assert office.submit("PUT", f"/{name}", subscriber.url, payload=JSON).status_code == 200
    office.serve()
    assert subscriber.of("PUT") == []


def test_an_address_that_is_allowed_no_longer_is_not_called(office: Office, subscriber: Subscriber) -> None:
    name = office.subscribe(subscriber.url)
    office.allowed = ("http://127.0.0.1:9",)
    office.serve()
    shown = office.shown(name)
    assert (shown["status"], shown["error"]) == ("off", NOT_ALLOWED)
    assert subscriber.calls == []


def test_when_too_much_waits_it_is_off(
    office: Office, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions_module, "MOST_WAITING", 2)
    name = office.subscribe(subscriber.url, payload=JSON)
    (one,) = office.store.all()
    office.store.tell(one, "Observation", ["a", "b", "c"])
    assert office.shown(name)["status"] == "off"


def test_what_is_gone_meanwhile_is_not_told(
    office: Office, subscriber: Subscriber, study: list[Dataset]
) -> None:
    office.subscribe(subscriber.url, "ImagingStudy", payload=JSON)
    office.subscribe(subscriber.url, "DocumentReference", payload=JSON)
    office.keep(*study)
    office.courier.work(LATE)  # handed out, and greeted
    office.archive.deletion.delete(study[0].StudyInstanceUID, None, None, "test")
    office.follow()
    office.serve()
    assert subscriber.of("PUT") == []
    assert [one.waiting for one in office.store.backlog()] == [0, 0]


@pytest.mark.parametrize(
    ("part", "step"), [("store", "tell"), ("journal", "forget"), ("hook", "notify"), ("store", "done")]
)
def test_wherever_it_is_cut_off_all_is_told(
    office: Office,
    subscriber: Subscriber,
    study: list[Dataset],
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    step: str,
) -> None:
    office.subscribe(subscriber.url, "DocumentReference", payload=JSON)
    office.serve()
    office.keep(*study)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(getattr(office, part), step, die)
        for _ in range(3):
            office.courier.work(LATE)
    office.serve()
    told = {call.path for call in subscriber.of("PUT")}
    assert told == {f"/DocumentReference/{study[-1].SOPInstanceUID}"}


def test_what_is_mapped_anew_is_no_news_but_what_waited_is(
    office: Office,
    subscriber: Subscriber,
    study: list[Dataset],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    office.subscribe(subscriber.url, "DocumentReference", payload=JSON)
    office.keep(*study)
    office.serve()
    subscriber.calls.clear()
    late = amended(study[-1])
    put(office.archive, late)  # and it is not mapped before the new version begins
    settled = office.index.tasks.settled((FOLLOWER, STUDY_FOLLOWER))
    monkeypatch.setattr(store_module, "MAPPING_VERSION", store_module.MAPPING_VERSION + 1)
    prepare(sqlite_url(tmp_path / "fhir.sqlite"))
    assert office.resources.is_fresh
    office.store.begin_at(settled, is_another_feed=False)
    office.index.tasks.restart(FOLLOWER)
    office.follow()
    office.serve()
    assert len(ids(office, "DocumentReference")) == 2
    assert [call.path for call in subscriber.of("PUT")] == [f"/DocumentReference/{late.SOPInstanceUID}"]


def test_after_another_change_feed_only_what_comes_later_is_told(
    office: Office, subscriber: Subscriber, study: list[Dataset]
) -> None:
    office.subscribe(subscriber.url, "ImagingStudy", payload=JSON)
    office.store.begin_at(10**6, is_another_feed=True)
    office.store.begin_at(4, is_another_feed=True)
    office.keep(*study)
    office.serve()
    assert subscriber.of("PUT") == []
    office.keep(amended(study[-1]))
    office.serve()
    assert len(subscriber.of("PUT")) == 1


def test_nothing_is_noted_where_nobody_can_subscribe(office: Office) -> None:
    origin = store_module.Origin("1.2.3", "1.2", "p")
    office.resources.replace(origin, [{"resourceType": "Device", "id": "a"}])
    assert office.journal.read(1) == []
