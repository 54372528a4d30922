"""An archive with a report, subscriptions to it, and somebody who is told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydicom import Dataset

from fhir_api.journal import Journal
from fhir_api.reports import report_follower
from fhir_api.resources import Resources
from fhir_api.router import router
from fhir_api.store import ResourceStore
from fhir_api.subscriptions.courier import SubscriptionCourier, study_follower
from fhir_api.subscriptions.hook import RestHook
from fhir_api.subscriptions.service import Subscriptions
from fhir_api.subscriptions.store import SubscriptionStore
from pacs.archive import Archive
from pacs.changes import Bell, Runner
from pacs.index import Index, sqlite_url
from testdata.ct import ct_series
from testdata.measurement_report import measurement_report
from tests.fhir_api.client import Client
from tests.fhir_api.conftest import put
from tests.fhir_api.subscriptions.subscriber import Subscriber

LATE = 1e12
JSON = "application/fhir+json"


@dataclass
class Office:
    """Where subscriptions are made and served. rung: how often who serves them was woken."""

    archive: Archive
    index: Index
    resources: ResourceStore
    journal: Journal
    store: SubscriptionStore
    hook: RestHook
    bell: Bell
    allowed: tuple[str, ...]
    rung: list[bool] = field(default_factory=list)

    @property
    def client(self) -> Client:
        service = Subscriptions(self.store, self.allowed, self.index.tasks.newest, self.ring)
        app = FastAPI()
        app.include_router(router(self.archive, self.resources, subscriptions=service))
        return Client(app)

    @property
    def courier(self) -> SubscriptionCourier:
        resources = Resources(self.archive, self.resources)
        return SubscriptionCourier(self.journal, self.store, resources, self.hook, self.bell, self.allowed)

    def ring(self) -> None:
        self.rung.append(True)

    def subscribe(self, endpoint: str, criteria: str = "Observation", **channel: Any) -> str:
        """Make a subscription; its id."""
        answer = self.submit("POST", "", endpoint, criteria, **channel)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def submit(
        self, method: str, path: str, endpoint: str, criteria: str = "Observation", **channel: Any
    ) -> httpx.Response:
        content = {
            "resourceType": "Subscription",
            "status": "requested",
            "reason": "test",
            "criteria": criteria,
            "channel": {"type": "rest-hook", "endpoint": endpoint, **channel},
            **({"id": path.removeprefix("/")} if path else {}),
        }
        return self.client.request(method, f"/fhir/Subscription{path}", json=content)

    def shown(self, subscription_id: str) -> dict[str, Any]:
        """The Subscription as it is read."""
        answer = self.client.get(f"/fhir/Subscription/{subscription_id}")
        assert answer.status_code == 200
        resource: dict[str, Any] = answer.json()
        return resource

    def keep(self, *datasets: Dataset) -> None:
        """Store objects, and let the followers do what is due."""
        for dataset in datasets:
            put(self.archive, dataset)
        self.follow()

    def follow(self) -> None:
        followers = [
            report_follower(self.archive, self.resources, self.ring),
            study_follower(self.journal, self.ring, rest=0),
        ]
        runner = Runner(self.index.tasks, followers, self.bell)
        runner.read_feed()
        while runner.run_due(lambda: False):
            pass  # it has run what was due, and what that made due is next

    def serve(self, now: float = LATE) -> None:
        """Let the courier work until nothing is left that succeeds, each failure counted once."""
        courier = self.courier
        for _ in range(500):
            before = [(one.subscription.version, one.waiting) for one in self.store.backlog()]
            noted = bool(self.journal.read(1))
            courier.work(now)
            if not noted and before == [(o.subscription.version, o.waiting) for o in self.store.backlog()]:
                return
        pytest.fail("the courier never comes to an end")


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    with Subscriber() as subscriber:
        yield subscriber


@pytest.fixture
def office(
    tmp_path: Path, archive: Archive, index: Index, store: ResourceStore, subscriber: Subscriber
) -> Iterator[Office]:
    journal = Journal(sqlite_url(tmp_path / "fhir.sqlite"))
    subscriptions = SubscriptionStore(sqlite_url(tmp_path / "subscriptions.sqlite"))
    hook = RestHook()
    bell = Bell(tmp_path / "bell")
    yield Office(archive, index, store, journal, subscriptions, hook, bell, (subscriber.url,))
    hook.close()
    subscriptions.close()
    journal.close()


@pytest.fixture
def study() -> list[Dataset]:
    """Three slices, and a report on them."""
    series = ct_series(slices=3, rows=32, columns=32)
    return [*series, measurement_report(series)]
