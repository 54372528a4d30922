"""Making, reading and changing work items (PS3.18 11.4 to 11.8)."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.data_set_body import read_data_set
from dicomweb.data_sets import data_sets_writer
from dicomweb.negotiation import Negotiation
from dicomweb.request import check_uid, parameters, service_url
from dicomweb.threads import Threads
from dicomweb.ups.conflicts import (
    CHANGE_STATE,
    CREATE,
    INCONSISTENT_CHANGE,
    INCONSISTENT_UPDATE,
    NOT_CLAIMED,
    REQUEST_CANCEL,
    UPDATE,
    answering,
)
from dicomweb.warning import warn
from pacs.model import DicomJson
from pacs.worklist.worklist import Worklist

_SOP_INSTANCE_UID, _TRANSACTION_UID = 0x00080018, 0x00081195
_STATE = "00741000"

# A UID in the query string stands alone (11.4.1.1, 11.6.1.2); some give it one of these names.
_WORKITEM_NAMES = ("workitem", "affectedsopinstanceuid")
_TRANSACTION_NAMES = ("transaction-uid", "transactionuid", "transaction")
_OTHERS = ("accept", "charset")  # 11.1.2


class Workitems:
    """The transactions on single work items."""

    def __init__(self, worklist: Worklist, threads: Threads, negotiation: Negotiation, root: str) -> None:
        """root: the path of the service."""
        self._worklist = worklist
        self._threads = threads
        self._negotiation = negotiation
        self.root = root

    @answering(CREATE)
    async def create(self, request: Request) -> Response:
        """POST /workitems?{workitem}."""
        uid = _uid_of_query(request, _WORKITEM_NAMES, _SOP_INSTANCE_UID)
        data_set = await read_data_set(request)
        created = await self._threads.store(self._worklist.create, data_set, uid)
        url = self._url(request, created.uid)
        response = Response(status_code=201, headers={"Location": url, "Content-Location": url})
        texts = ("The Workitem was created with modifications.",) if created.modified else ()
        return warn(response, service_url(request, self.root), *texts)

    async def retrieve(self, request: Request) -> Response:
        """GET /workitems/{workitem}."""
        writer = data_sets_writer(self._negotiation.choose_data_sets(request))
        uid = workitem_uid(request)
        attributes = await self._threads.search(self._worklist.get, uid)
        headers = {
            "Content-Type": writer.content_type,
            "Content-Location": self._url(request, uid),  # of a resource in the payload (11.5.3.2)
            "Cache-Control": "private, no-cache",
            "Vary": "Accept",
        }
        return Response(writer.whole([attributes]), headers=headers)

    @answering(UPDATE, INCONSISTENT_UPDATE, NOT_CLAIMED)
    async def update(self, request: Request) -> Response:
        """POST /workitems/{workitem}?{transaction-uid}."""
        uid = workitem_uid(request)
        transaction_uid = _uid_of_query(request, _TRANSACTION_NAMES, _TRANSACTION_UID) or ""
        data_set = await read_data_set(request)
        await self._threads.store(self._worklist.update, uid, data_set, transaction_uid)
        return Response(headers={"Content-Location": self._url(request, uid)})

    @answering(CHANGE_STATE, INCONSISTENT_CHANGE, INCONSISTENT_CHANGE)
    async def change_state(self, request: Request) -> Response:
        """PUT /workitems/{workitem}/state."""
        uid = workitem_uid(request)
        data_set = await read_data_set(request)
        state = _first(data_set, _STATE)
        transaction_uid = _first(data_set, f"{_TRANSACTION_UID:08X}")
        changed = await self._threads.store(self._worklist.change_state, uid, state, transaction_uid)
        return self._warned(request, Response(), "" if changed else state)

    @answering(REQUEST_CANCEL)
    async def request_cancel(self, request: Request) -> Response:
        """POST /workitems/{workitem}/cancelrequest."""
        uid = workitem_uid(request)
        information = await read_data_set(request, may_be_empty=True)
        heeded = await self._threads.store(partial(self._worklist.request_cancel, uid), information)
        return self._warned(request, Response(status_code=202), "" if heeded else "CANCELED")

    def _url(self, request: Request, uid: str) -> str:
        return f"{service_url(request, self.root)}/workitems/{uid}"

    def _warned(self, request: Request, response: Response, already: str) -> Response:
        texts = (f"The UPS is already in the requested state of {already}.",) if already else ()
        return warn(response, service_url(request, self.root), *texts)


def workitem_uid(request: Request) -> str:
    """The UID of the path. Raises InvalidIdentifier."""
    return check_uid(request.path_params["workitem"], "workitem", _SOP_INSTANCE_UID)


def _uid_of_query(request: Request, names: tuple[str, ...], tag: int) -> str | None:
    """The UID that the query string is, or has under one of these names. Raises InvalidIdentifier."""
    for name, value in parameters(request):
        if name.lower() in names:
            return check_uid(value, name, tag)
        if not value and name.lower() not in _OTHERS:
            return check_uid(name, names[0], tag)
    return None


def _first(data_set: DicomJson, key: str) -> str:
    values = data_set.get(key, {}).get("Value", [""])
    return str(values[0])
