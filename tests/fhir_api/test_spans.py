"""Stretches of time and of numbers, read and compared."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fhir_api.answers import Addresses
from fhir_api.conditions import Condition, Window
from fhir_api.kept_resources import KeptResources
from fhir_api.outcome import RequestFault
from fhir_api.search_request import parse_search
from fhir_api.search_table import parameter_of
from fhir_api.search_values import parse
from fhir_api.spans import Stretch, instant, of_moment, of_number, of_period
from fhir_api.store import Origin, ResourceStore

NOWHERE = Addresses("", "")
HOUR = 3600.0
DAY = 24 * HOUR


def at(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("text", "low", "length"),
    [
        ("2026", "2026-01-01T00:00Z", 365 * DAY),
        ("2024", "2024-01-01T00:00Z", 366 * DAY),
        ("2026-12", "2026-12-01T00:00Z", 31 * DAY),
        ("2024-02", "2024-02-01T00:00Z", 29 * DAY),
        ("2026-03-01", "2026-03-01T00:00Z", DAY),
        ("2026-03-01T10:15+01:00", "2026-03-01T09:15Z", 60),
        ("2026-03-01T10:15:20Z", "2026-03-01T10:15:20Z", 1),
        ("2026-03-01T10:15:20.5Z", "2026-03-01T10:15:20.5Z", 0.1),
        ("2999-12-31T23:59:59Z", "2999-12-31T23:59:59Z", 1),
    ],
)
def test_a_moment_is_all_that_it_may_mean(text: str, low: str, length: float) -> None:
    stretch = of_moment(text)
    assert stretch is not None
    assert stretch.low == at(low)
    assert stretch.high - stretch.low == pytest.approx(length)


@pytest.mark.parametrize(
    "text", ["", "26", "2026-13", "2026-02-30", "2026-03-01T25:00Z", "2026-03-01 10:00", "9999999"]
)
def test_what_is_no_moment_is_none(text: str) -> None:
    assert of_moment(text) is None


@given(st.floats(0, at("2100-01-01T00:00Z")))
@example(at("2026-03-01T10:15:20.124Z") - 2.0**-22)
@example(at("2026-03-01T10:15:20.123Z"))
def test_what_is_told_of_a_time_is_what_it_is_found_by(seconds: float) -> None:
    stretch = of_moment(instant(seconds))
    assert stretch is not None
    assert stretch.low <= seconds < stretch.high


@given(st.text("0123456789-T:.Z+", max_size=30))
def test_whatever_comes_is_read_or_refused(text: str) -> None:
    stretch = of_moment(text)
    assert stretch is None or stretch.low < stretch.high


def test_a_period_may_be_open() -> None:
    assert of_period({"start": "2026-01-01"}) == Stretch(at("2026-01-01T00:00Z"), float("inf"))
    assert of_period({"end": "2026-01-01"}) == Stretch(float("-inf"), at("2026-01-02T00:00Z"))
    assert of_period({}) is None


@pytest.mark.parametrize(
    ("text", "number", "low", "high"),
    [
        ("5.4", "5.4", 5.35, 5.45),
        ("100", "100", 99.5, 100.5),
        ("5.40", "5.40", 5.395, 5.405),
        ("1e2", "1E+2", 50, 150),
        ("-2", "-2", -2.5, -1.5),
    ],
)
def test_a_number_is_all_that_is_rounded_to_it(text: str, number: str, low: float, high: float) -> None:
    parsed = of_number(text)
    assert parsed is not None
    assert parsed[0] == Decimal(number)
    assert tuple(parsed[1]) == pytest.approx((low, high))


def made(name: str, **members: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": name, "status": "final", "code": {"text": "x"}, **members}


def millimetres(value: str) -> dict[str, Any]:
    return {
        "value": Decimal(value),
        "unit": "millimeter",
        "system": "http://unitsofmeasure.org",
        "code": "mm",
    }


RESOURCES = [
    made("day", effectiveDateTime="2026-03-01", valueQuantity=millimetres("5.4")),
    made("moment", effectiveDateTime="2026-03-01T10:15:00+01:00", valueQuantity=millimetres("12")),
    made("year", effectiveDateTime="2026", valueQuantity={"value": Decimal("5.4"), "unit": "score"}),
    made(
        "later",
        effectiveDateTime="2026-03-02",
        component=[{"code": {"text": "c"}, "valueQuantity": millimetres("3")}],
    ),
]


@pytest.fixture
def kept(store: ResourceStore) -> KeptResources:
    store.replace(Origin("1.2.3", "1.2", "p"), RESOURCES)
    return KeptResources(store, "Observation")


def found(kept: KeptResources, name: str, text: str) -> set[str]:
    conditions = parse_search("Observation", [(name, text)], "", strict=True).conditions
    plain = [one for one in conditions if isinstance(one, Condition)]
    return {answer.resource_id for answer in kept.page(plain, Window(0, 10), NOWHERE).answers}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("2026-03-01", {"day", "moment"}),
        ("2026-03", {"day", "moment", "later"}),
        ("2026", {"day", "moment", "year", "later"}),
        ("ne2026-03-01", {"year", "later"}),
        ("gt2026-03-01", {"year", "later"}),
        ("sa2026-03-01", {"later"}),
        ("lt2026-03-01", {"year"}),
        ("eb2026-03-02", {"day", "moment"}),
        ("ge2026-03-01", {"day", "moment", "year", "later"}),
        ("le2026-03-01", {"day", "moment", "year"}),
        ("2026-03-01T09:15:00Z", {"moment"}),
        ("2026-03-01T09:15Z", {"moment"}),
        ("ge2026-03-01T10:00:00+01:00", {"day", "moment", "year", "later"}),
        ("ap2026-03-01", {"day", "moment", "year", "later"}),
    ],
)
def test_dates_are_compared_as_the_stretches_that_they_are(
    kept: KeptResources, text: str, ids: set[str]
) -> None:
    assert found(kept, "date", text) == ids


@pytest.mark.parametrize(
    ("name", "text", "ids"),
    [
        ("value-quantity", "5.4", {"day", "year"}),
        ("value-quantity", "5.4|http://unitsofmeasure.org|mm", {"day"}),
        ("value-quantity", "5.4||mm", {"day"}),
        ("value-quantity", "5.4||score", {"year"}),
        ("value-quantity", "5", {"day", "year"}),
        ("value-quantity", "gt5.4", {"moment"}),
        ("value-quantity", "ge5.4||mm", {"day", "moment"}),
        ("value-quantity", "lt12", {"day", "year"}),
        ("value-quantity", "ne5.4", {"moment"}),
        ("value-quantity", "ap5||mm", {"day"}),
        ("value-quantity", "sa5.4", {"moment"}),
        ("component-value-quantity", "3", {"later"}),
        ("combo-value-quantity", "le5.4||mm", {"day", "later"}),
    ],
)
def test_quantities_are_compared_in_their_own_unit(
    kept: KeptResources, name: str, text: str, ids: set[str]
) -> None:
    assert found(kept, name, text) == ids


def ordered(kept: KeptResources, order: str) -> str:
    asked = parse_search("Observation", [("_sort", order)], "", strict=True)
    pages = [kept.page([], Window(offset, 2, asked.window.order), NOWHERE) for offset in (0, 2)]
    return " ".join(answer.resource_id for page in pages for answer in page.answers)


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        ("date", "year day moment later"),
        ("-date", "year later day moment"),
        ("_id", "day later moment year"),
        ("-_id", "year moment later day"),
        ("_lastUpdated,-_id", "year moment later day"),
        ("-_lastUpdated", "day moment year later"),
    ],
)
def test_matches_are_ordered_as_asked(kept: KeptResources, order: str, ids: str) -> None:
    """Those that are alike stay in the order in which they were kept, over all pages."""
    assert ordered(kept, order) == ids


def test_what_says_nothing_comes_last(store: ResourceStore) -> None:
    store.replace(Origin("1.2.3", "1.2", "p"), [made("none"), *RESOURCES])
    kept = KeptResources(store, "Observation")
    for order in ("date", "-date"):
        page = kept.page(
            [], Window(0, 10, parse_search("Observation", [("_sort", order)], "", True).window.order), NOWHERE
        )
        assert page.answers[-1].resource_id == "none"


@pytest.mark.parametrize(
    ("resource_type", "order"),
    [
        ("Observation", "code"),
        ("Observation", "date,"),
        ("Observation", "--date"),
        ("ImagingStudy", "modality"),
    ],
)
def test_an_order_that_is_not_offered(resource_type: str, order: str) -> None:
    asked = [("_sort", order)]
    assert parse_search(resource_type, asked, "", strict=False).used == ()
    with pytest.raises(RequestFault) as fault:
        parse_search(resource_type, asked, "", strict=True)
    assert "_sort" in str(fault.value)


def test_when_it_was_kept_last_can_be_asked(kept: KeptResources) -> None:
    assert len(found(kept, "_lastUpdated", "gt2026-01-01")) == len(RESOURCES)
    assert found(kept, "_lastUpdated", "lt2026-01-01") == set()


@pytest.mark.parametrize(
    ("name", "text"), [("date", "yesterday"), ("value-quantity", "five"), ("value-quantity", "|s|c")]
)
def test_what_cannot_be_compared_is_refused_with_its_name(name: str, text: str) -> None:
    parameter = parameter_of("Observation", name)
    assert parameter is not None
    with pytest.raises(RequestFault) as fault:
        list(parse(parameter, text, "", ""))
    assert name in str(fault.value)
