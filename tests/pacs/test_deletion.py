"""Deleting and restoring over the archive, and what an interruption between the steps leaves."""

from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from pacs.archive import Archive
from pacs.errors import NotFound, StorageFailed
from pacs.files import DiskFiles
from pacs.files.derived import DerivedFiles
from pacs.files.recycled import DiskRecycledFiles
from pacs.index import Index, Verdict, migrate, sqlite_url
from pacs.model import Instance, Level, Outcome
from pacs.query import Query
from pacs.upkeep import adopt_orphans, read_record, reindex, verify
from testdata.studies import uid
from tests.pacs.objects import instance_of, picture, store, stored
from tests.pacs.rejection_notes import EVIDENCE, STUDY, note

WHO = "10.1.2.3"


def forget_it(*_: object, **__: object) -> None:
    """A step that an interruption keeps from being done."""
    raise StorageFailed("the power is gone")


def delete(archive: Archive, instance: Instance, level: Level = Level.INSTANCE) -> int:
    study, series, sop = (name if place < level else None for place, name in enumerate(instance[:3]))
    assert study is not None
    return archive.deletion.delete(study, series, sop, WHO)


def is_there(archive: Archive, instance: Instance) -> bool:
    try:
        archive.instance(*instance[:3])
    except NotFound:
        return False
    return True


def places(files: DiskFiles) -> tuple[list[str], list[str]]:
    """The files of the archive, and those of what was deleted."""
    return list(files.walk()), list(files.recycled.walk())


@pytest.fixture
def two(archive: Archive) -> list[Instance]:
    return [stored(archive, picture(name)) for name in "ab"]


def test_what_is_deleted_is_gone_and_its_file_kept(
    archive: Archive, index: Index, files: DiskFiles, two: list[Instance]
) -> None:
    gone, other = two
    assert is_there(archive, gone)
    assert delete(archive, gone) == 1
    assert [is_there(archive, one) for one in two] == [False, True]
    assert len(list(archive.search(Query(Level.INSTANCE)))) == 1
    assert places(files) == ([other.file], [gone.file])
    assert list(verify(files, index, lambda: None)) == []
    with pytest.raises(NotFound):
        archive.open(gone)
    with pytest.raises(NotFound):
        delete(archive, gone)


def test_a_study_goes_with_all_that_it_holds(archive: Archive, files: DiskFiles, two: list[Instance]) -> None:
    assert delete(archive, two[0], Level.STUDY) == 2
    assert list(archive.search(Query(Level.PATIENT))) == []
    assert places(files) == ([], [one.file for one in two])


def test_who_reads_goes_on_reading(archive: Archive, two: list[Instance]) -> None:
    content = archive.read_frame(two[0], 1)
    with archive.open(two[0]) as file:
        delete(archive, two[0])
        archive.deletion.empty(0)
        assert content in file.read(0, file.size)


def test_other_processes_forget_what_they_remember(
    archive: Archive, files: DiskFiles, two: list[Instance], tmp_path: Path
) -> None:
    index = Index(sqlite_url(tmp_path / "index.sqlite"))
    other = Archive(files, DerivedFiles(tmp_path / "derived"), index, "DIAFANA", "/dicom-web", lambda: None)
    before = other.deletions
    assert is_there(other, two[0])
    assert other.deletions == before
    delete(archive, two[0])
    assert other.deletions != before
    assert [is_there(other, one) for one in two] == [False, True]
    index.close()


def test_a_deletion_is_told_in_the_log(archive: Archive, two: list[Instance]) -> None:
    structlog.reset_defaults()
    with capture_logs() as lines:
        delete(archive, two[0], Level.SERIES)
    (line,) = lines
    assert line["event"] == "instances deleted"
    assert (line["study"], line["series"], line["instances"]) == (*two[0][:2], 2)
    assert (line["reason"], line["requester"]) == ("deleted", WHO)
    assert set(line) == {"event", "log_level", "study", "series", "instances", "reason", "requester"}


def test_the_same_instance_sent_again_is_new(archive: Archive, files: DiskFiles, two: list[Instance]) -> None:
    delete(archive, two[0])
    answer = store(archive, picture("a"))
    assert answer.outcome is Outcome.STORED
    again = instance_of(archive, answer)
    assert again.file != two[0].file
    assert places(files) == ([two[1].file, again.file], [two[0].file])


# Interruptions


@pytest.fixture
def interrupted(archive: Archive, two: list[Instance], monkeypatch: pytest.MonkeyPatch) -> list[Instance]:
    """The first of two is deleted, and its file not moved."""
    with monkeypatch.context() as patch:
        patch.setattr(DiskRecycledFiles, "take", forget_it)
        assert delete(archive, two[0]) == 1
    return two


