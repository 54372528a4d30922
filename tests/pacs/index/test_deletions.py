"""Every process hears of every deletion, also of those of others at the same time."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from pacs.index.deletions import Deletions


def test_processes_share_it(tmp_path: Path) -> None:
    ours, theirs = Deletions(tmp_path / "deletions"), Deletions(tmp_path / "deletions")
    before = theirs.last
    ours.add()
    assert theirs.last == ours.last != before
    for one in (ours, theirs):
        one.close()


def returns(path: Path) -> int:
    """How often, among many deletions, the number was again one that had been left before."""
    deletions = Deletions(path)
    left: set[int] = set()
    now, count = deletions.last, 0
    for _ in range(200_000):
        deletions.add()
        before, now = now, deletions.last
        left |= {before} if before != now else set()
        count += now in left
    deletions.close()
    return count


def test_deletions_at_the_same_time_do_not_undo_each_other(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as processes:
        assert list(processes.map(returns, [tmp_path / "deletions"] * 2)) == [0, 0]
