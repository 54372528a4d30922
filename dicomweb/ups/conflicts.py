"""What a refused transaction answers: HTTP status and Warning (PS3.18 11.4.3 to 11.8.3)."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.data_set_body import BodyRefused
from dicomweb.problems import problem_of
from dicomweb.request import service_url
from dicomweb.warning import warn
from pacs.errors import (
    InvalidIdentifier,
    InvalidStep,
    MalformedObject,
    NotFound,
    Refusal,
    WorkitemConflict,
)

NOT_CLAIMED = "The target URI did not reference a claimed Workitem."
INCONSISTENT_UPDATE = "The submitted request is inconsistent with the current state of the Workitem."
INCONSISTENT_CHANGE = "The submitted request is inconsistent with the state of the UPS Instance."

Answers = Mapping[Refusal, tuple[int, str]]

# PS3.18 Table 11.4.3-1
CREATE: Answers = {Refusal.EXISTS: (409, "")}

# PS3.18 Table 11.6.3-1 and 11.6.3.2
UPDATE: Answers = {
    Refusal.FINAL: (400, INCONSISTENT_UPDATE),
    Refusal.TRANSACTION_UID_MISSING: (400, NOT_CLAIMED),
    Refusal.TRANSACTION_UID_INCORRECT: (400, NOT_CLAIMED),
    Refusal.NOT_IN_PROGRESS: (409, NOT_CLAIMED),
}

# PS3.18 Table 11.7.3-1 and 11.7.3.2
CHANGE_STATE: Answers = {
    Refusal.TRANSACTION_UID_MISSING: (400, "The Transaction UID is missing."),
    Refusal.TRANSACTION_UID_INCORRECT: (400, "The Transaction UID is incorrect."),
    Refusal.ONLY_CREATED_SCHEDULED: (400, INCONSISTENT_CHANGE),
    Refusal.FINAL: (409, INCONSISTENT_CHANGE),
    Refusal.IN_PROGRESS: (409, INCONSISTENT_CHANGE),
    Refusal.NOT_IN_PROGRESS: (409, INCONSISTENT_CHANGE),
    Refusal.FINAL_STATE_REQUIREMENTS: (409, INCONSISTENT_CHANGE),
}

# PS3.18 Table 11.8.3-1 and 11.8.3.2
REQUEST_CANCEL: Answers = {
    Refusal.COMPLETED: (409, "The UPS is already COMPLETED."),
    Refusal.PERFORMER_UNREACHABLE: (409, "The performer cannot be contacted."),
}

TRANSACTIONS: Mapping[str, Answers] = {
    "Create": CREATE,
    "Update": UPDATE,
    "Change State": CHANGE_STATE,
    "Request Cancellation": REQUEST_CANCEL,
}

# Whatever the state: what is wrong with the request itself, or with what it names
_REFUSED = (InvalidIdentifier, InvalidStep, MalformedObject, NotFound)

_Endpoint = Callable[[Any, Request], Awaitable[Response]]


def answering(answers: Answers, otherwise: str = "", absent: str = "") -> Callable[[_Endpoint], _Endpoint]:
    """Let an endpoint answer refusals as its transaction does.

    otherwise: what it warns of when the request fails for itself, whatever the state.
    absent: the same, when there is no such work item.
    """

    def decorate(endpoint: _Endpoint) -> _Endpoint:
        @wraps(endpoint)
        async def answer(resource: Any, request: Request) -> Response:
            try:
                return await endpoint(resource, request)
            except BodyRefused as error:
                response, text = error.response, otherwise
            except WorkitemConflict as error:
                status, text = answers[error.reason]
                response = problem_of(error, status)
            except _REFUSED as error:
                response, text = problem_of(error), absent if isinstance(error, NotFound) else otherwise
            return warn(response, service_url(request, resource.root), *((text,) if text else ()))

        return answer

    return decorate
