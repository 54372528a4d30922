"""`diafana reindex`: a new index beside the old one, put in its place once it is complete."""

from collections.abc import Callable
from pathlib import Path

import structlog

from diafana.service import only_service_of
from diafana.settings import Settings
from fhir_api.subscriptions.store import SubscriptionStore
from pacs.availability import note_the_rest
from pacs.changes import Bell
from pacs.errors import StorageFailed
from pacs.files import DiskFiles
from pacs.index import Index, migrate, sqlite_url
from pacs.procedure_steps.performed import PerformedSteps
from pacs.upkeep import reindex
from pacs.worklist.subscriptions import Subscriptions

log = structlog.get_logger()

_SIDE_FILES = ("-wal", "-shm", "-lock", "-deletions")


def rebuild(settings: Settings, step: Callable[[], None]) -> tuple[int, list[tuple[str, str]]]:
    """Build the index anew. step: called after each file.

    Returns how many instances it holds, and the files that are not in it, each with the reason.
    Raises CannotStart while the service runs.
    """
    with only_service_of(settings.data):
        new = settings.index_path.with_suffix(".new")
        _remove(new)
        migrate(sqlite_url(new))
        index = Index(sqlite_url(new))
        left_out = reindex(DiskFiles(settings.data), index, step)
        indexed, newest = index.count(), index.tasks.newest()
        old = settings.index_path.with_suffix(".old")
        try:
            kept = _keep_worklist(settings, index)
        except StorageFailed as error:
            kept = False
            left_out.append(("the worklist", f"it is left in {old.name}: {error}"))
        if not kept:  # the service that begins with this index could not tell (PS3.4 CC.2.4.3)
            subscriptions = Subscriptions(index.worklist, on_events=lambda: None)
            subscriptions.announce_restart(settings.worklist_fallback, kept=False)
        index.close()  # the last connection writes the log into the file
        _remove(old)
        if settings.index_path.exists():
            settings.index_path.rename(old)
        for side in _SIDE_FILES:
            Path(f"{settings.index_path}{side}").unlink(missing_ok=True)
        new.rename(settings.index_path)
        _remove(new)  # what lay beside it
        if settings.fhir_subscriptions_path.exists():  # nothing of it is news
            subscribers = SubscriptionStore(sqlite_url(settings.fhir_subscriptions_path))
            subscribers.begin_at(newest, is_another_feed=True)
            subscribers.close()
        return indexed, left_out


def _keep_worklist(settings: Settings, index: Index) -> bool:
    """Work items and subscriptions are in no file: they are taken out of the old index, if there is one."""
    if not settings.index_path.exists():
        return False
    old = sqlite_url(settings.index_path)
    migrate(old)
    _note_availability(settings, old)
    index.worklist.copy_from(old)
    index.forwarding.renumber(old)
    return True


def _note_availability(settings: Settings, url: str) -> None:
    """Let systems be told of what the old index knows to have changed: in the new one nothing is news."""
    old = Index(url)
    try:
        note_the_rest(old, PerformedSteps(old.worklist, settings.worklist_days), Bell(settings.bell))
    except StorageFailed as error:  # no reason to lose the worklist
        log.warning("what has not come to rest is told to nobody", reason=str(error))
    finally:
        old.close()


def _remove(path: Path) -> None:
    for name in (path, *(Path(f"{path}{side}") for side in _SIDE_FILES)):
        name.unlink(missing_ok=True)
