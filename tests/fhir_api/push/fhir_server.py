"""A FHIR server that carries out transactions as R4 3.1.0.11.2 says, over real HTTP."""

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

Resource = dict[str, Any]


class FhirServer:
    """Holds resources by type and id. As a context it ends with it.

    failures: statuses to answer with before it works.  requests: the headers of each.
    """

    def __init__(self) -> None:
        self.resources: dict[str, Resource] = {}
        self.failures: list[int] = []
        self.requests: list[dict[str, str]] = []
        self.changed = threading.Condition()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/fhir"

    def of_type(self, kind: str) -> list[Resource]:
        return [one for one in self.resources.values() if one["resourceType"] == kind]

    def wait_for(self, kind: str, number: int, seconds: float = 60) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.of_type(kind)) == number, seconds), kind

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def carry_out(self, bundle: Resource) -> Resource:
        assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")
        urls: dict[str, str] = {}
        kept = dict(self.resources)
        written: list[str] = []
        for entry in bundle["entry"]:
            method, (kind, _, criterion) = entry["request"]["method"], entry["request"]["url"].partition("?")
            found = _found(kept, kind, entry["request"].get("ifNoneExist", criterion))
            if method == "DELETE":
                for name in found:
                    del kept[name]
                continue
            assert len(found) <= 1
            assert entry["resource"]["resourceType"] == kind
            assert "id" not in entry["resource"]
            name = found[0] if found else f"{kind}/{uuid.uuid4()}"
            urls[entry["fullUrl"]] = name
            if method == "PUT" or not found:
                assert method in ("PUT", "POST")
                kept[name] = entry["resource"]
                written.append(name)
        for name in written:
            kept[name] = _resolved(kept[name], urls)
        for resource in kept.values():
            assert set(references(resource)) <= kept.keys()
        with self.changed:
            self.resources = kept
            self.changed.notify_all()
        return {"resourceType": "Bundle", "type": "transaction-response"}

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - self is the handler's
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.requests.append(dict(self.headers))
                bundle = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if server.failures:
                    issue = [{"severity": "error", "code": "conflict", "diagnostics": "Rossi^Maria"}]
                    self._answer(server.failures.pop(0), {"resourceType": "OperationOutcome", "issue": issue})
                else:
                    self._answer(200, server.carry_out(bundle))

            def _answer(self, status: int, content: Resource) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """It says nothing."""

        return Handler


def references(value: Any) -> list[str]:
    """All literal references in a resource."""
    if isinstance(value, dict):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [one for member in value.values() for one in references(member)]
    return [one for each in value for one in references(each)] if isinstance(value, list) else []


def _found(resources: dict[str, Resource], kind: str, criterion: str) -> list[str]:
    ((parameter, (token,)),) = parse_qs(criterion, strict_parsing=True).items()
    assert parameter == "identifier"
    system, _, value = token.partition("|")
    return [
        name
        for name, one in resources.items()
        if one["resourceType"] == kind
        and any((i.get("system"), i.get("value")) == (system, value) for i in one.get("identifier", []))
    ]


def _resolved(value: Any, urls: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            name: urls.get(one, one) if name == "reference" else _resolved(one, urls)
            for name, one in value.items()
        }
    return [_resolved(one, urls) for one in value] if isinstance(value, list) else value
