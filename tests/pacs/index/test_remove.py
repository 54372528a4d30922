"""Removing from the index: what goes with an instance, what is noted of it, and what keeps it out."""

import time

import pytest

from pacs.errors import StorageFailed
from pacs.files import DiskFiles
from pacs.index import Index, Record, Reference, Removal, Verdict, remove
from pacs.keys import parse_condition
from pacs.model import Action, Level
from pacs.query import Criterion, Query
from tests.pacs.index.test_write import found, of_patient, record, values
from tests.pacs.objects import Changes
from tests.properties.reference_matcher import BY_KEYWORDS

CREATED, IDENTICAL, CONFLICT = Verdict.CREATED, Verdict.IDENTICAL, Verdict.CONFLICT
WISH = Removal("deleted", "10.1.2.3")
SERIES, MODALITY, SOP_CLASS, PATIENT_NAME = 0x0020000E, 0x00080060, 0x00080016, 0x00100010


def write(index: Index, *records: Record) -> list[Verdict]:
    return index.writer.write(list(records))


def kept(index: Index) -> list[str]:
    return [instance.sop_instance_uid for instance in index.walk()]


def uid_of(one: Record) -> str:
    return one.instance.sop_instance_uid


def deleted(index: Index, one: Record, level: Level = Level.STUDY) -> int:
    uids = one.instance[:3]
    study, series, instance = (uid if place < level else None for place, uid in enumerate(uids))
    assert study is not None
    return index.remover.delete(study, series, instance, WISH)


def belonging(patient: str, study: str, series: str, modality: str) -> Changes:
    return {**of_patient(patient, study=study), **in_series(series, modality)}


def in_series(series: str, modality: str) -> Changes:
    return {SERIES: ("UI", series.encode()), MODALITY: ("CS", modality.encode())}


def test_a_series_is_counted_anew(index: Index, files: DiskFiles) -> None:
    other = "1.2.840.10008.5.1.4.1.1.7.2"
    first, second = (
        record(files, "a"),
        record(files, "b", {SOP_CLASS: ("UI", other.encode())}, sop_class_uid=other),
    )
    write(index, first, second)
    study, series = first.instance[:2]
    ((_, before),) = index.series_versions(study, series)
    assert deleted(index, second, Level.INSTANCE) == 1
    ((_, after),) = index.series_versions(study, series)
    assert after > before
    assert kept(index) == [uid_of(first)]
    (told,) = found(index, Level.STUDY)
    assert told["00201208"]["Value"] == [1]
    assert told["00080062"]["Value"] == [first.instance.sop_class_uid]
    assert values(found(index, Level.SERIES), "00201209") == [[1]]


def test_what_is_empty_goes_too(index: Index, files: DiskFiles) -> None:
    ct = record(files, "a", belonging("ONE", "1.1", "1.1.1", "CT"))
    mr = record(files, "b", belonging("ONE", "1.1", "1.1.2", "MR"))
    us = record(files, "c", belonging("ONE", "1.2", "1.2.1", "US"))
    xa = record(files, "d", belonging("TWO", "1.3", "1.3.1", "XA"))
    write(index, ct, mr, us, xa)
    assert deleted(index, mr, Level.SERIES) == 1
    assert sorted(map(str, values(found(index, Level.STUDY), "00080061"))) == ["['CT']", "['US']", "['XA']"]
    assert deleted(index, ct) == 1
    assert len(found(index, Level.PATIENT)) == 2
    assert deleted(index, us) == deleted(index, xa) == 1
    assert [found(index, level) for level in Level] == [[], [], [], []]
    assert index.count() == 0


def test_a_patient_is_told_by_the_studies_that_are_left(index: Index, files: DiskFiles) -> None:
    """A wrong name must not stay behind when the study goes that brought it."""
    right = {**of_patient("ONE", study="1.1"), PATIENT_NAME: ("PN", b"Right^Name")}
    wrong = {**of_patient("ONE", study="1.2"), PATIENT_NAME: ("PN", b"Wrong^Name")}
    first, second = record(files, "a", right), record(files, "b", wrong)
    write(index, first, second)
    assert values(found(index, Level.PATIENT), "00100010") == [[{"Alphabetic": "Wrong^Name"}]]
    deleted(index, second)
    (patient,) = found(index, Level.PATIENT)
    assert patient["00100010"]["Value"] == [{"Alphabetic": "Right^Name"}]
    name = BY_KEYWORDS["PatientName"]
    condition = parse_condition(name, ["Right^Name"])
    assert condition is not None
    named = Criterion(name, condition)
    assert len(list(index.search(Query(Level.PATIENT, (named,))))) == 1


def test_what_was_deleted_meanwhile_is_not_put_into_another_file(index: Index, files: DiskFiles) -> None:
    one = record(files, "a")
    write(index, one)
    deleted(index, one)
    with pytest.raises(StorageFailed, match="deleted"):
        index.writer.replace(record(files, "a"), one.instance.file)
    assert index.count() == 0


