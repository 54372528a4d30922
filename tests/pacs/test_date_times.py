"""DT values and ranges of them (PS3.5 6.2, PS3.4 C.2.2.2.5)."""

import time
from collections.abc import Iterator

import pytest

from pacs.attributes import Key, Matching
from pacs.errors import InvalidQuery
from pacs.keys import parse_condition
from pacs.query import Range, normal_date_time

START = Key(("ScheduledProcedureStepStartDateTime",), Matching.DATETIME)


@pytest.fixture(autouse=True)
def in_rome(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Rome")
    time.tzset()
    normal_date_time.cache_clear()
    yield
    monkeypatch.undo()
    time.tzset()
    normal_date_time.cache_clear()


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("20261127103015.25+0000", "20261127103015.250000", "20261127103015.259999"),
        ("20261127103015+0130", "20261127090015.000000", "20261127090015.999999"),
        ("20261127103015-0500", "20261127153015.000000", "20261127153015.999999"),
        ("20261127", "20261126230000.000000", "20261127225959.999999"),
        ("202607", "20260630220000.000000", "20260731215959.999999"),
        ("202602", "20260131230000.000000", "20260228225959.999999"),
        ("2026", "20251231230000.000000", "20261231225959.999999"),
        (" 2026112710 ", "20261127090000.000000", "20261127095959.999999"),
    ],
)
def test_a_value_has_a_first_and_a_last_moment(text: str, first: str, last: str) -> None:
    assert (normal_date_time(text), normal_date_time(text, "9")) == (first, last)


@pytest.mark.parametrize(
    "text", ["", "27.11.2026", "20261301", "20260230", "2026112725", "20261127+2500", "202", "9" * 40]
)
def test_what_is_no_date_time_is_none(text: str) -> None:
    assert normal_date_time(text) is None


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("20261127-20261128", "20261126230000.000000", "20261128225959.999999"),
        ("20261127-", "20261126230000.000000", None),
        ("-20261127", None, "20261127225959.999999"),
        ("2025-2026", "20241231230000.000000", "20261231225959.999999"),
        ("20261127103015-0500", "20261127153015.000000", "20261127153015.999999"),
        ("20261127-0500-20261128-0500", "20261127050000.000000", "20261129045959.999999"),
        ("20261127-0500-", "20261127050000.000000", None),
    ],
)
def test_a_range_is_told_from_an_offset(text: str, low: str | None, high: str | None) -> None:
    assert parse_condition(START, [text]) == Range(low, high)


@pytest.mark.parametrize("text", ["tomorrow", "20261127-x", "20261128-20261127", "1-2-3"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuery, match=r"^ScheduledProcedureStepStartDateTime: "):
        parse_condition(START, [text])
