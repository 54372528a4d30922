"""Dates and times of one time zone in another, against the arithmetic of whole moments."""

import time
from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pacs.attributes import BY_PATH, Attribute
from pacs.errors import InvalidQuery
from pacs.query import Condition, Criterion, Empty, Moments, OnDay, Range
from pacs.time_zones import alternatives, asked_offset, in_zone, moved, offset_of, read_offset, written_offset

DATE, TIME = BY_PATH[0x00080020,], BY_PATH[0x00080030,]
OFFSETS = st.sampled_from([-720, -300, -210, 0, 60, 345, 840])
DAYS = st.sampled_from(["20231231", "20240101", "20240228", "20240301"])
TIMES = st.sampled_from(["000000.000000", "003000.000000", "120000.000000", "233000.500000", "235959.999999"])


@pytest.mark.parametrize(
    ("text", "offset"),
    [("+0000", 0), ("+0100", 60), ("-0330", -210), ("+1400", 840), ("-1200", -720), ("+0545 ", 345)],
)
def test_an_offset_is_read_and_written(text: str, offset: int) -> None:
    assert asked_offset(text) == offset
    assert written_offset(offset) == text.strip()


@pytest.mark.parametrize(
    "text", ["", "0100", "+1", "+0160", "+1401", "-1201", "+0107", "-0320", "UTC", "+01:00"]
)
def test_what_is_no_offset_is_refused(text: str) -> None:
    assert read_offset(text) is None
    with pytest.raises(InvalidQuery, match="TimezoneOffsetFromUTC"):
        asked_offset(text)


def test_a_day_may_change() -> None:
    assert moved("20240101", "003000.000000", 60, -300) == ("20231231", "183000.000000")
    assert moved("20240229", "233000.000000", 0, 60) == ("20240301", "003000.000000")


@pytest.mark.parametrize(
    ("day", "source", "target", "told"),
    [
        ("20240230", 0, 60, ("20240230", "12")),
        ("20240230", None, 0, ("20240230", "12")),
        ("00000000", 840, -720, ("00000000", "12")),
        ("99991231", -720, 840, ("99991231", "12")),
        ("99991231", 840, -720, ("99991230", "10")),
        ("00010101", 840, -720, ("00010101", "12")),
        ("00010101", -720, 840, ("00010102", "14")),
    ],
)
def test_what_is_out_of_the_calendar_stays(
    day: str, source: int | None, target: int, told: tuple[str, str]
) -> None:
    date, hour = told
    assert moved(day, "120000.000000", source, target) == (date, f"{hour}0000.000000")


def elements(**values: str) -> dict[str, dict[str, object]]:
    keys = {"date": ("00080020", "DA"), "time": ("00080030", "TM"), "birth": ("00100030", "DA")}
    keys |= {"offset": ("00080201", "SH")}
    return {keys[name][0]: {"vr": keys[name][1], "Value": [value]} for name, value in values.items()}


@pytest.mark.parametrize(
    ("date", "time", "told"),
    [
        ("20240101", "003000", ("20231231", "183000")),
        ("20240101", "0030", ("20231231", "1830")),
        ("20240101", "00:30:00", ("20231231", "183000")),
        ("20240101", "03", ("20231231", "21")),
        ("20240101", "003000.25", ("20231231", "183000.25")),
        ("20240101", "noon", ("20240101", "noon")),
        ("2024", "003000", ("2024", "003000")),
    ],
)
def test_attributes_are_told_in_a_zone(date: str, time: str, told: tuple[str, str]) -> None:
    kept = elements(date=date, time=time, birth="19700101", offset="+0100")
    assert offset_of(kept) == 60
    expected = elements(date=told[0], time=told[1], birth="19700101", offset="-0500")
    assert in_zone(kept, 60, -300) == expected


def test_a_time_is_told_as_exactly_as_it_was_said_or_as_the_offset_is() -> None:
    told = [in_zone(elements(date="20240101", time="09"), 60, target) for target in (0, 345, -210)]
    assert [one["00080030"]["Value"] for one in told] == [["08"], ["1345"], ["0430"]]


