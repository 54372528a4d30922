"""Studies reach another FHIR server, whatever that one does meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from pydicom import Dataset
from structlog.testing import capture_logs

from fhir_api.push.content import Content, study_content
from fhir_api.push.courier import MOST_ATTEMPTS, PAUSES, WAITING, DryRun, PushCourier, Server, push_follower
from fhir_api.push.outbox import Due, PushOutbox
from fhir_api.push.server import FhirServer as Client
from fhir_api.store import ResourceStore
from pacs.archive import Archive
from pacs.changes import Bell
from pacs.errors import StorageFailed
from pacs.index import Index, Task, sqlite_url
from pacs.model import Level
from sr.fhir_json import loads
from testdata.ct import ct_series
from testdata.measurement_report import measurement_report
from tests.fhir_api.conftest import follow, put
from tests.fhir_api.push.fhir_server import FhirServer

LATE = 1e12


@pytest.fixture
def server() -> Iterator[FhirServer]:
    with FhirServer() as server:
        yield server


@dataclass(frozen=True)
class Desk:
    """A study with a report in an archive, and a courier beside it."""

    archive: Archive
    index: Index
    store: ResourceStore
    outbox: PushOutbox
    bell: Bell
    report: Dataset

    def courier(self, to: Server) -> PushCourier:
        return PushCourier(self.outbox, partial(study_content, self.archive, self.store), to, self.bell)

    def send(self, to: Server) -> None:
        """Ask for the study, and let it be sent once."""
        self.outbox.add(self.report.StudyInstanceUID)
        assert self.courier(to).send_next(LATE)


@pytest.fixture
def desk(archive: Archive, index: Index, store: ResourceStore, tmp_path: Path) -> Iterator[Desk]:
    series = ct_series(slices=3, rows=32, columns=32)
    report = measurement_report(series)
    for dataset in (*series, report):
        put(archive, dataset)
    follow(index, archive, store)
    outbox = PushOutbox(sqlite_url(tmp_path / "push.sqlite"))
    yield Desk(archive, index, store, outbox, Bell(tmp_path / "push-bell"), report)
    outbox.close()


@pytest.fixture
def client(server: FhirServer) -> Iterator[Client]:
    client = Client(server.base, "secret")
    yield client
    client.close()


def test_a_study_comes_with_its_patient_and_what_its_reports_became(
    desk: Desk, server: FhirServer, client: Client
) -> None:
    desk.send(client)
    (patient,), (study,) = server.of_type("Patient"), server.of_type("ImagingStudy")
    assert patient["identifier"][0]["value"] == desk.report.PatientID
    assert study["identifier"][0]["value"] == f"urn:oid:{desk.report.StudyInstanceUID}"
    assert study["numberOfInstances"] == 4
    kept = [loads(content) for content in desk.store.of_study(desk.report.StudyInstanceUID)]
    sent = [one for one in kept if one["resourceType"] != "Provenance"]  # which bears no identifier
    assert len(server.resources) == 2 + len(sent) == 1 + len(kept)
    orders = server.of_type("ServiceRequest")
    assert len(orders) == 2
    assert {order["requester"]["reference"] for order in orders} < set(server.resources)
    assert server.of_type("Observation")
    assert server.requests[0]["Authorization"] == "Bearer secret"
    assert server.requests[0]["Content-Type"] == "application/fhir+json"


def test_what_is_sent_twice_is_there_once(desk: Desk, server: FhirServer, client: Client) -> None:
    desk.send(client)
    before = server.resources
    desk.send(client)
    assert server.resources == before


def test_what_a_deleted_report_had_become_is_removed(desk: Desk, server: FhirServer, client: Client) -> None:
    desk.send(client)
    report = desk.report
    uids = report.StudyInstanceUID, report.SeriesInstanceUID, report.SOPInstanceUID
    desk.archive.deletion.delete(*uids, "test")
    follow(desk.index, desk.archive, desk.store)
    desk.send(client)
    assert not server.of_type("Observation")
    assert not server.of_type("DocumentReference")
    (study,) = server.of_type("ImagingStudy")
    assert study["numberOfInstances"] == 3
    desk.archive.deletion.delete(report.StudyInstanceUID, None, None, "test")
    desk.send(client)
    assert not server.of_type("ImagingStudy")
    assert len(server.of_type("Patient")) == 1
    assert desk.outbox.sent(report.StudyInstanceUID) == set()


def test_a_study_that_came_and_went_before_it_was_sent_is_not_sent(
    desk: Desk, server: FhirServer, client: Client
) -> None:
    desk.archive.deletion.delete(desk.report.StudyInstanceUID, None, None, "test")
    desk.send(client)
    assert server.requests == []


def test_a_failure_is_told_without_what_was_sent_and_tried_again(
    desk: Desk, server: FhirServer, client: Client
) -> None:
    server.failures = [409, 503]
    with capture_logs() as logs:
        desk.send(client)
        assert desk.courier(client).send_next(LATE)
    assert [entry["reason"] for entry in logs] == [
        "answered with 409: conflict",
        "answered with 503: conflict",
    ]
    assert "Rossi" not in str(logs)
    (waiting,) = desk.outbox.all()
    assert (waiting.attempts, waiting.error) == (2, "answered with 503: conflict")
    assert not desk.courier(client).send_next(0)
    assert desk.courier(client).send_next(LATE)
    assert desk.outbox.all() == []
    assert len(server.of_type("ImagingStudy")) == 1


def test_a_server_that_is_not_there_is_tried_for_a_week(desk: Desk) -> None:
    nobody = Client("http://127.0.0.1:9/fhir")
    desk.send(nobody)
    for _ in range(MOST_ATTEMPTS - 1):
        assert [one.dead for one in desk.outbox.all()] == [False]
        assert desk.courier(nobody).send_next(LATE)
    nobody.close()
    (left,) = desk.outbox.all()
    assert (left.dead, left.error) == (True, "no answer: ConnectError")


def test_it_waits_for_reports_that_are_not_mapped_yet_but_not_for_ever(
    desk: Desk, server: FhirServer, client: Client
) -> None:
    answers = [Content([], missing=1)] * len(PAUSES)
    study = desk.report.StudyInstanceUID
    rest = study_content(desk.archive, desk.store, study).resources
    contents = iter([*answers, Content(rest, missing=1)])
    courier = PushCourier(desk.outbox, lambda _: next(contents), client, desk.bell)
    desk.outbox.add(study)
    for _ in PAUSES:
        assert courier.send_next(LATE)
        assert desk.outbox.all()[0].error == WAITING
    assert server.requests == []
    assert courier.send_next(LATE)
    assert len(server.of_type("ImagingStudy")) == 1


def test_a_report_counts_as_missing_until_it_is_mapped(
    archive: Archive, index: Index, store: ResourceStore
) -> None:
    report = measurement_report(ct_series(slices=3, rows=32, columns=32))
    put(archive, report)
    assert study_content(archive, store, report.StudyInstanceUID).missing == 1
    follow(index, archive, store)
    assert study_content(archive, store, report.StudyInstanceUID).missing == 0


def test_a_dry_run_sends_nothing_and_says_how_much(desk: Desk) -> None:
    with capture_logs() as logs:
        desk.send(DryRun())
    number = 1 + len(desk.store.of_study(desk.report.StudyInstanceUID))  # its Provenance stays here
    assert logs == [{"event": "would be sent", "log_level": "info", "made_or_changed": number, "removed": 0}]


def test_the_follower_puts_studies_into_the_outbox_and_rings(desk: Desk) -> None:
    rung: list[bool] = []
    follower = push_follower(desk.outbox, lambda: rung.append(True), rest=5)
    assert (follower.level, follower.rest) == (Level.STUDY, 5)
    follower.work(Task(0, follower.name, "1.2.3", "", "", 1, 0))
    assert [one.study_instance_uid for one in desk.outbox.all()] == ["1.2.3"]
    assert rung == [True]


def test_nothing_that_fails_ends_the_work(
    desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Exception] = [StorageFailed("no disk"), ValueError("Doe^Jane")]
    next_due = desk.outbox.next

    def failing(now: float) -> Due | None:
        if failures:
            desk.bell.ring()  # so that it is tried again at once
            raise failures.pop(0)
        return next_due(now)

    monkeypatch.setattr(desk.outbox, "next", failing)
    desk.outbox.add(desk.report.StudyInstanceUID)
    with capture_logs() as logs:
        desk.courier(client).run(lambda: not desk.outbox.all())
    assert [entry["error"] for entry in logs] == ["StorageFailed", "ValueError"]
    assert "Doe" not in str(logs)
