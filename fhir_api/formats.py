"""Which form of answer a client takes (FHIR R4 3.1.0.1.11): JSON, until there is XML."""

import re

from fhir_api.outcome import MEDIA_TYPE, RequestFault

FHIR_VERSION = "4.0.1"
FORMATS = (MEDIA_TYPE, "application/json", "text/json", "json")

_ANY = ("*/*", "application/*")
_STRICT = re.compile(r"(^|[,;\s])handling\s*=\s*\"?strict\b", re.IGNORECASE)
_ZERO = re.compile(r"0(\.0*)?")


def require_json(asked: str, accept: str) -> None:
    """Pass when the client takes JSON of FHIR R4.

    asked: the parameter `_format`, which goes before the header; "" when absent.  accept: the header.
    Raises RequestFault (406).
    """
    wanted = asked.replace(" ", "+") or accept  # an unescaped plus sign arrives as a blank
    ranges = [one for one in wanted.split(",") if one.strip()]
    if ranges and not any(_takes_json(one) for one in ranges):
        named = "_format" if asked else "Accept"
        raise RequestFault(406, "not-supported", f"{named}: answers are given as {MEDIA_TYPE} only", named)


def is_strict(prefer: str) -> bool:
    """Whether the header Prefer wants unknown search parameters refused (FHIR R4 3.1.1.1.1)."""
    return _STRICT.search(prefer) is not None


def _takes_json(media_range: str) -> bool:
    media_type, *parameters = (part.strip().lower() for part in media_range.split(";"))
    if media_type not in FORMATS and media_type not in _ANY:
        return False
    named = dict(parameter.partition("=")[::2] for parameter in parameters)
    version = named.get("fhirversion", "4.0").strip('"')
    return not _ZERO.fullmatch(named.get("q", "1")) and version in ("4.0", FHIR_VERSION)
