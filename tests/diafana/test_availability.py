"""Systems that are told which instances are available, with the real service and kill -9."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian

from pacs.dimse.sop_classes import PERFORMED_STEP
from testdata.ct import ct_series
from testdata.key_objects import rejection_note
from testdata.procedure_steps import begun_step, elements, ended_step
from tests.diafana.commands import diafana
from tests.pacs.dimse.notified import Listener, notified
from tests.pacs.dimse.peer import associated
from tests.pacs.dimse.scp import free_port
from tests.service import Service
from tests.waiting import wait_until

CT = ct_series(slices=4, rows=16, columns=16)
STUDY, SERIES = str(CT[0].StudyInstanceUID), str(CT[0].SeriesInstanceUID)
STEP = "2.999.42.1"
READ = 'diafana_follower_behind{follower="availability"}'

pytestmark = pytest.mark.xdist_group("service")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def service(data: Path, rest: str = "1.5", **settings: Any) -> Service:
    return Service(data, "--workers", "1", DIAFANA_REST_SECONDS=rest, **settings)


def know(data: Path, port: int, name: str = "RIS") -> None:
    command(data, "add", name, "127.0.0.1", str(port), "--notify")


def command(data: Path, *arguments: str) -> str:
    done = diafana("peer", *arguments, "--data", data)
    assert done.code == 0, done.err
    return done.out


def send(to: Service, *images: Dataset) -> None:
    """Over one association: a study comes to rest between two that are further apart."""
    contexts = {(image.SOPClassUID, image.file_meta.TransferSyntaxUID) for image in images}
    with associated(to.dimse_port, *contexts) as association:
        for image in images:
            assert association.send_c_store(image).Status == 0


def delete(at: Service, image: Dataset) -> None:
    path = f"/dicom-web/studies/{STUDY}/series/{SERIES}/instances/{image.SOPInstanceUID}"
    assert httpx.delete(at.url + path, timeout=30).status_code == 204


def said(images: list[Dataset], state: str = "ONLINE") -> dict[str, str]:
    return {str(image.SOPInstanceUID): state for image in images}


def logged(at: Service, event: str) -> list[dict[str, object]]:
    return [one for one in at.events() if one.get("event") == event]


def test_what_comes_what_comes_later_and_what_goes(data: Path) -> None:
    with notified() as ris, service(data) as archive:
        send(archive, CT[0])  # before anybody is to be told
        wait_until(lambda: f"{READ} 0.0" in archive.get("/metrics").text)
        know(data, ris.peer.port)
        assert command(data, "list") == f"RIS              127.0.0.1:{ris.peer.port}  notified\n"
        send(archive, *CT[1:3])
        told = ris.next()
        assert (told.study, told.step, told.instances) == (STUDY, None, {SERIES: said(CT[1:3])})
        send(archive, CT[3])
        assert ris.next().instances == {SERIES: said(CT[3:])}
        delete(archive, CT[0])
        assert ris.next().instances == {SERIES: said(CT[:1], "UNAVAILABLE")}
        note = rejection_note(CT[1:3], codes.DCM.RejectedForPatientSafetyReasons)
        send(archive, note)
        gone = said([*CT[1:3], note], "UNAVAILABLE")
        assert ris.next().availability == gone
        assert diafana("restore", str(CT[0].SOPInstanceUID), "--data", data).code == 0
        assert ris.next().availability == said(CT[:1])
        wait_until(lambda: len(logged(archive, "availability told")) == 5)
        assert len(ris.data_sets) == 5
        command(data, "change", "RIS", "--no-notify")
        delete(archive, CT[3])
        wait_until(lambda: f"{READ} 0.0" in archive.get("/metrics").text)
        assert command(data, "list") == f"RIS              127.0.0.1:{ris.peer.port}\n"
    assert len(ris.data_sets) == 5


def test_a_study_with_a_performed_step_names_it(data: Path) -> None:
    with notified() as ris, service(data) as archive:
        know(data, ris.peer.port)
        with associated(archive.dimse_port, (PERFORMED_STEP, ExplicitVRLittleEndian)) as modality:
            begun = Dataset.from_json(begun_step((STUDY, "SPS1")))
            assert modality.send_n_create(begun, PERFORMED_STEP, STEP)[0].Status == 0
            send(archive, *CT[:2])
            assert ris.next().step == STEP
            (series,) = ended_step()["00400340"]["Value"]
            made: Any = ended_step(PerformedSeriesSequence=[series | elements(SeriesInstanceUID=SERIES)])
            assert modality.send_n_set(Dataset.from_json(made), PERFORMED_STEP, STEP)[0].Status == 0
        send(archive, CT[2])
        told = ris.next()
        assert (told.step, told.availability) == (STEP, said(CT[2:3]))


def test_who_does_not_answer_at_first_is_told_later_and_holds_up_no_others(data: Path) -> None:
    port = free_port()
    with notified() as other, service(data) as archive:
        know(data, port)
        know(data, other.peer.port, "OTHER")
        send(archive, *CT[:2])
        assert other.next().availability == said(CT[:2])
        wait_until(lambda: "Connection refused" in command(data, "list"))
        assert "RIS              notifications of availability that wait: 1." in command(data, "list")
        with notified(port=port) as ris:
            command(data, "change", "RIS", "--port", str(port))  # it is due at once
            assert ris.next().availability == said(CT[:2])
            wait_until(lambda: len(logged(archive, "availability told")) == 2)
    assert "wait" not in command(data, "list")


def test_all_is_told_whenever_it_is_killed(data: Path) -> None:
    """Before a study has come to rest, while its notification waits, and while an answer is on its way."""
    port = free_port()
    with service(data, rest="3.0") as archive:
        know(data, port)
        send(archive, *CT[:2])
        archive.kill()
    with service(data) as archive:
        wait_until(lambda: logged(archive, "availability could not be told"))
        archive.kill()
    listener = Listener()
    with service(data) as archive, notified(listener, port) as ris:

        def lose_the_answer(_: int) -> int:
            archive.kill()
            return 0

        listener.status = lose_the_answer
        command(data, "change", "RIS", "--port", str(port))  # it is due at once
        told = ris.next()
        assert told.availability == said(CT[:2])
        wait_until(lambda: archive.process.poll() is not None)
        listener.status = lambda _: 0
        with service(data) as again:
            assert ris.next() == told
            send(again, CT[2])
            assert ris.next().availability == said(CT[2:3])
    assert ris.came.empty()


def test_a_new_index_is_no_news_but_what_has_not_come_to_rest_is(data: Path) -> None:
    with notified() as ris:
        with service(data) as archive:
            know(data, ris.peer.port)
            send(archive, *CT[:2])
            ris.next()
            wait_until(lambda: logged(archive, "availability told"))
        with service(data, rest="1000.0") as archive:
            send(archive, CT[2])
        assert diafana("reindex", "--data", data).code == 0
        with service(data) as archive:
            assert ris.next().availability == said(CT[2:3])
            send(archive, CT[3])
            assert ris.next().availability == said(CT[3:])
    assert ris.came.empty()


def test_who_is_notified_is_set_over_http(data: Path) -> None:
    with notified() as ris, service(data, DIAFANA_PEERS_OVER_HTTP="true") as archive:
        url = f"{archive.url}/peers/RIS"
        known = {"host": "127.0.0.1", "port": free_port(), "notified": True}
        assert httpx.put(url, json=known).json()["notified"] is True
        send(archive, *CT[:2])
        wait_until(lambda: logged(archive, "availability could not be told"))
        assert httpx.put(url, json=known | {"port": ris.peer.port}).status_code == 200
        assert ris.next().availability == said(CT[:2])
