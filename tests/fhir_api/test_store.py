"""Keeping what reports became, with its versions."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from fhir_api import store as store_module
from fhir_api.conditions import Window
from fhir_api.store import Counts, Origin, ResourceStore, prepare
from pacs.errors import StorageFailed
from pacs.index import sqlite_url
from sr.codes import Code
from sr.ledger import Unmapped
from tests.fhir_api.conftest import lose_the_resources

REPORT = Origin("2.999.1", "2.999.10", "a" * 64)
OTHER = Origin("2.999.2", "2.999.20", "b" * 64)


def observation(resource_id: str, **members: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": resource_id, "status": "final", **members}


def device(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Device", "id": "shared", **members}


def content(store: ResourceStore, resource_type: str, resource_id: str) -> bytes:
    answer = store.read(resource_type, resource_id)
    assert answer is not None
    return answer.content


def test_what_is_kept_is_given_back_with_version_and_date_and_exact_decimals(store: ResourceStore) -> None:
    made = observation("1", meta={"tag": [{"code": "x"}]}, valueQuantity={"value": Decimal("1.50")})
    assert store.replace(REPORT, [made])
    kept = content(store, "Observation", "1")
    assert kept.startswith(b'{"resourceType":"Observation","id":"1","meta":{"versionId":"1","lastUpdated":"')
    assert b'"tag":[{"code":"x"}]}' in kept
    assert b'"valueQuantity":{"value":1.50}' in kept
    assert "versionId" not in made["meta"]


def test_the_same_again_changes_nothing(store: ResourceStore) -> None:
    made = [observation("1"), device()]
    assert store.replace(REPORT, made)
    before = content(store, "Observation", "1")
    assert not store.replace(REPORT, made)
    assert content(store, "Observation", "1") == before


def test_only_what_changed_gets_a_new_version(store: ResourceStore) -> None:
    store.replace(REPORT, [observation("1"), observation("2")])
    untouched = content(store, "Observation", "1")
    assert store.replace(REPORT, [observation("1"), observation("2", status="amended")])
    assert content(store, "Observation", "1") == untouched
    changed = store.read("Observation", "2")
    assert changed is not None
    assert changed.version == "2"
    assert b'"versionId":"2"' in changed.content
    assert b'"amended"' in changed.content


def test_what_a_report_becomes_no_more_is_removed(store: ResourceStore) -> None:
    store.replace(REPORT, [observation("1"), observation("2")])
    store.replace(REPORT, [observation("2")])
    assert store.read("Observation", "1") is None
    assert store.counts() == Counts(1, {"Observation": 1}, {})
    store.replace(REPORT, [])
    assert store.counts() == Counts(1, {}, {})


def test_what_two_reports_share_stays_until_neither_has_it(store: ResourceStore) -> None:
    store.replace(REPORT, [device(), observation("1")])
    store.replace(OTHER, [device(manufacturer="another"), observation("2")])
    assert b"another" in content(store, "Device", "shared")
    assert not store.replace(REPORT, [device(), observation("1")])
    assert b"another" in content(store, "Device", "shared")
    store.replace(OTHER, [observation("2")])
    assert store.read("Device", "shared") is not None
    store.replace(REPORT, [observation("1")])
    assert store.read("Device", "shared") is None


def test_a_failed_replacement_leaves_everything_as_it_was(store: ResourceStore) -> None:
    store.replace(REPORT, [observation("1")])
    before = content(store, "Observation", "1")
    broken = Unmapped("1.1", None, None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="index failed"):
        store.replace(REPORT, [observation("1", status="amended"), observation("2")], [broken])
    assert content(store, "Observation", "1") == before
    assert store.read("Observation", "2") is None
    assert not store.replace(REPORT, [observation("1")])


def test_a_database_that_cannot_be_read_is_a_failure_of_storage(store: ResourceStore, tmp_path: Path) -> None:
    lose_the_resources(tmp_path / "fhir.sqlite")
    for read in (
        lambda: store.read("Device", "a"),
        lambda: store.count("Device", []),
        lambda: store.page("Device", [], Window(0, 1)),
        lambda: store.of_study("1.2"),
    ):
        with pytest.raises(StorageFailed):
            read()


def test_a_large_report_is_kept_whole(store: ResourceStore) -> None:
    many = [observation(str(number)) for number in range(1000)]
    store.replace(REPORT, many)
    assert store.counts().resources == {"Observation": 1000}
    assert store.replace(REPORT, many[:-1])
    assert store.count("Observation", []) == 999


def test_what_could_not_be_mapped_is_kept_and_counted(store: ResourceStore) -> None:
    code = Code("121071", "DCM", "Finding")
    store.replace(REPORT, [], [Unmapped("1.1", code, "no rule"), Unmapped("1.2", None, "no rule")])
    assert store.counts() == Counts(1, {}, {"no rule": 2})
    assert store.unmapped(REPORT.sop_instance_uid) == [("1.1", "no rule"), ("1.2", "no rule")]
    store.replace(REPORT, [], [Unmapped("1.2", None, "another reason")])
    assert store.counts().unmapped == {"another reason": 1}


def test_a_new_store_is_fresh_until_the_reports_are_read_again(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "fhir.sqlite")
    prepare(url)
    store = ResourceStore(url)
    seen = [store.is_fresh]
    prepare(url)
    seen.append(store.is_fresh)
    store.begin()
    prepare(url)
    seen.append(store.is_fresh)
    assert seen == [True, True, False]
    store.close()


def test_another_mapping_drops_everything_and_is_fresh_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = sqlite_url(tmp_path / "fhir.sqlite")
    prepare(url)
    store = ResourceStore(url)
    store.begin()
    store.replace(REPORT, [observation("1")], [Unmapped("1.1", None, "no rule")])
    prepare(url)
    assert store.counts().reports == 1
    monkeypatch.setattr(store_module, "MAPPING_VERSION", store_module.MAPPING_VERSION + 1)
    prepare(url)
    assert store.counts() == Counts(0, {}, {})
    assert store.is_fresh
    store.close()


def test_tables_of_an_older_form_are_replaced(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "fhir.sqlite")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE fhir_mapping (version INTEGER)"))
        connection.execute(text("INSERT INTO fhir_mapping VALUES (0)"))
        connection.execute(text("CREATE TABLE fhir_unmapped (old INTEGER)"))
    engine.dispose()
    prepare(url)
    store = ResourceStore(url)
    assert store.replace(REPORT, [observation("1")], [Unmapped("1.1", None, "no rule")])
    assert store.is_fresh
    store.close()


def test_identifiers_too_long_for_an_index_are_kept_but_not_searched(store: ResourceStore) -> None:
    made = observation("1", identifier=[{"value": "x" * 5000}, {"value": "short"}])
    store.replace(REPORT, [made])
    assert b"x" * 5000 in content(store, "Observation", "1")
