"""The routes of create (FHIR R4 3.1.0.8), and of transaction and batch (3.1.0.11), for Observations."""

import re
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from fhir_api.answers import Addresses, Answer
from fhir_api.asked import pairs_of
from fhir_api.conditions import Window
from fhir_api.creating import Creator
from fhir_api.outcome import MEDIA_TYPE, RequestFault, outcome_of
from fhir_api.request_body import resource as resource_of
from fhir_api.resources import Resources
from fhir_api.search_request import parse_search
from fhir_api.subset import WHOLE
from pacs.model import Source

MAX_BODY = 1 << 20  # bytes
MAX_ENTRIES = 256  # of a Bundle

_MINIMAL = re.compile(r"(^|[,;\s])return\s*=\s*\"?minimal\b", re.IGNORECASE)


def add_creating(
    routes: APIRouter, creator: Creator, resources: Resources, addresses: Callable[[Request], Addresses]
) -> None:
    """Add the routes. addresses: where a client reaches us."""
    posting = _Posting(creator, resources, addresses)
    routes.add_api_route("/Observation", posting.create, methods=["POST"])
    routes.add_api_route("", posting.bundle, methods=["POST"])
    routes.add_api_route("/", posting.bundle, methods=["POST"])


class _Posting:
    def __init__(
        self, creator: Creator, resources: Resources, addresses: Callable[[Request], Addresses]
    ) -> None:
        self._creator = creator
        self._resources = resources
        self._addresses = addresses

    async def create(self, request: Request) -> Response:
        resource = await resource_of(request, MAX_BODY)
        return await run_in_threadpool(self._create, request, resource)

    async def bundle(self, request: Request) -> Response:
        resource = await resource_of(request, MAX_BODY)
        return await run_in_threadpool(self._bundle, request, resource)

    def _create(self, request: Request, resource: dict[str, Any]) -> Response:
        addresses = self._addresses(request)
        answer = self._existing(request.headers.get("if-none-exist", ""), addresses)
        is_new = answer is None
        if answer is None:
            created = self._creator.create(resource, _source(request))
            is_new, (answer,) = created.is_new, created.answers
        headers = {"Location": _location(answer, addresses), **answer.validators}
        content = b"" if _MINIMAL.search(request.headers.get("prefer", "")) else answer.content
        status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
        return Response(content, status, headers, media_type=MEDIA_TYPE)

    def _existing(self, query: str, addresses: Addresses) -> Answer | None:
        """The one that a conditional create names (FHIR R4 3.1.0.8.1). Raises RequestFault."""
        if not query:
            return None
        pairs = pairs_of(query.partition("?")[2] or query, "If-None-Exist")
        asked = parse_search("Observation", pairs, addresses.fhir, strict=True)
        if not asked.conditions:
            raise RequestFault(400, "invalid", "it must have a condition", "If-None-Exist")
        # How many there are is the question, whatever page of them, or part of each, is asked for
        first_two = replace(asked, window=Window(0, 2), count_only=False, includes=(), subset=WHOLE)
        answers = self._resources.search(first_two, addresses).answers
        if len(answers) > 1:
            raise RequestFault(412, "multiple-matches", "several Observations match", "If-None-Exist")
        return answers[0] if answers else None

    def _bundle(self, request: Request, bundle: dict[str, Any]) -> Response:
        kind, entries = bundle.get("type"), bundle.get("entry")
        if bundle.get("resourceType") != "Bundle" or kind not in ("transaction", "batch"):
            message = "a Bundle of type transaction or batch is taken here"
            raise RequestFault(400, "structure", message, expression="Bundle.type")
        if not isinstance(entries, list) or not 0 < len(entries) <= MAX_ENTRIES:
            message = f"1 to {MAX_ENTRIES} entries are taken"
            raise RequestFault(422, "too-costly", message, expression="Bundle.entry")
        addresses, source = self._addresses(request), _source(request)
        told = (
            self._transaction(entries, addresses, source)
            if kind == "transaction"
            else [self._entry(entry, place, addresses, source) for place, entry in enumerate(entries)]
        )
        answer = {"resourceType": "Bundle", "type": f"{kind}-response", "entry": told}
        return Response(orjson.dumps(answer), media_type=MEDIA_TYPE)

    def _transaction(self, entries: list[Any], addresses: Addresses, source: Source) -> list[dict[str, Any]]:
        """All entries as one report: a group with its members, or one Observation."""
        resources = [_observation(entry, f"Bundle.entry[{place}]") for place, entry in enumerate(entries)]
        paths = [f"Bundle.entry[{place}].resource" for place in range(len(entries))]
        group, members = _group(entries, resources)
        order = [group, *members]
        created = self._creator.create_group(
            resources[group],
            [resources[n] for n in members],
            paths[group],
            [paths[n] for n in members],
            source,
        )
        told = {
            place: _told(answer, created.is_new, addresses)
            for place, answer in zip(order, created.answers, strict=True)
        }
        return [told[place] for place in range(len(entries))]

    def _entry(self, entry: object, place: int, addresses: Addresses, source: Source) -> dict[str, Any]:
        """One entry of a batch, which stands for itself."""
        path = f"Bundle.entry[{place}]"
        try:
            resource = _observation(entry, path)
            created = self._creator.create_group(resource, (), f"{path}.resource", (), source)
        except Exception as error:  # noqa: BLE001 - what was made of other entries is to be told
            refused = outcome_of(error)
            status = f"{refused.status_code} {HTTPStatus(refused.status_code).phrase}"
            return {"response": {"status": status, "outcome": orjson.Fragment(refused.body)}}
        return _told(created.answers[0], created.is_new, addresses)


