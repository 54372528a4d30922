"""Writing: what becomes of each record, whose study it is, and many writers at once."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete

from pacs.errors import OutOfSpace, StorageFailed
from pacs.files import DiskFiles
from pacs.index import Index, Record, Verdict, migrate, schema, sqlite_url, write
from pacs.index.engine import open_engine
from pacs.model import Change, DicomJson, Level, Source
from pacs.query import Query
from pacs.upkeep import read_record
from tests.pacs.files.test_disk import small_disk
from tests.pacs.objects import Changes, picture

CREATED, IDENTICAL, CONFLICT, OTHER = (
    Verdict.CREATED,
    Verdict.IDENTICAL,
    Verdict.CONFLICT,
    Verdict.OTHER_PATIENT,
)
PATIENT_NAME, PATIENT_ID, ISSUER, STUDY, SERIES = 0x00100010, 0x00100020, 0x00100021, 0x0020000D, 0x0020000E
SOP_CLASS = 0x00080016


def record(files: DiskFiles, name: str, changes: Changes | None = None, **meta: str) -> Record:
    """A record of the little picture, its file written and synced."""
    new = files.create()
    new.write(picture(name, changes, b"", **meta))
    new.sync()
    return read_record(files, new.key)


def of_patient(identifier: str, issuer: str = "", study: str = "1.2.3") -> Changes:
    return {
        PATIENT_ID: ("LO", identifier.encode()) if identifier else None,
        ISSUER: ("LO", issuer.encode()) if issuer else None,
        STUDY: ("UI", study.encode()),
    }


def found(index: Index, level: Level) -> list[DicomJson]:
    return [answer.attributes for answer in index.search(Query(level))]


def values(answers: list[DicomJson], key: str) -> list[object]:
    return [answer.get(key, {}).get("Value") for answer in answers]


def test_every_record_gets_its_verdict_in_its_place(index: Index, files: DiskFiles) -> None:
    first, other, again = record(files, "a"), record(files, "b"), record(files, "a")
    changed = record(files, "a", {0x00200013: ("IS", b"7")})
    stranger = record(files, "c", {PATIENT_ID: ("LO", b"ANOTHER")})
    written = index.writer.write([first, again, stranger, changed, other])
    assert written == [CREATED, IDENTICAL, OTHER, CONFLICT, CREATED]
    copy = record(files, "b")
    assert index.writer.write([changed, stranger, again, copy]) == [CONFLICT, OTHER, IDENTICAL, IDENTICAL]
    assert [instance.file for instance in index.walk()] == [first.instance.file, other.instance.file]


def test_a_file_that_is_indexed_already_is_no_copy_of_itself(index: Index, files: DiskFiles) -> None:
    one = record(files, "a")
    assert index.writer.write([one]) == index.writer.write([one]) == [CREATED]
    assert index.count() == 1


def test_an_instance_is_kept_as_it_was_written(index: Index, files: DiskFiles) -> None:
    one, none = record(files, "a"), record(files, "b", {0x7FE00010: None})
    index.writer.write([one, none])
    assert list(index.walk()) == [one.instance, none.instance]


def test_writing_nothing_is_no_error(index: Index) -> None:
    assert index.writer.write([]) == []


def test_all_of_a_group_is_counted(index: Index, files: DiskFiles) -> None:
    second: Changes = {SERIES: ("UI", b"1.2.3.2"), 0x00080060: ("CS", b"MR")}
    group = [record(files, name, second if name > "c" else None) for name in "abcde"]
    index.writer.write(group[:1])
    index.writer.write(group)
    (study,) = found(index, Level.STUDY)
    assert values([study], "00201206") == [[2]]
    assert values([study], "00201208") == [[5]]
    assert values([study], "00080061") == [["MR", "OT"]]
    assert sorted(map(str, values(found(index, Level.SERIES), "00201209"))) == ["[2]", "[3]"]


def test_every_instance_makes_one_change_and_the_series_bears_the_last(
    index: Index, files: DiskFiles
) -> None:
    second: Changes = {SERIES: ("UI", b"1.2.3.2")}
    first, other, late = record(files, "a"), record(files, "b", second), record(files, "c")
    study, series = first.instance.study_instance_uid, first.instance.series_instance_uid
    index.writer.write([first, other])
    versions = dict(index.series_versions(study))
    assert versions.keys() == {series, "1.2.3.2"}
    index.writer.write([late, other])
    changes = index.tasks.changes(0, 100)
    assert [change.sop_instance_uid for change in changes] == [
        one.instance.sop_instance_uid for one in (first, other, late)
    ]
    assert [change.sequence for change in changes] == sorted({change.sequence for change in changes})
    assert dict(index.series_versions(study)) == {
        series: changes[-1].sequence,
        "1.2.3.2": versions["1.2.3.2"],
    }
    assert index.series_versions(study, "9.9.9") == []


def test_every_sop_class_of_a_series_is_noted(index: Index, files: DiskFiles) -> None:
    index.writer.write([record(files, "a", {SOP_CLASS: ("UI", b"1.2.3.9")}, sop_class_uid="1.2.3.9")])
    index.writer.write([record(files, "b", {SOP_CLASS: ("UI", b"1.2.3.10")}, sop_class_uid="1.2.3.10")])
    assert values(found(index, Level.STUDY), "00080062") == [["1.2.3.10", "1.2.3.9"]]


def test_the_sop_classes_that_other_processes_wrote_stay(
    index_url: str, index: Index, files: DiskFiles
) -> None:
    other = Index(index_url)
    for number, writer in enumerate((index, other, index)):
        uid = f"1.2.3.{number}"
        writer.writer.write([record(files, uid, {SOP_CLASS: ("UI", uid.encode())}, sop_class_uid=uid)])
    other.close()
    assert values(found(index, Level.STUDY), "00080062") == [["1.2.3.0", "1.2.3.1", "1.2.3.2"]]


def test_two_patients_with_one_number_are_told_apart_by_its_issuer(index: Index, files: DiskFiles) -> None:
    group = [
        record(files, "a", of_patient("P1", "NORD", "1.2.1")),
        record(files, "b", of_patient("P1", "SUD", "1.2.2")),
        record(files, "c", of_patient("P1", "", "1.2.3")),
        record(files, "d", of_patient("P1", "NORD", "1.2.4")),
    ]
    assert index.writer.write(group) == [CREATED] * 4
    patients = found(index, Level.PATIENT)
    assert sorted(map(str, values(patients, "00100021"))) == ["None", "['NORD']", "['SUD']"]
    assert sorted(map(str, values(patients, "00201200"))) == ["[1]", "[1]", "[2]"]


def test_patients_without_a_number_are_never_taken_for_one(index: Index, files: DiskFiles) -> None:
    group = [record(files, name, of_patient("", "NORD", f"1.2.{name}")) for name in "123"]
    assert index.writer.write(group) == [CREATED] * 3
    assert len(found(index, Level.PATIENT)) == 3


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (("P1", "NORD"), ("P1", "NORD"), CREATED),
        (("P1", "NORD"), ("P2", "NORD"), OTHER),
        (("P1", "NORD"), ("P1", "SUD"), OTHER),
        (("P1", ""), ("P2", ""), OTHER),
        (("P1", ""), ("p1", ""), OTHER),
        (("P1", ""), ("P1", "NORD"), CREATED),
        (("P1", "NORD"), ("P1", ""), CREATED),
        (("P1", "NORD"), ("", ""), CREATED),
        (("", "NORD"), ("P1", "SUD"), CREATED),
        (("", ""), ("", ""), CREATED),
    ],
)
@pytest.mark.parametrize("way", ["known series", "other series", "other process", "one group"])
def test_a_study_belongs_to_one_patient(
    index_url: str,
    index: Index,
    files: DiskFiles,
    first: tuple[str, str],
    second: tuple[str, str],
    verdict: Verdict,
    way: str,
) -> None:
    one = record(files, "a", of_patient(*first))
    series: Changes = {SERIES: ("UI", b"1.2.3.9")} if way == "other series" else {}
    two = record(files, "b", {**of_patient(*second), **series})
    if way == "one group":
        assert index.writer.write([one, two]) == [CREATED, verdict]
        return
    assert index.writer.write([one]) == [CREATED]
    writer = Index(index_url) if way == "other process" else index
    assert writer.writer.write([two]) == [verdict]
    if writer is not index:
        writer.close()


def test_a_study_without_an_issuer_takes_the_first_that_is_named(index: Index, files: DiskFiles) -> None:
    group = [record(files, issuer or "none", of_patient("P1", issuer)) for issuer in ("", "NORD", "SUD")]
    assert index.writer.write(group) == [CREATED, CREATED, OTHER]


def anonymous_then(index: Index, files: DiskFiles, identifier: str) -> None:
    index.writer.write([record(files, "a", {**of_patient(""), PATIENT_NAME: None})])
    index.writer.write([record(files, "b", of_patient(identifier))])


def test_a_study_without_a_patient_is_claimed_by_the_first_who_is_named(
    index: Index, files: DiskFiles
) -> None:
    anonymous_then(index, files, "P1")
    (study,) = found(index, Level.STUDY)
    assert study["00100020"]["Value"] == ["P1"]
    assert study["00100010"]["Value"] == [{"Alphabetic": "Guàsti^Gòffredo"}]
    assert study["00080050"]["Value"] == ["PROVA9000000"]
    assert index.writer.write([record(files, "c", of_patient("P2"))]) == [OTHER]
    assert index.writer.write([record(files, "d", of_patient(""))]) == [CREATED]


def test_a_claimed_study_is_among_those_of_its_patient(index: Index, files: DiskFiles) -> None:
    index.writer.write([record(files, "z", of_patient("P1", study="1.2.4"))])
    anonymous_then(index, files, "P1")
    identities = {answer.patient_identity for answer in index.search(Query(Level.STUDY))}
    assert len(identities) == 1
    (identity,) = identities
    assert len(list(index.search(Query(Level.STUDY, patient_identity=identity)))) == 2


def test_a_claimed_study_leaves_no_patient_without_studies(index: Index, files: DiskFiles) -> None:
    anonymous_then(index, files, "P1")
    assert values(found(index, Level.PATIENT), "00100020") == [["P1"]]


def test_a_study_shows_the_patient_as_its_own_objects_do(index: Index, files: DiskFiles) -> None:
    for number, name in enumerate(("Rossi^Maria", "Bianchi^Maria")):
        changes = {**of_patient("P1", study=f"1.2.{number}"), PATIENT_NAME: ("PN", name.encode())}
        index.writer.write([record(files, name, changes)])
    studies = {one["0020000D"]["Value"][0]: one["00100010"]["Value"][0] for one in found(index, Level.STUDY)}
    assert studies == {"1.2.0": {"Alphabetic": "Rossi^Maria"}, "1.2.1": {"Alphabetic": "Bianchi^Maria"}}
    assert values(found(index, Level.PATIENT), "00100010") == [[{"Alphabetic": "Bianchi^Maria"}]]


def test_a_series_of_one_uid_may_be_in_two_studies(index: Index, files: DiskFiles) -> None:
    one, two = record(files, "a"), record(files, "b", {STUDY: ("UI", b"1.2.3")})
    assert index.writer.write([one, two]) == [CREATED, CREATED]
    assert [len(index.instances(one.instance.study_instance_uid)), len(index.instances("1.2.3"))] == [1, 1]


def test_a_group_that_fails_leaves_the_writer_fit_for_the_next(
    index: Index, files: DiskFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageFailed("the storage device failed")

    good = record(files, "a")
    with monkeypatch.context() as broken:
        broken.setattr(write._Transaction, "_count", fail)
        with pytest.raises(StorageFailed, match="the storage device failed"):
            index.writer.write([good])
    assert found(index, Level.STUDY) == []
    assert index.writer.write([good, record(files, "b")]) == [CREATED, CREATED]
    assert values(found(index, Level.STUDY), "00201208") == [[2]]


def test_what_the_writer_remembers_may_be_no_longer_so(
    index_url: str, index: Index, files: DiskFiles
) -> None:
    index.writer.write([record(files, "a")])
    engine = open_engine(index_url)
    with engine.begin() as connection:
        for table in (schema.instance, schema.series, schema.study):
            connection.execute(delete(table))
    engine.dispose()
    assert index.writer.write([record(files, "b")]) == [CREATED]


def test_the_writer_remembers_only_so_many_series(
    index: Index, files: DiskFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "KNOWN_SERIES", 2)
    for number in range(12):
        series: Changes = {SERIES: ("UI", b"1.2.3.%d" % (number % 4))}
        assert index.writer.write([record(files, str(number), series)]) == [CREATED]
    assert values(found(index, Level.SERIES), "00201209") == [[3]] * 4


def test_what_is_set_aside_is_noted_once(index: Index, files: DiskFiles) -> None:
    one, two = record(files, "a").instance, record(files, "a", {0x00200013: ("IS", b"7")}).instance
    source = Source("SENDER", "10.1.2.3")
    assert index.writer.quarantine(one, CONFLICT, "x.dcm", source)
    assert not index.writer.quarantine(one, CONFLICT, "y.dcm", source)
    assert index.writer.quarantine(two, OTHER, "z.dcm", source)


def store_many(folder: str, url: str, letter: str, count: int) -> None:
    """What each process below does: store its own instances, and those that all store, of new patients."""
    files, index = DiskFiles(Path(folder)), Index(url)
    for number in range(count):
        (verdict,) = index.writer.write([record(files, f"{letter}{number}")])
        assert verdict is CREATED
        of_all = record(files, f"shared{number}", of_patient(f"P{number}", study=f"1.2.{number + 100}"))
        (again,) = index.writer.write([of_all])
        assert again in (CREATED, IDENTICAL)
    index.close()


def followed(index: Index, goes_on: Callable[[], bool]) -> list[Change]:
    """The change feed as a follower reads it while others write: what comes late is never seen."""
    changes: list[Change] = []
    while True:
        is_last = not goes_on()
        changes += index.tasks.changes(changes[-1].sequence if changes else 0, 10_000)
        if is_last:
            return changes


def test_processes_write_at_once_and_nothing_is_lost(tmp_path: Path, index_url: str, index: Index) -> None:
    count, letters = 25, "abc"
    spawning = multiprocessing.get_context("spawn")
    processes = [
        spawning.Process(target=store_many, args=(str(tmp_path), index_url, letter, count))
        for letter in letters
    ]
    for process in processes:
        process.start()
    changes = followed(index, lambda: any(process.is_alive() for process in processes))
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(letters)
    expected = count * (len(letters) + 1)
    assert index.count() == expected
    counted = values(found(index, Level.STUDY), "00201208")
    assert sorted(counted, key=str) == [[1]] * count + [[count * len(letters)]]
    assert changes == index.tasks.changes(0, 10_000)
    assert len({change.sequence for change in changes}) == len(changes) == expected
    assert len({change.sop_instance_uid for change in changes}) == expected
    last = {change.study_instance_uid: change.sequence for change in changes}
    for study, sequence in last.items():
        ((_, version),) = index.series_versions(study)
        assert version == sequence


def test_a_full_disk_keeps_what_was_written_and_takes_more_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "size=3m") as folder:
        url = sqlite_url(folder / "index.sqlite")
        migrate(url)
        files, index = DiskFiles(tmp_path), Index(url)
        index.writer.write([record(files, "before")])
        filling = folder / "filling"
        with filling.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            while file.write(bytes(4096)):
                pass
        comment: Changes = {0x00104000: ("LT", b"long " * 2000)}
        group = [
            record(files, str(number), {**comment, STUDY: ("UI", b"1.2.%d" % number)}) for number in range(99)
        ]
        with pytest.raises(OutOfSpace):
            index.writer.write(group)
        assert index.count() == 1
        filling.unlink()
        assert index.writer.write(group) == [CREATED] * 99
        index.close()