@pytest.mark.parametrize(
    "uids",
    [
        ("1.9", None, None),
        ("1.2.3", "1.9", None),
        ("1.2.3", None, "1.9"),
        ("1.2.%", None, None),
        ("1.2.?", None, None),
        ("", None, None),
    ],
)
def test_what_is_not_there_is_not_removed(
    index: Index, files: DiskFiles, uids: tuple[str, str | None, str | None]
) -> None:
    write(index, record(files, "a", of_patient("ONE")))
    assert index.remover.delete(*uids, WISH) == 0
    assert index.count() == 1
    assert index.remover.recycled() == []


def test_an_instance_is_removed_from_the_series_that_is_named_only(index: Index, files: DiskFiles) -> None:
    one, other = record(files, "a", in_series("1.1", "CT")), record(files, "b", in_series("1.2", "MR"))
    write(index, one, other)
    study, series, _ = one.instance[:3]
    assert index.remover.delete(study, series, uid_of(other), WISH) == 0
    assert index.count() == 2


def test_the_book_tells_what_was_removed(index: Index, files: DiskFiles) -> None:
    one, other = record(files, "a"), record(files, "b")
    write(index, one, other)
    before = time.time()
    deleted(index, one, Level.INSTANCE)
    (noted,) = index.remover.recycled()
    assert before <= noted.at <= time.time()
    assert noted[1:] == (one.instance.file, *one.instance[:3], "deleted", "10.1.2.3")
    study, series, uid = one.instance[:3]
    assert [index.remover.recycled(name) for name in (study, series, uid)] == [[noted]] * 3
    assert index.remover.recycled("1.9") == index.remover.recycled("") == []
    assert index.remover.files_of(study) == [one.instance.file]
    assert index.known_files([one.instance.file, other.instance.file, "x"]) == {
        one.instance.file,
        other.instance.file,
    }


def test_the_feed_tells_of_each(index: Index, files: DiskFiles) -> None:
    records = [record(files, str(number)) for number in range(3)]
    write(index, *records)
    last = index.tasks.changes(0, 100)[-1].sequence
    deleted(index, records[0])
    changes = index.tasks.changes(last, 100)
    assert {change.action for change in changes} == {Action.DELETED}
    assert [change.sop_instance_uid for change in changes] == [uid_of(one) for one in records]
    assert changes[0].sop_class_uid == records[0].instance.sop_class_uid


def test_many_are_removed_at_once(index: Index, files: DiskFiles) -> None:
    template = record(files, "a")
    many = [
        template._replace(
            instance=template.instance._replace(sop_instance_uid=f"1.{n}", file=f"file {n}"),
            row=template.row | {"sop_instance_uid": f"1.{n}", "file": f"file {n}"},
        )
        for n in range(2 * remove.AT_ONCE + 1)
    ]
    write(index, template, *many)
    assert deleted(index, template) == len(many) + 1
    assert index.count() == 0
    assert len(index.remover.recycled()) == len(many) + 1


