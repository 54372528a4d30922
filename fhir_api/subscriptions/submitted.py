"""What a client submits as a Subscription, read strictly: what would not be kept is refused."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from fhir_api.outcome import RequestFault
from fhir_api.spans import of_instant
from fhir_api.subscriptions.model import HIDDEN, Status, Submitted

PAYLOADS = ("application/fhir+json",)

MOST_CONTACTS = 10
MOST_HEADERS = 20
LONGEST = 2000  # characters of a text

_ELEMENTS = ("criteria", "reason", "end", "contact", "channel", "status")
# What the server says of it, or nobody needs
_PASSED_OVER = ("resourceType", "id", "meta", "text", "error")
_CHANNEL = ("type", "endpoint", "payload", "header")
# http://hl7.org/fhir/contact-point-system and contact-point-use
_CONTACT = {
    "system": ("phone", "fax", "email", "pager", "url", "sms", "other"),
    "use": ("home", "work", "temp", "old", "mobile"),
}
_TEXT = re.compile(r"[^\s\ud800-\udfff][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]*")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}):[ \t]*([\x21-\x7e][\x20-\x7e]{0,1899})")
# What carries the request itself is ours to say
_OUR_HEADERS = re.compile(
    "connection|content-length|content-type|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade",
    re.IGNORECASE,
)
# An address that all parsers read alike: no user, no fragment, nothing but visible ASCII
_ENDPOINT = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(\?[!-~]*)?")
_DOUBTFUL = re.compile(r"(^|/)(\.|%2e){1,2}(/|$)|%2f|%5c", re.IGNORECASE)


def read_submitted(resource: Mapping[str, Any], allowed: Iterable[str]) -> Submitted:
    """What a client submits as a Subscription. allowed: what addresses may begin with.

    Raises RequestFault (422) when it is none that can be kept.
    """
    if resource.get("resourceType") != "Subscription":
        raise _refused("resourceType", "expected a Subscription", "structure")
    _only(resource, (*_ELEMENTS, *_PASSED_OVER), "")
    content: dict[str, Any] = {name: _text(resource, name) for name in ("criteria", "reason")}
    if "contact" in resource:
        content["contact"] = [_contact(one) for one in _list(resource, "contact", MOST_CONTACTS)]
    ends = None
    if "end" in resource:
        ends = _end(resource)
        content["end"] = resource["end"]
    content["channel"] = _channel(resource, allowed)
    return Submitted(content, _status(resource), ends, str(resource.get("id", "")))


def with_kept_headers(content: dict[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The content with the header values that were shown as kept. before: the content that has them.

    Raises RequestFault (422) where none is kept for the server that is to be called: what one was told,
    which may be a password, is not for another.
    """
    kept: dict[str, list[str]] = {}
    if before is not None and _server(before) == _server(content):
        for line in before["channel"].get("header", ()):
            kept.setdefault(line.partition(":")[0], []).append(line)
    header = [
        _kept(line, kept) if line.endswith(f": {HIDDEN}") else line
        for line in content["channel"].get("header", ())
    ]
    return {**content, "channel": {**content["channel"], **({"header": header} if header else {})}}


def _kept(line: str, kept: Mapping[str, list[str]]) -> str:
    lines = kept.get(line.partition(":")[0])
    if not lines:
        raise _refused("channel.header", f"{HIDDEN} stands for no value that this server was told", "value")
    return lines.pop(0)


def _server(content: Mapping[str, Any]) -> tuple[str, str]:
    """Who is called, whatever the path."""
    endpoint = urlsplit(content["channel"]["endpoint"])
    return endpoint.scheme, endpoint.netloc


def is_allowed(endpoint: str, allowed: Iterable[str]) -> bool:
    """Whether an address begins with one of those that are allowed, up to the end of a path segment."""
    return any(re.match(f"{re.escape(prefix.rstrip('/'))}($|[/?])", endpoint) for prefix in allowed)


def is_endpoint(text: str) -> bool:
    """Whether this is an address that can be called and compared."""
    return _ENDPOINT.fullmatch(text) is not None and not _DOUBTFUL.search(text.partition("?")[0])


