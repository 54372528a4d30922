"""The service: what `diafana serve` starts, and what each of its processes does."""

import ctypes
import fcntl
import gc
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pydicom
import structlog
import uvicorn
from prometheus_client.multiprocess import mark_process_dead

from diafana import web
from diafana.http_server import HttpServer
from diafana.processes import Role, Supervisor, Termination
from diafana.settings import Settings
from diafana.wiring import (
    Parts,
    courier_bells,
    couriers,
    dimse_limits,
    dimse_offers,
    followers,
    tls_accepting,
    tls_files,
)
from fhir_api.push.courier import FOLLOWER as PUSH_FOLLOWER
from fhir_api.reports import FOLLOWER
from fhir_api.store import prepare
from fhir_api.subscriptions.courier import FOLLOWER as STUDY_FOLLOWER
from hl7v2.mllp import Limits, MllpServer
from hl7v2.receiver import Receiver
from pacs.availability import FOLLOWER as AVAILABILITY
from pacs.changes import Bell, Runner
from pacs.dimse import DimseServer, TlsPort
from pacs.dimse.tls import CannotUseTls, calling
from pacs.doorbell import ring
from pacs.errors import StorageFailed
from pacs.index import Index, Plan, migrate, sqlite_url
from pacs.occupancy import Occupancy, Place
from pacs.upkeep import adopt_orphans
from pacs.worklist.subscriptions import Subscriptions

Ready = Callable[[], None]
_Port = tuple[socket.socket, Place]  # where a worker accepts, and what it tells the others of it

LONGEST_MESSAGE = 4096  # bytes that a subscriber may send at once, who has nothing to say

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # mallopt(3)

log = structlog.get_logger()


class CannotStart(Exception):
    """The service cannot start; the message says why and what to do."""


def serve(settings: Settings) -> None:
    """Run the service until SIGTERM or SIGINT. Raises CannotStart."""
    with only_service_of(settings.data):
        http = _listen(settings.host, settings.http_port, "http-port")
        dimse = _listen(settings.host, settings.dimse_port, "dimse-port")
        hl7 = None if settings.hl7_port is None else _listen(settings.host, settings.hl7_port, "hl7-port")
        tls_port = _listen_by_tls(settings)
        _prepare_data(settings)
        bell = Bell(settings.bell)
        occupied = Occupancy(settings.workers), Occupancy(settings.workers)

        def work(number: int) -> Callable[[Ready], None]:
            web, dicom = (port.place(number) for port in occupied)
            return lambda ready: _run_worker(settings, bell, (http, web), (dimse, dicom), tls_port, ready)

        roles = [Role(f"worker {number + 1}", work(number)) for number in range(settings.workers)]
        roles.append(Role("followers", lambda ready: _run_followers(settings, bell, ready)))
        if hl7 is not None:
            roles.append(Role("orders", partial(_run_orders, settings, bell, hl7)))
        # pydicom's warnings quote values, and checking each value against its VR costs more than reading it
        pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
        _keep_memory()
        gc.set_threshold(50_000, 50, 50)  # answers are many short-lived values without cycles
        gc.freeze()  # what was imported is never collected, so the processes go on sharing its memory

        def announce() -> None:
            _announce(settings, http, dimse, tls_port, hl7)

        if not Supervisor(roles, mark_process_dead).run(announce):
            raise CannotStart("a process of the service did not start; the log above says why")


