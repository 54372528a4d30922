"""The CapabilityStatement (FHIR R4 5.2), from the tables that requests are answered by."""

from collections.abc import Iterable
from typing import Any

from fhir_api.formats import FHIR_VERSION, FORMATS
from fhir_api.search_table import KEPT, PARAMETERS, SearchParameter, included_with, referring_to

# When what is told here last changed.
_DATE = "2026-11-23"

_INTERACTIONS = ("read", "search-type")
_CREATED = ("Observation",)
_DEFINITION = "http://hl7.org/fhir/SearchParameter"
_DOCUMENTATION = (
    "Searches go by GET, or by POST to _search. References also take the modifier :identifier, and one step "
    "of chaining, such as patient.identifier or part-of:ImagingStudy.identifier. Pages: _count (at most "
    "1000) and the next link. _sort orders what reports became by _id, _lastUpdated and its dates, with - in "
    "reverse. _include and _revinclude give one step of references. _summary=count gives the total alone. "
    "An Observation that is created refers to an ImagingStudy of this archive, becomes a DICOM report (TID "
    "1500) and is answered as that report tells it; what no report can hold is refused. A transaction is one "
    "report: a group and its members (hasMember, by fullUrl). A batch is of Observations that stand alone."
)


def capability_statement(base: str) -> dict[str, Any]:
    """What this server can do. base: its address."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _DATE,
        "kind": "instance",
        "software": {"name": "Diafana"},
        "implementation": {"description": "Images and reports of the archive", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": list(FORMATS),
        "rest": [
            {
                "mode": "server",
                "documentation": _DOCUMENTATION,
                "resource": [_resource(resource_type) for resource_type in PARAMETERS],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }


def _resource(resource_type: str) -> dict[str, Any]:
    told = {
        "type": resource_type,
        "interaction": [{"code": code} for code in _interactions(resource_type)],
        "conditionalCreate": resource_type in _CREATED,
        "versioning": "versioned" if resource_type in KEPT else "no-version",
        "referencePolicy": ["literal", "logical"],
        "searchInclude": _links(included_with(resource_type)),
        "searchRevInclude": _links(referring_to(resource_type)),
        "searchParam": [_parameter(parameter) for parameter in PARAMETERS[resource_type]],
    }
    return {name: member for name, member in told.items() if member != []}


def _interactions(resource_type: str) -> tuple[str, ...]:
    return (*_INTERACTIONS, "create") if resource_type in _CREATED else _INTERACTIONS


def _links(offered: Iterable[tuple[str, SearchParameter]]) -> list[str]:
    return [f"{source}:{parameter.name}" for source, parameter in offered]


def _parameter(parameter: SearchParameter) -> dict[str, str]:
    told = {
        "name": parameter.name,
        "definition": f"{_DEFINITION}/{parameter.definition}",
        "type": parameter.kind.value,
    }
    return told | ({"documentation": parameter.note} if parameter.note else {})
