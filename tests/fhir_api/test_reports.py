"""Following the archive: reports become resources, and other objects do not."""

from dataclasses import replace
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from fhir_api.conditions import Window
from fhir_api.reports import keep_report, report_follower
from fhir_api.store import ResourceStore
from pacs.archive import Archive
from pacs.index import Index
from pacs.model import Action, Change, Level
from sr.fhir_json import loads
from sr.mapping import map_report
from testdata.ct import ct_series
from testdata.measurement_report import measurement_report
from testdata.written_report import heart_report
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
    assert follower.wants(replace(change("1.2.840.10008.5.1.4.1.1.88.34"), action=Action.DELETED))
    assert not follower.wants(change("1.2.840.10008.5.1.4.1.1.2"))


def test_following_again_changes_nothing(archive: Archive, index: Index, store: ResourceStore) -> None:
    report = stored_report(archive)
    follow(index, archive, store)
    once = store.page("Observation", [], Window(0, 1000))
    assert len(once) >= 10
    assert {answer.version for answer in once} == {"1"}
    follow(index, archive, store)
    assert store.page("Observation", [], Window(0, 1000)) == once
    uids = report.StudyInstanceUID, report.SeriesInstanceUID, report.SOPInstanceUID
    assert not keep_report(archive, store, *uids)


def test_what_a_deleted_report_became_is_withdrawn(
    archive: Archive, index: Index, store: ResourceStore
) -> None:
    report = stored_report(archive)
    other = measurement_report(ct_series(slices=3, rows=32, columns=32), series_number=88)
    put(archive, other)
    follow(index, archive, store)
    both = store.counts()
    archive.deletion.delete(report.StudyInstanceUID, report.SeriesInstanceUID, None, "")
    follow(index, archive, store)
    left = store.counts()
    assert (both.reports, left.reports) == (2, 1)
    assert left.resources["Observation"] == both.resources["Observation"] // 2
    assert store.unmapped(report.SOPInstanceUID) == []
    assert store.unmapped(other.SOPInstanceUID) != []
    archive.deletion.delete(other.StudyInstanceUID, None, None, "")
    follow(index, archive, store)
    assert (store.counts().reports, store.counts().resources) == (0, {})
    assert store.page("Observation", [], Window(0, 10)) == []


def test_a_report_that_moved_to_another_study_keeps_its_resources(
    archive: Archive, index: Index, store: ResourceStore
) -> None:
    report = stored_report(archive)
    archive.deletion.delete(report.StudyInstanceUID, None, None, "")
    before = report.StudyInstanceUID
    report.StudyInstanceUID = "1.2.3.4"
    put(archive, report)
    follow(index, archive, store)
    kept = store.counts()
    assert kept.reports == 1
    store.withdraw(before, report.SOPInstanceUID)
    assert store.counts() == kept


def test_every_item_is_told_or_accounted_for(archive: Archive, index: Index, store: ResourceStore) -> None:
    report = stored_report(archive)
    follow(index, archive, store)
    unmapped = store.unmapped(report.SOPInstanceUID)
    assert unmapped
    assert sum(store.counts().unmapped.values()) == len(unmapped)
    assert all(reason for _, reason in unmapped)


@pytest.mark.parametrize(
    "syntax",
    [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
    ids=lambda uid: uid.name,
)
def test_a_report_becomes_the_same_in_every_transfer_syntax(
    archive: Archive, index: Index, store: ResourceStore, syntax: UID
) -> None:
    report = heart_report()
    report.file_meta.TransferSyntaxUID = syntax
    put(archive, report)
    follow(index, archive, store)
    kept = [loads(answer.content) for answer in store.page("Observation", [], Window(0, 1000))]
    mapped = map_report(report, kept[0]["subject"]["reference"].removeprefix("Patient/"))
    made = [one for one in mapped.resources if one["resourceType"] == "Observation"]
    assert len(made) > 5
    assert _without_meta(kept) == _without_meta(made)


def _without_meta(resources: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["id"]: one | {"meta": None} for one in resources}
