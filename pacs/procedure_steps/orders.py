"""Orders make, change and end scheduled steps: what an order filler tells of them (HL7 v2, chapter 4)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from pacs.errors import NotFound, StepConflict, StepRefusal
from pacs.index import WorklistRows, Worklists
from pacs.model import DicomJson, ScheduledStep
from pacs.procedure_steps import scheduled
from pacs.procedure_steps.scheduled_attributes import KEYS
from pacs.query import OneOf

_PATIENT_ID, _STEPS, _STUDY, _STEP = "00100020", "00400100", "0020000D", "00400009"
_PLACER, _FILLER = (
    next(key for key in KEYS if key.keyword == f"{who}OrderNumberImagingServiceRequest")
    for who in ("Placer", "Filler")
)


class Control(StrEnum):
    """What is to become of a step."""

    NEW = "new"
    CHANGE = "change"
    CANCEL = "cancel"
    STATUS = "status"


class OrderedStep(NamedTuple):
    """A step as an order speaks of it.

    study_instance_uid, step_id: empty where it does not name them.  placer, filler: the order's numbers.
    attributes: what a new step is made of; those of a step that is ended need its patient only.
    status: its new Scheduled Procedure Step Status, of a change of the status.
    """

    control: Control
    study_instance_uid: str
    step_id: str
    placer: str
    filler: str
    attributes: DicomJson
    status: str = ""


class Orders:
    """Takes orders. Safe for threads and processes."""

    def __init__(self, tables: Worklists) -> None:
        self._tables = tables

    def take(self, steps: Sequence[OrderedStep]) -> None:
        """Do what is ordered, all of it or nothing. What comes twice is done once.

        Raises InvalidStep, NotFound or StepConflict.
        """
        with self._tables.changing() as rows:
            for step in steps:
                found = _found(rows, step)
                if any(_patient(one.attributes) != _patient(step.attributes) for one in found):
                    raise StepConflict(StepRefusal.OTHER_PATIENT)
                _DO[step.control](rows, step, found)


def _found(rows: WorklistRows, step: OrderedStep) -> list[ScheduledStep]:
    """The steps of these names, or those of the order where it does not name them."""
    if step.study_instance_uid and step.step_id:
        named = rows.scheduled_steps.find(step.study_instance_uid, step.step_id)
        return [named] if named else []
    number = (_PLACER, OneOf((step.placer,))) if step.placer else (_FILLER, OneOf((step.filler,)))
    known = [_names(one) for one in rows.scheduled_steps.search([number], (), None, 0)]
    wanted = [
        (study, step_id)
        for study, step_id in known
        if step.study_instance_uid in ("", study) and step.step_id in ("", step_id)
    ]
    return [one for names in wanted if (one := rows.scheduled_steps.find(*names)) is not None]


def _make(rows: WorklistRows, step: OrderedStep, found: list[ScheduledStep]) -> None:
    """The order may come again, as long as nobody has begun."""
    if any(one.status != scheduled.SCHEDULED for one in found):
        raise StepConflict(StepRefusal.EXISTS)
    _put(rows, step, _only(found))


def _change(rows: WorklistRows, step: OrderedStep, found: list[ScheduledStep]) -> None:
    """A step that has ended stays as it is; one that has begun stays begun."""
    if any(one.status in scheduled.ENDED for one in _known(found)):
        raise StepConflict(StepRefusal.FINAL)
    _put(rows, step, _only(found))


def _cancel(rows: WorklistRows, step: OrderedStep, found: list[ScheduledStep]) -> None:
    """What was begun can be discontinued, not cancelled."""
    if any(one.status == scheduled.STARTED for one in found):
        raise StepConflict(StepRefusal.BEGUN)
    _bring(rows, step._replace(status=scheduled.DISCONTINUED), found)


def _bring(rows: WorklistRows, step: OrderedStep, found: list[ScheduledStep]) -> None:
    """To a status; from a final one there is no way to another."""
    for one in _known(found):
        if one.status in scheduled.ENDED and one.status != step.status:
            raise StepConflict(StepRefusal.FINAL)
        scheduled.follow(rows, one.study_instance_uid, one.step_id, step.status)


_DO = {Control.NEW: _make, Control.CHANGE: _change, Control.CANCEL: _cancel, Control.STATUS: _bring}


def _put(rows: WorklistRows, step: OrderedStep, known: ScheduledStep | None) -> None:
    """Write a step under the names that it has, or is given now, and in the status that it has."""
    study, step_id = step.study_instance_uid, step.step_id
    if known is not None:
        study, step_id = known.study_instance_uid, known.step_id
    status = known.status if known is not None else scheduled.SCHEDULED
    scheduled.write(rows, scheduled.step_of(step.attributes, study, step_id, status))


def _only(found: list[ScheduledStep]) -> ScheduledStep | None:
    if len(found) > 1:
        raise StepConflict(StepRefusal.SEVERAL)
    return found[0] if found else None


def _known(found: list[ScheduledStep]) -> list[ScheduledStep]:
    if not found:
        raise NotFound("there is no such scheduled procedure step here")
    return found


def _names(attributes: DicomJson) -> tuple[str, str]:
    item = attributes[_STEPS]["Value"][0]
    return str(attributes[_STUDY]["Value"][0]), str(item[_STEP]["Value"][0])


def _patient(attributes: DicomJson) -> str:
    return str(attributes.get(_PATIENT_ID, {}).get("Value", [""])[0])
