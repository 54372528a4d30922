"""Services end with the bench, and what they use is seen."""

import os
import sys
from pathlib import Path

import pytest

from bench import processes
from bench.servers import CannotStart, Contender, running

# A service with a child process that does not end when it is asked to.
PROGRAM = """
import http.server, signal, subprocess, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", stubborn])
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""


def contender(program: str) -> Contender:
    return Contender(
        name="Trial",
        ae_title="TRIAL",
        root="/dicom-web",
        ready="/ready",
        command=lambda _folder, http_port, _dimse_port: [sys.executable, "-c", program, str(http_port)],
        version=lambda _base: "1",
        introduce=lambda _folder, _base, _title, _port: None,
    )


def test_a_service_ends_with_its_children_even_on_an_interrupt(tmp_path: Path) -> None:
    session = 0

    def interrupted() -> None:
        nonlocal session
        with running(contender(PROGRAM), tmp_path / "trial") as server:
            session = server.session
            assert len(processes.of_session(session)) == 2
            assert 1 < processes.proportional_megabytes(session) <= processes.resident_megabytes(session)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert session != os.getsid(0)
    assert processes.of_session(session) == []


def test_a_service_that_falls_over_is_said_to_with_its_last_words(tmp_path: Path) -> None:
    with (
        pytest.raises(CannotStart, match="no disk here"),
        running(contender("raise SystemExit('no disk here')"), tmp_path / "trial"),
    ):
        pytest.fail("it was said to be running")
