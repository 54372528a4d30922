"""The archive of the other tests, and exports of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from fhir_api.bulk.exporter import Exporter
from fhir_api.bulk.exports import Exports
from fhir_api.router import router
from pacs.changes import Bell
from tests.fhir_api.client import BASE, Client
from tests.fhir_api.conftest import World


@dataclass
class Bulk:
    """Where exports are asked for and done. rung: how often who does them was woken."""

    world: World
    folder: Path
    bell: Bell
    rung: list[bool]

    @property
    def exports(self) -> Exports:
        """As each process has it."""
        return Exports(self.folder, lambda: self.rung.append(True))

    @property
    def client(self) -> Client:
        app = FastAPI()
        app.include_router(router(self.world.archive, self.world.store, exports=self.exports))
        return Client(app)

    @property
    def exporter(self) -> Exporter:
        return Exporter(self.exports, self.world.archive, self.world.store, self.bell)

    def ask(self, path: str, **options: Any) -> httpx.Response:
        method = options.pop("method", "GET")
        headers = {"Prefer": "respond-async", **options.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **options)

    def begin(self, path: str, **options: Any) -> str:
        """Ask for an export; where it is, from /fhir on."""
        answer = self.ask(path, **options)
        assert answer.status_code == 202, answer.text
        assert answer.content == b""
        return answer.headers["content-location"].replace(BASE, "/fhir")

    def export(self, path: str, **options: Any) -> dict[str, Any]:
        """Ask for an export and let it be done; its manifest."""
        place = self.begin(path, **options)
        assert self.exporter.export_next()
        answer = self.client.get(place)
        assert answer.status_code == 200, answer.text
        manifest: dict[str, Any] = answer.json()
        return manifest

    def lines(self, url: str) -> list[dict[str, Any]]:
        """The resources in a file."""
        answer = self.client.get(url.replace(BASE, "/fhir"), Accept="application/fhir+ndjson")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/fhir+ndjson"
        return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture
def bulk(world: World, tmp_path: Path) -> Iterator[Bulk]:
    yield Bulk(world, tmp_path / "exports", Bell(tmp_path / "bell"), [])
