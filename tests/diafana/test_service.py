"""The service as a whole: its processes live, die and come back, and what it tells of itself."""

import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest
from pydicom import Dataset
from pydicom.uid import generate_uid
from pynetdicom.dsutils import encode

from pacs.dimse.command import decode_command
from pacs.dimse.wire import data_pdus
from pacs.index import Index, sqlite_url
from testdata.ct import ct_series
from testdata.files import part10
from testdata.measurement_report import measurement_report
from testdata.patients import Patient
from testdata.studies import Study
from tests.pacs.dimse.peer import RawPeer, find, store
from tests.service import Service
from tests.waiting import wait_until

pytestmark = pytest.mark.xdist_group("service")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("service") / "data", "--workers", "2") as service:
        yield service


def new_slice() -> Dataset:
    (dataset,) = ct_series(slices=1, rows=16, columns=16)
    dataset.SOPInstanceUID = generate_uid()
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def encoded(dataset: Dataset) -> bytes:
    sent = encode(dataset, is_implicit_vr=False, is_little_endian=True)
    assert sent is not None
    return sent


def processes(service: Service) -> list[psutil.Process]:
    """The processes of the service below its supervisor: the workers, then the followers, who stand back."""
    found: list[psutil.Process] = psutil.Process(service.process.pid).children()
    return sorted(found, key=lambda process: process.nice())


def is_whole(service: Service, without: psutil.Process) -> bool:
    """Whether another process has taken the place of one that died, and all have begun their work."""
    running = psutil.Process(service.process.pid).children()
    if len(running) != 3 or without in running:
        return False
    return sorted(process.nice() for process in running) == [0, 0, 10]


def samples(service: Service, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """The samples of a metric by their labels."""
    text = service.get("/metrics").text
    found = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", text, re.MULTILINE)
    return {tuple(re.findall(r'(\w+)="([^"]*)"', labels)): float(value) for labels, value in found}


def is_answering(service: Service) -> bool:
    try:
        return httpx.get(f"{service.url}/readyz", timeout=0.5).status_code == 200
    except httpx.TransportError:
        return False


def test_it_says_that_it_is_alive_and_ready(service: Service) -> None:
    assert (service.get("/healthz").status_code, service.get("/healthz").text) == (200, "alive\n")
    assert (service.get("/readyz").status_code, service.get("/readyz").text) == (200, "ready\n")


def test_operators_addresses_are_only_read(service: Service) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert httpx.post(service.url + path).status_code == 405


def test_counters_of_all_processes_are_summed(service: Service) -> None:
    label = (("service", "0001"), ("status", "0000"))
    before = samples(service, "diafana_dimse_requests_total").get(label, 0)
    workers = processes(service)[:2]
    with ExitStack() as stack:
        peers: list[RawPeer] = []
        while not all(_has_association(worker, service.dimse_port) for worker in workers):
            assert len(peers) < 40, "one process takes all associations"
            peer = stack.enter_context(RawPeer(service.dimse_port))
            dataset = new_slice()
            peer.associate(dataset.SOPClassUID)
            assert peer.store(dataset.SOPClassUID, dataset.SOPInstanceUID, encoded(dataset)) == 0
            peers.append(peer)
        assert samples(service, "diafana_open_associations") == {(): len(peers)}
        for peer in peers:
            peer.release()
    assert len(peers) >= 2
    wait_until(lambda: samples(service, "diafana_open_associations") == {(): 0})
    for _ in range(8):  # whichever process answers
        assert samples(service, "diafana_dimse_requests_total")[label] == before + len(peers)


def _has_association(process: psutil.Process, port: int) -> bool:
    return any(
        connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == port
        for connection in process.net_connections("tcp")
    )


def test_refused_objects_are_counted_by_their_status(service: Service) -> None:
    dataset = new_slice()
    assert store(service.dimse_port, dataset).Status == 0
    assert store(service.dimse_port, dataset).Status == 0
    dataset.ImageComments = "other content"
    status = store(service.dimse_port, dataset).Status
    assert status == 0x0111
    assert samples(service, "diafana_dimse_requests_total")[(("service", "0001"), ("status", "0111"))] == 1
    objects = samples(service, "diafana_instances_total")
    assert objects[(("outcome", "already stored"),)] == objects[(("outcome", "InstanceConflict"),)] == 1
    assert objects[(("outcome", "stored"),)] >= 1
    assert samples(service, "diafana_received_bytes_total")[()] > len(dataset.PixelData)


def test_the_backlog_of_each_follower_is_told(service: Service) -> None:
    assert store(service.dimse_port, new_slice()).Status == 0
    deleting = "moving deleted files", "rejection notes", "removing deleted files"
    making = "series metadata", "thumbnail", "FHIR resources"
    all_followers = *deleting, *making, "forwarding", "prompt forwarding", "availability"
    names = {(("follower", follower),) for follower in all_followers}
    for figure in ("behind", "waiting", "dead"):
        wait_until(partial(_has_samples, service, f"diafana_follower_{figure}", names))
    wait_until(lambda: set(samples(service, "diafana_follower_behind").values()) == {0})
    wait_until(lambda: set(samples(service, "diafana_follower_waiting").values()) == {0})
    assert set(samples(service, "diafana_follower_dead").values()) == {0}


def _has_samples(service: Service, name: str, labels: set[tuple[tuple[str, str]]]) -> bool:
    return samples(service, name).keys() == labels


def test_metrics_are_what_prometheus_reads(service: Service) -> None:
    answer = service.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE diafana_received_bytes_total counter" in answer.text or (
        "# TYPE diafana_received_bytes counter" in answer.text
    )


