"""Searching for what lies in no study: work items (PS3.18 11.9), instances of no patient (12.6)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.data_sets import data_sets_writer
from dicomweb.media_types import DATA_SETS_OFFERS, DICOM_XML, NotAcceptable, Representation
from dicomweb.negotiation import Negotiation
from dicomweb.qido import MAX_RESULTS, MORE_RESULTS
from dicomweb.request import parameters, service_url
from dicomweb.search_parameters import Reading
from dicomweb.threads import Threads
from dicomweb.warning import warn
from pacs.attributes import Key
from pacs.model import DicomJson
from pacs.query import Condition

# Gives what fulfils all criteria, in a stable order, at most so many after an offset.
Find = Callable[[Sequence[tuple[Key, Condition]], int, int], Iterator[DicomJson]]


@dataclass(frozen=True, slots=True)
class Searched:
    """What is searched.

    keys: by their tags.  returned: the outermost tags that are in every answer, such as "00080018".
    status_of_part: of an answer that does not hold all that was found.
    kept: the outermost tags that answers can have; None when that is whatever the object has.
    offers: the forms of its answers.
    """

    find: Find
    keys: Mapping[tuple[int, ...], Key]
    returned: frozenset[str]
    status_of_part: int
    kept: frozenset[str] | None = None
    offers: tuple[Representation, ...] = DATA_SETS_OFFERS


class KeyedSearch:
    """The search transaction."""

    def __init__(self, searched: Searched, threads: Threads, negotiation: Negotiation, root: str) -> None:
        """root: the path of the service."""
        self._searched = searched
        self._threads = threads
        self._negotiation = negotiation
        self._root = root

    async def search(self, request: Request) -> Response:
        """GET of the resource that holds them all: 204 when nothing was found."""
        form = self._negotiation.choose_among(request, self._searched.offers)
        reading = Reading[Key](self._searched.keys)
        reading.take_all(parameters(request))
        found, more = await self._threads.search(self._results, reading)
        headers = {"Cache-Control": "private, no-cache", "Vary": "Accept"}
        response = Response(status_code=204, headers=headers)
        if found:
            writer = data_sets_writer(self._form_of(len(found), form, request))
            headers["Content-Type"] = writer.content_type
            status = self._searched.status_of_part if more else 200
            response = Response(writer.whole(found), status, headers)
        reading.warnings += self._ignored(reading)
        warnings = (*reading.distinct_warnings(), *((MORE_RESULTS.format(""),) if more else ()))
        return warn(response, service_url(request, self._root), *warnings)

    def _form_of(self, count: int, form: Representation, request: Request) -> Representation:
        """Of several results, which are no one document in XML (PS3.19 A.1), what else is accepted."""
        if count > 1 and form == Representation(DICOM_XML):
            others = tuple(offer for offer in self._searched.offers if offer != form)
            with suppress(NotAcceptable):  # the writer says why, and what to ask for
                return self._negotiation.choose_among(request, others)
        return form

    def _ignored(self, reading: Reading[Key]) -> list[str]:
        """What to tell of attributes that were asked for and that no answer can have."""
        unkept = () if self._searched.kept is None else reading.include - self._searched.kept
        return [f"includefield {tag} is not kept for searching and is ignored" for tag in sorted(unkept)]

    def _results(self, reading: Reading[Key]) -> tuple[list[DicomJson], bool]:
        """The answers, and whether there are more."""
        limit = min(MAX_RESULTS, MAX_RESULTS if reading.limit is None else reading.limit)
        found = self._searched.find(reading.criteria(), limit + 1, reading.offset or 0)
        picked = [self._picked(attributes, reading) for attributes in islice(found, limit)]
        return picked, next(found, None) is not None

    def _picked(self, attributes: DicomJson, reading: Reading[Key]) -> DicomJson:
        """What is answered: what always is, and what was asked for (PS3.18 8.3.4.3)."""
        if reading.include_all:
            return attributes
        asked = self._searched.returned | reading.include
        return {key: element for key, element in attributes.items() if key in asked}
