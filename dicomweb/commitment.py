"""The Storage Commitment Service (PS3.18 13): a request waits until all that it names was read back."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.data_set_body import BODY_MEDIA_TYPES, BodyRefused, read_data_set
from dicomweb.data_sets import write_data_set
from dicomweb.media_types import DATA_SET_MEDIA_TYPES
from dicomweb.negotiation import Negotiation
from dicomweb.parameters import ACCEPT
from dicomweb.problems import problem
from dicomweb.references import sequence, uid_in
from dicomweb.request import check_uid
from dicomweb.threads import Threads
from dicomweb.transaction import Transaction
from pacs.commitment import Commitment, FailureReason, Wanted
from pacs.errors import InvalidQuery, NotFound
from pacs.index import Commitments
from pacs.model import DicomJson

MOST_BYTES = 32 << 20  # of a request
MOST_INSTANCES = 100_000  # in one request

_TRANSACTION_UID = 0x00081195
_REFERENCED_SOP, _FAILED_SOP = "00081199", "00081198"
_REFERENCED_STUDY, _FAILED_STUDY = "00081110", "0008119B"
_REFERENCED_SERIES, _BY_SOP_CLASS, _REFERENCED_INSTANCE = "00081115", "00081112", "0008114A"
_SOP_CLASS_UID, _SOP_INSTANCE_UID = "00081150", "00081155"
_STUDY_UID, _SERIES_UID = "0020000D", "0020000E"

Checked = tuple[Wanted, FailureReason | None]


class StorageCommitment:
    """The transactions of the service."""

    def __init__(self, commitment: Commitment, answers: Commitments, threads: Threads) -> None:
        self._commitment = commitment
        self._answers = answers
        self._threads = threads
        self._negotiation = Negotiation()

    async def request(self, request: Request) -> Response:
        """POST /commitment-requests/{transaction}: 200 with what is committed and what is not, and why.

        409 when the transaction is known already. Raises InvalidIdentifier, InvalidQuery, MalformedObject.
        """
        uid, form = _transaction(request), self._negotiation.choose_data_set(request)
        if await self._threads.search(self._answers.answer, uid) is not None:
            return _taken()
        try:
            data_set = await read_data_set(request, MOST_BYTES)
        except BodyRefused as error:
            return error.response
        answer = await self._threads.read(self._committed, data_set)
        if not await self._threads.store(self._answers.keep, uid, answer):
            return _taken()  # by a request that came meanwhile
        return Response(write_data_set(form, answer), media_type=form.media_type)

    async def result(self, request: Request) -> Response:
        """GET /commitment-requests/{transaction}: the same answer again. Raises NotFound."""
        uid, form = _transaction(request), self._negotiation.choose_data_set(request)
        answer = await self._threads.search(self._answers.answer, uid)
        if answer is None:
            raise NotFound("there is no answer of such a transaction here; they are kept for 30 days")
        return Response(write_data_set(form, answer), media_type=form.media_type)

    def _committed(self, data_set: DicomJson) -> DicomJson:
        """PS3.18 J.2, in the form in which the request has it (J.1)."""
        loose = _bounded(_loose(data_set))
        placed = _bounded(_placed(data_set))
        if not loose and not placed:
            raise InvalidQuery("the request names no instances", 0x00081199)
        answer = _answer(_REFERENCED_SOP, _FAILED_SOP, self._checked(loose), _items)
        return answer | _answer(_REFERENCED_STUDY, _FAILED_STUDY, self._checked(placed), _studies)

    def _checked(self, wanted: list[Wanted]) -> list[Checked]:
        return list(zip(wanted, self._commitment.check(wanted), strict=True))


def _transaction(request: Request) -> str:
    return check_uid(request.path_params["transaction"], "transaction", _TRANSACTION_UID)


def _taken() -> Response:
    return problem(409, "transaction: this Transaction UID was used already; take another one")


def _bounded(wanted: Iterator[Wanted]) -> list[Wanted]:
    found: list[Wanted] = []
    for one in wanted:
        if len(found) == MOST_INSTANCES:
            raise InvalidQuery(f"the request names more than {MOST_INSTANCES} instances; part it")
        found.append(one)
    return found


def _loose(data_set: DicomJson) -> Iterator[Wanted]:
    """PS3.18 Table J.1-1: Referenced SOP Sequence."""
    for item in sequence(data_set, _REFERENCED_SOP):
        yield Wanted(uid_in(item, _SOP_CLASS_UID), uid_in(item, _SOP_INSTANCE_UID))


def _placed(data_set: DicomJson) -> Iterator[Wanted]:
    """PS3.18 Table J.1-1: Referenced Study Sequence."""
    for study in sequence(data_set, _REFERENCED_STUDY):
        study_uid = uid_in(study, _STUDY_UID)
        for series in sequence(study, _REFERENCED_SERIES):
            series_uid = uid_in(series, _SERIES_UID)
            for of_class in sequence(series, _BY_SOP_CLASS):
                sop_class_uid = uid_in(of_class, _SOP_CLASS_UID)
                for item in sequence(of_class, _REFERENCED_INSTANCE):
                    yield Wanted(sop_class_uid, uid_in(item, _SOP_INSTANCE_UID), study_uid, series_uid)


def _answer(
    committed: str, failed: str, checked: Sequence[Checked], written: Callable[[Sequence[Checked]], list[Any]]
) -> DicomJson:
    sequences = {
        committed: written([one for one in checked if one[1] is None]),
        failed: written([one for one in checked if one[1] is not None]),
    }
    return {key: {"vr": "SQ", "Value": items} for key, items in sequences.items() if items}


def _items(checked: Sequence[Checked]) -> list[DicomJson]:
    return [{_SOP_CLASS_UID: _ui(one.sop_class_uid)} | _instance(one, reason) for one, reason in checked]


def _studies(checked: Sequence[Checked]) -> list[DicomJson]:
    """By study, series and SOP class, each as often as it comes anew."""
    return _grouped(
        checked,
        ("study_instance_uid", _STUDY_UID, _REFERENCED_SERIES),
        ("series_instance_uid", _SERIES_UID, _BY_SOP_CLASS),
        ("sop_class_uid", _SOP_CLASS_UID, _REFERENCED_INSTANCE),
    )


def _grouped(checked: Sequence[Checked], *levels: tuple[str, str, str]) -> list[DicomJson]:
    if not levels:
        return [_instance(one, reason) for one, reason in checked]
    (name, key, below), *others = levels
    return [
        {key: _ui(uid), below: {"vr": "SQ", "Value": _grouped(list(group), *others)}}
        for uid, group in groupby(checked, lambda one: getattr(one[0], name))
    ]


def _instance(wanted: Wanted, reason: FailureReason | None) -> DicomJson:
    item = {_SOP_INSTANCE_UID: _ui(wanted.sop_instance_uid)}
    return item if reason is None else item | {"00081197": {"vr": "US", "Value": [int(reason)]}}


def _ui(uid: str) -> DicomJson:
    return {"vr": "UI", "Value": [uid]}


def transactions_of(service: StorageCommitment) -> list[Transaction]:
    """PS3.18 Table 13.3-1."""
    path, gives = "/commitment-requests/{transaction}", DATA_SET_MEDIA_TYPES
    return [
        Transaction("Request", "13.4", "POST", path, service.request, gives, BODY_MEDIA_TYPES, (ACCEPT,)),
        Transaction("Result Check", "13.5", "GET", path, service.result, gives, (), (ACCEPT,)),
    ]
