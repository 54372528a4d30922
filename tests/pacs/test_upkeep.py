"""Looking after what is kept: damage is found, the index is made again, orphans are seen to."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom import Dataset

from pacs import upkeep
from pacs.archive import Archive
from pacs.errors import InstanceConflict, MalformedObject
from pacs.files import DiskFiles
from pacs.index import Index, migrate, sqlite_url
from pacs.keys import parse_condition
from pacs.model import Found, Instance, Level
from pacs.query import Criterion, Query
from pacs.upkeep import adopt_orphans, read_record, reindex, verify
from testdata.files import part10
from testdata.raw_bytes import PIXEL_DATA, element
from tests.pacs.dataset.specimens import RECIPES
from tests.pacs.files.test_disk import files_below
from tests.pacs.objects import Changes, begin, picture, store, stored
from tests.properties.query_cases import CASES, data_sets, label_of
from tests.properties.reference_matcher import BY_KEYWORDS

PATIENT_ID, STUDY, SERIES = 0x00100020, 0x0020000D, 0x0020000E


def count_steps() -> tuple[list[int], Callable[[], None]]:
    steps: list[int] = []
    return steps, lambda: steps.append(1)


def made(name: str) -> Dataset:
    return RECIPES[name]()


# Verifying


def flip(path: Path, position: int) -> None:
    """Change one bit, and nothing of the length."""
    content = bytearray(path.read_bytes())
    content[position] ^= 0x10
    path.chmod(0o640)
    path.write_bytes(content)


@pytest.fixture
def many(archive: Archive) -> list[Instance]:
    return [stored(archive, picture(str(number))) for number in range(12)]


def damages(files: DiskFiles, index: Index) -> dict[str, str]:
    return {damage.instance.sop_instance_uid: damage.what for damage in verify(files, index, lambda: None)}


def test_what_is_whole_is_found_whole(files: DiskFiles, index: Index, many: list[Instance]) -> None:
    steps, step = count_steps()
    assert list(verify(files, index, step)) == []
    assert len(steps) == len(many)


def test_all_that_is_damaged_is_found_and_nothing_else(
    tmp_path: Path, files: DiskFiles, index: Index, many: list[Instance]
) -> None:
    paths = [tmp_path / "objects" / instance.file for instance in many]
    flip(paths[1], many[1].dataset_offset)
    flip(paths[3], many[3].size - 1)
    flip(paths[4], (many[4].dataset_offset + many[4].size) // 2)
    paths[6].unlink()
    with paths[8].open("rb+") as file:
        file.truncate(many[8].size - 1)
    with paths[9].open("rb+") as file:
        file.truncate(0)
    with paths[10].open("ab") as file:
        file.write(b"\0")
    size = many[0].size
    assert damages(files, index) == {
        many[1].sop_instance_uid: "the content has changed",
        many[3].sop_instance_uid: "the content has changed",
        many[4].sop_instance_uid: "the content has changed",
        many[6].sop_instance_uid: "the file is gone",
        many[8].sop_instance_uid: f"the file has {size - 1} bytes instead of {size}",
        many[9].sop_instance_uid: f"the file has 0 bytes instead of {size}",
        many[10].sop_instance_uid: f"the file has {size + 1} bytes instead of {size}",
    }


@pytest.mark.parametrize("what", [b"DICM", b"1.2.840.10008.1.2.1"], ids=["prefix", "transfer syntax"])
def test_damage_to_the_head_of_a_file_is_found(
    tmp_path: Path, files: DiskFiles, index: Index, many: list[Instance], what: bytes
) -> None:
    path = tmp_path / "objects" / many[5].file
    flip(path, path.read_bytes().index(what) + len(what) - 1)
    assert damages(files, index).keys() == {many[5].sop_instance_uid}


def test_a_file_that_may_not_be_read_is_damage_too(
    tmp_path: Path, files: DiskFiles, index: Index, many: list[Instance]
) -> None:
    path = tmp_path / "objects" / many[2].file
    path.unlink()
    path.mkdir()
    assert damages(files, index).keys() == {many[2].sop_instance_uid}


# Making the index again


def answers(index: Index) -> dict[str, object]:
    """All that can be asked of an index, in the order that it answers; keys and versions are its own."""
    found: dict[str, object] = {}
    for level in Level:
        found[level.name] = [(one.patient_identity, one.attributes) for one in index.search(Query(level))]
    for case in CASES:
        conditions = {path: parse_condition(BY_KEYWORDS[path], list(key)) for path, key in case.keys.items()}
        criteria = tuple(Criterion(BY_KEYWORDS[path], one) for path, one in conditions.items() if one)
        found[str(case)] = [
            label_of(case.level, one.attributes) for one in index.search(Query(case.level, criteria))
        ]
    found["files"] = list(index.walk())
    return found


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Index]:
    url = sqlite_url(tmp_path / "another.sqlite")
    migrate(url)
    index = Index(url)
    yield index
    index.close()


def test_the_index_made_again_answers_as_the_first(
    archive: Archive, files: DiskFiles, index: Index, another: Index
) -> None:
    for dataset in data_sets():  # one by one: at once, their files may be named in another order
        archive.store(begin(archive, part10(dataset)))
    steps, step = count_steps()
    assert reindex(files, another, step) == []
    assert answers(another) == answers(index)
    assert len(steps) == index.count() == 13


def test_objects_of_every_kind_are_indexed_again_as_they_were(
    archive: Archive, files: DiskFiles, index: Index, another: Index
) -> None:
    for dataset in {dataset.SOPInstanceUID: dataset for dataset in map(made, RECIPES)}.values():
        store(archive, dataset)
    assert reindex(files, another, lambda: None) == []
    assert list(another.walk()) == list(index.walk())
    for level in Level:
        assert found(another, level) == found(index, level)


def found(index: Index, level: Level) -> list[Found]:
    """All that is found, but for when it changed last: a new index has it from the indexing."""
    return [one._replace(changed=0.0) for one in index.search(Query(level))]


def test_indexing_again_goes_in_groups(
    files: DiskFiles, another: Index, many: list[Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "GROUP", 5)
    assert reindex(files, another, lambda: None) == []
    assert list(another.walk()) == many


def test_what_cannot_be_indexed_again_is_told_with_its_reason(
    tmp_path: Path, files: DiskFiles, another: Index, many: list[Instance]
) -> None:
    path = tmp_path / "objects" / many[3].file
    path.write_bytes(path.read_bytes()[:-4])
    copy = files.create()
    copy.write((tmp_path / "objects" / many[5].file).read_bytes())
    copy.sync()
    left_out = dict(reindex(files, another, lambda: None))
    assert left_out.keys() == {many[3].file, copy.key}
    assert "follow" in left_out[many[3].file]
    assert another.count() == len(many) - 1


def test_what_was_set_aside_stays_aside(archive: Archive, files: DiskFiles, another: Index) -> None:
    store(archive, picture("a"))
    with pytest.raises(InstanceConflict):
        store(archive, picture("a", {0x00104000: ("LT", b"other")}))
    assert reindex(files, another, lambda: None) == []
    assert another.count() == 1


def test_a_file_that_is_hard_to_swallow_is_left_out_and_the_rest_indexed(
    tmp_path: Path, files: DiskFiles, another: Index, many: list[Instance]
) -> None:
    orphan(tmp_path, picture("odd", {0x00100010: ("LO", b"Rossi^Mario"), STUDY: ("UI", b"1.2.3")}))
    reindex(files, another, lambda: None)
    assert another.count() >= len(many)


# Orphans


def orphan(folder: Path, content: bytes, synced: bool = True) -> str:
    """A file that was written and never indexed: its process was killed, before or after it had synced it."""
    files = DiskFiles(folder)
    new = files.create()
    new.write(content)
    if synced:
        new.sync()
    else:
        new.complete()
        new._drain()
    files.close()
    return new.key


def adopt(files: DiskFiles, index: Index) -> tuple[int, int]:
    return adopt_orphans(files, index)


def test_whole_orphans_are_adopted_and_partial_ones_removed(
    tmp_path: Path, files: DiskFiles, index: Index, many: list[Instance]
) -> None:
    whole = [orphan(tmp_path, picture(name)) for name in ("x", "y")]
    content = picture("z")
    for length in (0, 100, 132, 300, len(content) // 2, len(content) - 1):
        orphan(tmp_path, content[:length])
    orphan(tmp_path, content, synced=False)  # nobody knows that this is all of it
    assert adopt(files, index) == (2, 7)
    assert list(files.walk()) == [*(instance.file for instance in many), *whole]
    assert [instance.file for instance in index.walk()] == list(files.walk())
    assert adopt(files, index) == (0, 0)


@pytest.mark.parametrize("name", RECIPES)
def test_an_adopted_orphan_is_served_as_if_it_had_been_stored(
    tmp_path: Path, archive: Archive, files: DiskFiles, index: Index, name: str
) -> None:
    orphan(tmp_path, part10(made(name)))
    assert adopt(files, index) == (1, 0)
    (instance,) = index.walk()
    assert archive.metadata(instance)["00080018"]["Value"] == [instance.sop_instance_uid]
    assert instance.pixels is None or archive.read_frame(instance, 1)
    assert damages(files, index) == {}
    (change,) = index.tasks.changes(0, 10)
    assert change.sop_instance_uid == instance.sop_instance_uid


def test_an_orphan_of_what_is_stored_already_goes(
    tmp_path: Path, files: DiskFiles, index: Index, many: list[Instance]
) -> None:
    orphan(tmp_path, picture("3"))
    assert adopt(files, index) == (0, 1)
    assert list(files.walk()) == [instance.file for instance in many]
    assert damages(files, index) == {}


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    "changes",
    [{0x00104000: ("LT", b"other")}, {PATIENT_ID: ("LO", b"ANOTHER"), 0x00080018: ("UI", b"1.2.3")}],
    ids=["other content", "other patient"],
)
def test_an_orphan_in_conflict_is_set_aside(
    tmp_path: Path, files: DiskFiles, index: Index, changes: Changes
) -> None:
    key = orphan(tmp_path, picture("3", changes))
    assert adopt(files, index) == (0, 1)
    assert files_below(tmp_path / "quarantine") == [key.rpartition("/")[2]]
    assert [instance.file for instance in index.walk()] == list(files.walk())


def test_files_of_writers_that_live_are_left_alone(tmp_path: Path, files: DiskFiles, index: Index) -> None:
    living = DiskFiles(tmp_path)
    being_received, received = living.create(), living.create()
    being_received.write(picture("x")[:200])
    being_received.complete()
    received.write(picture("y"))
    received.sync()
    assert adopt(files, index) == (0, 0)
    assert list(files.walk()) == [being_received.key, received.key]
    living.close()
    assert adopt(files, index) == (1, 1)
    assert list(files.walk()) == [received.key]


def test_an_orphan_whose_head_disagrees_is_known_by_its_data_set(
    tmp_path: Path, files: DiskFiles, index: Index
) -> None:
    orphan(tmp_path, picture("x", sop_instance_uid="1.2.3.4"))
    assert adopt(files, index) == (1, 0)
    (instance,) = index.walk()
    assert instance.sop_instance_uid == read_record(files, instance.file).header.sop_instance_uid != "1.2.3.4"


@pytest.mark.parametrize(
    ("cut", "whole"),
    [
        (picture("x", {PIXEL_DATA: None}), picture("x")),
        (picture("x"), picture("x", behind=element(0x7FE11001, "OB", bytes(5000)))),
    ],
    ids=["before the pixels", "behind the pixels"],
)
def test_an_orphan_cut_between_two_elements_does_not_keep_the_whole_object_out(
    tmp_path: Path, archive: Archive, files: DiskFiles, index: Index, cut: bytes, whole: bytes
) -> None:
    orphan(tmp_path, cut, synced=False)
    assert adopt(files, index) == (0, 1)
    instance = stored(archive, whole)  # the sender was not answered, and sends it again
    assert files.open(instance.file).size == instance.size


@pytest.mark.parametrize(
    "changes",
    [
        {STUDY: None},
        {SERIES: ("UI", b"no uid")},
        {0x00080005: ("US", b"\x64\x00"), 0x00100010: ("PN", b"\xe9")},
        {0x00100010: ("LO", b"Rossi^Mario")},
    ],
    ids=["no study", "no uid", "no character set", "no name"],
)
def test_an_orphan_that_would_have_been_refused_does_not_end_the_adoption(
    tmp_path: Path, files: DiskFiles, index: Index, changes: Changes
) -> None:
    orphan(tmp_path, picture("odd", changes))
    good = orphan(tmp_path, picture("good"))
    adopt(files, index)
    assert good in [instance.file for instance in index.walk()]


def test_a_strangers_file_is_left_alone(tmp_path: Path, files: DiskFiles, index: Index) -> None:
    path = tmp_path / "objects" / orphan(tmp_path, b"notes of the administrator")
    notes = path.rename(path.with_name("notes.txt"))
    assert adopt(files, index) == (0, 0)
    assert notes.exists()


def test_orphans_are_looked_for_from_a_day_before_the_newest_file(
    tmp_path: Path, files: DiskFiles, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour = 3_600_000_000_000
    now = [1_800_000 * hour // 4]
    monkeypatch.setattr(time, "time_ns", lambda: now[0])
    long_ago = orphan(tmp_path, picture("long ago"))
    now[0] += 100 * hour
    yesterday = orphan(tmp_path, picture("yesterday"))
    now[0] += 23 * hour
    newest = orphan(tmp_path, picture("newest"))
    index.writer.write([read_record(files, newest)])
    now[0] += 100 * hour
    after = orphan(tmp_path, picture("after"))
    assert adopt_orphans(files, index) == (2, 0)
    assert {instance.file for instance in index.walk()} == {yesterday, newest, after}
    assert long_ago in list(files.walk())


# Reading what a file is


@pytest.mark.parametrize("name", RECIPES)
def test_a_record_is_read_from_the_file_alone(archive: Archive, files: DiskFiles, name: str) -> None:
    instance = stored(archive, made(name))
    assert read_record(files, instance.file).instance == instance


@pytest.mark.parametrize("content", [b"", picture("a")[:100], picture("a")[:200], b"no DICOM" * 100])
def test_a_file_that_is_no_object_is_malformed(tmp_path: Path, files: DiskFiles, content: bytes) -> None:
    with pytest.raises(MalformedObject):
        read_record(files, orphan(tmp_path, content))
