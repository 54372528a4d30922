"""Drawing frames of stored instances, and keeping what was drawn last."""

from collections.abc import Mapping

from dicomweb.documents import STREAM_MEDIA_TYPES, is_film
from dicomweb.memory import Memory
from dicomweb.rendering.parameters import (
    parse_annotation,
    parse_quality,
    parse_thumbnail_viewport,
    parse_viewport,
    parse_window,
)
from dicomweb.rendering.picture import DEFAULT_QUALITY, MediaType, Rendering, render
from dicomweb.rendering.viewport import Viewport
from dicomweb.threads import Threads
from pacs.archive import Archive
from pacs.errors import CannotRender, FrameNotFound, InvalidQuery
from pacs.model import Instance
from pacs.pixels.elements import integer

HELD = 64 << 20  # bytes of finished pictures in each process

# The preferred one first.
IMAGE_MEDIA_TYPES: dict[str, MediaType] = {
    "image/jpeg": "image/jpeg",
    "image/png": "image/png",
    "image/gif": "image/gif",
}
PICTURE_MEDIA_TYPES = tuple(IMAGE_MEDIA_TYPES)
# Documents and films are given as they are.
RENDERED_MEDIA_TYPES = (*PICTURE_MEDIA_TYPES, *STREAM_MEDIA_TYPES)
THUMBNAIL = Rendering(viewport=Viewport(256, 256, enlarge=False))


# PS3.18 8.3.5.1.5: understood, and not applied; all but `no`, which is what is done.
_PROFILES = ("no", "yes", "srgb", "adobergb", "rommrgb")


def not_applied(parameters: Mapping[str, str]) -> list[str]:
    """What of the parameters of a rendered resource has no effect here. Raises InvalidQuery."""
    asked = parameters.get("iccprofile", "").strip().lower() or "no"
    if asked not in _PROFILES:
        raise InvalidQuery(f"iccprofile: expected {', '.join(_PROFILES)}")
    return [] if asked == "no" else ["iccprofile"]


def rendering_of(parameters: Mapping[str, str], media_type: str) -> Rendering:
    """What the parameters of a rendered resource ask for (PS3.18 8.3.5.1). Raises InvalidQuery."""
    viewport, window, quality = (parameters.get(name) for name in ("viewport", "window", "quality"))
    return Rendering(
        media_type=IMAGE_MEDIA_TYPES[media_type],
        viewport=parse_viewport(viewport) if viewport else None,
        window=parse_window(window) if window else None,
        quality=parse_quality(quality) if quality else DEFAULT_QUALITY,
        annotation=parse_annotation(parameters.get("annotation", "")),
    )


def thumbnail_rendering_of(parameters: Mapping[str, str], media_type: str) -> Rendering:
    """What the parameters of a thumbnail ask for. Raises InvalidQuery."""
    viewport = parameters.get("viewport")
    return Rendering(
        media_type=IMAGE_MEDIA_TYPES[media_type],
        viewport=parse_thumbnail_viewport(viewport) if viewport else THUMBNAIL.viewport,
    )


def draw(archive: Archive, instance: Instance, number: int | None, rendering: Rendering) -> bytes:
    """One frame as a picture, number counting from 1; None stands for the one that represents the instance.

    Raises CannotRender, FrameNotFound, InvalidQuery.
    """
    check_frame(instance, number or 1)
    header = archive.header(instance)
    if number is None:
        number = _representative(integer(header, "RepresentativeFrameNumber"), instance)
    state = None if rendering.state is None else archive.header(rendering.state)
    return render(header, archive.read_frame(instance, number), number, rendering, state)


def check_frame(instance: Instance, number: int) -> None:
    """See that there is such a frame to draw. Raises CannotRender, FrameNotFound."""
    if instance.pixels is None:
        raise CannotRender("the object holds no picture; retrieve it as application/dicom, or its metadata")
    if is_film(instance):
        raise CannotRender("the object is a film, of which no single pictures are drawn; retrieve it whole")
    count = instance.pixels.number_of_frames
    if not 1 <= number <= count:
        raise FrameNotFound(f"the instance has no frame {number}; it has {count}")


def _representative(stated: int | None, instance: Instance) -> int:
    """The frame that the object names (PS3.3 C.7.6.6), or else the middle one."""
    count = instance.pixels.number_of_frames if instance.pixels else 1
    return stated if stated and 1 <= stated <= count else (count + 1) // 2


class Pictures:
    """Draws in threads; what was drawn last is at hand."""

    def __init__(self, archive: Archive, threads: Threads) -> None:
        self._archive = archive
        self._threads = threads
        self._known: Memory[tuple[str, int | None, Rendering], bytes] = Memory(HELD, len)

    async def picture(self, instance: Instance, number: int | None, rendering: Rendering) -> bytes:
        """As `draw`."""
        key = instance.file, number, rendering
        known = self._known.get(key)
        if known is None:
            known = await self._threads.draw(draw, self._archive, instance, number, rendering)
            self._known.put(key, known)
        return known
