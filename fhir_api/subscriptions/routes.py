"""The routes by which subscriptions are made, changed and ended; they are read and searched like all else."""

from collections.abc import Callable

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from fhir_api.answers import Addresses
from fhir_api.outcome import MEDIA_TYPE
from fhir_api.request_body import resource as resource_of
from fhir_api.subscriptions.service import Subscriptions

LONGEST = 64 * 1024  # bytes of a Subscription


def add_subscription_routes(
    routes: APIRouter, subscriptions: Subscriptions, addresses: Callable[[Request], Addresses]
) -> None:
    """Add create, update and delete. addresses: by which the client of a request reaches us."""

    async def create(request: Request) -> Response:
        sent = await resource_of(request, LONGEST)
        made = await run_in_threadpool(subscriptions.create, sent, addresses(request))
        location = f"{addresses(request).fhir}/Subscription/{made.resource_id}"
        headers = {"Location": location, **made.validators}
        return Response(made.content, 201, headers, MEDIA_TYPE)

    async def update(request: Request, resource_id: str) -> Response:
        sent = await resource_of(request, LONGEST)
        version = request.headers.get("if-match", "").strip().removeprefix("W/").strip('"')
        made = await run_in_threadpool(subscriptions.update, resource_id, sent, version, addresses(request))
        return Response(made.content, 200, made.validators, MEDIA_TYPE)

    def delete(resource_id: str) -> Response:
        subscriptions.delete(resource_id)
        return Response(status_code=204)

    routes.add_api_route("/Subscription", create, methods=["POST"])
    routes.add_api_route("/Subscription/{resource_id}", update, methods=["PUT"])
    routes.add_api_route("/Subscription/{resource_id}", delete, methods=["DELETE"])
