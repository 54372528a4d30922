"""The routes of FHIR R4 REST (FHIR R4 3.1.0): capabilities, read, versions and search."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from fhir_api.binaries import Binaries
from fhir_api.bulk.exports import Exports
from fhir_api.bulk.routes import add_export_routes
from fhir_api.capability import capability_statement
from fhir_api.create_routes import add_creating
from fhir_api.creating import Creator
from fhir_api.everything import Everything
from fhir_api.formats import JSON, form_for, formed
from fhir_api.interactions import Interactions
from fhir_api.outcome import outcome, outcome_of
from fhir_api.resources import Resources
from fhir_api.store import ResourceStore
from fhir_api.subscriptions.routes import add_subscription_routes
from fhir_api.subscriptions.service import Subscriptions
from pacs.archive import Archive

_READING = ["GET", "HEAD"]
_ALL = [*_READING, "POST", "PUT", "PATCH", "DELETE"]


def router(
    archive: Archive,
    store: ResourceStore,
    base_path: str = "/fhir",
    dicomweb_path: str = "/dicom-web",
    subscriptions: Subscriptions | None = None,
    exports: Exports | None = None,
) -> APIRouter:
    """The routes below `base_path`.

    dicomweb_path: where this application answers DICOMweb, which the Endpoint resource tells.
    subscriptions: who is told of changes; None where nobody can be.  exports: None where nothing can be.
    Whatever goes wrong below `base_path` is answered as an OperationOutcome.
    """
    routes = APIRouter(prefix=base_path, route_class=_FhirRoute, include_in_schema=False)
    others = {"Subscription": subscriptions} if subscriptions is not None else {}
    may_subscribe = subscriptions is not None and subscriptions.are_offered
    describe = partial(capability_statement, may_subscribe=may_subscribe, may_export=exports is not None)
    resources = Resources(archive, store, others)
    parts = resources, Binaries(archive), Everything(archive, store)
    service = Interactions(*parts, base_path, dicomweb_path, describe)
    if exports is not None:
        add_export_routes(routes, exports, service.addresses)
    add_creating(routes, Creator(archive, store, subscriptions), resources, service.addresses)
    _add_interactions(routes, service)
    if subscriptions is not None:
        add_subscription_routes(routes, subscriptions, service.addresses)
    for path in ("", "/{path:path}"):
        routes.add_api_route(path, _nothing_of(routes), methods=_ALL)
    return routes


def _nothing_of(routes: APIRouter) -> Callable[[Request], Response]:
    """What answers requests that no other route does: 404, or 405 where there are other methods."""

    def nothing(request: Request) -> Response:
        offered = sorted(
            method
            for route in routes.routes
            if isinstance(route, APIRoute) and route.matches(request.scope)[0] is Match.PARTIAL
            for method in route.methods or ()
        )
        if not offered:
            return outcome(404, "not-found", "there is nothing at this address; see metadata")
        refusal = outcome(405, "not-supported", f"{request.method} is not offered here; see metadata")
        refusal.headers["Allow"] = ", ".join(dict.fromkeys(offered))
        return refusal

    return nothing


def _add_interactions(routes: APIRouter, service: Interactions) -> None:
    add = routes.add_api_route
    add("/metadata", service.capabilities, methods=_READING)
    add("/Binary/{resource_id}", service.binary, methods=_READING, route_class_override=_OriginalRoute)
    add("/Patient/{resource_id}/$everything", service.everything, methods=_READING)
    add("/Patient/{resource_id}/$everything", service.everything_by_parameters, methods=["POST"])
    add("/{resource_type}", service.search, methods=_READING)
    add("/{resource_type}/_search", service.search_by_form, methods=["POST"])
    add("/{resource_type}/_history", service.history, methods=_READING)
    add("/{resource_type}/$validate", service.validate, methods=["POST"])
    add("/{resource_type}/{resource_id}/$validate", service.validate_one, methods=["GET", "POST"])
    add("/{resource_type}/{resource_id}", service.read, methods=_READING)
    add("/{resource_type}/{resource_id}/_history", service.history, methods=_READING)
    add("/{resource_type}/{resource_id}/_history/{version}", service.vread, methods=_READING)


class _FhirRoute(APIRoute):
    """A route that answers in a form the client takes, its errors too."""

    has_own_forms = False

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            request.state.form = JSON
            try:
                if not self.has_own_forms:
                    request.state.form = form_for(request, request.query_params)
                response = await handle(request)
            except Exception as error:  # noqa: BLE001 - the edge: whatever it is, its answer is an outcome
                response = outcome_of(error)
            return await formed(response, request.state.form)

        return answer


class _OriginalRoute(_FhirRoute):
    """A route that gives originals, which have forms of their own."""

    has_own_forms = True
