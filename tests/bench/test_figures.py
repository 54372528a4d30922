"""Medians, ratios and targets."""

import pytest

from bench.figures import Below, Comparison, Readings, TimesPeer, Unit, compare, times_better


def test_a_rate_is_better_when_it_is_higher() -> None:
    assert times_better(Unit.REQUESTS_PER_SECOND, 300, 100) == 3


def test_a_time_is_better_when_it_is_lower() -> None:
    assert times_better(Unit.MILLISECONDS, 300, 100) == pytest.approx(1 / 3)


def test_the_median_is_not_moved_by_one_bad_round() -> None:
    assert Readings([100, 3, 110]).median == 100


def test_one_failure_spoils_the_row() -> None:
    assert Readings([100, 110], "one store was refused").median is None


def test_nothing_measured_has_no_median() -> None:
    assert Readings().median is None


def test_the_ratio_is_of_medians_and_its_spread_is_by_round() -> None:
    found = compare(Unit.INSTANCES_PER_SECOND, Readings([200, 400, 300]), Readings([100, 100, 300]))
    assert found == Comparison(of_medians=3, lowest=1, highest=4)


@pytest.mark.parametrize("peer", [None, Readings(), Readings([10], "it fell over")])
def test_without_a_peer_there_is_no_ratio(peer: Readings | None) -> None:
    assert compare(Unit.SECONDS, Readings([1]), peer) is None


@pytest.mark.parametrize(("ratio", "met"), [(1.49, False), (1.5, True), (None, None)])
def test_a_target_beside_the_peer(ratio: float | None, met: bool | None) -> None:
    assert TimesPeer(1.5).is_met(1000, ratio) is met


def test_a_target_of_its_own_asks_no_peer() -> None:
    target = Below(200, Unit.MEGABYTES)
    assert target.is_met(199, None)
    assert not target.is_met(200, 5)


def test_targets_say_what_they_ask() -> None:
    assert TimesPeer(1.5).text == "≥ 1.5x"
    assert TimesPeer(2, later=3).text == "≥ 2x, then 3x"
    assert Below(2, Unit.SECONDS).text == "< 2 s"
