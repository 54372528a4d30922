"""The search parameters of each resource: one table for searching, keeping and the CapabilityStatement."""

from collections.abc import Iterator, Mapping

from fhir_api.archive_parameters import ARCHIVE_PARAMETERS
from fhir_api.people_parameters import PEOPLE_PARAMETERS
from fhir_api.report_parameters import REPORT_PARAMETERS
from fhir_api.search_parameter import Kind as Kind
from fhir_api.search_parameter import SearchParameter as SearchParameter
from fhir_api.subscriptions.parameters import SUBSCRIPTION_PARAMETERS

PARAMETERS: Mapping[str, tuple[SearchParameter, ...]] = {
    **ARCHIVE_PARAMETERS,
    **REPORT_PARAMETERS,
    **PEOPLE_PARAMETERS,
    "Subscription": SUBSCRIPTION_PARAMETERS,
}

# What reports become; made when a report is stored, and kept.
KEPT = (*REPORT_PARAMETERS, *PEOPLE_PARAMETERS)

# What the index can be read in order of
_IN_ORDER = {"Patient": ("_id", "_lastUpdated"), "ImagingStudy": ("_id", "_lastUpdated", "started")}


def parameter_of(resource_type: str, name: str) -> SearchParameter | None:
    """The search parameter of a resource type by its name; None when there is none."""
    return next((p for p in PARAMETERS.get(resource_type, ()) if p.name == name), None)


def is_of_patients(resource_type: str) -> bool:
    """Whether resources of a type are about patients (the compartment of FHIR R4 2.1.0)."""
    return resource_type == "Patient" or parameter_of(resource_type, "patient") is not None


def sorts(resource_type: str) -> dict[str, SearchParameter]:
    """What `_sort` may name, up and down: ids, dates of what is kept, and what the index has in order."""
    in_index = _IN_ORDER.get(resource_type, ())
    ordered = [p for p in PARAMETERS[resource_type] if p.name in in_index or _is_in_order(resource_type, p)]
    return {f"{sign}{parameter.name}": parameter for parameter in ordered for sign in ("", "-")}


def _is_in_order(resource_type: str, parameter: SearchParameter) -> bool:
    is_single = parameter.kind is Kind.DATE or parameter.name == "_id"
    return resource_type in KEPT and is_single


def included_with(resource_type: str) -> Iterator[tuple[str, SearchParameter]]:
    """Types and parameters by which `_include` gives what resources of a type refer to."""
    for parameter in PARAMETERS[resource_type]:
        if parameter.is_literal and any(target in PARAMETERS for target in parameter.targets):
            yield resource_type, parameter


def referring_to(resource_type: str) -> Iterator[tuple[str, SearchParameter]]:
    """Types and parameters by which `_revinclude` gives what refers to resources of a type."""
    for source, parameters in PARAMETERS.items():
        for parameter in parameters:
            if resource_type in parameter.targets and parameter.is_literal:
                yield source, parameter
