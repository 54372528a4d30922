"""DICOMweb as routes of an application: Studies, Non-Patient Instance and URI Service of PS3.18."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from dicomweb import parameters as p
from dicomweb.bulk_collections import BulkCollections
from dicomweb.bulk_data import BulkData
from dicomweb.capabilities import Capabilities
from dicomweb.deletion import Delete
from dicomweb.frames import Frames
from dicomweb.media_types import (
    BULK_DATA_MEDIA_TYPES,
    DATA_SET_MEDIA_TYPES,
    DATA_SETS_MEDIA_TYPES,
    DICOM,
    FRAME_MEDIA_TYPES,
    FRAMES_MEDIA_TYPES,
    OBJECT_MEDIA_TYPES,
    OBJECTS_MEDIA_TYPES,
)
from dicomweb.metadata import Metadata
from dicomweb.non_patient import non_patient_transactions
from dicomweb.pictures import RENDERED_MEDIA_TYPES, Pictures
from dicomweb.qido import Search
from dicomweb.rendered import (
    COLLECTION_MEDIA_TYPES,
    INSTANCE_MEDIA_TYPES,
    RENDERED_FRAME_MEDIA_TYPES,
    Rendered,
)
from dicomweb.resource import Shared
from dicomweb.stow import STORED_MEDIA_TYPES, Store
from dicomweb.thumbnails import THUMBNAIL_MEDIA_TYPES, Thumbnails
from dicomweb.transaction import FOUND, IN_PART, WHOLE, Endpoint, Parameter, Transaction
from dicomweb.wado import Objects
from dicomweb.wado_uri import WadoUri
from pacs.archive import Archive
from pacs.files.derived import DerivedFiles
from pacs.model import Level

# What a page of another origin may read of our answers (Fetch 3.2.3)
EXPOSED_HEADERS = (
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Warning",
    "X-Total-Count",
)

_STUDY = "/studies/{study}"
_SERIES = "/studies/{study}/series/{series}"
_INSTANCE = "/studies/{study}/series/{series}/instances/{instance}"
_FRAMES = "/studies/{study}/series/{series}/instances/{instance}/frames/{frames}"


class DicomWeb:
    """The services of one process, as one table of their transactions.

    transactions: below the root, those first that are asked for most.
    """

    def __init__(
        self,
        archive: Archive,
        derived: DerivedFiles,
        root: str = "/dicom-web",
        wado_uri: str = "/wado",
        may_delete: bool = True,
        others: Iterable[Transaction] = (),
    ) -> None:
        """root: path of the services, from which Retrieve URLs are made.

        wado_uri: path of the URI Service.
        may_delete: whether objects may be deleted.
        others: transactions of services that stand for themselves, such as the worklist.
        """
        shared = Shared(archive)
        pictures = Pictures(archive, shared.threads)
        rendered = Rendered(shared, pictures)
        store = Store(archive, shared.threads, shared.negotiation, root)
        self._root = root
        # Paths are compared one after the other, so those that are asked for most come first.
        frames, *retrieve = _retrieve(shared)
        self.transactions = [
            frames,
            *_search(Search(archive, shared.threads, shared.negotiation, root)),
            *retrieve,
            *_retrieve_pictures(rendered, Thumbnails(shared, derived, pictures, rendered)),
            *_store(store),
            *_delete(Delete(archive, shared.threads, may_delete)),
            *non_patient_transactions(shared, store, root),
            *others,
        ]
        uri = WadoUri(shared, Objects(shared), rendered).retrieve
        self.uri_service = Transaction(
            "Retrieve", "9.1", "GET", wado_uri, uri, (*RENDERED_MEDIA_TYPES, DICOM), (), p.URI, IN_PART
        )

    @property
    def routes(self) -> list[BaseRoute]:
        """All routes. The application needs `add_problem_handlers`."""
        uri = Route(self.uri_service.path, self.uri_service.endpoint)
        return [*routes_of(self.transactions, self._root), uri]


def routes_of(transactions: Sequence[Transaction], root: str) -> list[BaseRoute]:
    """One route for each resource, and what describes it.  root: path of the services."""
    capabilities = Capabilities(transactions, root)
    by_path: dict[str, dict[str, Endpoint]] = {}
    for transaction in transactions:
        methods = by_path.setdefault(transaction.path, {"OPTIONS": capabilities.of(transaction.path)})
        methods[transaction.method] = transaction.endpoint
    return [
        *(_route(root + path, methods) for path, methods in by_path.items()),
        *(_route(root + path, {"OPTIONS": capabilities.of(path)}) for path in ("", "/")),
    ]


def _route(path: str, methods: dict[str, Endpoint]) -> Route:
    """One for all methods of a resource, so that its Allow field names them all."""
    if "GET" in methods:
        methods["HEAD"] = methods["GET"]

    async def endpoint(request: Request) -> Response:
        return await methods[request.method](request)

    return Route(path, endpoint, methods=[*methods])


def _get(
    section: str,
    answers: tuple[str, ...],
    parameters: tuple[Parameter, ...],
    *rows: tuple[str, str, Endpoint],
    done: tuple[int, ...] = IN_PART,
) -> list[Transaction]:
    return [
        Transaction(name, section, "GET", path, endpoint, answers, (), parameters, done)
        for name, path, endpoint in rows
    ]


def _retrieve(shared: Shared) -> list[Transaction]:
    """PS3.18 10.4, Table H-1."""
    frames, objects, metadata = Frames(shared), Objects(shared), Metadata(shared)
    collections = BulkCollections(shared, frames)
    accept = (p.ACCEPT,)
    return [
        *_get("10.4", FRAME_MEDIA_TYPES, accept, ("Retrieve Frames", _FRAMES, frames.retrieve)),
        *_get(
            "10.4",
            DATA_SETS_MEDIA_TYPES,
            accept,
            ("Retrieve Series Metadata", f"{_SERIES}/metadata", metadata.retrieve),
            ("Retrieve Instance Metadata", f"{_INSTANCE}/metadata", metadata.retrieve_instance),
            ("Retrieve Study Metadata", f"{_STUDY}/metadata", metadata.retrieve),
            done=WHOLE,
        ),
        *_get(
            "10.4", OBJECT_MEDIA_TYPES, accept, ("Retrieve Instance", _INSTANCE, objects.retrieve_instance)
        ),
        *_get(
            "10.4",
            OBJECTS_MEDIA_TYPES,
            accept,
            ("Retrieve Series", _SERIES, objects.retrieve),
            ("Retrieve Study", _STUDY, objects.retrieve),
        ),
        *_get(
            "10.4",
            BULK_DATA_MEDIA_TYPES,
            accept,
            (
                "Retrieve Bulkdata Value",
                f"{_INSTANCE}/bulkdata/{{path:path}}",
                BulkData(shared, frames).retrieve,
            ),
        ),
        *_get(
            "10.4",
            FRAMES_MEDIA_TYPES,
            accept,
            *(
                (f"Retrieve {name} {what}", f"{path}/{resource}", endpoint)
                for name, path in (("Study", _STUDY), ("Series", _SERIES), ("Instance", _INSTANCE))
                for what, resource, endpoint in (
                    ("Bulkdata", "bulkdata", collections.bulk_data),
                    ("Pixel Data", "pixeldata", collections.pixel_data),
                )
            ),
        ),
    ]


def _retrieve_pictures(rendered: Rendered, thumbnails: Thumbnails) -> list[Transaction]:
    """PS3.18 10.4, Table H-1."""
    instance = "Retrieve Rendered Instance", f"{_INSTANCE}/rendered", rendered.instance
    frames = "Retrieve Rendered Frames", f"{_FRAMES}/rendered", rendered.frames
    return [
        *_get("10.4", INSTANCE_MEDIA_TYPES, p.RENDERED, instance),
        *_get("10.4", RENDERED_FRAME_MEDIA_TYPES, p.RENDERED, frames),
        *_get(
            "10.4",
            COLLECTION_MEDIA_TYPES,
            p.RENDERED,
            ("Retrieve Rendered Series", f"{_SERIES}/rendered", rendered.collection),
            ("Retrieve Rendered Study", f"{_STUDY}/rendered", rendered.collection),
        ),
        *_get(
            "10.4",
            THUMBNAIL_MEDIA_TYPES,
            p.THUMBNAIL,
            ("Retrieve Instance Thumbnail", f"{_INSTANCE}/thumbnail", thumbnails.instance),
            ("Retrieve Series Thumbnail", f"{_SERIES}/thumbnail", thumbnails.collection),
            ("Retrieve Study Thumbnail", f"{_STUDY}/thumbnail", thumbnails.collection),
            ("Retrieve Frame Thumbnail", f"{_FRAMES}/thumbnail", thumbnails.frame),
        ),
    ]


def _search(search: Search) -> list[Transaction]:
    """PS3.18 10.6, Table H-1; patients are ours."""
    rows: tuple[tuple[Level, tuple[tuple[str, str, Endpoint], ...]], ...] = (
        (Level.STUDY, (("Search for Studies", "/studies", search.studies),)),
        (
            Level.SERIES,
            (
                ("Search for Study Series", f"{_STUDY}/series", search.series),
                ("Search for Series", "/series", search.series),
            ),
        ),
        (
            Level.INSTANCE,
            (
                ("Search for Study Series Instances", f"{_SERIES}/instances", search.instances),
                ("Search for Study Instances", f"{_STUDY}/instances", search.instances),
                ("Search for Instances", "/instances", search.instances),
            ),
        ),
        (Level.PATIENT, (("Search for Patients", "/patients", search.patients),)),
    )
    return [
        transaction
        for level, of_level in rows
        for transaction in _get(
            "10.6", DATA_SETS_MEDIA_TYPES, p.search_parameters(level), *of_level, done=FOUND
        )
    ]


def _store(store: Store) -> list[Transaction]:
    """PS3.18 10.5, Table H-1."""
    return [
        Transaction(
            name,
            "10.5",
            "POST",
            path,
            store.store,
            DATA_SET_MEDIA_TYPES,
            STORED_MEDIA_TYPES,
            (p.ACCEPT,),
            (HTTPStatus.OK, HTTPStatus.ACCEPTED),
        )
        for name, path in (("Store Instances", "/studies"), ("Store Study Instances", _STUDY))
    ]


def _delete(delete: Delete) -> list[Transaction]:
    """PS3.18 has no such transaction yet; paths and status are those of other archives."""
    return [
        Transaction(f"Delete {name}", "-", "DELETE", path, delete.delete, done=(HTTPStatus.NO_CONTENT,))
        for name, path in (("Study", _STUDY), ("Series", _SERIES), ("Instance", _INSTANCE))
    ]
