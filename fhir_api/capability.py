"""The CapabilityStatement (FHIR R4 5.2), from the tables that requests are answered by."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urljoin

from fhir_api.formats import FHIR_VERSION, FORMATS
from fhir_api.search_table import KEPT, PARAMETERS, SearchParameter, included_with, referring_to
from fhir_api.validate_operation import DEFINITION as VALIDATE

# When what is told here last changed.
_DATE = "2026-11-27"

_INTERACTIONS = ("read", "search-type")
_OF_KEPT = ("vread", "history-instance", "history-type")
# What types offer beyond those two
_FURTHER_INTERACTIONS = {
    **dict.fromkeys(KEPT, _OF_KEPT),
    "Observation": (*_OF_KEPT, "create"),
    "Subscription": ("create", "update", "delete"),
}
_ABOUT = {
    "Observation": "One that is created refers to an ImagingStudy of this archive, becomes a DICOM report "
    "(TID 1500) and is answered as that report tells it; what no report can hold is refused. A transaction "
    "is one report: a group and its members (hasMember, by fullUrl). A batch is of Observations that stand "
    "alone.",
    "Subscription": "Only rest-hook, to the addresses that this server may call, with the payload "
    "application/fhir+json or none. Criteria are searches of what reports became, or of ImagingStudy; a "
    "study is told of when it has come to rest. Submitted as requested or off; the values of header fields "
    "are not shown. A call that fails is made again for a week, and then the subscription is off, until it "
    "is requested again.",
}
_OPERATIONS = {
    "Patient": [
        {
            "name": "everything",
            "definition": "http://hl7.org/fhir/OperationDefinition/Patient-everything",
            "documentation": "Of one patient, with start, end, _since, _type and _count. _since holds for "
            "studies and what reports became; the patient and the Endpoint are always given.",
        }
    ]
}
_DEFINITION = "http://hl7.org/fhir/SearchParameter/"
_DOCUMENTATION = (
    "Searches go by GET, or by POST to _search. References also take the modifier :identifier, and one step "
    "of chaining, such as patient.identifier or part-of:ImagingStudy.identifier. Composites are two values "
    "joined by $, which both hold of one element. Pages: _count (at most "
    "1000) and the next link; _total=none leaves the total out. _sort orders what reports became by _id, "
    "_lastUpdated and its dates, studies by _id, _lastUpdated and started, and patients by _id and "
    "_lastUpdated, with - in reverse. _include and _revinclude give one step of references. "
    "_summary and _elements tell a part of what is found or read; _summary=count gives the total of a search "
    "alone. _format goes before Accept, and _pretty=true writes for people. "
    "Of what reports became, up to 20 past versions are kept; what was withdrawn with its report is answered "
    "with 410, and a history tells when. Histories go by pages, too, and take _since."
)
_VALIDATE = {
    "name": "validate",
    "definition": VALIDATE,
    "documentation": "Of any type of resources of R4, sent or kept. It looks at elements, cardinalities, "
    "types, codes of required bindings and targets of references; not at invariants, profiles, extensions.",
}
_BULK_DATA = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition"
_EXPORT = {"name": "export", "definition": f"{_BULK_DATA}/export"}
_EXPORT_OF_PATIENTS = {"name": "export", "definition": f"{_BULK_DATA}/patient-export"}

_BINARY = {
    "type": "Binary",
    "interaction": [{"code": "read"}],
    "versioning": "no-version",
    "documentation": "The original of an instance by its SOP Instance UID, as application/dicom; where it "
    "holds a document, that, unless application/dicom is asked for; each also as a resource in JSON.",
}


def capability_statement(base: str, may_subscribe: bool = False, may_export: bool = False) -> dict[str, Any]:
    """What this server can do. base: its address.

    may_subscribe, may_export: whether subscriptions can be made, and exports.
    """
    types = [one for one in PARAMETERS if one != "Subscription" or may_subscribe]
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
                "resource": [*(_resource(one, may_export) for one in types), _BINARY],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
                **({"operation": [_EXPORT]} if may_export else {}),
            }
        ],
    }


def _resource(resource_type: str, may_export: bool) -> dict[str, Any]:
    operations = [_VALIDATE, *_OPERATIONS.get(resource_type, ())]
    if may_export and resource_type == "Patient":
        operations.append(_EXPORT_OF_PATIENTS)
    codes = (*_INTERACTIONS, *_FURTHER_INTERACTIONS.get(resource_type, ()))
    told = {
        "type": resource_type,
        **({"documentation": _ABOUT[resource_type]} if resource_type in _ABOUT else {}),
        "interaction": [{"code": code} for code in codes],
        "conditionalCreate": resource_type == "Observation",
        "versioning": "versioned" if resource_type in (*KEPT, "Subscription") else "no-version",
        "readHistory": resource_type in KEPT,
        "referencePolicy": ["literal", "logical"],
        "searchInclude": _links(included_with(resource_type)),
        "searchRevInclude": _links(referring_to(resource_type)),
        "searchParam": [_parameter(parameter) for parameter in PARAMETERS[resource_type]],
        "operation": operations,
    }
    return {name: member for name, member in told.items() if member != []}


def _links(offered: Iterable[tuple[str, SearchParameter]]) -> list[str]:
    return [f"{source}:{parameter.name}" for source, parameter in offered]


def _parameter(parameter: SearchParameter) -> dict[str, str]:
    told = {
        "name": parameter.name,
        "definition": urljoin(_DEFINITION, parameter.definition),
        "type": parameter.kind.value,
    }
    return told | ({"documentation": parameter.note} if parameter.note else {})
