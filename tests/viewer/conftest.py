"""The page served over real HTTP on a port of its own."""

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI

from viewer.page import router


@pytest.fixture(scope="package")
def origin() -> Iterator[str]:
    """Scheme, host and port of a server that has nothing but the page."""
    app = FastAPI()
    app.include_router(router("DIAFANA", 11112, "pacs.example.org"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()
