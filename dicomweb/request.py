"""What a request says: its UIDs, its parameters, and the header fields that are heeded here."""

import re
from urllib.parse import parse_qsl

from starlette.requests import Request

from pacs.errors import InvalidIdentifier, InvalidQuery

_MAX_PARAMETERS = 1000

_UID = re.compile(r"[0-9.]{1,64}")
_NO_GZIP = re.compile(r"q\s*=\s*0(\.0*)?", re.ASCII)

# The parts of a path that are UIDs, from the outermost inwards, with the attribute that they are of.
_LEVELS = (("study", 0x0020000D), ("series", 0x0020000E), ("instance", 0x00080018))


def uids(request: Request) -> tuple[str, ...]:
    """The UIDs of the path: study, series, instance, as far as it goes.

    Raises InvalidIdentifier, naming the level, for what is no UID.
    """
    parts = request.path_params
    return tuple(check_uid(parts[level], level, tag) for level, tag in _LEVELS if level in parts)


def study_and_series(request: Request) -> tuple[str, str | None]:
    """The UIDs of the study, and of the series where the path names one. Raises InvalidIdentifier."""
    study, *series = uids(request)
    return study, series[0] if series else None


def check_uid(text: str, name: str, tag: int) -> str:
    """The UID, if it is one. Raises InvalidIdentifier, which names it."""
    if not _UID.fullmatch(text):
        raise InvalidIdentifier(f"{name}: expected a UID, which is at most 64 digits and dots", tag)
    return text


def parameters(request: Request) -> list[tuple[str, str]]:
    """Names and values of the query string, percent-decoded, in order. Raises InvalidQuery for a flood."""
    text = request.scope["query_string"].decode("latin-1")
    if not text:
        return []
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
    except ValueError as error:
        raise InvalidQuery(f"the query string has more than {_MAX_PARAMETERS} parameters") from error


def named_parameters(request: Request) -> dict[str, str]:
    """The parameters by name; of a repeated one the first counts."""
    return dict(reversed(parameters(request)))


def header(request: Request, name: bytes) -> str:
    """The values of a header field, joined by commas; empty when it is absent. name: in lower case."""
    return b",".join(value for key, value in request.scope["headers"] if key == name).decode("latin-1")


def accepts_gzip(request: Request) -> bool:
    """Whether the answer may be compressed with gzip (RFC 9110 12.5.3)."""
    for coding in header(request, b"accept-encoding").lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() in ("gzip", "x-gzip", "*"):
            return not _NO_GZIP.fullmatch(weight.strip())
    return False


def service_url(request: Request, root: str) -> str:
    """The absolute URL of the service, as this client reaches it.  root: its path, such as "/dicom-web"."""
    scope = request.scope
    host = header(request, b"host")
    if not host:
        name, port = scope.get("server") or ("localhost", None)
        host = name if port is None else f"{name}:{port}"
    return f"{scope['scheme']}://{host}{scope.get('root_path', '')}{root}"
