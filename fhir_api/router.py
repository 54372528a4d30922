"""The routes of FHIR R4 REST (FHIR R4 3.1.0): capabilities, read and search."""

import email.utils
import re
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl

import orjson
import structlog
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from fhir_api.answers import Addresses, Answer
from fhir_api.bundle import searchset
from fhir_api.capability import capability_statement
from fhir_api.creating import Creator
from fhir_api.formats import is_strict, require_json
from fhir_api.outcome import MEDIA_TYPE, RequestFault, outcome_of
from fhir_api.posting import add_creating
from fhir_api.resources import Resources, is_known
from fhir_api.search_request import parse_search
from fhir_api.store import ResourceStore
from pacs.archive import Archive
from pacs.errors import ArchiveError, NotFound

_MAX_FORM = 64 * 1024  # bytes
_MAX_PARAMETERS = 256
_FORM = "application/x-www-form-urlencoded"
_READING = ["GET", "HEAD"]
_ALL = [*_READING, "POST", "PUT", "PATCH", "DELETE"]
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")

_Parameters = list[tuple[str, str]]

log = structlog.get_logger()


def router(
    archive: Archive, store: ResourceStore, base_path: str = "/fhir", dicomweb_path: str = "/dicom-web"
) -> APIRouter:
    """The routes below `base_path`.

    dicomweb_path: where this application answers DICOMweb, which the Endpoint resource tells.
    Whatever goes wrong below `base_path` is answered as an OperationOutcome.
    """
    routes = APIRouter(prefix=base_path, route_class=_FhirRoute, include_in_schema=False)
    resources = Resources(archive, store)
    service = _Service(resources, base_path, dicomweb_path)
    add_creating(routes, Creator(archive, store), resources, service._addresses)
    routes.add_api_route("/metadata", service.capabilities, methods=_READING)
    routes.add_api_route("/{resource_type}", service.search, methods=_READING)
    routes.add_api_route("/{resource_type}/_search", service.search_by_form, methods=["POST"])
    routes.add_api_route("/{resource_type}/{resource_id}", service.read, methods=_READING)
    routes.add_api_route("/{path:path}", service.nothing, methods=_ALL)
    return routes


class _Service:
    def __init__(self, resources: Resources, base_path: str, dicomweb_path: str) -> None:
        self._resources = resources
        self._base_path = base_path
        self._dicomweb_path = dicomweb_path

    def capabilities(self, request: Request) -> Response:
        statement = capability_statement(self._addresses(request).fhir)
        return Response(orjson.dumps(statement), media_type=MEDIA_TYPE)

    def search(self, request: Request, resource_type: str) -> Response:
        return self._find(request, resource_type, _pairs(request.url.query))

    async def search_by_form(self, request: Request, resource_type: str) -> Response:
        parameters = _pairs(request.url.query) + _pairs(await _form(request))
        return await run_in_threadpool(self._find, request, resource_type, parameters)

    def read(self, request: Request, resource_type: str, resource_id: str) -> Response:
        _require_type(resource_type)
        if not _ID.fullmatch(resource_id):
            raise NotFound("this is not the id of a resource")
        answer = self._resources.read(resource_type, resource_id, self._addresses(request))
        return _resource(request, answer)

    def nothing(self, request: Request) -> Response:
        if request.method in _READING:
            raise RequestFault(404, "not-found", "there is nothing at this address; see metadata")
        raise RequestFault(405, "not-supported", f"{request.method} is not offered here; see metadata")

    def _find(self, request: Request, resource_type: str, parameters: _Parameters) -> Response:
        addresses = self._addresses(request)
        _require_type(resource_type)
        strict = is_strict(request.headers.get("prefer", ""))
        asked = parse_search(resource_type, parameters, addresses.fhir, strict)
        page = self._resources.search(asked, addresses)
        return Response(searchset(asked, page, addresses.fhir), media_type=MEDIA_TYPE)

    def _addresses(self, request: Request) -> Addresses:
        root = str(request.base_url).rstrip("/")
        return Addresses(f"{root}{self._base_path}", f"{root}{self._dicomweb_path}")


class _FhirRoute(APIRoute):
    """A route that answers in a form the client takes, its errors too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                require_json(request.query_params.get("_format", ""), request.headers.get("accept", ""))
                return await handle(request)
            except (RequestFault, ArchiveError) as error:
                response = outcome_of(error)
                if response.status_code >= 500:
                    # The message only: what caused it may quote the values of a statement.
                    log.error("fhir request failed", error=type(error).__name__, message=str(error))
                return response

        return answer


def _resource(request: Request, answer: Answer) -> Response:
    """The resource, or 304 when the client has this version (FHIR R4 3.1.0.1.5)."""
    headers = {"ETag": f'W/"{answer.version}"'}
    if answer.last_updated is not None:
        headers["Last-Modified"] = email.utils.formatdate(answer.last_updated, usegmt=True)
    known = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
    if headers["ETag"] in known:
        return Response(status_code=304, headers=headers)
    return Response(answer.content, media_type=MEDIA_TYPE, headers=headers)


def _require_type(resource_type: str) -> None:
    if not is_known(resource_type):
        raise RequestFault(404, "not-supported", "there are no resources of this type here; see metadata")


def _pairs(query: str) -> _Parameters:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
    except ValueError as error:
        raise RequestFault(400, "too-costly", f"more than {_MAX_PARAMETERS} parameters") from error


async def _form(request: Request) -> str:
    if request.headers.get("content-type", _FORM).partition(";")[0].strip().lower() != _FORM:
        raise RequestFault(415, "not-supported", f"a search by POST takes {_FORM}", "Content-Type")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM:
            raise RequestFault(413, "too-long", f"a search takes at most {_MAX_FORM} bytes")
    return body.decode(errors="replace")
