"""Searching for work items (PS3.18 11.9)."""

from itertools import islice

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.data_sets import data_sets_writer
from dicomweb.negotiation import Negotiation
from dicomweb.qido import MAX_RESULTS, MORE_RESULTS
from dicomweb.request import parameters, service_url
from dicomweb.search_parameters import Reading
from dicomweb.threads import Threads
from dicomweb.warning import warn
from pacs.attributes import Key
from pacs.model import DicomJson
from pacs.worklist.attributes import KEYS_BY_PATH, RETURNED
from pacs.worklist.worklist import Worklist


class Search:
    """The search transaction."""

    def __init__(self, worklist: Worklist, threads: Threads, negotiation: Negotiation, root: str) -> None:
        """root: the path of the service."""
        self._worklist = worklist
        self._threads = threads
        self._negotiation = negotiation
        self._root = root

    async def search(self, request: Request) -> Response:
        """GET /workitems: 204 when nothing was found, 206 when there is more (Table 11.9.3-1)."""
        form = self._negotiation.choose_data_sets(request)
        reading = Reading[Key](KEYS_BY_PATH)
        reading.take_all(parameters(request))
        found, more = await self._threads.search(self._results, reading)
        headers = {"Cache-Control": "private, no-cache", "Vary": "Accept"}
        response = Response(status_code=204, headers=headers)
        if found:
            writer = data_sets_writer(form)
            headers["Content-Type"] = writer.content_type
            response = Response(writer.whole(found), 206 if more else 200, headers)
        warnings = (*reading.distinct_warnings(), *((MORE_RESULTS.format(""),) if more else ()))
        return warn(response, service_url(request, self._root), *warnings)

    def _results(self, reading: Reading[Key]) -> tuple[list[DicomJson], bool]:
        """The answers, and whether there are more."""
        limit = min(MAX_RESULTS, MAX_RESULTS if reading.limit is None else reading.limit)
        found = self._worklist.search(reading.criteria(), limit + 1, reading.offset or 0)
        picked = [_picked(attributes, reading) for attributes in islice(found, limit)]
        return picked, next(found, None) is not None


def _picked(attributes: DicomJson, reading: Reading[Key]) -> DicomJson:
    """What is answered of a work item (PS3.18 11.9.2)."""
    if reading.include_all:
        return attributes
    return {key: element for key, element in attributes.items() if key in RETURNED or key in reading.include}
