"""The followers that complete deletions: files are moved, rejection notes are heeded, old files go."""

from diafana.settings import Settings
from pacs.archive import Archive
from pacs.changes import Follower
from pacs.errors import NotFound
from pacs.index import Task
from pacs.model import Action, Change, Level
from pacs.rejection_note import KEY_OBJECT_SELECTION

_DAY = 86_400.0  # seconds


def deletion_followers(archive: Archive, settings: Settings) -> list[Follower]:
    """Moving comes first: what was deleted is out of the archive's folders before anything else is done."""
    deletion, days = archive.deletion, settings.recycle_days

    def move(task: Task) -> None:
        deletion.move(task.study_instance_uid)

    def heed(task: Task) -> None:
        try:
            note = archive.instance(task.study_instance_uid, task.series_instance_uid, task.sop_instance_uid)
        except NotFound:
            return  # it was heeded before, or deleted
        deletion.reject(note, settings.hide_rejected_for_quality)

    def empty(_: Task) -> None:
        deletion.empty(days)

    def may_reject(change: Change) -> bool:
        is_new = change.action is Action.CREATED
        return settings.delete and is_new and change.sop_class_uid == KEY_OBJECT_SELECTION

    return [
        Follower("moving deleted files", Level.STUDY, 0.0, _is_deletion, move),
        Follower("rejection notes", Level.INSTANCE, 0.0, may_reject, heed),
        Follower("removing deleted files", Level.STUDY, days * _DAY, _is_deletion, empty),
    ]


def _is_deletion(change: Change) -> bool:
    return change.action is Action.DELETED
