"""Serving OHIF where it is installed: its files, packed where the client takes it, under rules of its own."""

import re
from contextlib import suppress
from pathlib import Path, PurePosixPath

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

OURS = Path(__file__).parent / "ohif_static"  # comes before what is installed

# Only what has one of these suffixes is served; how the system's own table calls wasm differs.
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}

# As strict as OHIF allows: its decoders make functions from text (emscripten), its components carry styles,
# and what it has fetched it shows as blobs. Nobody but our own origin is ever asked.
SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "connect-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "frame-src 'self' blob:",
            "object-src 'self' blob:",
            "base-uri 'none'",
            "frame-ancestors 'self'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

_MISSING = "OHIF has no such file, or is not installed; `diafana ohif install` installs it."
_HASHED = re.compile(r"\b[0-9a-f]{16}\b")  # a name that changes with the content
_WEEK = "max-age=604800"  # not for ever: what the installation changes in a file is not in its name


def is_installed(folder: Path) -> bool:
    """Whether `diafana ohif install` has put OHIF here."""
    return (folder / "index.html").is_file()


class OhifFiles(StaticFiles):
    """What lies in a folder, looked for at each request: OHIF may be installed while the service runs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, check_dir=False)
        self.all_directories = [OURS, folder]
        self.config_checked = True  # the folder need not be there

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file; for a path without suffix the page, which knows what to show there. Else 404."""
        suffix = PurePosixPath(path).suffix
        if suffix and suffix not in MEDIA_TYPES:
            raise HTTPException(404, _MISSING)
        response = await self._file(path if suffix else "index.html", scope)
        if response.status_code == 200:
            response.headers["Content-Type"] = MEDIA_TYPES[suffix or ".html"]
        response.headers.update(SECURITY_HEADERS)
        response.headers["Cache-Control"] = _WEEK if _HASHED.search(path) else "no-cache"
        response.headers["Vary"] = "Accept-Encoding"
        return response

    async def _file(self, name: str, scope: Scope) -> Response:
        """The packed file where there is one and the client takes it, else the file itself."""
        if "gzip" in Headers(scope=scope).get("accept-encoding", ""):
            with suppress(HTTPException):
                response = await super().get_response(f"{name}.gz", scope)
                response.headers["Content-Encoding"] = "gzip"
                return response
        try:
            return await super().get_response(name, scope)
        except HTTPException as error:
            if error.status_code != 404:
                raise
            raise HTTPException(404, _MISSING) from error
