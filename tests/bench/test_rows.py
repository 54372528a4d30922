"""The table of rows."""

from bench.rows import REFERENCES, ROWS


def test_names_are_given_once() -> None:
    names = [row.name for row in ROWS] + [reference.name for reference in REFERENCES]
    assert len(names) == len(set(names))


def test_every_limit_is_a_reference_of_the_same_unit() -> None:
    units = {reference.name: reference.unit for reference in REFERENCES}
    assert all(units[row.limit] is row.unit for row in ROWS if row.limit)


def test_every_reference_bounds_some_row() -> None:
    assert {row.limit for row in ROWS} >= {reference.name for reference in REFERENCES}
