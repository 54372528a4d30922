import resource
from pathlib import Path

import pytest

from pacs.errors import OutOfSpace
from pacs.files import Scratch, Stretch
from pacs.files.scratch import CHUNK


def test_what_was_put_aside_is_read_at_any_place(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    content = bytes(range(256)) * 9000
    for start in range(0, len(content), 100_000):
        scratch.write(memoryview(content)[start : start + 100_000])
    assert scratch.size == len(content) > 2 * CHUNK
    assert scratch.read(Stretch(0, len(content))) == content
    assert scratch.read(Stretch(7, 9)) == content[7:16]
    assert scratch.read(Stretch(7, 9), 2) == content[7:9]
    assert scratch.read(Stretch(len(content) - 1, 9)) == content[-1:]
    assert [len(chunk) for chunk in scratch.chunks(Stretch(5, CHUNK + 1))] == [CHUNK, 1]
    scratch.close()


def test_it_has_no_name_that_a_crash_could_leave(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.write(b"x")
    assert list(tmp_path.iterdir()) == []
    scratch.close()
    scratch.close()


def test_what_follows_some_bytes_is_never_of_negative_length() -> None:
    assert Stretch(10, 5).behind(2) == Stretch(12, 3)
    assert len(Stretch(10, 5).behind(9)) == 0


def test_a_full_disk_is_told_of(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OutOfSpace):
            scratch.write(bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        scratch.close()
