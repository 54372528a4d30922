"""Follows the change feed for systems that are told which instances are available (PS3.4 Annex R)."""

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Self

import structlog

from pacs.changes import Bell, Follower, Interest, Runner
from pacs.index import Availability, Index, InstanceState, Task
from pacs.keys import parse_criteria
from pacs.model import Action, Change, DicomJson, Level
from pacs.procedure_steps.performed import PerformedSteps
from pacs.procedure_steps.performed_attributes import IN_PROGRESS, KEYS

FOLLOWER = "availability"

_STUDY = next(key for key in KEYS if key.path == ("ScheduledStepAttributesSequence", "StudyInstanceUID"))
_UID, _STATUS = "00080018", "00400252"
_PERFORMED_SERIES, _SERIES_UID = "00400340", "0020000E"

log = structlog.get_logger()


def availability_follower(
    index: Index, steps: PerformedSteps, rest: float, on_notice: Callable[[], None]
) -> Follower:
    """Once a study has come to rest, those who are to be told are told what came and what went of it.

    rest: seconds without change.  on_notice: called when there is something to be told.
    """

    def work(task: Task) -> None:
        told = availability_of(task.study_instance_uid, index.tasks.changes_of(task), steps)
        if index.notices.add(told):
            log.info("availability noted", study=task.study_instance_uid, notifications=len(told))
            on_notice()

    return Follower(FOLLOWER, Level.STUDY, rest, Interest(index.tasks, index.notices.are_wanted), work)


def note_the_rest(index: Index, steps: PerformedSteps, bell: Bell) -> None:
    """Note what has changed and not come to rest yet, for no other index has this change feed."""
    follower = availability_follower(index, steps, 0.0, lambda: None)
    if FOLLOWER in index.tasks.cursors():
        Runner(index.tasks, [follower], bell).read_feed()
    for task in index.tasks.due(math.inf, sys.maxsize):
        if task.follower == FOLLOWER:
            follower.work(task)
            index.tasks.done([task])


def availability_of(study: str, changes: Iterable[Change], steps: PerformedSteps) -> list[Availability]:
    """What changes of a study say, of each performed step by itself: a notification names one at most.

    Of each instance it is what happened last.
    """
    latest = {change.sop_instance_uid: change for change in changes}
    series: dict[str, list[InstanceState]] = {}
    for one in latest.values():
        state = one.sop_class_uid, one.sop_instance_uid, one.action is Action.CREATED
        series.setdefault(one.series_instance_uid, []).append(state)
    performed = [_Step.of(one) for one in steps.search(parse_criteria({_STUDY: [study]}))]
    by_step: dict[str, dict[str, list[InstanceState]]] = {}
    for uid, states in series.items():
        by_step.setdefault(_step_of(uid, performed), {})[uid] = states
    return [Availability(study, step, its_series) for step, its_series in by_step.items()]


class _Step(NamedTuple):
    """What a performed step is looked at for."""

    uid: str
    is_at_work: bool
    series: set[str]

    @classmethod
    def of(cls, attributes: DicomJson) -> Self:
        """From its attributes."""
        series = attributes.get(_PERFORMED_SERIES, {}).get("Value", ())
        names = {_first(item, _SERIES_UID) for item in series}
        return cls(_first(attributes, _UID), _first(attributes, _STATUS) == IN_PROGRESS, names)


def _step_of(series: str, steps: Sequence[_Step]) -> str:
    """The UID of the step that made a series: the newest that names it; empty when none is known.

    Modalities name their series at the end. Until then it is the step that is at work, if it is the only one.
    """
    naming = [step.uid for step in steps if series in step.series]
    at_work = [step.uid for step in steps if step.is_at_work]
    return naming[0] if naming else at_work[0] if len(at_work) == 1 else ""


def _first(holder: DicomJson, key: str) -> str:
    values = holder.get(key, {}).get("Value")
    return str(values[0]) if values else ""
