"""Thumbnails (PS3.18 10.4.1.1.3): a series is shown by its middle image, a study by its first series."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.conditional import entity_tag, not_modified, validators
from dicomweb.frames import frame_numbers
from dicomweb.media_types import Representation, media_types_of, rendered_offers
from dicomweb.pictures import PICTURE_MEDIA_TYPES, THUMBNAIL, Pictures, draw, thumbnail_rendering_of
from dicomweb.rendered import Rendered
from dicomweb.rendering.picture import Rendering
from dicomweb.request import named_parameters, study_and_series
from dicomweb.resource import Resource, Shared
from pacs.archive import Archive
from pacs.changes import Follower
from pacs.errors import CannotRender, NotFound
from pacs.files.derived import DerivedFiles
from pacs.index import Task
from pacs.model import Change, Instance, Level

REST = 5.0  # seconds without change after which a series is drawn ahead

_KIND = "thumbnail"

# PS3.4 Table B.5-1: pictures that say little without the images that they belong to.
_OVERLAYS = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
        "1.2.840.10008.5.1.4.1.1.66.7",  # Label Map Segmentation
        "1.2.840.10008.5.1.4.1.1.30",  # Parametric Map
        "1.2.840.10008.5.1.4.1.1.481.2",  # RT Dose
    }
)

# PS3.4 Table B.5-1: reports, presentation states, documents.
_WITHOUT_PICTURES = (
    "1.2.840.10008.5.1.4.1.1.88.",
    "1.2.840.10008.5.1.4.1.1.11.",
    "1.2.840.10008.5.1.4.1.1.104.",
)


def representative(archive: Archive, study: str, series: Sequence[str]) -> Instance:
    """The instance that stands for these series. Raises CannotRender when none has a picture."""
    second_choice: Instance | None = None
    for uid in series:
        pictures = [instance for instance in archive.instances(study, uid) if instance.pixels]
        if not pictures:
            continue
        middle = pictures[len(pictures) // 2]
        if middle.sop_class_uid not in _OVERLAYS:
            return middle
        second_choice = second_choice or middle
    if second_choice is None:
        raise CannotRender("there is no picture in it")
    return second_choice


def make_thumbnail(archive: Archive, derived: DerivedFiles, study: str, series: str | None) -> bytes:
    """The thumbnail of a series or study, as it is kept or else made now. Raises CannotRender, NotFound."""
    versions = archive.series_of(study, series)
    subject, version = _kept_as(study, series, versions)
    kept = derived.read(_KIND, subject, version)
    if kept is None:
        shown = representative(archive, study, [uid for uid, _ in versions])
        kept = draw(archive, shown, None, THUMBNAIL)
        derived.write(_KIND, subject, version, kept)
    return kept


def _kept_as(study: str, series: str | None, versions: Sequence[tuple[str, int]]) -> tuple[str, int]:
    """Subject and version of the derived file."""
    return study if series is None else f"{study}/{series}", max(version for _, version in versions)


def thumbnail_follower(archive: Archive, derived: DerivedFiles) -> Follower:
    """Draws the thumbnail of each series once it has come to rest."""

    def work(task: Task) -> None:
        study, series = task.study_instance_uid, task.series_instance_uid
        try:
            make_thumbnail(archive, derived, study, series)
        except CannotRender:
            return  # trying again would not change it
        except NotFound:
            _forget(archive, derived, study, series)

    return Follower(_KIND, Level.SERIES, REST, _may_have_picture, work)


def _forget(archive: Archive, derived: DerivedFiles, study: str, series: str) -> None:
    """Forget the thumbnails of what is there no longer."""
    try:
        kept = {f"{study}/{uid}" for uid, _ in archive.series_of(study)} | {study}
    except NotFound:
        kept = set()
    for subject in {study, f"{study}/{series}"} - kept:
        derived.forget(_KIND, subject)


def _may_have_picture(change: Change) -> bool:
    return not change.sop_class_uid.startswith(_WITHOUT_PICTURES)


class Thumbnails(Resource):
    """Retrieves thumbnails."""

    def __init__(self, shared: Shared, derived: DerivedFiles, pictures: Pictures, rendered: Rendered) -> None:
        super().__init__(shared)
        self._derived = derived
        self._pictures = pictures
        self._rendered = rendered

    async def collection(self, request: Request) -> Response:
        """GET /studies/{study}/thumbnail and /studies/{study}/series/{series}/thumbnail."""
        form, rendering = self._asked(request)
        study, series = study_and_series(request)
        versions = await self._threads.search(self._archive.series_of, study, series)
        tag = entity_tag(form, versions, rendering)
        held = not_modified(request, tag)
        if held is not None:
            return held
        if rendering == THUMBNAIL:
            picture = await self._kept(study, series, versions)
        else:
            all_series = [uid for uid, _ in versions]
            shown = await self._threads.search(representative, self._archive, study, all_series)
            picture = await self._pictures.picture(shown, None, rendering)
        return Response(picture, headers=validators(tag) | {"Content-Type": form.media_type})

    async def instance(self, request: Request) -> Response:
        """GET /studies/{study}/series/{series}/instances/{instance}/thumbnail."""
        instance = await self._instances.of(request)
        _, rendering = self._asked(request)
        return await self._rendered.bare(request, instance, None, rendering)

    async def frame(self, request: Request) -> Response:
        """GET .../instances/{instance}/frames/{frames}/thumbnail: of the first that is named."""
        instance = await self._instances.of(request)
        number = frame_numbers(request.path_params["frames"])[0]
        _, rendering = self._asked(request)
        return await self._rendered.bare(request, instance, number, rendering)

    async def _kept(self, study: str, series: str | None, versions: Sequence[tuple[str, int]]) -> bytes:
        kept = await self._threads.read(self._derived.read, _KIND, *_kept_as(study, series, versions))
        if kept is not None:
            return kept
        return await self._threads.draw(make_thumbnail, self._archive, self._derived, study, series)

    def _asked(self, request: Request) -> tuple[Representation, Rendering]:
        form = self._negotiation.choose(request, _thumbnail_offers)
        return form, thumbnail_rendering_of(named_parameters(request), form.media_type)


def _thumbnail_offers() -> tuple[Representation, ...]:
    return tuple(offer for offer in rendered_offers(PICTURE_MEDIA_TYPES, True) if not offer.multipart)


THUMBNAIL_MEDIA_TYPES = media_types_of(_thumbnail_offers())
