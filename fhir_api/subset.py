"""Parts of resources that clients ask for: _summary and _elements (FHIR R4 3.1.1.5.8 and 3.1.1.5.9)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fhir_api.answers import Answer
from fhir_api.outcome import RequestFault
from fhir_api.r4.definitions import Element, Structure, structure
from sr.fhir_json import dumps, loads

SUMMARIES = ("true", "text", "data", "count", "false")

_SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}
_ALWAYS = ("resourceType", "id", "meta")
_NAME = re.compile(r"[A-Za-z]{1,64}")
_MAX_ELEMENTS = 256


@dataclass(frozen=True, slots=True)
class Subset:
    """What of a resource is to be told: a summary, or else these elements, or else all of it.

    Mandatory elements always are; with `elements` also those that modify what the others mean.
    """

    summary: str = "false"
    elements: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self.summary == "false" and not self.elements

    def of(self, answer: Answer) -> Answer:
        """The answer with this part of its resource, which then bears the tag SUBSETTED."""
        if self.is_whole:
            return answer
        return replace(answer, content=dumps(subsetted(self._part(loads(answer.content)))))

    def tells(self, resource_type: str, element: str, part: str) -> bool:
        """Whether this part of an element is told, such as the part `instance` of `series`."""
        known = structure(resource_type)
        if not self._is_told(known[element]):
            return False
        return self.summary != "true" or _is_summary(structure(known[element].type)[part])

    def _part(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        known = structure(resource["resourceType"])
        if self.summary == "true":
            return _summary(resource, known)
        return {
            name: value
            for name, value in resource.items()
            if name in _ALWAYS or ((element := _element(known, name)) and self._is_told(element))
        }

    def _is_told(self, element: Element) -> bool:
        if self.summary == "true":
            return _is_summary(element)
        if self.summary == "text":
            return element.name == "text" or element.least > 0
        if self.summary == "data":
            return element.name != "text"
        named = {element.name, element.definition.removesuffix("[x]")}
        is_asked = not self.elements or not named.isdisjoint(self.elements)
        return is_asked or element.least > 0 or element.is_modifier


WHOLE = Subset()


def subset_of(resource_type: str, summary: str, elements: str, strict: bool) -> Subset:
    """What the values of `_summary` and `_elements` ask for; "" for a parameter that is absent.

    strict: refuse what is unknown, which is ignored otherwise. Raises RequestFault (400).
    """
    asked = [one.strip() for one in elements.split(",") if one.strip()]
    known = structure(resource_type).values()
    offered = {one.name for one in known} | {one.definition.removesuffix("[x]") for one in known}
    if len(asked) > _MAX_ELEMENTS:
        raise RequestFault(400, "too-costly", f"_elements: more than {_MAX_ELEMENTS} names", "_elements")
    for name in asked:
        if strict and name not in offered:
            shown = name if _NAME.fullmatch(name) else "a name"
            told = f"_elements: {shown} is no element of {resource_type}"
            raise RequestFault(400, "invalid", told, "_elements")
    if summary and summary not in SUMMARIES and strict:
        raise RequestFault(400, "not-supported", f"_summary: expected {', '.join(SUMMARIES)}", "_summary")
    if asked and summary in ("true", "text", "data"):
        raise RequestFault(400, "invalid", "_summary: ask for it, or for _elements, not for both", "_summary")
    return Subset(summary if summary in SUMMARIES else "false", tuple(asked))


def subsetted(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The resource with the tag that says that it is not told as a whole."""
    meta = resource.get("meta", {})
    tags = [one for one in meta.get("tag", ()) if one.get("code") != _SUBSETTED["code"]]
    return {**resource, "meta": {**meta, "tag": [*tags, _SUBSETTED]}}


def _summary(value: Mapping[str, Any], known: Structure) -> dict[str, Any]:
    """The members that belong to a summary, and of the parts of a resource theirs."""
    told: dict[str, Any] = {}
    for name, member in value.items():
        element = _element(known, name)
        if name in _ALWAYS:
            told[name] = member
        elif element is not None and _is_summary(element):
            told[name] = _parts(member, element) if "." in element.type else member
    return told


def _parts(member: Any, element: Element) -> Any:
    known = structure(element.type)
    if isinstance(member, list):
        return [_summary(one, known) for one in member]
    return _summary(member, known)


def _is_summary(element: Element) -> bool:
    return element.is_summary or element.least > 0


def _element(known: Structure, name: str) -> Element | None:
    return known.get(name.removeprefix("_"))
