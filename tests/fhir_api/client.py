"""A client of the FHIR routes alone, without a network."""

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI

BASE = "http://archive.example/fhir"


class Client:
    """Speaks to an application through ASGI."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Send one request. url: from /fhir on, or absolute."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://archive.example") as client:
                return await client.request(method, url, **options)

        return asyncio.run(send())

    def get(self, url: str, **headers: str) -> httpx.Response:
        """GET, with these header fields, whose names have _ for -."""
        return self.request("GET", url, headers={name.replace("_", "-"): v for name, v in headers.items()})

    def search(self, resource_type: str, *parameters: tuple[str, str], **named: str) -> dict[str, Any]:
        """The Bundle that a search gives. Names may have _ for -, but for those that begin with it."""
        pairs = [*parameters, *((_name(name), value) for name, value in named.items())]
        answer = self.request("GET", f"/fhir/{resource_type}", params=pairs)
        assert answer.status_code == 200, answer.text
        bundle: dict[str, Any] = answer.json()
        return bundle

    def found(self, resource_type: str, *parameters: tuple[str, str], **named: str) -> set[str]:
        """The ids that a search gives, all on one page."""
        bundle = self.search(resource_type, *parameters, **named, _count="1000")
        ids = {entry["resource"]["id"] for entry in bundle.get("entry", [])}
        assert bundle["total"] == len(ids) == len(bundle.get("entry", []))
        return ids


def _name(name: str) -> str:
    return name if name.startswith("_") else name.replace("_", "-")


def link(bundle: dict[str, Any], relation: str) -> str | None:
    """The URL of a link of a Bundle."""
    return next((one["url"] for one in bundle["link"] if one["relation"] == relation), None)
