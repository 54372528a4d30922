"""Following the archive: reports become resources, and other objects do not."""

from pydicom import Dataset

from fhir_api.reports import keep_report, report_follower
from fhir_api.store import ResourceStore
from pacs.archive import Archive
from pacs.index import Index
from pacs.model import Action, Change, Level
from testdata.ct import ct_series
from testdata.measurement_report import measurement_report
from tests.fhir_api.conftest import follow, put


def change(sop_class_uid: str) -> Change:
    return Change(1, Action.CREATED, "1.2", "1.2.3", "1.2.3.4", sop_class_uid)


def stored_report(archive: Archive) -> Dataset:
    series = ct_series(slices=3, rows=32, columns=32)
    report = measurement_report(series)
    for dataset in (*series, report):
        put(archive, dataset)
    return report


def test_it_wants_reports_and_key_objects_at_once(archive: Archive, store: ResourceStore) -> None:
    follower = report_follower(archive, store)
    assert (follower.level, follower.rest) == (Level.INSTANCE, 0)
    assert follower.wants(change("1.2.840.10008.5.1.4.1.1.88.34"))
    assert follower.wants(change("1.2.840.10008.5.1.4.1.1.88.59"))
    assert not follower.wants(change("1.2.840.10008.5.1.4.1.1.2"))


def test_following_again_changes_nothing(archive: Archive, index: Index, store: ResourceStore) -> None:
    report = stored_report(archive)
    follow(index, archive, store)
    once = store.page("Observation", [], 0, 1000)
    assert len(once) >= 10
    assert {answer.version for answer in once} == {"1"}
    follow(index, archive, store)
    assert store.page("Observation", [], 0, 1000) == once
    uids = report.StudyInstanceUID, report.SeriesInstanceUID, report.SOPInstanceUID
    assert not keep_report(archive, store, *uids)


def test_every_item_is_told_or_accounted_for(archive: Archive, index: Index, store: ResourceStore) -> None:
    report = stored_report(archive)
    follow(index, archive, store)
    unmapped = store.unmapped(report.SOPInstanceUID)
    assert unmapped
    assert sum(store.counts().unmapped.values()) == len(unmapped)
    assert all(reason for _, reason in unmapped)
