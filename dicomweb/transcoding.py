"""What stored objects and frames can be given as besides what they are, and making it (ADR 14)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain

from starlette.requests import Request

from dicomweb.bodies import Made, Segment
from dicomweb.media_types import (
    DICOM,
    NotAcceptable,
    Representation,
    file_offers,
    frame_offers,
    instance_offers,
    non_patient_offers,
)
from dicomweb.negotiation import Negotiation
from dicomweb.threads import Threads
from pacs.archive import Archive
from pacs.errors import FrameNotFound
from pacs.model import Instance
from pacs.transcode import conceivable_syntaxes

MADE_AT_ONCE = 64 << 20  # bytes of a single object that are made before any of them is sent

Offers = Callable[[str, bool, tuple[str, ...]], tuple[Representation, ...]]


class Transcoding:
    """Chooses the form of an answer, and makes what is not stored in it."""

    def __init__(self, archive: Archive, threads: Threads, negotiation: Negotiation) -> None:
        self._archive = archive
        self._threads = threads
        self._negotiation = negotiation

    async def frame_form(self, request: Request, instance: Instance, one: bool) -> Representation:
        """The form of frames that the client accepts. Raises NotAcceptable, with all that can be given."""
        return await self._form(request, frame_offers, instance, one, self._archive.frame_syntaxes)

    async def object_form(self, request: Request, instance: Instance, one: bool) -> Representation:
        """The form of a whole object that the client accepts. Raises NotAcceptable, with all there are."""
        return await self._form(request, instance_offers, instance, one, self._archive.object_syntaxes)

    async def non_patient_form(self, request: Request, instance: Instance) -> Representation:
        """The form of an instance that belongs to no patient. Raises NotAcceptable, with all there are.

        A long one is given as a file alone: in JSON and XML all of it would be in memory at once.
        """
        offers = non_patient_offers if instance.size <= MADE_AT_ONCE else file_offers
        return await self._form(request, offers, instance, True, self._archive.object_syntaxes)

    async def object_in(self, instance: Instance, transfer_syntax_uid: str) -> Representation:
        """The bare form of an object in this transfer syntax, `*` for the stored. Raises NotAcceptable."""
        stored = instance.transfer_syntax_uid
        if transfer_syntax_uid in ("*", stored):
            return Representation(DICOM, stored)
        others = await self._threads.read(self._archive.object_syntaxes, instance)
        if transfer_syntax_uid not in others:
            listed = ", ".join((stored, *others))
            raise NotAcceptable(f"transferSyntax: the object cannot be given in it; on offer: {listed}")
        return Representation(DICOM, transfer_syntax_uid, transcoded=True)

    async def _form(
        self,
        request: Request,
        offers: Offers,
        instance: Instance,
        one: bool,
        others: Callable[[Instance], tuple[str, ...]],
    ) -> Representation:
        """Only when the stored form is not the one is it looked at what the pixels can become."""
        stored = instance.transfer_syntax_uid
        with suppress(NotAcceptable):
            form = self._negotiation.choose(request, offers, stored, one, conceivable_syntaxes(stored))
            if not form.transcoded:
                return form
        found = await self._threads.read(others, instance)
        return self._negotiation.choose(request, offers, stored, one, found)

    async def frames(
        self, instance: Instance, numbers: Sequence[int], form: Representation
    ) -> list[tuple[Representation, Sequence[Segment]]]:
        """Frames in this form: the first is made now, the others when it is their turn to be sent.

        Raises FrameNotFound; CannotRender when the first is damaged.
        """
        count = instance.pixels.number_of_frames if instance.pixels else 0
        for number in numbers:
            if not 1 <= number <= count:
                raise FrameNotFound(f"the instance has no frame {number}; it has {count}")
        first, *others = (self._frame(instance, number, form) for number in numbers)
        made: list[Segment] = [await self._threads.draw(next, first)]
        return [(form, made), *((form, [Made(other)]) for other in others)]

    def _frame(self, instance: Instance, number: int, form: Representation) -> Iterator[bytes]:
        yield self._archive.transcoded_frame(instance, number, form.transfer_syntax_uid)

    async def whole(self, instance: Instance, form: Representation) -> Segment:
        """An object in this form: all of it now, or, where it is too long for that, as it is sent.

        Raises CannotRender when its first frame is damaged.
        """
        return await self.made(instance, self._archive.transcoded(instance, form.transfer_syntax_uid))

    async def made(self, instance: Instance, pieces: Iterator[bytes]) -> Segment:
        """What is made of an object, as `whole` makes it. Raises what making the first piece raises."""
        if await self._threads.read(self._archive.uncompressed_size, instance) <= MADE_AT_ONCE:
            return await self._threads.draw(b"".join, pieces)
        return await self.begun(Made(pieces))

    def later(self, instance: Instance, form: Representation) -> Made:
        """An object in this form, made when it is its turn to be sent."""
        return Made(self._archive.transcoded(instance, form.transfer_syntax_uid))

    async def begun(self, made: Made) -> Made:
        """The same with its first piece made, so that what cannot be made is known before a body begins."""
        first = await self._threads.draw(next, made.pieces)
        return Made(chain([first], made.pieces))