def _keep_memory() -> None:
    """Let glibc use again what was freed, up to 16 MB a heap: memory that is new costs more than its copying.

    Left to itself it gives the pieces of bodies and frames back to the system after each use.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, 8 << 20)
        libc.mallopt(_M_TRIM_THRESHOLD, 16 << 20)


class only_service_of:  # noqa: N801 - reads as a phrase
    """Holds the data folder for this service alone; its processes hold it with it."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def __enter__(self) -> None:
        try:
            self._data.mkdir(parents=True, exist_ok=True)
            self._file = (self._data / "service.lock").open("w")
        except OSError as error:
            raise CannotStart(f"the data folder {self._data} cannot be used: {error.strerror}") from error
        for _ in range(50):  # the processes of a service that was just killed need a moment to leave
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.1)
            else:
                return
        raise CannotStart(
            f"another service uses {self._data} already; stop it, or choose another folder with --data"
        )

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _prepare_data(settings: Settings) -> None:
    try:
        kept = settings.index_path.exists()
        migrate(sqlite_url(settings.index_path))
        _announce_restart(settings, kept)
        settings.derived.mkdir(exist_ok=True)
        prepare(sqlite_url(settings.fhir_path))
        _begin_telling(settings)
        _begin_pushing(settings)
        _leave_doors(settings)
    except StorageFailed as error:
        raise CannotStart(
            f"the index in {settings.data} cannot be used: {error}; `diafana reindex` builds it anew"
        ) from error


def _begin_telling(settings: Settings) -> None:
    """Let who follows studies to tell of them begin now: of what was there before nobody is told."""
    telling = [AVAILABILITY, *([STUDY_FOLLOWER] if settings.fhir_subscription_endpoints else [])]
    index = Index(sqlite_url(settings.index_path))
    begun, newest = index.tasks.cursors(), index.tasks.newest()
    beginning = [Plan(name, {}, due=0, cursor=newest) for name in telling if name not in begun]
    if beginning:
        index.tasks.plan(beginning)
    index.close()


def _begin_pushing(settings: Settings) -> None:
    """After a dry run let who follows studies for another server begin anew: nothing of them was sent."""
    dry_run = settings.fhir_push_dry_run_path
    if settings.fhir_push and not settings.fhir_push_dry_run and dry_run.exists():
        index = Index(sqlite_url(settings.index_path))
        index.tasks.restart(PUSH_FOLLOWER)
        index.close()
        for file in sorted(dry_run.parent.glob(f"{dry_run.name}*"), reverse=True):  # it, after its side files
            file.unlink()


def _leave_doors(settings: Settings) -> None:
    """No association is open that waits for a commitment: who waited is told over another."""
    index = Index(sqlite_url(settings.index_path))
    index.commitment_requests.leave_all()
    index.close()
    ring(settings.commitment_doors)


def _announce_restart(settings: Settings, kept: bool) -> None:
    """Let subscribers to work items be told when they connect (PS3.4 CC.2.4.3).

    kept: whether the index was there before.
    """
    index = Index(sqlite_url(settings.index_path))
    subscriptions = Subscriptions(index.worklist, on_events=lambda: None)
    subscriptions.announce_restart(settings.worklist_fallback, kept)
    index.close()


