"""Which form of answer a client takes (FHIR R4 3.1.0.1.11), and how answers get it: JSON or XML."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from fhir_api.outcome import MEDIA_TYPE, RequestFault
from fhir_api.r4.xml_writer import to_xml
from sr.fhir_json import dumps, loads

FHIR_VERSION = "4.0.1"
XML = "application/fhir+xml"
JSON_TYPES = (MEDIA_TYPE, "application/json", "text/json", "json")
XML_TYPES = (XML, "application/xml", "text/xml", "xml")
FORMATS = (*JSON_TYPES, *XML_TYPES)

_ANY = ("*/*", "application/*")
_STRICT = re.compile(r"(^|[,;\s])handling\s*=\s*\"?strict\b", re.IGNORECASE)
_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Form:
    """How an answer is written."""

    is_xml: bool = False
    is_pretty: bool = False


JSON = Form()


def form_of(asked: str, accept: str, pretty: str = "") -> Form:
    """The form that a client prefers; JSON where it takes both alike.

    asked: the parameter `_format`, which goes before the header; "" when absent.  accept: the header.
    pretty: the parameter `_pretty`.  Raises RequestFault (406).
    """
    wanted = asked.replace(" ", "+") or accept  # an unescaped plus sign arrives as a blank
    ranges = [one for one in wanted.split(",") if one.strip()] or ["*/*"]
    json, xml = _quality(ranges, JSON_TYPES), _quality(ranges, XML_TYPES)
    if not json and not xml:
        named = "_format" if asked else "Accept"
        raise RequestFault(
            406, "not-supported", f"{named}: answers are given as {MEDIA_TYPE} or {XML}, of R4", named
        )
    return Form(xml > json, pretty.lower() == "true")


def form_for(request: Request, parameters: Mapping[str, str]) -> Form:
    """The form of the answer to a request with these parameters. Raises RequestFault (406)."""
    accept = request.headers.get("accept", "")
    return form_of(parameters.get("_format", ""), accept, parameters.get("_pretty", ""))


async def formed(response: Response, form: Form) -> Response:
    """The response in the form that its client takes, if it is a resource as JSON; else as it is."""
    response.headers.add_vary_header("Accept")
    if form == JSON or response.media_type != MEDIA_TYPE or not response.body:
        return response
    content = await run_in_threadpool(_written, bytes(response.body), form)
    headers = {n: v for n, v in response.headers.items() if n not in ("content-length", "content-type")}
    media_type = XML if form.is_xml else MEDIA_TYPE
    return Response(content, response.status_code, headers, media_type, response.background)


def is_strict(prefer: str) -> bool:
    """Whether the header Prefer wants unknown search parameters refused (FHIR R4 3.1.1.1.1)."""
    return _STRICT.search(prefer) is not None


def _written(content: bytes, form: Form) -> bytes:
    resource = loads(content)
    return to_xml(resource, form.is_pretty) if form.is_xml else dumps(resource, form.is_pretty)


def _quality(ranges: list[str], names: tuple[str, ...]) -> float:
    """How much a form is wanted, from 0 to 1: as the ranges say that name it, or else the wildcards."""
    found: dict[bool, list[float]] = {True: [], False: []}
    for one in ranges:
        media_type, *parameters = (part.strip().lower() for part in one.split(";"))
        named = dict(parameter.partition("=")[::2] for parameter in parameters)
        version = named.get("fhirversion", "4.0").strip('"')
        if media_type in (*names, *_ANY) and version in ("4.0", FHIR_VERSION):
            quality = named.get("q", "1")
            found[media_type in names].append(float(quality) if _QUALITY.fullmatch(quality) else 1.0)
    return max(found[True] or found[False], default=0.0)
