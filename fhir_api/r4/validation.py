"""Whether a resource is as HL7's definitions of R4 want it: structure, types, codes, references.

Not looked at: invariants in FHIRPath, profiles other than the base definitions, extensions against their
definitions, and bindings that are not required or whose codes have no list in the definitions.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from fhir_api.r4.definitions import RESOURCE, Element, codes, is_resource, structure
from fhir_api.r4.primitives import expected

MAX_ISSUES = 100
MAX_DEPTH = 64
EMPTY = "expected a JSON object that is not empty"
NO_REFERENCE = "expected Type/id, an absolute URL, or # and the id of one contained"
_REFERENCE = re.compile(
    r"[A-Za-z]+/[A-Za-z0-9\-.]{1,64}(/_history/[A-Za-z0-9\-.]{1,64})?|[A-Za-z][A-Za-z0-9+.\-]*:\S+"
)
_MAX_TOLD_CODES = 20
_MAX_TOLD_NAME = 64


@dataclass(frozen=True, slots=True)
class Issue:
    """What is wrong, where.

    code: of http://hl7.org/fhir/issue-type.  expression: simple FHIRPath (FHIR R4 2.27.1, OperationOutcome).
    """

    code: str
    expression: str
    message: str


def issues(resource: Any, resource_type: str) -> list[Issue]:
    """What is wrong with what should be a resource of this type; at most MAX_ISSUES.

    resource: as `sr.fhir_json.loads` gives it.
    """
    check = _Check()
    with suppress(_Enough):
        check.resource(resource, resource_type, resource_type, 0)
    return check.found


class _Enough(Exception):
    """There are as many issues as one outcome tells."""


class _Check:
    def __init__(self) -> None:
        self.found: list[Issue] = []
        self._contained: dict[str, str | None] = {}

    def resource(self, value: Any, expected_type: str, path: str, depth: int) -> None:
        """expected_type: `Resource` where any may stand."""
        if not isinstance(value, dict):
            self._say("structure", path, "expected a resource, which is a JSON object")
            return
        told = value.get("resourceType")
        if not isinstance(told, str) or not is_resource(told):
            self._say("structure", path, "resourceType: expected the name of a type of R4")
        elif expected_type not in (told, RESOURCE):
            self._say("structure", path, f"expected a resource of the type {expected_type}")
        else:
            # One that contains none is itself contained, and may refer to its neighbours.
            outer, self._contained = self._contained, _contained(value) or self._contained
            self._complex({n: v for n, v in value.items() if n != "resourceType"}, told, path, depth)
            self._contained = outer

    def _complex(self, value: Any, type_name: str, path: str, depth: int) -> None:
        if not isinstance(value, dict) or not value:
            self._say("structure", path, EMPTY)
            return
        if depth > MAX_DEPTH:
            self._say("too-long", path, f"elements are nested deeper than {MAX_DEPTH}")
            return
        known = structure(type_name)
        present: dict[str, set[str]] = defaultdict(set)
        for name in value:
            element = known.get(name.removeprefix("_"))
            if element is None or (name.startswith("_") and not element.is_primitive):
                shown = name[:_MAX_TOLD_NAME]
                self._say("structure", path, f"{shown!r} is no element of {type_name}")
            else:
                present[element.definition].add(element.name)
        self._count(known.values(), present, path)
        for name in sorted({name for names in present.values() for name in names}):
            self._member(known[name], value.get(name), value.get(f"_{name}"), path, depth)

    def _count(self, known: Any, present: Mapping[str, set[str]], path: str) -> None:
        required = dict.fromkeys(element.definition for element in known if element.least)
        for definition in required:
            if definition not in present:
                self._say("required", path, f"{definition} is missing")
        for definition, names in present.items():
            if len(names) > 1:
                self._say(
                    "structure", path, f"{definition}: only one of {', '.join(sorted(names))} may stand"
                )

    def _member(self, element: Element, value: Any, extra: Any, path: str, depth: int) -> None:
        place = f"{path}.{element.definition.removesuffix('[x]')}"
        told = [one for one in (value, extra) if one is not None]
        if any(isinstance(one, list) != element.is_list for one in told) or not told:
            form = "an array" if element.is_list else "one value, not null and no array"
            self._say("structure", place, f"expected {form}")
            return
        if not element.is_list:
            self._one(element, value, extra, place, depth + 1)
            return
        if [] in told:
            self._say("structure", place, "an array is not empty")
        for index, (one, beside) in enumerate(zip_longest(value or (), extra or ())):
            self._one(element, one, beside, f"{place}[{index}]", depth + 1)

    def _one(self, element: Element, value: Any, extra: Any, place: str, depth: int) -> None:
        if element.type == RESOURCE:
            self.resource(value, RESOURCE, place, depth)
        elif not element.is_primitive:
            self._complex(value, element.type, place, depth)
            if isinstance(value, dict):
                self._reference(element, value, place)
                self._coded(element, value, place)
        else:
            if extra is not None:
                self._complex(extra, "Element", place, depth)
            if value is not None or extra is None:
                self._primitive(element, value, place)

    def _primitive(self, element: Element, value: Any, place: str) -> None:
        wanted = expected(element.type, value)
        if wanted:
            self._say("value", place, f"expected {wanted}")
        elif element.value_set and not any(value in listed for listed in codes(element.value_set).values()):
            self._say("code-invalid", place, f"not one of the codes of {_told(element.value_set)}")

    def _coded(self, element: Element, value: Mapping[str, Any], place: str) -> None:
        """A required binding of a Coding, or of one coding of a CodeableConcept (FHIR R4 2.22.1)."""
        if not element.value_set:
            return
        codings = [value] if element.type == "Coding" else value.get("coding", ())
        listed = codes(element.value_set)
        for one in codings if isinstance(codings, list) else ():
            if isinstance(one, dict) and one.get("code") in listed.get(str(one.get("system")), ()):
                return
        self._say("code-invalid", place, f"has no code of {_told(element.value_set)}")

    def _reference(self, element: Element, value: Mapping[str, Any], place: str) -> None:
        literal = value.get("reference")
        if element.type != "Reference" or not isinstance(literal, str):
            return
        if literal.startswith("#"):
            target = self._contained.get(literal[1:], "") if literal != "#" else None
            if target == "":
                self._say("not-found", place, "no resource contained here has this id")
        else:
            target = _target(literal)
            if not _REFERENCE.fullmatch(literal):
                self._say("value", place, NO_REFERENCE)
        if target and element.targets and target not in element.targets:
            self._say("value", place, f"may not refer to {target}, but to {', '.join(element.targets)}")

    def _say(self, code: str, expression: str, message: str) -> None:
        if len(self.found) == MAX_ISSUES:
            raise _Enough
        self.found.append(Issue(code, expression, message))


def _contained(resource: Mapping[str, Any]) -> dict[str, str | None]:
    """The types of the resources inside, by their ids; None where they have none."""
    inside = resource.get("contained")
    return {
        one["id"]: kind if isinstance(kind := one.get("resourceType"), str) and is_resource(kind) else None
        for one in (inside if isinstance(inside, list) else ())
        if isinstance(one, dict) and isinstance(one.get("id"), str)
    }


def _target(literal: str) -> str:
    """The type that a relative or RESTful reference leads to; "" where its form does not tell (2.3.0.2)."""
    parts = literal.partition("/_history/")[0].split("/")
    return parts[-2] if len(parts) > 1 and is_resource(parts[-2]) else ""


def _told(value_set: str) -> str:
    listed = [code for of_system in codes(value_set).values() for code in of_system]
    return f"{value_set}: {', '.join(listed)}" if len(listed) <= _MAX_TOLD_CODES else value_set
