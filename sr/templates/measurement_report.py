"""Measurement groups of PS3.16 TID 1410, 1411 and 1501, after HL7's "DICOM SR to FHIR Resource Mapping"."""

from types import UnionType
from typing import Any

from sr.body_structure import tracking_identifiers
from sr.codes import Code, Key
from sr.coding_schemes import UMLS
from sr.content_tree import Item
from sr.context import Context
from sr.observation import observation, refer, tell_values
from sr.roles import Role, parts_of
from sr.source_report import Report
from sr.values import value_members
from sr.walker import Walker

MEASUREMENT_GROUP: Key = ("DCM", "125007")
QUALITATIVE_EVALUATIONS: Key = ("UMLS", "C0034375")
FINDING: Key = ("DCM", "121071")
FINDING_CATEGORY: Key = ("SCT", "276214006")

_EVALUATION = {
    "coding": [{"system": UMLS, "code": "C0034375", "display": "Qualitative Evaluations"}],
    "text": "Qualitative Evaluations",
}


def measurement_group(walker: Walker, item: Item, context: Context) -> list[str]:
    """A measurement group: an Observation of the finding, whose members are measurements and evaluations.

    Its code is the finding's category, its value the finding. Site, method, tracking identifiers, images
    and regions of the group hold for its members too, unless they have their own.
    """
    report, parts, reference = walker.report, parts_of(item), walker.reference(item)
    own = walker.narrow(item, parts, context)
    said = [*parts[Role.CONTENT], *parts[Role.COMPONENT]]
    category = _first(said, FINDING_CATEGORY, Code)
    finding = _first(said, FINDING, Code | str)
    taken = [one for one in (category, finding) if one is not None]
    walker.ledger.tell([item, *taken], reference)
    components = [*walker.subject(item, parts), *walker.components(item, parts)]
    inner = walker.share(own, item, own.below(report.schemes.concept(item.concept), components))
    for one in taken:
        components += walker.flatten(one.children, reference)

    kind = category.value if category is not None and isinstance(category.value, Code) else item.concept
    identifiers = tracking_identifiers(parts[Role.TRACKING])
    group = report.schemes.concept(item.concept)
    resource = observation(report, item, own, report.schemes.concept(kind), [group], identifiers)
    tell_values(resource, _as_concept(finding, report) if finding else [], [*own.components, *components])
    walker.emit(resource)
    walker.derive(resource, parts, own)
    for child in parts[Role.CONTENT]:
        if child not in taken:
            refer(resource, "hasMember", _member(walker, child, inner))
    return [reference]


def _member(walker: Walker, item: Item, context: Context) -> list[str]:
    if item.value_type in ("CODE", "TEXT"):
        return walker.observe(item, context, [_EVALUATION], _as_concept(item, walker.report))
    if item.key != QUALITATIVE_EVALUATIONS:
        return walker.content(item, context)
    parts = parts_of(item)
    components = [*walker.subject(item, parts), *walker.components(item, parts)]
    own = walker.narrow(item, parts, context)
    inner = walker.share(own, item, own.below(_EVALUATION, components))
    return [reference for child in parts[Role.CONTENT] for reference in _member(walker, child, inner)]


def _first(items: list[Item], concept: Key, kind: type | UnionType) -> Item | None:
    """The first item of a concept that has a value of a kind."""
    return next((one for one in items if one.key == concept and isinstance(one.value, kind)), None)


def _as_concept(item: Item, report: Report) -> list[dict[str, Any]]:
    """The value of an evaluation, which is a CodeableConcept also where the report has a text."""
    values = value_members(item, report.schemes, report.header.zone)
    if item.value_type != "TEXT":
        return values
    return [{"valueCodeableConcept": {"text": value["valueString"]}} for value in values]
