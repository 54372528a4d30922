"""FHIR R4 Observations as dicts."""

from collections.abc import Sequence
from typing import Any

from sr.content_tree import Item
from sr.context import Context
from sr.identifiers import DICOM_IDENTIFIER_TYPE, uid_identifier
from sr.primitives import compact, dated, is_uid, string
from sr.roles import COMMENT, IDENTIFIER, is_remark
from sr.source_report import Report

Component = dict[str, Any]

# SOP Instance UID and position of the content item that an Observation was made of, parted by "#".
CONTENT_ITEM = "urn:x-dicom:content-item"

_IMAGING = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "imaging",
            "display": "Imaging",
        }
    ]
}


def observation(
    report: Report,
    item: Item,
    context: Context,
    code: dict[str, Any],
    categories: Sequence[dict[str, Any]] = (),
    identifiers: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """The Observation of an item in its context, without its value.

    code: CodeableConcept.  categories: besides imaging and the containers around.
    identifiers: besides the item's own, which are its place in the report and its Observation UID.
    """
    observed = context.observed or report.header.content_time
    return compact(
        {
            "resourceType": "Observation",
            "id": report.resource_id(item.position),
            **report.base,
            "identifier": [*_own_identifiers(report, item), *identifiers],
            "category": [_IMAGING, *categories, *context.path],
            "code": code,
            **dated("effectiveDateTime", observed, report.header.zone),
            "performer": list(context.performers),
            **context.site.members,
            "method": context.method,
            "device": {"reference": context.device} if context.device else {},
            "derivedFrom": [reference for reference in _derived_from(report, context) if reference],
            "note": _notes(item),
        }
    )


def tell_values(resource: dict[str, Any], values: list[dict[str, Any]], components: list[Component]) -> None:
    """Put an item's values and components into its Observation.

    Several values become components, as an Observation has room for one. So does a single value when a
    component has the same code, where FHIR forbids it above (obs-7).
    """
    code = resource["code"]
    if len(values) == 1 and not any(_share_coding(code, component["code"]) for component in components):
        resource.update(values[0])
    else:
        components = [*({"code": code, **value} for value in values), *components]
    if components:
        resource["component"] = components


def refer(resource: dict[str, Any], name: str, references: Sequence[str]) -> None:
    """Add references to a member such as hasMember."""
    if references:
        resource[name] = [*resource.get(name, []), *({"reference": reference} for reference in references)]


def _derived_from(report: Report, context: Context) -> list[dict[str, Any]]:
    """The images and regions, the studies of which none is selected, and the report itself."""
    selected = [one.reference for one in context.selections]
    named = {one["reference"] for one in selected}
    others = (one for one in context.studies or report.studies if one["reference"] not in named)
    return [*selected, *others, report.source]


def _own_identifiers(report: Report, item: Item) -> list[dict[str, Any]]:
    place = f"{string(report.header.sop_instance_uid)}#{item.position}"
    identifiers: list[dict[str, Any]] = [{"system": CONTENT_ITEM, "value": place}]
    for child in item.children:
        if is_remark(child, IDENTIFIER):
            system, _, value = str(child.value).partition("|")
            identifiers.append(compact({"system": system, "value": value}))
    if is_uid(item.observation_uid):
        identifiers.append(
            uid_identifier(item.observation_uid, DICOM_IDENTIFIER_TYPE, "observation-uid", "Observation UID")
        )
    return identifiers


def _notes(item: Item) -> list[dict[str, str]]:
    remarks = (child for child in item.children if is_remark(child, COMMENT))
    return [{"text": text} for child in remarks if (text := string(str(child.value)))]


def _share_coding(one: dict[str, Any], other: dict[str, Any]) -> bool:
    codings = {(coding.get("system"), coding.get("code")) for coding in one.get("coding", [])}
    return any((coding.get("system"), coding.get("code")) in codings for coding in other.get("coding", []))
