"""Searching for patients, studies, series and instances (PS3.18 10.6)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import structlog
from starlette.requests import Request
from starlette.responses import Response

from dicomweb.data_sets import DataSetsWriter, data_sets_writer
from dicomweb.negotiation import Negotiation
from dicomweb.request import parameters, service_url, uids
from dicomweb.search_parameters import RETRIEVE_URL, SearchRequest, parse_search
from dicomweb.threads import Threads
from dicomweb.warning import warn
from pacs.archive import Archive
from pacs.errors import ArchiveError
from pacs.model import DicomJson, Found, Level
from pacs.query import Query
from pacs.time_zones import in_zone, offset_of

# Answers at most to a search of the whole archive; a study or series is always answered whole.
MAX_RESULTS = 10_000

# Answers for which an object is read, at most: for attributes that the index does not keep.
MAX_READ = 1_000

# The way from the service to the resource of a level, by the tags that fill it in.
_UID_TAGS = (("studies", "0020000D"), ("series", "0020000E"), ("instances", "00080018"))


MORE_RESULTS = "There are {}additional results that can be requested."  # PS3.18 8.3.4.4

log = structlog.get_logger()

# The body, how many answers there are in all if that is asked, what to warn of (PS3.18 8.3.4.4)
_Answer = tuple[bytes, int | None, list[str]]

_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Accept"}


class Search:
    """The search transaction on its six paths, and for patients."""

    def __init__(self, archive: Archive, threads: Threads, negotiation: Negotiation, root: str) -> None:
        """root: the path of the service."""
        self._archive = archive
        self._threads = threads
        self._negotiation = negotiation
        self._root = root

    async def patients(self, request: Request) -> Response:
        """GET /patients."""
        return await self._search(request, Level.PATIENT)

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
        limit = min((n for n in (search.query.limit, cap) if n is not None), default=None)
        query = replace(search.query, limit=None if limit is None else limit + 1)
        url = service_url(request, self._root)
        writer = data_sets_writer(form)
        few = None if search.counted or search.unindexed else self._archive.few(query)
        if few is None:
            answer = await self._threads.search(self._search_and_answer, search, query, limit, url, writer)
        else:
            answer = self._answer(search, iter(few), limit, url, writer)
        content, total, warnings = answer
        headers = {**_HEADERS, "Content-Type": writer.content_type} if content else _HEADERS
        response = Response(content, 200 if content else 204, headers)
        if total is not None:
            response.headers["X-Total-Count"] = str(total)
        return warn(response, url, *warnings)

    def _search_and_answer(
        self, search: SearchRequest, query: Query, limit: int | None, url: str, writer: DataSetsWriter
    ) -> _Answer:
        return self._answer(search, self._archive.search(query), limit, url, writer)

    def _answer(
        self,
        search: SearchRequest,
        found: Iterator[Found],
        limit: int | None,
        url: str,
        writer: DataSetsWriter,
    ) -> _Answer:
        """found: one more than the limit, if there are so many."""
        query = search.query
        pick = search.picker()
        levels = [answer.levels for answer in islice(found, limit)]
        more = limit is not None and next(found, None) is not None
        made = self._made_for(search, levels, url)
        total = self._archive.count_answers(query) if search.counted else None
        warnings = [*search.warnings]
        if more:
            left = "" if total is None else f"{total - query.offset - len(levels)} "
            warnings.append(MORE_RESULTS.format(left))
        if search.unindexed and len(levels) > MAX_READ:
            warnings.append(f"What the index does not keep is in the first {MAX_READ} results only.")
        answers = (
            pick((*_told_in(search.zone, of), beside)) for of, beside in zip(levels, made, strict=True)
        )
        return writer.whole(answers), total, warnings

    def _made_for(
        self, search: SearchRequest, found: Sequence[Sequence[DicomJson]], url: str
    ) -> Iterator[DicomJson]:
        """What is in no row of the index, for each answer: where it is, and what an object of it says."""
        if search.query.level is Level.PATIENT:
            yield from ({} for _ in found)
            return
        *above, (resource, tag) = _UID_TAGS[: search.query.level - Level.PATIENT]
        parent, prefix = None, f"{url}/{resource}/"
        for number, levels in enumerate(found):
            if above and levels[-2] is not parent:  # those of one series share what is above them
                parent = levels[-2]
                way = "".join(f"/{name}/{_uid(levels[at], key)}" for at, (name, key) in enumerate(above))
                prefix = f"{url}{way}/{resource}/"
            made = {RETRIEVE_URL: {"vr": "UR", "Value": [prefix + _uid(levels[-1], tag)]}}
            if search.unindexed and number < MAX_READ:
                uids = [_uid(levels[at], key) for at, (_, key) in enumerate((*above, (resource, tag)))]
                (read,) = _told_in(search.zone, [self._read(uids)], of=levels[0])
                made |= {tag: read[tag] for tag in search.unindexed if tag in read}
            yield made

    def _read(self, uids: Sequence[str]) -> DicomJson:
        """What the object says, or the first one of the study or series; nothing where it was lost."""
        try:
            study, *below = uids
            is_one = len(below) == 2
            instance = (self._archive.instance if is_one else self._archive.first_instance)(study, *below)
            return self._archive.metadata(instance)
        except ArchiveError as error:
            log.warning("not read for a search", study=uids[0], error=type(error).__name__)
            return {}


def _uid(attributes: DicomJson, tag: str) -> str:
    uid: str = attributes[tag]["Value"][0]
    return uid


def _told_in(
    zone: int | None, levels: Sequence[DicomJson], of: DicomJson | None = None
) -> Sequence[DicomJson]:
    """The levels of an answer with their dates and times in the zone that was asked in.

    of: what is kept of the study, whose zone all that is in it follows; the first level has it.
    """
    if zone is None:
        return levels
    source = offset_of(levels[0] if of is None else of)
    return [in_zone(level, source, zone) for level in levels]