def _listen(host: str, port: int, option: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise CannotStart(
            f"cannot listen at {host}:{port}: {error.strerror}; choose another with --{option}"
        ) from error


def _listen_by_tls(settings: Settings) -> TlsPort | None:
    """Where associations by TLS come in. Certificates are read now: wrong ones are seen at the start."""
    try:
        calling(tls_files(settings), settings.tls_check_host)
        context = tls_accepting(settings)
    except CannotUseTls as error:
        raise CannotStart(f"TLS cannot be set up: {error}") from error
    if context is None or settings.dimse_tls_port is None:
        return None
    return TlsPort(_listen(settings.host, settings.dimse_tls_port, "dimse-tls-port"), context)


def _announce(
    settings: Settings,
    http: socket.socket,
    dimse: socket.socket,
    tls: TlsPort | None,
    hl7: socket.socket | None,
) -> None:
    http_port, dimse_port = http.getsockname()[1], dimse.getsockname()[1]
    tls_port = tls and tls.listener.getsockname()[1]
    hl7_port = hl7 and hl7.getsockname()[1]
    ports = {"http": http_port, "dimse": dimse_port, "dimse_tls": tls_port, "hl7": hl7_port}
    log.info("ready", **ports, workers=settings.workers)
    lines = [
        "",
        "  Diafana is ready.",
        f"  Page      http://{settings.host}:{http_port}/",
        f"  DICOMweb  http://{settings.host}:{http_port}/dicom-web",
        f"  FHIR R4   http://{settings.host}:{http_port}/fhir",
        f"  DICOM     {settings.aet} at {settings.host}:{dimse_port}",
        *([f"  by TLS    {settings.aet} at {settings.host}:{tls_port}"] if tls_port else []),
        *([f"  HL7 v2    {settings.host}:{hl7_port}"] if hl7_port else []),
        f"  Data      {settings.data.resolve()}",
        "  Ctrl-C stops it.",
        "",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _run_worker(
    settings: Settings, bell: Bell, http: _Port, dimse: _Port, tls_port: TlsPort | None, ready: Ready
) -> None:
    """Answer DICOM and HTTP on sockets that are shared with other workers, until SIGTERM."""
    # What comes before uvicorn heeds signals, and what it raises again at its end while associations finish
    told = Termination()
    parts = Parts(settings, bell)
    parts.index.prepare()
    offers, limits = dimse_offers(parts), dimse_limits(settings)
    front = DimseServer(dimse[0], parts.archive, offers, limits, dimse[1], tls_port)
    app, last_words = web.application(parts, dimse[0].getsockname()[1])
    config = uvicorn.Config(
        app,
        loop="uvloop",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=LONGEST_MESSAGE,
        ws_per_message_deflate=False,  # event reports are short
        timeout_graceful_shutdown=round(settings.shutdown_seconds),
    )
    front.start()
    HttpServer(config, http[1], ready, told.is_set, last_words).run(sockets=[http[0]])
    front.stop(settings.shutdown_seconds)
    parts.close()


def _run_orders(settings: Settings, bell: Bell, listener: socket.socket, ready: Ready) -> None:
    """Take orders in HL7 v2 until SIGTERM."""
    woken, wake = socket.socketpair()
    wake.setblocking(False)

    def rouse() -> None:
        with suppress(BlockingIOError):
            wake.send(b"!")

    stopping = Termination(rouse)
    parts = Parts(settings, bell)
    ready()
    MllpServer(listener, Receiver(parts.orders), Limits()).run(stopping.is_set, woken)
    parts.close()


def _run_followers(settings: Settings, bell: Bell, ready: Ready) -> None:
    """Follow the change feed until SIGTERM, behind everything that answers people."""
    os.nice(10)
    parts = Parts(settings, bell)
    bells = [bell, *courier_bells(parts)]

    def ring() -> None:
        for one in bells:
            one.ring()

    stopping = Termination(ring)
    if parts.resources.is_fresh:  # another mapping, or none: every report is read again
        _map_anew(parts)
    ready()
    adopted, removed = adopt_orphans(parts.files, parts.index)
    if adopted or removed:
        log.warning("cut-off objects found", adopted=adopted, removed=removed)
    parts.archive.deletion.empty(settings.recycle_days)
    sending = [
        threading.Thread(target=run, args=(stopping.is_set,), name="courier") for run in couriers(parts)
    ]
    for thread in sending:
        thread.start()
    Runner(parts.index.tasks, followers(parts), bell).run(stopping.is_set)
    if _have_ended(sending, settings.shutdown_seconds):
        parts.close()


def _have_ended(threads: list[threading.Thread], seconds: float) -> bool:
    """Whether all do so in time. Who waits for a silent system until then is left to end with the process.

    What it was about is done after the next start, as after a cut.
    """
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    are_left = any(thread.is_alive() for thread in threads)
    if are_left:
        log.warning("sending was cut off", reason="a system does not answer, and the service ends")
    return not are_left


def _map_anew(parts: Parts) -> None:
    """Let every report be read again. To subscribers that is no news, but for what they wait for."""
    tasks = parts.index.tasks
    if parts.settings.fhir_subscription_endpoints:
        settled = tasks.settled((FOLLOWER, STUDY_FOLLOWER))
        parts.subscription_store.begin_at(settled, is_another_feed=False)
    tasks.restart(FOLLOWER)
    parts.resources.begin()
