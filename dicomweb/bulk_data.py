"""Bulk data: the values that metadata name by URI (PS3.18 10.4.1.1.4)."""

from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.bodies import Stretch
from dicomweb.conditional import entity_tag, not_modified, validators
from dicomweb.documents import DOCUMENT, DOCUMENT_MEDIA_TYPES, is_film, stream_segments
from dicomweb.frames import Frames
from dicomweb.media_types import (
    OCTET_STREAM,
    NotAcceptable,
    Representation,
    bulk_data_offers,
    frame_offers,
)
from dicomweb.resource import Resource, Shared
from pacs.dataset.transfer_syntax import is_deflated
from pacs.model import Instance, PixelLocation


class BulkData(Resource):
    """Retrieves single values of an instance."""

    def __init__(self, shared: Shared, frames: Frames) -> None:
        super().__init__(shared)
        self._frames = frames

    async def retrieve(self, request: Request) -> Response:
        """GET /studies/{study}/series/{series}/instances/{instance}/bulkdata/{path}."""
        instance = await self._instances.of(request)
        path = request.path_params["path"]
        pixels = instance.pixels
        if pixels is None or path != f"{pixels.tag:08X}":
            return await self._value(request, instance, path)
        if is_film(instance):
            return await self._film(request, instance)
        if not pixels.encapsulated:
            with suppress(NotAcceptable):
                return await self._native_pixels(request, instance, pixels)
        return await self._frames.respond(request, instance, range(1, pixels.number_of_frames + 1))

    async def _film(self, request: Request, instance: Instance) -> Response:
        """The bit stream, in which the frames cannot be told apart."""
        form = self._negotiation.choose(request, frame_offers, instance.transfer_syntax_uid, True)
        tag = entity_tag(form, instance.digest)
        held = not_modified(request, tag)
        if held is not None:
            return held
        segments = await self._threads.read(stream_segments, self._archive, instance)
        return await self._bodies.represented(request, [(form, segments)], validators(tag))

    async def _native_pixels(self, request: Request, instance: Instance, pixels: PixelLocation) -> Response:
        """All frames as one value."""
        form = self._negotiation.choose(request, frame_offers, instance.transfer_syntax_uid, True)
        if is_deflated(instance.transfer_syntax_uid):
            return await self._value_in(request, instance, f"{pixels.tag:08X}", form)
        tag = entity_tag(form, instance.digest, pixels.tag)
        held = not_modified(request, tag)
        if held is not None:
            return held
        stretch = Stretch(instance, pixels.offset, pixels.length)
        return await self._bodies.represented(request, [(form, [stretch])], validators(tag))

    async def _value(self, request: Request, instance: Instance, path: str) -> Response:
        media_type = DOCUMENT_MEDIA_TYPES.get(instance.sop_class_uid) if path == DOCUMENT else None
        form = self._negotiation.choose(request, bulk_data_offers, media_type or OCTET_STREAM)
        return await self._value_in(request, instance, path, form)

    async def _value_in(
        self, request: Request, instance: Instance, path: str, form: Representation
    ) -> Response:
        tag = entity_tag(form, instance.digest, path)
        held = not_modified(request, tag)
        if held is not None:
            return held
        (value,) = await self._threads.read(self._archive.bulk_data, instance, path)
        return await self._bodies.represented(
            request, [(form, [value])], validators(tag) | {"X-Content-Type-Options": "nosniff"}
        )