def test_a_removal_that_breaks_off_removes_nothing(
    index: Index, files: DiskFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = record(files, "a")
    write(index, one)

    def fail(*_: object) -> None:
        raise StorageFailed("the device is gone")

    with monkeypatch.context() as patch:
        patch.setattr(remove, "_count_anew", fail)
        with pytest.raises(StorageFailed):
            deleted(index, one)
    assert kept(index) == [uid_of(one)]
    assert (index.remover.recycled(), len(index.tasks.changes(0, 10))) == ([], 1)
    assert deleted(index, one) == 1


def test_what_was_removed_is_stored_anew(index: Index, files: DiskFiles) -> None:
    write(index, record(files, "a"))
    deleted(index, record(files, "a"))
    assert write(index, record(files, "a"), record(files, "b")) == [CREATED, CREATED]
    assert index.count() == 2


def test_another_process_does_not_write_into_a_series_that_is_gone(
    index: Index, index_url: str, files: DiskFiles
) -> None:
    """A database may give the key of a removed series to the next one."""
    old = belonging("ONE", "1.1", "1.1.1", "CT")
    new = belonging("TWO", "1.2", "1.2.1", "MR")
    other = Index(index_url)
    try:
        write(other, record(files, "a", old), record(files, "b", old))
        deleted(index, record(files, "a", old))
        write(index, record(files, "c", new))
        assert write(other, record(files, "d", old), record(files, "e", old)) == [CREATED, CREATED]
        assert sorted(map(str, values(found(other, Level.STUDY), "00201208"))) == ["[1]", "[2]"]
        assert {(one.study_instance_uid, one.series_instance_uid) for one in index.walk()} == {
            ("1.1", "1.1.1"),
            ("1.2", "1.2.1"),
        }
    finally:
        other.close()


# Rejection


@pytest.fixture
def three(index: Index, files: DiskFiles) -> list[Record]:
    """Two instances, and the third, which stands for a note."""
    records = [record(files, name) for name in ("a", "b", "note")]
    write(index, *records)
    return records


def reject(index: Index, note: Record, *named: Record, is_remembered: bool = True, series: str = "") -> int:
    references = [Reference(series or one.instance.series_instance_uid, uid_of(one)) for one in named]
    return index.remover.reject(note.instance, "113037", references, is_remembered)


def test_what_a_note_names_goes_and_the_note_itself(index: Index, three: list[Record]) -> None:
    one, other, note = three
    assert reject(index, note, one) == 1
    assert kept(index) == [uid_of(other)]
    noted = index.remover.recycled()
    assert [(row.sop_instance_uid, row.reason, row.requester) for row in noted] == [
        (uid_of(one), "113037", uid_of(note)),
        (uid_of(note), "113037", uid_of(note)),
    ]


def test_a_note_may_name_itself_and_what_is_not_here(
    index: Index, files: DiskFiles, three: list[Record]
) -> None:
    one, other, note = three
    unknown = record(files, "unknown")
    assert reject(index, note, note, unknown, one, one) == 1
    assert kept(index) == [uid_of(other)]
    assert write(index, note) == [CREATED]
    assert uid_of(note) in kept(index)


def test_a_note_is_heeded_only_where_it_is_right(index: Index, files: DiskFiles, three: list[Record]) -> None:
    one, other, note = three
    stranger = record(files, "stranger", of_patient("ANOTHER", study="1.9"))
    write(index, stranger)
    assert reject(index, note, stranger) == 0
    assert reject(index, note, one, series="1.9") == 0
    assert set(kept(index)) == {uid_of(one), uid_of(other), uid_of(stranger)}


@pytest.mark.parametrize("is_remembered", [True, False])
def test_what_comes_again_stays_out_unless_it_went_for_its_age(
    index: Index, files: DiskFiles, three: list[Record], is_remembered: bool
) -> None:
    one, other, note = three
    later = record(files, "later")
    reject(index, note, one, later, is_remembered=is_remembered)
    new = record(files, "new")
    assert write(index, record(files, "a"), later, new) == [CREATED] * 3
    expected = {uid_of(other), uid_of(new)} | (set() if is_remembered else {uid_of(one), uid_of(later)})
    assert set(kept(index)) == expected
    assert len(index.remover.recycled(uid_of(one))) == (2 if is_remembered else 1)
    (study,) = found(index, Level.STUDY)
    assert study["00201208"]["Value"] == [len(expected)]


def test_a_note_keeps_nothing_out_of_other_studies(
    index: Index, files: DiskFiles, three: list[Record]
) -> None:
    *_, note = three
    elsewhere = record(files, "later", of_patient("ANOTHER", study="1.9"))
    reject(index, note, record(files, "later"))
    write(index, elsewhere)
    assert uid_of(elsewhere) in kept(index)


def test_a_series_of_nothing_but_rejected_ones_never_appears(
    index: Index, files: DiskFiles, three: list[Record]
) -> None:
    *_, note = three
    changes = in_series("1.77", "CT")
    reject(index, note, record(files, "later", changes))
    assert write(index, record(files, "later", changes)) == [CREATED]
    assert "1.77" not in [uid for uid, _ in index.series_versions(note.instance.study_instance_uid)]
    assert write(index, record(files, "good", changes)) == [CREATED]
    assert "1.77" in [uid for uid, _ in index.series_versions(note.instance.study_instance_uid)]


# Coming back, and going for good


def test_what_is_restored_is_there_again_and_rejected_no_more(index: Index, three: list[Record]) -> None:
    one, other, note = three
    reject(index, note, one)
    assert index.writer.restore([one]) == [CREATED]
    assert kept(index) == [uid_of(one), uid_of(other)]
    assert [row.sop_instance_uid for row in index.remover.recycled()] == [uid_of(note)]
    deleted(index, one, Level.INSTANCE)
    assert write(index, one) == [CREATED]
    assert uid_of(one) in kept(index)


def test_what_came_meanwhile_is_not_replaced(index: Index, files: DiskFiles) -> None:
    gone = [record(files, "a"), record(files, "b"), record(files, "c")]
    write(index, *gone)
    deleted(index, gone[0])
    write(index, record(files, "a"), record(files, "b", {0x00200013: ("IS", b"7")}))
    assert index.writer.restore(gone) == [IDENTICAL, CONFLICT, CREATED]
    assert [row.file for row in index.remover.recycled()] == [one.instance.file for one in gone[:2]]


def test_files_expire_but_for_notes_that_keep_others_out(index: Index, three: list[Record]) -> None:
    one, other, note = three
    reject(index, note, one)
    deleted(index, other, Level.INSTANCE)
    assert index.remover.expired(time.time() - 10, 100) == []
    files = [one.instance.file, other.instance.file]
    assert sorted(index.remover.expired(time.time(), 100)) == sorted(files)
    assert len(index.remover.expired(time.time(), 1)) == 1
    index.remover.forget(files)
    assert [row.file for row in index.remover.recycled()] == [note.instance.file]
    assert index.known_files(files) == set()


def test_a_note_that_keeps_nothing_out_expires(index: Index, three: list[Record]) -> None:
    one, _, note = three
    reject(index, note, one, is_remembered=False)
    assert sorted(index.remover.expired(time.time(), 100)) == sorted([one.instance.file, note.instance.file])
