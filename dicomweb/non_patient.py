"""The Non-Patient Instance Service (PS3.18 12): hanging protocols, colour palettes and their like."""

from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from dicomweb import parameters as p
from dicomweb.conditional import entity_tag, not_modified, validators
from dicomweb.data_sets import DataSetsWriter, data_sets_writer
from dicomweb.keyed_search import KeyedSearch, Searched
from dicomweb.media_types import (
    DATA_SET_MEDIA_TYPES,
    DATA_SETS_MEDIA_TYPES,
    DICOM,
    NON_PATIENT_MEDIA_TYPES,
    Representation,
)
from dicomweb.request import check_uid
from dicomweb.resource import Resource, Shared
from dicomweb.stow import STORED_MEDIA_TYPES, Store
from dicomweb.transaction import FOUND, IN_PART, Transaction
from dicomweb.wado import Objects
from pacs.incoming import in_category
from pacs.model import Instance
from pacs.non_patient import CATEGORIES, Category

_SOP_INSTANCE_UID = 0x00080018


class NonPatientInstances(Resource):
    """The transactions on the instances of one category."""

    def __init__(self, shared: Shared, category: Category, objects: Objects, store: Store) -> None:
        super().__init__(shared)
        self._category = category
        self._objects = objects
        self._store = store

    async def retrieve(self, request: Request) -> Response:
        """GET /{npi-name}/{uid}."""
        uid = _uid(request)
        instance = await self._threads.search(self._archive.non_patient_instance, self._category, uid)
        form = await self._transcoding.non_patient_form(request, instance)
        if form.media_type == DICOM:
            return await self._objects.respond(request, instance, form)
        return await self._data_set(request, instance, form)

    async def store(self, request: Request) -> Response:
        """POST /{npi-name} and /{npi-name}/{uid}."""
        uid = _uid(request) if "uid" in request.path_params else None
        return await self._store.receive(request, in_category(self._category, uid), HTTPStatus.OK)

    async def _data_set(self, request: Request, instance: Instance, form: Representation) -> Response:
        tag = entity_tag(form, instance.digest)
        held = not_modified(request, tag)
        if held is not None:
            return held
        writer = data_sets_writer(form)
        content = await self._threads.read(self._content, instance, writer)
        return Response(content, headers={**validators(tag), "Content-Type": writer.content_type})

    def _content(self, instance: Instance, writer: DataSetsWriter) -> bytes:
        return writer.whole([self._archive.data_set_json(instance)])


def non_patient_transactions(shared: Shared, store: Store, root: str) -> list[Transaction]:
    """PS3.18 Table 12.3-1, for each category.  root: path of the services, from which URLs are made."""
    objects = Objects(shared)
    return [
        transaction
        for category in CATEGORIES
        for transaction in _transactions(
            category,
            NonPatientInstances(shared, category, objects, store),
            KeyedSearch(_searched(shared, category), shared.threads, shared.negotiation, root),
        )
    ]


def _searched(shared: Shared, category: Category) -> Searched:
    find = partial(shared.archive.search_non_patient, category)
    kept = frozenset(f"{tag:08X}" for tag in category.kept)
    return Searched(find, category.keys, category.returned, HTTPStatus.OK, kept)


def _transactions(
    category: Category, instances: NonPatientInstances, search: KeyedSearch
) -> list[Transaction]:
    all_of_them, one = f"/{category.npi_name}", f"/{category.npi_name}/{{uid}}"
    gives, takes = DATA_SET_MEDIA_TYPES, STORED_MEDIA_TYPES
    searched = (*p.PAGING, *p.key_parameters(category.keys.values()))
    accept = (p.ACCEPT,)
    name = category.title
    return [
        Transaction(
            f"Retrieve {name}",
            "12.4",
            "GET",
            one,
            instances.retrieve,
            NON_PATIENT_MEDIA_TYPES,
            (),
            accept,
            IN_PART,
        ),
        Transaction(f"Store {name}", "12.5", "POST", one, instances.store, gives, takes, accept),
        Transaction(
            f"Store {name} Instances", "12.5", "POST", all_of_them, instances.store, gives, takes, accept
        ),
        Transaction(
            f"Search for {name}",
            "12.6",
            "GET",
            all_of_them,
            search.search,
            DATA_SETS_MEDIA_TYPES,
            (),
            searched,
            FOUND,
        ),
    ]


def _uid(request: Request) -> str:
    return check_uid(request.path_params["uid"], "uid", _SOP_INSTANCE_UID)
