"""Metadata of instances, series and studies (PS3.18 10.4.1.1.5): all of the data sets but bulk data."""

import gzip
import zlib
from collections.abc import AsyncIterator, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dicomweb.conditional import entity_tag, not_modified, validators, weak
from dicomweb.data_sets import DataSetsWriter, data_sets_writer
from dicomweb.request import accepts_gzip, study_and_series
from dicomweb.resource import Resource
from pacs.model import Instance

_VARY = "Accept, Accept-Encoding"
_QUICK = 1  # level of compression where the answer waits for it
_GZIP = 16 + zlib.MAX_WBITS  # zlib's word for its gzip form


class Metadata(Resource):
    """Retrieves metadata in JSON or XML."""

    async def retrieve_instance(self, request: Request) -> Response:
        """GET /studies/{study}/series/{series}/instances/{instance}/metadata."""
        form = self._negotiation.choose_data_sets(request)
        instance = await self._instances.of(request)
        tag = entity_tag(form, instance.digest)
        held = not_modified(request, tag, _VARY)
        if held is not None:
            return held
        writer = data_sets_writer(form)
        content = await self._threads.read(self._metadata, instance, writer)
        return Response(content, headers=_headers(writer, tag))

    async def retrieve(self, request: Request) -> Response:
        """GET /studies/{study}/metadata and /studies/{study}/series/{series}/metadata.

        The metadata of a series are kept in JSON and compressed, and given so if accepted.
        """
        form = self._negotiation.choose_data_sets(request)
        study, series = study_and_series(request)
        versions = await self._threads.search(self._archive.series_of, study, series)
        tag = weak(entity_tag(form, versions))
        held = not_modified(request, tag, _VARY)
        if held is not None:
            return held
        writer, packed = data_sets_writer(form), accepts_gzip(request)
        headers = _headers(writer, tag, "gzip" if packed else "")
        if request.method == "HEAD":
            return Response(headers=headers)
        if series:
            as_kept = packed and not form.multipart
            make = self._archive.series_metadata if as_kept else self._of_series(writer, packed)
            return Response(await self._threads.read(make, study, series), headers=headers)
        pieces = self._pieces(study, [uid for uid, _ in versions], writer)
        first = await anext(pieces)  # what cannot be read at all is answered before a body begins
        return StreamingResponse(self._stream(first, pieces, writer, packed), headers=headers)

    def _metadata(self, instance: Instance, writer: DataSetsWriter) -> bytes:
        return writer.whole([self._archive.metadata(instance)])

    def _of_series(self, writer: DataSetsWriter, packed: bool) -> Callable[[str, str], bytes]:
        def make(study: str, series: str) -> bytes:
            content = b"".join((writer.before, self._piece(study, series, writer), writer.after))
            return gzip.compress(content, _QUICK, mtime=0) if packed else content

        return make

    async def _pieces(
        self, study: str, series: Sequence[str], writer: DataSetsWriter
    ) -> AsyncIterator[bytes]:
        for uid in series:
            yield await self._threads.read(self._piece, study, uid, writer)

    def _piece(self, study: str, series: str, writer: DataSetsWriter) -> bytes:
        return writer.piece_of(gzip.decompress(self._archive.series_metadata(study, series)))

    async def _stream(
        self, first: bytes, others: AsyncIterator[bytes], writer: DataSetsWriter, packed: bool
    ) -> AsyncIterator[bytes]:
        compressor = zlib.compressobj(_QUICK, wbits=_GZIP) if packed else None
        pack = compressor.compress if compressor else bytes
        yield await self._threads.read(pack, writer.before + first)
        async for piece in others:
            yield await self._threads.read(pack, writer.between + piece)
        yield pack(writer.after)
        if compressor:
            yield compressor.flush()


def _headers(writer: DataSetsWriter, tag: str, encoding: str = "") -> dict[str, str]:
    headers = {**validators(tag, _VARY), "Content-Type": writer.content_type}
    return headers | ({"Content-Encoding": encoding} if encoding else {})
