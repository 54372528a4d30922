"""How normal a value is (PS3.16 TID 310 and 312): reference ranges and interpretations."""

from collections.abc import Iterable, Mapping
from typing import Any

from sr.codes import Code, Key
from sr.coding_schemes import CodingSchemes
from sr.content_tree import Item, Number
from sr.context_groups import concepts_of
from sr.primitives import compact, string
from sr.units import quantity

_NORMALITY: Key = ("DCM", "121402")
_POPULATION: Key = ("DCM", "121405")
_DESCRIPTION: Key = ("DCM", "121407")
_AUTHORITY: Key = ("DCM", "121408")
_STATISTICS = concepts_of(221)  # what TID 311 tells of a population, or of the value among it

# PS3.16 CID 223
LIMITS: Mapping[Key, str] = {("SCT", "385524004"): "low", ("SCT", "371933006"): "high"}

# PS3.16 CID 222, as HL7 codes it
INTERPRETATIONS: Mapping[Key, tuple[str, str]] = {
    ("SCT", "17621005"): ("N", "Normal"),
    ("SCT", "263654008"): ("A", "Abnormal"),
    ("SCT", "371879000"): ("H", "High"),
    ("SCT", "371880002"): ("L", "Low"),
    ("SCT", "371934000"): ("IND", "Indeterminate"),
}
_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_MEANING = "http://terminology.hl7.org/CodeSystem/referencerange-meaning"
_NORMAL = {"coding": [{"system": _MEANING, "code": "normal", "display": "Normal Range"}]}


def normality(items: Iterable[Item], schemes: CodingSchemes) -> tuple[dict[str, Any], list[Item]]:
    """The members `interpretation` and `referenceRange` that children of one value become, and which do.

    A property with children of its own is left for others, and so is a limit that is no plain number.
    """
    properties = [one for one in items if one.relationship == "HAS PROPERTIES" and not one.children]
    judged = [(one, one.value) for one in properties if one.key == _NORMALITY and isinstance(one.value, Code)]
    ranges = _ranges(properties)
    told = [*(one for one, _ in judged), *(one for parts in ranges for one in parts.values())]
    members = {
        "interpretation": [_interpretation(code, schemes) for _, code in judged],
        "referenceRange": [_reference_range(parts) for parts in ranges],
    }
    return compact(members), told


def _interpretation(judgement: Code, schemes: CodingSchemes) -> dict[str, Any]:
    code, display = INTERPRETATIONS.get(judgement.key, ("", ""))
    coding = [{"system": _INTERPRETATION, "code": code, "display": display}] if code else []
    return {"coding": [*coding, *schemes.codings(judgement)], "text": string(judgement.label)}


def _ranges(properties: list[Item]) -> list[dict[Key, Item]]:
    """The parts of each normal range by their concepts. A part that the last range has begins another."""
    has_statistics = any(one.key in _STATISTICS for one in properties)
    ranges: list[dict[Key, Item]] = [{}]
    for one in properties:
        # A population is that of the statistics, where there are any.
        if _is_part(one) and not (one.key == _POPULATION and has_statistics):
            if one.key in ranges[-1]:
                ranges.append({})
            ranges[-1][one.key] = one
    return [parts for parts in ranges if not parts.keys().isdisjoint({*LIMITS, _DESCRIPTION})]


def _is_part(item: Item) -> bool:
    if item.key in LIMITS:
        number = item.value
        return isinstance(number, Number) and len(number.decimals) == 1 and number.qualifier is None
    is_text = item.value_type == "TEXT" and isinstance(item.value, str) and string(item.value) != ""
    return is_text and item.key in (_DESCRIPTION, _AUTHORITY, _POPULATION)


def _reference_range(parts: Mapping[Key, Item]) -> dict[str, Any]:
    limits = {
        LIMITS[key]: quantity(item.value.decimals[0], item.value.unit)
        for key, item in parts.items()
        if isinstance(item.value, Number)
    }
    texts = {key: string(str(item.value)) for key, item in parts.items() if key not in LIMITS}
    population = texts.pop(_POPULATION, "")
    return compact(
        {
            **limits,
            "type": _NORMAL,
            "appliesTo": [{"text": population}] if population else [],
            "text": "; ".join(texts.values()),
        }
    )