@pytest.mark.parametrize(("place", "kind"), [(0, "worker"), (2, "followers")])
def test_a_process_that_dies_is_started_again(place: int, kind: str, service: Service) -> None:
    victim = processes(service)[place]
    victim.kill()
    wait_until(lambda: is_whole(service, without=victim))
    died = [event for event in service.events() if event["event"] == "process died"]
    assert str(died[-1]["role"]).startswith(kind)
    assert died[-1]["status"] == -signal.SIGKILL
    dataset = new_slice()
    assert store(service.dimse_port, dataset).Status == 0
    path = f"/dicom-web/studies/{dataset.StudyInstanceUID}/instances?SOPInstanceUID={dataset.SOPInstanceUID}"
    for _ in range(4):  # whichever process answers
        assert len(service.get(path).json()) == 1
    wait_until(lambda: set(samples(service, "diafana_follower_behind").values()) == {0})


def test_the_service_goes_on_while_a_worker_is_away(service: Service) -> None:
    first, second, _ = processes(service)
    first.kill()
    for _ in range(5):
        assert store(service.dimse_port, new_slice()).Status == 0
        assert service.get("/readyz").status_code == 200
    wait_until(lambda: is_whole(service, without=first))
    assert second in processes(service)


def test_associations_of_a_dead_process_are_not_counted_for_ever(service: Service) -> None:
    wait_until(lambda: samples(service, "diafana_open_associations").get((), 0) == 0)
    with RawPeer(service.dimse_port) as peer:
        peer.associate()
        [holder] = [p for p in processes(service)[:2] if _has_association(p, service.dimse_port)]
        holder.kill()
        assert peer.read()[0] == 0
    wait_until(lambda: is_whole(service, without=holder))
    assert samples(service, "diafana_open_associations") == {(): 0}


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.05, 0.1])
def test_the_service_ends_also_while_a_worker_begins(tmp_path: Path, seconds: float) -> None:
    """The signal may come to a process that has been forked, and does not answer yet."""
    service = Service(tmp_path / "data", "--workers", "2")
    first = processes(service)[0]
    first.kill()
    wait_until(lambda: is_whole(service, without=first))
    time.sleep(seconds)
    assert service.stop() == 0


def test_the_service_ends_also_when_it_is_told_so_again_and_again(tmp_path: Path) -> None:
    """As by an impatient hand, or by who signals all processes and not the first alone."""
    service = Service(tmp_path / "data")
    everyone = [*processes(service), psutil.Process(service.process.pid)]
    deadline = time.monotonic() + 60
    while service.process.poll() is None and time.monotonic() < deadline:
        for process in everyone:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
    assert service.stop() == 0


def test_nothing_stays_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    service = Service(tmp_path / "data")
    left = processes(service)
    assert len(left) >= 2
    service.kill()
    _, alive = psutil.wait_procs(left, timeout=5)
    assert alive == []
    for port in (service.http_port, service.dimse_port):
        socket.create_server(("127.0.0.1", port)).close()
    with Service(tmp_path / "data") as again:
        assert again.get("/readyz").status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_running_association_finishes_before_the_end(number: signal.Signals, tmp_path: Path) -> None:
    dataset = new_slice()
    pieces = list(data_pdus(1, False, encoded(dataset), 256))
    with Service(tmp_path / "data") as service, RawPeer(service.dimse_port) as peer:
        peer.associate(dataset.SOPClassUID)
        peer.begin_store(dataset.SOPInstanceUID, dataset.SOPClassUID)
        peer.socket.sendall(b"".join(pieces[:-1]))
        service.process.send_signal(number)
        wait_until(lambda: not is_answering(service))
        assert service.process.poll() is None
        peer.socket.sendall(pieces[-1])
        kind, content = peer.read()
        assert (kind, decode_command(content[6:])["Status"]) == (4, 0)
        peer.release()
        assert service.stop() == 0
    index = Index(sqlite_url(tmp_path / "data" / "index.sqlite"))
    assert index.count() == 1
    index.close()


