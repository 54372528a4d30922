"""Storage commitment over DICOM networking, with the real service and a second one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import Dataset

from testdata.ct import ct_series
from tests.diafana.sending import SEND, command, keep, know, numbers, result, send_study
from tests.pacs.dimse.committing import (
    Committer,
    Reports,
    ask,
    asking,
    committing,
    event_report,
    listening,
    named,
    reporting,
    uids,
)
from tests.pacs.dimse.scp import free_port
from tests.pacs.objects import file_of
from tests.service import Service
from tests.waiting import wait_until

UID = "2.999.37.50"

pytestmark = pytest.mark.xdist_group("service")


@pytest.fixture(scope="module")
def images() -> list[Dataset]:
    return ct_series(slices=3, rows=32, columns=32)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def service(data: Path, images: list[Dataset]) -> Iterator[Service]:
    with Service(data, "--workers", "2") as service:
        keep(service, images)
        yield service


def logged(service: Service, event: str) -> list[dict[str, object]]:
    return [one for one in service.events() if one.get("event") == event]


def test_who_stays_is_told_by_the_worker_that_it_speaks_to(
    service: Service, data: Path, images: list[Dataset]
) -> None:
    file_of(data, images[0]).unlink()
    reports = [Reports() for _ in range(4)]
    for number, own in enumerate(reports):  # of whichever worker
        with asking(service.dimse_port, own) as association:
            assert ask(association, named(f"{UID}.{number}", *images)) == 0x0000
            failed = {images[0].SOPInstanceUID: 0x0110}
            assert own.next() == (f"{UID}.{number}", 2, uids(images[1:]), failed)
        assert own.associations == [association]
    wait_until(lambda: not list((data / "commitment-doors").iterdir()))


def test_what_was_asked_is_told_after_kill_9(data: Path, images: list[Dataset]) -> None:
    port = free_port()
    reports = Reports()
    with Service(data, "--workers", "1") as service:
        keep(service, images)
        know(data, "MODALITY", port)
        with asking(service.dimse_port) as association:
            assert ask(association, named(UID, *images)) == 0x0000
        wait_until(lambda: logged(service, "a commitment could not be told"))
        with asking(service.dimse_port) as association:
            assert ask(association, named(f"{UID}.2", *images)) == 0x0000
            service.kill()
    with listening(reports, port), Service(data, "--workers", "1"):
        told = sorted(reports.next() for _ in range(2))
    assert told == [(UID, 1, uids(images), {}), (f"{UID}.2", 1, uids(images), {})]


def test_who_is_not_known_is_told_once_it_is(service: Service, data: Path, images: list[Dataset]) -> None:
    reports = Reports()
    with asking(service.dimse_port) as association:
        assert ask(association, named(UID, *images)) == 0x0000
    wait_until(lambda: logged(service, "a commitment waits, for who asked is not known here"))
    with listening(reports) as peer:
        know(data, "MODALITY", peer.port)
        assert reports.next() == (UID, 1, uids(images), {})


def test_another_archive_commits_to_what_is_sent_to_it(
    service: Service, data: Path, images: list[Dataset], tmp_path: Path
) -> None:
    with Service(tmp_path / "second", "--workers", "1") as second:
        added = command(data, "peer", "add", "SECOND", "127.0.0.1", second.dimse_port, "--commit")
        assert added.code == 0
        assert command(data, "peer", "list").out.endswith("  commits\n")
        know(tmp_path / "second", "DIAFANA", service.dimse_port)
        send_study(service, UID, "SECOND", images[0])
        told = result(service, UID)
        assert numbers(told) == [0, len(images), 0, 0]
        committed = [one["00081155"]["Value"][0] for one in told["00081199"]["Value"]]
        assert sorted(committed) == uids(images)
        assert "00081198" not in told
        wait_until(lambda: logged(second, "commitment told"))


def test_a_report_is_heard_after_kill_9(data: Path, images: list[Dataset]) -> None:
    with committing(Committer(None)) as other:
        with Service(data, "--workers", "1") as service:
            keep(service, images)
            port = other.peer.port
            assert command(data, "peer", "add", "OTHER", "127.0.0.1", port, "--commit").code == 0
            send_study(service, UID, "OTHER", images[0])
            wait_until(lambda: logged(service, "commitment asked"))
            service.kill()
        (asked,) = other.asked
        with Service(data, "--workers", "1") as service:
            assert service.get(f"{SEND}/{UID}").status_code == 202
            with reporting(service.dimse_port) as association:
                assert event_report(association, named(asked.TransactionUID, *images), 1) == 0x0000
            assert len(result(service, UID)["00081199"]["Value"]) == len(images)
