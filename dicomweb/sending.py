"""Sending what a search finds to a known system, after Supplement 248 (DICOMweb Send).

The resources are those of a search and take its keys; a Transaction UID names the request, of which the
result is asked for until it is there. docs/adr/0020 says what is known of the supplement.
"""

from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.data_sets import write_data_set
from dicomweb.media_types import DATA_SET_MEDIA_TYPES, Representation
from dicomweb.negotiation import Negotiation
from dicomweb.parameters import ACCEPT, DESTINATION, sending_parameters
from dicomweb.problems import problem
from dicomweb.request import check_uid, parameters, service_url, uids
from dicomweb.search_parameters import parse_search
from dicomweb.threads import Threads
from dicomweb.transaction import Transaction
from pacs.archive import Archive
from pacs.errors import InvalidQuery, NotFound
from pacs.index import Outbox, Peers, Sending
from pacs.model import DicomJson, Instance, Level
from pacs.query import Query
from pacs.selection import select

# Where it is asked for: the paths of the search transaction (PS3.18 10.6.1), and what each finds
_RESOURCES = (
    ("/studies", Level.STUDY),
    ("/series", Level.SERIES),
    ("/instances", Level.INSTANCE),
    ("/studies/{study}/series", Level.SERIES),
    ("/studies/{study}/instances", Level.INSTANCE),
    ("/studies/{study}/series/{series}/instances", Level.INSTANCE),
)
_REQUEST = "/send-requests/{transaction}"

_DONE = HTTPStatus.OK, HTTPStatus.ACCEPTED  # all is sent; it goes on

_TRANSACTION_UID, _DESTINATION = 0x00081195, "21000140"
_CLASS_UID, _INSTANCE_UID = "00081150", "00081155"

# Names and values of a query string
Parameters = list[tuple[str, str]]


class SendRequests:
    """The transactions of the service."""

    def __init__(
        self,
        archive: Archive,
        peers: Peers,
        outbox: Outbox,
        on_request: Callable[[], None],
        threads: Threads,
        root: str,
    ) -> None:
        """on_request: called when there is something to be sent.  root: the path of the service."""
        self._archive = archive
        self._peers = peers
        self._outbox = outbox
        self._on_request = on_request
        self._threads = threads
        self._negotiation = Negotiation()
        self._root = root

    async def studies(self, request: Request) -> Response:
        """POST of what a search for studies finds: 202, and where the result will be."""
        return await self._request(request, Level.STUDY)

    async def series(self, request: Request) -> Response:
        """POST of what a search for series finds."""
        return await self._request(request, Level.SERIES)

    async def instances(self, request: Request) -> Response:
        """POST of what a search for instances finds."""
        return await self._request(request, Level.INSTANCE)

    async def _request(self, request: Request, level: Level) -> Response:
        uid, form = _transaction(request), self._negotiation.choose_data_set(request)
        destination, keys = _destination(parameters(request))
        query = _query(level, keys, uids(request))
        if await self._threads.search(self._peers.find, destination) is None:
            message = "no system of this AE title is known here; `diafana peer add` makes it known"
            raise InvalidQuery(f"{DESTINATION.name}: {message}")
        instances = await self._threads.search(self._found, query)
        if not await self._threads.store(self._outbox.add, uid, destination, instances):
            return problem(409, "transaction: this Transaction UID was used already; take another one")
        self._on_request()
        return await self._result(request, uid, form)

    async def result(self, request: Request) -> Response:
        """GET of the same path: 202 while it works, 200 when it is done. Raises NotFound."""
        return await self._result(request, _transaction(request), self._negotiation.choose_data_set(request))

    async def cancel(self, request: Request) -> Response:
        """DELETE of the same path, which is ours: what is not sent yet stays here; 409 when all is done."""
        uid = _transaction(request)
        if await self._threads.search(self._outbox.sending, uid) is None:
            raise _unknown()
        if not await self._threads.store(self._outbox.end, uid):
            return problem(409, "transaction: it has ended already")
        return Response(status_code=204)

    async def _result(self, request: Request, uid: str, form: Representation) -> Response:
        sending = await self._threads.search(self._outbox.sending, uid)
        if sending is None:
            raise _unknown()
        path = request.scope["path"].partition(self._root)[2]
        url = f"{service_url(request, self._root)}{path}"
        headers = {"Content-Location": url, "Cache-Control": "no-store"}
        content = write_data_set(form, _told(sending))
        return Response(content, 200 if sending.has_ended else 202, headers, form.media_type)

    def _found(self, query: Query) -> list[Instance]:
        """Raises NotFound for nothing, TooManyMatches."""
        instances = select(self._archive, query)
        if not instances:
            raise NotFound("nothing is found that could be sent")
        return instances


