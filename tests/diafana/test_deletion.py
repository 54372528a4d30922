"""Deletion by the service as a whole: in every worker, by its followers, cut off at any point, and back."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from diafana.deletion_followers import deletion_followers
from diafana.settings import Settings
from pacs.archive import Archive
from pacs.index import Task
from pacs.model import Action, Change, Level
from pacs.query import Query
from testdata.ct import ct_series
from testdata.files import part10
from testdata.key_objects import rejection_note
from tests.diafana.commands import diafana
from tests.kept_files import contents
from tests.pacs.dimse.peer import find, store
from tests.service import Service
from tests.waiting import wait_until

pytestmark = pytest.mark.xdist_group("service")

# What ends the service from within, as if its power were cut: the supervisor first, so that none comes back
DIE = """
import os, signal
def die(*_, **__):
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def program(*statements: str) -> tuple[str, str]:
    return "-c", "\n".join([*statements, "from diafana import cli", "cli.main()"])


def setting(name: str, value: str) -> tuple[str, str]:
    return program("import os", f"os.environ['DIAFANA_{name}'] = '{value}'")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("service") / "data", "--workers", "2") as service:
        yield service


def keep(service: Service, count: int = 2) -> list[Dataset]:
    """Store slices of a study of their own."""
    slices = ct_series(slices=count, rows=16, columns=16)
    study, series = generate_uid(), generate_uid()
    for one in slices:
        one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID = study, series, generate_uid()
        assert store(service.dimse_port, one).Status == 0
    return slices


def note_on(slices: list[Dataset], reason: str) -> Dataset:
    note = rejection_note(slices, getattr(codes.DCM, reason))
    note.StudyInstanceUID, note.SeriesInstanceUID = slices[0].StudyInstanceUID, generate_uid()
    note.SOPInstanceUID = generate_uid()
    return note


def path_of(dataset: Dataset) -> str:
    return (
        f"/dicom-web/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
        f"/instances/{dataset.SOPInstanceUID}"
    )


def study_of(dataset: Dataset) -> str:
    return f"/dicom-web/studies/{dataset.StudyInstanceUID}"


def delete(service: Service, path: str) -> int:
    return httpx.delete(service.url + path, timeout=30).status_code


def statuses(service: Service, path: str, **headers: str) -> set[int]:
    """What several connections hear, so that each worker is asked."""
    return {service.get(path, **headers).status_code for _ in range(12)}


def is_gone(service: Service, dataset: Dataset) -> bool:
    return service.get(path_of(dataset)).status_code == 404


def files_in(service: Service, folder: str, *datasets: Dataset) -> int:
    """How many files of a folder of the data hold one of these instances."""
    wanted = [dataset.SOPInstanceUID.encode() for dataset in datasets]
    return sum(any(uid in content for uid in wanted) for _, content in contents(service.data / folder))


def test_it_is_gone_in_every_worker_at_once(service: Service) -> None:
    gone, other = keep(service)
    picture = f"{path_of(gone)}/rendered"
    tag = service.get(picture).headers["etag"]
    assert statuses(service, picture) == statuses(service, path_of(gone)) == {200}
    assert statuses(service, picture, **{"If-None-Match": tag}) == {304}
    assert delete(service, path_of(gone)) == 204
    assert statuses(service, picture, **{"If-None-Match": tag}) == {404}
    assert statuses(service, picture) == statuses(service, path_of(gone)) == {404}
    assert statuses(service, path_of(other)) == {200}
    assert files_in(service, "objects", gone) == 0
    assert files_in(service, "recycled", gone) == 1


def test_a_study_is_deleted_stored_again_and_deleted_by_whichever_worker(service: Service) -> None:
    slices = keep(service)
    for _ in range(6):
        assert delete(service, study_of(slices[0])) == 204
        assert statuses(service, study_of(slices[0])) == {404}
        for one in slices:
            assert store(service.dimse_port, one).Status == 0
        answers, _ = find(service.dimse_port, _asked(slices[0]))
        assert [answer.NumberOfStudyRelatedInstances for answer in answers] == [2]


def _asked(dataset: Dataset) -> Dataset:
    asked = Dataset()
    asked.QueryRetrieveLevel = "STUDY"
    asked.StudyInstanceUID = dataset.StudyInstanceUID
    asked.NumberOfStudyRelatedInstances = None
    return asked


def test_a_rejection_note_hides_and_what_it_became_is_withdrawn(service: Service) -> None:
    slices = keep(service, 3)
    note = note_on(slices[:2], "RejectedForPatientSafetyReasons")
    assert store(service.dimse_port, note).Status == 0
    wait_until(partial(is_gone, service, slices[0]))
    assert [is_gone(service, one) for one in (*slices, note)] == [True, True, False, True]
    assert store(service.dimse_port, slices[0]).Status == 0
    assert is_gone(service, slices[0])
    wait_until(lambda: files_in(service, "objects", *slices[:2]) == 0)
    (event,) = [one for one in service.events() if one.get("requester") == note.SOPInstanceUID]
    assert (event["event"], event["instances"], event["reason"]) == ("instances deleted", 2, "113037")
    document = f"/fhir/DocumentReference?identifier=urn:oid:{note.SOPInstanceUID}"
    wait_until(lambda: service.get(document).json()["total"] == 0)


