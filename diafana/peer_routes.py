"""The known systems over HTTP, for programs that set up the archive.

What is written here decides who gets images, and nobody logs in yet: so it is there only where a setting
says so, and never for a page in a browser, of whichever origin.
"""

from typing import Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import HTTPException

from diafana.peer_form import InvalidPeer, PeerForm, peer_from, told
from diafana.wiring import Parts
from dicomweb.problems import problem
from dicomweb.threads import Threads
from pacs.dimse.dialogue import echo
from pacs.dimse.requestor import PeerFailed
from pacs.model import Peer

ROOT = "/peers"
LIMIT = 65_536  # bytes of a body

_BODY = {"requestBody": {"content": {"application/json": {"schema": PeerForm.model_json_schema()}}}}


async def refuse_pages(request: Request) -> None:
    """Browsers name the origin of what they change, and most of them whence any request comes."""
    if "origin" in request.headers or request.headers.get("sec-fetch-site", "none") != "none":
        raise HTTPException(403, "this is for programs, and not for a page in a browser")


class PeerRoutes:
    """What is answered. Each system is at its AE title; one with a slash is for the command line alone."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._peers = parts.index.peers
        self._threads = Threads()

    async def all(self) -> Response:
        """All known systems."""
        return _json([told(one) for one in await self._threads.search(self._peers.all)])

    async def one(self, ae_title: str) -> Response:
        """A known system. 404 for any other."""
        return _json(told(await self._found(ae_title)))

    async def _found(self, ae_title: str) -> Peer:
        found = await self._threads.search(self._peers.find, ae_title)
        if found is None:
            raise _unknown()
        return found

    async def put(self, ae_title: str, request: Request) -> Response:
        """Know a system, in place of an earlier one: what is left out of the body is as by default."""
        try:
            said = peer_from({"ae_title": ae_title, **await _body(request)})
        except InvalidPeer as error:
            return problem(400, str(error))
        if said.ae_title != ae_title.strip():
            return problem(400, "ae_title: it is not that of the path")
        was_known = await self._threads.search(self._peers.find, said.ae_title) is not None
        await self._threads.store(self._parts.know, said)
        return _json(told(said), 200 if was_known else 201)

    async def remove(self, ae_title: str) -> Response:
        """Know a system no more."""
        if not await self._threads.store(self._peers.remove, ae_title):
            raise _unknown()
        return Response(status_code=204)

    async def echo(self, ae_title: str) -> Response:
        """Ask it whether it is there (C-ECHO); 502 says why it does not answer."""
        peer = await self._found(ae_title)
        try:
            await self._threads.read(echo, peer, self._parts.settings.aet, self._parts.tls_calling)
        except PeerFailed as error:
            return problem(502, str(error))
        return Response(status_code=204)


def router(parts: Parts) -> APIRouter:
    """The routes below ROOT."""
    peers = PeerRoutes(parts)
    routes = APIRouter(prefix=ROOT, dependencies=[Depends(refuse_pages)])
    one = "/{ae_title}"
    routes.add_api_route("", peers.all, methods=["GET"])
    routes.add_api_route(one, peers.one, methods=["GET"])
    routes.add_api_route(one, peers.put, methods=["PUT"], openapi_extra=_BODY)
    routes.add_api_route(one, peers.remove, methods=["DELETE"], status_code=204)
    routes.add_api_route(f"{one}/echo", peers.echo, methods=["POST"], status_code=204)
    return routes


def _unknown() -> HTTPException:
    return HTTPException(404, "no system of this AE title is known here")


async def _body(request: Request) -> dict[str, Any]:
    """Raises HTTPException, InvalidPeer."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "expected application/json")
    content = b""
    async for piece in request.stream():
        content += piece
        if len(content) > LIMIT:
            raise HTTPException(413, f"more than {LIMIT} bytes are said of one system")
    try:
        said = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InvalidPeer(f"this is no JSON: {error}") from error
    if not isinstance(said, dict):
        raise InvalidPeer("expected an object of JSON")
    return said


def _json(content: Any, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(content), status, headers, "application/json")
