"""Which form of an original a client likes best (RFC 9110 12.5.1)."""

import re
from collections.abc import Sequence

from fhir_api.outcome import RequestFault

_WEIGHT = re.compile(r"(0(\.[0-9]{0,3})?|1(\.0{0,3})?)")


def preferred(asked: str, accept: str, offers: Sequence[str]) -> str:
    """The one of these media types that a client likes best; the first where it is all the same.

    asked: the parameter `_format`, which goes before the header; "" when absent.  accept: the header.
    Raises RequestFault (406).
    """
    wanted = asked.replace(" ", "+") or accept or "*/*"  # an unescaped plus sign arrives as a blank
    ranges = [_weighed(one) for one in wanted.split(",") if one.strip()]
    for media_range, weight in sorted(ranges, key=lambda pair: -pair[1]):
        kind, _, subtype = media_range.partition("/")
        for offer in offers if weight else ():
            if offer == media_range or (subtype == "*" and kind in ("*", offer.partition("/")[0])):
                return offer
    named = "_format" if asked else "Accept"
    raise RequestFault(406, "not-supported", f"{named}: this is given as {', '.join(offers)}", named)


def _weighed(media_range: str) -> tuple[str, float]:
    """A media range without its parameters, and its weight, 1 where it has none that can be read."""
    media_type, *parameters = (part.strip().lower() for part in media_range.split(";"))
    weight = dict(parameter.partition("=")[::2] for parameter in parameters).get("q", "1")
    return media_type, float(weight) if _WEIGHT.fullmatch(weight) else 1.0
