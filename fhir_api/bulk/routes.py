"""The routes of an export: asking for it, how it stands, its files, and its end."""

import email.utils
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from fhir_api.answers import Addresses
from fhir_api.bulk.exports import Asked, Export, Exports, TooMany
from fhir_api.bulk.kick_off import read_kick_off
from fhir_api.operation_parameters import parameters_of
from fhir_api.outcome import outcome
from pacs.errors import NotFound

NDJSON = "application/fhir+ndjson"
RETRY_AFTER = 5  # seconds

_PIECE = 256 * 1024  # bytes compressed at a time
_READING = ["GET", "HEAD"]
_TAKES_GZIP = re.compile(r"(^|[,\s])gzip(?!\s*;\s*q=0(\.0*)?\s*(,|$))", re.IGNORECASE)
_GZIP = 31  # zlib: the widest window, with the head of gzip


def add_export_routes(routes: APIRouter, exports: Exports, addresses: Callable[[Request], Addresses]) -> None:
    """Add them, before those of any resource type. addresses: by which the client reaches us."""
    service = _Service(exports, addresses)
    for path, is_of_patients in (("/$export", False), ("/Patient/$export", True)):
        routes.add_api_route(path, service.kick_off(is_of_patients), methods=["GET", "POST"])
    routes.add_api_route("/export/{name}", service.status, methods=_READING)
    routes.add_api_route("/export/{name}", service.remove, methods=["DELETE"])
    # These are no resources: who asks for them accepts something else
    routes.add_api_route(
        "/export/{name}/{file}", service.file, methods=_READING, route_class_override=APIRoute
    )


class _Service:
    def __init__(self, exports: Exports, addresses: Callable[[Request], Addresses]) -> None:
        self._exports = exports
        self._addresses = addresses

    def kick_off(self, is_of_patients: bool) -> Callable[[Request], object]:
        async def ask(request: Request) -> Response:
            parameters = list(request.query_params.multi_items())
            if request.method == "POST":
                parameters += await parameters_of(request)
            prefer = ",".join(request.headers.getlist("prefer"))
            asked = read_kick_off(parameters, prefer, is_of_patients, str(request.url))
            return await run_in_threadpool(self._create, asked, self._addresses(request))

        return ask

    def _create(self, asked: Asked, addresses: Addresses) -> Response:
        try:
            name = self._exports.create(asked, addresses)
        except TooMany as error:
            refused = outcome(429, "throttled", str(error))
            refused.headers["Retry-After"] = "60"
            return refused
        return Response(status_code=202, headers={"Content-Location": f"{addresses.fhir}/export/{name}"})

    def status(self, name: str) -> Response:
        export = self._found(name)
        if (manifest := export.manifest) is not None:
            return Response(orjson.dumps(manifest), 200, _expires(export), "application/json")
        if reason := export.failure:
            return outcome(500, "exception", f"the export failed: {reason}")
        headers = {"X-Progress": export.progress, "Retry-After": str(RETRY_AFTER)}
        return Response(status_code=202, headers=headers)

    def remove(self, name: str) -> Response:
        if not self._exports.remove(name):
            raise NotFound("there is no such export")
        return Response(status_code=202)

    def file(self, request: Request, name: str, file: str) -> Response:
        path = self._exports.file(name, file)
        if path is None:
            return outcome(404, "not-found", "there is no such file")
        if _TAKES_GZIP.search(request.headers.get("accept-encoding", "")) and request.method == "GET":
            headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            return StreamingResponse(_compressed(path), 200, headers, NDJSON)
        return FileResponse(path, 200, {"Vary": "Accept-Encoding"}, NDJSON)

    def _found(self, name: str) -> Export:
        export = self._exports.find(name)
        if export is None:
            raise NotFound("there is no such export, or no longer")
        return export


def _expires(export: Export) -> dict[str, str]:
    moment = export.expires
    return {} if moment is None else {"Expires": email.utils.formatdate(moment, usegmt=True)}


def _compressed(path: Path) -> Iterator[bytes]:
    compressor = zlib.compressobj(level=1, wbits=_GZIP)
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            if packed := compressor.compress(piece):
                yield packed
    yield compressor.flush()
