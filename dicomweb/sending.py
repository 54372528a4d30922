"""Sending what is stored to a known system.

PS3.18 has no such service yet (Supplement 248 will bring one); this is ours, in the form of storage
commitment (13): a request with a Transaction UID, whose result is asked for until it is there.
"""

from collections.abc import Callable, Iterator

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.data_set_body import BODY_MEDIA_TYPES, BodyRefused, read_data_set
from dicomweb.data_sets import write_data_set
from dicomweb.media_types import DATA_SET_MEDIA_TYPES, Representation
from dicomweb.negotiation import Negotiation
from dicomweb.parameters import ACCEPT
from dicomweb.problems import problem
from dicomweb.references import sequence, uid_in
from dicomweb.request import check_uid, service_url
from dicomweb.threads import Threads
from dicomweb.transaction import Transaction
from pacs.archive import Archive
from pacs.errors import InvalidQuery, NotFound
from pacs.index import Outbox, Peers, Sending
from pacs.model import DicomJson, Instance

MOST_BYTES = 32 << 20  # of a request
MOST_INSTANCES = 65_535  # sent by one request: numbers of sub-operations are US

_PATH = "/send-requests/{transaction}"

_TRANSACTION_UID, _DESTINATION = 0x00081195, "21000140"
_STUDIES, _SERIES, _BY_CLASS, _INSTANCES = "00081110", "00081115", "00081112", "0008114A"
_LOOSE = "00081199"
_STUDY_UID, _SERIES_UID, _CLASS_UID, _INSTANCE_UID = "0020000D", "0020000E", "00081150", "00081155"

# Study, series and instance; None for all below
Subject = tuple[str, str | None, str | None]


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

    async def request(self, request: Request) -> Response:
        """POST /send-requests/{transaction}: 202, and where the result will be."""
        uid, form = _transaction(request), self._negotiation.choose_data_set(request)
        try:
            data_set = await read_data_set(request, MOST_BYTES)
        except BodyRefused as error:
            return error.response
        destination = _destination(data_set)
        if await self._threads.search(self._peers.find, destination) is None:
            raise InvalidQuery("DestinationAE is no system that is known here", int(_DESTINATION, 16))
        instances = await self._threads.search(self._instances, data_set)
        if not await self._threads.store(self._outbox.add, uid, destination, instances):
            return problem(409, "transaction: this Transaction UID was used already; take another one")
        self._on_request()
        return await self._result(request, uid, form)

    async def result(self, request: Request) -> Response:
        """GET /send-requests/{transaction}: 202 while it works, 200 when it is done. Raises NotFound."""
        return await self._result(request, _transaction(request), self._negotiation.choose_data_set(request))

    async def cancel(self, request: Request) -> Response:
        """DELETE /send-requests/{transaction}: what is not sent yet stays here; 409 when all is done."""
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
        url = f"{service_url(request, self._root)}{_PATH.format(transaction=uid)}"
        headers = {"Content-Location": url, "Cache-Control": "no-store"}
        content = write_data_set(form, _told(sending))
        return Response(content, 200 if sending.has_ended else 202, headers, form.media_type)

    def _instances(self, data_set: DicomJson) -> list[Instance]:
        """What is named, each once. Raises InvalidQuery, InvalidIdentifier, NotFound."""
        found: dict[str, Instance] = {}
        for subject in _subjects(data_set):
            found |= {one.sop_instance_uid: one for one in self._archive.instances(*subject)}
            if len(found) > MOST_INSTANCES:
                raise InvalidQuery(f"the request names more than {MOST_INSTANCES} instances; part it")
        if not found:
            raise InvalidQuery("the request names no study, series or instance", int(_STUDIES, 16))
        return list(found.values())


def _transaction(request: Request) -> str:
    return check_uid(request.path_params["transaction"], "transaction", _TRANSACTION_UID)


def _destination(data_set: DicomJson) -> str:
    values = data_set.get(_DESTINATION, {}).get("Value")
    if not values:
        raise InvalidQuery("DestinationAE is missing", int(_DESTINATION, 16))
    return str(values[0]).strip()


def _subjects(data_set: DicomJson) -> Iterator[Subject]:
    """Referenced Study Sequence (PS3.18 Table J.1-1); what names nothing below stands for all of it."""
    if _LOOSE in data_set:
        raise InvalidQuery("instances are named within ReferencedStudySequence", int(_LOOSE, 16))
    for study in sequence(data_set, _STUDIES):
        study_uid = uid_in(study, _STUDY_UID)
        series = sequence(study, _SERIES)
        yield from (of for one in series for of in _in_series(study_uid, one))
        if not series:
            yield study_uid, None, None


def _in_series(study_uid: str, series: DicomJson) -> Iterator[Subject]:
    series_uid = uid_in(series, _SERIES_UID)
    named = [item for of_class in sequence(series, _BY_CLASS) for item in sequence(of_class, _INSTANCES)]
    if not named:
        yield study_uid, series_uid, None
    for item in named:
        yield study_uid, series_uid, uid_in(item, _INSTANCE_UID)


def _told(sending: Sending) -> DicomJson:
    """Numbers as C-MOVE tells them (PS3.7 9.1.4), and what failed as storage commitment does (PS3.3 C.14)."""
    failed = [
        {
            _CLASS_UID: {"vr": "UI", "Value": [sop_class]},
            _INSTANCE_UID: {"vr": "UI", "Value": [uid]},
            "00081197": {"vr": "US", "Value": [status]},
        }
        for sop_class, uid, status in sending.failed
    ]
    told: DicomJson = {"00081198": {"vr": "SQ", "Value": failed}} if failed else {}
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


def _unknown() -> NotFound:
    return NotFound("there is no such request here; they are kept for 30 days")


def send_transactions(service: SendRequests) -> list[Transaction]:
    """Ours."""
    gives, takes, accept = DATA_SET_MEDIA_TYPES, BODY_MEDIA_TYPES, (ACCEPT,)
    return [
        Transaction("Send", "-", "POST", _PATH, service.request, gives, takes, accept),
        Transaction("Send Result Check", "-", "GET", _PATH, service.result, gives, (), accept),
        Transaction("Cancel Send", "-", "DELETE", _PATH, service.cancel),
    ]
