"""The one door: what it finds, in which order, and what it remembers."""

import gzip
from pathlib import Path

import orjson
import pytest

from pacs.archive import Archive
from pacs.errors import NotFound
from pacs.model import Instance, Level
from pacs.query import Query
from tests.pacs.objects import Changes, picture, store, stored

STUDY, SERIES, MODALITY, SERIES_NUMBER, NUMBER = 0x0020000D, 0x0020000E, 0x00080060, 0x00200011, 0x00200013


def numbered(series: int | None, number: int | None) -> Changes:
    return {
        SERIES: ("UI", b"1.2.3.%d" % (series or 0)),
        SERIES_NUMBER: None if series is None else ("IS", b"%d" % series),
        NUMBER: None if number is None else ("IS", b"%d" % number),
    }


def test_instances_come_by_the_numbers_of_series_and_instance(archive: Archive) -> None:
    places = [(10, 1), (2, 10), (2, 9), (None, 3), (2, None), (10, -1)]
    by_place = {
        place: stored(archive, picture(str(place), numbered(*place))).sop_instance_uid for place in places
    }
    found = archive.instances(stored(archive, picture("last", numbered(99, 1))).study_instance_uid)
    expected = [(None, 3), (2, None), (2, 9), (2, 10), (10, -1), (10, 1)]
    assert [instance.sop_instance_uid for instance in found[:-1]] == [by_place[place] for place in expected]


def test_instances_are_found_below_a_study_a_series_or_by_themselves(archive: Archive) -> None:
    one, two = (stored(archive, picture(name, numbered(number, 1))) for name, number in (("a", 1), ("b", 2)))
    study = one.study_instance_uid
    assert archive.instances(study) == [one, two]
    assert archive.instances(study, "1.2.3.2") == [two]
    assert archive.instances(study, "1.2.3.1", one.sop_instance_uid) == [one]
    assert archive.instance(study, "1.2.3.1", one.sop_instance_uid) == one


@pytest.mark.parametrize("wrong", range(3))
def test_what_is_not_there_is_not_found(archive: Archive, wrong: int) -> None:
    instance = stored(archive, picture("a"))
    right = [instance.study_instance_uid, instance.series_instance_uid, instance.sop_instance_uid]
    uids = [uid if place != wrong else "9.9.9" for place, uid in enumerate(right)]
    with pytest.raises(NotFound):
        archive.instance(*uids)
    with pytest.raises(NotFound):
        archive.instances(*uids)
    assert archive.instance(*right) == instance


def test_what_was_not_found_is_found_once_it_is_stored(archive: Archive) -> None:
    first = stored(archive, picture("a"))
    with pytest.raises(NotFound):
        archive.instance(first.study_instance_uid, "9.9", "9.9")
    late: Changes = {SERIES: ("UI", b"9.9"), 0x00080018: ("UI", b"9.9")}
    store(archive, picture("late", late, sop_instance_uid="9.9"))
    assert archive.instance(first.study_instance_uid, "9.9", "9.9").file != first.file


def test_an_instance_is_known_by_its_place_and_not_by_its_uid_alone(archive: Archive) -> None:
    instance = stored(archive, picture("a"))
    store(archive, picture("b", {STUDY: ("UI", b"1.2.3")}))
    with pytest.raises(NotFound):
        archive.instance("1.2.3", instance.series_instance_uid, instance.sop_instance_uid)


def test_a_file_is_opened_for_reading_anywhere(archive: Archive) -> None:
    instance = stored(archive, picture("a"))
    with archive.open(instance) as file:
        assert file.size == instance.size
        assert file.read(128, 4) == b"DICM"
        assert b"".join(file.chunks(0, file.size)) == file.read(0, file.size)


def test_pieces_of_a_frame_are_where_the_frame_is(archive: Archive) -> None:
    instance = stored(archive, picture("a"))
    pieces = archive.frame_pieces(instance, 1)
    assert pieces is not None
    with archive.open(instance) as file:
        assert b"".join(file.read(*piece) for piece in pieces) == archive.read_frame(instance, 1)


def series_json(archive: Archive, instance: Instance) -> list[object]:
    packed = archive.series_metadata(instance.study_instance_uid, instance.series_instance_uid)
    assert packed[4:8] == bytes(4), "it would be other bytes a second later (RFC 1952 2.3.1)"
    found: list[object] = orjson.loads(gzip.decompress(packed))
    return found


def test_the_metadata_of_a_series_are_those_of_its_instances(archive: Archive) -> None:
    instances = [stored(archive, picture(str(number), numbered(1, number))) for number in (3, 1, 2)]
    in_order = [instances[1], instances[2], instances[0]]
    assert series_json(archive, instances[0]) == [archive.metadata(instance) for instance in in_order]


def test_the_metadata_of_a_series_are_kept_until_it_changes(archive: Archive, tmp_path: Path) -> None:
    one = stored(archive, picture("a"))
    archive.keep_series_metadata(one.study_instance_uid, one.series_instance_uid)
    hidden = (tmp_path / "objects" / one.file).rename(tmp_path / "hidden")
    assert len(series_json(archive, one)) == 1  # read without the file
    hidden.rename(tmp_path / "objects" / one.file)
    store(archive, picture("b"))
    assert len(series_json(archive, one)) == 2


def test_the_metadata_of_a_series_that_is_not_there_are_not_found(archive: Archive) -> None:
    instance = stored(archive, picture("a"))
    for uids in ((instance.study_instance_uid, "9.9.9"), ("9.9.9", instance.series_instance_uid)):
        archive.keep_series_metadata(*uids)  # which forgets those of what was deleted
        with pytest.raises(NotFound):
            archive.series_metadata(*uids)


def test_series_come_by_number_with_a_version_that_grows(archive: Archive) -> None:
    for series in (10, 9, None):
        study = stored(archive, picture(str(series), numbered(series, 1))).study_instance_uid
    before = archive.series_of(study)
    assert [uid for uid, _ in before] == ["1.2.3.0", "1.2.3.9", "1.2.3.10"]
    store(archive, picture("more", numbered(9, 2)))
    after = archive.series_of(study)
    assert [new > old for (_, old), (_, new) in zip(before, after, strict=True)] == [False, True, False]
    assert archive.series_of(study, "1.2.3.9") == [after[1]]
    with pytest.raises(NotFound):
        archive.series_of("9.9.9")


def test_what_is_stored_is_found_at_once(archive: Archive) -> None:
    for number in range(3):
        store(archive, picture(str(number)))
        (study,) = archive.search(Query(Level.STUDY))
        assert study.attributes["00201208"]["Value"] == [number + 1]
