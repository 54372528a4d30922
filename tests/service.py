"""The real service, started as its user starts it, on free ports and a folder of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

START_SECONDS = 30.0


class Service:
    """`diafana serve` as a process. Used as a context it ends with it."""

    def __init__(
        self, data: Path, *options: str, program: tuple[str, ...] = ("-m", "diafana"), **variables: str
    ) -> None:
        """program: what Python runs; another one plants a bug.  variables: DIAFANA_* of its environment."""
        self.data = data
        self.log = data.parent / f"{data.name}.log"
        self._log = self.log.open("a")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DIAFANA_")}
        self.process = subprocess.Popen(
            [
                sys.executable,
                *program,
                "serve",
                "--data",
                data,
                "--http-port",
                "0",
                "--dimse-port",
                "0",
                *options,
            ],
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment | {"PYTHONUNBUFFERED": "1"} | variables,
            text=True,
        )
        self.http_port, self.dimse_port, self.dimse_tls_port = self._ports()

    def _ports(self) -> tuple[int, int, int]:
        """Wait for the announcement, which comes when everything answers."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "Ctrl-C" in line:
                break
        else:
            raise AssertionError(f"the service did not start:\n{self.log.read_text()}")
        ready = [
            json.loads(line) for line in self.log.read_text().splitlines() if '"event": "ready"' in line
        ][-1]
        return ready["http"], ready["dimse"], ready["dimse_tls"] or 0

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self.http_port}"

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET a path of the service."""
        return httpx.get(self.url + path, headers=headers, timeout=30)

    def events(self) -> list[dict[str, object]]:
        """What it has logged so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def kill(self) -> None:
        """kill -9, and wait until its processes have left."""
        self.process.kill()
        self._end()

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._end()

    def _end(self) -> int:
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.read()  # ends when the last process that inherited it has left
        self.process.stdout.close()
        self._log.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.stop()
