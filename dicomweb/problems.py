"""Errors as clients read them: problem details in JSON (RFC 9457)."""

import logging
from http import HTTPStatus
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dicomweb.media_types import NotAcceptable
from dicomweb.multipart import MultipartError, PayloadTooLarge
from dicomweb.status import http_status
from pacs.errors import ArchiveError

MEDIA_TYPE = "application/problem+json"

_SERVER_ERROR = "The archive could not do this; its log says why. The request itself may be sent again later."

_REFUSALS = {
    404: "there is nothing at this path; OPTIONS of the service tells what there is",
    405: "the resource does not take this method; the Allow field tells which it takes",
}

_log = logging.getLogger(__name__)


def problem(status: int, detail: str, title: str = "", **members: str) -> Response:
    """A response that says what went wrong.

    title: what kind of problem it is; the phrase of the HTTP status when empty.
    detail: what, where and why here, and what to do. Never a value that could identify a patient.
    members: more to tell a program by, such as `parameter` or `error`; empty ones are left out.
    """
    body: dict[str, Any] = {
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **{name: value for name, value in members.items() if value},
    }
    return Response(orjson.dumps(body), status_code=status, media_type=MEDIA_TYPE)


def problem_of(error: ArchiveError, status: int | None = None) -> Response:
    """The response to an error of the archive. Of a failure inside it the client learns no particulars.

    status: where a transaction has one of its own.
    """
    status = status or http_status(error)
    tag = "" if error.tag is None else f"{error.tag:08X}"
    detail = str(error) if status < HTTPStatus.INTERNAL_SERVER_ERROR else _SERVER_ERROR
    return problem(status, detail, error=type(error).__name__, tag=tag)


async def answer_archive_error(request: Request, error: Exception) -> Response:
    """Exception handler for ArchiveError. Failures of the archive itself are logged with their message."""
    if not isinstance(error, ArchiveError):
        raise error
    response = problem_of(error)
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # The message only: what caused it may quote the values of a statement.
        _log.error("%s %s: %s: %s", request.method, request.url.path, type(error).__name__, error)
    return response


async def answer_not_acceptable(_: Request, error: Exception) -> Response:
    """Exception handler for NotAcceptable: 406, with what is on offer."""
    return problem(HTTPStatus.NOT_ACCEPTABLE, str(error), parameter="Accept")


async def answer_multipart_error(_: Request, error: Exception) -> Response:
    """Exception handler for MultipartError: 400, or 413."""
    too_large = isinstance(error, PayloadTooLarge)
    return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_large else HTTPStatus.BAD_REQUEST, str(error))


async def answer_http_exception(_: Request, error: Exception) -> Response:
    """Exception handler for what the framework refuses: unknown paths, methods that a resource has not."""
    if not isinstance(error, HTTPException):
        raise error
    response = problem(error.status_code, _REFUSALS.get(error.status_code, error.detail))
    response.headers.update(error.headers or {})
    return response


async def answer_unexpected(_: Request, __: Exception) -> Response:
    """Exception handler for defects of ours; the server logs them."""
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, _SERVER_ERROR)


def add_problem_handlers(app: Starlette) -> None:
    """Let the application answer all errors as problem details."""
    app.add_exception_handler(HTTPException, answer_http_exception)
    app.add_exception_handler(Exception, answer_unexpected)
    app.add_exception_handler(ArchiveError, answer_archive_error)
    app.add_exception_handler(NotAcceptable, answer_not_acceptable)
    app.add_exception_handler(MultipartError, answer_multipart_error)
