"""Putting an object into the place of another of its UID, on each of the databases."""

from dicomweb.search_parameters import parse_search
from pacs.files import DiskFiles
from pacs.index import Index, Record, Removal, Replacement, Verdict
from pacs.model import Action, Level
from tests.pacs.index.test_write import found, record, values
from tests.pacs.objects import Changes

BY = Removal("replaced", "MODALITY")
DESCRIPTION, REFERRER, SERIES_NUMBER = 0x00081030, 0x00080090, 0x00200011


def test_one_row_is_the_other_from_then_on(index: Index, files: DiskFiles) -> None:
    said: Changes = {
        DESCRIPTION: ("LO", b"Torace"),
        REFERRER: ("PN", b"Neri^Anna"),
        SERIES_NUMBER: ("IS", b"7"),
    }
    first, other, second = record(files, "a"), record(files, "b"), record(files, "a", said)
    assert index.writer.write([first, other]) == [Verdict.CREATED] * 2
    before = index.deletions.last
    assert index.replacer.is_rival(second)
    assert index.replacer.replace(second, BY) == Replacement(Verdict.CREATED, first.instance.file)
    assert index.deletions.last != before
    assert {one.file for one in index.walk()} == {other.instance.file, second.instance.file}
    (study,), (series,) = found(index, Level.STUDY), found(index, Level.SERIES)
    assert (study["00081030"]["Value"], study["00201208"]["Value"]) == (["Torace"], [2])
    assert series["00200011"]["Value"] == [7]
    (noted,) = index.remover.recycled()
    assert (noted.file, noted.reason, noted.requester) == (first.instance.file, *BY)
    told = [(one.action, one.sop_instance_uid) for one in index.tasks.changes(2, 9)]
    uid = first.instance.sop_instance_uid
    assert told == [(Action.DELETED, uid), (Action.CREATED, uid)]
    ((_, version),) = index.series_versions(first.instance.study_instance_uid)
    assert version == 4


def test_a_study_is_in_the_zone_that_it_says_since_then(index: Index, files: DiskFiles) -> None:
    def at_half_past_midnight(offset: bytes) -> Record:
        began: Changes = {0x00080020: ("DA", b"20240101"), 0x00080030: ("TM", b"003000")}
        return record(files, "a", {**began, 0x00080201: ("SH", offset)})

    index.writer.write([at_half_past_midnight(b"+0100")])
    index.replacer.replace(at_half_past_midnight(b"-0500"), BY)
    counts = []
    for day in ("20231231", "20240101"):
        asked = [("StudyDate", day), ("TimezoneOffsetFromUTC", "+0000")]
        counts.append(index.count_answers(parse_search(Level.STUDY, asked).query))
    assert counts == [0, 1]


def test_what_is_written_after_it_joins_the_same_series(index: Index, files: DiskFiles) -> None:
    first, second, third = (
        record(files, "a"),
        record(files, "a", {DESCRIPTION: ("LO", b"x")}),
        record(files, "c"),
    )
    index.writer.write([first])
    index.replacer.replace(second, BY)
    assert index.writer.write([third]) == [Verdict.CREATED]
    assert values(found(index, Level.SERIES), "00201209") == [[2]]


def test_what_was_removed_leaves_the_book_when_it_is_put_back(index: Index, files: DiskFiles) -> None:
    first, second = record(files, "a"), record(files, "a", {DESCRIPTION: ("LO", b"Torace")})
    index.writer.write([first])
    index.replacer.replace(second, BY)
    restored = index.replacer.replace(first, BY, is_restored=True)
    assert restored == Replacement(Verdict.CREATED, second.instance.file)
    assert [one.file for one in index.remover.recycled()] == [second.instance.file]
    assert [one.file for one in index.walk()] == [first.instance.file]


def test_nothing_is_replaced_by_what_is_no_rival_or_of_another_file(index: Index, files: DiskFiles) -> None:
    first = record(files, "a")
    others = [
        record(files, "a", {0x00100020: ("LO", b"ELSE")}),
        record(files, "a", {0x0020000D: ("UI", b"2.999.44.1")}),
        record(files, "new"),
    ]
    index.writer.write([first])
    for other in others:
        assert not index.replacer.is_rival(other)
        assert index.replacer.replace(other, BY) == Replacement(Verdict.CONFLICT)
    rival = record(files, "a", {DESCRIPTION: ("LO", b"Torace")})
    assert index.replacer.replace(rival, BY, of="another.dcm") == Replacement(Verdict.CONFLICT)
    same = record(files, "a")
    assert index.replacer.replace(same, BY) == Replacement(Verdict.IDENTICAL)
    assert [one.file for one in index.walk()] == [first.instance.file]
    assert index.remover.recycled() == []
