"""What clients post to ask for something: Parameters (FHIR R4 3.2.0)."""

from typing import Any

from starlette.requests import Request

from fhir_api.outcome import RequestFault, invalid
from fhir_api.request_body import MAX_PARAMETERS, has_body
from fhir_api.request_body import resource as resource_of

_INVALID = "expected a Parameters resource, each of whose parameters has a name and one simple value"


async def parameters_of(request: Request) -> list[tuple[str, str]]:
    """Names and values of posted Parameters, values as they stand in a query; none without a body.

    Raises RequestFault: 400, 413, 415.
    """
    if not has_body(request):
        return []
    resource = await resource_of(request, MAX_PARAMETERS)
    if resource.get("resourceType") != "Parameters":
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
