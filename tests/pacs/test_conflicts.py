"""What comes again in other content, by the policy for its sender; and what interruptions leave of it."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from sqlalchemy import select
from structlog.testing import capture_logs

from pacs.archive import Archive
from pacs.errors import InstanceConflict, NotFound, PatientConflict, StorageFailed
from pacs.files import DiskFiles
from pacs.files.recycled import DiskRecycledFiles
from pacs.index import Index, Verdict, migrate, schema, sqlite_url
from pacs.index.engine import Transactions, open_engine
from pacs.model import Action, Duplicates, Instance, Level, Outcome, Source
from pacs.non_patient import CATEGORY_OF
from pacs.query import Query
from pacs.upkeep import adopt_orphans, reindex, verify
from tests.pacs.objects import Changes, data_set, instance_of, picture, store
from tests.pacs.test_deletion import WHO, forget_it, places

MODALITY = Source("MODALITY", "10.1.2.3")
KEEP, REPLACE, SET_ASIDE = Duplicates.KEEP, Duplicates.REPLACE, Duplicates.SET_ASIDE
OTHER_CONTENT: Changes = {0x00204000: ("LT", b"taken again")}

# What makes it another object, though its UID is the same
ANOTHER: dict[str, Changes] = {
    "patient": {0x00100020: ("LO", b"SOMEBODY ELSE")},
    "study": {0x0020000D: ("UI", b"2.999.44.1")},
    "series": {0x0020000E: ("UI", b"2.999.44.2")},
}


def send(archive: Archive, policy: Duplicates, changes: Changes | None = None, name: str = "a") -> Outcome:
    return send_file(archive, policy, picture(name, changes))


def send_file(archive: Archive, policy: Duplicates, content: bytes) -> Outcome:
    incoming = archive.sender(MODALITY, duplicates=policy).begin_part10()
    incoming.write(content)
    return archive.store(incoming).outcome


def here(archive: Archive) -> Instance:
    """The one instance that is there."""
    (found,) = archive.search(Query(Level.INSTANCE))
    return archive.instance(*(found.get(key)["Value"][0] for key in ("0020000D", "0020000E", "00080018")))


def content(archive: Archive) -> bytes:
    instance = here(archive)
    with archive.open(instance) as file:
        return file.read(instance.dataset_offset, file.size)


def aside(folder: Path) -> list[str]:
    """The reasons of what was set aside, each of whose files is there."""
    engine = open_engine(sqlite_url(folder / "index.sqlite"))
    with engine.connect() as connection:
        rows = connection.execute(select(schema.quarantine)).all()
    engine.dispose()
    assert sorted(row.file for row in rows) == sorted(
        path.name for path in (folder / "quarantine").glob("*.dcm")
    )
    return [row.reason for row in rows]


def lose(folder: Path, instance: Instance, loss: str) -> None:
    """Let its file be gone, or cut short."""
    path = folder / "objects" / instance.file
    if loss == "gone":
        path.unlink()
    else:
        path.chmod(0o640)
        os.truncate(path, instance.size - 1)


@pytest.fixture
def first(archive: Archive) -> Instance:
    return instance_of(archive, store(archive, picture("a")))


@pytest.mark.usefixtures("first")
def test_it_is_set_aside_and_told_as_a_failure(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(InstanceConflict):
        send(archive, SET_ASIDE, OTHER_CONTENT)
    assert content(archive) == data_set("a")
    assert aside(tmp_path) == [Verdict.CONFLICT.value]


def test_the_first_is_kept_and_the_second_set_aside_all_the_same(
    archive: Archive, first: Instance, tmp_path: Path
) -> None:
    assert send(archive, KEEP, OTHER_CONTENT) is Outcome.FIRST_KEPT
    assert send(archive, KEEP, OTHER_CONTENT) is Outcome.FIRST_KEPT
    assert here(archive) == first
    assert content(archive) == data_set("a")
    assert aside(tmp_path) == [Verdict.CONFLICT.value]


def test_it_takes_the_place_of_the_first(
    archive: Archive, index: Index, files: DiskFiles, first: Instance, tmp_path: Path
) -> None:
    assert send(archive, REPLACE, OTHER_CONTENT) is Outcome.REPLACED
    now = here(archive)
    assert content(archive) == data_set("a", OTHER_CONTENT)
    assert (now.file == first.file, now.digest == first.digest) == (False, False)
    assert places(files) == ([now.file], [first.file])
    (noted,) = index.remover.recycled()
    assert (noted.file, noted.reason, noted.requester) == (first.file, "replaced", "MODALITY")
    assert list(verify(files, index, lambda: None)) == []
    assert aside(tmp_path) == []
    assert [found.get("00201208")["Value"] for found in archive.search(Query(Level.STUDY))] == [[1]]


@pytest.mark.parametrize("policy", [KEEP, REPLACE])
def test_the_same_content_is_no_conflict(archive: Archive, first: Instance, policy: Duplicates) -> None:
    assert send(archive, policy) is Outcome.ALREADY_STORED
    assert here(archive) == first


@pytest.mark.parametrize("loss", ["gone", "cut short"])
@pytest.mark.parametrize("policy", [SET_ASIDE, KEEP, REPLACE])
def test_other_content_takes_the_place_of_what_was_lost(
    archive: Archive,
    index: Index,
    files: DiskFiles,
    first: Instance,
    tmp_path: Path,
    policy: Duplicates,
    loss: str,
) -> None:
    lose(tmp_path, first, loss)
    structlog.reset_defaults()
    with capture_logs() as lines:
        assert send(archive, policy, OTHER_CONTENT) is Outcome.REPLACED
    assert ("lost file replaced", first.file) in [(line["event"], line.get("lost")) for line in lines]
    assert content(archive) == data_set("a", OTHER_CONTENT)
    assert aside(tmp_path) == []
    assert places(files) == ([here(archive).file], [] if loss == "gone" else [first.file])
    assert list(verify(files, index, lambda: None)) == []
    assert archive.deletion.restore(first.sop_instance_uid) == []
    assert content(archive) == data_set("a", OTHER_CONTENT)
    with pytest.raises(InstanceConflict):
        send(archive, SET_ASIDE)


@pytest.mark.parametrize("policy", [SET_ASIDE, KEEP, REPLACE])
@pytest.mark.parametrize("what", ANOTHER)
def test_another_object_takes_nobodys_place_even_where_the_first_was_lost(
    archive: Archive, first: Instance, tmp_path: Path, policy: Duplicates, what: str
) -> None:
    lose(tmp_path, first, "gone")
    with pytest.raises(InstanceConflict):
        send(archive, policy, ANOTHER[what])
    assert here(archive) == first
    assert send(archive, policy) is Outcome.STORED


@pytest.mark.parametrize("policy", [KEEP, REPLACE])
@pytest.mark.parametrize("what", ANOTHER)
def test_another_object_of_the_same_uid_is_a_conflict_whatever_the_policy(
    archive: Archive, first: Instance, tmp_path: Path, policy: Duplicates, what: str
) -> None:
    with pytest.raises(InstanceConflict):
        send(archive, policy, ANOTHER[what])
    assert here(archive) == first
    assert aside(tmp_path) == [Verdict.CONFLICT.value]


@pytest.mark.parametrize("policy", [KEEP, REPLACE])
def test_so_is_one_of_another_class(archive: Archive, first: Instance, policy: Duplicates) -> None:
    other = "1.2.840.10008.5.1.4.1.1.7.2"
    changed = picture("a", {0x00080016: ("UI", other.encode())}, sop_class_uid=other)
    with pytest.raises(InstanceConflict):
        send_file(archive, policy, changed)
    assert here(archive) == first


@pytest.mark.parametrize("policy", [KEEP, REPLACE])
def test_so_is_what_belongs_to_no_patient(archive: Archive, tmp_path: Path, policy: Duplicates) -> None:
    uid = min(CATEGORY_OF)

    def palette(note: bytes) -> bytes:
        changes: Changes = {0x00080016: ("UI", uid.encode()), 0x00204000: ("LT", note)}
        return picture("a", changes, sop_class_uid=uid)

    assert send_file(archive, policy, palette(b"one")) is Outcome.STORED
    with pytest.raises(InstanceConflict):
        send_file(archive, policy, palette(b"two"))
    assert aside(tmp_path) == [Verdict.CONFLICT.value]


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize("policy", [KEEP, REPLACE])
def test_a_new_object_of_another_patients_study_is_set_aside(archive: Archive, policy: Duplicates) -> None:
    with pytest.raises(PatientConflict):
        send(archive, policy, ANOTHER["patient"], name="b")


@pytest.mark.usefixtures("first")
def test_study_and_series_say_what_it_says(archive: Archive) -> None:
    said: Changes = {
        0x00081030: ("LO", b"Torace"),
        0x0008103E: ("LO", b"Polmone"),
        0x00100010: ("PN", "Guàsti^Goffredo".encode()),
        0x00100030: None,
        0x00081060: ("PN", b"Bianchi^Anna"),
    }
    assert send(archive, REPLACE, said) is Outcome.REPLACED
    (study,) = archive.search(Query(Level.STUDY))
    (series,) = archive.search(Query(Level.SERIES))
    (patient,) = archive.search(Query(Level.PATIENT))
    assert study.get("00081030")["Value"] == ["Torace"]
    assert series.get("0008103E")["Value"] == ["Polmone"]
    for found in (study, patient):
        assert found.get("00100010")["Value"] == [{"Alphabetic": "Guàsti^Goffredo"}]
        assert found.get("00100030")["Value"] == ["19700101"]  # left out, and not withdrawn


@pytest.mark.usefixtures("first")
def test_a_patient_without_issuer_takes_the_one_that_is_named(archive: Archive) -> None:
    assert send(archive, REPLACE, {0x00100021: ("LO", b"OSP")}) is Outcome.REPLACED
    (patient,) = archive.search(Query(Level.PATIENT))
    assert patient.get("00100021")["Value"] == ["OSP"]
    with pytest.raises(InstanceConflict):
        send(archive, REPLACE, {0x00100021: ("LO", b"ELSEWHERE")})


def test_followers_are_told_and_the_version_grows(archive: Archive, index: Index, first: Instance) -> None:
    ((_, before),) = archive.series_of(first.study_instance_uid)
    archive.keep_series_metadata(*first[:2])
    kept = archive.series_metadata(*first[:2])
    send(archive, REPLACE, OTHER_CONTENT)
    ((_, after),) = archive.series_of(first.study_instance_uid)
    assert [change.action for change in index.tasks.changes(before, 9)] == [Action.DELETED, Action.CREATED]
    assert after == before + 2
    assert archive.series_metadata(*first[:2]) != kept


def test_a_replacement_is_told_in_the_log(archive: Archive, first: Instance) -> None:
    structlog.reset_defaults()
    with capture_logs() as lines:
        send(archive, REPLACE, OTHER_CONTENT)
    (line,) = lines
    assert (line["event"], line["instance"]) == ("instance replaced", first.sop_instance_uid)
    assert (line["by"], line["former"]) == ("MODALITY", first.file)


# Reading meanwhile


def test_who_found_the_former_still_reads_it(archive: Archive, first: Instance) -> None:
    send(archive, REPLACE, OTHER_CONTENT)
    with archive.open(first) as file:
        assert file.read(first.dataset_offset, file.size) == data_set("a")
    archive.deletion.delete(first.study_instance_uid, None, None, WHO)
    with pytest.raises(NotFound):
        archive.open(first)


def test_at_every_instant_one_of_them_is_read(archive: Archive, first: Instance) -> None:
    contents = {data_set("a", {0x00204000: ("LT", b"%d" % number)}) for number in range(40)}
    names, is_over, wrong = first[:3], threading.Event(), []

    def read() -> None:
        while not is_over.is_set():
            try:
                instance = archive.instance(*names)
                with archive.open(instance) as file:
                    found = file.read(instance.dataset_offset, file.size)
            except NotFound as error:
                wrong.append(repr(error))
                continue
            if found not in contents | {data_set("a")}:
                wrong.append("other bytes")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(40):
        assert send(archive, REPLACE, {0x00204000: ("LT", b"%d" % number)}) is Outcome.REPLACED
    is_over.set()
    for reader in readers:
        reader.join()
    assert wrong == []


@pytest.mark.usefixtures("first")
def test_two_who_replace_at_once_are_both_told_the_truth(
    archive: Archive, index: Index, files: DiskFiles
) -> None:
    outcomes: list[Outcome] = []

    def replace(number: int) -> None:
        outcomes.append(send(archive, REPLACE, {0x00204000: ("LT", b"%d" % number)}))

    senders = [threading.Thread(target=replace, args=(number % 4,)) for number in range(16)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert set(outcomes) <= {Outcome.REPLACED, Outcome.ALREADY_STORED}
    kept, recycled = places(files)
    assert kept == [here(archive).file]
    assert len(recycled) == outcomes.count(Outcome.REPLACED)
    assert list(verify(files, index, lambda: None)) == []


# Interruptions


def before_the_commit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("pacs.index.replacing.restate", forget_it)


def before_the_log_is_synced(patch: pytest.MonkeyPatch) -> None:
    """The second time: the first commit is the one that finds the UID taken."""
    times = iter((lambda *_: None, forget_it))
    patch.setattr(Transactions, "sync", lambda *_: next(times)())


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize(("step", "is_new"), [(before_the_commit, False), (before_the_log_is_synced, True)])
def test_what_was_cut_off_is_answered_with_a_failure_and_leaves_one_or_the_other(
    archive: Archive,
    index: Index,
    files: DiskFiles,
    monkeypatch: pytest.MonkeyPatch,
    step: Callable[[pytest.MonkeyPatch], None],
    is_new: bool,
) -> None:
    with monkeypatch.context() as patch:
        step(patch)
        with pytest.raises(StorageFailed):
            send(archive, REPLACE, OTHER_CONTENT)
    assert content(archive) == data_set("a", OTHER_CONTENT if is_new else None)
    files.close()  # its process has gone
    adopt_orphans(files, index)
    assert content(archive) == data_set("a", OTHER_CONTENT if is_new else None)
    again = Outcome.ALREADY_STORED if is_new else Outcome.REPLACED
    assert send(archive, REPLACE, OTHER_CONTENT) is again
    assert content(archive) == data_set("a", OTHER_CONTENT)


def test_a_file_that_cannot_be_moved_is_moved_by_the_follower(
    archive: Archive, files: DiskFiles, first: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(DiskRecycledFiles, "take", forget_it)
        assert send(archive, REPLACE, OTHER_CONTENT) is Outcome.REPLACED
    assert content(archive) == data_set("a", OTHER_CONTENT)
    archive.deletion.move(first.study_instance_uid)
    assert places(files) == ([here(archive).file], [first.file])


def test_an_instance_that_is_deleted_meanwhile_is_to_be_sent_again(
    archive: Archive, files: DiskFiles, first: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def delete(*_: object) -> None:
            patch.undo()
            archive.deletion.delete(*first[:3], WHO)

        patch.setattr(Transactions, "sync", delete)
        with pytest.raises(StorageFailed, match="send it once more"):
            send(archive, REPLACE, OTHER_CONTENT)
    assert places(files) == ([], [first.file])
    assert send(archive, REPLACE, OTHER_CONTENT) is Outcome.STORED


def test_an_index_made_anew_has_what_took_the_place(
    archive: Archive, files: DiskFiles, first: Instance, tmp_path: Path
) -> None:
    send(archive, REPLACE, OTHER_CONTENT)
    url = sqlite_url(tmp_path / "new.sqlite")
    migrate(url)
    anew = Index(url)
    assert reindex(files, anew, lambda: None) == []
    assert [one.file for one in anew.walk()] == [here(archive).file]
    assert [one.file for one in anew.remover.recycled()] == [first.file]
    anew.close()


# The way back


def test_the_former_takes_its_place_again_and_the_other_way_round(
    archive: Archive, index: Index, files: DiskFiles, first: Instance
) -> None:
    send(archive, REPLACE, OTHER_CONTENT)
    second = here(archive)
    for now, other in ((first, second), (second, first)):
        assert archive.deletion.restore(first.sop_instance_uid) == [Verdict.CREATED]
        assert here(archive) == now
        assert places(files) == ([now.file], [other.file])
        assert list(verify(files, index, lambda: None)) == []


def test_a_study_comes_back_as_it_was_when_it_was_deleted(archive: Archive, first: Instance) -> None:
    send(archive, REPLACE, OTHER_CONTENT)
    second = here(archive)
    assert archive.deletion.restore(first.study_instance_uid) == []  # what was replaced stays so
    for level in (Level.STUDY, Level.INSTANCE):
        archive.deletion.delete(first.study_instance_uid, None, None, WHO)
        assert archive.deletion.restore(first[:3][level - 1]) == [Verdict.CREATED]
        assert here(archive) == second


def test_the_former_goes_when_its_time_is_over(archive: Archive, files: DiskFiles, first: Instance) -> None:
    send(archive, REPLACE, OTHER_CONTENT)
    assert archive.deletion.empty(30) == 0
    assert archive.deletion.empty(0) == 1
    assert places(files) == ([here(archive).file], [])
    assert archive.deletion.restore(first.sop_instance_uid) == []
