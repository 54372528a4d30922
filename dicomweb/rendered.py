"""Rendered resources (PS3.18 10.4.1.1.2): pictures, and documents and films as they are."""

from collections.abc import AsyncIterator, Sequence

import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dicomweb.conditional import entity_tag, not_modified, validators
from dicomweb.documents import STREAM_MEDIA_TYPES, stream_headers, stream_media_type, stream_segments
from dicomweb.frames import check_amount, frame_numbers
from dicomweb.media_types import Representation, media_types_of, rendered_offers
from dicomweb.multipart import MultipartWriter
from dicomweb.pictures import PICTURE_MEDIA_TYPES, Pictures, check_frame, not_applied, rendering_of
from dicomweb.rendering.picture import Rendering
from dicomweb.request import named_parameters, service_url, study_and_series
from dicomweb.resource import Resource, Shared
from dicomweb.warning import warn
from pacs.errors import ArchiveError, CannotRender, FrameNotFound, InvalidQuery
from pacs.model import Instance

# An instance and one of its frames; None stands for the frame that represents it.
Subject = tuple[Instance, int | None]

# What keeps one picture from being drawn, and not those after it.
_HINDRANCES = (CannotRender, FrameNotFound, InvalidQuery)

# What is drawn of one frame, and of several
_ONE, _SEVERAL = (PICTURE_MEDIA_TYPES, True), (PICTURE_MEDIA_TYPES, False)

# What there is to accept of each resource, as clients are told of it
COLLECTION_MEDIA_TYPES = media_types_of(rendered_offers(*_SEVERAL))
RENDERED_FRAME_MEDIA_TYPES = media_types_of((*rendered_offers(*_ONE), *rendered_offers(*_SEVERAL)))
INSTANCE_MEDIA_TYPES = media_types_of((*rendered_offers(*_ONE), *rendered_offers(STREAM_MEDIA_TYPES, True)))

log = structlog.get_logger()


class Rendered(Resource):
    """Retrieves what people look at rather than programs."""

    def __init__(self, shared: Shared, pictures: Pictures) -> None:
        super().__init__(shared)
        self._pictures = pictures

    async def instance(self, request: Request) -> Response:
        """GET /studies/{study}/series/{series}/instances/{instance}/rendered.

        Bare, one picture: of several frames that which represents them. In parts, one for each frame.
        """
        instance = await self._instances.of(request)
        media_type = stream_media_type(instance)
        if media_type is not None:
            form = self._negotiation.choose(request, rendered_offers, (media_type,), True)
            return await self.stream(request, instance, form)
        check_frame(instance, 1)
        form = self._negotiation.choose(request, rendered_offers, *_ONE)
        count = instance.pixels.number_of_frames if form.multipart and instance.pixels else 0
        check_amount(count)
        subjects: list[Subject] = [(instance, number) for number in range(1, count + 1)]
        return await self._respond(request, subjects or [(instance, None)], form)

    async def frames(self, request: Request) -> Response:
        """GET /studies/{study}/series/{series}/instances/{instance}/frames/{frames}/rendered."""
        instance = await self._instances.of(request)
        numbers = frame_numbers(request.path_params["frames"])
        for number in numbers:
            check_frame(instance, number)
        form = self._negotiation.choose(request, rendered_offers, *(_ONE if len(numbers) == 1 else _SEVERAL))
        return await self._respond(request, [(instance, number) for number in numbers], form)

    async def collection(self, request: Request) -> Response:
        """GET /studies/{study}/rendered and /studies/{study}/series/{series}/rendered.

        One part for each instance that has a picture. Raises CannotRender when none has.
        """
        form = self._negotiation.choose(request, rendered_offers, *_SEVERAL)
        found = await self._threads.search(self._archive.instances, *study_and_series(request))
        subjects: list[Subject] = [(instance, None) for instance in found if instance.pixels]
        if not subjects:
            raise CannotRender("there are no pictures in it; retrieve its objects or their metadata")
        return await self._respond(request, subjects, form)

    async def stream(self, request: Request, instance: Instance, form: Representation) -> Response:
        """A document or film as it is."""
        tag = entity_tag(form, instance.digest)
        held = not_modified(request, tag)
        if held is not None:
            return held
        segments = await self._threads.read(stream_segments, self._archive, instance)
        headers = validators(tag) | stream_headers(instance, form.media_type)
        return await self._bodies.represented(request, [(form, segments)], headers)

    async def _respond(self, request: Request, subjects: Sequence[Subject], form: Representation) -> Response:
        parameters = named_parameters(request)
        rendering, ignored = rendering_of(parameters, form.media_type), not_applied(parameters)
        response = await self._respond_with(request, subjects, form, rendering)
        return warn(response, service_url(request, ""), *(f"{name} is not applied" for name in ignored))

    async def _respond_with(
        self, request: Request, subjects: Sequence[Subject], form: Representation, rendering: Rendering
    ) -> Response:
        if not form.multipart:
            ((instance, number),) = subjects
            return await self.bare(request, instance, number, rendering)
        tag = entity_tag(form, [(i.digest, number) for i, number in subjects], rendering)
        held = not_modified(request, tag)
        if held is not None:
            return held
        writer = MultipartWriter()
        headers = validators(tag) | {"Content-Type": writer.content_type(form.media_type)}
        if request.method == "HEAD":
            return Response(headers=headers)
        parts = self._parts(writer, subjects, rendering)
        first = await anext(parts)  # what cannot be drawn at all is answered before a body begins
        return StreamingResponse(_joined(first, parts, writer.closing()), headers=headers)

    async def bare(
        self, request: Request, instance: Instance, number: int | None, rendering: Rendering
    ) -> Response:
        """One picture. Raises CannotRender, FrameNotFound, InvalidQuery."""
        form = Representation(rendering.media_type)
        tag = entity_tag(form, instance.digest, number, rendering)
        held = not_modified(request, tag)
        if held is not None:
            return held
        picture = await self._pictures.picture(instance, number, rendering)
        return Response(picture, headers=validators(tag) | {"Content-Type": form.media_type})

    async def _parts(
        self, writer: MultipartWriter, subjects: Sequence[Subject], rendering: Rendering
    ) -> AsyncIterator[bytes]:
        """One part for each that can be drawn. Raises what hindered the last when none can be."""
        head = writer.part_head({"Content-Type": rendering.media_type})
        failure: ArchiveError | None = None
        drawn = 0
        for instance, number in subjects:
            try:
                picture = await self._pictures.picture(instance, number, rendering)
            except _HINDRANCES as error:
                failure = error
                log.warning("not rendered", instance=instance.sop_instance_uid, reason=str(error))
                continue
            drawn += 1
            yield b"".join((head, picture, MultipartWriter.PART_END))
        if failure is not None and not drawn:
            raise failure


async def _joined(first: bytes, others: AsyncIterator[bytes], last: bytes) -> AsyncIterator[bytes]:
    yield first
    async for other in others:
        yield other
    yield last
