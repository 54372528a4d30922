"""DICOMweb as routes of an application: the Studies Service and the URI Service of PS3.18."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from dicomweb.bulk_data import BulkData
from dicomweb.frames import Frames
from dicomweb.metadata import Metadata
from dicomweb.pictures import Pictures
from dicomweb.qido import Search
from dicomweb.rendered import Rendered
from dicomweb.resource import Shared
from dicomweb.stow import Store
from dicomweb.thumbnails import Thumbnails
from dicomweb.wado import Objects
from dicomweb.wado_uri import WadoUri
from pacs.archive import Archive
from pacs.files.derived import DerivedFiles

Endpoint = Callable[[Request], Awaitable[Response]]

_STUDY = "/studies/{study}"
_SERIES = "/studies/{study}/series/{series}"
_INSTANCE = "/studies/{study}/series/{series}/instances/{instance}"
_FRAMES = "/studies/{study}/series/{series}/instances/{instance}/frames/{frames}"


def routes(
    archive: Archive, derived: DerivedFiles, root: str = "/dicom-web", wado_uri: str = "/wado"
) -> list[BaseRoute]:
    """All routes, those first that are asked for most. The application needs `add_problem_handlers`.

    root: path of the Studies Service, from which Retrieve URLs are made: the routes hold it already.
    wado_uri: path of the URI Service.
    """
    shared = Shared(archive)
    pictures = Pictures(archive, shared.threads)
    frames, objects, metadata = Frames(shared), Objects(shared), Metadata(shared)
    rendered = Rendered(shared, pictures)
    thumbnails = Thumbnails(shared, derived, pictures, rendered)
    bulk_data = BulkData(shared, frames)
    search = Search(archive, shared.threads, shared.negotiation, root)
    store = Store(archive, shared.threads, shared.negotiation, root)
    reading: tuple[tuple[str, Endpoint], ...] = (
        (_FRAMES, frames.retrieve),
        (f"{_INSTANCE}/rendered", rendered.instance),
        (f"{_INSTANCE}/thumbnail", thumbnails.instance),
        (f"{_SERIES}/metadata", metadata.retrieve),
        ("/studies", search.studies),
        (f"{_STUDY}/series", search.series),
        (f"{_SERIES}/instances", search.instances),
        (f"{_SERIES}/thumbnail", thumbnails.collection),
        (_INSTANCE, objects.retrieve_instance),
        (f"{_INSTANCE}/metadata", metadata.retrieve_instance),
        (f"{_INSTANCE}/bulkdata/{{path:path}}", bulk_data.retrieve),
        (f"{_FRAMES}/rendered", rendered.frames),
        (f"{_FRAMES}/thumbnail", thumbnails.frame),
        (_SERIES, objects.retrieve),
        (f"{_SERIES}/rendered", rendered.collection),
        (_STUDY, objects.retrieve),
        (f"{_STUDY}/metadata", metadata.retrieve),
        (f"{_STUDY}/thumbnail", thumbnails.collection),
        (f"{_STUDY}/rendered", rendered.collection),
        (f"{_STUDY}/instances", search.instances),
        ("/patients", search.patients),
        ("/series", search.series),
        ("/instances", search.instances),
    )
    return [
        *(Route(root + path, endpoint) for path, endpoint in reading),
        *(Route(root + path, store.store, methods=["POST"]) for path in ("/studies", _STUDY)),
        Route(wado_uri, WadoUri(shared.instances, objects, rendered).retrieve),
    ]
