"""Other archives over the web, where a setting allows it: asked, and made to give what is missing here."""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from fastapi import APIRouter, HTTPException
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.requests import Request

from diafana.wiring import Parts
from pacs.dimse.remote import find
from pacs.dimse.requestor import PeerFailed
from pacs.dimse.retrieval import Progress, Retrieval, entity_of
from pacs.errors import ArchiveError, NotFound
from pacs.model import Level, Peer

ROOT = "/remote"
MOST_ANSWERS = 1000

LEVELS = {
    "patients": Level.PATIENT,
    "studies": Level.STUDY,
    "series": Level.SERIES,
    "instances": Level.INSTANCE,
}


def router(parts: Parts) -> APIRouter:
    """Its routes, under /remote/{AE title}."""
    routes = APIRouter(prefix=ROOT)
    ae_title = parts.settings.aet

    @routes.get("/{aet}/{entities}", include_in_schema=False)
    def search(aet: str, entities: str, request: Request) -> JSONResponse:
        level = LEVELS.get(entities)
        if level is None:
            raise NotFound(f"there are {', '.join(LEVELS)}, and nothing else")
        try:
            found = find(
                _peer(parts, aet),
                ae_title,
                level,
                dict(request.query_params),
                MOST_ANSWERS,
                parts.tls_calling,
            )
            answers: list[dict[str, Any]] = [answer.to_json_dict() for answer in found]
        except PeerFailed as error:
            _fail(error)
        return JSONResponse(answers, media_type="application/dicom+json")

    @routes.post("/{aet}/retrieve", include_in_schema=False)
    def retrieve(aet: str, request: Request) -> StreamingResponse:
        entity = entity_of(dict(request.query_params))
        steps = Retrieval(parts.archive, _peer(parts, aet), ae_title, entity, parts.tls_calling).run()
        try:
            first = next(steps)
        except PeerFailed as error:
            _fail(error)
        return StreamingResponse(_lines(first, steps), media_type="application/x-ndjson")

    return routes


def _peer(parts: Parts, aet: str) -> Peer:
    peer = parts.index.peers.find(aet)
    if peer is None:
        raise NotFound("no system of this AE title is known here")
    return peer


def _fail(error: PeerFailed) -> NoReturn:
    raise HTTPException(502, str(error)) from error


def _lines(first: Progress, steps: Iterator[Progress]) -> Iterator[str]:
    """A line of JSON for each step; one with an error is the last."""
    yield json.dumps(first._asdict()) + "\n"
    try:
        for step in steps:
            yield json.dumps(step._asdict()) + "\n"
    except (ArchiveError, PeerFailed) as error:
        yield json.dumps({"error": str(error)}) + "\n"
