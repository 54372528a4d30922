"""Storage commitment (PS3.4 Annex J): yes only for what was read back and is what it was when it came."""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from pacs.files import FileStore
from pacs.index import Index
from pacs.model import Instance
from pacs.upkeep import damage

GROUP = 500  # instances looked up at a time


class FailureReason(IntEnum):
    """PS3.3 C.14.1.1."""

    PROCESSING_FAILURE = 0x0110
    NO_SUCH_OBJECT_INSTANCE = 0x0112
    CLASS_INSTANCE_CONFLICT = 0x0119
    DUPLICATE_TRANSACTION_UID = 0x0131


class Wanted(NamedTuple):
    """An instance that somebody wants to be safe.

    study_instance_uid, series_instance_uid: where it is said to be; empty when that is not said.
    """

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str = ""
    series_instance_uid: str = ""


class Commitment:
    """Looks at what is stored. Safe for threads."""

    def __init__(self, files: FileStore, index: Index) -> None:
        self._files = files
        self._index = index

    def check(self, wanted: Sequence[Wanted]) -> list[FailureReason | None]:
        """For each instance why it is not committed, None when it is. Every file is read whole."""
        groups = (wanted[start : start + GROUP] for start in range(0, len(wanted), GROUP))
        return [reason for group in groups for reason in self._check(group)]

    def _check(self, wanted: Sequence[Wanted]) -> list[FailureReason | None]:
        found = self._index.instances_by_uid([one.sop_instance_uid for one in wanted])
        return [self._reason(one, found.get(one.sop_instance_uid)) for one in wanted]

    def _reason(self, wanted: Wanted, instance: Instance | None) -> FailureReason | None:
        if instance is None or not _is_where_it_is_said_to_be(wanted, instance):
            return FailureReason.NO_SUCH_OBJECT_INSTANCE
        if instance.sop_class_uid != wanted.sop_class_uid:
            return FailureReason.CLASS_INSTANCE_CONFLICT
        return FailureReason.PROCESSING_FAILURE if damage(self._files, instance) else None


def _is_where_it_is_said_to_be(wanted: Wanted, instance: Instance) -> bool:
    return wanted.study_instance_uid in ("", instance.study_instance_uid) and (
        wanted.series_instance_uid in ("", instance.series_instance_uid)
    )
