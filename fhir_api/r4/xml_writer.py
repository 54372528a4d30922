"""Resources as XML (FHIR R4 2.6.1)."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import zip_longest
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from fhir_api.r4.definitions import RESOURCE, Element, structure

NAMESPACE = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"

_SPECIAL = re.compile('[\\x00-\\x1f&<>"\ud800-\udfff\ufffe\uffff]')
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_NO_CHARACTER = "\ufffd"  # in the place of what XML 1.0 cannot carry (2.2)
_INDENT = "  "


def to_xml(resource: Mapping[str, Any], is_pretty: bool = False) -> bytes:
    """The resource as UTF-8, its elements in the order of their definitions.

    resource: as `sr.fhir_json.loads` gives it; a Decimal is written with all its digits. It is not checked:
    what its type does not know is left out.
    """
    lines = _Writing(is_pretty)
    lines.resource(resource, f' xmlns="{NAMESPACE}"', 0)
    return "".join(lines.parts).encode()


def escaped(text: str) -> str:
    """The text as the value of an attribute; characters that XML has not become U+FFFD."""
    return _SPECIAL.sub(lambda found: _ESCAPED.get(found[0], _NO_CHARACTER), text)


class _Writing:
    """The parts of the document so far."""

    def __init__(self, is_pretty: bool) -> None:
        self.parts = ['<?xml version="1.0" encoding="UTF-8"?>']
        self._add = self.parts.append
        self._margin: Callable[[int], str] = (lambda depth: "\n" + _INDENT * depth) if is_pretty else _none

    def resource(self, resource: Mapping[str, Any], namespace: str, depth: int) -> None:
        name = escaped(str(resource.get("resourceType")))
        self._complex(name, name, resource, namespace, depth)

    def _complex(
        self, name: str, type_name: str, value: Mapping[str, Any], declared: str, depth: int
    ) -> None:
        """An element with children. declared: its namespace, or its value where it is primitive."""
        margin = self._margin(depth)
        attributes, children = _ordered(type_name, tuple(value))
        told = "".join(f' {one}="{escaped(str(value[one]))}"' for one in attributes)
        if not children:
            self._add(f"{margin}<{name}{told}{declared}/>")
            return
        self._add(f"{margin}<{name}{told}{declared}>")
        for element in children:
            member = value.get(element.name)
            if element.is_primitive:
                self._primitives(element, member, value.get(f"_{element.name}"), depth + 1)
            else:
                for one in member if isinstance(member, list) else (member,):
                    self._one(element, one, depth + 1)
        self._add(f"{margin}</{name}>")

    def _one(self, element: Element, value: Any, depth: int) -> None:
        if element.type != RESOURCE:
            self._complex(element.name, element.type, value, "", depth)
            return
        margin = self._margin(depth)
        self._add(f"{margin}<{element.name}>")
        self.resource(value, "", depth + 1)
        self._add(f"{margin}</{element.name}>")

    def _primitives(self, element: Element, values: Any, extras: Any, depth: int) -> None:
        if isinstance(values, list) or isinstance(extras, list):
            for value, extra in zip_longest(values or (), extras or ()):
                self._primitive(element, value, extra, depth)
        else:
            self._primitive(element, values, extras, depth)

    def _primitive(self, element: Element, value: Any, extra: Any, depth: int) -> None:
        if element.type == "xhtml":
            self._add(f"{self._margin(depth)}{_narrative(str(value))}")
            return
        told = "" if value is None else f' value="{_written(value)}"'
        if extra:
            self._complex(element.name, "Element", extra, told, depth)
        elif told:
            self._add(f"{self._margin(depth)}<{element.name}{told}/>")


@lru_cache(maxsize=1024)
def _ordered(type_name: str, members: tuple[str, ...]) -> tuple[list[str], list[Element]]:
    """Those of the members that the type knows: attributes, then elements, in the order of the definition.

    A primitive of which there are only extensions is among them. The same members come again and again.
    """
    known = structure(type_name)
    names = {name.removeprefix("_") for name in members} & known.keys()
    elements = sorted((known[name] for name in names), key=lambda element: element.position)
    attributes = [one.name for one in elements if one.is_attribute and one.name in members]
    return attributes, [one for one in elements if not one.is_attribute]


def _none(_depth: int) -> str:
    return ""


def _written(value: Any) -> str:
    if isinstance(value, str):
        return escaped(value) if _SPECIAL.search(value) else value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _narrative(div: str) -> str:
    """The XHTML as it is, or its text when it is no XML, which FHIR R4 2.4.0 forbids."""
    try:
        if fromstring(div).tag == f"{{{XHTML}}}div":
            return div.partition("?>")[2] if div.startswith("<?xml") else div
    except (ParseError, DefusedXmlException, ValueError):  # no XML, or none that is safe to read
        pass
    return f'<div xmlns="{XHTML}">{escaped(div)}</div>'
