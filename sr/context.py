"""What holds for all that lies below an item of a report, gathered on the way down."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from sr.body_structure import Site
from sr.codes import Code
from sr.coding_schemes import NAMED
from sr.content_tree import Item, ObjectReference
from sr.imaging_selection import Selection
from sr.report_header import Header
from sr.roles import BY_CONCEPT, OTHER_SUBJECT, PATIENT, SUBJECT_CLASS, Role

_SUBJECT_CODES = {
    (NAMED[scheme], code) for (scheme, code), role in BY_CONCEPT.items() if role is Role.SUBJECT
}


@dataclass(frozen=True, slots=True)
class Context:
    """The context of a content item.

    path: the containers around, from the outermost, as CodeableConcepts.
    observed: the nearest Observation DateTime, a DT value.
    method: as a CodeableConcept.  performers: references.  device: a reference.
    studies: references to the studies of the images; empty for the report's own study.
    selections: the images, and regions in them.
    components: modifiers of the containers around, as FHIR components.
    """

    path: tuple[dict[str, Any], ...] = ()
    observed: str = ""
    site: Site = field(default_factory=Site)
    method: dict[str, Any] = field(default_factory=dict)
    performers: tuple[dict[str, Any], ...] = ()
    device: str = ""
    studies: tuple[dict[str, Any], ...] = ()
    selections: tuple[Selection, ...] = ()
    components: tuple[dict[str, Any], ...] = ()

    def below(self, container: dict[str, Any], components: Iterable[dict[str, Any]]) -> "Context":
        """The context of what a container holds, which has these components and no members of theirs.

        Images and regions are the container's alone; what it holds has only their studies.
        """
        return replace(
            self,
            path=(*self.path, container),
            selections=(),
            components=(*self.components, *(_restated(component) for component in components)),
        )

    def beside(self, subject: Iterable[Item]) -> tuple[dict[str, Any], ...]:
        """The components, but those that tell of a subject where these items name another."""
        if not any(item.key == SUBJECT_CLASS for item in subject):
            return self.components
        return tuple(one for one in self.components if not tells_subject(one))


def tells_subject(component: dict[str, Any]) -> bool:
    """Whether a component tells of whom a value is."""
    codings = component["code"].get("coding", [])
    return any((coding.get("system"), coding["code"]) in _SUBJECT_CODES for coding in codings)


def is_other_subject(items: Iterable[Item]) -> bool:
    """Whether subject context items tell of a fetus, a specimen or the like, and not of the patient."""
    keys = set()
    for item in items:
        if item.key == SUBJECT_CLASS and isinstance(item.value, Code):
            return item.value.key != PATIENT
        keys.add(item.key)
    return not keys.isdisjoint(OTHER_SUBJECT)


def image_studies(items: Iterable[Item], header: Header) -> tuple[str, ...]:
    """The Study Instance UIDs of the images that items refer to, or select a region in; each once."""
    uids = (
        header.evidence.get(below.value.sop_instance_uid, "")
        for item in items
        for below in item.walk()
        if isinstance(below.value, ObjectReference)
    )
    return tuple(dict.fromkeys(uid for uid in uids if uid))


def _restated(component: dict[str, Any]) -> dict[str, Any]:
    """A component to repeat below: its number as text and no range, so that a number is told only once."""
    if "valueQuantity" not in component:
        return {name: member for name, member in component.items() if name != "referenceRange"}
    number = component["valueQuantity"]
    text = f"{number['value']} {number.get('unit', '')}".strip()
    return {"code": component["code"], "valueString": text}