def _status(resource: Mapping[str, Any]) -> Status:
    """A client asks for it, or turns it off; the rest is the server's to say (R4, Subscription.status)."""
    status = resource.get("status")
    if status not in (Status.REQUESTED, Status.OFF):
        raise _refused("status", "submit it as requested or off; the server makes it active", "value")
    return Status(status)


def _channel(resource: Mapping[str, Any], allowed: Iterable[str]) -> dict[str, Any]:
    channel = resource.get("channel")
    if not isinstance(channel, dict):
        raise _refused("channel", "it is missing, or no object", "structure")
    if channel.get("type") != "rest-hook":
        raise _refused("channel.type", "only rest-hook is offered", "not-supported")
    _only(channel, _CHANNEL, "channel.")
    content = {"type": "rest-hook", "endpoint": _endpoint(channel, allowed)}
    payload = channel.get("payload", "")
    if payload not in ("", *PAYLOADS):
        raise _refused("channel.payload", f"only {', '.join(PAYLOADS)} is offered, or none", "not-supported")
    if payload and "?" in content["endpoint"]:
        raise _refused("channel.endpoint", "with a payload it is a base, which has no query", "value")
    header = [_header(one) for one in _list(channel, "header", MOST_HEADERS)] if "header" in channel else []
    return content | ({"payload": payload} if payload else {}) | ({"header": header} if header else {})


def _endpoint(channel: Mapping[str, Any], allowed: Iterable[str]) -> str:
    endpoint = channel.get("endpoint")
    if not isinstance(endpoint, str) or len(endpoint) > LONGEST or not is_endpoint(endpoint):
        raise _refused("channel.endpoint", "expected an address of http or https, in ASCII", "value")
    if not is_allowed(endpoint, allowed):
        how = "it begins with none of the addresses in the setting fhir_subscription_endpoints"
        raise _refused("channel.endpoint", f"{how}; ask who runs this server to add it", "business-rule")
    return endpoint


def _header(line: Any) -> str:
    match = _HEADER.fullmatch(line) if isinstance(line, str) else None
    if match is None:
        raise _refused("channel.header", "expected Name: value, in ASCII", "value")
    if _OUR_HEADERS.fullmatch(match[1]):
        raise _refused("channel.header", f"{match[1]} is said by the server", "value")
    return f"{match[1]}: {match[2].rstrip()}"


def _contact(contact: Any) -> dict[str, str]:
    if not isinstance(contact, dict):
        raise _refused("contact", "expected a ContactPoint", "structure")
    _only(contact, ("value", *_CONTACT), "contact.")
    for name, codes in _CONTACT.items():
        if name in contact and contact[name] not in codes:
            raise _refused(f"contact.{name}", f"expected one of {', '.join(codes)}", "code-invalid")
    if "value" in contact and "system" not in contact:
        raise _refused("contact.system", "a value needs a system", "invariant")
    return {name: _text(contact, name, "contact.") for name in contact}


def _end(resource: Mapping[str, Any]) -> float:
    """In seconds since 1970."""
    end = resource["end"]
    stretch = of_instant(end) if isinstance(end, str) else None
    if stretch is None:
        raise _refused("end", "expected an instant, such as 2027-01-31T12:00:00Z", "value")
    return stretch.low


def _text(resource: Mapping[str, Any], name: str, path: str = "") -> str:
    text = resource.get(name)
    if not isinstance(text, str) or len(text) > LONGEST or not _TEXT.fullmatch(text):
        raise _refused(f"{path}{name}", f"expected a text of 1 to {LONGEST} characters", "value")
    return text


def _list(resource: Mapping[str, Any], name: str, most: int) -> list[Any]:
    values = resource[name]
    if not isinstance(values, list) or not 1 <= len(values) <= most:
        raise _refused(name, f"expected a list of 1 to {most}", "structure")
    return values


def _only(resource: Mapping[str, Any], known: Iterable[str], path: str) -> None:
    for name in resource:
        if name not in known:
            shown = name if re.fullmatch(r"[A-Za-z_]{1,64}", name) else "an element"
            raise _refused(f"{path}{shown}", "it would not be kept; leave it out", "not-supported")


def _refused(element: str, message: str, code: str) -> RequestFault:
    return RequestFault(422, code, f"Subscription.{element}: {message}")
