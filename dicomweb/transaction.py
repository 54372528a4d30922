"""What the services offer, as rows of a table that makes routes, capabilities, OpenAPI and conformance."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

Endpoint = Callable[[Request], Awaitable[Response]]

# RFC 9110 14.2 and 13.1: of answers that may be given in part, and of those that are given whole
IN_PART = (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.NOT_MODIFIED)
WHOLE = HTTPStatus.OK, HTTPStatus.NOT_MODIFIED
FOUND = (HTTPStatus.OK, HTTPStatus.NO_CONTENT)  # PS3.18 Table 10.6.3-1

_PLACEHOLDER = re.compile(r"\{(\w+)(:\w+)?\}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter.

    pattern: what a value must look like, as a regular expression of JSON Schema.
    example: a value that is understood.
    """

    name: str
    meaning: str
    example: str
    pattern: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction of PS3.18 on one resource.

    name: as the standard has it (Table H-1).
    path: below the service, with placeholders such as `{study}`.
    answers: the media types of answers, the preferred one first.
    takes: the media types of request bodies.
    done: the HTTP statuses of answers that refuse nothing.
    """

    name: str
    section: str
    method: str
    path: str
    endpoint: Endpoint
    answers: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    done: tuple[int, ...] = (HTTPStatus.OK,)

    @property
    def template(self) -> str:
        """The path as URI templates write it (RFC 6570)."""
        return template_of(self.path)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names of the placeholders in the path."""
        return tuple(name for name, _ in _PLACEHOLDER.findall(self.path))


def template_of(path: str) -> str:
    """The path of a route as a URI template."""
    return _PLACEHOLDER.sub(r"{\1}", path)
