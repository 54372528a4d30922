"""The modality workflow: scheduled and performed procedure steps (PS3.18 14 and 15).

Chapter 14 has a search only; making, changing and removing scheduled steps is ours.
Finding performed ones is ours, too.
"""

from http import HTTPStatus
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from dicomweb import parameters as p
from dicomweb.data_set_body import BODY_MEDIA_TYPES, BodyRefused, read_data_set
from dicomweb.data_sets import write_data_set
from dicomweb.keyed_search import KeyedSearch, Searched
from dicomweb.media_types import DATA_SET_MEDIA_TYPES, DATA_SETS_MEDIA_TYPES, STEPS_MEDIA_TYPES, STEPS_OFFERS
from dicomweb.negotiation import Negotiation
from dicomweb.request import check_uid, named_parameters, parameters, service_url
from dicomweb.search_parameters import Reading
from dicomweb.threads import Threads
from dicomweb.transaction import FOUND, Endpoint, Parameter, Transaction
from dicomweb.warning import warn
from pacs.attributes import Key
from pacs.errors import InvalidIdentifier
from pacs.model import DicomJson
from pacs.procedure_steps import performed_attributes as performed_keys
from pacs.procedure_steps.performed import PerformedSteps
from pacs.procedure_steps.scheduled import ScheduledSteps
from pacs.procedure_steps.scheduled_attributes import KEYS, KEYS_BY_PATH, RETURNED

_STUDY_INSTANCE_UID, _STEP_ID, _SOP_INSTANCE_UID = 0x0020000D, 0x00400009, 0x00080018
_LONGEST_STEP_ID = 16  # of VR SH, PS3.5 6.2
_CHARACTER_SET = "00080005"  # in every answer, for it tells how to read the others

_SCHEDULED = "/modality-scheduled-procedure-steps"
_SCHEDULED_STEP = f"{_SCHEDULED}/{{study}}/{{step}}"
_PERFORMED = "/modality-performed-procedure-steps"
_PERFORMED_STEP = f"{_PERFORMED}/{{mpps}}"

_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Accept"}

_CREATED, _DONE = HTTPStatus.CREATED, HTTPStatus.NO_CONTENT


class ScheduledResource:
    """The transactions on single scheduled steps."""

    def __init__(self, steps: ScheduledSteps, threads: Threads, negotiation: Negotiation, root: str) -> None:
        """root: the path of the service."""
        self._steps = steps
        self._threads = threads
        self._negotiation = negotiation
        self._root = root

    async def create(self, request: Request) -> Response:
        """POST /modality-scheduled-procedure-steps: 201 with the place of the new step."""
        try:
            data_set = await read_data_set(request)
        except BodyRefused as error:
            return error.response
        study, step = await self._threads.store(self._steps.create, data_set)
        return self._created(request, study, step)

    async def retrieve(self, request: Request) -> Response:
        """GET /modality-scheduled-procedure-steps/{study}/{step}."""
        form = self._negotiation.choose_data_set(request)
        attributes = await self._threads.search(self._steps.get, *_names(request))
        return Response(write_data_set(form, attributes), headers=_HEADERS, media_type=form.media_type)

    async def put(self, request: Request) -> Response:
        """PUT /modality-scheduled-procedure-steps/{study}/{step}: 201 for a new one, else 204."""
        study, step = _names(request)
        try:
            data_set = await read_data_set(request)
        except BodyRefused as error:
            return error.response
        is_new = await self._threads.store(self._steps.put, study, step, data_set)
        return self._created(request, study, step) if is_new else Response(status_code=HTTPStatus.NO_CONTENT)

    async def delete(self, request: Request) -> Response:
        """DELETE /modality-scheduled-procedure-steps/{study}/{step}."""
        await self._threads.store(self._steps.delete, *_names(request))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _created(self, request: Request, study: str, step: str) -> Response:
        url = f"{service_url(request, self._root)}{_SCHEDULED}/{study}/{quote(step, safe='')}"
        return Response(status_code=HTTPStatus.CREATED, headers={"Location": url, "Content-Location": url})