def _told(answer: Answer, is_new: bool, addresses: Addresses) -> dict[str, Any]:
    status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    return {
        "fullUrl": f"{addresses.fhir}/Observation/{answer.resource_id}",
        "resource": orjson.Fragment(answer.content),
        "response": {
            "status": f"{status.value} {status.phrase}",
            "location": _location(answer, addresses),
            "etag": answer.validators["ETag"],
        },
    }


def _observation(entry: object, path: str) -> dict[str, Any]:
    """The resource of an entry that creates an Observation."""
    members = entry if isinstance(entry, dict) else {}
    request = members.get("request")
    if not isinstance(request, dict) or (request.get("method"), request.get("url")) != (
        "POST",
        "Observation",
    ):
        message = "entries create Observations: method POST, url Observation"
        raise RequestFault(422, "not-supported", message, expression=f"{path}.request")
    if "ifNoneExist" in request:
        message = "give the Observation an identifier instead; it is made once"
        raise RequestFault(422, "not-supported", message, expression=f"{path}.request.ifNoneExist")
    resource = members.get("resource")
    if not isinstance(resource, dict):
        raise RequestFault(400, "structure", "the resource is missing", expression=path)
    return resource


def _group(entries: list[Any], resources: list[dict[str, Any]]) -> tuple[int, list[int]]:
    """The places of the group and of its members, in the order of hasMember."""
    groups = [place for place, resource in enumerate(resources) if resource.get("hasMember")]
    if not groups and len(resources) == 1:
        return 0, []
    if len(groups) != 1:
        message = "a transaction is one report: a group with its members; post several as a batch"
        raise RequestFault(422, "not-supported", message, expression="Bundle.entry")
    (group,) = groups
    by_url = {str(entry.get("fullUrl", "")): place for place, entry in enumerate(entries) if place != group}
    path = f"Bundle.entry[{group}].resource.hasMember"
    listed = resources[group]["hasMember"]
    wanted = (
        [one.get("reference") if isinstance(one, dict) else None for one in listed]
        if isinstance(listed, list)
        else []
    )
    members = [by_url[url] for url in wanted if isinstance(url, str) and url in by_url]
    if (
        len(members) != len(wanted)
        or sorted(members) != sorted(by_url.values())
        or len(by_url) != len(entries) - 1
    ):
        message = "each other entry must be a member once, by its fullUrl"
        raise RequestFault(422, "not-found", message, expression=path)
    return group, members


def _location(answer: Answer, addresses: Addresses) -> str:
    return f"{addresses.fhir}/Observation/{answer.resource_id}/_history/{answer.version}"


def _source(request: Request) -> Source:
    return Source(address=request.client.host if request.client else "")