def test_cut_off_before_its_file_is_moved_it_is_deleted(
    archive: Archive, index: Index, files: DiskFiles, interrupted: list[Instance]
) -> None:
    gone, other = interrupted
    assert places(files) == ([gone.file, other.file], [])
    assert not is_there(archive, gone)
    files.close()  # its process has gone
    assert adopt_orphans(files, index) == (0, 0)
    assert not is_there(archive, gone)
    archive.deletion.move(gone.study_instance_uid)
    assert places(files) == ([other.file], [gone.file])
    assert is_there(archive, other)


def test_a_file_that_was_not_moved_is_restored_and_emptied_as_others(
    archive: Archive, files: DiskFiles, interrupted: list[Instance]
) -> None:
    gone, other = interrupted
    assert archive.deletion.restore(gone.sop_instance_uid) == [Verdict.CREATED]
    assert places(files) == ([gone.file, other.file], [])
    delete(archive, gone)
    archive.deletion.empty(0)
    assert places(files) == ([other.file], [])


def test_cut_off_before_the_commit_nothing_is_deleted(
    archive: Archive, files: DiskFiles, two: list[Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("pacs.index.remove.note_removed", forget_it)
        with pytest.raises(StorageFailed):
            delete(archive, two[0])
    archive.deletion.move(two[0].study_instance_uid)
    assert [is_there(archive, one) for one in two] == [True, True]
    assert places(files) == ([one.file for one in two], [])


@pytest.mark.parametrize("step", ["take", "restore"])
def test_a_restoration_that_is_cut_off_leaves_it_deleted(
    archive: Archive,
    index: Index,
    files: DiskFiles,
    two: list[Instance],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    gone, other = two
    delete(archive, gone)
    with monkeypatch.context() as patch:
        patch.setattr(
            *{"take": (DiskRecycledFiles, "take"), "restore": (index.writer, "restore")}[step], forget_it
        )
        with pytest.raises(StorageFailed):
            archive.deletion.restore(gone.sop_instance_uid)
    files.close()
    assert adopt_orphans(files, index) == (0, 0)
    assert not is_there(archive, gone)
    archive.deletion.move(gone.study_instance_uid)
    assert places(files) == ([other.file], [gone.file])
    assert archive.deletion.restore(gone.sop_instance_uid) == [Verdict.CREATED]
    assert is_there(archive, gone)


def test_removing_for_good_goes_on_where_it_was_cut_off(
    archive: Archive, index: Index, files: DiskFiles, two: list[Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    delete(archive, two[0])
    with monkeypatch.context() as patch:
        patch.setattr(index.remover, "forget", forget_it)
        with pytest.raises(StorageFailed):
            archive.deletion.empty(0)
    assert places(files) == ([two[1].file], [])
    assert archive.deletion.empty(0) == 1
    assert index.remover.recycled() == []


# The way back, and the end


@pytest.mark.parametrize("level", [Level.STUDY, Level.SERIES, Level.INSTANCE])
def test_what_was_deleted_comes_back(
    archive: Archive, index: Index, files: DiskFiles, two: list[Instance], level: Level
) -> None:
    delete(archive, two[0], level)
    verdicts = archive.deletion.restore(two[0][:3][level - 1])
    assert verdicts == [Verdict.CREATED] * (1 if level is Level.INSTANCE else 2)
    assert [archive.instance(*one[:3]) for one in two] == two
    assert archive.read_frame(two[0], 1)
    assert places(files) == ([one.file for one in two], [])
    assert list(verify(files, index, lambda: None)) == []
    assert archive.deletion.restore(two[0].sop_instance_uid) == []


def test_what_something_took_the_place_of_stays_deleted(
    archive: Archive, files: DiskFiles, two: list[Instance]
) -> None:
    delete(archive, two[0])
    other = stored(archive, picture("a", {0x00200013: ("IS", b"7")}))
    assert archive.deletion.restore(two[0].sop_instance_uid) == [Verdict.CONFLICT]
    assert archive.instance(*other[:3]) == other
    assert places(files) == ([two[1].file, other.file], [two[0].file])


def test_a_damaged_file_does_not_keep_the_others_from_coming_back(
    archive: Archive, two: list[Instance], tmp_path: Path
) -> None:
    delete(archive, two[0], Level.STUDY)
    (tmp_path / "recycled" / two[0].file).unlink()
    assert archive.deletion.restore(STUDY) == [Verdict.CREATED]
    assert [is_there(archive, one) for one in two] == [False, True]


def test_files_go_when_their_time_is_over(archive: Archive, files: DiskFiles, two: list[Instance]) -> None:
    delete(archive, two[0])
    assert archive.deletion.empty(30) == 0
    assert places(files)[1] == [two[0].file]
    assert archive.deletion.empty(0) == 1
    assert places(files) == ([two[1].file], [])
    assert archive.deletion.restore(two[0].sop_instance_uid) == []


# Rejection notes


def reject(archive: Archive, code: str, *instances: Instance, hides_quality: bool = True) -> Instance:
    kept = stored(archive, note("note", code, [one.sop_instance_uid for one in instances]))
    archive.deletion.reject(kept, hides_quality)
    return kept


@pytest.mark.parametrize("code", ["113001", "113037", "113038", "113039"])
def test_a_note_hides_what_it_names_and_itself(
    archive: Archive, files: DiskFiles, two: list[Instance], code: str
) -> None:
    heeded = reject(archive, code, two[0])
    assert [is_there(archive, one) for one in (*two, heeded)] == [False, True, False]
    assert places(files) == ([two[1].file], sorted([two[0].file, heeded.file]))


def test_what_is_rejected_for_its_quality_may_stay_in_regular_use(
    archive: Archive, two: list[Instance]
) -> None:
    heeded = reject(archive, "113001", two[0], hides_quality=False)
    assert all(is_there(archive, one) for one in (*two, heeded))


@pytest.mark.parametrize("code", ["113037", "113038", "113039"])
def test_other_reasons_always_hide(archive: Archive, two: list[Instance], code: str) -> None:
    reject(archive, code, two[0], hides_quality=False)
    assert not is_there(archive, two[0])


@pytest.mark.parametrize(("code", "comes_back"), [("113001", False), ("113037", False), ("113039", True)])
def test_what_comes_again_after_a_note(
    archive: Archive, files: DiskFiles, two: list[Instance], code: str, comes_back: bool
) -> None:
    reject(archive, code, two[0])
    assert store(archive, picture("a")).outcome is Outcome.STORED
    assert is_there(archive, two[0]) == comes_back
    archive.deletion.move(two[0].study_instance_uid)
    assert len(places(files)[0]) == (2 if comes_back else 1)


def test_a_malformed_note_stays_an_object_like_others(archive: Archive) -> None:
    structlog.reset_defaults()
    broken = stored(archive, note("note", "113037", [], {EVIDENCE: ("SQ", b"")}))
    with capture_logs() as lines:
        assert archive.deletion.reject(broken, True) == 0
    assert is_there(archive, broken)
    (line,) = lines
    assert (line["event"], line["instance"]) == ("rejection note not heeded", broken.sop_instance_uid)
    assert "names no instance" in line["reason"]


def test_what_a_note_rejected_is_restored_without_the_note(archive: Archive, two: list[Instance]) -> None:
    heeded = reject(archive, "113037", *two)
    assert archive.deletion.restore(STUDY) == [Verdict.CREATED] * 2
    assert [is_there(archive, one) for one in (*two, heeded)] == [True, True, False]


# The files are the truth


def rebuilt(folder: Path, files: DiskFiles) -> Index:
    """A new index of the same files."""
    url = sqlite_url(folder / "new.sqlite")
    migrate(url)
    index = Index(url)
    assert reindex(files, index, lambda: None) == []
    return index


def test_what_was_deleted_stays_so_in_an_index_made_anew(
    archive: Archive, files: DiskFiles, two: list[Instance], tmp_path: Path
) -> None:
    delete(archive, two[0])
    index = rebuilt(tmp_path, files)
    assert [one.file for one in index.walk()] == [two[1].file]
    (noted,) = index.remover.recycled()
    assert (noted.file, noted.reason) == (two[0].file, "found by reindex")
    index.close()


def test_a_note_keeps_out_what_it_names_in_an_index_made_anew(
    archive: Archive, files: DiskFiles, two: list[Instance], tmp_path: Path
) -> None:
    later = stored(archive, picture("later"))
    delete(archive, later)
    archive.deletion.empty(0)
    heeded = stored(archive, note("note", "113037", [two[0].sop_instance_uid, uid("raw", "later")]))
    archive.deletion.reject(heeded, True)
    index = rebuilt(tmp_path, files)
    assert [one.requester for one in index.remover.recycled(heeded.sop_instance_uid)] == [
        heeded.sop_instance_uid
    ]
    again = files.create()
    again.write(picture("later"))
    again.sync()
    index.writer.write([read_record(files, again.key)])
    assert [one.file for one in index.walk()] == [two[1].file]
    index.close()
