"""FHIR subscriptions of the real service, through crashes and new indexes."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydicom import Dataset
from pydicom.uid import UID

from testdata.ct import ct_series
from testdata.files import part10
from testdata.measurement_report import measurement_report
from tests.diafana.commands import diafana
from tests.fhir_api.subscriptions.subscriber import Call, Subscriber
from tests.service import Service
from tests.waiting import wait_until

pytestmark = pytest.mark.xdist_group("service")

JSON = "application/fhir+json"


@pytest.fixture(scope="module")
def study() -> list[Dataset]:
    series = ct_series(slices=3, rows=32, columns=32)
    return [*series, measurement_report(series)]


def serving(data: Path, *addresses: str) -> Service:
    return Service(
        data,
        "--workers",
        "2",
        DIAFANA_REST_SECONDS="0.2",
        DIAFANA_FHIR_SUBSCRIPTION_ENDPOINTS=" ".join(addresses),
    )


def subscribe(service: Service, endpoint: str, criteria: str) -> dict[str, Any]:
    header = ["Authorization: Bearer hush"]
    content = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "test",
        "criteria": criteria,
        "channel": {"type": "rest-hook", "endpoint": endpoint, "payload": JSON, "header": header},
    }
    answer = httpx.post(f"{service.url}/fhir/Subscription", json=content)
    assert answer.status_code == 201, answer.text
    resource: dict[str, Any] = answer.json()
    return resource


def keep(service: Service, *datasets: Dataset) -> None:
    for dataset in datasets:
        form = {"Content-Type": "application/dicom"}
        url = f"{service.url}/dicom-web/studies"
        httpx.post(url, content=part10(dataset), headers=form).raise_for_status()


def content(call: Call) -> Any:
    return json.loads(call.body)


def test_a_subscriber_is_told_of_reports_and_of_studies_at_rest(tmp_path: Path, study: list[Dataset]) -> None:
    with Subscriber() as subscriber, serving(tmp_path / "data", subscriber.url) as service:
        subscribe(service, f"{subscriber.url}/fhir", "DiagnosticReport?status=final")
        subscribe(service, f"{subscriber.url}/fhir", f"ImagingStudy?identifier={study[0].StudyInstanceUID}")
        keep(service, *study)
        report = subscriber.wait_for("/fhir/DiagnosticReport/")
        path = subscriber.wait_for("/fhir/ImagingStudy/").path
        assert report.headers["authorization"] == "Bearer hush"
        wait_until(lambda: service.get(path).json() in map(content, subscriber.of("PUT")))
        assert service.stop() == 0
    assert "hush" not in service.log.read_text()


def test_what_a_killed_service_had_not_told_is_told_by_the_next(tmp_path: Path, study: list[Dataset]) -> None:
    data = tmp_path / "data"
    with Subscriber() as subscriber:
        subscriber.failures = [503] * 1000
        with serving(data, subscriber.url) as service:
            made = subscribe(service, subscriber.url, "DocumentReference")
            keep(service, *study)
            with subscriber.changed:  # the handshake, and one call at least
                assert subscriber.changed.wait_for(lambda: len(subscriber.failures) < 999, 60)
            service.kill()
        listed = diafana("subscriptions", "--data", data).out
        assert made["id"] in listed
        assert "1 waits" in listed
        subscriber.failures = []
        with serving(data, subscriber.url) as service:
            told = subscriber.wait_for("/DocumentReference/")
            assert told.path == f"/DocumentReference/{study[-1].SOPInstanceUID}"
            shown = service.get(f"/fhir/Subscription/{made['id']}").json()
            assert shown["status"] == "active"


def test_a_new_index_is_no_news(tmp_path: Path, study: list[Dataset]) -> None:
    data = tmp_path / "data"
    with Subscriber() as subscriber:
        with serving(data, subscriber.url) as service:
            keep(service, *study)
            subscribe(service, subscriber.url, "ImagingStudy")
            subscribe(service, subscriber.url, "DocumentReference")
            subscriber.wait_for("/")
            assert service.stop() == 0
        assert diafana("reindex", "--data", data).code == 0
        (data / "derived" / "fhir.sqlite").unlink()
        with serving(data, subscriber.url) as service:
            assert (
                'diafana_follower_behind{follower="FHIR subscriptions"} 0.0' in service.get("/metrics").text
            )
            late = measurement_report(study[:-1])
            late.SOPInstanceUID = UID("2.999.77.1")
            late.file_meta.MediaStorageSOPInstanceUID = late.SOPInstanceUID
            keep(service, late)
            subscriber.wait_for(f"/DocumentReference/{late.SOPInstanceUID}")
            subscriber.wait_for("/ImagingStudy/")
            documents = [c.path for c in subscriber.of("PUT") if c.path.startswith("/DocumentReference/")]
            assert documents == [f"/DocumentReference/{late.SOPInstanceUID}"]


def test_without_the_setting_none_is_made(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as service:
        answer = httpx.post(f"{service.url}/fhir/Subscription", json={})
        assert answer.status_code == 403
        assert "fhir_subscription_endpoints" in answer.text
