"""Objects that belong to no patient: kept as images are, and never among them (PS3.4 GG)."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from pydicom import Dataset

from diafana.importing import Importer, Journal, find_items
from pacs.archive import Archive
from pacs.commitment import Commitment, FailureReason, Wanted
from pacs.dataset.header import HeaderReader, read_header
from pacs.dataset.transfer_syntax import EXPLICIT_LITTLE_ENDIAN
from pacs.errors import InstanceConflict, MismatchedObject, NotFound
from pacs.files import DiskFiles
from pacs.incoming import in_category, in_study
from pacs.index import Index, migrate, sqlite_url
from pacs.keys import parse_criteria
from pacs.model import Instance, Level, Outcome
from pacs.non_patient import CATEGORIES, CATEGORY_OF, MOST_VALUES
from pacs.query import Query
from pacs.upkeep import adopt_orphans, damage, reindex, verify
from testdata.files import part10
from testdata.non_patient import RECIPES, color_palette, hanging_protocol, inventory
from tests.pacs.files.test_disk import files_below
from tests.pacs.objects import Changes, begin, data_set, picture, renamed, store
from tests.pacs.test_upkeep import flip, orphan

BY_NAME = {category.npi_name: category for category in CATEGORIES}
HANGING_PROTOCOLS = BY_NAME["hanging-protocols"]
HANGING_PROTOCOL = "1.2.840.10008.5.1.4.38.1"
SOP_CLASS, SOP_INSTANCE = 0x00080016, 0x00080018

# The little picture, said to be a hanging protocol
IN_DISGUISE: Changes = {SOP_CLASS: ("UI", HANGING_PROTOCOL.encode())}


def kept(archive: Archive, dataset: Dataset) -> Instance:
    return archive.non_patient_instance(CATEGORY_OF[dataset.SOPClassUID], dataset.SOPInstanceUID)


def labels(archive: Archive, npi_name: str, **keys: str) -> list[str]:
    """The SOP Instance UIDs of what is found.  keys: parts of paths are joined by two underscores."""
    category = BY_NAME[npi_name]
    named = {".".join(key.path): key for key in category.keys.values()}
    criteria = parse_criteria({named[path.replace("__", ".")]: [value] for path, value in keys.items()})
    found = archive.search_non_patient(category, criteria, 100, 0)
    return [attributes["00080018"]["Value"][0] for attributes in found]


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Index]:
    url = sqlite_url(tmp_path / "another.sqlite")
    migrate(url)
    index = Index(url)
    yield index
    index.close()


@pytest.mark.parametrize("npi_name", RECIPES)
def test_each_category_is_kept_and_found_and_no_image(archive: Archive, index: Index, npi_name: str) -> None:
    dataset = RECIPES[npi_name]()
    answer = store(archive, dataset)
    assert (answer.outcome, answer.study_instance_uid, answer.series_instance_uid) == (Outcome.STORED, "", "")
    assert labels(archive, npi_name) == [dataset.SOPInstanceUID]
    assert Dataset.from_json(archive.data_set_json(kept(archive, dataset))) == dataset
    assert list(index.search(Query(Level.PATIENT))) == list(index.search(Query(Level.INSTANCE))) == []
    assert index.tasks.changes(0, 10) == []
    assert (index.count(), index.newest_file()) == (1, kept(archive, dataset).file)


def test_the_bytes_are_kept_as_they_came(archive: Archive, files: DiskFiles) -> None:
    sent = part10(color_palette())
    store(archive, sent)
    instance = kept(archive, color_palette())
    with files.open(instance.file) as file:
        assert sent.endswith(file.read(instance.dataset_offset, file.size))


def test_the_same_again_is_kept_once(archive: Archive, index: Index, tmp_path: Path) -> None:
    store(archive, hanging_protocol())
    assert store(archive, hanging_protocol()).outcome is Outcome.ALREADY_STORED
    assert (index.count(), len(files_below(tmp_path / "objects"))) == (1, 1)


def test_other_content_is_set_aside(archive: Archive, tmp_path: Path) -> None:
    store(archive, hanging_protocol())
    changed = hanging_protocol()
    changed.HangingProtocolDescription = "altra"
    with pytest.raises(InstanceConflict):
        store(archive, changed)
    assert len(files_below(tmp_path / "quarantine")) == 1
    assert archive.data_set_json(kept(archive, changed))["00720004"]["Value"] != ["altra"]


def test_the_uid_of_an_image_is_taken_and_the_reverse(archive: Archive, tmp_path: Path) -> None:
    image = store(archive, picture("a"))
    with pytest.raises(InstanceConflict):
        store(archive, renamed(hanging_protocol(), image.sop_instance_uid))
    other = hanging_protocol("Altro")
    store(archive, other)
    taken = {SOP_INSTANCE: ("UI", other.SOPInstanceUID.encode())}
    other_series = {0x0020000E: ("UI", b"1.2.9")}
    for changes in (taken, taken | other_series):  # in a series that the writer remembers, and in a new one
        with pytest.raises(InstanceConflict):
            store(archive, picture("b", changes))
    assert len(files_below(tmp_path / "quarantine")) == 3
    assert archive.series_of(image.study_instance_uid) == [(image.series_instance_uid, 1)]
    assert labels(archive, "hanging-protocols") == [other.SOPInstanceUID]


def test_a_lost_file_is_replaced_by_what_comes_again(
    archive: Archive, files: DiskFiles, index: Index, tmp_path: Path
) -> None:
    store(archive, inventory())
    lost = kept(archive, inventory()).file
    (tmp_path / "objects" / lost).unlink()
    assert store(archive, inventory()).outcome is Outcome.STORED
    instance = kept(archive, inventory())
    assert instance.file != lost
    assert damage(files, instance) == ""
    assert index.tasks.changes(0, 10) == []
    assert labels(archive, "inventories", InventoryPurpose="migrazione") == [instance.sop_instance_uid]


def test_the_index_is_made_again(archive: Archive, files: DiskFiles, index: Index, another: Index) -> None:
    store(archive, picture("a"))
    for recipe in RECIPES.values():
        store(archive, recipe())
    assert reindex(files, another, lambda: None) == []
    assert list(another.walk()) == list(index.walk())
    assert another.count() == 1 + len(RECIPES)
    for category in CATEGORIES:
        criteria = parse_criteria({category.keys[SOP_CLASS,]: list(category.sop_classes)})
        answers = [
            list(one.non_patient.search(category.sop_classes, criteria, 9, 0)) for one in (index, another)
        ]
        assert answers[0] == answers[1] != []


def test_damage_is_found(archive: Archive, files: DiskFiles, index: Index, tmp_path: Path) -> None:
    store(archive, picture("a"))
    for recipe in RECIPES.values():
        store(archive, recipe())
    steps: list[int] = []
    assert list(verify(files, index, lambda: steps.append(1))) == []
    assert len(steps) == 1 + len(RECIPES)
    instance = kept(archive, color_palette())
    flip(tmp_path / "objects" / instance.file, instance.size - 1)
    (found,) = verify(files, index, lambda: None)
    assert (found.instance, found.what) == (instance, "the content has changed")


def test_orphans_are_adopted_or_go(tmp_path: Path, archive: Archive, files: DiskFiles, index: Index) -> None:
    orphan(tmp_path, part10(hanging_protocol()))
    assert adopt_orphans(files, index) == (1, 0)
    assert adopt_orphans(files, index) == (0, 0)
    assert labels(archive, "hanging-protocols") == [hanging_protocol().SOPInstanceUID]
    orphan(tmp_path, part10(hanging_protocol()))
    assert adopt_orphans(files, index) == (0, 1)
    image = store(archive, picture("a"))
    orphan(tmp_path, part10(renamed(hanging_protocol("Altro"), image.sop_instance_uid)))
    assert adopt_orphans(files, index) == (0, 1)
    assert len(files_below(tmp_path / "quarantine")) == 1


def test_what_is_there_can_be_committed(archive: Archive, files: DiskFiles, index: Index) -> None:
    store(archive, hanging_protocol())
    one = hanging_protocol()
    wanted = [
        Wanted(one.SOPClassUID, one.SOPInstanceUID),
        Wanted(one.SOPClassUID, one.SOPInstanceUID, "1.2.3"),
    ]
    assert Commitment(files, index).check(wanted) == [None, FailureReason.NO_SUCH_OBJECT_INSTANCE]


def test_it_is_imported(archive: Archive, tmp_path: Path) -> None:
    file = tmp_path / "protocol.dcm"
    file.write_bytes(part10(hanging_protocol()))
    importer = Importer(archive, Journal(tmp_path / "journals", [file]))
    for item in find_items([file]):
        importer.take(item)
    importer.settle()
    importer._journal.forget()
    assert importer.summary.counts["stored"] == 1
    assert labels(archive, "hanging-protocols") == [hanging_protocol().SOPInstanceUID]


def test_another_category_than_announced_is_refused(archive: Archive, tmp_path: Path) -> None:
    data = part10(color_palette())
    for check, tag in (
        (in_category(HANGING_PROTOCOLS, None), SOP_CLASS),
        (in_category(BY_NAME["color-palettes"], "1.2.3"), SOP_INSTANCE),
        (in_study("1.2.3"), 0x0020000D),
    ):
        with pytest.raises(MismatchedObject) as refused:
            archive.store(begin(archive, data), check)
        assert refused.value.tag == tag
    assert files_below(tmp_path / "objects") == []
    with pytest.raises(NotFound):
        kept(archive, color_palette())


def test_it_is_not_found_in_another_category(archive: Archive) -> None:
    store(archive, color_palette())
    with pytest.raises(NotFound, match="hanging-protocols"):
        archive.non_patient_instance(HANGING_PROTOCOLS, color_palette().SOPInstanceUID)


def test_a_flood_of_values_is_kept_and_found_by_the_first(archive: Archive) -> None:
    dataset = hanging_protocol()
    definition = dataset.HangingProtocolDefinitionSequence[0]
    flood = [deepcopy(definition) for _ in range(MOST_VALUES)]
    flood[-1].Modality = "MR"
    dataset.HangingProtocolDefinitionSequence = flood
    store(archive, dataset)
    assert Dataset.from_json(archive.data_set_json(kept(archive, dataset))) == dataset
    modality = "HangingProtocolDefinitionSequence__Modality"
    assert labels(archive, "hanging-protocols", **{modality: "CT"}) == [dataset.SOPInstanceUID]
    assert labels(archive, "hanging-protocols", **{modality: "MR"}) == []


# Reading


def test_the_class_decides_whatever_else_the_object_says(archive: Archive, index: Index) -> None:
    answer = store(archive, picture("a", IN_DISGUISE))
    assert (answer.study_instance_uid, answer.series_instance_uid) == ("", "")
    (instance,) = index.walk()
    assert instance.pixels is None
    written = archive.data_set_json(instance)
    assert written["7FE00010"]["InlineBinary"]
    assert written["00100010"]["vr"] == "PN"


def test_what_looks_like_the_object_before_is_read_for_itself() -> None:
    """Of images that are alike only what differs is read (`pacs.dataset.alike`)."""
    reader = HeaderReader()

    def read(content: bytes) -> dict[str, object]:
        header = reader.read(content, EXPLICIT_LITTLE_ENDIAN, 0, len(content))
        anew = read_header(content, EXPLICIT_LITTLE_ENDIAN)
        assert header.level(Level.INSTANCE) == anew.level(Level.INSTANCE)
        assert (header.study_instance_uid, header.pixels) == (anew.study_instance_uid, anew.pixels)
        return header.level(Level.INSTANCE)

    contents = [data_set(name) for name in "abc"]
    contents += [data_set(name, IN_DISGUISE) for name in "defg"]
    contents += [data_set(name) for name in "hij"]
    assert [read(content)["00080016"] for content in contents].count(
        {"vr": "UI", "Value": [HANGING_PROTOCOL]}
    ) == 4
    names = []
    for name in ("Uno", "Due", "Tre", "Sei"):
        whole = part10(hanging_protocol(name))
        names.append(read(whole[whole.index(b"\x08\x00\x05\x00CS") :])["00720002"])
    assert [one["Value"] for one in names] == [["Uno"], ["Due"], ["Tre"], ["Sei"]]  # type: ignore[index]


# The tables


def test_every_key_is_in_the_dictionary_and_follows_its_sequence() -> None:
    for category in CATEGORIES:
        paths = [row.path for row in category.rows]
        assert len(set(paths)) == len(paths)
        for row in category.rows:
            assert row.tags and row.vr
            above = row.path[:-1]
            assert not above or above in paths[: paths.index(row.path)]
    assert len(CATEGORY_OF) == 8
