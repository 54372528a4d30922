"""A small archive with two patients, a report, and what the report became."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydicom import Dataset

from fhir_api.answers import Addresses
from fhir_api.reports import report_follower
from fhir_api.router import router
from fhir_api.store import ResourceStore, prepare
from fhir_api.subscriptions.service import Subscriptions
from fhir_api.subscriptions.store import SubscriptionStore
from pacs.archive import Archive
from pacs.files import DiskFiles
from pacs.files.derived import DerivedFiles
from pacs.index import Index, Task, migrate, sqlite_url
from pacs.model import Source
from sr.fhir_json import loads
from testdata.ct import ct_series
from testdata.dx import chest_xray
from testdata.files import part10
from testdata.manifest import manifest
from testdata.measurement_report import measurement_report
from testdata.visit import let_be_performed, let_be_visited
from tests.fhir_api.client import BASE, Client

SUBSCRIPTION = b"""{
    "resourceType": "Subscription", "status": "requested", "reason": "Follow-up",
    "end": "2099-01-01T00:00:00Z",
    "contact": [{"system": "phone", "value": "ext 4123", "use": "work"}],
    "criteria": "Observation?status=final",
    "channel": {
        "type": "rest-hook", "endpoint": "https://ehr.example.org/hooks/a",
        "payload": "application/fhir+json",
        "header": ["Authorization: Bearer secret"]
    }
}"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ResourceStore]:
    url = sqlite_url(tmp_path / "fhir.sqlite")
    prepare(url)
    store = ResourceStore(url)
    yield store
    store.close()


def lose_the_resources(database: Path) -> None:
    """Spoil the database of a store, so that what is kept cannot be read."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TABLE fhir_resource")


def put(archive: Archive, dataset: Dataset) -> None:
    """Store one object."""
    incoming = archive.sender(Source()).begin_part10()
    incoming.write(part10(dataset))
    archive.store(incoming)


@dataclass(frozen=True)
class World:
    """What the tests that only read share.

    ct: the 24 slices of a study.  report: on them, in the same study.  radiograph: of another patient.
    manifest: of the slices, in the same study.
    """

    archive: Archive
    store: ResourceStore
    client: Client
    ct: list[Dataset]
    report: Dataset
    radiograph: Dataset
    manifest: Dataset

    def resources(self, resource_type: str) -> list[dict[str, Any]]:
        """All resources of a type."""
        bundle = self.client.search(resource_type, _count="1000")
        return [entry["resource"] for entry in bundle["entry"]]

    def patient(self, study: Dataset) -> dict[str, Any]:
        """The Patient of a study."""
        found = [one for one in self.resources("Patient") if one["identifier"][0]["value"] == study.PatientID]
        assert len(found) == 1
        return found[0]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("fhir")
    index_url, fhir_url = sqlite_url(folder / "index.sqlite"), sqlite_url(folder / "fhir.sqlite")
    migrate(index_url)
    prepare(fhir_url)
    index, store = Index(index_url), ResourceStore(fhir_url)
    derived = DerivedFiles(folder / "derived")
    archive = Archive(DiskFiles(folder), derived, index, "DIAFANA", "/dicom-web", lambda: None)
    ct = ct_series(slices=24, rows=32, columns=32)
    report, radiograph = measurement_report(ct), chest_xray(rows=64, columns=64)
    listed = manifest(ct)
    let_be_visited(report)
    let_be_performed(radiograph)
    for dataset in (*ct, report, radiograph, listed):
        put(archive, dataset)
    follow(index, archive, store)
    app = FastAPI()
    subscriptions = SubscriptionStore(sqlite_url(folder / "subscriptions.sqlite"))
    service = Subscriptions(subscriptions, ("https://ehr.example.org/hooks",), lambda: 0, lambda: None)
    app.include_router(router(archive, store, subscriptions=service))
    service.create(loads(SUBSCRIPTION), Addresses(BASE, "http://archive.example/dicom-web"))
    yield World(archive, store, Client(app), ct, report, radiograph, listed)
    subscriptions.close()
    store.close()
    index.close()


def follow(index: Index, archive: Archive, store: ResourceStore) -> None:
    """Let the follower of reports do what the whole change feed asks of it."""
    follower = report_follower(archive, store)
    for change in index.tasks.changes(0, 1000):
        if follower.wants(change):
            uids = change.study_instance_uid, change.series_instance_uid, change.sop_instance_uid
            follower.work(Task(0, follower.name, *uids, change.sequence, 0))
