"""Code and value of one element of an Observation, asked together."""

from decimal import Decimal
from typing import Any

import pytest

from fhir_api.answers import Addresses
from fhir_api.conditions import Condition, Window
from fhir_api.kept_resources import KeptResources
from fhir_api.outcome import RequestFault
from fhir_api.search_request import parse_search
from fhir_api.store import Origin, ResourceStore

NOWHERE = Addresses("", "")
UCUM = "http://unitsofmeasure.org"


def concept(code: str, system: str = "http://loinc.org") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}], "text": f"called {code}"}


def quantity(value: str, unit: str = "mm") -> dict[str, Any]:
    return {"value": Decimal(value), "unit": unit, "system": UCUM, "code": unit}


def made(name: str, code: str, *components: dict[str, Any], **members: Any) -> dict[str, Any]:
    told = {"resourceType": "Observation", "id": name, "status": "final", "code": concept(code), **members}
    return {**told, "component": list(components)} if components else told


def component(code: str, **value: Any) -> dict[str, Any]:
    return {"code": concept(code), **value}


RESOURCES = [
    made("long", "length", valueQuantity=quantity("12")),
    made("short", "length", valueQuantity=quantity("3")),
    made("wide", "width", valueQuantity=quantity("12")),
    made("heavy", "length", valueQuantity=quantity("12", "kg")),
    made(
        "both",
        "size",
        component("length", valueQuantity=quantity("12")),
        component("width", valueQuantity=quantity("3")),
    ),
    made("benign", "finding", valueCodeableConcept=concept("benign")),
    made("crossed", "finding", component("side", valueCodeableConcept=concept("left"))),
    made("odd", "a$b", valueString="Round, $mooth"),
    made("dated", "due", valueDateTime="2026-05"),
]


@pytest.fixture
def kept(store: ResourceStore) -> KeptResources:
    store.replace(Origin("1.2.3", "1.2", "p"), RESOURCES)
    return KeptResources(store, "Observation")


def found(kept: KeptResources, *asked: tuple[str, str]) -> set[str]:
    conditions = parse_search("Observation", asked, "", strict=True).conditions
    plain = [one for one in conditions if isinstance(one, Condition)]
    ids = {answer.resource_id for answer in kept.page(plain, Window(0, 20), NOWHERE).answers}
    assert kept.count(plain, NOWHERE) == len(ids)
    return ids


@pytest.mark.parametrize(
    ("name", "value", "ids"),
    [
        ("code-value-quantity", "length$12", {"long", "heavy"}),
        ("code-value-quantity", f"http://loinc.org|length$12|{UCUM}|mm", {"long"}),
        ("code-value-quantity", "length$12||kg", {"heavy"}),
        ("code-value-quantity", "http://example.org|length$12", set()),
        ("code-value-quantity", "length$gt3", {"long", "heavy"}),
        ("code-value-quantity", "length$le3", {"short"}),
        ("code-value-quantity", "length$12||mm,width$12||mm", {"long", "wide"}),
        ("code-value-quantity", "size$12", set()),
        ("component-code-value-quantity", "length$12", {"both"}),
        ("component-code-value-quantity", "length$3", set()),
        ("component-code-value-quantity", "width$3", {"both"}),
        ("component-code-value-quantity", "size$12", set()),
        ("combo-code-value-quantity", "length$12||mm", {"long", "both"}),
        ("combo-code-value-quantity", "length$3", {"short"}),
        ("code-value-concept", "finding$http://loinc.org|benign", {"benign"}),
        ("code-value-concept", "finding$left", set()),
        ("component-code-value-concept", "side$left", {"crossed"}),
        ("component-code-value-concept", "finding$left", set()),
        ("combo-code-value-concept", "side$left,finding$benign", {"benign", "crossed"}),
        ("code-value-string", "a\\$b$round\\, \\$m", {"odd"}),
        ("code-value-string", "a\\$b$mooth", set()),
        ("code-value-string", "finding$called", set()),
        ("code-value-date", "due$2026", {"dated"}),
        ("code-value-date", "due$lt2026-05", set()),
        ("value-string", "called benign", {"benign"}),
        ("value-date", "2026-05", {"dated"}),
        ("combo-code", "length", {"long", "short", "heavy", "both"}),
        ("combo-value-quantity", "12||mm", {"long", "wide", "both"}),
        ("combo-value-concept", "left,benign", {"crossed", "benign"}),
    ],
)
def test_both_hold_of_one_element(kept: KeptResources, name: str, value: str, ids: set[str]) -> None:
    assert found(kept, (name, value)) == ids


def test_they_are_joined_with_other_conditions(kept: KeptResources) -> None:
    both = ("combo-code-value-quantity", "length$12"), ("combo-code-value-quantity", "width$3")
    assert found(kept, *both) == {"both"}
    assert found(kept, both[0], ("code", "size")) == {"both"}
    assert found(kept, both[0], ("_id", "long,wide")) == {"long"}


def test_nothing_is_found_by_what_was_said_before(store: ResourceStore) -> None:
    kept, origin = KeptResources(store, "Observation"), Origin("1.2.3", "1.2", "p")
    asked = "code-value-quantity", "length$12"
    store.replace(origin, [made("one", "length", valueQuantity=quantity("12"))])
    store.replace(origin, [made("one", "length", valueQuantity=quantity("13"))])
    assert found(kept, asked) == set()
    assert found(kept, (asked[0], "length$13")) == {"one"}
    store.replace(origin, [])
    assert found(kept, (asked[0], "length$13")) == set()


@pytest.mark.parametrize(
    "value", ["length", "length$", "$12", "a$b$12", "length$much", "length\\$12", "length$12,width"]
)
def test_what_is_no_pair_is_refused_by_name(value: str) -> None:
    with pytest.raises(RequestFault) as caught:
        parse_search("Observation", [("code-value-quantity", value)], "", strict=True)
    assert caught.value.status == 400
    assert "code-value-quantity" in str(caught.value)
