"""The clients that make the load, DCMTK's storescu, curl and wrk, and a plain request to judge answers by."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.figures import NotMeasured

# Where Python's programs are, those of pynetdicom have the names of DCMTK's.
_PYTHONS = str(Path(sys.prefix) / "bin")
PATH = os.pathsep.join(p for p in os.environ.get("PATH", os.defpath).split(os.pathsep) if p != _PYTHONS)

# Without TCP_NODELAY every C-STORE of DCMTK waits 40 ms for a delayed acknowledgement.
ENVIRONMENT = {**os.environ, "PATH": PATH, "TCP_NODELAY": "1"}
PATIENCE_SECONDS = 600
WRK_SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, whole.  seconds: from the request to the last byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class WrkReport:
    """What wrk saw.

    requests: answers that came whole.  bytes: all that was read.
    refused: answers with a status of 400 or above.
    broken: connections, reads and writes that failed, and timeouts.
    """

    requests: int
    seconds: float
    bytes: int
    refused: int
    broken: int

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


def get(url: str, headers: Mapping[str, str], timeout: float = PATIENCE_SECONDS) -> Answer:
    """One GET on a connection of its own; header names come back in lower case."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    try:
        start = time.perf_counter()
        connection.request("GET", parts._replace(scheme="", netloc="").geturl(), headers=dict(headers))
        response = connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - start
    except (OSError, http.client.HTTPException) as error:
        raise NotMeasured(f"{parts.path}: {error!r}") from error
    finally:
        connection.close()
    return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, body, seconds)


def store(folders: Sequence[Path], port: int, ae_title: str) -> float:
    """Send each folder over an association of its own, all at once.

    Returns the seconds from the start of the first storescu to the end of the last.
    Raises NotMeasured when one of them does not end well.
    """
    # Not -R: for it storescu reads each file twice, which costs a third of its time and none of the archive's
    common = ["storescu", "-q", "-aec", ae_title, "127.0.0.1", str(port), "+sd"]
    start = time.perf_counter()
    clients = [spawn([*common, str(folder)]) for folder in folders]
    try:
        outputs = [client.communicate(timeout=PATIENCE_SECONDS)[0] for client in clients]
    except subprocess.TimeoutExpired as error:
        raise NotMeasured(f"storescu did not end within {PATIENCE_SECONDS} s") from error
    finally:
        _end(clients)
    seconds = time.perf_counter() - start
    for client, output in zip(clients, outputs, strict=True):
        if client.returncode != 0:
            raise NotMeasured(f"storescu ended with {client.returncode}: {_last_line(output)}")
    return seconds


def post(url: str, body: Path, content_type: str, answer: Path) -> float:
    """POST a prepared body with curl; the answer's body goes to a file.

    Returns the seconds that the whole exchange took. Raises NotMeasured when the status is not 200.
    """
    command = ["curl", "--noproxy", "*", "--silent", "--show-error", "--output", str(answer)]
    command += ["--request", "POST", "--upload-file", str(body), "--write-out", "%{http_code} %{time_total}"]
    for header in (f"Content-Type: {content_type}", "Accept: application/dicom+json", "Expect:"):
        command += ["--header", header]
    output = run([*command, url])
    status, seconds = output.split()[-2:]
    if status != "200":
        raise NotMeasured(f"STOW-RS was answered with {status}")
    return float(seconds)


def wrk(base: str, paths: Path, headers: Mapping[str, str], *, connections: int, seconds: int) -> WrkReport:
    """Ask for the paths of a file, in turn, over keep-alive connections.

    Raises NotMeasured when a single request failed or was refused, or none came back.
    """
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
    command += ["--timeout", "60s", "--script", str(WRK_SCRIPT)]
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    report = parse_wrk(run([*command, base, "--", str(paths)]))
    if report.refused or report.broken:
        raise NotMeasured(
            f"wrk: {report.refused} refused, {report.broken} broken of {report.requests} requests"
        )
    if not report.requests:
        raise NotMeasured(f"wrk: no answer within {seconds} s")
    return report


def parse_wrk(output: str) -> WrkReport:
    """Read the line of JSON that wrk.lua ends with. Raises NotMeasured when there is none."""
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            return WrkReport(**json.loads(line))
    raise NotMeasured(f"wrk said nothing that can be read: {_last_line(output)}")


def run(command: Sequence[str]) -> str:
    """Run a client to its end; what it wrote. Raises NotMeasured when it does not end well."""
    client = spawn(command)
    try:
        output = client.communicate(timeout=PATIENCE_SECONDS)[0]
    except subprocess.TimeoutExpired as error:
        raise NotMeasured(f"{command[0]} did not end within {PATIENCE_SECONDS} s") from error
    finally:
        _end([client])
    if client.returncode != 0:
        raise NotMeasured(f"{command[0]} ended with {client.returncode}: {_last_line(output)}")
    return output


def spawn(command: Sequence[str]) -> subprocess.Popen[str]:
    """Start a program."""
    return subprocess.Popen(
        command,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _end(clients: Sequence[subprocess.Popen[str]]) -> None:
    for client in clients:
        if client.poll() is None:
            client.kill()
            client.wait()


def _last_line(output: str) -> str:
    return output.strip().rpartition("\n")[2] or "(no output)"
