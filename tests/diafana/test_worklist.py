"""The Worklist Service of the whole: several workers, their death, a restart, another index."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from testdata.workitems import dicom_json, new_workitem, performed, state_change
from tests.diafana.commands import diafana
from tests.service import Service
from tests.waiting import wait_until

PATIENCE = 20.0  # seconds for what must happen by itself
UID, LOCK = "2.999.39.7.7", "2.999.39.8.1"
WORKLIST = "1.2.840.10008.5.1.4.34.5"
HEADERS = {"Content-Type": "application/dicom+json"}

pytestmark = pytest.mark.xdist_group("service")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def service(data: Path) -> Iterator[Service]:
    with Service(data, "--workers", "2") as service:
        yield service


def post(service: Service, path: str, data_set: Any = None) -> httpx.Response:
    content = None if data_set is None else json.dumps(data_set)
    return httpx.post(f"{service.url}/dicom-web{path}", content=content, headers=HEADERS, timeout=30)


def claim(service: Service, uid: str = UID) -> httpx.Response:
    return httpx.put(
        f"{service.url}/dicom-web/workitems/{uid}/state",
        content=json.dumps(state_change("IN PROGRESS", LOCK)),
        headers=HEADERS,
    )


def channel(service: Service, ae_title: str) -> ClientConnection:
    connection: ClientConnection = connect(
        f"ws://127.0.0.1:{service.http_port}/dicom-web/subscribers/{ae_title}"
    )
    return connection


def told(connection: ClientConnection) -> dict[str, Any]:
    report = json.loads(connection.recv(timeout=PATIENCE))
    assert isinstance(report, dict)
    return report


def state_of(report: dict[str, Any]) -> str:
    return str(report["00741000"]["Value"][0])


def workers(service: Service) -> list[psutil.Process]:
    children: list[psutil.Process] = psutil.Process(service.process.pid).children()
    return [process for process in children if niceness(process) == 0]


def niceness(process: psutil.Process) -> int | None:
    """None: it has just ended."""
    try:
        return int(process.nice())
    except psutil.NoSuchProcess:
        return None


def holders(service: Service) -> set[int]:
    """The processes that hold a notification connection: each has a doorbell."""
    return {
        process.pid for process in workers(service) if any("doorbells" in name for name in pipes(process))
    }


def pipes(process: psutil.Process) -> list[str]:
    found = []
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it has been closed meanwhile
            found.append(str(link.readlink()))
    return found


def test_a_change_made_in_one_worker_is_told_through_all(service: Service) -> None:
    with ExitStack() as stack:
        channels = {
            name: stack.enter_context(channel(service, name)) for name in ("ONE", "TWO", "THREE", "FOUR")
        }
        wait_until(lambda: len(holders(service)) == 2)
        for name in channels:
            assert post(service, f"/workitems/{WORKLIST}/subscribers/{name}").status_code == 201
        assert post(service, f"/workitems?{UID}", new_workitem()).status_code == 201
        for connection in channels.values():
            assert told(connection)["00001000"]["Value"] == [UID]
        assert claim(service).status_code == 200


def test_a_later_channel_is_the_one_also_in_another_worker(service: Service) -> None:
    with ExitStack() as stack:
        earlier = stack.enter_context(channel(service, "WATCHER"))
        for number in range(8):  # one after the other, whichever worker takes it
            later = stack.enter_context(channel(service, "WATCHER"))
            with pytest.raises(ConnectionClosed):
                earlier.recv(timeout=PATIENCE)
            assert post(service, f"/workitems?2.999.{number}", new_workitem()).status_code == 201
            assert post(service, f"/workitems/2.999.{number}/subscribers/WATCHER").status_code == 201
            while told(later)["00001000"]["Value"] != [f"2.999.{number}"]:
                pass  # what the earlier one told before it was noted is told again
            earlier = later


def test_what_was_acknowledged_is_there_after_kill_9(data: Path) -> None:
    with Service(data, "--workers", "2") as service:
        assert post(service, f"/workitems?{UID}", new_workitem()).status_code == 201
        assert post(service, f"/workitems/{UID}/subscribers/WATCHER?deletionlock=true").status_code == 201
        assert post(service, f"/workitems/{WORKLIST}/subscribers/ALL").status_code == 201
        assert claim(service).status_code == 200
        with channel(service, "OTHER"):
            service.kill()
    with Service(data, "--workers", "2") as service:
        (workitem,) = service.get(f"/dicom-web/workitems/{UID}").json()
        assert state_of(workitem) == "IN PROGRESS"
        assert post(service, f"/workitems/{UID}?{LOCK}", performed()).status_code == 200
        with channel(service, "WATCHER") as watcher, channel(service, "ALL") as everything:
            assert [state_of(told(watcher)) for _ in range(2)] == ["SCHEDULED", "IN PROGRESS"]
            restarted = told(watcher)
            assert (restarted["00001002"]["Value"], restarted["00741242"]["Value"]) == ([4], ["RESTARTED"])
            assert post(service, "/workitems?2.999.1", new_workitem()).status_code == 201
            assert state_of(told(everything)) == "IN PROGRESS"
            assert told(everything)["00741244"]["Value"] == ["WARM START"]
            assert told(everything)["00001000"]["Value"] == ["2.999.1"]
        wait_until(lambda: not list((data / "doorbells").iterdir()))  # also those of who was killed


def test_an_orderly_end_is_told_through_all_channels_and_what_follows_later(data: Path) -> None:
    """PS3.4 CC.2.4.3."""
    with Service(data, "--workers", "2") as service, ExitStack() as stack:
        assert post(service, f"/workitems/{WORKLIST}/subscribers/ONE").status_code == 201
        channels = [stack.enter_context(channel(service, name)) for name in ("ONE", "TWO", "THREE", "FOUR")]
        wait_until(lambda: len(holders(service)) == 2)
        assert (
            post(service, "/workitems", new_workitem(ScheduledStationNameCodeSequence=None)).status_code
            == 201
        )
        assert service.stop() == 0
        assert state_of(told(channels[0])) == "SCHEDULED"
        for connection in channels:
            report = told(connection)
            assert (report["00001000"]["Value"], report["00001002"]["Value"]) == ([WORKLIST], [4])
            standing = [report[key]["Value"] for key in ("00741242", "00741244", "00741246")]
            assert standing == [["GOING DOWN"], ["WARM START"], ["WARM START"]]
            with pytest.raises(ConnectionClosed) as closed:
                connection.recv(timeout=PATIENCE)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1001
    with Service(data, "--workers", "2") as service, channel(service, "ONE") as one:
        assert told(one)["00741242"]["Value"] == ["RESTARTED"]


def test_a_worker_that_dies_leaves_what_it_had_to_tell_to_the_next(service: Service) -> None:
    assert post(service, f"/workitems?{UID}", new_workitem()).status_code == 201
    with channel(service, "WATCHER") as watcher:
        assert post(service, f"/workitems/{UID}/subscribers/WATCHER").status_code == 201
        assert state_of(told(watcher)) == "SCHEDULED"
        wait_until(lambda: len(holders(service)) == 1)
        psutil.Process(holders(service).pop()).kill()
        with pytest.raises(ConnectionClosed):
            watcher.recv(timeout=PATIENCE)
    wait_until(lambda: len(workers(service)) == 2)
    assert claim(service).status_code == 200
    with channel(service, "WATCHER") as watcher:
        states = [state_of(told(watcher))]
        if states == ["SCHEDULED"]:  # it died before it noted that this was told
            states.append(state_of(told(watcher)))
        assert states[-1] == "IN PROGRESS"


def test_another_index_has_the_worklist_of_the_first(data: Path) -> None:
    with Service(data) as service:
        assert post(service, f"/workitems?{UID}", new_workitem()).status_code == 201
        assert post(service, f"/workitems/{UID}/subscribers/WATCHER").status_code == 201
    assert diafana("reindex", "--data", data).code == 0
    with Service(data) as service:
        (workitem,) = service.get(f"/dicom-web/workitems/{UID}").json()
        assert state_of(workitem) == "SCHEDULED"
        assert service.get("/dicom-web/workitems?ScheduledStationNameCodeSequence.CodeValue=WS1").json()
        with channel(service, "WATCHER") as watcher:
            assert state_of(told(watcher)) == "SCHEDULED"


def test_who_is_on_the_fallback_list_is_told_whether_the_worklist_was_kept(data: Path) -> None:
    """PS3.4 CC.2.4.3."""
    fallback = "WARD 2, OTHER"

    def standing() -> list[str]:
        with ExitStack() as stack:
            service = stack.enter_context(Service(data, DIAFANA_WORKLIST_FALLBACK=fallback))
            ward = stack.enter_context(channel(service, "WARD%202"))
            report = told(ward)
            assert service.stop() == 0
            assert told(ward)["00741242"]["Value"] == ["GOING DOWN"]
        return [report[key]["Value"][0] for key in ("00741242", "00741244", "00741246")]

    cold, warm = ["RESTARTED", "COLD STARTED", "COLD START"], ["RESTARTED", "WARM START", "WARM START"]
    assert standing() == cold
    assert standing() == warm
    (data / "index.sqlite").write_bytes(b"no index")
    reindexed = diafana("reindex", "--data", data, DIAFANA_WORKLIST_FALLBACK=fallback)
    assert (reindexed.code, "the worklist" in reindexed.err) == (1, True)
    assert standing() == cold
    assert standing() == warm


def test_the_log_names_no_patient(service: Service) -> None:
    assert post(service, "/workitems", new_workitem(PatientName="Segretissima^Adalgisa")).status_code == 201
    assert post(service, "/workitems", new_workitem(PatientBirthDate="Segretissima")).status_code == 400
    assert service.get("/dicom-web/workitems?PatientName=Segretissima*").status_code == 200
    assert post(service, f"/workitems/{WORKLIST}/subscribers/WATCHER?deletionlock=true").status_code == 201
    with channel(service, "WATCHER") as watcher:
        told(watcher)
    assert post(service, f"/workitems/{UID}", dicom_json(PatientName="Segretissima")).status_code == 400
    assert service.stop() == 0
    assert "egretissim" not in service.log.read_text()
    assert service.events()
