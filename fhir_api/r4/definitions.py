"""What HL7 defines of the types of FHIR R4 (4.0.1): their elements in order, and the codes they are bound to.

`definitions.json` is made by `tests/validators/r4_table.py` from HL7's StructureDefinitions and ValueSets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

RESOURCE = "Resource"


@dataclass(frozen=True, slots=True)
class Element:
    """A member of a type, as JSON names it.

    definition: the name in the definition, such as `value[x]` of `valueString`.
    position: in the type, and in XML.  type: primitive, complex or `Resource`; a part is named by its path.
    least: how many there are at least.  targets: types that a Reference may lead to; empty when any.
    value_set: of a required binding, as `codes` knows it; "" for none that is listed.
    """

    name: str
    definition: str
    position: int
    type: str
    least: int
    is_list: bool
    is_summary: bool
    is_modifier: bool
    is_attribute: bool
    targets: tuple[str, ...]
    value_set: str

    @property
    def is_primitive(self) -> bool:
        """Whether its value is a string, number or boolean of JSON."""
        return self.type[0].islower()


Structure = Mapping[str, Element]


@cache
def structure(type_name: str) -> Structure:
    """The elements of a complex type, of a part such as `Observation.component`, or of a resource type.

    By their names in JSON, in order, with those of the base type first. Empty for a type that is not of R4.
    """
    elements: dict[str, Element] = {}
    for row in _rows(type_name):
        last, flags, least, greatest, types, value_set = row
        for kind, targets in types.items():
            name = last.replace("[x]", kind[0].upper() + kind[1:])
            elements[name] = Element(
                name=name,
                definition=last,
                position=len(elements),
                type=kind,
                least=least,
                is_list=greatest is None,
                is_summary="S" in flags,
                is_modifier="M" in flags,
                is_attribute="A" in flags,
                targets=tuple(targets),
                value_set=value_set,
            )
    return elements


def is_resource(type_name: str) -> bool:
    """Whether this is a type of resources."""
    return type_name in _resource_types()


def codes(value_set: str) -> Mapping[str, list[str]]:
    """The codes of a value set, by their system."""
    listed: Mapping[str, list[str]] = _table()["codes"][value_set]
    return listed


@cache
def _resource_types() -> frozenset[str]:
    """All of them at once: a name may be anything that a client sends, and is not to be kept."""
    structures = _table()["structures"]
    kinds = {RESOURCE, "DomainResource"}
    return frozenset(one for one, told in structures.items() if told["base"] in kinds) - kinds


def _rows(type_name: str) -> list[list[Any]]:
    told = _table()["structures"].get(type_name)
    return [*_rows(told["base"]), *told["elements"]] if told else []


@cache
def _table() -> Any:
    return orjson.loads((Path(__file__).parent / "definitions.json").read_bytes())
