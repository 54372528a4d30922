"""Conditional reads: what the client has already is not sent again (FHIR R4 3.1.0.1.5, RFC 9110 13)."""

import email.utils
from collections.abc import Mapping


def is_known(headers: Mapping[str, str], tag: str, last_updated: float | None) -> bool:
    """Whether a client that sends these header fields has what bears this entity tag and date.

    The tag decides where the client sends one; last_updated: seconds since 1970, None when it is not known.
    """
    held = headers.get("if-none-match", "")
    if held:
        tags = {one.strip().removeprefix("W/") for one in held.split(",")}
        return "*" in tags or tag.removeprefix("W/") in tags
    since = _seconds(headers.get("if-modified-since", ""))
    return since is not None and last_updated is not None and int(last_updated) <= since


def _seconds(text: str) -> float | None:
    """A date of HTTP as seconds since 1970; None for what is none, which is passed over."""
    try:
        return email.utils.parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, OverflowError):
        return None
