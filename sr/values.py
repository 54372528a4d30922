"""The values of content items as the value[x] of FHIR Observations and their components."""

from typing import Any

from sr.codes import Code
from sr.coding_schemes import CodingSchemes
from sr.content_tree import Item, Number
from sr.names import readable_name
from sr.primitives import compact, date, dated, is_uid, string, time, uid_uri
from sr.units import quantity

_DATA_ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"

# PS3.16 CID 42 (DCM) as FHIR data absent reasons
ABSENT = {
    "114000": "not-a-number",
    "114001": "negative-infinity",
    "114002": "positive-infinity",
    "114003": "not-a-number",
    "114004": "error",
    "114005": "error",
    "114006": "error",
    "114007": "not-performed",
    "114008": "error",
    "114009": "error",
    "114010": "unknown",
    "114011": "unknown",
}


def value_members(item: Item, schemes: CodingSchemes, zone: str) -> list[dict[str, Any]]:
    """The members that tell the item's value: one set for each value, so usually one, and none without.

    zone: the offset that times without one are in, in FHIR's form; "" when unknown.
    A NUM item always has one: where it has no value, the reason for that.
    """
    if isinstance(item.value, Number):
        return _number(item.value, schemes)
    if isinstance(item.value, Code):
        return [{"valueCodeableConcept": schemes.concept(item.value)}]
    if isinstance(item.value, str):
        return _text(item.value_type, item.value, zone)
    return []


def absent(schemes: CodingSchemes, qualifier: Code | None = None) -> dict[str, Any]:
    """The member that says why there is no value."""
    scheme, value = qualifier.key if qualifier else ("", "")
    reason = ABSENT.get(value, "unknown") if scheme == "DCM" else "unknown"
    codings = [{"system": _DATA_ABSENT_REASON, "code": reason}]
    if qualifier is None:
        return {"dataAbsentReason": {"coding": codings}}
    codings += schemes.codings(qualifier)
    return {"dataAbsentReason": {"coding": codings, "text": string(qualifier.label)}}


def _number(number: Number, schemes: CodingSchemes) -> list[dict[str, Any]]:
    if not number.decimals and not number.text:
        return [absent(schemes, number.qualifier)]
    remark = {"interpretation": [schemes.concept(number.qualifier)]} if number.qualifier else {}
    if number.text:
        unit = number.unit.value if number.unit else ""
        return [{"valueString": string(f"{number.text} {unit}"), **remark}]
    return [{"valueQuantity": quantity(value, number.unit), **remark} for value in number.decimals]


def _text(value_type: str, text: str, zone: str) -> list[dict[str, Any]]:
    members: dict[str, Any] = {}
    match value_type:
        case "DATE":
            members = {"valueDateTime": date(text)}
        case "TIME":
            members = {"valueTime": time(text)}
        case "DATETIME":
            members = dated("valueDateTime", text, zone)
        case "UIDREF":
            members = {"valueString": uid_uri(text) if is_uid(text) else ""}
        case "PNAME":
            members = {"valueString": readable_name(text)}
    members = compact(members) or compact({"valueString": string(text)})
    return [members] if members else []
