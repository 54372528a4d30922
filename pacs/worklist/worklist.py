"""The work items: making, changing, ending and finding them (PS3.4 CC.2)."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from pydicom.uid import generate_uid

from pacs.attributes import Key
from pacs.errors import InvalidStep, Refusal, WorkitemConflict
from pacs.index import SearchValue, WorklistRows, Worklists, search_values
from pacs.model import DicomJson, Workitem
from pacs.query import Condition, normal_date_time
from pacs.requirements import check_coded_entries
from pacs.worklist import events
from pacs.worklist.attributes import KEYS, UPS_PUSH
from pacs.worklist.ending import with_cancellation, with_cancellation_time
from pacs.worklist.filters import criteria_of
from pacs.worklist.finding import found
from pacs.worklist.requirements import check_change, check_creation, lacking_for
from pacs.worklist.state import FINAL_STATES, State, Step, on_cancel_request, on_change

DAY = 86_400.0  # seconds
MAX_VALUES = 1000  # of one work item that are searched by; usual ones have thirty

_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+", re.ASCII)
_LONGEST_UID = 64

_CHARACTER_SET, _SOP_CLASS, _SOP_INSTANCE = "00080005", "00080016", "00080018"
_AFFECTED_SOP_INSTANCE, _TRANSACTION_UID = "00001000", "00081195"
_STATE, _LABEL, _START, _MODIFIED = "00741000", "00741202", "00404005", "00404010"
_REASON_CODE, _REQUESTING_AE = "0074100E", "00741236"


@dataclass(frozen=True, slots=True)
class Created:
    """A new work item.  modified: whether it is not quite as it was asked for."""

    uid: str
    modified: bool


class Worklist:
    """The work items of the archive, which performs none of them. Safe for threads."""

    def __init__(
        self, tables: Worklists, ae_title: str, days_kept: float, on_events: Callable[[], None]
    ) -> None:
        """ae_title: ours; the label of work items that name no worklist.

        days_kept: how long those that have ended are kept when nobody holds a deletion lock.
        on_events: called when subscribers have something to be told.
        """
        self._tables = tables
        self._ae_title = ae_title
        self._days_kept = days_kept
        self._on_events = on_events

    def create(self, given: DicomJson, uid: str | None = None) -> Created:
        """Make a work item (N-CREATE).  uid: None where the data set has it, or leaves it to us.

        Raises InvalidStep, or WorkitemConflict when there is one of this UID.
        """
        uid, given = _with_uid(given, uid)
        given = {key: element for key, element in given.items() if key not in (_CHARACTER_SET, _MODIFIED)}
        check_creation(given)
        if _value(given, _STATE) != State.SCHEDULED:
            raise InvalidStep("ProcedureStepState is not SCHEDULED", int(_STATE, 16))
        given = {key: element for key, element in given.items() if key != _TRANSACTION_UID}  # it has no value
        label = {} if "Value" in given[_LABEL] else {_LABEL: events.element("LO", self._ae_title)}
        ours = {
            _CHARACTER_SET: events.element("CS", "ISO_IR 192"),  # that of JSON
            _SOP_CLASS: events.element("UI", UPS_PUSH),
            _SOP_INSTANCE: events.element("UI", uid),
            _MODIFIED: _now(),
        }
        attributes = dict(sorted((given | label | ours).items()))
        with self._changing() as rows:
            if rows.workitems.find(uid) is not None:
                raise WorkitemConflict(Refusal.EXISTS)
            workitem = rows.workitems.insert(uid, attributes, _start(attributes), _values(attributes))
            _subscribe_to_new(rows, workitem)
        return Created(uid, bool(label))

    def get(self, uid: str) -> DicomJson:
        """All attributes but the Transaction UID (N-GET). Raises NotFound."""
        with self._tables.reading() as rows:
            return found(rows, uid).attributes

    def search(
        self, criteria: Sequence[tuple[Key, Condition]], limit: int | None = None, offset: int = 0
    ) -> Iterator[DicomJson]:
        """The work items that fulfil all criteria, by their scheduled start (C-FIND)."""
        with self._tables.reading() as rows:
            yield from rows.workitems.search(criteria, limit, offset)

    def update(self, uid: str, given: DicomJson, transaction_uid: str = "") -> None:
        """Set attributes (N-SET).  transaction_uid: where the data set does not have it.

        Raises InvalidStep, WorkitemConflict or NotFound.
        """
        transaction_uid = transaction_uid or _value(given, _TRANSACTION_UID)
        ours = (_TRANSACTION_UID, _CHARACTER_SET, _MODIFIED)
        given = {key: element for key, element in given.items() if key not in ours}
        check_change(given)
        with self._changing() as rows:
            workitem = found(rows, uid)
            _check_may_update(workitem, transaction_uid)
            attributes = workitem.attributes | given | {_MODIFIED: _now()}
            self._write(rows, workitem, replace(workitem, attributes=attributes))

    def change_state(self, uid: str, requested: str, transaction_uid: str) -> bool:
        """Claim, complete or cancel (N-ACTION Change UPS State); False when it is in that state already.

        Raises InvalidStep, WorkitemConflict or NotFound.
        """
        state = _state_named(requested)
        if transaction_uid and not _is_uid(transaction_uid):
            raise InvalidStep("TransactionUID is no UID", int(_TRANSACTION_UID, 16))
        with self._changing() as rows:
            workitem = found(rows, uid)
            step = _step(workitem, state, transaction_uid)
            if step is not Step.WARN:
                attributes = workitem.attributes | {_STATE: events.element("CS", state)}
                if state is State.CANCELED:
                    attributes = with_cancellation_time(attributes, _now())
                if step is Step.CHANGE_WHEN_COMPLETE and (lacking := lacking_for(state, attributes)):
                    raise WorkitemConflict(Refusal.FINAL_STATE_REQUIREMENTS, ", ".join(lacking))
                changed = replace(workitem, attributes=attributes, transaction_uid=transaction_uid)
                self._write(rows, workitem, changed)
        return step is not Step.WARN

    def request_cancel(self, uid: str, information: DicomJson) -> bool:
        """Pass on a request to cancel, or cancel what nobody has claimed; False when it is canceled already.

        information: reason, reason code, contact, requesting AE (N-ACTION Request UPS Cancel).
        Raises InvalidStep, WorkitemConflict or NotFound.
        """
        check_coded_entries(information, _REASON_CODE)
        with self._changing() as rows:
            workitem = found(rows, uid)
            step = _not_refused(on_cancel_request(_state(workitem)))
            if step is Step.CHANGE:
                self._cancel(rows, workitem, information)
            elif step is Step.TELL:
                self._tell_performer(rows, workitem, information)
        return step is not Step.WARN

    @contextmanager
    def _changing(self) -> Iterator[WorklistRows]:
        with self._tables.changing() as rows:
            yield rows
        if rows.reports.has_new:
            self._on_events()

    def _tell_performer(self, rows: WorklistRows, workitem: Workitem, information: DicomJson) -> None:
        """Who performs a step is not known, but may be among those who subscribe to it."""
        subscribers = rows.subscriptions.subscribers(workitem.key)
        if not subscribers:
            raise WorkitemConflict(Refusal.PERFORMER_UNREACHABLE)
        requesting_ae = _value(information, _REQUESTING_AE) or self._ae_title
        rows.reports.add(subscribers, [events.cancel_requested(workitem.uid, requesting_ae, information)])

    def _cancel(self, rows: WorklistRows, workitem: Workitem, information: DicomJson) -> None:
        """By way of IN PROGRESS, as if we had claimed it (Table CC.1.1-2)."""
        claimed = replace(
            workitem,
            transaction_uid=generate_uid(),
            attributes=workitem.attributes | {_STATE: events.element("CS", State.IN_PROGRESS)},
        )
        self._write(rows, workitem, claimed)
        attributes = with_cancellation(claimed.attributes, information, _now())
        attributes |= {_STATE: events.element("CS", State.CANCELED)}
        self._write(rows, claimed, replace(claimed, attributes=attributes))

    def _write(self, rows: WorklistRows, before: Workitem, after: Workitem) -> None:
        """Write a change, and let subscribers be told."""
        attributes = dict(sorted(after.attributes.items()))
        has_ended = _state(after) in FINAL_STATES
        changed = replace(after, attributes=attributes)
        rows.workitems.update(changed, _start(attributes), _values(attributes), has_ended)
        reports = events.on_change(after.uid, before.attributes, attributes)
        rows.reports.add(rows.subscriptions.subscribers(after.key), reports)
        if has_ended:
            rows.workitems.remove_ended(time.time() - self._days_kept * DAY)


def _with_uid(given: DicomJson, uid: str | None) -> tuple[str, DicomJson]:
    """The UID of a new work item, and its data set without it. Raises InvalidStep."""
    named = {_value(given, key) for key in (_SOP_INSTANCE, _AFFECTED_SOP_INSTANCE)} | {uid or ""}
    named.discard("")
    if len(named) > 1:
        raise InvalidStep("SOPInstanceUID is not that of the request", int(_SOP_INSTANCE, 16))
    chosen = named.pop() if named else generate_uid()
    if not _is_uid(chosen) or chosen in (events.WORKLIST, events.FILTERED_WORKLIST):
        raise InvalidStep("SOPInstanceUID cannot be that of a work item", int(_SOP_INSTANCE, 16))
    rest = {key: one for key, one in given.items() if key not in (_SOP_INSTANCE, _AFFECTED_SOP_INSTANCE)}
    return chosen, rest


def _subscribe_to_new(rows: WorklistRows, workitem: Workitem) -> None:
    """Subscribe those who are subscribed to the worklist, and let them be told."""
    told = []
    for subscription in rows.subscriptions.worklist():
        if rows.workitems.matches(workitem, criteria_of(subscription.filter)):
            rows.subscriptions.put([workitem.key], subscription.ae_title, subscription.deletion_lock)
            told.append(subscription.ae_title)
    rows.reports.add(told, events.on_creation(workitem.uid, workitem.attributes))


def _step(workitem: Workitem, requested: State, transaction_uid: str) -> Step:
    """What a change of state leads to. Raises WorkitemConflict when it is refused."""
    is_correct = bool(transaction_uid) and workitem.transaction_uid in ("", transaction_uid)
    step = on_change(_state(workitem), requested, is_correct)
    if step is Refusal.TRANSACTION_UID_INCORRECT and not transaction_uid:
        step = Refusal.TRANSACTION_UID_MISSING
    return _not_refused(step)


def _not_refused(step: Step | Refusal) -> Step:
    if isinstance(step, Refusal):
        raise WorkitemConflict(step)
    return step


def _check_may_update(workitem: Workitem, transaction_uid: str) -> None:
    """PS3.4 CC.2.6.2 and CC.2.6.3."""
    state = _state(workitem)
    if state in FINAL_STATES:
        raise WorkitemConflict(Refusal.FINAL)
    if state is State.SCHEDULED and transaction_uid:
        raise WorkitemConflict(Refusal.NOT_IN_PROGRESS)
    if state is State.IN_PROGRESS and transaction_uid != workitem.transaction_uid:
        incorrect, missing = Refusal.TRANSACTION_UID_INCORRECT, Refusal.TRANSACTION_UID_MISSING
        raise WorkitemConflict(incorrect if transaction_uid else missing)


def _state_named(text: str) -> State:
    """The state, also where it is spelt as PS3.18 11.7.1.4 once did. Raises InvalidStep."""
    try:
        return State("CANCELED" if text == "CANCELLED" else text)
    except ValueError:
        raise InvalidStep(f"ProcedureStepState is none of {', '.join(State)}", int(_STATE, 16)) from None


def _state(workitem: Workitem) -> State:
    return State(_value(workitem.attributes, _STATE))


def _is_uid(text: str) -> bool:
    return len(text) <= _LONGEST_UID and _UID.fullmatch(text) is not None


def _value(attributes: DicomJson, key: str) -> str:
    """The first value as text, empty when there is none."""
    values = attributes.get(key, {}).get("Value")
    return str(values[0]) if values else ""


def _values(attributes: DicomJson) -> list[SearchValue]:
    """What a work item is searched by. Raises InvalidStep for a flood."""
    values = list(islice(search_values(attributes, KEYS), MAX_VALUES + 1))
    if len(values) > MAX_VALUES:
        raise InvalidStep(f"it has more than {MAX_VALUES} values that work items are searched by")
    return values


def _start(attributes: DicomJson) -> str:
    return normal_date_time(_value(attributes, _START)) or ""


def _now() -> DicomJson:
    return events.element("DT", datetime.now().astimezone().strftime("%Y%m%d%H%M%S.%f%z"))
