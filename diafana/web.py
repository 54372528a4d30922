"""The web application: the rooms under their roots, and what operators ask."""

from collections.abc import Iterable
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from diafana.wiring import DICOMWEB_ROOT, Parts
from dicomweb.app import routes
from dicomweb.problems import add_problem_handlers
from fhir_api.router import router
from pacs.index import Index, Tasks
from viewer import page


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


def application(parts: Parts, dimse_port: int) -> FastAPI:
    """The application of one process. dimse_port: where DICOM networking listens."""
    app = FastAPI(title="Diafana", version=version("diafana"), docs_url=None, redoc_url=None)
    add_problem_handlers(app)
    app.router.routes.extend(routes(parts.archive, parts.derived, DICOMWEB_ROOT))
    app.include_router(router(parts.archive, parts.resources, dicomweb_path=DICOMWEB_ROOT))
    add_operator_routes(app, parts.index)
    app.include_router(page.router(parts.settings.aet, dimse_port))
    return app


def add_operator_routes(app: FastAPI, index: Index) -> None:
    """Add /healthz, /readyz and /metrics."""
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

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
