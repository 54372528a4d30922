"""What is made from stored objects: never stale, never half."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pacs.files.derived import DerivedFiles
from tests.pacs.files.test_disk import files_below, small_disk

SERIES = "1.2.3/1.2.3.4"


@pytest.fixture
def derived(tmp_path: Path) -> DerivedFiles:
    return DerivedFiles(tmp_path / "derived")


def test_what_was_never_made_is_to_be_made(derived: DerivedFiles) -> None:
    assert derived.read("metadata", SERIES, 1) is None


def test_what_was_made_is_read(derived: DerivedFiles) -> None:
    derived.write("metadata", SERIES, 1, b"made of the first version")
    assert derived.read("metadata", SERIES, 1) == b"made of the first version"


def test_kinds_subjects_and_versions_are_told_apart(derived: DerivedFiles) -> None:
    derived.write("metadata", SERIES, 1, b"made")
    assert derived.read("thumbnail", SERIES, 1) is None
    assert derived.read("metadata", "1.2.3/1.2.3.5", 1) is None
    assert derived.read("metadata", SERIES, 2) is None
    assert derived.read("metadata", SERIES, 11) is None


def test_only_the_version_made_last_is_kept(tmp_path: Path, derived: DerivedFiles) -> None:
    for version in (1, 2, 12):
        derived.write("metadata", SERIES, version, b"version %d" % version)
    derived.write("metadata", "another", 1, b"of another")
    assert [derived.read("metadata", SERIES, version) for version in (1, 2, 12)] == [
        None,
        None,
        b"version 12",
    ]
    assert derived.read("metadata", "another", 1) == b"of another"
    assert len(files_below(tmp_path)) == 2


def test_the_same_version_may_be_made_again(tmp_path: Path, derived: DerivedFiles) -> None:
    derived.write("metadata", SERIES, 1, b"once")
    derived.write("metadata", SERIES, 1, b"twice")
    assert derived.read("metadata", SERIES, 1) == b"twice"
    assert len(files_below(tmp_path)) == 1


@pytest.mark.parametrize("subject", ["../../../etc/passwd", "/etc/passwd", "a" * 5000, "", "\0", "è"])
def test_a_subject_never_enters_the_path(tmp_path: Path, derived: DerivedFiles, subject: str) -> None:
    derived.write("metadata", subject, 1, b"made")
    assert derived.read("metadata", subject, 1) == b"made"
    (name,) = files_below(tmp_path)
    assert name.startswith("derived/metadata/")


def test_a_reader_sees_the_whole_of_one_making_or_the_other(derived: DerivedFiles) -> None:
    makings = [bytes([number]) * 50_000 for number in range(4)]
    derived.write("metadata", SERIES, 1, makings[0])
    with ThreadPoolExecutor(4) as threads:
        writers = [threads.submit(derived.write, "metadata", SERIES, 1, makings[n % 4]) for n in range(24)]
        seen = [derived.read("metadata", SERIES, 1) for _ in range(200)]
        for writer in writers:
            writer.result()
    assert set(seen) <= set(makings)


def test_what_could_not_be_finished_leaves_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as folder:
        derived = DerivedFiles(folder)
        with pytest.raises(OSError, match="No space left"):
            derived.write("metadata", SERIES, 1, bytes(2 << 20))
        assert files_below(folder) == []
