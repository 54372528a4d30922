"""The web application: the rooms under their roots, and what operators ask."""

from collections.abc import Awaitable, Callable, Iterable
from importlib.metadata import version
from typing import Any, NamedTuple

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.utils import get_openapi
from fastapi.responses import PlainTextResponse, Response
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from diafana import peer_routes, remote_resource
from diafana.settings import Settings
from diafana.wiring import DICOMWEB_ROOT, Parts
from dicomweb.app import EXPOSED_HEADERS, DicomWeb
from dicomweb.commitment import StorageCommitment, transactions_of
from dicomweb.openapi import paths
from dicomweb.problems import add_problem_handlers
from dicomweb.procedure_steps import procedure_step_transactions
from dicomweb.sending import SendRequests, send_transactions
from dicomweb.threads import Threads
from dicomweb.ups.routes import WorklistService
from fhir_api.router import router
from pacs.forwarding.told import told
from pacs.index import Index, Tasks
from viewer import page
from viewer.ohif import OhifFiles

# Addresses have patients' names in them, which FastAPI would tell whom the environment names
_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


class BacklogCollector(Collector):
    """How the followers of the change feed stand, read from the index when it is asked."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    def collect(self) -> Iterable[Metric]:
        """One family a figure, one sample a follower."""
        figures = {
            "behind": "Changes that the follower has not read yet.",
            "waiting": "Tasks that wait, for their time or for a retry.",
            "dead": "Tasks given up after too many failures.",
        }
        backlog = self._tasks.backlog()
        for figure, text in figures.items():
            family = GaugeMetricFamily(f"diafana_follower_{figure}", text, labels=["follower"])
            for row in backlog:
                family.add_metric([row.follower], getattr(row, figure))
            yield family


class Application(NamedTuple):
    """The application of one process.  last_words: awaited before its connections are closed."""

    app: FastAPI
    last_words: Callable[[], Awaitable[None]]


def application(parts: Parts, dimse_port: int) -> Application:
    """dimse_port: where DICOM networking listens."""
    app = FastAPI(
        title="Diafana", version=version("diafana"), docs_url=None, redoc_url=None, telemetry=_NO_TELEMETRY
    )
    add_problem_handlers(app)
    settings = parts.settings
    dicomweb, worklist = services(parts)
    app.router.routes.extend([*dicomweb.routes, worklist.channel])
    app.include_router(
        router(
            parts.archive,
            parts.resources,
            dicomweb_path=DICOMWEB_ROOT,
            subscriptions=parts.fhir_subscriptions,
            exports=parts.exports,
        )
    )
    if settings.remote_over_http:
        app.include_router(remote_resource.router(parts))
    add_operator_routes(app, parts.index)
    if settings.peers_over_http:
        app.include_router(peer_routes.router(parts))
    app.include_router(page.router(settings.aet, dimse_port, settings.ohif))
    app.mount("/ohif", OhifFiles(settings.ohif))
    app.openapi = lambda: _described(app, dicomweb)  # type: ignore[method-assign]
    _share(app, settings)
    return Application(app, worklist.go_down)


def services(parts: Parts) -> tuple[DicomWeb, WorklistService]:
    """All DICOMweb services, and among them that of the worklist, which has a channel besides."""
    settings = parts.settings
    worklist = WorklistService(parts.worklist, parts.subscriptions, settings.doorbells, DICOMWEB_ROOT)
    commitment = StorageCommitment(parts.commitment, parts.index.commitments, Threads())
    others = [
        *worklist.transactions,
        *transactions_of(commitment),
        *send_transactions(send_requests(parts)),
        *procedure_step_transactions(parts.scheduled_steps, parts.performed_steps, DICOMWEB_ROOT),
    ]
    dicomweb = DicomWeb(
        parts.archive, parts.derived, DICOMWEB_ROOT, may_delete=settings.delete, others=others
    )
    return dicomweb, worklist


def send_requests(parts: Parts) -> SendRequests:
    """The service that sends what is stored."""
    index, ring = parts.index, parts.outbox_bell.ring
    return SendRequests(parts.archive, index.peers, index.outbox, ring, Threads(), DICOMWEB_ROOT)


def _described(app: FastAPI, dicomweb: DicomWeb) -> dict[str, Any]:
    """The OpenAPI document: what FastAPI knows, and DICOMweb."""
    described = get_openapi(title=app.title, version=app.version, routes=app.routes)
    described["paths"] |= paths(dicomweb.transactions, DICOMWEB_ROOT) | paths([dicomweb.uri_service], "")
    return described


def _share(app: FastAPI, settings: Settings) -> None:
    """Let pages of other origins ask, where settings name them (CORS)."""
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=list(EXPOSED_HEADERS),
            max_age=600,
        )


def add_operator_routes(app: FastAPI, index: Index) -> None:
    """Add /healthz, /readyz, /metrics and /forwarding."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(BacklogCollector(index.tasks))

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("alive\n")

    @app.get("/readyz", include_in_schema=False)
    def readyz() -> PlainTextResponse:
        # The socket is open before a process accepts on it, and the front listens before the web does:
        # what is left to ask is the index.
        index.newest_file()
        return PlainTextResponse("ready\n")

    @app.get("/forwarding", include_in_schema=False)
    def forwarding() -> list[dict[str, Any]]:
        return [told(rule, index.forwarding.progress(rule)) for rule in index.forwarding.rules()]

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
