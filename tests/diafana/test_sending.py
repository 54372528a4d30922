"""Known systems, and sending to them on request, with the real service."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydicom import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from testdata.ct import ct_series
from tests.diafana.sending import SEND, ask, command, keep, know, numbers, result, send_study, uids
from tests.pacs.dimse.scp import free_port, receiver, storescp
from tests.service import Service
from tests.waiting import wait_until

PATIENCE = 30.0  # seconds for what must happen by itself
TAKEN = ([CTImageStorage], [str(ExplicitVRLittleEndian)])

pytestmark = pytest.mark.xdist_group("service")


@pytest.fixture(scope="module")
def images() -> list[Dataset]:
    return ct_series(slices=6, rows=32, columns=32)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def service(data: Path, images: list[Dataset]) -> Iterator[Service]:
    with Service(data, "--workers", "2") as service:
        keep(service, images)
        yield service


def test_what_a_search_finds_is_sent(service: Service, data: Path, images: list[Dataset]) -> None:
    """Supplement 248: the six resources of a search, with its keys."""
    study, series = images[0].StudyInstanceUID, images[0].SeriesInstanceUID
    named = {"SOPInstanceUID": f"{images[2].SOPInstanceUID},{images[4].SOPInstanceUID}"}
    two = [images[2], images[4]]
    resources: list[tuple[str, dict[str, str], list[Dataset]]] = [
        ("/studies", {"StudyInstanceUID": study}, images),
        ("/studies", {"PatientID": images[0].PatientID, "ModalitiesInStudy": "CT"}, images),
        ("/series", {"SeriesInstanceUID": series}, images),
        ("/instances", named, two),
        (f"/studies/{study}/series", {}, images),
        (f"/studies/{study}/series", {"Modality": "CT"}, images),
        (f"/studies/{study}/instances", {"InstanceNumber": str(images[3].InstanceNumber)}, [images[3]]),
        (f"/studies/{study}/series/{series}/instances", named, two),
    ]
    with receiver(*TAKEN) as other:
        know(data, "OTHER", other.peer.port)
        for number, (resource, keys, expected) in enumerate(resources):
            other.received.clear()
            uid = f"2.999.20.1.{number}"
            asked = ask(service, uid, "OTHER", resource, **keys)
            assert asked.status_code in (200, 202), asked.text
            where = asked.headers["content-location"]
            assert where == f"{service.url}/dicom-web{resource}/send-requests/{uid}"
            assert numbers(result(service, uid)) == [0, len(expected), 0, 0]
            assert httpx.get(where).json() == result(service, uid)
            assert sorted(other.uids) == uids(expected)
        assert send_study(service, "2.999.20.1.0", "OTHER", images[0]).status_code == 409
        assert httpx.delete(f"{service.url}{SEND}/2.999.20.1.0").status_code == 409


def test_the_service_ends_while_a_system_is_silent(data: Path, images: list[Dataset]) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        Service(data, "--workers", "1", DIAFANA_SHUTDOWN_SECONDS="0.5") as service,
    ):
        keep(service, images)
        know(data, "SILENT", silent.getsockname()[1])
        send_study(service, "2.999.20.8", "SILENT", images[0])
        silent.settimeout(PATIENCE)
        connection, _ = silent.accept()
        with connection:
            assert service.stop() == 0
        assert "sending was cut off" in [one["event"] for one in service.events()]
    with receiver(*TAKEN) as other, Service(data, "--workers", "1") as service:
        know(data, "SILENT", other.peer.port)
        assert numbers(result(service, "2.999.20.8")) == [0, len(images), 0, 0]


@pytest.mark.needs("storescp")
def test_dcmtk_and_a_second_archive_receive(
    service: Service, data: Path, images: list[Dataset], tmp_path: Path
) -> None:
    with storescp(tmp_path / "received") as peer, Service(tmp_path / "second", "--workers", "1") as second:
        know(data, "STORESCP", peer.port)
        know(data, "SECOND", second.dimse_port)
        send_study(service, "2.999.20.4", "STORESCP", images[0])
        send_study(service, "2.999.20.5", "SECOND", images[0])
        assert numbers(result(service, "2.999.20.4")) == [0, len(images), 0, 0]
        assert numbers(result(service, "2.999.20.5")) == [0, len(images), 0, 0]
        found = second.get(f"/dicom-web/studies/{images[0].StudyInstanceUID}/instances").json()
    assert len(list((tmp_path / "received").iterdir())) == len(images)
    assert sorted(one["00080018"]["Value"][0] for one in found) == uids(images)


def test_failures_and_warnings_are_told(service: Service, data: Path, images: list[Dataset]) -> None:
    answers = iter([0xB000, 0xA900, *[0] * len(images)])
    with receiver(*TAKEN, lambda _: next(answers)) as other:
        know(data, "OTHER", other.peer.port)
        send_study(service, "2.999.20.6", "OTHER", images[0])
        told = result(service, "2.999.20.6")
    assert numbers(told) == [0, len(images) - 2, 1, 1]
    (failed,) = told["00081198"]["Value"]
    assert failed["00081197"]["Value"] == [0xA900]


def test_who_does_not_answer_is_tried_again(service: Service, data: Path, images: list[Dataset]) -> None:
    port = free_port()
    know(data, "OTHER", port)
    assert send_study(service, "2.999.20.7", "OTHER", images[0]).status_code == 202
    wait_until(lambda: b"refused" in service.get(f"{SEND}/2.999.20.7").content)
    with receiver(*TAKEN, port=port) as other:
        assert numbers(result(service, "2.999.20.7")) == [0, len(images), 0, 0]
        assert sorted(other.uids) == uids(images)


def test_an_object_that_breaks_the_association_off_holds_up_no_others(
    service: Service, data: Path, images: list[Dataset]
) -> None:
    first = service.get(f"/dicom-web/studies/{images[0].StudyInstanceUID}/instances").json()[0]

    def answer(event: Any) -> int:
        if event.request.AffectedSOPInstanceUID == first["00080018"]["Value"][0]:
            event.assoc.abort()
        return 0

    with receiver(*TAKEN, answer) as other:
        know(data, "OTHER", other.peer.port)
        send_study(service, "2.999.20.12", "OTHER", images[0])
        wait_until(lambda: numbers(service.get(f"{SEND}/2.999.20.12").json())[:2] == [1, len(images) - 1])


def test_what_was_not_acknowledged_is_sent_after_kill_9(data: Path, images: list[Dataset]) -> None:
    with receiver(*TAKEN, _slowly) as other:
        with Service(data, "--workers", "1") as service:
            keep(service, images)
            know(data, "OTHER", other.peer.port)
            send_study(service, "2.999.20.8", "OTHER", images[0])
            wait_until(lambda: len(other.received) >= 2)
            service.kill()
        with Service(data, "--workers", "1") as service:
            assert numbers(result(service, "2.999.20.8")) == [0, len(images), 0, 0]
    assert sorted(set(other.uids)) == uids(images)


def _slowly(_: object) -> int:
    time.sleep(0.2)
    return 0


def test_a_request_is_cancelled(service: Service, data: Path, images: list[Dataset]) -> None:
    know(data, "NOBODY", free_port())
    send_study(service, "2.999.20.9", "NOBODY", images[0])
    assert httpx.delete(f"{service.url}{SEND}/2.999.20.9").status_code == 204
    told = result(service, "2.999.20.9")
    assert numbers(told) == [0, 0, len(images), 0]
    assert told["00081198"]["Value"][0]["00081197"]["Value"] == [0xFE00]
    assert httpx.delete(f"{service.url}{SEND}/2.999.20.10").status_code == 404
    assert service.get(f"{SEND}/2.999.20.10").status_code == 404


def test_what_is_wrong_is_named(service: Service, data: Path, images: list[Dataset]) -> None:
    """A key that a search would pass over is refused: more would be sent than was meant."""
    know(data, "OTHER", free_port())
    study = {"StudyInstanceUID": images[0].StudyInstanceUID}
    for destination, keys, status, said in (
        ("", study, 400, "destination"),
        ("UNKNOWN", study, 400, "destination"),
        ("OTHER", {}, 400, "say what is to be sent"),
        ("OTHER", {"StudyInstanceUID": ""}, 400, "say what is to be sent"),
        ("OTHER", study | {"Color": "red"}, 400, "Color"),
        ("OTHER", study | {"SOPInstanceUID": images[0].SOPInstanceUID}, 400, "SOPInstanceUID"),
        ("OTHER", study | {"StudyDate": "yesterday"}, 400, "StudyDate"),
        ("OTHER", study | {"limit": "0"}, 404, "nothing is found"),
        ("OTHER", {"StudyInstanceUID": "1.2.3"}, 404, "nothing is found"),
    ):
        answer = ask(service, "2.999.20.11", destination, "/studies", **keys)
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    assert send_study(service, "x", "OTHER", images[0]).status_code == 400
    twice = f"{SEND}/2.999.20.11?destination=OTHER&destination=SECOND"
    assert httpx.post(service.url + twice, params=study).status_code == 400


@pytest.mark.usefixtures("service")
def test_systems_are_known_by_commands(data: Path) -> None:
    with receiver([], ["1.2.840.10008.1.2"]) as other:
        know(data, "OTHER", other.peer.port)
        assert command(data, "peer", "list").out == f"OTHER            127.0.0.1:{other.peer.port}\n"
        assert command(data, "peer", "echo", "OTHER").out == "OTHER answers.\n"
    absent = command(data, "peer", "echo", "OTHER")
    assert (absent.code, "refused" in absent.err) == (1, True)
    assert command(data, "peer", "remove", "OTHER").code == 0
    for asked in ("echo", "remove"):
        unknown = command(data, "peer", asked, "OTHER")
        assert (unknown.code, "peer add OTHER" in unknown.err) == (1, True)
    assert command(data, "peer", "add", "A" * 17, "host", "104").code == 2


def test_known_systems_outlive_a_new_index(data: Path, images: list[Dataset]) -> None:
    with Service(data, "--workers", "1") as service:
        keep(service, images)
        know(data, "OTHER", 104)
    assert command(data, "reindex").code == 0
    assert "OTHER" in command(data, "peer", "list").out
