"""Serving OHIF: found once it is installed, packed where the client takes it, under rules of its own."""

import gzip
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from viewer.ohif import OURS

PAGE = b"<!doctype html><title>OHIF</title>"
SCRIPT = b"const viewer = 'OHIF';\n" * 100
FILES = {
    "index.html": PAGE,
    "app.bundle.0f6159c501addfe9.js": SCRIPT,
    "37fa160cc3a47cfd.wasm": b"\0asm\x01\0\0\0",
    "app.bundle.css": b"body { margin: 0 }",
    "assets/favicon.ico": b"\0\0\1\0",
    "notes.txt": b"not for browsers",
}
PACKED = {f"{name}.gz": gzip.compress(content) for name, content in FILES.items() if "favicon" not in name}


@pytest.fixture
def installed(ohif: Path) -> Iterator[Path]:
    for name, content in (FILES | PACKED).items():
        (ohif / name).parent.mkdir(parents=True, exist_ok=True)
        (ohif / name).write_bytes(content)
    (ohif.parent / "secret.js").write_text("outside")
    yield ohif
    shutil.rmtree(ohif)


@pytest.fixture
def client(origin: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=origin) as client:
        yield client


def status(origin: str, path: str) -> int:
    """Asked as written: a client that tidies paths would hide what a hostile one can ask."""
    with closing(HTTPConnection(origin.removeprefix("http://"))) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def test_where_it_is_not_installed_nothing_is_served(client: httpx.Client) -> None:
    assert client.get("/settings.json").json()["ohif"] is False
    answer = client.get("/ohif/viewer")
    assert answer.status_code == 404
    assert "not installed" in answer.json()["detail"]


@pytest.mark.usefixtures("installed")
def test_once_installed_it_is_there_without_a_new_start(client: httpx.Client) -> None:
    assert client.get("/settings.json").json()["ohif"] is True
    assert client.get("/ohif/").content == PAGE


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("path", ["/ohif/", "/ohif/viewer?StudyInstanceUIDs=1.2.3", "/ohif/viewer/diafana"])
def test_a_path_without_suffix_is_the_page(client: httpx.Client, path: str) -> None:
    for encoding in ("identity", "gzip"):
        answer = client.get(path, headers={"Accept-Encoding": encoding})
        assert (answer.status_code, answer.content) == (200, PAGE)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("app.bundle.0f6159c501addfe9.js", "text/javascript; charset=utf-8"),
        ("37fa160cc3a47cfd.wasm", "application/wasm"),
        ("app.bundle.css", "text/css; charset=utf-8"),
        ("assets/favicon.ico", "image/x-icon"),
    ],
)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_each_kind_of_file_has_its_media_type(
    client: httpx.Client, name: str, media_type: str, encoding: str
) -> None:
    answer = client.get(f"/ohif/{name}", headers={"Accept-Encoding": encoding})
    assert (answer.status_code, answer.content) == (200, FILES[name])
    assert answer.headers["content-type"] == media_type


@pytest.mark.usefixtures("installed")
def test_what_was_packed_is_sent_packed(client: httpx.Client) -> None:
    path = "/ohif/app.bundle.0f6159c501addfe9.js"
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(SCRIPT) == int(plain.headers["content-length"])
    assert "content-encoding" not in plain.headers
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] != plain.headers["etag"]


@pytest.mark.usefixtures("installed")
def test_only_names_that_change_with_their_content_are_kept_by_browsers(client: httpx.Client) -> None:
    kept = {
        name: "max-age" in client.get(f"/ohif/{name}").headers["cache-control"]
        for name in (*FILES, "app-config.js")
        if name != "notes.txt"
    }
    assert [name for name, is_kept in kept.items() if is_kept] == [
        "app.bundle.0f6159c501addfe9.js",
        "37fa160cc3a47cfd.wasm",
    ]


@pytest.mark.usefixtures("installed")
def test_an_unchanged_file_is_not_sent_again(client: httpx.Client) -> None:
    first = client.get("/ohif/")
    again = client.get("/ohif/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.usefixtures("installed")
def test_the_configuration_is_ours_and_names_nobody_else(client: httpx.Client) -> None:
    answer = client.get("/ohif/app-config.js")
    assert answer.text == (OURS / "app-config.js").read_text()
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert re.findall(r"https?://|//\w", answer.text.replace("// ", "")) == []


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("path", ["/ohif/", "/ohif/app-config.js", "/ohif/37fa160cc3a47cfd.wasm"])
def test_nobody_but_our_own_origin_may_be_asked(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    sources = {source for given in policy.values() for source in given.split()}
    assert sources <= {"'self'", "'none'", "'unsafe-eval'", "'unsafe-inline'", "data:", "blob:"}
    assert policy["script-src"] == "'self' 'unsafe-eval'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "path",
    [
        "/ohif/nothing.js",
        "/ohif/notes.txt",
        "/ohif/app.bundle.css.gz",
        "/ohif/../secret.js",
        "/ohif/%2e%2e/secret.js",
        "/ohif/..%2fsecret.js",
        "/ohif/assets/../../secret.js",
        "/ohif/%00.js",
        f"/ohif/{'a' * 5000}.js",
    ],
)
def test_nothing_else_is_served(origin: str, path: str) -> None:
    assert status(origin, path) == 404


@pytest.mark.usefixtures("installed")
def test_it_is_only_read(client: httpx.Client) -> None:
    assert client.head("/ohif/").status_code == 200
    assert client.post("/ohif/").status_code == 405
