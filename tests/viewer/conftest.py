"""The page, and OHIF beside it, served over real HTTP on a port of their own."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from viewer.ohif import OhifFiles
from viewer.page import router


@pytest.fixture(scope="package")
def ohif(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of OHIF, which is not installed at first."""
    return tmp_path_factory.mktemp("viewer") / "ohif"


@pytest.fixture(scope="package")
def origin(ohif: Path) -> Iterator[str]:
    """Scheme, host and port of a server that has nothing but the page and OHIF."""
    app = FastAPI()
    app.include_router(router("DIAFANA", 11112, ohif, "pacs.example.org"))
    app.mount("/ohif", OhifFiles(ohif))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()
