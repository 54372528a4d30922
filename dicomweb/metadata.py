"""Metadata of instances, series and studies (PS3.18 10.4.1.1.5): all of the data sets but bulk data."""

import gzip
import zlib
from collections.abc import AsyncIterator

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dicomweb.conditional import entity_tag, not_modified, validators
from dicomweb.media_types import Representation
from dicomweb.request import accepts_gzip, uids
from dicomweb.resource import Resource
from pacs.model import Instance

_VARY = "Accept, Accept-Encoding"
_QUICK = 1  # level of compression where the answer waits for it
_GZIP = 16 + zlib.MAX_WBITS  # zlib's word for its gzip form


class Metadata(Resource):
    """Retrieves metadata in JSON."""

    async def retrieve_instance(self, request: Request) -> Response:
        """GET /studies/{study}/series/{series}/instances/{instance}/metadata."""
        form = self._negotiation.choose_json(request)
        instance = await self._instances.of(request)
        tag = entity_tag(form, instance.digest)
        held = not_modified(request, tag, _VARY)
        if held is not None:
            return held
        return _response(await self._threads.read(self._metadata, instance), form, tag)

    async def retrieve_series(self, request: Request) -> Response:
        """GET /studies/{study}/series/{series}/metadata; it is kept compressed, and given so if accepted."""
        form = self._negotiation.choose_json(request)
        study, series = uids(request)
        versions = await self._threads.search(self._archive.series_of, study, series)
        tag = "W/" + entity_tag(form, versions)
        held = not_modified(request, tag, _VARY)
        if held is not None:
            return held
        compressed = await self._threads.read(self._archive.series_metadata, study, series)
        if accepts_gzip(request):
            return _response(compressed, form, tag, "gzip")
        return _response(await self._threads.read(gzip.decompress, compressed), form, tag)

    async def retrieve_study(self, request: Request) -> Response:
        """GET /studies/{study}/metadata: the arrays of all series as one, read one after the other."""
        form = self._negotiation.choose_json(request)
        (study,) = uids(request)
        versions = await self._threads.search(self._archive.series_of, study)
        tag = "W/" + entity_tag(form, versions)
        held = not_modified(request, tag, _VARY)
        if held is not None:
            return held
        packed = accepts_gzip(request)
        headers = _headers(form, tag, "gzip" if packed else "")
        if request.method == "HEAD":
            return Response(headers=headers)
        series = [uid for uid, _ in versions]
        first = await self._threads.read(self._elements, study, series[0])
        return StreamingResponse(self._stream(study, first, series[1:], packed), headers=headers)

    def _metadata(self, instance: Instance) -> bytes:
        return orjson.dumps([self._archive.metadata(instance)])

    def _elements(self, study: str, series: str) -> bytes:
        """The elements of the array of a series, without its brackets."""
        return gzip.decompress(self._archive.series_metadata(study, series))[1:-1]

    async def _stream(
        self, study: str, first: bytes, others: list[str], packed: bool
    ) -> AsyncIterator[bytes]:
        compressor = zlib.compressobj(_QUICK, wbits=_GZIP) if packed else None
        pack = compressor.compress if compressor else bytes
        yield await self._threads.read(pack, b"[" + first)
        for series in others:
            elements = await self._threads.read(self._elements, study, series)
            yield await self._threads.read(pack, b"," + elements)
        yield pack(b"]")
        if compressor:
            yield compressor.flush()


def _headers(form: Representation, tag: str, encoding: str) -> dict[str, str]:
    headers = {**validators(tag, _VARY), "Content-Type": form.media_type}
    return headers | ({"Content-Encoding": encoding} if encoding else {})


def _response(content: bytes, form: Representation, tag: str, encoding: str = "") -> Response:
    return Response(content, headers=_headers(form, tag, encoding))
