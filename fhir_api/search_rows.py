"""What a resource says under its search parameters, as rows of the tables that searches compare with."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from fhir_api.conditions import LogicalReference, Reference
from fhir_api.matching import Resource, elements, references, stretches, texts, tokens
from fhir_api.search_table import PARAMETERS, Kind, SearchParameter

_LONGEST_VALUE = 1000  # characters; what is longer, is kept but not searched for


class _Said(NamedTuple):
    """A row of `fhir_search_value`, but for its resource."""

    name: str
    system: str
    value: str
    low: float | None = None
    high: float | None = None


class _Pair(NamedTuple):
    """A row of `fhir_search_pair`, but for its resource."""

    name: str
    system: str
    value: str
    part_system: str
    part_value: str
    low: float | None
    high: float | None


def search_values(made: Resource) -> list[dict[str, Any]]:
    """What a resource says under each search parameter; each once."""
    said = dict.fromkeys(row for parameter in _kept(made) for row in _said(made, parameter))
    return [row._asdict() for row in said if len(row.value) <= _LONGEST_VALUE]


def search_pairs(made: Resource) -> list[dict[str, Any]]:
    """What one element of a resource says under both parts of a composite; each once."""
    pairs = dict.fromkeys(row for parameter in _kept(made) for row in _pairs(made, parameter))
    return [row._asdict() for row in pairs if max(len(row.value), len(row.part_value)) <= _LONGEST_VALUE]


def _kept(made: Resource) -> Iterator[SearchParameter]:
    """The search parameters that have rows of their own."""
    return (one for one in PARAMETERS[made["resourceType"]] if not one.among)


def _pairs(made: Resource, parameter: SearchParameter) -> Iterator[_Pair]:
    if parameter.kind is not Kind.COMPOSITE:
        return
    first, second = parameter.parts
    for element in elements(made, parameter):
        for one in _said(element, first):
            for other in _said(element, second):
                yield _Pair(parameter.name, one.system, one.value, *other[1:])


def _said(made: Resource, parameter: SearchParameter) -> Iterator[_Said]:
    name = parameter.name
    match parameter.kind:
        case Kind.TOKEN | Kind.URI:
            yield from (_Said(name, one.system or "", one.value or "") for one in tokens(made, parameter))
        case Kind.STRING:
            yield from (_Said(name, "", text) for text in texts(made, parameter))
        case Kind.REFERENCE:
            yield from (_reference(one, parameter) for one in references(made, parameter))
        case _:
            for system, unit, (low, high) in stretches(made, parameter):
                yield _Said(name, system, unit, low, high)


def _reference(reference: Reference | LogicalReference, parameter: SearchParameter) -> _Said:
    if isinstance(reference, Reference):
        return _Said(parameter.name, "", reference.target)
    token = reference.token
    return _Said(f"{parameter.name}:identifier", token.system or "", token.value or "")
