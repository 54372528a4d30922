"""What modalities report of their work: Modality Performed Procedure Steps (PS3.4 F.7)."""

import time
from collections.abc import Callable, Iterator, Sequence

from pacs.attributes import Key
from pacs.errors import InvalidStep, NotFound, StepConflict, StepRefusal
from pacs.index import WorklistRows, Worklists, search_values
from pacs.model import DicomJson, PerformedStep
from pacs.procedure_steps import scheduled
from pacs.procedure_steps.performed_attributes import (
    COMPLETED,
    DISCONTINUED,
    ENUMERATED,
    FINAL_STATES,
    IN_PROGRESS,
    KEYS,
    MPPS,
    TABLE,
    WITHOUT_MEANING,
)
from pacs.query import Condition
from pacs.requirements import check, lacking

DAY = 86_400.0  # seconds

Criteria = Sequence[tuple[Key, Condition]]

_CREATE = {row: row.create for row in TABLE}
_CHANGE = {row: row.change for row in TABLE}
_FINAL = [row for row in TABLE if row.final == "1"]

_CHARACTER_SET, _SOP_CLASS, _SOP_INSTANCE, _AFFECTED = "00080005", "00080016", "00080018", "00001000"
_STATUS, _SCHEDULED_STEPS = "00400252", "00400270"
_STUDY, _STEP = "0020000D", "00400009"
_REFERENCED_STUDIES, _REFERENCED_INSTANCE = "00081110", "00081155"

# What becomes of the scheduled steps that a performed one is of
_SCHEDULED_STATUS = {
    IN_PROGRESS: scheduled.STARTED,
    COMPLETED: scheduled.COMPLETED,
    DISCONTINUED: scheduled.DISCONTINUED,
}


class PerformedSteps:
    """The Modality Performed Procedure Steps. Safe for threads."""

    def __init__(
        self,
        tables: Worklists,
        days_kept: float,
        told: Sequence[str] = (),
        on_told: Callable[[], None] = lambda: None,
    ) -> None:
        """days_kept: how long steps are kept after their end, the scheduled ones too.

        told: the AE titles of those who are told all that is reported.
        on_told: called when something waits for them.
        """
        self._tables = tables
        self._days_kept = days_kept
        self._told = told
        self._on_told = on_told

    def create(self, uid: str, given: DicomJson) -> None:
        """Note that a step has begun (N-CREATE). Raises InvalidStep or StepConflict."""
        given = _without_names(given, uid)
        check(given, _CREATE, ENUMERATED, WITHOUT_MEANING)
        if _first(given, _STATUS) != IN_PROGRESS:
            raise InvalidStep(f"PerformedProcedureStepStatus is not {IN_PROGRESS}", int(_STATUS, 16))
        ours = {
            _CHARACTER_SET: {"vr": "CS", "Value": ["ISO_IR 192"]},  # that of JSON
            _SOP_CLASS: {"vr": "UI", "Value": [MPPS]},
            _SOP_INSTANCE: {"vr": "UI", "Value": [uid]},
        }
        with self._tables.changing() as rows:
            if rows.performed_steps.find(uid) is not None:
                raise StepConflict(StepRefusal.EXISTS)
            step = PerformedStep(uid, IN_PROGRESS, dict(sorted((given | ours).items())))
            rows.performed_steps.insert(step, search_values(step.attributes, KEYS))
            _follow(rows, step)
            self._tell(rows, uid, True, given)
        self._on_told()

    def update(self, uid: str, given: DicomJson) -> None:
        """Set attributes, and with the status end the step (N-SET).

        What was not named when the step was made cannot be set (note 5 of Table F.7.2-1).
        Raises InvalidStep, StepConflict or NotFound.
        """
        given = _without_names(given, uid)
        check(given, _CHANGE, ENUMERATED, WITHOUT_MEANING)
        with self._tables.changing() as rows:
            step = _found(rows, uid)
            if step.status in FINAL_STATES:
                raise StepConflict(StepRefusal.FINAL)
            unknown = sorted(given.keys() - step.attributes.keys())
            if unknown:
                raise StepConflict(StepRefusal.NOT_CREATED, ", ".join(unknown))
            attributes = step.attributes | given
            status = _first(attributes, _STATUS)
            if status in FINAL_STATES and (missing := lacking(attributes, _FINAL)):
                raise StepConflict(StepRefusal.FINAL_STATE_REQUIREMENTS, ", ".join(missing))
            changed = PerformedStep(uid, status, attributes)
            values = search_values(attributes, KEYS)
            rows.performed_steps.update(changed, values, has_ended=status in FINAL_STATES)
            _follow(rows, changed)
            if status in FINAL_STATES:
                before = time.time() - self._days_kept * DAY
                rows.performed_steps.remove_ended(before)
                rows.scheduled_steps.remove_ended(before)
            self._tell(rows, uid, False, given)
        self._on_told()

    def _tell(self, rows: WorklistRows, uid: str, is_new: bool, given: DicomJson) -> None:
        for destination in self._told:
            rows.performed_steps.tell(destination, uid, is_new, given)

    def get(self, uid: str) -> DicomJson:
        """All attributes (N-GET). Raises NotFound."""
        with self._tables.reading() as rows:
            return _found(rows, uid).attributes

    def search(self, criteria: Criteria, limit: int | None = None, offset: int = 0) -> Iterator[DicomJson]:
        """The steps that fulfil all criteria, the newest first: those of a study, or of an instance."""
        with self._tables.reading() as rows:
            yield from rows.performed_steps.search(criteria, limit, offset)


def _follow(rows: WorklistRows, step: PerformedStep) -> None:
    """Bring the scheduled steps that it is of to the same state, so that nobody performs them again."""
    status = _SCHEDULED_STATUS[step.status]
    for item in step.attributes[_SCHEDULED_STEPS]["Value"]:
        for study in _studies(item):
            scheduled.follow(rows, study, _first(item, _STEP), status)


def _studies(item: DicomJson) -> list[str]:
    """The study of a scheduled step: that of the images, or one of those that it references.

    Who performs several requested procedures at once may make one study of them (F.7.2.1.2, note 2).
    """
    references = item.get(_REFERENCED_STUDIES, {}).get("Value", ())
    return [_first(item, _STUDY), *(_first(reference, _REFERENCED_INSTANCE) for reference in references)]


def _without_names(given: DicomJson, uid: str) -> DicomJson:
    """What is given, without that which the request itself tells. Raises InvalidStep when they differ.

    A data set should not have it at all (5.4.2.3), but as a file or in JSON it often has.
    """
    names = {_SOP_INSTANCE: ("SOPInstanceUID", uid), _SOP_CLASS: ("SOPClassUID", MPPS)}
    for key, (keyword, expected) in names.items():
        if _first(given, key) not in ("", expected):
            raise InvalidStep(f"{keyword} is not that of the request", int(key, 16))
    dropped = (*names, _CHARACTER_SET, _AFFECTED)
    return {key: element for key, element in given.items() if key not in dropped}


def _found(rows: WorklistRows, uid: str) -> PerformedStep:
    step = rows.performed_steps.find(uid)
    if step is None:
        raise NotFound("there is no such performed procedure step here")
    return step


def _first(holder: DicomJson, key: str) -> str:
    values = holder.get(key, {}).get("Value")
    return str(values[0]) if values else ""
