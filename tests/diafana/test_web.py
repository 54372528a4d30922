"""The application as a whole: pages of other origins (CORS), and what it tells of itself (OpenAPI)."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.service import Service

pytestmark = pytest.mark.xdist_group("service")

VIEWER = "https://viewer.example.org"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A service that other origins may ask."""
    data = tmp_path_factory.mktemp("shared") / "data"
    origins = f"{VIEWER}, https://other.example.org"
    with (
        Service(data, "--workers", "1", DIAFANA_CORS_ORIGINS=origins) as service,
        httpx.Client(base_url=service.url) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A service as it is without settings."""
    data = tmp_path_factory.mktemp("own") / "data"
    with Service(data, "--workers", "1") as service, httpx.Client(base_url=service.url) as client:
        yield client


def test_pages_of_named_origins_may_ask(shared: httpx.Client) -> None:
    asked = {
        "Origin": VIEWER,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "accept",
    }
    before = shared.options("/dicom-web/studies", headers=asked)
    assert before.status_code == 200
    assert before.headers["access-control-allow-origin"] == VIEWER
    answer = shared.get("/dicom-web/studies?count=true", headers={"Origin": VIEWER})
    assert answer.headers["access-control-allow-origin"] == VIEWER
    assert "X-Total-Count" in answer.headers["access-control-expose-headers"]


def test_pages_of_other_origins_may_not(shared: httpx.Client, own: httpx.Client) -> None:
    asked = {"Origin": "https://evil.example.org", "Access-Control-Request-Method": "GET"}
    for service in (shared, own):
        assert "access-control-allow-origin" not in service.get("/dicom-web/studies", headers=asked).headers
        assert (
            "access-control-allow-origin" not in service.options("/dicom-web/studies", headers=asked).headers
        )


def test_options_without_a_question_of_an_origin_tells_what_there_is(shared: httpx.Client) -> None:
    assert shared.options("/dicom-web/").headers["content-type"] == "application/vnd.sun.wadl+xml"


def test_openapi_tells_of_all_rooms(own: httpx.Client) -> None:
    told = own.get("/openapi.json").json()
    assert told["openapi"].startswith("3.")
    assert {"/dicom-web/studies", "/dicom-web/studies/{study}/metadata", "/wado"} <= set(told["paths"])


def test_what_is_not_there_is_a_problem(own: httpx.Client) -> None:
    response = own.get("/nowhere")
    assert (response.status_code, response.json()["title"]) == (404, "Not Found")


def test_no_telemetry_is_told_whatever_else_runs_in_the_process(tmp_path: Path) -> None:
    """Addresses have patients' names in them."""
    program = (
        "from opentelemetry import trace\n"
        "class Telling(trace.TracerProvider):\n"
        "    def get_tracer(self, *names, **more):\n"
        "        raise AssertionError('a request is told')\n"
        "trace.set_tracer_provider(Telling())\n"
        "from diafana.cli import main\n"
        "main()\n"
    )
    with Service(tmp_path / "data", "--workers", "1", program=("-c", program)) as service:
        assert service.get("/dicom-web/studies?PatientName=Rossi").status_code == 200
