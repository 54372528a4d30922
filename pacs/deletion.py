"""Deleting: out of the index at once, the bytes only when their time is over, and a way back until then.

The index goes first, in one transaction that notes which files are meant; then these are moved out of the
archive. Whoever is cut off in between has deleted: the index names the files for deleted ones, and the
follower of deletions moves them.
"""

import time
from collections.abc import Callable, Iterable
from itertools import islice

import structlog

from pacs.conflicts import REPLACED
from pacs.errors import ArchiveError, MalformedObject, NotFound
from pacs.files import FileStore
from pacs.index import Index, Record, Recycled, Removal, Verdict
from pacs.model import Instance
from pacs.rejection_note import QUALITY, read_rejection_note
from pacs.retrieve import Reader
from pacs.upkeep import read_record_of

GROUP = 200  # files that are restored, or removed for good, together

_DAY = 86_400.0  # seconds

log = structlog.get_logger()


class Deletion:
    """Deletes, restores and empties what was deleted. One for each process; safe for threads."""

    def __init__(self, files: FileStore, index: Index, reader: Reader, on_commit: Callable[[], None]) -> None:
        """on_commit: called after each commit that changed what is there."""
        self._files = files
        self._index = index
        self._reader = reader
        self._on_commit = on_commit

    def delete(self, study: str, series: str | None, instance: str | None, requester: str) -> int:
        """Delete what lies below these UIDs; how many instances there were.

        requester: where the wish came from, for the log.  Raises NotFound.
        """
        count = self._index.remover.delete(study, series, instance, Removal("deleted", requester))
        if not count:
            raise NotFound("there is no such study, series or instance here")
        self._deleted(study, count, "deleted", requester, series=series, instance=instance)
        return count

    def reject(self, note: Instance, hides_quality: bool) -> int:
        """Heed a key object selection, if it is a rejection note; how many instances went.

        hides_quality: whether what is rejected for its quality goes, too, and does not stay in regular use.
        What is no sound note stays what it is, an object like others.
        """
        try:
            said = read_rejection_note(self._reader, note)
        except MalformedObject as error:
            log.warning("rejection note not heeded", instance=note.sop_instance_uid, reason=str(error))
            return 0
        if said is None or (said.reason == QUALITY and not hides_quality):
            return 0
        count = self._index.remover.reject(note, said.reason, said.references, said.is_lasting)
        named = len(said.references)
        self._deleted(note.study_instance_uid, count, said.reason, note.sop_instance_uid, named=named)
        return count

    def _deleted(self, study: str, count: int, reason: str, requester: str, **more: object) -> None:
        more = {name: value for name, value in more.items() if value is not None}
        log.info(
            "instances deleted", study=study, instances=count, reason=reason, requester=requester, **more
        )
        self._on_commit()
        try:
            self.move(study)
        except ArchiveError as error:  # it is deleted; the follower moves the files when that is possible
            log.warning("deleted files not moved yet", study=study, reason=str(error))

    def move(self, study: str) -> None:
        """Move the files of what was deleted of a study out of the archive, unless that was done."""
        self._index.deletions.add()  # who was cut off may not have come so far after the commit
        with self._files.recycled.moving():
            self._files.recycled.take(self._index.remover.files_of(study))

    def has(self, study: str) -> bool:
        """Whether anything of a study was deleted whose file is still kept."""
        return bool(self._index.remover.files_of(study, limit=1))

    def restore(self, uid: str) -> list[Verdict]:
        """Bring back what was deleted or rejected of a study, series or instance; what became of each.

        Of an instance that is named itself and was replaced, the former takes its place again, and the other
        way round the next time. What is not CREATED stays deleted, for something is in its place. Damaged
        files are left out.
        Raises StorageFailed, and then what came back before stays.
        """
        verdicts: list[Verdict] = []
        tried: set[str] = set()
        while uids := self._restore_some(uid, tried, verdicts):
            tried.update(uids)
        if Verdict.CREATED in verdicts:
            log.info("instances restored", uid=uid, instances=verdicts.count(Verdict.CREATED))
            self._on_commit()
        return verdicts

    def _restore_some(self, uid: str, tried: set[str], verdicts: list[Verdict]) -> list[str]:
        """Bring some back of what was not tried; their UIDs, of which there are none at the end."""
        with self._files.recycled.moving():
            found = _restorable(self._index.remover.recycled(uid), uid)
            some = list(islice((one for one in found if one.sop_instance_uid not in tried), GROUP))
            verdicts += self._restore({one.file: one.reason for one in some})
        return [one.sop_instance_uid for one in some]

    def _restore(self, reasons: dict[str, str]) -> list[Verdict]:
        """reasons: why each of the files is among the removed."""
        recycled = self._files.recycled
        recycled.take(reasons)  # what was not moved yet
        records = [record for record in map(self._record, reasons) if record is not None]
        recycled.give_back([record.instance.file for record in records])
        verdicts = self._index.writer.restore(records)
        left: list[str] = []
        for place, record in enumerate(records):
            file = record.instance.file
            if verdicts[place] is Verdict.CREATED:
                continue
            if verdicts[place] is Verdict.CONFLICT and reasons[file] == REPLACED:
                wish = Removal(REPLACED, "restore")
                verdicts[place], former = self._index.replacer.replace(record, wish, is_restored=True)
                file = former or file
            left.append(file)
        recycled.take(left)
        return verdicts

    def _record(self, key: str) -> Record | None:
        """What a file is; one that is damaged or lost is passed over, and the log tells of it."""
        try:
            with self._files.recycled.open(key) as file:
                return read_record_of(file, key)
        except ArchiveError as error:
            log.warning("deleted file cannot be read", file=key, reason=str(error))
            return None

    def empty(self, days: float) -> int:
        """Remove for good what was deleted so many days ago or earlier; how many files there were."""
        until, count = time.time() - days * _DAY, 0
        while removed := self._empty_some(until):
            count += removed
        if count:
            log.info("deleted files removed for good", files=count)
        return count

    def _empty_some(self, until: float) -> int:
        with self._files.recycled.moving():
            keys = self._index.remover.expired(until, GROUP)
            if keys:
                self._files.recycled.take(keys)  # what was not moved yet
                self._files.recycled.delete(keys)
                self._index.remover.forget(keys)
        return len(keys)


def _restorable(recycled: Iterable[Recycled], uid: str) -> list[Recycled]:
    """What was removed last of each instance; what was replaced only where it is meant by itself.

    uid: that all of them bear.
    """
    last = {one.sop_instance_uid: one for one in recycled if not _is_note(one)}
    return [one for one in last.values() if one.reason != REPLACED or one.sop_instance_uid == uid]


def _is_note(one: Recycled) -> bool:
    """Whether it is a rejection note that was heeded: back again it would be heeded again."""
    return one.requester == one.sop_instance_uid
