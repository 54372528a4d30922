"""Serving the web page: a handful of files, read once, and the settings that the page tells its users."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import HTTPException

from viewer.ohif import is_installed

STATIC = Path(__file__).parent / "static"

# Only what lies in the static folder under one of these suffixes is served.
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml",
}

# Names of patients come from outside: no script, style or picture but our own may ever run on this page.
SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "media-src 'self'",
            "frame-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'self'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

_METHODS = ["GET", "HEAD"]


@dataclass(frozen=True, slots=True)
class _Asset:
    body: bytes
    media_type: str
    etag: str


def router(aet: str, dimse_port: int, ohif: Path, host: str = "") -> APIRouter:
    """The routes `/`, `/settings.json` and `/static/...`.

    aet: the AE title that modalities call.
    dimse_port: the TCP port on which DICOM networking listens.
    ohif: the folder where OHIF is, once it is installed.
    host: the name that modalities reach; empty when it is the one in the browser's address bar.
    """
    routes = APIRouter(include_in_schema=False)
    assets = {
        path.relative_to(STATIC).as_posix(): _asset(path.read_bytes(), path.suffix)
        for path in STATIC.rglob("*")
        if path.suffix in MEDIA_TYPES
    }
    index = assets.pop("index.html")
    settings = {"aet": aet, "port": dimse_port, "host": host}

    @routes.api_route("/", methods=_METHODS)
    async def page(request: Request) -> Response:
        return _answer(request, index)

    @routes.api_route("/settings.json", methods=_METHODS)
    def page_settings(request: Request) -> Response:
        told = settings | {"ohif": is_installed(ohif)}
        return _answer(request, _asset(json.dumps(told).encode(), ".json"))

    @routes.api_route("/static/{name:path}", methods=_METHODS)
    async def static(request: Request, name: str) -> Response:
        if name not in assets:
            raise HTTPException(404, "The page has no such file.")
        return _answer(request, assets[name])

    return routes


def _asset(body: bytes, suffix: str) -> _Asset:
    return _Asset(body, MEDIA_TYPES[suffix], f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _answer(request: Request, asset: _Asset) -> Response:
    """The file, or 304 when the browser has it already: asked each time, so that an upgrade shows at once."""
    headers = {**SECURITY_HEADERS, "Cache-Control": "no-cache", "ETag": asset.etag}
    known = request.headers.get("if-none-match", "")
    if asset.etag in {tag.strip().removeprefix("W/") for tag in known.split(",")}:
        return Response(status_code=304, headers=headers)
    return Response(asset.body, media_type=asset.media_type, headers=headers)