def test_it_is_restored_beside_the_running_service(service: Service) -> None:
    slices = keep(service)
    assert delete(service, study_of(slices[0])) == 204
    note = note_on(slices, "DataRetentionPolicyExpired")
    assert store(service.dimse_port, note).Status == 0
    wait_until(partial(is_gone, service, note))  # as a note is that was heeded
    done = diafana("restore", slices[0].StudyInstanceUID, "--data", service.data)
    assert (done.code, done.out.split()) == (0, ["2", "restored"])
    assert statuses(service, path_of(slices[0])) == {200}


def test_cut_off_before_the_commit_it_is_not_deleted(tmp_path: Path) -> None:
    bug = "from pacs.index import remove", "remove._count_anew = die"
    with Service(tmp_path / "data", program=program(DIE, *bug)) as service:
        slices = keep(service)
        with pytest.raises(httpx.TransportError):
            delete(service, path_of(slices[0]))
        service.kill()
    with Service(tmp_path / "data", program=setting("DELETE", "false")) as service:
        assert [is_gone(service, one) for one in slices] == [False, False]
        assert delete(service, path_of(slices[0])) == 403
        assert [is_gone(service, one) for one in slices] == [False, False]


def test_cut_off_before_its_file_is_moved_it_is_deleted(tmp_path: Path) -> None:
    bug = "from pacs.files import recycled", "recycled.DiskRecycledFiles.take = die"
    with Service(tmp_path / "data", program=program(DIE, *bug)) as service:
        slices = keep(service)
        with pytest.raises(httpx.TransportError):
            delete(service, path_of(slices[0]))
        service.kill()
        assert files_in(service, "objects", slices[0]) == 1
    with Service(tmp_path / "data") as service:
        assert [is_gone(service, one) for one in slices] == [True, False]
        wait_until(lambda: files_in(service, "recycled", slices[0]) == 1)
        assert files_in(service, "objects", slices[0]) == 0
        assert not is_gone(service, slices[1])


def test_a_note_that_was_acknowledged_is_heeded_after_the_power_is_back(tmp_path: Path) -> None:
    late = "deletion.Deletion.reject = lambda *_: (time.sleep(2), die())"  # behind the answer
    bug = "import time", "from pacs import deletion", late
    with Service(tmp_path / "data", program=program(DIE, *bug)) as service:
        slices = keep(service)
        content = part10(note_on(slices, "DataRetentionPolicyExpired"))
        head = {"Content-Type": "application/dicom"}
        assert (
            httpx.post(f"{service.url}/dicom-web/studies", content=content, headers=head).status_code == 200
        )
        service.process.wait(20)
        service.kill()
        assert files_in(service, "objects", *slices) == 3
    with Service(tmp_path / "data", program=setting("RECYCLE_DAYS", "0")) as service:
        wait_until(lambda: service.get(study_of(slices[0])).status_code == 404)
        wait_until(lambda: files_in(service, "", *slices) == 0)


# The followers


def change(action: Action, sop_class_uid: str) -> Change:
    return Change(1, action, "1.2", "1.2.3", "1.2.3.4", sop_class_uid)


@pytest.mark.parametrize("is_allowed", [True, False])
def test_notes_are_heeded_where_deletion_is_allowed(archive: Archive, is_allowed: bool) -> None:
    _, notes, _ = deletion_followers(archive, Settings(delete=is_allowed))
    key_objects, ct = "1.2.840.10008.5.1.4.1.1.88.59", "1.2.840.10008.5.1.4.1.1.2"
    assert (notes.level, notes.rest) == (Level.INSTANCE, 0)
    assert notes.wants(change(Action.CREATED, key_objects)) == is_allowed
    assert not notes.wants(change(Action.DELETED, key_objects))
    assert not notes.wants(change(Action.CREATED, ct))


def test_files_are_moved_at_once_and_removed_after_their_time(archive: Archive) -> None:
    moving, _, removing = deletion_followers(archive, Settings(recycle_days=2.5))
    assert (moving.rest, removing.rest) == (0, 2.5 * 24 * 3600)
    for follower in (moving, removing):
        assert follower.wants(change(Action.DELETED, "1.2"))
        assert not follower.wants(change(Action.CREATED, "1.2"))


def test_a_note_that_is_gone_is_no_failure(archive: Archive) -> None:
    _, notes, _ = deletion_followers(archive, Settings())
    notes.work(Task(1, notes.name, "1.2", "1.2.3", "1.2.3.4", 1, 0))
    assert not list(archive.search(Query(Level.STUDY)))
