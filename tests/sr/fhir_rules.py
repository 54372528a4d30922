"""A small check of what FHIR R4 requires of the resources that this package makes."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_DATE_TIME = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?")
_FORMS = {
    "code": re.compile(r"\S+( \S+)*"),
    "effectiveDateTime": _DATE_TIME,
    "issued": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
    "reference": re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}|urn:uuid:[0-9a-f-]{36}"),
    "started": _DATE_TIME,
    "system": re.compile(r"\S+"),
    "url": re.compile(r"\S+"),
    "valueDateTime": _DATE_TIME,
    "valueTime": re.compile(r"\d\d:\d\d:\d\d(\.\d+)?"),
}
_OBSERVATION_STATUS = set(
    ["registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"]
)
_DERIVED_FROM = {"DocumentReference", "ImagingStudy", "Media", "QuestionnaireResponse", "Observation"}
# Kinds that are made together, so that what refers to them must find them.
_MADE_TOGETHER = {
    *("Observation", "BodyStructure", "Device", "DocumentReference", "DiagnosticReport"),
    *("Practitioner", "PractitionerRole", "ServiceRequest"),
}
_REQUIRED: dict[str, tuple[str, ...]] = {
    "BodyStructure": ("patient",),
    "Bundle": ("identifier", "type", "timestamp", "entry"),
    "Device": (),
    "DiagnosticReport": ("status", "code"),
    "DocumentReference": ("status", "content"),
    "Endpoint": ("status", "connectionType", "payloadType", "address"),
    "ImagingStudy": ("status", "subject"),
    "Observation": ("status", "code"),
    "Patient": (),
    "Practitioner": (),
    "PractitionerRole": ("practitioner",),
    "Provenance": ("target", "recorded", "agent"),
    "ServiceRequest": ("status", "intent", "subject", "identifier"),
}


def faults(*resources: dict[str, Any]) -> list[str]:
    """What is wrong with resources that stand together; nothing when all is well."""
    known = Counter(f"{resource['resourceType']}/{resource['id']}" for resource in resources)
    found = [f"{name} stands {times} times" for name, times in known.items() if times > 1]
    for resource in resources:
        found += [f"{resource['resourceType']}: {fault}" for fault in _faults(resource, known.keys())]
    return found


def observations(resources: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The Observations by the positions of their content items."""
    found = {}
    for resource in resources:
        if resource["resourceType"] == "Observation":
            found[resource["identifier"][0]["value"].partition("#")[2]] = resource
    return found


def quantities(resources: Sequence[dict[str, Any]]) -> Counter[Decimal]:
    """All numbers that Observations and their components have as values, or as limits of normal ranges."""
    elements = [element for one in resources for element in (one, *one.get("component", []))]
    ranges = (one for element in elements for one in element.get("referenceRange", []))
    told = [element["valueQuantity"] for element in elements if "valueQuantity" in element]
    told += [one[limit] for one in ranges for limit in ("low", "high") if limit in one]
    return Counter(one["value"] for one in told)


def _faults(resource: dict[str, Any], known: Any) -> Iterator[str]:
    if not _ID.fullmatch(resource["id"]):
        yield f"id {resource['id']}"
    for name in _REQUIRED[resource["resourceType"]]:
        if name not in resource:
            yield f"no {name}"
    for name, value in _members(resource):
        yield from _member_faults(name, value, known)
    if resource["resourceType"] == "Observation":
        yield from _observation_faults(resource)


def _members(element: Any, name: str = "resource") -> Iterator[tuple[str, Any]]:
    yield name, element
    if isinstance(element, dict):
        for key, value in element.items():
            yield from _members(value, key)
    elif isinstance(element, list):
        for value in element:
            yield from _members(value, name)


def _member_faults(name: str, value: Any, known: Any) -> Iterator[str]:
    if value in (None, "", [], {}):
        yield f"empty {name}"
    if isinstance(value, float):
        yield f"a binary number in {name}"
    if not isinstance(value, str):
        return
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", value):
        yield f"a control character in {name}"
    if name in _FORMS and not _FORMS[name].fullmatch(value):
        yield f"{name} {value}"
    if name == "reference" and value.split("/")[0] in _MADE_TOGETHER and value not in known:
        yield f"no {value}"


def _observation_faults(observation: dict[str, Any]) -> Iterator[str]:
    if observation["status"] not in _OBSERVATION_STATUS:
        yield f"status {observation['status']}"
    for element in (observation, *observation.get("component", [])):
        values = [name for name in element if name.startswith("value")]
        if len(values) > 1 or (values and "dataAbsentReason" in element):
            yield f"more than one value: {values}"
        if not isinstance(element.get("valueQuantity", {}).get("value", Decimal()), Decimal):
            yield "a quantity that is no Decimal"
    for reference in observation.get("derivedFrom", []):
        kind = reference["reference"].split("/")[0] if "reference" in reference else reference["type"]
        if kind not in _DERIVED_FROM:
            yield "derivedFrom what R4 does not allow"
    has_value = any(name.startswith("value") for name in observation)
    components = observation.get("component", [])
    if has_value and any(_codings(observation) & _codings(component) for component in components):
        yield "obs-7: a value beside a component with the same code"


def _codings(element: dict[str, Any]) -> set[tuple[str | None, str]]:
    return {(coding.get("system"), coding["code"]) for coding in element["code"].get("coding", [])}