def test_starting_again_on_the_same_data(tmp_path: Path) -> None:
    report = measurement_report(ct_series(slices=3, rows=64, columns=64))
    path = f"/fhir/Observation?part-of=ImagingStudy/{report.StudyInstanceUID}"
    with Service(tmp_path / "data") as service:
        assert store(service.dimse_port, report).Status == 0
        wait_until(lambda: service.get(path).json().get("total"))
        first = service.get(path).json()
        assert service.stop() == 0
    with Service(tmp_path / "data") as service:
        assert len(service.get("/dicom-web/studies").json()) == 1
        again = service.get(path).json()
        assert again["total"] == first["total"]
        assert service.stop() == 0
    assert all(event["level"] == "info" for event in service.events())


HIDDEN = Patient("Segretissima^Adalgisa", "IDSEGRETO7734", "19371224", "F", "1.60", "60")


def refused_ways(service: Service, sound: Dataset) -> None:
    """Objects and questions that are refused, all of which name the patient."""
    other = Study(4242, Patient("Segretissimo^Altro", "IDSEGRETO9999", "19381225", "M", "1.70", "70"))
    (stranger,) = ct_series(other, slices=1, rows=16, columns=16, series_number=8)
    assert store(service.dimse_port, stranger).Status != 0
    sound.ImageComments = "other content"
    assert store(service.dimse_port, sound).Status != 0
    with RawPeer(service.dimse_port) as peer:
        peer.associate(sound.SOPClassUID)
        for sent in (encoded(sound)[:-100], encoded(sound).replace(b"UI", b"ZZ"), b"Segretissima" * 9):
            peer.store(sound.SOPClassUID, generate_uid(), sent)
    headers = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}
    for content in (part10(sound), part10(sound)[:-100], b"Segretissima^Adalgisa IDSEGRETO7734"):
        body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n--b--\r\n"
        httpx.post(f"{service.url}/dicom-web/studies", content=body, headers=headers)
    for path in (
        "/dicom-web/studies?PatientName=Segretissima*&StudyDate=19371224x",
        "/dicom-web/studies?Segretissima=IDSEGRETO7734",
        "/dicom-web/studies/Segretissima",
        "/fhir/Patient?name=Segretissima&identifier=|||IDSEGRETO7734",
        "/fhir/Patient/IDSEGRETO7734",
        "/Segretissima",
    ):
        assert service.get(path).status_code < 500
    question = Dataset()
    question.QueryRetrieveLevel = "STUDY"
    question.PatientName = "Segretissima*"
    question.StudyDate = "IDSEGRETO7734"
    _, status = find(service.dimse_port, question)
    assert status.Status in range(0x10000)


def test_logs_are_json_and_name_no_patient(tmp_path: Path) -> None:
    series = ct_series(Study(4242, HIDDEN), slices=3, rows=64, columns=64)
    report = measurement_report(series)
    odd = ct_series(Study(4242, HIDDEN), slices=1, rows=16, columns=16, series_number=5)[0]
    odd.StudyTime = odd.SeriesTime = "Segret"
    odd["StudyTime"]._value = "Segretissima"
    with Service(tmp_path / "data") as service:
        for dataset in (*series, report, odd):
            assert store(service.dimse_port, dataset).Status == 0
        uid = odd.StudyInstanceUID
        wait_until(lambda: service.get(f"/fhir/Observation?part-of=ImagingStudy/{uid}").json().get("total"))
        for path in ("", "/metadata", "/rendered", "/thumbnail", "/series", "/instances"):
            assert service.get(f"/dicom-web/studies/{uid}{path}").status_code < 500
        refused_ways(service, series[0])
        assert service.stop() == 0
    text = service.log.read_text()
    lines = text.splitlines()
    assert len(lines) > 10
    events = [json.loads(line) for line in lines]
    assert all({"event", "level", "timestamp"} <= event.keys() for event in events)
    assert any(event["level"] == "warning" for event in events)
    told = json.dumps(events, ensure_ascii=False) + text
    for secret in ("egretissim", "SEGRETO", "Adalgisa", "19371224", "Altro", "19381225"):
        assert secret not in told, [event for event in events if secret in str(event)]
