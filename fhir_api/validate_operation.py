"""The operation $validate (http://hl7.org/fhir/OperationDefinition/Resource-validate, FHIR R4)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from fhir_api.answers import Answer
from fhir_api.outcome import MEDIA_TYPE, RequestFault, invalid
from fhir_api.r4.definitions import is_resource
from fhir_api.r4.validation import Issue, issues
from fhir_api.request_body import has_body, resource
from sr.fhir_json import loads

DEFINITION = "http://hl7.org/fhir/OperationDefinition/Resource-validate"

_BASE_PROFILE = "http://hl7.org/fhir/StructureDefinition/"
_MODES = ("create", "update", "delete", "profile")
_LOOKED_AT = (
    "Nothing was found that HL7's definitions of R4 forbid. Elements, cardinalities, types, codes of "
    "required bindings and targets of references were looked at; invariants, profiles and extensions not."
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """mode: "" when none is said.  profile: canonical URL, "" when none is said."""

    resource: Any
    mode: str
    profile: str


async def validated(
    request: Request, resource_type: str, resource_id: str, kept: Callable[[], Answer]
) -> Response:
    """An OperationOutcome on the resource of the body, or on the kept one where there is no body.

    resource_id: "" for the operation on the type.  kept: reads the resource with this id.
    Raises RequestFault where nothing can be looked at.
    """
    if not is_resource(resource_type):
        raise RequestFault(404, "not-supported", "this is no type of resources of R4")
    if request.method == "POST" and has_body(request):
        sent = await resource(request)
    elif resource_id:
        sent = loads((await run_in_threadpool(kept)).content)
    else:
        raise RequestFault(400, "required", "send the resource that is to be looked at")
    asked = _asked(request, sent, resource_type)
    found = await run_in_threadpool(_issues, asked, resource_type, resource_id)
    return Response(orjson.dumps(_outcome(found)), media_type=MEDIA_TYPE)


def _asked(request: Request, sent: dict[str, Any], resource_type: str) -> _Asked:
    """What the parameters of the address say, or those of the Parameters that were sent."""
    told = {name: request.query_params.get(name, "") for name in ("mode", "profile")}
    if sent.get("resourceType") == "Parameters" and resource_type != "Parameters":
        given = sent.get("parameter")
        parts = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
        told |= {str(one.get("name")): value for one in parts if (value := _value(one)) is not None}
        if "resource" not in told and told["mode"] != "delete":
            raise RequestFault(400, "required", "Parameters: expected a parameter `resource`")
    mode, profile = told["mode"], told["profile"]
    if mode not in ("", *_MODES):
        raise invalid("mode", f"expected one of {', '.join(_MODES)}")
    if not isinstance(profile, str) or (mode == "profile" and not profile):
        raise invalid("profile", "expected the canonical URL of a profile")
    return _Asked(told.get("resource", sent), mode, profile)


def _value(part: dict[str, Any]) -> Any:
    return next(
        (part[name] for name in ("resource", "valueCode", "valueUri", "valueCanonical") if name in part), None
    )


def _issues(asked: _Asked, resource_type: str, resource_id: str) -> list[Issue]:
    if asked.mode == "delete":
        return [Issue("not-supported", resource_type, "resources are not deleted by FHIR here")]
    found = issues(asked.resource, resource_type)
    named = asked.resource.get("id") if isinstance(asked.resource, dict) else None
    if asked.mode == "update" and named is None:
        found.append(Issue("required", f"{resource_type}.id", "id is missing, which an update needs"))
    if resource_id and named not in (None, resource_id):
        found.append(Issue("value", f"{resource_type}.id", "this is not the id of the address"))
    if asked.profile.partition("|")[0] not in ("", f"{_BASE_PROFILE}{resource_type}"):
        told = "this profile is not known here; the resource was held to the base definition only"
        found.append(Issue("not-supported", resource_type, told))
    return found


def _outcome(found: list[Issue]) -> dict[str, Any]:
    told: list[dict[str, Any]] = [
        {
            "severity": "error",
            "code": issue.code,
            "diagnostics": issue.message,
            "expression": [issue.expression],
        }
        for issue in found
    ]
    nothing = {"severity": "information", "code": "informational", "diagnostics": _LOOKED_AT}
    return {"resourceType": "OperationOutcome", "issue": told or [nothing]}
