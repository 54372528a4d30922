"""Somebody who is told of changes, over real HTTP."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import NamedTuple, Self


class Call(NamedTuple):
    """What arrived. headers: their names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    client_port: int


class Subscriber:
    """Takes every call. As a context it ends with it.

    failures: statuses to answer with before it takes any.
    """

    def __init__(self, port: int = 0) -> None:
        self.calls: list[Call] = []
        self.failures: list[int] = []
        self.changed = threading.Condition()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._http.daemon_threads = True  # they wait on connections that are kept open
        self._thread = threading.Thread(target=self._http.serve_forever)

    @property
    def port(self) -> int:
        return self._http.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def wait_for(self, path: str, seconds: float = 60) -> Call:
        """The first call of a path that begins so."""

        def found() -> Call | None:
            return next((call for call in self.calls if call.path.startswith(path)), None)

        with self.changed:
            self.changed.wait_for(lambda: found() is not None, seconds)
        call = found()
        assert call is not None, path
        return call

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(subscriber) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - self is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = subscriber.failures.pop(0) if subscriber.failures else 200
                with subscriber.changed:
                    if status == 200:
                        subscriber.calls.append(
                            Call(self.command, self.path, headers, body, self.client_address[1])
                        )
                    subscriber.changed.notify_all()
                self.send_response(status)
                if status in (301, 307):
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_PUT = do_OPTIONS = do_POST  # noqa: N815 - as the library calls them

            def log_message(self, *_: object) -> None:
                """It says nothing."""

        return Handler
