"""Frames (PS3.18 10.4.1.1.6): as they are stored, the path of a viewer's every image, or transcoded."""

import re
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.bodies import Segment, Stretch
from dicomweb.conditional import entity_tag, not_modified, validators
from dicomweb.media_types import Representation
from dicomweb.memory import Memory
from dicomweb.resource import Resource, Shared
from pacs.errors import InvalidQuery
from pacs.model import Instance

KNOWN_FRAMES = 100_000  # frames of encapsulated pixel data whose place is remembered, about 200 bytes each
MOST_AT_ONCE = 100_000  # frames in one request; an object may claim any number of them
MADE_AT_ONCE = 256 << 20  # bytes of frames that cannot be sent as they lie, in one request

_FRAME_LIST = re.compile(r"\d{1,9}(,\d{1,9})*", re.ASCII)

Pieces = tuple[tuple[int, int], ...]


def frame_numbers(text: str) -> list[int]:
    """The numbers of a list such as `1,3,2`. Raises InvalidQuery when it is none."""
    if not _FRAME_LIST.fullmatch(text):
        raise InvalidQuery("frames: expected whole numbers from 1 on, parted by commas, such as 1,2,3")
    return [int(number) for number in text.split(",")]


def check_amount(count: int) -> None:
    """Raises InvalidQuery for more frames than one request may ask for."""
    if count > MOST_AT_ONCE:
        raise InvalidQuery(f"frames: at most {MOST_AT_ONCE} are given at once; ask for some of the {count}")


class Frames(Resource):
    """Retrieves frames, in their stored transfer syntax unless another is asked for."""

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._known: Memory[tuple[str, int], Pieces] = Memory(KNOWN_FRAMES, lambda _: 1)

    async def retrieve(self, request: Request) -> Response:
        """GET /studies/{study}/series/{series}/instances/{instance}/frames/{frames}."""
        instance = await self._instances.of(request)
        numbers = frame_numbers(request.path_params["frames"])
        return await self.respond(request, instance, numbers)

    async def respond(self, request: Request, instance: Instance, numbers: Sequence[int]) -> Response:
        """These frames in their order, as the client accepts them.

        Raises FrameNotFound, which names the first that is not there, InvalidQuery, NotAcceptable, or
        CannotRender when the first is damaged and would have to be decoded.
        """
        check_amount(len(numbers))
        one = len(numbers) == 1
        form = await self._transcoding.frame_form(request, instance, one)
        tag = entity_tag(form, instance.digest, numbers)
        held = not_modified(request, tag)
        if held is not None:
            return held
        contents = await self.contents(instance, numbers, form)
        return await self._bodies.represented(request, contents, validators(tag))

    async def contents(
        self, instance: Instance, numbers: Sequence[int], form: Representation
    ) -> Sequence[tuple[Representation, Sequence[Segment]]]:
        """What the frames are in this form. Raises FrameNotFound, CannotRender, InvalidQuery."""
        pixels = instance.pixels
        if form.transcoded:
            return await self._transcoding.frames(instance, numbers, form)
        if pixels is not None and pixels.encapsulated:
            pieces = await self._encapsulated(instance, numbers)
        else:
            pieces = [self._archive.frame_pieces(instance, number) for number in numbers]
        if None in pieces:
            frames = await self._threads.read(self._made, instance, numbers)
            return [(form, [frame]) for frame in frames]
        return [
            (form, [Stretch(instance, offset, length) for offset, length in frame or ()]) for frame in pieces
        ]

    async def _encapsulated(self, instance: Instance, numbers: Sequence[int]) -> list[Pieces | None]:
        """Where the frames lie: remembered, or worked out in a thread, for it takes reading the file."""
        known = [self._known.get((instance.file, number)) for number in numbers]
        if None not in known:
            return list(known)
        found = await self._threads.read(
            lambda: [self._archive.frame_pieces(instance, number) for number in numbers]
        )
        for number, pieces in zip(numbers, found, strict=True):
            if pieces is not None:
                self._known.put((instance.file, number), pieces)
        return found

    def _made(self, instance: Instance, numbers: Sequence[int]) -> list[bytes]:
        """Frames that begin within a byte, or lie in a deflated data set."""
        size = instance.pixels.frame_bits // 8 if instance.pixels else 0
        if size * len(numbers) > MADE_AT_ONCE:
            raise InvalidQuery(f"frames: {len(numbers)} at once are too many here; ask for fewer")
        return [self._archive.read_frame(instance, number) for number in numbers]
