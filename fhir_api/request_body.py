"""Bodies of requests: never longer than is said, and as a resource in JSON or XML."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from fhir_api.formats import FORMATS, XML, XML_TYPES
from fhir_api.outcome import MEDIA_TYPE, RequestFault
from fhir_api.r4.xml_reader import from_xml
from sr.fhir_json import loads

MAX_RESOURCE = 2 * 1024 * 1024  # bytes
MAX_PARAMETERS = 64 * 1024  # bytes of a form, or of Parameters, that ask for something


async def body(request: Request, limit: int) -> bytes:
    """All of the body. Raises RequestFault: 413 as soon as it is longer than `limit` bytes, 400 cut off."""
    received = bytearray()
    try:
        async for chunk in request.stream():
            received += chunk
            if len(received) > limit:
                raise RequestFault(413, "too-long", f"a body here has at most {limit} bytes")
    except ClientDisconnect as error:
        raise RequestFault(400, "incomplete", "the request broke off") from error
    return bytes(received)


def media_type(request: Request, missing: str = "") -> str:
    """The media type of the body, without its parameters. missing: what it is when the header is absent."""
    return request.headers.get("content-type", missing).partition(";")[0].strip().lower()


def has_body(request: Request) -> bool:
    """Whether the request brings anything."""
    headers = request.headers
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def resource(request: Request, limit: int = MAX_RESOURCE) -> dict[str, Any]:
    """The resource of the body, as `sr.fhir_json.loads` gives it; only its form is looked at.

    limit: bytes.  Raises RequestFault: 415 when it is neither JSON nor XML, 413 when it is too long, 400 when
    it cannot be read.
    """
    kind = media_type(request)
    if kind not in FORMATS:
        raise RequestFault(
            415, "not-supported", f"resources are taken as {MEDIA_TYPE} or {XML}", "Content-Type"
        )
    content = await body(request, limit)
    return await run_in_threadpool(_read, content, kind in XML_TYPES)


def _read(content: bytes, is_xml: bool) -> dict[str, Any]:
    try:
        return from_xml(content) if is_xml else loads(content)
    except RecursionError as error:
        raise RequestFault(400, "structure", "elements are nested too deeply") from error
    except ValueError as error:
        told = str(error) if is_xml else "the body is no JSON object"
        raise RequestFault(400, "structure", told) from error
