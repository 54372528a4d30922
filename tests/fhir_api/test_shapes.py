"""Searches that are alike share their SQL, and are answered by their own values."""

from fhir_api.conditions import Condition
from fhir_api.resource_statements import page_statement
from fhir_api.search_request import parse_search
from fhir_api.shapes import shape_of
from tests.fhir_api.client import BASE
from tests.fhir_api.conftest import World


def conditions(*pairs: tuple[str, str]) -> list[Condition]:
    asked = parse_search("Observation", list(pairs), BASE, strict=True).conditions
    return [one for one in asked if isinstance(one, Condition)]


def test_values_alone_make_no_other_shape() -> None:
    one = shape_of(conditions(("code", "http://loinc.org|1"), ("date", "ge2026"), ("patient", "Patient/a")))
    other = shape_of(conditions(("code", "urn:x|2"), ("date", "ge1999-01"), ("patient", "Patient/b")))
    assert one.conditions == other.conditions
    assert one.parameters != other.parameters
    assert list(one.parameters.values())[:2] == ["http://loinc.org", "1"]


def test_what_is_asked_otherwise_has_another_shape() -> None:
    asked = [
        (("code", "1"),),
        (("code", "|1"),),
        (("code", "x|"),),
        (("code", "1,2"),),
        (("code", "1"), ("code", "2")),
        (("date", "2026"),),
        (("date", "ge2026"),),
        (("value-quantity", "5"),),
        (("value-quantity", "5||mm"),),
        (("subject", "Patient/1"),),
        (("patient", "Patient/1"),),
    ]
    assert len({shape_of(conditions(*pairs)).conditions for pairs in asked}) == len(asked)


def test_the_sql_of_a_shape_is_built_once(world: World) -> None:
    codes = [one["code"]["coding"][0] for one in world.resources("Observation") if "coding" in one["code"]]
    page_statement.cache_clear()
    found = [world.client.found("Observation", code=f"{one['system']}|{one['code']}") for one in codes]
    assert page_statement.cache_info().misses == 1
    assert all(found)
    assert len({frozenset(ids) for ids in found}) == len({one["code"] for one in codes}) > 1


def test_what_is_long_is_not_kept(world: World) -> None:
    page_statement.cache_clear()
    ids = [one["id"] for one in world.resources("Observation")]
    page_statement.cache_clear()
    assert world.client.found("Observation", _id=",".join([*ids, *map(str, range(50))])) == set(ids)
    assert page_statement.cache_info().misses == 0


def test_signs_of_patterns_are_letters_in_a_name(world: World) -> None:
    (name, *_) = [one["name"][0]["family"] for one in world.resources("Practitioner") if "name" in one]
    assert world.client.found("Practitioner", family=name)
    for odd in ("%", "_" * len(name), "/", f"{name[:2]}%", "\\"):
        assert world.client.found("Practitioner", family=odd) == set()
