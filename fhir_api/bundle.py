"""Bundles of type searchset (FHIR R4 3.1.1.1.4)."""

from typing import Any
from urllib.parse import urlencode

import orjson

from fhir_api.answers import Page
from fhir_api.search_request import SearchRequest


def searchset(request: SearchRequest, page: Page, base: str) -> bytes:
    """A page of a search as JSON. base: our own address, by which full URLs and links are made.

    The self link tells the parameters that were heeded, so that a client sees which were not.
    """
    links = [{"relation": "self", "url": _url(request, base, request.window.offset)}]
    if page.more:
        links.append(
            {"relation": "next", "url": _url(request, base, request.window.offset + request.window.limit)}
        )
    entries = [
        {
            "fullUrl": f"{base}/{answer.resource_type}/{answer.resource_id}",
            "resource": orjson.Fragment(answer.content),
            "search": {"mode": mode},
        }
        for mode, answers in (("match", page.answers), ("include", page.included))
        for answer in answers
    ]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if page.total is not None:
        bundle["total"] = page.total
    bundle["link"] = links
    if entries:
        bundle["entry"] = entries
    return orjson.dumps(bundle)


def _url(request: SearchRequest, base: str, offset: int) -> str:
    parameters = list(request.used)
    if request.count_only:
        parameters.append(("_summary", "count"))
    else:
        parameters.append(("_count", str(request.window.limit)))
        parameters += [("_offset", str(offset))] if offset else []
    return f"{base}/{request.resource_type}?{urlencode(parameters, safe=':|/')}"
