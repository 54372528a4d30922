import re
from decimal import Decimal

import pytest

from sr.primitives import (
    AS_WRITTEN,
    code,
    compact,
    date,
    date_and_time,
    date_time,
    dated,
    is_uid,
    offset,
    plain,
    stable_id,
    string,
    time,
    uri_part,
)


def test_compact_drops_what_fhir_forbids_and_keeps_zero() -> None:
    assert compact({"a": 0, "b": "", "c": [], "d": {}, "e": None, "f": False}) == {"a": 0, "f": False}


def test_a_string_loses_control_characters_but_no_line_breaks() -> None:
    assert string(" a\x00b\x07\r\nc\ud800 ") == "ab\r\nc"


def test_a_code_has_single_blanks() -> None:
    assert code(" T  D\t1 ") == "T D 1"


def test_part_of_a_urn_is_quoted() -> None:
    assert uri_part("GE Médical:1") == "GE%20M%C3%A9dical%3A1"


@pytest.mark.parametrize("text", ["1.2.840", "2.25.318774060119084600392715520575818119084"])
def test_uids(text: str) -> None:
    assert is_uid(text)


@pytest.mark.parametrize("text", ["", "1", "1.2.", "1..2", "1.02", "1.a", "1." * 40 + "1", "١.٢"])
def test_no_uids(text: str) -> None:
    assert not is_uid(text)


def test_stable_ids_differ_by_each_part_and_are_fhir_ids() -> None:
    assert stable_id("1.2", "1.1") == stable_id("1.2", "1.1")
    assert len({stable_id("1.2", "1.1"), stable_id("1.21", ".1"), stable_id("1.2", "1.1", "x")}) == 3
    assert re.fullmatch(r"[0-9a-f]{32}", stable_id("1.2"))


@pytest.mark.parametrize(
    ("text", "told"),
    [("+0100", "+01:00"), ("-0330", "-03:30"), ("+1500", ""), ("0100", ""), ("+01", ""), ("", "")],
)
def test_offsets(text: str, told: str) -> None:
    assert offset(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("20240229", "2024-02-29"),
        ("1993.08.22", "1993-08-22"),
        ("20230229", ""),
        ("00000101", ""),
        ("2024", ""),
        ("today", ""),
        ("٢٠٢٤٠٢٢٩", ""),
    ],
)
def test_dates(text: str, told: str) -> None:
    assert date(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("101500", "10:15:00"),
        ("10", "10:00:00"),
        ("10:15:30.5", "10:15:30.5"),
        ("235960", "23:59:60"),
        ("2400", ""),
        ("1060", ""),
        ("noon", ""),
        ("१०", ""),
    ],
)
def test_times(text: str, told: str) -> None:
    assert time(text) == told


@pytest.mark.parametrize(
    ("text", "zone", "told"),
    [
        ("2024", "", "2024"),
        ("202402", "+01:00", "2024-02"),
        ("20240229101500.25", "+01:00", "2024-02-29T10:15:00.25+01:00"),
        ("20240229101500-0500", "+01:00", "2024-02-29T10:15:00-05:00"),
        ("20240229101500", "", "2024-02-29"),
        ("202402291", "+01:00", "2024-02-29"),
        ("20241301", "", ""),
        ("soon", "", ""),
        ("20240229१०", "+01:00", ""),
    ],
)
def test_date_times(text: str, zone: str, told: str) -> None:
    assert date_time(text, zone) == told


def test_a_time_without_a_zone_is_kept_as_written() -> None:
    assert dated("issued", "20240229101500", "") == {
        "issued": "2024-02-29",
        "_issued": {"extension": [{"url": AS_WRITTEN, "valueString": "20240229101500"}]},
    }
    assert dated("issued", "20240229", "") == {"issued": "2024-02-29"}
    assert dated("issued", "20240229101500", "+01:00") == {"issued": "2024-02-29T10:15:00+01:00"}
    assert dated("issued", "soon", "") == {}


def test_a_date_and_a_time_make_one_value() -> None:
    assert date_and_time("20240229", "10:15") == "20240229101500"
    assert date_and_time("20240229", "") == "20240229"
    assert date_and_time("", "1015") == ""


def test_numbers_are_written_as_people_write_them() -> None:
    numbers = ("0E-8", "1.50", "1E+3", "-2.5E-7", "1E+999999", "0E-999999")
    written = [plain(Decimal(number)) for number in numbers]
    assert written == ["0.00000000", "1.50", "1000", "-0.00000025", "1E+999999", "0E-999999"]
