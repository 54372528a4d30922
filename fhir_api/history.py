"""Histories: what is asked of them, and their Bundles (FHIR R4 3.1.0.14)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from fhir_api.answers import Answer
from fhir_api.asked import count_of, moment_of, named
from fhir_api.outcome import invalid
from fhir_api.spans import instant
from fhir_api.versions import Place, Wanted, place_of

_PLACE = re.compile(r"(\d{1,12}\.\d{1,12})_(\d{1,18})_([A-Za-z0-9\-.]{1,64})", re.ASCII)
_KNOWN = frozenset(("_count", "_since", "_after"))


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """What a history is asked for.

    wanted: one more than a page holds, which tells whether another follows.
    used: the parameters that were heeded, for the links of the answer, without that of the page.
    """

    wanted: Wanted
    used: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        """Below the base."""
        of_one = f"/{self.wanted.resource_id}" if self.wanted.resource_id else ""
        return f"{self.wanted.resource_type}{of_one}/_history"


def parse_history(
    resource_type: str, resource_id: str, parameters: Sequence[tuple[str, str]], strict: bool
) -> HistoryRequest:
    """What the parameters of a history mean. resource_id: "" for all resources of the type.

    Raises RequestFault (400), naming the parameter.
    """
    values = named(parameters, _KNOWN, strict)
    since, count = moment_of(values, "_since"), count_of(values)
    used = [("_since", values["_since"])] if since else []
    used.append(("_count", str(count)))
    after = _place(values["_after"]) if "_after" in values else None
    wanted = Wanted(resource_type, resource_id, since.low if since else 0.0, after, count + 1)
    return HistoryRequest(wanted, tuple(used))


def history(request: HistoryRequest, versions: Sequence[Answer], base: str) -> bytes:
    """A page of a history as JSON. base: our own address."""
    shown = versions[: request.wanted.limit - 1]
    after = (("_after", _written(request.wanted.after)),) if request.wanted.after else ()
    links = [{"relation": "self", "url": _url(request, base, after)}]
    if len(versions) > len(shown):
        following = (("_after", _written(place_of(shown[-1]))),)
        links.append({"relation": "next", "url": _url(request, base, following)})
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "history", "link": links}
    if shown:
        bundle["entry"] = [_entry(version, base) for version in shown]
    return orjson.dumps(bundle)


def _entry(version: Answer, base: str) -> dict[str, Any]:
    """A version as the request that would have made it; one without content withdrew the resource."""
    name = f"{version.resource_type}/{version.resource_id}"
    response = {"etag": f'W/"{version.version}"', "lastModified": instant(version.last_updated or 0.0)}
    if not version.content:
        request = {"method": "DELETE", "url": name}
        return {"fullUrl": f"{base}/{name}", "request": request, "response": {"status": "204"} | response}
    return {
        "fullUrl": f"{base}/{name}",
        "resource": orjson.Fragment(version.content),
        "request": {"method": "PUT", "url": name},
        "response": {"status": "200"} | response,
    }


def _url(request: HistoryRequest, base: str, page: tuple[tuple[str, str], ...]) -> str:
    return f"{base}/{request.path}?{urlencode((*request.used, *page), safe=':')}"


def _place(text: str) -> Place:
    match = _PLACE.fullmatch(text)
    if match is None:
        raise invalid("_after", "it is taken from a next link, as it stands there")
    return Place(float(match[1]), int(match[2]), match[3])


def _written(place: Place) -> str:
    return f"{place.last_updated!r}_{place.version}_{place.resource_id}"
