"""How fast it could be: what bounds the stores from above, measured in the same run."""

import os
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench import load
from bench.figures import NotMeasured
from bench.stage import Stage
from bench.studies import FIRST_MARK, Template

READY_WITHIN_SECONDS = 10


def storescp_ct(stage: Stage) -> float:
    """CT instances a second that DCMTK's storescp takes: no fsync, no index."""
    return _storescp(stage, stage.studies.ct, stage.amounts.ct)


def storescp_mr(stage: Stage) -> float:
    """MR instances a second that DCMTK's storescp takes: no fsync, no index."""
    return _storescp(stage, stage.studies.mr, stage.amounts.mr)


def bare_loop_ct(stage: Stage) -> float:
    """CT instances a second of a loop that writes, fsyncs and commits, without any network."""
    return _bare_loop(stage, stage.studies.ct, stage.amounts.ct)


def bare_loop_mr(stage: Stage) -> float:
    """MR instances a second of a loop that writes, fsyncs and commits, without any network."""
    return _bare_loop(stage, stage.studies.mr, stage.amounts.mr)


def _storescp(stage: Stage, of: Template, count: int) -> float:
    folder = stage.scratch()
    with stage.fresh(of, count) as [batch], _receiving(folder) as port:
        os.sync()
        seconds = load.store([batch.folder], port, "STORESCP")
        kept = len(list(folder.iterdir()))
        if kept != count:
            raise NotMeasured(f"storescp kept {kept} of {count} instances")
    return count / seconds


@contextmanager
def _receiving(folder: Path) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = ["storescp", "-q", "--output-directory", str(folder), str(port)]
    process = subprocess.Popen(
        command, env=load.ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_until_listening(port)
        yield port
    finally:
        process.kill()
        process.wait()


def _wait_until_listening(port: int) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise NotMeasured("storescp does not listen")


def _bare_loop(stage: Stage, of: Template, count: int) -> float:
    files = list(of.marked(FIRST_MARK, count))
    folder = stage.scratch()
    with closing(sqlite3.connect(folder / "index")) as index:
        index.execute("PRAGMA journal_mode=WAL")
        index.execute("PRAGMA synchronous=FULL")
        index.execute("CREATE TABLE instance (name TEXT PRIMARY KEY)")
        index.commit()
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.sync()
            start = time.perf_counter()
            for number, data in enumerate(files):
                _write_durably(folder / str(number), data, directory)
                index.execute("INSERT INTO instance VALUES (?)", (str(number),))
                index.commit()
            return count / (time.perf_counter() - start)
        finally:
            os.close(directory)


def _write_durably(path: Path, data: bytes, directory: int) -> None:
    with path.open("xb", buffering=0) as file:
        file.write(data)
        os.fsync(file.fileno())
    os.fsync(directory)
