"""Rows that retrieve a series by DICOM networking, with DCMTK's clients, and count what came."""

import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import load
from bench.figures import NotMeasured
from bench.servers import Server
from bench.stage import Stage
from bench.studies import LIBRARY_SLICES

DESTINATION = "BENCH"
LISTENS_WITHIN_SECONDS = 10


def c_get(server: Server, stage: Stage) -> float:
    """Instances a second of the long series, by getscu."""
    with _empty_folder(stage) as folder:
        return _retrieve(["getscu", "+B", "-od", str(folder)], server, stage, folder)


def c_move(server: Server, stage: Stage) -> float:
    """Instances a second of the long series, by movescu to a storescp."""
    with _empty_folder(stage) as folder, _storescp(folder) as port:
        server.introduce(DESTINATION, port)
        return _retrieve(["movescu", "-aem", DESTINATION], server, stage, folder)


def _retrieve(client: list[str], server: Server, stage: Stage, folder: Path) -> float:
    series = stage.library.long_series
    keys = [
        "QueryRetrieveLevel=SERIES",
        f"StudyInstanceUID={series.study_instance_uid}",
        f"SeriesInstanceUID={series.series_instance_uid}",
    ]
    command = [*client, "-q", "-S", "-aec", server.ae_title, *(part for key in keys for part in ("-k", key))]
    start = time.perf_counter()
    load.run([*command, "127.0.0.1", str(server.dimse_port)])
    seconds = time.perf_counter() - start
    came = sum(1 for _ in folder.iterdir())
    if came != LIBRARY_SLICES:
        raise NotMeasured(f"{came} instances came where {LIBRARY_SLICES} were due")
    return LIBRARY_SLICES / seconds


@contextmanager
def _empty_folder(stage: Stage) -> Iterator[Path]:
    """In memory, where there is room: the disk of the client is not measured."""
    folder = stage.sources / f"retrieved-{stage.number()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def _storescp(folder: Path) -> Iterator[int]:
    """The port of a storescp that keeps what comes as it comes."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    process = load.spawn(["storescp", "+B", "-aet", DESTINATION, "-od", str(folder), str(port)])
    try:
        deadline = time.monotonic() + LISTENS_WITHIN_SECONDS
        while not _listens(port):
            if time.monotonic() > deadline:
                raise NotMeasured("storescp does not listen")
            time.sleep(0.02)
        yield port
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True
