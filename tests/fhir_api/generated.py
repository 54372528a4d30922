"""Valid resources of any type of R4, made from the table of its definitions by a seed."""

import random
from decimal import Decimal
from typing import Any

from fhir_api.r4.definitions import RESOURCE, Element, codes, structure

PRIMITIVES: dict[str, list[Any]] = {
    "string": ["a", "perché no", 'Tom & "Jerry" <b>', "two\nlines"],
    "markdown": ["*a*", "1 < 2"],
    "code": ["a", "a b"],
    "id": ["a-1.B"],
    "uri": ["urn:x:y", "http://example.org/a?b=c&d=e"],
    "url": ["http://example.org"],
    "canonical": ["http://example.org/a|1"],
    "oid": ["urn:oid:1.2.3"],
    "base64Binary": ["YQ=="],
    "date": ["2026", "2026-03", "2024-02-29"],
    "dateTime": ["2026", "2026-03-01T10:00:00.5+01:00"],
    "instant": ["2026-03-01T10:00:00Z"],
    "time": ["10:00:00"],
    "integer": [-5, 17],
    "unsignedInt": [3],
    "positiveInt": [1],
    "decimal": [Decimal("1.5"), Decimal("-0.25"), 7],
    "boolean": [True, False],
    "xhtml": ['<div xmlns="http://www.w3.org/1999/xhtml"><p>a &lt; b</p></div>'],
}
_DEPTH = 3  # below, only what must be is made


def resource(resource_type: str, seed: int) -> dict[str, Any]:
    """A resource with about half of the elements that it can have."""
    generator = random.Random(f"{resource_type} {seed}")
    return {"resourceType": resource_type, **_complex(resource_type, generator, 0)}


def _complex(type_name: str, generator: random.Random, depth: int) -> dict[str, Any]:
    by_definition: dict[str, list[Element]] = {}
    for element in structure(type_name).values():
        by_definition.setdefault(element.definition, []).append(element)
    members: dict[str, Any] = {}
    for choices in by_definition.values():
        element = generator.choice([one for one in choices if one.type != "uuid"])  # theirs know no uuid
        is_extension = element.type == "Extension"
        share = 0.0 if depth > _DEPTH else 0.05 if is_extension or element.type == RESOURCE else 0.5
        if element.least or generator.random() < share:
            members[element.name] = _values(element, generator, depth + 1)
    if type_name == "Extension" and set(members) <= {"id", "url"}:
        members["valueCode"] = "a"
    return members or {"id": "x"}


def _values(element: Element, generator: random.Random, depth: int) -> Any:
    number = generator.choice([1, 1, 2]) if element.is_list else 1
    values = [_value(element, generator, depth) for _ in range(number)]
    return values if element.is_list else values[0]


def _value(element: Element, generator: random.Random, depth: int) -> Any:
    if element.type == RESOURCE:
        return {"resourceType": "Basic", "id": "b", "code": {"text": "a"}}
    if element.value_set:
        system, listed = generator.choice([(s, c) for s, c in codes(element.value_set).items() if c])
        coding = {"system": system, "code": generator.choice(listed)}
        coded = {"code": coding["code"], "Coding": coding, "CodeableConcept": {"coding": [coding]}}
        return coded[element.type]
    if element.type == "Reference":
        return {"reference": f"{generator.choice(element.targets or ('Patient',))}/1"}
    if element.is_primitive:
        return generator.choice(PRIMITIVES[element.type])
    return _complex(element.type, generator, depth)
