"""The rows of what belongs to no patient, on every database: verdicts and searching."""

import pytest
from pydicom import Dataset

from pacs.files import DiskFiles
from pacs.index import Index, Record, Verdict
from pacs.keys import parse_criteria
from pacs.non_patient import CATEGORIES, CATEGORY_OF
from pacs.query import Semantics
from pacs.upkeep import read_record
from testdata.files import part10
from testdata.non_patient import RECIPES, hanging_protocol
from tests.pacs.objects import picture, renamed

CREATED, IDENTICAL, CONFLICT = Verdict.CREATED, Verdict.IDENTICAL, Verdict.CONFLICT


def record(files: DiskFiles, content: bytes | Dataset) -> Record:
    new = files.create()
    new.write(part10(content) if isinstance(content, Dataset) else content)
    new.sync()
    return read_record(files, new.key)


def test_one_uid_is_one_instance_in_all_tables(index: Index, files: DiskFiles) -> None:
    image = record(files, picture("a"))
    protocol = record(files, hanging_protocol())
    uid = protocol.instance.sop_instance_uid
    taken = record(files, picture("b", {0x00080018: ("UI", uid.encode())}))
    again = record(files, hanging_protocol())
    assert index.writer.write([image, protocol, taken, again, protocol]) == [
        *(CREATED, CREATED, CONFLICT),
        *(IDENTICAL, CREATED),
    ]
    reverse = renamed(hanging_protocol(), image.instance.sop_instance_uid)
    assert index.writer.write([record(files, reverse)]) == [CONFLICT]
    assert list(index.walk()) == [image.instance, protocol.instance]
    assert index.known_files([one.instance.file for one in (image, protocol, taken)]) == {
        image.instance.file,
        protocol.instance.file,
    }
    assert index.instances_by_uid([uid, image.instance.sop_instance_uid]) == {
        uid: protocol.instance,
        image.instance.sop_instance_uid: image.instance,
    }
    kept = index.writer.kept(uid)
    assert kept is not None
    assert (kept.file, kept.size) == (protocol.instance.file, protocol.instance.size)
    assert (kept.dataset_offset, kept.digest) == (protocol.instance.dataset_offset, protocol.instance.digest)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, ["Uno", "Due"]),
        ({"HangingProtocolName": "d*"}, ["Due"]),
        ({"NumberOfPriorsReferenced": "1", "HangingProtocolLevel": "SITE"}, ["Uno", "Due"]),
        ({"NumberOfPriorsReferenced": "2"}, []),
        ({"HangingProtocolDefinitionSequence.Modality": "MR"}, ["Due"]),
        ({"HangingProtocolDefinitionSequence.AnatomicRegionSequence.CodeValue": "51185008"}, ["Uno", "Due"]),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.39.1"}, []),
    ],
)
def test_keys_match(index: Index, files: DiskFiles, keys: dict[str, str], expected: list[str]) -> None:
    protocols = [hanging_protocol("Uno"), hanging_protocol("Due", "MR")]
    others = [recipe() for name, recipe in RECIPES.items() if name != "hanging-protocols"]
    assert set(index.writer.write([record(files, one) for one in (*protocols, *others)])) == {CREATED}
    category = CATEGORY_OF[protocols[0].SOPClassUID]
    named = {".".join(key.path): key for key in category.keys.values()}
    criteria = parse_criteria({named[path]: [value] for path, value in keys.items()})
    found = list(index.non_patient.search(category.sop_classes, criteria, 9, 0))
    assert [one["00720002"]["Value"][0] for one in found] == expected
    assert list(index.non_patient.search(category.sop_classes, criteria, 1, 1)) == found[1:2]


def test_every_key_of_every_category_can_be_asked(index: Index) -> None:
    """On every database: a number or a time is compared with text."""
    examples = {"UI": "1.2.3", "DA": "20260101-20261231", "TM": "08-", "DT": "2026-", "US": "1"}
    for category in CATEGORIES:
        asked = {key: [examples.get(key.vr, "A*")] for key in category.keys.values()}
        for key, value in asked.items():
            criteria = parse_criteria({key: value})
            assert list(index.non_patient.search(category.sop_classes, criteria, 9, 0)) == []


@pytest.mark.parametrize(
    ("dates", "times", "is_found"),
    [
        ("20261010-20261014", "100000-110000", True),
        ("20261012-20261014", "091500-091600", True),
        ("20261012-20261014", "091501-", False),
        ("20261010-20261012", "-091459", False),
        ("20261012", "10-11", False),
    ],
)
def test_ranges_of_dates_and_times_are_one_of_moments(
    index: Index, files: DiskFiles, dates: str, times: str, is_found: bool
) -> None:
    """PS3.4 Table HH.6-1, and C.2.2.2.5."""
    dataset = RECIPES["inventories"]()
    index.writer.write([record(files, dataset)])
    category = CATEGORY_OF[dataset.SOPClassUID]
    named = {key.keyword: key for key in category.keys.values()}
    keys = {named["ContentDate"]: [dates], named["ContentTime"]: [times]}
    criteria = parse_criteria(keys, Semantics(combined_datetime=True))
    found = list(index.non_patient.search(category.sop_classes, criteria, 9, 0))
    assert bool(found) is is_found
