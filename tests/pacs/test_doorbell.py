"""A change made in one process wakes those that wait in others."""

import os
import select
from pathlib import Path

from pacs.doorbell import Doorbell, ring


def rings(doorbell: Doorbell) -> bool:
    return bool(select.select([doorbell], [], [], 0)[0])


def test_every_doorbell_rings_until_it_is_silenced(tmp_path: Path) -> None:
    bells = [Doorbell(tmp_path / "doorbells") for _ in range(2)]
    assert not any(map(rings, bells))
    ring(tmp_path / "doorbells")
    assert all(map(rings, bells))
    bells[0].silence()
    assert [rings(bell) for bell in bells] == [False, True]
    bells[0].silence()  # which changes nothing
    for bell in bells:
        bell.close()


def test_ringing_where_nobody_waits_changes_nothing(tmp_path: Path) -> None:
    ring(tmp_path / "doorbells")
    assert list(tmp_path.iterdir()) == []


def test_a_doorbell_that_is_full_rings_on(tmp_path: Path) -> None:
    bell = Doorbell(tmp_path)
    for _ in range(70_000):
        ring(tmp_path)
    assert rings(bell)
    bell.close()
    assert list(tmp_path.iterdir()) == []


def test_the_doorbell_of_one_who_died_is_removed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "0123456789abcdef")
    bell = Doorbell(tmp_path)
    ring(tmp_path)
    assert rings(bell)
    assert len(list(tmp_path.iterdir())) == 1
    bell.close()


def test_a_folder_may_have_a_long_name(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120) / ("y" * 120)
    folder.mkdir(parents=True)
    bell = Doorbell(folder)
    ring(folder)
    assert rings(bell)
    bell.close()
