"""What clients post to ask for something: a body of bounded length, Parameters in it (FHIR R4 3.2.0)."""

from typing import Any

import orjson
from starlette.requests import Request

from fhir_api.formats import FORMATS
from fhir_api.outcome import RequestFault, invalid

MAX_BODY = 64 * 1024  # bytes

_INVALID = "expected a Parameters resource, each of whose parameters has a name and one simple value"


async def body_of(request: Request) -> bytes:
    """The body of a request that asks for something. Raises RequestFault (413)."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise RequestFault(413, "too-long", f"a request takes at most {MAX_BODY} bytes")
    return bytes(body)


async def parameters_of(request: Request) -> list[tuple[str, str]]:
    """Names and values of posted Parameters, values as they stand in a query; none without a body.

    Raises RequestFault: 400, 413, 415.
    """
    body = await body_of(request)
    if not body.strip():
        return []
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in FORMATS or "json" not in media_type:
        raise RequestFault(415, "not-supported", "parameters are taken as JSON", "Content-Type")
    try:
        resource = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestFault(400, "structure", "the body is no JSON") from error
    if not isinstance(resource, dict) or resource.get("resourceType") != "Parameters":
        raise RequestFault(400, "invalid", _INVALID)
    given = resource.get("parameter", [])
    if not isinstance(given, list):
        raise RequestFault(400, "invalid", _INVALID)
    return [_pair(one) for one in given]


def _pair(parameter: Any) -> tuple[str, str]:
    members = parameter if isinstance(parameter, dict) else {}
    name, values = members.get("name"), [v for key, v in members.items() if key.startswith("value")]
    if not isinstance(name, str) or len(values) != 1:
        raise RequestFault(400, "invalid", _INVALID)
    if isinstance(values[0], bool) or not isinstance(values[0], str | int):
        raise invalid("Parameters", _INVALID)
    return name, str(values[0])
