"""What a request of FHIR R4 REST asks for, and its answer (FHIR R4 3.1.0)."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from fhir_api.answers import Addresses, Answer
from fhir_api.asked import pairs_of
from fhir_api.binaries import Binaries
from fhir_api.bundle import searchset
from fhir_api.conditional import is_known as is_known_to_client
from fhir_api.everything import Everything, parse_everything
from fhir_api.formats import form_for, is_strict
from fhir_api.history import history, parse_history
from fhir_api.operation_parameters import parameters_of
from fhir_api.outcome import MEDIA_TYPE, RequestFault, invalid
from fhir_api.request_body import MAX_PARAMETERS, body, media_type
from fhir_api.resources import Resources, is_known
from fhir_api.search_request import parse_search
from fhir_api.subset import WHOLE, Subset, subset_of
from fhir_api.validate_operation import validated
from pacs.errors import NotFound

_FORM = "application/x-www-form-urlencoded"
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")

_Parameters = list[tuple[str, str]]


class Interactions:
    """The interactions and operations of all types; each method is what a route calls."""

    def __init__(
        self,
        resources: Resources,
        binaries: Binaries,
        everything: Everything,
        base_path: str,
        dicomweb_path: str,
        describe: Callable[[str], dict[str, Any]],
    ) -> None:
        """describe: the CapabilityStatement of an address."""
        self._resources = resources
        self._binaries = binaries
        self._everything = everything
        self._describe = describe
        self._base_path = base_path
        self._dicomweb_path = dicomweb_path

    def capabilities(self, request: Request) -> Response:
        """The CapabilityStatement (3.1.0.7)."""
        statement = self._describe(self.addresses(request).fhir)
        return Response(orjson.dumps(statement), media_type=MEDIA_TYPE)

    def search(self, request: Request, resource_type: str) -> Response:
        """A search by GET (3.1.0.9)."""
        return self._find(request, resource_type, pairs_of(request.url.query))

    async def search_by_form(self, request: Request, resource_type: str) -> Response:
        """A search by POST."""
        parameters = pairs_of(request.url.query) + pairs_of(await _form(request))
        request.state.form = form_for(request, dict(parameters))
        return await run_in_threadpool(self._find, request, resource_type, parameters)

    def read(self, request: Request, resource_type: str, resource_id: str) -> Response:
        """The present version of a resource, or a part of it (3.1.0.1)."""
        _require_type(resource_type)
        return _resource(
            request, self._read(request, resource_type, resource_id, _subset(request, resource_type))
        )

    async def validate(self, request: Request, resource_type: str) -> Response:
        """$validate of a resource that is sent."""
        return await self.validate_one(request, resource_type, "")

    async def validate_one(self, request: Request, resource_type: str, resource_id: str) -> Response:
        """$validate of a resource that is sent, or kept."""
        kept = partial(self._read, request, resource_type, resource_id)
        return await validated(request, resource_type, resource_id, kept)

    def vread(self, request: Request, resource_type: str, resource_id: str, version: str) -> Response:
        """One version of a resource (3.1.0.2)."""
        _require_name(resource_type, resource_id)
        return _resource(request, self._resources.version(resource_type, resource_id, version))

    def history(self, request: Request, resource_type: str, resource_id: str = "") -> Response:
        """The versions of a resource, or of all of a type (3.1.0.10)."""
        if resource_id:
            _require_name(resource_type, resource_id)
        _require_type(resource_type)
        strict = is_strict(request.headers.get("prefer", ""))
        asked = parse_history(resource_type, resource_id, pairs_of(request.url.query), strict)
        found = self._resources.history(asked.wanted)
        return Response(history(asked, found, self.addresses(request).fhir), media_type=MEDIA_TYPE)

    def binary(self, request: Request, resource_id: str) -> Response:
        """An original."""
        return self._binaries.read(request, resource_id)

    def everything(self, request: Request, resource_id: str) -> Response:
        """All that is known of a patient."""
        return self._gather(request, resource_id, pairs_of(request.url.query))

    async def everything_by_parameters(self, request: Request, resource_id: str) -> Response:
        """The same, its parameters in the body."""
        parameters = pairs_of(request.url.query) + await parameters_of(request)
        return await run_in_threadpool(self._gather, request, resource_id, parameters)

    def _find(self, request: Request, resource_type: str, parameters: _Parameters) -> Response:
        addresses = self.addresses(request)
        if resource_type == "Binary":
            message = "a Binary is read by its id, which a DocumentReference tells; it is not searched"
            raise RequestFault(404, "not-supported", message)
        _require_type(resource_type)
        strict = is_strict(request.headers.get("prefer", ""))
        asked = parse_search(resource_type, parameters, addresses.fhir, strict)
        page = self._resources.search(asked, addresses)
        return Response(searchset(asked, page, addresses.fhir), media_type=MEDIA_TYPE)

    def _gather(self, request: Request, resource_id: str, parameters: _Parameters) -> Response:
        _require_name("Patient", resource_id)
        strict = is_strict(request.headers.get("prefer", ""))
        asked = parse_everything(resource_id, parameters, strict)
        return Response(self._everything.page(asked, self.addresses(request)), media_type=MEDIA_TYPE)

    def _read(self, request: Request, resource_type: str, resource_id: str, subset: Subset = WHOLE) -> Answer:
        _require_name(resource_type, resource_id)
        return self._resources.read(resource_type, resource_id, self.addresses(request), subset)

    def addresses(self, request: Request) -> Addresses:
        """By which the client of a request reaches us."""
        root = str(request.base_url).rstrip("/")
        return Addresses(f"{root}{self._base_path}", f"{root}{self._dicomweb_path}")


def _resource(request: Request, answer: Answer) -> Response:
    """What the client asks of the resource, or 304 when it has this version (FHIR R4 3.1.0.1.5)."""
    headers = answer.validators
    if is_known_to_client(request.headers, headers["ETag"], answer.last_updated):
        return Response(status_code=304, headers=headers)
    content = _subset(request, answer.resource_type).of(answer).content
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


def _subset(request: Request, resource_type: str) -> Subset:
    """What of a resource a read asks for."""
    asked = request.query_params
    if asked.get("_summary") == "count":
        raise invalid("_summary", "a count is of searches; a resource is read with true, text, data or false")
    strict = is_strict(request.headers.get("prefer", ""))
    return subset_of(resource_type, asked.get("_summary", ""), asked.get("_elements", ""), strict)


def _require_name(resource_type: str, resource_id: str) -> None:
    _require_type(resource_type)
    if not _ID.fullmatch(resource_id):
        raise NotFound("this is not the id of a resource")


def _require_type(resource_type: str) -> None:
    if not is_known(resource_type):
        raise RequestFault(404, "not-supported", "there are no resources of this type here; see metadata")


async def _form(request: Request) -> str:
    if media_type(request, _FORM) != _FORM:
        raise RequestFault(415, "not-supported", f"a search by POST takes {_FORM}", "Content-Type")
    return (await body(request, MAX_PARAMETERS)).decode(errors="replace")
