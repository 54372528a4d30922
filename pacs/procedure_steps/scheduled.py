"""The modality worklist: Scheduled Procedure Steps, made and found (PS3.4 K.6)."""

import secrets
from collections.abc import Iterator, Sequence
from itertools import islice

from pydicom.uid import generate_uid

from pacs.attributes import Key
from pacs.errors import InvalidStep, NotFound, StepConflict, StepRefusal
from pacs.index import WorklistRows, Worklists, search_values
from pacs.model import DicomJson, ScheduledStep
from pacs.procedure_steps.scheduled_attributes import KEYS, STATUS, TABLE, WITHOUT_MEANING
from pacs.query import Condition, normal_date, normal_time
from pacs.requirements import check, with_empty

MAX_VALUES = 1000  # of one step that are searched by; usual ones have thirty

SCHEDULED, STARTED, COMPLETED, DISCONTINUED = "SCHEDULED", "STARTED", "COMPLETED", "DISCONTINUED"
ENDED = (COMPLETED, DISCONTINUED)

Criteria = Sequence[tuple[Key, Condition]]

_CHARACTER_SET, _STEPS = "00080005", "00400100"
_STUDY, _PROCEDURE, _STEP, _STATUS = "0020000D", "00401001", "00400009", "00400020"
_START_DATE, _START_TIME = "00400002", "00400003"


def _required(returned: str) -> str:
    type_, _, condition = returned.partition(" ")
    return f"{type_}/{type_} {condition}".rstrip() if type_ in ("1", "1C") else "3/3"


# Whoever makes a step must give what every answer has to have (Return Key Types 1 and 1C); what may be
# without a value there (2) need not be given.
_REQUIRED = {row: _required(row.returned) for row in TABLE}
_MAY_BE_EMPTY = [row for row in TABLE if row.returned == "2"]


class ScheduledSteps:
    """The Scheduled Procedure Steps, each of which is one item of the worklist. Safe for threads."""

    def __init__(self, tables: Worklists) -> None:
        self._tables = tables

    def create(self, given: DicomJson) -> tuple[str, str]:
        """Make a step; its Study Instance UID and Scheduled Procedure Step ID.

        What names it is made where it is absent: study, requested procedure and step.
        Raises InvalidStep, or StepConflict when there is such a step.
        """
        step = step_of(given)
        with self._tables.changing() as rows:
            if rows.scheduled_steps.find(step.study_instance_uid, step.step_id) is not None:
                raise StepConflict(StepRefusal.EXISTS)
            write(rows, step)
        return step.study_instance_uid, step.step_id

    def put(self, study_instance_uid: str, step_id: str, given: DicomJson) -> bool:
        """Make a step, or put it in the place of the one of these names; whether it is new.

        Raises InvalidStep, also when the data set names another.
        """
        step = step_of(given, study_instance_uid, step_id)
        with self._tables.changing() as rows:
            is_new = rows.scheduled_steps.find(study_instance_uid, step_id) is None
            write(rows, step)
        return is_new

    def get(self, study_instance_uid: str, step_id: str) -> DicomJson:
        """All attributes of a step. Raises NotFound."""
        with self._tables.reading() as rows:
            step = rows.scheduled_steps.find(study_instance_uid, step_id)
        if step is None:
            raise _not_found()
        return step.attributes

    def delete(self, study_instance_uid: str, step_id: str) -> None:
        """Take a step off the worklist. Raises NotFound."""
        with self._tables.changing() as rows:
            if not rows.scheduled_steps.remove(study_instance_uid, step_id):
                raise _not_found()

    def search(self, criteria: Criteria, limit: int | None = None, offset: int = 0) -> Iterator[DicomJson]:
        """The steps that fulfil all criteria, by their start (C-FIND).

        Those that were performed are passed over, unless the status is a key: a worklist is what is to do.
        """
        passed_over = () if any(key == STATUS for key, _ in criteria) else ENDED
        with self._tables.reading() as rows:
            yield from rows.scheduled_steps.search(criteria, passed_over, limit, offset)


def follow(rows: WorklistRows, study_instance_uid: str, step_id: str, status: str) -> None:
    """Bring a step, where it is known, to the status that follows from its being performed."""
    step = rows.scheduled_steps.find(study_instance_uid, step_id)
    if step is not None and step.status != status:
        item = step.attributes[_STEPS]["Value"][0] | {_STATUS: _element("CS", status)}
        attributes = step.attributes | {_STEPS: {"vr": "SQ", "Value": [dict(sorted(item.items()))]}}
        write(rows, step._replace(attributes=attributes, status=status))


def write(rows: WorklistRows, step: ScheduledStep) -> None:
    """Put a step in its place. Raises InvalidStep for a flood of values."""
    values = list(islice(search_values(step.attributes, KEYS), MAX_VALUES + 1))
    if len(values) > MAX_VALUES:
        raise InvalidStep(f"it has more than {MAX_VALUES} values that steps are searched by")
    rows.scheduled_steps.put(step, values, step.status in ENDED)


def step_of(
    given: DicomJson, study_instance_uid: str = "", step_id: str = "", status: str = SCHEDULED
) -> ScheduledStep:
    """The step that a data set describes, all that names it filled in. Raises InvalidStep.

    status: where the data set has none.
    """
    items = given.get(_STEPS, {}).get("Value", ())
    if len(items) != 1:
        raise InvalidStep(f"ScheduledProcedureStepSequence has {len(items)} items, not one", int(_STEPS, 16))
    item = dict(items[0])
    study = _named(given, _STUDY, "StudyInstanceUID", study_instance_uid) or generate_uid()
    step = _named(item, _STEP, "ScheduledProcedureStepID", step_id) or secrets.token_hex(8).upper()
    procedure = _first(given, _PROCEDURE) or step
    item |= {_STEP: _element("SH", step), _STATUS: _element("CS", _first(item, _STATUS) or status)}
    attributes = given | {
        _CHARACTER_SET: _element("CS", "ISO_IR 192"),  # that of JSON
        _STUDY: _element("UI", study),
        _PROCEDURE: _element("SH", procedure),
        _STEPS: {"vr": "SQ", "Value": [dict(sorted(item.items()))]},
    }
    check(attributes, _REQUIRED, {}, WITHOUT_MEANING)
    attributes = with_empty(attributes, _MAY_BE_EMPTY)
    start = f"{normal_date(_first(item, _START_DATE))}{normal_time(_first(item, _START_TIME))}"
    return ScheduledStep(study, step, start, _first(item, _STATUS), dict(sorted(attributes.items())))


def _named(holder: DicomJson, key: str, keyword: str, expected: str) -> str:
    """What the data set has, or else what the request names. Raises InvalidStep when they differ."""
    given = _first(holder, key)
    if given and expected and given != expected:
        raise InvalidStep(f"{keyword} is not that of the request", int(key, 16))
    return given or expected


def _first(holder: DicomJson, key: str) -> str:
    values = holder.get(key, {}).get("Value")
    return str(values[0]) if values else ""


def _element(vr: str, value: str) -> DicomJson:
    return {"vr": vr, "Value": [value]}


def _not_found() -> NotFound:
    return NotFound("there is no such scheduled procedure step here")
