"""Long answers, and those who leave before their end."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette

from dicomweb.bodies import AT_ONCE, CHUNK
from testdata.secondary_capture import secondary_capture
from tests.dicomweb.conftest import serving

FRAMES = 4 * AT_ONCE // CHUNK


@pytest.mark.parametrize("accept", ["application/dicom", 'multipart/related; type="application/dicom"'])
def test_nothing_more_is_read_for_who_has_left(tmp_path: Path, accept: str) -> None:
    film = secondary_capture(np.zeros((FRAMES, 1024, 1024), np.uint8))
    with serving(tmp_path) as service:
        service.keep(film)
        path = (
            f"/dicom-web/studies/{film.StudyInstanceUID}/series/{film.SeriesInstanceUID}"
            f"/instances/{film.SOPInstanceUID}"
        )
        app = Starlette(routes=service.services.routes)
        assert asyncio.run(_pieces(app, path, f"{accept}; transfer-syntax=*", has_left=False)) > FRAMES
        assert asyncio.run(_pieces(app, path, f"{accept}; transfer-syntax=*", has_left=True)) < FRAMES / 2


async def _pieces(app: Callable[..., Any], path: str, accept: str, has_left: bool) -> int:
    """How many pieces of the body are sent to a client that stays, or has left once it has asked."""
    pieces = 0

    async def receive() -> dict[str, Any]:
        if not has_left:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:  # as uvicorn's, which says nothing of it
        nonlocal pieces
        assert message.get("status", 200) == 200
        pieces += message["type"] == "http.response.body"

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"accept", accept.encode())],
        "server": ("localhost", 80),
    }
    await app(scope, receive, send)
    return pieces
