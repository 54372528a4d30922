"""Estimates of the dose that organs of a patient received (PS3.16 TID 10031 to 10034).

A dose to an organ means nothing without the way in which it was estimated: method, model of the patient and
parameters stand beside each value. Nothing is added up, and none of it is the summary of a dose report.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sr.codes import Code, Key
from sr.content_tree import Item, ObjectReference
from sr.context import Context, image_studies
from sr.identifiers import study_reference, uid_identifier
from sr.observation import observation, refer, tell_values
from sr.primitives import is_uid
from sr.roles import Role, parts_of
from sr.walker import Walker

DOSE_ESTIMATE: Key = ("DCM", "128402")

_METHODOLOGY: Key = ("DCM", "128415")
_METHOD_TYPE: Key = ("DCM", "128477")
_REPORT_USED: Key = ("DCM", "128416")
# Things of which there may be several, so that properties of one would pass for those of another: Radiation
# Dose Estimate Representation, Patient Model Registration, X-Ray Beam Attenuator. One that has a value, which
# the standard does not know, is told like anything else that has
_THINGS = frozenset({("DCM", "128412"), ("DCM", "128456"), ("DCM", "128457")})


def dose_estimate(walker: Walker, item: Item, context: Context) -> list[str]:
    """A group of doses to organs, each with the method, model and parameters that it was estimated by."""
    parts, reference, schemes = parts_of(item), walker.reference(item), walker.report.schemes
    methodology = [child for child in parts[Role.CONTENT] if child.key == _METHODOLOGY]
    below = [one for child in methodology for one in child.walk()]
    own = _estimated(walker, item, below, walker.narrow(item, parts, context))
    things = [one for one in [*parts[Role.CONTENT], *below] if one.key in _THINGS and one.value is None]
    members = [walker.emit(_thing(walker, one, own)) for one in things]
    components = [*walker.components(item, parts), *walker.flatten(methodology, reference)]
    inner = own.below(schemes.concept(item.concept), components)
    told = {one.position for one in [*methodology, *things]}
    for child in parts[Role.CONTENT]:
        if child.position not in told:
            members += walker.content(child, inner)
    resource = observation(walker.report, item, own, schemes.concept(item.concept))
    tell_values(resource, [], [*own.components, *components])
    resource["derivedFrom"] = [*_reports_used(walker, below, reference), *resource.get("derivedFrom", [])]
    refer(resource, "hasMember", members)
    walker.derive(resource, parts, own)
    walker.ledger.tell([item, *methodology], reference)
    return [walker.emit(resource)]


def _estimated(walker: Walker, item: Item, methodology: list[Item], context: Context) -> Context:
    """The context with the method, and the studies of what it was applied to."""
    own = context
    for one in methodology:
        if one.key == _METHOD_TYPE and isinstance(one.value, Code):
            own = replace(own, method=walker.report.schemes.concept(one.value))
            walker.ledger.tell([one], walker.reference(item))
            break
    studies = image_studies(methodology[:1], walker.report.header)
    return replace(own, studies=tuple(map(study_reference, filter(is_uid, studies))) or own.studies)


def _reports_used(walker: Walker, methodology: list[Item], reference: str) -> Iterator[dict[str, Any]]:
    """The dose reports that were used, which may be kept elsewhere, by their identifiers."""
    for one in methodology:
        if one.key == _REPORT_USED and isinstance(one.value, ObjectReference):
            walker.ledger.tell([one], reference)
            yield {"type": "DocumentReference", "identifier": uid_identifier(one.value.sop_instance_uid)}


def _thing(walker: Walker, item: Item, context: Context) -> dict[str, Any]:
    """What belongs to an estimate and is no dose, with all that is said of it as components."""
    reference = walker.reference(item)
    resource = observation(walker.report, item, context, walker.report.schemes.concept(item.concept))
    walker.ledger.tell([item], reference)
    tell_values(resource, [], walker.flatten(item.children, reference))
    return resource
