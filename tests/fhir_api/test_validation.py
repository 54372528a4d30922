"""Whether resources are as HL7's definitions want them, beside two engines that know these, too."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fhir_api.r4.primitives import TEXTS, expected
from fhir_api.r4.validation import EMPTY, MAX_ISSUES, NO_REFERENCE, issues
from fhir_api.search_table import PARAMETERS
from sr.fhir_json import dumps, loads
from tests.fhir_api.conftest import World
from tests.validators import Validators

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "o.1",
    "meta": {"lastUpdated": "2026-11-03T10:00:00Z"},
    "contained": [{"resourceType": "Patient", "id": "p", "gender": "other"}],
    "status": "final",
    "category": [{"coding": [{"system": "http://example.org", "code": "a"}]}],
    "code": {"text": "length"},
    "subject": {"reference": "#p"},
    "effectiveDateTime": "2026-02-28",
    "valueQuantity": {"value": 1, "unit": "mm", "comparator": "<"},
    "component": [
        {"code": {"text": "a"}, "valueString": "x"},
        {"code": {"text": "b"}, "referenceRange": [{"text": "to ten"}]},
    ],
}


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    resource = loads(dumps(OBSERVATION))
    change(resource)
    return resource


def found(resource: Any, resource_type: str = "Observation") -> list[tuple[str, str]]:
    return [(issue.code, issue.expression) for issue in issues(resource, resource_type)]


def test_a_good_resource_has_no_issues() -> None:
    assert found(OBSERVATION) == []


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], object], str, str]] = {
    "unknown": (lambda o: o.update(colour="red"), "structure", "Observation"),
    "unknown within": (lambda o: o["code"].update(colour="red"), "structure", "Observation.code"),
    "extension of a complex element": (lambda o: o.update(_code={"id": "x"}), "structure", "Observation"),
    "missing": (lambda o: o.pop("code"), "required", "Observation"),
    "missing within": (lambda o: o["component"][1].pop("code"), "required", "Observation.component[1]"),
    "bad date": (lambda o: o.update(effectiveDateTime="1.3.2026"), "value", "Observation.effective"),
    "no such day": (lambda o: o.update(effectiveDateTime="2026-02-30"), "value", "Observation.effective"),
    "no time zone": (
        lambda o: o["meta"].update(lastUpdated="2026-11-03T10:00:00"),
        "value",
        "Observation.meta.lastUpdated",
    ),
    "bad id": (lambda o: o.update(id="a_b"), "value", "Observation.id"),
    "long id": (lambda o: o.update(id="1" * 65), "value", "Observation.id"),
    "two values": (lambda o: o.update(valueString="x"), "structure", "Observation"),
    "wrong code": (lambda o: o.update(status="done"), "code-invalid", "Observation.status"),
    "wrong code within": (
        lambda o: o["valueQuantity"].update(comparator="~"),
        "code-invalid",
        "Observation.value.comparator",
    ),
    "wrong code contained": (
        lambda o: o["contained"][0].update(gender="m"),
        "code-invalid",
        "Observation.contained[0].gender",
    ),
    "wrong target": (lambda o: o.update(device={"reference": "Patient/1"}), "value", "Observation.device"),
    "wrong target by URL": (
        lambda o: o.update(device={"reference": "https://a.example/fhir/Patient/1/_history/2"}),
        "value",
        "Observation.device",
    ),
    "no reference": (lambda o: o["subject"].update(reference="p"), "value", "Observation.subject"),
    "wrong target contained": (lambda o: o.update(device={"reference": "#p"}), "value", "Observation.device"),
    "nothing contained": (lambda o: o["subject"].update(reference="#q"), "not-found", "Observation.subject"),
    "no array": (lambda o: o.update(category=o["category"][0]), "structure", "Observation.category"),
    "an array": (lambda o: o.update(code=[o["code"]]), "structure", "Observation.code"),
    "an empty array": (lambda o: o.update(category=[]), "structure", "Observation.category"),
    "an empty object": (lambda o: o.update(code={}), "structure", "Observation.code"),
    "an empty text": (lambda o: o["code"].update(text=""), "value", "Observation.code.text"),
    "null": (lambda o: o.update(code=None), "structure", "Observation.code"),
    "null in an array": (lambda o: o.update(category=[None]), "structure", "Observation.category[0]"),
    "a text for a number": (
        lambda o: o["valueQuantity"].update(value="1"),
        "value",
        "Observation.value.value",
    ),
    "a number for a text": (lambda o: o["code"].update(text=1), "value", "Observation.code.text"),
    "a text for an object": (lambda o: o.update(code="x"), "structure", "Observation.code"),
    "no type contained": (
        lambda o: o.update(contained=[{"id": "p"}]),
        "structure",
        "Observation.contained[0]",
    ),
    "no type of R4": (
        lambda o: o.update(contained=[{"resourceType": "Thing", "id": "p"}]),
        "structure",
        "Observation.contained[0]",
    ),
    "no XHTML": (
        lambda o: o.update(text={"status": "generated", "div": "<p>x</p>"}),
        "value",
        "Observation.text.div",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_with_its_place(name: str) -> None:
    change, code, expression = FAULTS[name]
    assert found(changed(change)) == [(code, expression)]


@pytest.mark.xdist_group("validators")
def test_others_see_these_faults_too(validators: Validators) -> None:
    unseen = [name for name, (change, *_) in FAULTS.items() if not validators.faults([changed(change)])]
    assert validators.faults([OBSERVATION]) == []
    # They follow no references into the resource, read no narratives, and pass over what is empty.
    assert set(unseen) == {
        *("wrong target contained", "nothing contained", "no XHTML"),
        *("an empty array", "an empty text", "extension of a complex element"),
    }


def test_what_is_no_resource_of_the_type_is_told() -> None:
    values: list[Any] = [None, [], "x", {}, {"resourceType": "Patient"}, {"resourceType": ["Observation"]}]
    for value in values:
        assert found(value) == [("structure", "Observation")]


def test_required_bindings_of_coded_concepts_want_one_coding_of_theirs() -> None:
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    condition = {"resourceType": "Condition", "subject": {"reference": "Patient/1"}}
    for coding, is_good in (
        ([{"system": system, "code": "active"}], True),
        ([{"system": "http://example.org", "code": "x"}, {"system": system, "code": "active"}], True),
        ([{"system": "http://example.org", "code": "active"}], False),
        ([{"system": system, "code": ["active"]}], False),
    ):
        told = found(condition | {"clinicalStatus": {"coding": coding}}, "Condition")
        assert (("code-invalid", "Condition.clinicalStatus") not in told) == is_good


def test_values_of_several_with_extensions() -> None:
    names = {"given": ["A", None], "_given": [None, {"extension": [{"url": "u:a", "valueCode": "x"}]}]}
    assert found({"resourceType": "Patient", "name": [names]}, "Patient") == []
    assert found({"resourceType": "Patient", "name": [{"given": [None]}]}, "Patient") == [
        ("value", "Patient.name[0].given[0]")
    ]


def test_contained_resources_refer_to_each_other() -> None:
    pair = [
        {"resourceType": "Device", "id": "d", "patient": {"reference": "#p"}},
        {"resourceType": "Patient", "id": "p", "link": [{"other": {"reference": "#d"}, "type": "refer"}]},
    ]
    assert found({"resourceType": "Basic", "code": {"text": "a"}, "contained": pair}, "Basic") == [
        ("value", "Basic.contained[1].link[0].other")
    ]


def test_there_is_an_end_to_issues_and_to_depth() -> None:
    flood = changed(lambda o: o.update({f"x{number}": 1 for number in range(1000)}))
    assert len(issues(flood, "Observation")) == MAX_ISSUES
    deep: dict[str, Any] = {"url": "u:x"}
    for _ in range(900):
        deep = {"url": "u:x", "extension": [deep]}
    told = issues(changed(lambda o: o.update(extension=[deep])), "Observation")
    assert [issue.code for issue in told] == ["too-long"]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            "date",
            ["2026", "2026-03", "2024-02-29"],
            ["26", "2026-13", "2026-02-29", "2026-03-01T00:00:00Z", 2026],
        ),
        (
            "dateTime",
            ["2026", "2026-03-01T10:00:60.5+14:00"],
            ["2026-03-01T10:00", "2026-03-01T10:00:00", ""],
        ),
        ("instant", ["2026-03-01T10:00:00Z"], ["2026-03-01", "2026-03-01T24:00:00Z"]),
        ("time", ["10:00:00", "23:59:59.123"], ["10:00", "24:00:00", "10:00:00Z"]),
        ("boolean", [True, False], ["true", 1, None]),
        ("integer", [0, -(2**31)], [2**31, True, "1", 1.0]),
        ("unsignedInt", [0], [-1]),
        ("positiveInt", [1], [0]),
        ("decimal", [1, loads('{"a":1.50}')["a"]], ["1", True, None]),
        ("oid", ["urn:oid:1.2.3"], ["1.2.3", "urn:oid:3.1"]),
        ("uuid", ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"], ["c757873d-ec9a-4326-a141-556f43239520"]),
        ("base64Binary", ["YQ==", "YWJj\nYWJj"], ["YQ=", "Y", "a b c!", ""]),
        ("code", ["a", "a b"], [" a", "a  b", "a ", ""]),
        ("uri", ["urn:x"], ["a b", ""]),
        ("string", ["a\nb", " "], ["", "\x00", 1]),
    ],
)
def test_forms_of_primitives(kind: str, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if expected(kind, value)] == []
    assert [value for value in bad if not expected(kind, value)] == []


def test_every_primitive_type_has_a_form() -> None:
    assert len(TEXTS) == 14  # and integer, unsignedInt, positiveInt, boolean, decimal, xhtml: 20 types of R4


@pytest.mark.parametrize("resource_type", PARAMETERS)
def test_what_is_answered_is_valid(world: World, resource_type: str) -> None:
    for resource in world.resources(resource_type):
        assert found(loads(dumps(resource)), resource_type) == []
    bundle = world.client.get(f"/fhir/{resource_type}?_count=1000").content
    assert found(loads(bundle), "Bundle") == []
    for path in ("metadata", "Nothing"):
        answer = loads(world.client.get(f"/fhir/{path}").content)
        assert found(answer, answer["resourceType"]) == []


def places(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Every member of every object within."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield value, name
            yield from places(member)
    elif isinstance(value, list):
        for member in value:
            yield from places(member)


SPOILING: list[Callable[[dict[str, Any], str], object]] = [
    lambda parent, name: parent.pop(name),
    lambda parent, name: parent.update({name: [parent[name]]}),
    lambda parent, name: parent.update({name: {"colour": "red"}}),
    lambda parent, name: parent.update({name: 17}),
    lambda parent, name: parent.update({name: "no such code"}),
    lambda parent, name: parent.update({f"{name}Other": parent[name]}),
]


@pytest.mark.xdist_group("validators")
@pytest.mark.parametrize("resource_type", PARAMETERS)
def test_others_judge_spoilt_resources_alike(
    world: World, validators: Validators, resource_type: str
) -> None:
    """Whatever is spoilt anywhere, at the place or by its loss: what one calls wrong, so does the other.

    But invariants and links within a document are theirs alone, and they pass over empty objects, numbers
    for objects, and the form of references to any type.
    """
    generator = random.Random(resource_type)
    whole = dumps(max(world.resources(resource_type), key=lambda one: len(dumps(one))))
    judged = set()
    for _ in range(60):
        resource = loads(whole)
        parent, name = generator.choice([p for p in places(resource) if p[1] != "resourceType"])
        generator.choice(SPOILING)(parent, name)
        ours, theirs = issues(resource, resource_type), validators.faults([resource])
        if not ours and theirs and all(": Constraint " in one or 'got "urn:uuid:' in one for one in theirs):
            continue
        if not theirs:
            ours = [issue for issue in ours if issue.message not in (EMPTY, NO_REFERENCE)]
        assert bool(ours) == bool(theirs), (dumps(resource), ours, theirs)
        judged.add(bool(ours))
    assert judged == {True, False}
