"""The URI service (PS3.18 9): one object by query parameters, as hospital systems link to it."""

import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.deidentified import Deidentified
from dicomweb.documents import stream_media_type
from dicomweb.media_types import DICOM, Representation, acceptable, select
from dicomweb.pictures import IMAGE_MEDIA_TYPES
from dicomweb.rendered import Rendered
from dicomweb.rendering.parameters import MAX_VIEWPORT_SIDE, parse_annotation
from dicomweb.rendering.picture import DEFAULT_QUALITY, Rendering
from dicomweb.rendering.viewport import Viewport
from dicomweb.rendering.window import Window
from dicomweb.request import check_uid, header, named_parameters, service_url
from dicomweb.resource import Shared
from dicomweb.wado import Objects
from dicomweb.warning import warn
from pacs.errors import InvalidQuery
from pacs.model import Instance

# PS3.18 Table 9.1.2-1, with the attribute that each is of.
_UIDS = (("studyUID", 0x0020000D), ("seriesUID", 0x0020000E), ("objectUID", 0x00080018))

# Of the presentation state (9.5.1.2.6 and 9.5.1.2.7)
_STATE_UIDS = (("presentationSeriesUID", 0x0020000E), ("presentationUID", 0x00080018))

_NOT_DRAWN = "Graphics, text, overlays and shutters of the presentation state are not drawn."

# What asks for a picture, or for the patient on it (PS3.18 9.5.1.2): an object without the patient has
# neither, and to pass one over would mislead.
_OF_PICTURES = ("annotation", "frameNumber", "region", "presentationUID", "presentationSeriesUID")

_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,2})?", re.ASCII)

_LAST_FRAME = 10**9 - 1
_NARROWEST = 1.0  # the width that a linear window has at least, PS3.3 C.11.2.1.2


class WadoUri:
    """Retrieves an instance or a picture of it."""

    def __init__(self, shared: Shared, objects: Objects, rendered: Rendered) -> None:
        self._instances = shared.instances
        self._transcoding = shared.transcoding
        self._objects = objects
        self._rendered = rendered
        self._deidentified = Deidentified(shared)

    async def retrieve(self, request: Request) -> Response:
        """GET /wado?requestType=WADO&studyUID=...&seriesUID=...&objectUID=...

        Raises InvalidQuery or InvalidIdentifier, naming the parameter that is wrong.
        """
        asked = named_parameters(request)
        study, series, sop_instance = _uids(asked)
        anonymized = _is_anonymized(asked)
        instance = await self._instances.find(study, series, sop_instance)
        if anonymized:
            return await self._deidentified_object(request, asked, instance)
        form = await self._form(request, asked, instance)
        if form.media_type == DICOM:
            return await self._objects.respond(request, instance, form)
        if form.media_type not in IMAGE_MEDIA_TYPES:
            return await self._rendered.stream(request, instance, form)
        number = _whole(asked, "frameNumber", _LAST_FRAME)
        state = await self._state(asked, study)
        rendering = _rendering(asked, form.media_type, state)
        response = await self._rendered.bare(request, instance, number, rendering)
        return warn(response, service_url(request, ""), *((_NOT_DRAWN,) if state else ()))

    async def _deidentified_object(
        self, request: Request, asked: Mapping[str, str], instance: Instance
    ) -> Response:
        if self._chosen(request, asked, instance).media_type != DICOM:
            raise InvalidQuery("anonymize: only with contentType=application/dicom are objects de-identified")
        syntax = asked.get("transferSyntax") or "*"
        return await self._deidentified.respond(request, instance, syntax)

    async def _state(self, asked: Mapping[str, str], study: str) -> Instance | None:
        """The presentation state that is asked for; it is of the study of the image. Raises NotFound."""
        given = [(name, asked[name], tag) for name, tag in _STATE_UIDS if asked.get(name)]
        if not given:
            return None
        if len(given) < len(_STATE_UIDS):
            raise InvalidQuery("presentationUID and presentationSeriesUID are given together or not at all")
        if asked.get("windowCenter") or asked.get("windowWidth"):
            raise InvalidQuery("windowCenter, windowWidth: a presentation state has a window of its own")
        series, state = (check_uid(text, name, tag) for name, text, tag in given)
        return await self._instances.find(study, series, state)

    async def _form(self, request: Request, asked: Mapping[str, str], instance: Instance) -> Representation:
        """The same in the transfer syntax that is asked for. Raises NotAcceptable."""
        form = self._chosen(request, asked, instance)
        if form.media_type != DICOM:
            return form
        return await self._transcoding.object_in(instance, asked.get("transferSyntax") or "*")

    @staticmethod
    def _chosen(request: Request, asked: Mapping[str, str], instance: Instance) -> Representation:
        """The form that contentType asks for, or else the Accept field. Raises NotAcceptable."""
        stream = stream_media_type(instance)
        pictures = tuple(IMAGE_MEDIA_TYPES) if instance.pixels and not stream else ()
        names = ((stream,) if stream else pictures) + (DICOM,)
        wanted = asked.get("contentType") or asked.get("accept")
        accepted = acceptable(None, [wanted]) if wanted else acceptable(header(request, b"accept"))
        return select(accepted, [Representation(name) for name in names])


