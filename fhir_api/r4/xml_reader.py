"""Resources from XML (FHIR R4 2.6.1), as JSON has them (2.6.2)."""

import re
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element as Node
from xml.etree.ElementTree import ParseError, register_namespace, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from fhir_api.r4.definitions import RESOURCE, Element, is_resource, structure
from fhir_api.r4.xml_writer import NAMESPACE, XHTML

MAX_DEPTH = 64

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,9})?")
_FHIR = f"{{{NAMESPACE}}}"
_SCHEMA_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"

register_namespace("", XHTML)  # so that a narrative is written as it came, without prefixes


def from_xml(text: bytes) -> dict[str, Any]:
    """The resource, its decimals with all their digits.

    Elements that its type does not know are kept under their names, so that a check sees them.
    Raises ValueError when this is no XML, declares a document type, is nested deeper than MAX_DEPTH, or is no
    resource of R4.
    """
    try:
        root = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, LookupError) as error:
        raise ValueError("expected well-formed XML, without a document type (DOCTYPE)") from error
    return _resource(root, 0)


def _resource(node: Node, depth: int) -> dict[str, Any]:
    name = _name(node)
    if not node.tag.startswith(_FHIR) or not is_resource(name):
        raise ValueError(f"expected a resource of R4 in the namespace {NAMESPACE}")
    members = _complex(node, name, depth + 1)
    if "resourceType" in members:
        raise ValueError("resourceType is no member of a resource in XML, whose name tells its type")
    return {"resourceType": name, **members}


def _complex(node: Node, type_name: str, depth: int) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise ValueError(f"elements are nested deeper than {MAX_DEPTH}")
    known = structure(type_name)
    members: dict[str, Any] = {n: v for n, v in node.items() if not n.startswith(_SCHEMA_INSTANCE)}
    by_name: dict[str, list[Node]] = {}
    for child in node:
        by_name.setdefault(_name(child), []).append(child)
    for name, nodes in by_name.items():
        element = known.get(name)
        if element is not None and element.is_primitive:
            members |= _primitives(element, nodes, depth)
        else:
            values = [_value(element, one, depth) for one in nodes]
            members[name] = values if len(values) > 1 or (element and element.is_list) else values[0]
    return members


def _value(element: Element | None, node: Node, depth: int) -> dict[str, Any]:
    if element is None:
        return _complex(node, "", depth + 1)
    if element.type != RESOURCE:
        return _complex(node, element.type, depth + 1)
    if len(node) != 1:
        raise ValueError(f"{element.name}: expected one resource inside")
    return _resource(node[0], depth + 1)


def _primitives(element: Element, nodes: list[Node], depth: int) -> dict[str, Any]:
    """The members for the values and for what extends them, with null where there is none."""
    values, extras = zip(*(_primitive(element, one, depth) for one in nodes), strict=True)
    members = {element.name: values, f"_{element.name}": extras}
    is_list = element.is_list or len(nodes) > 1
    return {
        name: list(told) if is_list else told[0]
        for name, told in members.items()
        if any(one is not None for one in told)
    }


def _primitive(element: Element, node: Node, depth: int) -> tuple[Any, dict[str, Any] | None]:
    if element.type == "xhtml":
        node.tail = None
        return tostring(node, encoding="unicode"), None
    text = node.get("value")
    if text is not None and len(node) == 0 and len(node.keys()) == 1:  # as nearly all are
        return _typed(element.type, text), None
    extra = _complex(node, "Element", depth + 1)
    extra.pop("value", None)
    if text is None:
        return (None, extra) if extra else ("", None)
    return _typed(element.type, text), extra or None


def _typed(kind: str, text: str) -> Any:
    """The value as JSON has it; as text where it is not of its type, so that a check sees it."""
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind in ("integer", "positiveInt", "unsignedInt") and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "decimal" and _DECIMAL.fullmatch(text):
        return Decimal(text)
    return text


def _name(node: Node) -> str:
    """The local name; that of XHTML is `div` alone, so no other namespace is taken for FHIR's."""
    if node.tag.startswith(_FHIR):
        return node.tag[len(_FHIR) :]
    return "div" if node.tag == f"{{{XHTML}}}div" else node.tag
