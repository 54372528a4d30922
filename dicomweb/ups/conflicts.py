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
from pacs.errors import ArchiveError, InvalidStep, MalformedObject, Refusal, WorkitemConflict

_NOT_CLAIMED = "The target URI did not reference a claimed Workitem."
INCONSISTENT_UPDATE = "The submitted request is inconsistent with the current state of the Workitem."
INCONSISTENT_CHANGE = "The submitted request is inconsistent with the state of the UPS Instance."

Answers = Mapping[Refusal, tuple[int, str]]

# PS3.18 Table 11.4.3-1
CREATE: Answers = {Refusal.EXISTS: (409, "")}

# PS3.18 Table 11.6.3-1 and 11.6.3.2
UPDATE: Answers = {
    Refusal.FINAL: (400, INCONSISTENT_UPDATE),
    Refusal.TRANSACTION_UID_MISSING: (400, _NOT_CLAIMED),
    Refusal.TRANSACTION_UID_INCORRECT: (400, _NOT_CLAIMED),
    Refusal.NOT_IN_PROGRESS: (409, _NOT_CLAIMED),
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

_Endpoint = Callable[[Any, Request], Awaitable[Response]]


def answering(answers: Answers, otherwise: str = "") -> Callable[[_Endpoint], _Endpoint]:
    """Let an endpoint answer refusals as its transaction does.

    otherwise: what it warns of when the request fails for itself, whatever the state.
    """

    def decorate(endpoint: _Endpoint) -> _Endpoint:
        @wraps(endpoint)
        async def answer(resource: Any, request: Request) -> Response:
            try:
                return await endpoint(resource, request)
            except BodyRefused as error:
                return error.response
            except WorkitemConflict as error:
                conflict, (status, text) = error, answers[error.reason]
            except (InvalidStep, MalformedObject) as error:
                return _refused(request, resource.root, error, otherwise)
            return _refused(request, resource.root, conflict, text, status)

        return answer

    return decorate


def _refused(
    request: Request, root: str, error: ArchiveError, text: str, status: int | None = None
) -> Response:
    return warn(problem_of(error, status), service_url(request, root), *((text,) if text else ()))
