"""Resources as a transaction for a FHIR server of others (FHIR R4 3.1.0.11.2).

Others give their resources ids of their own. So each of ours is found there again by an identifier, made when
it is not there, and changed when it is: the same transaction twice changes nothing.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from sr.identifiers import DICOM_UID
from sr.primitives import uid_uri

# What a resource is called here, where it has no identifier that others know it by, too.
OWN_ID = "urn:x-dicom:fhir-id"

# The types that can bear an identifier of ours; all others stay here.
NAMED = (
    *("Observation", "DiagnosticReport", "DocumentReference", "BodyStructure"),
    *("Device", "Practitioner", "PractitionerRole", "ServiceRequest"),
)

# What others know better, and so is made where there is none, and never changed
_OF_OTHERS = ("Patient", "Practitioner", "PractitionerRole", "ServiceRequest")

# What belongs to one study alone, and so goes with it.
_REMOVED = ("ImagingStudy", "Observation", "DiagnosticReport", "DocumentReference", "BodyStructure")

Resource = Mapping[str, Any]
Name = tuple[str, str]  # type and id of one of our resources


def transaction(resources: Sequence[Resource], outdated: Iterable[Name] = ()) -> dict[str, Any]:
    """A Bundle that makes or changes these resources, and removes those that are outdated.

    Patients, persons and orders are made where there are none, and never changed: others know them better.
    References lead to resources of the bundle; others stay as identifiers, or are left out.
    """
    sent = [resource for resource in resources if resource["resourceType"] in _REQUESTS]
    urls = {_reference(resource): _url(resource) for resource in sent}
    entries = [
        {
            "fullUrl": urls[_reference(resource)],
            "resource": _outward(resource, urls),
            "request": _REQUESTS[resource["resourceType"]](resource),
        }
        for resource in sent
    ]
    removed = [
        {"request": {"method": "DELETE", "url": f"{kind}?{_criterion(*_identifier(kind, name))}"}}
        for kind, name in outdated
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": [*entries, *removed]}


def names(resources: Iterable[Resource]) -> set[Name]:
    """What can be outdated one day."""
    return {(one["resourceType"], one["id"]) for one in resources if one["resourceType"] in _REMOVED}


def _make(resource: Resource) -> dict[str, str]:
    # What shares its numbers with others, is found by none of them
    identifiers = () if "requisition" in resource else resource.get("identifier", ())
    identifier = next((i for i in identifiers if "system" in i and "value" in i), None)
    system, value = (identifier["system"], identifier["value"]) if identifier else (OWN_ID, resource["id"])
    return {"method": "POST", "url": resource["resourceType"], "ifNoneExist": _criterion(system, value)}


def _put(resource: Resource) -> dict[str, str]:
    criterion = _criterion(*_identifier(resource["resourceType"], resource["id"]))
    return {"method": "PUT", "url": f"{resource['resourceType']}?{criterion}"}


_REQUESTS = {**dict.fromkeys(("ImagingStudy", *NAMED), _put), **dict.fromkeys(_OF_OTHERS, _make)}


def _identifier(kind: str, name: str) -> tuple[str, str]:
    """System and value of the identifier by which a resource is found: a study has one that all know."""
    return (DICOM_UID, uid_uri(name)) if kind == "ImagingStudy" else (OWN_ID, name)


def _outward(resource: Resource, urls: Mapping[str, str]) -> dict[str, Any]:
    """The resource without what it is here alone: id, version, and references that lead nowhere there."""
    members = {name: value for name, value in resource.items() if name not in ("id", "meta")}
    outward: dict[str, Any] = _referring(members, urls)
    if tags := resource.get("meta", {}).get("tag"):
        outward["meta"] = {"tag": tags}
    if resource["resourceType"] in NAMED or not outward.get("identifier"):
        own = {"system": OWN_ID, "value": resource["id"]}
        outward["identifier"] = [*outward.get("identifier", []), own]
    return outward


def _referring(value: Any, urls: Mapping[str, str]) -> Any:
    """The value with all references as they are within the bundle; what is empty by that is left out.

    So are addresses of ours: under which base others could reach them is not known.
    """
    if isinstance(value, Mapping):
        kept = {
            name: _referring(one, urls)
            for name, one in value.items()
            if name != "reference" and not _is_own_address(name, one)
        }
        target = value.get("reference")
        if isinstance(target, str) and target in urls:
            kept["reference"] = urls[target]
        return {name: one for name, one in kept.items() if one not in ({}, [], None)}
    if isinstance(value, list):
        return [one for one in (_referring(each, urls) for each in value) if one not in ({}, [], None)]
    return value


def _is_own_address(name: str, value: Any) -> bool:
    return name == "url" and isinstance(value, str) and value.startswith("Binary/")


def _criterion(system: str, value: str) -> str:
    """A token of a search, in which some characters are escaped (FHIR R4 3.1.1.4.5)."""
    escaped = "".join(f"\\{character}" if character in "\\|,$" else character for character in value)
    return f"identifier={quote(f'{system}|{escaped}', safe='')}"


def _reference(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _url(resource: Resource) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{OWN_ID}:{_reference(resource)}')}"
