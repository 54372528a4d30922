"""What a resource says under each search parameter, and whether it fulfils a condition."""

from collections.abc import Iterator
from typing import Any

from fhir_api.conditions import Condition, LogicalReference, Reference, Text, Token, Value, normal_token
from fhir_api.search_table import Kind, SearchParameter
from fhir_api.spans import Stretch, of_moment, of_period
from pacs.query import fold

Resource = dict[str, Any]


def tokens(resource: Resource, parameter: SearchParameter) -> Iterator[Token]:
    """The codes and identifiers of a resource under a token parameter; a system is "" where there is none."""
    for element in elements(resource, parameter):
        yield from _tokens(element, parameter.system)


def references(resource: Resource, parameter: SearchParameter) -> Iterator[Reference | LogicalReference]:
    """The references of a resource under a reference parameter, literal and by identifier."""
    for element in elements(resource, parameter):
        if "reference" in element:
            yield Reference(element["reference"])
        if "identifier" in element:
            yield from (LogicalReference(token) for token in _tokens(element["identifier"], ""))


def texts(resource: Resource, parameter: SearchParameter) -> Iterator[str]:
    """The texts of a resource under a string parameter, as they are compared (pacs.query.fold)."""
    return (fold(text) for text in elements(resource, parameter))


def stretches(resource: Resource, parameter: SearchParameter) -> Iterator[tuple[str, str, Stretch]]:
    """System and code of the unit, and the stretch, of each date and quantity of a resource."""
    if parameter.kind is Kind.DATE:
        for element in elements(resource, parameter):
            stretch = of_moment(element) if isinstance(element, str) else of_period(element)
            if stretch is not None:
                yield "", "", stretch
    elif parameter.kind is Kind.QUANTITY:
        for element in elements(resource, parameter):
            number = float(element["value"])
            unit = element.get("code") or element.get("unit", "")
            yield element.get("system", ""), unit, Stretch(number, number)


def matches(resource: Resource, condition: Condition) -> bool:
    """Whether a resource fulfils a condition on tokens, references or texts."""
    parameter = condition.parameter
    match parameter.kind:
        case Kind.TOKEN | Kind.URI:
            said: list[Value] = list(tokens(resource, parameter))
        case Kind.REFERENCE:
            said = list(references(resource, parameter))
        case _:
            said = [Text(text) for text in texts(resource, parameter)]
    return any(_fits(one, wanted) for one in said for wanted in condition.values)


def _fits(said: Value, wanted: Value) -> bool:
    match said, wanted:
        case Token(), Token():
            is_system = wanted.system is None or wanted.system == said.system
            return is_system and (wanted.value is None or wanted.value == said.value)
        case LogicalReference(), LogicalReference():
            return _fits(said.token, wanted.token)
        case Text(), Text():
            return said.beginning.startswith(wanted.beginning)
    return said == wanted


def elements(resource: Resource, parameter: SearchParameter) -> Iterator[Any]:
    """What stands in a resource, or in an element, under the paths of a parameter."""
    for path in parameter.paths:
        yield from _walk(resource, path.split(".") if path else [])


def _walk(element: Any, steps: list[str]) -> Iterator[Any]:
    if isinstance(element, list):
        for one in element:
            yield from _walk(one, steps)
    elif not steps:
        yield element
    elif isinstance(element, dict):
        name, _, kept_type = steps[0].partition(":")
        below = element.get(name, [])
        if kept_type:
            below = [one for one in below if kept_type in (one.get("type"), _last_part(one.get("url", "")))]
        yield from _walk(below, steps[1:])


def _last_part(url: str) -> str:
    return url.rpartition(".")[2]


def _tokens(element: Any, system: str) -> Iterator[Token]:
    """Of a code, a Coding, a CodeableConcept or an Identifier (FHIR R4 3.1.1.4.10)."""
    if isinstance(element, str):
        yield Token(system, element)
    elif "coding" in element:
        for coding in element["coding"]:
            yield from _tokens(coding, "")
    elif value := element.get("code") or element.get("value"):
        yield normal_token(element.get("system", ""), value)
