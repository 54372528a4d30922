"""The Capabilities Description (PS3.18 8.9, Annex H): what the services offer, in WADL or as JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import orjson
from starlette.requests import Request
from starlette.responses import Response

from dicomweb.media_types import Representation, acceptable, select
from dicomweb.request import header, service_url
from dicomweb.transaction import Endpoint, Parameter, Transaction, template_of

WADL = "application/vnd.sun.wadl+xml"
_NAMESPACE = "http://wadl.dev.java.net/2009/02"
_OFFERS = (Representation(WADL), Representation("application/xml"), Representation("application/json"))


@dataclass
class _Node:
    """A resource: what is done on it, and the resources below."""

    transactions: list[Transaction] = field(default_factory=list)
    below: dict[str, "_Node"] = field(default_factory=dict)

    def at(self, path: str) -> "_Node":
        """The resource at a path below, made where it was not."""
        node = self
        for part in path.strip("/").split("/"):
            node = node.below.setdefault(part, _Node()) if part else node
        return node


class Capabilities:
    """The Retrieve Capabilities transaction."""

    def __init__(self, transactions: Iterable[Transaction], root: str) -> None:
        """root: the path of the services."""
        self._root = root
        self._tree = _Node()
        for transaction in transactions:
            self._tree.at(transaction.template).transactions.append(transaction)

    def of(self, path: str) -> Endpoint:
        """What retrieves the description of a resource and of what is below it.  path: of its route."""
        path = template_of(path)
        node = self._tree.at(path)
        allowed = ", ".join(sorted({transaction.method for transaction in node.transactions} | {"OPTIONS"}))

        async def retrieve(request: Request) -> Response:
            form = select(acceptable(header(request, b"accept")), _OFFERS)
            base = service_url(request, self._root)
            is_json = form.media_type == "application/json"
            content = orjson.dumps(_json(node, path, base)) if is_json else _wadl(node, path, base)
            return Response(content, headers={"Allow": allowed, "Vary": "Accept"}, media_type=form.media_type)

        return retrieve


def _json(node: _Node, path: str, base: str) -> dict[str, Any]:
    """The tree of the WADL document, in JSON."""
    return {
        "base": base,
        "resources": [_json_resource(path.strip("/"), node)] if path.strip("/") else _json_below(node),
    }


def _json_below(node: _Node) -> list[dict[str, Any]]:
    return [_json_resource(part, below) for part, below in node.below.items()]


def _json_resource(path: str, node: _Node) -> dict[str, Any]:
    methods = [
        {
            "name": t.method,
            "id": _identifier(t.name),
            "section": t.section,
            "parameters": [
                {"name": p.name, "meaning": p.meaning, "example": p.example} for p in t.parameters
            ],
            "takes": t.takes,
            "answers": t.answers,
        }
        for t in node.transactions
    ]
    return {"path": path, "methods": methods, "resources": _json_below(node)}


def _wadl(node: _Node, path: str, base: str) -> bytes:
    application = Element("application", {"xmlns": _NAMESPACE})
    resources = SubElement(application, "resources", {"base": base})
    if path.strip("/"):
        _add_resource(resources, path.strip("/"), node)
    else:
        _add_below(resources, node)
    content: bytes = tostring(application, encoding="utf-8", xml_declaration=True)
    return content


def _add_below(parent: Element, node: _Node) -> None:
    for part, below in node.below.items():
        _add_resource(parent, part, below)


def _add_resource(parent: Element, path: str, node: _Node) -> None:
    resource = SubElement(parent, "resource", {"path": path})
    for transaction in node.transactions:
        _add_method(resource, transaction)
    _add_below(resource, node)


def _add_method(resource: Element, transaction: Transaction) -> None:
    attributes = {"name": transaction.method, "id": _identifier(transaction.name)}
    method = SubElement(resource, "method", attributes)
    request = SubElement(method, "request")
    _add_header(request, "Accept", transaction.answers)
    _add_header(request, "Content-Type", transaction.takes)
    for parameter in transaction.parameters:
        _add_parameter(request, parameter)
    response = SubElement(method, "response", {"status": " ".join(str(int(one)) for one in transaction.done)})
    for media_type in transaction.answers:
        SubElement(response, "representation", {"mediaType": media_type})


def _add_header(request: Element, name: str, values: Sequence[str]) -> None:
    if values:
        param = SubElement(request, "param", {"name": name, "style": "header", "default": values[0]})
        for value in values:
            SubElement(param, "option", {"value": value})


def _add_parameter(request: Element, parameter: Parameter) -> None:
    required = "true" if parameter.required else "false"
    SubElement(request, "param", {"name": parameter.name, "style": "query", "required": required})


def _identifier(name: str) -> str:
    """As Table H-1 names it, in one word."""
    return "".join(word.capitalize() for word in name.split())
