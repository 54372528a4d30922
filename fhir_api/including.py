"""What a search gives beside its matches: what these refer to, or what refers to these (3.1.1.5.3)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from fhir_api.answers import Addresses, Answer, Answerer
from fhir_api.conditions import Condition, Reference, Token, Value, Window
from fhir_api.matching import references
from fhir_api.outcome import RequestFault
from fhir_api.search_request import Include
from fhir_api.search_table import parameter_of
from sr.fhir_json import loads

MAX_INCLUDED = 1000  # resources beside the matches of a page
_AT_ONCE = 200  # ids or references that one search asks for
_ALL = Window(0, MAX_INCLUDED + 1, is_counted=False)


def included(
    includes: Iterable[Include],
    matches: Sequence[Answer],
    answerers: Mapping[str, Answerer],
    addresses: Addresses,
) -> list[Answer]:
    """The resources that are to accompany the matches, each once, and none that is a match.

    Raises RequestFault when they are more than MAX_INCLUDED.
    """
    known = {(answer.resource_type, answer.resource_id) for answer in matches}
    found: list[Answer] = []
    for include in includes:
        way = _referring if include.is_reverse else _referred_to
        for answer in way(include, matches, answerers, addresses):
            name = (answer.resource_type, answer.resource_id)
            if name not in known:
                known.add(name)
                found.append(answer)
            if len(found) > MAX_INCLUDED:
                more = f"more than {MAX_INCLUDED} resources would be included; ask for less with _count"
                raise RequestFault(400, "too-costly", more)
    return found


def _referred_to(
    include: Include, matches: Sequence[Answer], answerers: Mapping[str, Answerer], addresses: Addresses
) -> Iterator[Answer]:
    by_type: dict[str, dict[str, None]] = {}
    for answer in matches:
        for reference in references(loads(answer.content), include.parameter):
            if isinstance(reference, Reference):
                kind, _, name = reference.target.partition("/")
                by_type.setdefault(kind, {})[name] = None
    for kind in include.targets:
        by_id = parameter_of(kind, "_id")
        if by_id is not None and kind in by_type:
            tokens = [Token(None, name) for name in by_type[kind]]
            for some in _chunks(tokens):
                condition = Condition(by_id, some)
                yield from answerers[kind].page([condition], _ALL, addresses).answers


def _referring(
    include: Include, matches: Sequence[Answer], answerers: Mapping[str, Answerer], addresses: Addresses
) -> Iterator[Answer]:
    targets = [Reference(f"{answer.resource_type}/{answer.resource_id}") for answer in matches]
    for some in _chunks(targets):
        condition = Condition(include.parameter, some)
        yield from answerers[include.source].page([condition], _ALL, addresses).answers


def _chunks(values: Iterable[Value]) -> Iterator[tuple[Value, ...]]:
    remaining = iter(values)
    while some := tuple(islice(remaining, _AT_ONCE)):
        yield some
