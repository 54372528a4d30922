"""The follower that turns each stored report into FHIR resources."""

from collections.abc import Callable
from contextlib import closing

from pydicom.uid import DeflatedExplicitVRLittleEndian

from fhir_api.alternatives import one_of
from fhir_api.store import Origin, ResourceStore
from pacs.archive import Archive
from pacs.changes import Follower
from pacs.errors import NotFound
from pacs.index import Task
from pacs.model import Change, Instance, Level
from pacs.query import Query
from sr.data_set import read_data_set
from sr.encapsulated import MEDIA_TYPES
from sr.mapping import Mapped, is_report, map_report

FOLLOWER = "FHIR resources"


def report_follower(
    archive: Archive, store: ResourceStore, tell: Callable[[], None] | None = None
) -> Follower:
    """The follower of structured reports and key object selections: reads, maps and keeps one at a time.

    What a report became that is there no longer is withdrawn.
    tell: called when what changed was noted in the journal; without it nothing is.
    """

    def work(task: Task) -> None:
        study, series, instance = task.study_instance_uid, task.series_instance_uid, task.sop_instance_uid
        try:
            archive.instance(study, series, instance)
        except NotFound:
            store.withdraw(study, instance)
        else:
            sequence = task.sequence if tell is not None else None
            if keep_report(archive, store, study, series, instance, sequence) and tell is not None:
                tell()

    return Follower(FOLLOWER, Level.INSTANCE, 0.0, _wants, work)


def keep_report(
    archive: Archive,
    store: ResourceStore,
    study: str,
    series: str,
    instance: str,
    sequence: int | None = None,
) -> bool:
    """Map the report with these UIDs and keep what it becomes; whether anything changed. Raises NotFound.

    sequence: of the change feed, as `ResourceStore.replace` takes it.
    """
    mapped = map_stored(archive, archive.instance(study, series, instance))
    origin = Origin(instance, study, patient_identity(archive, study))
    return store.replace(origin, mapped.resources, mapped.unmapped, sequence)


def map_stored(archive: Archive, report: Instance) -> Mapped:
    """What a stored report becomes. Raises NotFound."""
    dataset = read_data_set(_content(archive, report), report.transfer_syntax_uid)
    return map_report(dataset, patient_identity(archive, report.study_instance_uid), size=report.size)


def patient_identity(archive: Archive, study: str) -> str:
    """The archive's identity of the patient of a study. Raises NotFound."""
    query = Query(Level.STUDY, one_of("StudyInstanceUID", [study]).criteria)
    for found in archive.search(query):
        return found.patient_identity
    raise NotFound("there is no such study here")


def _wants(change: Change) -> bool:
    return is_report(change.sop_class_uid)


def _content(archive: Archive, stored: Instance) -> bytes:
    """The data set of a report; of one that holds a document its beginning, which tells of it."""
    syntax = stored.transfer_syntax_uid
    if stored.sop_class_uid not in MEDIA_TYPES or syntax == DeflatedExplicitVRLittleEndian:
        return archive.data_set_bytes(stored)
    with closing(archive.data_set(stored, syntax)) as pieces:
        return next(pieces, b"")
