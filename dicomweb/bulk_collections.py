"""Bulk data of many instances at once: all values, or the pixels alone (PS3.18 10.4.1.1.4, 10.4.1.1.6)."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.bodies import Segment, Stretch
from dicomweb.conditional import entity_tag, not_modified, validators, weak
from dicomweb.documents import is_film, stream_segments
from dicomweb.frames import Frames
from dicomweb.media_types import OCTET_STREAM, NotAcceptable, Representation
from dicomweb.request import header, uids
from dicomweb.resource import Resource, Shared
from pacs.dataset.transfer_syntax import is_deflated
from pacs.errors import NotFound
from pacs.model import DicomJson, Instance

_OK, _PARTIAL_CONTENT = 200, 206

Part = tuple[Mapping[str, str], Sequence[Segment]]


class _Chosen(NamedTuple):
    """An instance, and the forms of its pixels and of its other values; None for what is not given."""

    instance: Instance
    pixels: Representation | None
    values: Representation | None


class BulkCollections(Resource):
    """Retrieves the bulk data of studies, series and instances, each part with the URI of the metadata."""

    def __init__(self, shared: Shared, frames: Frames) -> None:
        super().__init__(shared)
        self._frames = frames

    async def bulk_data(self, request: Request) -> Response:
        """GET /studies/{study}[/series/{series}[/instances/{instance}]]/bulkdata."""
        return await self._respond(request, self._values_form(request))

    async def pixel_data(self, request: Request) -> Response:
        """GET /studies/{study}[/series/{series}[/instances/{instance}]]/pixeldata."""
        return await self._respond(request, None)

    def _values_form(self, request: Request) -> Representation | None:
        try:
            return self._negotiation.choose(request, _octets_in_parts)
        except NotAcceptable:
            return None

    async def _respond(self, request: Request, values: Representation | None) -> Response:
        """What the client accepts; the status says when that is not all. Raises NotAcceptable, NotFound."""
        named = uids(request)
        instances = await self._threads.search(lambda: self._archive.instances(*named))
        chosen, is_whole = await self._choose(request, instances, values)
        tag = weak(entity_tag(chosen[0].pixels or values or _octets_in_parts()[0], chosen))
        held = not_modified(request, tag)
        if held is not None:
            return held
        parts = self._parts(chosen)
        first = await anext(parts, None)  # what cannot be read at all is answered before a body begins
        if first is None:
            raise NotFound("there are no bulk data in it")
        return self._bodies.in_parts(first, parts, validators(tag), _OK if is_whole else _PARTIAL_CONTENT)

    async def _choose(
        self, request: Request, instances: Sequence[Instance], values: Representation | None
    ) -> tuple[list[_Chosen], bool]:
        """The forms of each, and whether the pixels of all can be given."""
        chosen, refusal = [], None
        for instance in instances:
            form = None
            try:
                if instance.pixels:
                    form = await self._transcoding.frame_form(request, instance, False)
            except NotAcceptable as error:
                refusal = error
            if form or values:
                chosen.append(_Chosen(instance, form, values))
        if refusal and not any(one.pixels for one in chosen):
            raise refusal
        if not chosen:
            raise NotFound(f"there are no pixel data in it; accepted: {header(request, b'accept') or '*/*'}")
        return chosen, refusal is None

    async def _parts(self, chosen: Sequence[_Chosen]) -> AsyncIterator[Part]:
        for instance, pixels, values in chosen:
            if values is not None:
                for path in await self._threads.read(self._paths, instance):
                    (value,) = await self._threads.read(self._archive.bulk_data, instance, path)
                    yield self._headers(instance, values, f"bulkdata/{path}"), [value]
            if pixels is not None:
                async for part in self._pixels(instance, pixels):
                    yield part

    def _paths(self, instance: Instance) -> list[str]:
        """The paths of the values that the metadata name, but for the pixels."""
        own = f"{instance.pixels.tag:08X}" if instance.pixels else ""
        paths = (uri.rpartition("/bulkdata/")[2] for uri in _uris(self._archive.metadata(instance)))
        return [path for path in paths if path != own]

    async def _pixels(self, instance: Instance, form: Representation) -> AsyncIterator[Part]:
        """Native pixels are one value, compressed ones a part for each frame, a film one stream."""
        pixels = instance.pixels
        if pixels is None:
            return
        whole = self._headers(instance, form, f"bulkdata/{pixels.tag:08X}")
        if is_film(instance):
            yield whole, await self._threads.read(stream_segments, self._archive, instance)
        elif form.transcoded or pixels.encapsulated or is_deflated(instance.transfer_syntax_uid):
            for number in range(1, pixels.number_of_frames + 1):
                ((_, segments),) = await self._frames.contents(instance, [number], form)
                yield self._headers(instance, form, f"frames/{number}"), segments
        else:
            yield whole, [Stretch(instance, pixels.offset, pixels.length)]

    def _headers(self, instance: Instance, form: Representation, path: str) -> dict[str, str]:
        location = f"{self._archive.url_of(instance)}/{path}"
        return {"Content-Type": form.content_type, "Content-Location": location}


def _octets_in_parts() -> tuple[Representation, ...]:
    return (Representation(OCTET_STREAM, multipart=True),)


def _uris(data_set: DicomJson) -> Iterator[str]:
    """Every BulkDataURI, in sequences too."""
    for element in data_set.values():
        if "BulkDataURI" in element:
            yield element["BulkDataURI"]
        items: list[Any] = element.get("Value", []) if element["vr"] == "SQ" else []
        for item in items:
            yield from _uris(item)
