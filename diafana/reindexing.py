"""`diafana reindex`: a new index beside the old one, put in its place once it is complete."""

from collections.abc import Callable
from pathlib import Path

from diafana.service import only_service_of
from diafana.settings import Settings
from pacs.errors import StorageFailed
from pacs.files import DiskFiles
from pacs.index import Index, migrate, sqlite_url
from pacs.upkeep import reindex

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
        indexed = index.count()
        old = settings.index_path.with_suffix(".old")
        try:
            _keep_worklist(settings.index_path, index)
        except StorageFailed as error:
            left_out.append(("the worklist", f"it is left in {old.name}: {error}"))
        index.close()  # the last connection writes the log into the file
        _remove(old)
        if settings.index_path.exists():
            settings.index_path.rename(old)
        for side in _SIDE_FILES:
            Path(f"{settings.index_path}{side}").unlink(missing_ok=True)
        new.rename(settings.index_path)
        _remove(new)  # what lay beside it
        return indexed, left_out


def _keep_worklist(old: Path, index: Index) -> None:
    """Work items and subscriptions are in no file: they are taken out of the old index."""
    if old.exists():
        migrate(sqlite_url(old))
        index.worklist.copy_from(sqlite_url(old))


def _remove(path: Path) -> None:
    for name in (path, *(Path(f"{path}{side}") for side in _SIDE_FILES)):
        name.unlink(missing_ok=True)