class PerformedResource:
    """The transactions on performed steps (PS3.18 15.4 to 15.6)."""

    def __init__(self, steps: PerformedSteps, threads: Threads, negotiation: Negotiation, root: str) -> None:
        """root: the path of the service."""
        self._steps = steps
        self._threads = threads
        self._negotiation = negotiation
        self._root = root

    async def post(self, request: Request) -> Response:
        """POST /modality-performed-procedure-steps/{mpps}: Create, or Update with the parameter `update`."""
        uid = _mpps_uid(request)
        try:
            data_set = await read_data_set(request)
        except BodyRefused as error:
            return error.response
        if "update" in named_parameters(request):
            await self._threads.store(self._steps.update, uid, data_set)
            return Response()
        await self._threads.store(self._steps.create, uid, data_set)
        url = f"{service_url(request, self._root)}{request.url.path.removeprefix(self._root)}"
        return Response(status_code=HTTPStatus.CREATED, headers={"Location": url, "Content-Location": url})

    async def retrieve(self, request: Request) -> Response:
        """GET /modality-performed-procedure-steps/{mpps}: all attributes, or those of `includefield`."""
        form = self._negotiation.choose_data_set(request)
        asked = Reading[Key]({})
        for name, value in parameters(request):
            if name.lower() == p.INCLUDEFIELD.name:
                asked.take_includefield(value)
        attributes: DicomJson = await self._threads.search(self._steps.get, _mpps_uid(request))
        if asked.include and not asked.include_all:
            picked = asked.include | {_CHARACTER_SET}
            attributes = {key: element for key, element in attributes.items() if key in picked}
        response = Response(write_data_set(form, attributes), headers=_HEADERS, media_type=form.media_type)
        return warn(response, service_url(request, self._root), *asked.distinct_warnings())


def procedure_step_transactions(
    scheduled: ScheduledSteps, performed: PerformedSteps, root: str = "/dicom-web"
) -> list[Transaction]:
    """PS3.18 Tables 14.3-1 and 15.3-1, and ours.  root: path of the services, from which URLs are made."""
    threads, negotiation = Threads(), Negotiation()
    found = Searched(scheduled.search, KEYS_BY_PATH, RETURNED, HTTPStatus.OK, offers=STEPS_OFFERS)
    search = KeyedSearch(found, threads, negotiation, root).search
    reported = Searched(performed.search, performed_keys.KEYS_BY_PATH, performed_keys.RETURNED, HTTPStatus.OK)
    search_reported = KeyedSearch(reported, threads, negotiation, root).search
    planned = ScheduledResource(scheduled, threads, negotiation, root)
    done = PerformedResource(performed, threads, negotiation, root)
    return [*_of_scheduled(planned, search), *_of_performed(done, search_reported)]


def _of_scheduled(planned: ScheduledResource, search: Endpoint) -> list[Transaction]:
    name, one, asked = (
        "Modality Scheduled Procedure Step",
        _SCHEDULED_STEP,
        (*p.PAGING, *p.key_parameters(KEYS)),
    )
    gives, takes, accept = DATA_SET_MEDIA_TYPES, BODY_MEDIA_TYPES, (p.ACCEPT,)
    return [
        Transaction(
            f"Search {name}s", "14.4", "GET", _SCHEDULED, search, STEPS_MEDIA_TYPES, (), asked, FOUND
        ),
        Transaction(
            f"Create {name}", "-", "POST", _SCHEDULED, planned.create, (), takes, accept, (_CREATED,)
        ),
        Transaction(f"Retrieve {name}", "-", "GET", one, planned.retrieve, gives, (), accept),
        Transaction(f"Put {name}", "-", "PUT", one, planned.put, (), takes, (), (_CREATED, _DONE)),
        Transaction(f"Delete {name}", "-", "DELETE", one, planned.delete, done=(_DONE,)),
    ]


def _of_performed(done: PerformedResource, search: Endpoint) -> list[Transaction]:
    """Create and Update are one resource and method, told apart by a parameter."""
    name, one, gives = "Modality Performed Procedure Step", _PERFORMED_STEP, DATA_SET_MEDIA_TYPES
    asked = (p.INCLUDEFIELD, p.ACCEPT)
    keys = (*p.PAGING, *p.key_parameters(performed_keys.KEYS))
    update = (Parameter("update", "Whether attributes of a known step are set (15.5)", ""),)
    return [
        Transaction(
            f"Search {name}s", "-", "GET", _PERFORMED, search, DATA_SETS_MEDIA_TYPES, (), keys, FOUND
        ),
        Transaction(
            f"Create or Update {name}",
            "15.4",
            "POST",
            one,
            done.post,
            (),
            BODY_MEDIA_TYPES,
            update,
            (HTTPStatus.OK, _CREATED),
        ),
        Transaction(f"Retrieve {name}", "15.6", "GET", one, done.retrieve, gives, (), asked),
    ]


def _names(request: Request) -> tuple[str, str]:
    """Study Instance UID and Scheduled Procedure Step ID. Raises InvalidIdentifier, naming the wrong one."""
    study, step = request.path_params["study"], request.path_params["step"]
    if not step.strip() or len(step) > _LONGEST_STEP_ID or not step.isprintable() or "\\" in step:
        raise InvalidIdentifier(f"step: expected an ID of at most {_LONGEST_STEP_ID} characters", _STEP_ID)
    return check_uid(study, "study", _STUDY_INSTANCE_UID), step


def _mpps_uid(request: Request) -> str:
    return check_uid(request.path_params["mpps"], "mpps", _SOP_INSTANCE_UID)
