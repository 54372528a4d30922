"""Radiation dose reports (PS3.16 TID 10001, 10011 and 10021), after HL7's "Radiation Dose Summary" guide.

What was accumulated becomes one summary for each plane of the equipment, and for each report: nothing is
added up here, and no irradiation event is told beside the total that it is in.
"""

from collections.abc import Iterable
from typing import Any

from sr.codes import Key
from sr.coding_schemes import LOINC
from sr.content_tree import Item, Number
from sr.context import Context
from sr.identifiers import uid_identifier
from sr.observation import Component, observation, refer, tell_values
from sr.primitives import dated, is_uid, plain, string
from sr.roles import Role, parts_of
from sr.templates import generic
from sr.values import value_members
from sr.walker import Walker

X_RAY_REPORT: Key = ("DCM", "113701")
RADIOPHARMACEUTICAL_REPORT: Key = ("DCM", "113500")

_ACCUMULATED: tuple[Key, ...] = (
    ("DCM", "113702"),  # TID 10002, of one plane
    ("DCM", "113811"),  # TID 10012
    ("DCM", "113502"),  # TID 10022, of one administration
)
_EVENTS: tuple[Key, ...] = (("DCM", "113706"), ("DCM", "113819"))  # TID 10003 and 10013
_ORGAN_DOSE: Key = ("DCM", "113517")  # TID 10023: several, each of an organ of its own
_CALIBRATION: Key = ("DCM", "122505")
_PROCEDURE: Key = ("DCM", "121058")
_STARTS: tuple[Key, ...] = (("DCM", "113809"), ("DCM", "123003"))

_EVENT = "irradiation events are told on request; what they add up to is in the summary"
_OF_METER = "it tells of the calibration of the dose meter, not of the dose"

_DISPLAY = "Radiation exposure and protection information [Description] Document Diagnostic imaging"
_SUMMARY = {"coding": [{"system": LOINC, "code": "73569-6", "display": _DISPLAY}]}


def dose_report(walker: Walker, root: Item, context: Context) -> list[str]:
    """A summary for each container of accumulated values; all else but the events as it is."""
    parts = parts_of(root)
    if not any(item.key in _ACCUMULATED for item in parts[Role.CONTENT]):
        return generic.document(walker, root, context)
    own = walker.narrow(root, parts, context)
    inner = own.below(walker.report.schemes.concept(root.concept), ())
    around = [*parts[Role.COMPONENT], *(item for item in parts[Role.ASIDE] if item.key == _PROCEDURE)]
    references: list[str] = []
    for child in parts[Role.CONTENT]:
        if child.key in _ACCUMULATED:
            references += _summary(walker, child, own, around)
        elif child.key in _EVENTS and not walker.with_events:
            walker.ledger.pass_over(child, _EVENT)
        else:
            references += walker.content(child, inner)
    return references


def _summary(walker: Walker, item: Item, context: Context, around: list[Item]) -> list[str]:
    """One container of accumulated values. around: what the report says of all of them."""
    parts, reference, report = parts_of(item), walker.reference(item), walker.report
    own = walker.narrow(item, parts, context)
    components = [*_of_report(walker, around, reference), *walker.components(item, parts)]
    apart = []
    for child in parts[Role.CONTENT]:
        if child.key == _CALIBRATION:
            walker.ledger.pass_over(child, _OF_METER)
        elif _is_apart(child):
            apart.append(child)
        else:
            components += walker.flatten([child], reference)
    resource = observation(
        report, item, own, _SUMMARY, identifiers=_identifiers(report.header.sop_instance_uid)
    )
    resource |= _begun(walker, [*around, *item.children])
    if report.studies:
        resource["focus"] = list(report.studies)
    tell_values(resource, _told(components), components)
    walker.derive(resource, parts, own)
    inner = own.below(report.schemes.concept(item.concept), components)
    walker.ledger.tell([item], reference)
    walker.emit(resource)
    for child in apart:
        refer(resource, "hasMember", walker.content(child, inner))
    return [reference]


def _is_apart(item: Item) -> bool:
    """Whether it is of an organ or a side, or by a method, of its own, for which a component has no room."""
    return item.key == _ORGAN_DOSE or (isinstance(item.value, Number) and bool(item.children))


def _of_report(walker: Walker, around: Iterable[Item], reference: str) -> list[Component]:
    """Procedure, scope and time of the report as components, in each of its summaries. Numbers are none."""
    schemes, zone = walker.report.schemes, walker.report.header.zone
    components: list[Component] = []
    for item in around:
        if item.key in _STARTS or isinstance(item.value, Number):
            continue
        values = value_members(item, schemes, zone)
        components += [{"code": schemes.concept(item.concept), **value} for value in values]
        walker.ledger.tell([item] if values else [], reference)
        components += _of_report(walker, item.children, reference)
    return components


def _begun(walker: Walker, items: Iterable[Item]) -> dict[str, Any]:
    """When the irradiation, or the administration, began: the time of the summary."""
    for item in items:
        if item.key in _STARTS and isinstance(item.value, str):
            members = dated("effectiveDateTime", item.value, walker.report.header.zone)
            if members:
                walker.ledger.tell([item], walker.reference(item))
                return members
    return {}


def _told(components: list[Component]) -> list[dict[str, Any]]:
    """The quantities in words, as the guide asks."""
    words = []
    for component in components:
        if "valueQuantity" in component:
            quantity = component["valueQuantity"]
            label = component["code"].get("text", "")
            words.append(string(f"{label}: {plain(quantity['value'])} {quantity.get('unit', '')}"))
    return [{"valueString": "; ".join(words)}] if words else []


def _identifiers(sop_instance_uid: str) -> list[dict[str, Any]]:
    return [uid_identifier(sop_instance_uid)] if is_uid(sop_instance_uid) else []
