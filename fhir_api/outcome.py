"""What goes wrong, as clients of FHIR read it: OperationOutcome (FHIR R4 3.1.0.8)."""

import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from starlette.responses import Response

from pacs.errors import (
    ArchiveError,
    AttributeEmpty,
    AttributeMissing,
    CannotDeidentify,
    CannotRender,
    DataSetTooLong,
    FrameNotFound,
    InstanceConflict,
    InvalidIdentifier,
    InvalidQuery,
    InvalidStep,
    MalformedObject,
    MismatchedObject,
    NotFound,
    OutOfSpace,
    PatientConflict,
    StepConflict,
    StorageFailed,
    TooManyMatches,
    UnsupportedObject,
    WorkitemConflict,
    WorkitemGone,
)

MEDIA_TYPE = "application/fhir+json"


class Gone(NotFound):
    """The resource was here, and went with its report or study."""


# The archive's errors, and one of ours: HTTP status, and the code of the issue (http://hl7.org/fhir/issue-type).
STATUS: Mapping[type[ArchiveError], tuple[int, str]] = {
    MalformedObject: (422, "structure"),
    InvalidIdentifier: (422, "value"),
    MismatchedObject: (409, "conflict"),
    UnsupportedObject: (422, "not-supported"),
    InstanceConflict: (409, "duplicate"),
    PatientConflict: (409, "conflict"),
    InvalidQuery: (400, "invalid"),
    TooManyMatches: (400, "too-costly"),
    DataSetTooLong: (413, "too-long"),
    InvalidStep: (422, "value"),
    AttributeMissing: (422, "value"),
    AttributeEmpty: (422, "value"),
    WorkitemConflict: (409, "conflict"),
    StepConflict: (409, "conflict"),
    NotFound: (404, "not-found"),
    FrameNotFound: (404, "not-found"),
    WorkitemGone: (410, "deleted"),
    Gone: (410, "deleted"),
    CannotRender: (406, "not-supported"),
    CannotDeidentify: (403, "forbidden"),
    StorageFailed: (500, "exception"),
    OutOfSpace: (507, "no-store"),
}

log = structlog.get_logger()

_SERVER_ERROR = "The archive could not do this; its log says why. The request itself may be sent again later."


class RequestFault(Exception):
    """A request that cannot be answered as it is.

    code: of the issue, of http://hl7.org/fhir/issue-type.
    message: what, where, why, and what to do; never a value that could identify a patient.
    parameter: the search parameter or header at fault, where there is one.
    expression: FHIRPath of what is at fault in a posted resource, where there is one.
    """

    def __init__(
        self, status: int, code: str, message: str, parameter: str = "", expression: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.parameter = parameter
        self.expression = expression


def invalid(parameter: str, message: str) -> RequestFault:
    """The fault of a parameter whose value cannot be understood."""
    return RequestFault(400, "invalid", f"{parameter}: {message}", parameter)


def outcome(status: int, code: str, message: str, parameter: str = "", expression: str = "") -> Response:
    """A response with one issue of severity error."""
    issue: dict[str, Any] = {"severity": "error", "code": code, "diagnostics": message}
    if parameter:
        issue["location"] = [f"http.{parameter}"]
    if expression:
        issue["expression"] = [expression]
    body = {"resourceType": "OperationOutcome", "issue": [issue]}
    return Response(orjson.dumps(body), status_code=status, media_type=MEDIA_TYPE)


def outcome_of(error: Exception) -> Response:
    """The response to an error. Of a failure inside the client learns no particulars; they are logged."""
    if isinstance(error, RequestFault):
        return outcome(error.status, error.code, str(error), error.parameter, error.expression)
    status, code = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), (500, "exception"))
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return outcome(status, code, str(error))
    log.error("fhir request failed", error=type(error).__name__, **_particulars(error))
    return outcome(status, code, _SERVER_ERROR)


def _particulars(error: Exception) -> dict[str, str]:
    """What may be logged of a failure: what caused it, or the text of a defect, may quote values."""
    if isinstance(error, ArchiveError):
        return {"message": str(error)}
    place = traceback.extract_tb(error.__traceback__)[-1:]
    return {"at": "".join(f"{one.filename}:{one.lineno}" for one in place)}