def test_every_date_that_has_a_time_is_told_in_the_zone() -> None:
    """By their names, whether the index keeps them or not; those of items, and of several of each, too."""
    kept = {
        "00080012": {"vr": "DA", "Value": ["20240101"]},
        "00080013": {"vr": "TM", "Value": ["003000"]},
        "00181200": {"vr": "DA", "Value": ["20240101", None, "20240301"]},
        "00181201": {"vr": "TM", "Value": ["0030", "09", "0900"]},
        "00181012": {"vr": "DA", "Value": ["20240101", "20240102"]},
        "00181014": {"vr": "TM", "Value": ["0030"]},
        "00100030": {"vr": "DA", "Value": ["19700101"]},
        "00100032": {"vr": "TM", "Value": ["0030"]},
        "00091012": {"vr": "DA", "Value": ["20240101"]},
    }
    item = {"00400002": {"vr": "DA", "Value": ["20240101"]}, "00400003": {"vr": "TM", "Value": ["0030"]}}
    of_another = {**item, "00080201": {"vr": "SH", "Value": ["+0900"]}}
    told = in_zone({**kept, "00400100": {"vr": "SQ", "Value": [item, None, of_another]}}, 60, -300)
    assert (told["00080012"]["Value"], told["00080013"]["Value"]) == (["20231231"], ["183000"])
    assert told["00181200"]["Value"] == ["20231231", None, "20240301"]
    assert told["00181201"]["Value"] == ["1830", "09", "0300"]
    for key in ("00181012", "00181014", "00100030", "00100032", "00091012"):
        assert told[key] == kept[key]
    first, nothing, other = told["00400100"]["Value"]
    assert (first["00400002"]["Value"], first["00400003"]["Value"]) == (["20231231"], ["1830"])
    assert (nothing, other) == (None, of_another)


def test_a_date_without_a_time_is_that_day_everywhere() -> None:
    assert in_zone(elements(date="20240101"), 60, -720) == elements(date="20240101", offset="-1200")


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("20240101003000", "20240101003000+0100"),
        ("20240101003000.25", "20240101003000.25+0100"),
        ("2024010100", "2024010100+0100"),
        ("20240101", "20240101"),
        ("2024", "2024"),
        ("20240101003000-0500", "20240101003000-0500"),
        ("noon", "noon"),
    ],
)
def test_date_times_state_the_offset_that_they_left_to_their_study(
    kept: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of this machine, where it states none; a date without a time is that day everywhere."""
    attributes = {"0008002A": {"vr": "DT", "Value": [kept]}}
    monkeypatch.setenv("TZ", "<+01>-01")
    time.tzset()
    assert in_zone(attributes, None, -300)["0008002A"] == {"vr": "DT", "Value": [told]}
    monkeypatch.undo()
    time.tzset()
    assert in_zone(attributes, 60, -300)["0008002A"] == {"vr": "DT", "Value": [told]}


def test_of_the_place_they_state_the_offset_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "<+02>-02")
    time.tzset()
    attributes = {"0008002A": {"vr": "DT", "Value": ["20240101003000"]}}
    told = in_zone(attributes | elements(date="20240101", time="003000"), None, 0)
    monkeypatch.undo()
    time.tzset()
    assert told["0008002A"]["Value"] == ["20240101003000+0200"]
    assert (told["00080020"]["Value"], told["00080030"]["Value"]) == (["20231231"], ["223000"])


def holds(condition: Condition, attribute: Attribute, day: str, time: str | None) -> bool:
    value = day if attribute is DATE else time
    match condition:
        case Range(low, high):
            return value is not None and (low or "") <= value <= (high or "~")
        case OnDay(on, times):
            return day != on or holds(times, TIME, day, time)
        case Empty():
            return value is None
    raise AssertionError(condition)


def fulfils(group: tuple[Criterion, ...], day: str, time: str | None) -> bool:
    return all(holds(one.condition, one.attribute, day, time) for one in group)


def ranges(values: st.SearchStrategy[str]) -> st.SearchStrategy[Range | None]:
    bounds = st.tuples(st.none() | values, st.none() | values).filter(
        lambda pair: any(pair) and (pair[0] or "") <= (pair[1] or "~")
    )
    return st.none() | st.builds(lambda pair: Range(*pair), bounds)


@given(ranges(DAYS), ranges(TIMES), st.booleans(), OFFSETS, OFFSETS, DAYS, st.none() | TIMES)
def test_what_is_found_is_what_lies_there_in_the_asked_zone(
    days: Range | None,
    times: Range | None,
    are_together: bool,
    zone: int,
    offset: int,
    day: str,
    time: str | None,
) -> None:
    assume(days or times)
    assume(time or not (times and are_together))  # of days between it may be found
    asked = Moments(DATE, TIME, days, times, are_together)
    (groups,) = alternatives((asked,), zone, offset)
    found = any(fulfils(group, day, time) for group in groups)
    assert found == expected(asked, zone - offset, day, time)


def expected(asked: Moments, east: int, day: str, time: str | None) -> bool:
    if time is None:
        return asked.times is None and (asked.days is None or holds(asked.days, DATE, day, None))
    moment = datetime.strptime(f"{day}{time}", "%Y%m%d%H%M%S.%f") + timedelta(minutes=east)
    there = moment.strftime("%Y%m%d%H%M%S.%f")
    days, times = asked.days or Range(None, None), asked.times or Range(None, None)
    if asked.days and asked.are_together:
        low = days.low and days.low + (times.low or "")
        high = days.high and days.high + (times.high or "~")
        return (low or "") <= there <= (high or "~")
    return holds(days, DATE, there[:8], None) and holds(times, TIME, "", there[8:])
