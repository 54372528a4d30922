import asyncio
import json
import logging
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from dicomweb.media_types import DATA_SETS_OFFERS, acceptable, select
from dicomweb.multipart import MultipartReader
from dicomweb.problems import MEDIA_TYPE, add_problem_handlers, problem, problem_of
from pacs.errors import InstanceConflict, InvalidQuery, NotFound, OutOfSpace, StorageFailed


def app() -> FastAPI:
    made = FastAPI()
    add_problem_handlers(made)

    @made.get("/missing")
    def missing() -> None:
        raise NotFound("no such study")

    @made.get("/broken")
    def broken() -> None:
        raise StorageFailed("/var/lib/index.db: disk I/O error")

    @made.get("/xml")
    def xml() -> None:
        select(acceptable("text/xml"), DATA_SETS_OFFERS)

    @made.get("/body")
    def body() -> None:
        MultipartReader("B").close()

    return made


def answered(path: str) -> tuple[int, str, dict[str, Any]]:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app())
        async with httpx.AsyncClient(transport=transport, base_url="http://archive") as client:
            return await client.get(path)

    response = asyncio.run(ask())
    return response.status_code, response.headers["content-type"], response.json()


def test_an_error_of_the_archive_becomes_problem_details() -> None:
    status, media_type, body = answered("/missing")
    assert (status, media_type) == (404, MEDIA_TYPE)
    assert body == {"title": "Not Found", "status": 404, "detail": "no such study", "error": "NotFound"}


def test_a_failure_of_the_archive_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        status, media_type, body = answered("/broken")
    assert (status, media_type, body["error"]) == (500, MEDIA_TYPE, "StorageFailed")
    assert "index.db" not in json.dumps(body)
    assert "GET /broken: StorageFailed: /var/lib/index.db: disk I/O error" in caplog.text


def test_what_cannot_be_given_is_answered_with_what_can() -> None:
    status, media_type, body = answered("/xml")
    assert (status, media_type, body["parameter"]) == (406, MEDIA_TYPE, "Accept")
    assert "application/dicom+json" in body["detail"]


def test_a_broken_body_is_a_bad_request() -> None:
    status, media_type, body = answered("/body")
    assert (status, media_type, body["title"]) == (400, MEDIA_TYPE, "Bad Request")
    assert "boundary" in body["detail"]


def test_the_element_at_fault_is_named() -> None:
    body = json.loads(bytes(problem_of(InvalidQuery("StudyDate: expected YYYYMMDD", 0x00080020)).body))
    assert (body["status"], body["tag"]) == (400, "00080020")
    assert json.loads(bytes(problem_of(InstanceConflict("other content")).body))["status"] == 409
    assert problem_of(OutOfSpace("no room")).status_code == 507


def test_any_problem_may_be_written() -> None:
    response = problem(
        415, "send application/dicom", title="Not a DICOM body", parameter="Content-Type", tag=""
    )
    assert json.loads(bytes(response.body)) == {
        "title": "Not a DICOM body",
        "status": 415,
        "detail": "send application/dicom",
        "parameter": "Content-Type",
    }
