"""Whatever is sent as a resource is judged, and what is judged valid goes through XML and back unharmed."""

import random
from typing import Any
from xml.etree import ElementTree

from hypothesis import example, given
from hypothesis import strategies as st

from fhir_api.r4.definitions import codes
from fhir_api.r4.validation import MAX_ISSUES, issues
from fhir_api.r4.xml_reader import from_xml
from fhir_api.r4.xml_writer import to_xml
from sr.fhir_json import dumps, loads
from tests.fhir_api import generated

TYPES = sorted(codes("resource-types")["http://hl7.org/fhir/resource-types"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\ufffe\uffff"), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**10), 10**10) | TEXTS | st.just("Patient/1"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.just("id"), inner, max_size=3),
    max_leaves=8,
)


def members(value: Any) -> list[tuple[Any, Any]]:
    """Every place of a value within: its holder, and the name or index there."""
    places: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        for key in keys:
            places += [(value, key), *members(value[key])]
    return places


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A resource of some type with other JSON in some places."""
    resource = loads(dumps(generated.resource(draw(st.sampled_from(TYPES)), draw(st.integers(0, 3)))))
    chooser = random.Random(draw(st.integers(0, 2**32)))
    for value in draw(st.lists(JSON, max_size=3)):
        holder, key = chooser.choice(members(resource))
        holder[key] = value
    return resource


@given(damaged())
@example({"resourceType": "Patient", "id": "a\n"})
@example({"resourceType": "Basic", "code": {"text": "\x85\u2028"}, "language": "a\u2028b"})
def test_what_is_judged_valid_goes_through_xml(resource: dict[str, Any]) -> None:
    told = resource["resourceType"]
    resource_type = told if isinstance(told, str) else "Patient"
    found = issues(resource, resource_type)
    assert len(found) <= MAX_ISSUES
    if not found:
        again = from_xml(to_xml(resource))
        assert issues(again, resource_type) == []
        assert ElementTree.canonicalize(to_xml(again)) == ElementTree.canonicalize(to_xml(resource))
        assert narrative_free(again) == narrative_free(resource)


def narrative_free(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: narrative_free(one) for name, one in value.items() if name != "div"}
    return [narrative_free(one) for one in value] if isinstance(value, list) else value


@given(JSON)
def test_any_json_is_judged(value: Any) -> None:
    assert issues(value, "Patient")


@given(
    st.binary(max_size=64) | TEXTS.map(lambda text: f'<Patient xmlns="http://hl7.org/fhir">{text}'.encode())
)
def test_what_is_no_xml_is_refused(text: bytes) -> None:
    try:
        from_xml(text)
    except ValueError:
        return
    raise AssertionError("this has no end")
