"""What becomes of an object that is not new: its UID is taken, or its study is another patient's."""

from collections.abc import Callable

import structlog

from pacs.dataset.part10 import came_as
from pacs.errors import (
    ArchiveError,
    InstanceConflict,
    NotFound,
    OutOfSpace,
    PatientConflict,
    StorageFailed,
)
from pacs.files import FileStore
from pacs.incoming import Incoming
from pacs.index import Index, KeptFile, Record, Removal, Verdict
from pacs.model import Duplicates, Instance, Outcome

REPLACED = "replaced"  # the reason of a removal

log = structlog.get_logger()


class Conflicts:
    """Decides. One for each process; safe for threads."""

    def __init__(self, files: FileStore, index: Index, on_commit: Callable[[], None]) -> None:
        """on_commit: called after each commit that changed what is there."""
        self._files = files
        self._index = index
        self._on_commit = on_commit

    def settle(self, incoming: Incoming, record: Record, verdict: Verdict) -> Outcome:
        """What became of it, durably. Raises what refuses it, StorageFailed, OutOfSpace.

        verdict: of the index, synced.
        """
        if verdict is Verdict.OTHER_PATIENT:
            self._set_aside(incoming, record, verdict)
            raise PatientConflict(
                "the study belongs to another Patient ID; the object is set aside for a person to decide",
                0x00100020,
            )
        kept = self._index.writer.kept(record.instance.sop_instance_uid)
        if kept is None:
            incoming.abort()
            if verdict is Verdict.IDENTICAL:
                return Outcome.ALREADY_STORED  # as it was at the commit
            raise StorageFailed("the instance was deleted while it came again; send it once more")
        if verdict is Verdict.IDENTICAL:
            return self._again(incoming, record, kept)
        came = incoming.came or record.instance.digest
        if self._came_before(came, kept):
            incoming.is_coerced = kept.digest != came
            incoming.abort()
            return Outcome.ALREADY_STORED
        if not self._is_there(kept):
            outcome = self._replace(incoming, record, kept.file)
            if outcome is not None:
                self._tell_lost(record.instance, kept, "another, or coerced at another time")
                return outcome
        return self._other_content(incoming, record)

    def _again(self, incoming: Incoming, record: Record, kept: KeptFile) -> Outcome:
        """What is there already is not kept twice; but if its file was lost, this one takes its place."""
        if self._is_there(kept):
            incoming.abort()
            return Outcome.ALREADY_STORED
        self._index.writer.replace(record, kept.file)
        self._on_commit()
        self._tell_lost(record.instance, kept, "the same")
        return Outcome.STORED

    def _tell_lost(self, instance: Instance, kept: KeptFile, content: str) -> None:
        log.warning(
            "lost file replaced",
            instance=instance.sop_instance_uid,
            lost=kept.file,
            by=instance.file,
            content=content,
        )

    def _came_before(self, came: str, kept: KeptFile) -> bool:
        """Whether what is kept came as this did, whatever was put into either of them.  came: its digest."""
        if kept.digest == came:
            return self._is_there(kept)
        try:
            with self._files.open(kept.file) as file:
                return file.size == kept.size and came_as(file.read(0, kept.dataset_offset)) == came
        except ArchiveError:  # what cannot be read is not known to be the same
            return False

    def _is_there(self, kept: KeptFile) -> bool:
        try:
            with self._files.open(kept.file) as file:
                return file.size == kept.size
        except NotFound:
            return False

    def _other_content(self, incoming: Incoming, record: Record) -> Outcome:
        """By the policy for the sender, unless it is another object that bears the UID by mistake."""
        policy = incoming.sender.duplicates
        if policy is Duplicates.REPLACE:
            outcome = self._replace(incoming, record)
            if outcome is not None:
                return outcome
        is_kept = policy is Duplicates.KEEP and self._index.replacer.is_rival(record)
        self._set_aside(incoming, record, Verdict.CONFLICT)
        if is_kept:
            return Outcome.FIRST_KEPT
        raise InstanceConflict(
            "the SOP Instance UID is taken by other content; the first stays, this is set aside", 0x00080018
        )

    def _replace(self, incoming: Incoming, record: Record, lost: str = "") -> Outcome | None:
        """None when it may not take the place of what is there.

        lost: the file that was found to be lost; of no other is the place taken then.
        The former file is moved once the commit is on the device, and before the answer: by then the files
        say the same as the index, so that `reindex` would not bring the former back.
        """
        source, instance = incoming.sender.source, record.instance
        requester = source.ae_title or source.address
        try:
            verdict, former = self._index.replacer.replace(record, Removal(REPLACED, requester), of=lost)
        except OutOfSpace:  # nothing was written, for sure
            incoming.abort()
            raise
        if verdict is Verdict.IDENTICAL:  # it has come over another association at the same time
            incoming.abort()
            return Outcome.ALREADY_STORED
        if verdict is not Verdict.CREATED:
            return None
        self._on_commit()
        log.info("instance replaced", instance=instance.sop_instance_uid, by=requester, former=former)
        try:
            with self._files.recycled.moving():
                if self._index.remover.is_removed(former):  # it may have been restored by now
                    self._files.recycled.take([former])
        except ArchiveError as error:  # it is replaced; the follower moves the file when that is possible
            log.warning("deleted files not moved yet", study=instance.study_instance_uid, reason=str(error))
        return Outcome.REPLACED

    def _set_aside(self, incoming: Incoming, record: Record, verdict: Verdict) -> None:
        """Once for all that came alike. Raises StorageFailed, and then nothing of it stays."""
        instance = record.instance
        came = instance._replace(digest=incoming.came or instance.digest)
        try:
            file = self._files.set_aside(instance.file)
            if not self._index.writer.quarantine(came, verdict, file, incoming.sender.source):
                self._files.forget_aside(file)
        except StorageFailed:
            incoming.abort()
            raise
