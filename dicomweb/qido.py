"""Searching for studies, series and instances (PS3.18 10.6)."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.data_sets import DataSetsWriter, data_sets_writer
from dicomweb.negotiation import Negotiation
from dicomweb.request import parameters, service_url, uids
from dicomweb.search_parameters import RETRIEVE_URL, SearchRequest, parse_search
from dicomweb.threads import Threads
from pacs.archive import Archive
from pacs.model import DicomJson, Level

# Answers at most to a search of the whole archive; a study or series is always answered whole.
MAX_RESULTS = 10_000

# The way from the service to the resource of a level, by the tags that fill it in.
_UID_TAGS = (("studies", "0020000D"), ("series", "0020000E"), ("instances", "00080018"))


_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Accept"}


class Search:
    """The search transaction on its six paths."""

    def __init__(self, archive: Archive, threads: Threads, negotiation: Negotiation, root: str) -> None:
        """root: the path of the service."""
        self._archive = archive
        self._threads = threads
        self._negotiation = negotiation
        self._root = root

    async def studies(self, request: Request) -> Response:
        """GET /studies."""
        return await self._search(request, Level.STUDY)

    async def series(self, request: Request) -> Response:
        """GET /series and /studies/{study}/series."""
        return await self._search(request, Level.SERIES)

    async def instances(self, request: Request) -> Response:
        """GET /instances, /studies/{study}/instances and /studies/{study}/series/{series}/instances."""
        return await self._search(request, Level.INSTANCE)

    async def _search(self, request: Request, level: Level) -> Response:
        form = self._negotiation.choose_data_sets(request)
        search = parse_search(level, parameters(request), *uids(request))
        cap = None if "study" in request.path_params else MAX_RESULTS
        url = service_url(request, self._root)
        writer = data_sets_writer(form)
        content, warnings = await self._threads.search(self._results, search, cap, url, writer)
        headers = {"Content-Type": writer.content_type} | _HEADERS
        if warnings:
            headers["Warning"] = ", ".join(f'299 diafana "{warning}"' for warning in warnings)
        return Response(content, headers=headers) if content else Response(status_code=204, headers=_HEADERS)

    def _results(
        self, search: SearchRequest, cap: int | None, url: str, writer: DataSetsWriter
    ) -> tuple[bytes, tuple[str, ...]]:
        """The answers as a body, empty where it has no form for none; what to warn of (PS3.18 8.3.4.4)."""
        limit = min((n for n in (search.query.limit, cap) if n is not None), default=None)
        one_more = replace(search.query, limit=None if limit is None else limit + 1)
        found = self._archive.search(one_more)
        level, pick = search.query.level, search.picker()
        results = [
            pick((*answer.levels, {RETRIEVE_URL: _retrieve_url(level, answer.levels, url)}))
            for answer in islice(found, limit)
        ]
        more = limit is not None and next(found, None) is not None
        warnings = ("there are additional results that can be requested",) if more else ()
        return writer.whole(results), search.warnings + warnings


def _retrieve_url(level: Level, levels: Sequence[DicomJson], url: str) -> DicomJson:
    """Retrieve URL (0008,1190) of what was found."""
    for at in range(level - Level.PATIENT):
        resource, tag = _UID_TAGS[at]
        url += f"/{resource}/{levels[at][tag]['Value'][0]}"
    return {"vr": "UR", "Value": [url]}