def _transaction(request: Request) -> str:
    return check_uid(request.path_params["transaction"], "transaction", _TRANSACTION_UID)


def _destination(asked: Parameters) -> tuple[str, Parameters]:
    """The AE title that is given, and the other parameters. Raises InvalidQuery."""
    titles = [value.strip() for name, value in asked if name == DESTINATION.name]
    if len(titles) != 1 or not titles[0]:
        raise InvalidQuery(f"{DESTINATION.name}: expected the AE title of one known system")
    return titles[0], [pair for pair in asked if pair[0] != DESTINATION.name]


def _query(level: Level, keys: Parameters, path: tuple[str, ...]) -> Query:
    """What is to be sent. Raises InvalidQuery: to pass over a key, as a search does, would send more."""
    search = parse_search(level, keys, *path)
    if search.warnings:
        raise InvalidQuery(f"nothing is sent: {' '.join(search.warnings)}")
    if not search.query.criteria and not search.query.moments:
        raise InvalidQuery("say what is to be sent, with a key such as StudyInstanceUID")
    return search.query


def _told(sending: Sending) -> DicomJson:
    """Numbers as C-MOVE tells them (PS3.7 9.1.4).

    What failed, and what the destination commits to, is told as storage commitment does (PS3.3 C.14).
    """
    failed = [
        _reference(sop_class, uid) | {"00081197": {"vr": "US", "Value": [status]}}
        for sop_class, uid, status in sending.failed
    ]
    committed = [_reference(*names) for names in sending.committed]
    sequences = {"00081198": failed, "00081199": committed}
    told: DicomJson = {tag: {"vr": "SQ", "Value": items} for tag, items in sequences.items() if items}
    told[_DESTINATION] = {"vr": "AE", "Value": [sending.destination]}
    for tag, number in (
        ("00001020", sending.remaining),
        ("00001021", sending.completed),
        ("00001022", len(sending.failed)),
        ("00001023", sending.warned),
    ):
        told[tag] = {"vr": "US", "Value": [number]}
    if sending.error:
        told["00000902"] = {"vr": "LO", "Value": [sending.error[:64]]}
    return dict(sorted(told.items()))


def _reference(sop_class: str, uid: str) -> DicomJson:
    return {_CLASS_UID: {"vr": "UI", "Value": [sop_class]}, _INSTANCE_UID: {"vr": "UI", "Value": [uid]}}


def _unknown() -> NotFound:
    return NotFound("there is no such request here; they are kept for 30 days")


def send_transactions(service: SendRequests) -> list[Transaction]:
    """Supplement 248, which has no section in PS3.18 yet, and the cancelling that is ours."""
    gives, accept = DATA_SET_MEDIA_TYPES, (ACCEPT,)
    ask = {Level.STUDY: service.studies, Level.SERIES: service.series, Level.INSTANCE: service.instances}
    rows: list[Transaction] = []
    for resource, level in _RESOURCES:
        path, asked = resource + _REQUEST, sending_parameters(level)
        rows += [
            Transaction("Send", "Sup 248", "POST", path, ask[level], gives, (), asked, _DONE),
            Transaction("Send Result", "Sup 248", "GET", path, service.result, gives, (), accept, _DONE),
            Transaction("Cancel Send", "-", "DELETE", path, service.cancel, done=(HTTPStatus.NO_CONTENT,)),
        ]
    return rows