def _uids(asked: Mapping[str, str]) -> tuple[str, ...]:
    if asked.get("requestType") != "WADO":
        raise InvalidQuery("requestType: must be WADO")
    for name, _ in _UIDS:
        if not asked.get(name):
            raise InvalidQuery(f"{name}: the parameter is missing")
    return tuple(check_uid(asked[name], name, tag) for name, tag in _UIDS)


def _is_anonymized(asked: Mapping[str, str]) -> bool:
    """Whether the object is asked for without the patient (PS3.18 9.4.1.2.1)."""
    wish = asked.get("anonymize")
    if wish not in (None, "yes"):
        raise InvalidQuery("anonymize: must be yes, or absent")
    for name in _OF_PICTURES if wish else ():
        if asked.get(name):
            raise InvalidQuery(f"{name}: belongs to pictures, and anonymize to whole objects")
    return wish is not None


def _rendering(asked: Mapping[str, str], media_type: str, state: Instance | None) -> Rendering:
    rows, columns = (_whole(asked, name, MAX_VIEWPORT_SIDE) for name in ("rows", "columns"))
    part = _region(asked)
    left, top, width, height = part or (0.0, 0.0, None, None)
    viewport = Viewport(
        columns or MAX_VIEWPORT_SIDE,
        rows or MAX_VIEWPORT_SIDE,
        left,
        top,
        width,
        height,
        enlarge=bool(rows or columns),
        relative=part is not None,
    )
    return Rendering(
        IMAGE_MEDIA_TYPES[media_type],
        viewport if rows or columns or part else None,
        _window(asked),
        _whole(asked, "imageQuality", 100) or DEFAULT_QUALITY,
        parse_annotation(asked.get("annotation", "")),
        state,
    )


def _region(asked: Mapping[str, str]) -> tuple[float, float, float, float] | None:
    """Left, top, width and height in fractions of the image (PS3.18 9.1.2.2.4)."""
    text = asked.get("region", "").strip()
    if not text:
        return None
    parts = text.split(",")
    if len(parts) != 4 or not all(_DECIMAL.fullmatch(part) for part in parts):
        raise InvalidQuery("region: expected four decimal numbers, such as 0.25,0.25,0.75,0.75")
    left, top, right, bottom = map(float, parts)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise InvalidQuery("region: the corners go from the upper left to the lower right, within 0 and 1")
    return left, top, right - left, bottom - top


def _window(asked: Mapping[str, str]) -> Window | None:
    center, width = (_decimal(asked, name) for name in ("windowCenter", "windowWidth"))
    if center is None and width is None:
        return None
    if center is None or width is None:
        missing = "windowCenter" if center is None else "windowWidth"
        raise InvalidQuery(f"{missing}: windowCenter and windowWidth are given together or not at all")
    if width < _NARROWEST:
        raise InvalidQuery("windowWidth: must be at least 1")
    return Window(center, width)


def _whole(asked: Mapping[str, str], name: str, largest: int) -> int | None:
    text = asked.get(name, "").strip()
    if not text:
        return None
    if not _WHOLE.fullmatch(text) or not 1 <= int(text) <= largest:
        raise InvalidQuery(f"{name}: expected a whole number from 1 to {largest}")
    return int(text)


def _decimal(asked: Mapping[str, str], name: str) -> float | None:
    text = asked.get(name, "").strip()
    if not text:
        return None
    if not _DECIMAL.fullmatch(text):
        raise InvalidQuery(f"{name}: expected a decimal number")
    return float(text)
