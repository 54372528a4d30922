"""Conditional requests: what the client has already is not sent again (RFC 9110 13)."""

from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.media_types import Representation
from dicomweb.request import header

# Stored by the client alone, and asked for again each time, when it costs a 304 only.
_CACHE_CONTROL = "private, no-cache"


def entity_tag(form: Representation, *parts: object) -> str:
    """The tag of the form of what is fully described by these parts, such as a digest and frame numbers.

    It is weak for multipart bodies: their boundary differs each time.
    """
    described = repr((form.content_type, form.multipart, parts)).encode()
    tag = f'"{blake2b(described, digest_size=12).hexdigest()}"'
    return weak(tag) if form.multipart else tag


def weak(tag: str) -> str:
    """The tag of what may come in other bytes with the same meaning (RFC 9110 8.8.1)."""
    return tag if tag.startswith("W/") else f"W/{tag}"


def validators(tag: str, vary: str = "Accept") -> dict[str, str]:
    """The header fields by which the client asks again."""
    return {"ETag": tag, "Cache-Control": _CACHE_CONTROL, "Vary": vary}


def not_modified(request: Request, tag: str, vary: str = "Accept") -> Response | None:
    """The answer 304 when the client holds what bears this tag; None when it is to be sent."""
    held = header(request, b"if-none-match")
    if not held:
        return None
    tags = {one.strip().removeprefix("W/") for one in held.split(",")}
    if "*" not in tags and tag.removeprefix("W/") not in tags:
        return None
    return Response(status_code=304, headers=validators(tag, vary))
