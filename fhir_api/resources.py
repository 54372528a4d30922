"""All resource types together: reading, and searching across references."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from fhir_api.answers import Addresses, Answer, Answerer, Page
from fhir_api.conditions import Condition, LogicalReference, Named, Reference, Text, Token, Window
from fhir_api.endpoints import Endpoints
from fhir_api.imaging_studies import ImagingStudies
from fhir_api.including import included
from fhir_api.kept_resources import KeptResources
from fhir_api.outcome import RequestFault
from fhir_api.patients import Patients
from fhir_api.persons import BY_NAME, begun_names, whole_names
from fhir_api.search_request import Chain, SearchRequest
from fhir_api.search_table import KEPT, PARAMETERS, parameter_of
from fhir_api.store import ResourceStore
from fhir_api.subset import WHOLE, Subset
from fhir_api.versions import Wanted
from pacs.archive import Archive
from sr.fhir_json import loads

MAX_CHAINED = 1000  # resources that a chained condition may lead over
MAX_PERSONS = 100  # whose names are looked for at once


_PERSON = "Practitioner"
_BY_ID = next(one for one in PARAMETERS[_PERSON] if one.name == "_id")
_ALL_PERSONS = Window(0, MAX_PERSONS, is_counted=False)


class Resources:
    """Finds who answers for a type, and follows chained conditions to theirs."""

    def __init__(
        self, archive: Archive, store: ResourceStore, others: Mapping[str, Answerer] | None = None
    ) -> None:
        """others: who answers for further types."""
        self._kept = {kept: KeptResources(store, kept) for kept in KEPT}
        self._answerers: Mapping[str, Answerer] = {
            "Patient": Patients(archive),
            "ImagingStudy": ImagingStudies(archive),
            "Endpoint": Endpoints(),
            **self._kept,
            **(others or {}),
        }
        self._studies_alone = ImagingStudies(archive, with_instances=False)

    def read(
        self, resource_type: str, resource_id: str, addresses: Addresses, subset: Subset = WHOLE
    ) -> Answer:
        """One resource of a type of the table. Raises NotFound.

        subset: what will be told of it; what is only looked up for the rest is not.
        """
        return self._answerer(resource_type, subset).read(resource_id, addresses)

    def version(self, resource_type: str, resource_id: str, version: str) -> Answer:
        """One version, present or past. Raises NotFound, RequestFault."""
        return self._versioned(resource_type).version(resource_id, version)

    def history(self, wanted: Wanted) -> list[Answer]:
        """Versions, the newest first. Raises NotFound, RequestFault."""
        return self._versioned(wanted.resource_type).history(wanted)

    def _versioned(self, resource_type: str) -> KeptResources:
        kept = self._kept.get(resource_type)
        if kept is None:
            message = f"{resource_type} is made from what is there now, and has no versions; see metadata"
            raise RequestFault(404, "not-supported", message)
        return kept

    def search(self, request: SearchRequest, addresses: Addresses) -> Page:
        """One page of what is asked, or an empty page with the count alone. Raises RequestFault."""
        conditions = [self._resolve(condition, addresses) for condition in request.conditions]
        answerer = self._answerer(request.resource_type, request.subset)
        if request.count_only:
            return Page((), False, answerer.count(conditions, addresses))
        page = answerer.page(conditions, request.window, addresses)
        total = page.total if request.window.is_counted else None
        if request.exact_total and total is None:
            total = answerer.count(conditions, addresses)
        beside = included(request.includes, page.answers, self._answerers, addresses)
        answers = [request.subset.of(one) for one in page.answers]
        return replace(page, answers=answers, total=total, included=beside)

    def _answerer(self, resource_type: str, subset: Subset) -> Answerer:
        """Who answers for a type; instances that would not be told are not looked up."""
        if resource_type == "ImagingStudy" and not subset.tells("ImagingStudy", "series", "instance"):
            return self._studies_alone
        if resource_type not in self._answerers:
            raise RequestFault(404, "not-supported", f"{resource_type} is not offered here; see metadata")
        return self._answerers[resource_type]

    def _resolve(self, condition: Condition | Chain, addresses: Addresses) -> Condition:
        """The condition with references to what the chain, or an identifier, leads to."""
        if condition.parameter.is_named:
            return Condition(condition.parameter, tuple(self._named(condition, addresses)))
        if isinstance(condition, Chain):
            found = self._references(condition.target, condition.inner, addresses)
            return Condition(condition.parameter, tuple(found))
        tokens = tuple(value.token for value in condition.values if isinstance(value, LogicalReference))
        if not tokens or condition.parameter.is_logical:
            return condition
        values = list(condition.values)
        for target in condition.parameter.targets:
            identifier = parameter_of(target, "identifier")
            if identifier is not None:
                values += self._references(target, Condition(identifier, tokens), addresses)
        return Condition(condition.parameter, tuple(values))

    def _named(self, condition: Condition | Chain, addresses: Addresses) -> Iterator[Named]:
        """Persons by name: as a chain asks, or else as the Practitioners are called that are asked for."""
        if isinstance(condition, Chain) and condition.inner.parameter.name in BY_NAME:
            texts = (value for value in condition.inner.values if isinstance(value, Text))
            return begun_names(condition.inner.parameter.name, texts)
        plain = replace(condition.parameter, is_named=False)
        asked = self._resolve(replace(condition, parameter=plain), addresses)
        targets = (value.target for value in asked.values if isinstance(value, Reference))
        ids = (name for kind, _, name in (target.partition("/") for target in targets) if kind == _PERSON)
        tokens = tuple(dict.fromkeys(Token(None, name) for name in ids))
        if len(tokens) > MAX_PERSONS:
            name = condition.parameter.name
            raise RequestFault(400, "too-costly", f"{name}: more than {MAX_PERSONS} persons match; ask less")
        found = self._answerers[_PERSON].page([Condition(_BY_ID, tokens)], _ALL_PERSONS, addresses).answers
        return (name for answer in found for name in whole_names(loads(answer.content)))

    def _references(self, target: str, inner: Condition, addresses: Addresses) -> list[Reference]:
        ids = self._answerers[target].ids([inner], MAX_CHAINED + 1, addresses)
        if len(ids) > MAX_CHAINED:
            name = inner.parameter.name
            raise RequestFault(
                400, "too-costly", f"{name}: more than {MAX_CHAINED} {target}s match; ask less"
            )
        return [Reference(f"{target}/{one}") for one in ids]


def is_known(resource_type: str) -> bool:
    """Whether there are resources of this type here."""
    return resource_type in PARAMETERS
