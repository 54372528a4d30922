"""The two services that are measured: each with its own folder and ports, and never longer than the bench."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import which

from bench import processes
from bench.figures import NotMeasured
from bench.load import ENVIRONMENT, get, run

READY_WITHIN_SECONDS = 60
END_WITHIN_SECONDS = 40
ROOT = Path(__file__).resolve().parent.parent
DICOMWEB_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


class CannotStart(Exception):
    """A service did not become ready; the message holds the end of what it wrote."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running service.

    session: id of the session in which it and all its processes run.
    start_seconds: from its start until it said that it was ready.
    introduce: makes a system known to it, by AE title and port.
    """

    name: str
    version: str
    ae_title: str
    dimse_port: int
    dicomweb: str
    session: int
    start_seconds: float
    introduce: Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Contender:
    """How to start a service.

    command: from its folder, HTTP port and DIMSE port to the program and its arguments.
    ready: the path that answers 200 when the service is ready.  root: the path of its DICOMweb resources.
    version: from the base URL of the running service.
    introduce: makes a system known to the service of a folder and base URL, by AE title and port.
    """

    name: str
    ae_title: str
    root: str
    ready: str
    command: Callable[[Path, int, int], list[str]]
    version: Callable[[str], str]
    introduce: Callable[[Path, str, str, int], None]


def orthanc_program() -> str | None:
    """Debian puts it where only root looks."""
    return which("Orthanc", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def _orthanc_command(folder: Path, http_port: int, dimse_port: int) -> list[str]:
    settings = {
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "StorageCompression": False,
        "HttpPort": http_port,
        "DicomPort": dimse_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "UnknownSopClassAccepted": True,
        "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowMove": True,
        "Plugins": [str(DICOMWEB_PLUGIN)],
        "DicomWeb": {"Enable": True},
    }
    path = folder / "orthanc.json"
    path.write_text(json.dumps(settings))
    return [orthanc_program() or "Orthanc", str(path)]


def _orthanc_version(base: str) -> str:
    plugin = _json(f"{base}/plugins/dicom-web")
    return f"Orthanc {_json(f'{base}/system')['Version']}, DICOMweb plugin {plugin['Version']}"


def _introduce_to_orthanc(_folder: Path, base: str, ae_title: str, port: int) -> None:
    system = json.dumps({"AET": ae_title, "Host": "127.0.0.1", "Port": port})
    run(
        [
            "curl",
            "--noproxy",
            "*",
            "--silent",
            "--fail",
            "-X",
            "PUT",
            "-d",
            system,
            f"{base}/modalities/{ae_title}",
        ]
    )


def _introduce_to_us(folder: Path, _base: str, ae_title: str, port: int) -> None:
    known = ["peer", "add", ae_title, "127.0.0.1", str(port), "--data", str(folder)]
    run([sys.executable, "-m", "diafana", *known])


def _our_command(folder: Path, http_port: int, dimse_port: int) -> list[str]:
    ports = ["--http-port", str(http_port), "--dimse-port", str(dimse_port)]
    return [sys.executable, "-m", "diafana", "serve", "--data", str(folder), *ports]


def _our_version(_base: str) -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"Diafana {project['version']}"


OURS = Contender("Diafana", "DIAFANA", "/dicom-web", "/readyz", _our_command, _our_version, _introduce_to_us)
PEER = Contender(
    "Orthanc", "ORTHANC", "/dicom-web", "/system", _orthanc_command, _orthanc_version, _introduce_to_orthanc
)


@contextmanager
def running(contender: Contender, folder: Path) -> Iterator[Server]:
    """Start a service in a folder, hand it out when it is ready, and end it with all its processes.

    Raises CannotStart when it ends or is not ready in time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    http_port, dimse_port = _free_ports()
    base = f"http://127.0.0.1:{http_port}"
    log = folder.with_name(f"{folder.name}.log")
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            contender.command(folder, http_port, dimse_port),
            env=_environment(),
            cwd=folder.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(contender, process, base, log)
        seconds = time.perf_counter() - start
        yield Server(
            name=contender.name,
            version=contender.version(base),
            ae_title=contender.ae_title,
            dimse_port=dimse_port,
            dicomweb=base + contender.root,
            session=process.pid,
            start_seconds=seconds,
            introduce=partial(contender.introduce, folder, base),
        )
    finally:
        _end(process)


def _environment() -> dict[str, str]:
    """Ours is measured as it comes: without what is set for it in this shell or beside this repository."""
    plain = {name: value for name, value in ENVIRONMENT.items() if not name.startswith("DIAFANA_")}
    return {**plain, "PYTHONPATH": str(ROOT)}


def _wait_until_ready(contender: Contender, process: subprocess.Popen[bytes], base: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not _answers(base + contender.ready):
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace").strip().splitlines()[-5:]
            raise CannotStart(f"{contender.name} did not become ready:\n" + "\n".join(tail))
        time.sleep(0.02)


def _answers(url: str) -> bool:
    try:
        return get(url, {}, timeout=5).status == 200
    except NotMeasured:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask first, then end whatever is left of its session."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    while left := processes.of_session(process.pid):
        for each in left:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        time.sleep(0.02)


def _free_ports() -> tuple[int, int]:
    """Two ports of loopback that were free a moment ago."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def _json(url: str) -> dict[str, str]:
    answer: dict[str, str] = json.loads(get(url, {}).body)
    return answer
