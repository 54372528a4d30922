"""The Worklist Service over real HTTP and real WebSockets, with an index of its own."""

import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import uvicorn
from fastapi import FastAPI
from websockets.sync.client import ClientConnection, connect

from dicomweb.app import routes_of
from dicomweb.problems import add_problem_handlers
from dicomweb.ups import routes
from pacs.doorbell import ring
from pacs.index import Index, migrate, sqlite_url
from pacs.worklist.subscriptions import Subscriptions
from pacs.worklist.worklist import Worklist
from testdata.workitems import new_workitem, state_change
from tests.dicomweb.told import only_told

PATIENCE = 20.0  # seconds for what must happen by itself
MEDIA_TYPE = "application/dicom+json"
LOCK = "2.999.39.8.8"


@dataclass(frozen=True)
class WorklistService:
    """A running service.

    http: a client whose base is its root.  server: to be told to end.
    """

    url: str
    http: httpx.Client
    server: "Server"

    def post(self, path: str, data_set: Any = None, **headers: str) -> httpx.Response:
        content = None if data_set is None else orjson.dumps(data_set)
        return self.http.post(path, content=content, headers={"Content-Type": MEDIA_TYPE, **headers})

    def put(self, path: str, data_set: Any) -> httpx.Response:
        return self.http.put(path, content=orjson.dumps(data_set), headers={"Content-Type": MEDIA_TYPE})

    def create(self, uid: str, **values: Any) -> None:
        response = self.post(f"/workitems?{uid}", new_workitem(**values))
        assert response.status_code == 201, response.text

    def change_state(self, uid: str, state: str, transaction_uid: str = LOCK) -> httpx.Response:
        return self.put(f"/workitems/{uid}/state", state_change(state, transaction_uid))

    def channel(self, ae_title: str, **options: Any) -> ClientConnection:
        """An open notification connection."""
        url = f"{self.url.replace('http', 'ws', 1)}/subscribers/{ae_title}"
        connection: ClientConnection = connect(url, **options)
        return connection


def told(channel: ClientConnection) -> dict[str, Any]:
    """The next event report."""
    report = orjson.loads(channel.recv(timeout=PATIENCE))
    assert isinstance(report, dict)
    return report


class Server(uvicorn.Server):
    """Goes down as the whole service does, which tests of tests/diafana show."""

    def __init__(self, config: uvicorn.Config, go_down: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._go_down = go_down
        self.has_said_so = threading.Event()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._go_down()
        self.has_said_so.set()
        await super().shutdown(sockets)


@contextmanager
def serving(folder: Path, days_kept: float = 30.0) -> Iterator[WorklistService]:
    url, doorbells = sqlite_url(folder / "index.sqlite"), folder / "doorbells"
    migrate(url)
    index = Index(url)
    woken = partial(ring, doorbells)
    worklist = Worklist(index.worklist, "DIAFANA", days_kept, woken)
    service = routes.WorklistService(worklist, Subscriptions(index.worklist, woken), doorbells)
    app = FastAPI(routes=[*routes_of(service.transactions, "/dicom-web"), service.channel])
    add_problem_handlers(app)
    config = uvicorn.Config(
        app, port=0, log_config=None, lifespan="off", ws="websockets-sansio", ws_max_size=4096
    )
    server = Server(config, service.go_down)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE
        while not server.started:
            assert thread.is_alive() and time.monotonic() < deadline, "the server did not come up"
            time.sleep(0.005)
        root = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/dicom-web"
        hooks = {"response": [only_told(service.transactions, "/dicom-web")]}
        with httpx.Client(base_url=root, timeout=30, event_hooks=hooks) as http:
            yield WorklistService(root, http, server)
    finally:
        server.should_exit = True
        thread.join()
        index.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[WorklistService]:
    with serving(tmp_path) as running:
        yield running
