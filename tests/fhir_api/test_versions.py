"""What stays of resources that change or go: their versions, and the number under which they went."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text

from fhir_api import store as store_module
from fhir_api.answers import Answer
from fhir_api.resource_table import bearing, past_version, resource
from fhir_api.store import Origin, ResourceStore, prepare
from fhir_api.versions import MOST_PAST, Wanted, place_of
from pacs.index import sqlite_url

REPORT = Origin("2.999.1", "2.999.10", "a" * 64)


def observation(resource_id: str = "1", **members: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": resource_id, "status": "final", **members}


def versions(store: ResourceStore, resource_id: str = "", since: float = 0.0) -> list[Answer]:
    """All of them, page by page of two."""
    found: list[Answer] = []
    while True:
        after = place_of(found[-1]) if found else None
        page = store.history(Wanted("Observation", resource_id, since, after, 2))
        found += page
        if not page:
            return found


def numbers(store: ResourceStore, resource_id: str = "1") -> list[str]:
    return [f"{one.version}{'' if one.content else ' gone'}" for one in versions(store, resource_id)]


def test_what_changed_stays_as_it_was_beside_what_it_is(store: ResourceStore) -> None:
    store.replace(REPORT, [observation(note=[{"text": "first"}]), observation("2")])
    first = store.read("Observation", "1")
    store.replace(REPORT, [observation(note=[{"text": "second"}]), observation("2")])
    assert store.past("Observation", "1", "1") == first
    assert store.past("Observation", "1", "2") is None
    assert numbers(store) == ["2", "1"]
    assert numbers(store, "2") == ["1"]


def test_what_is_not_changed_leaves_no_version(store: ResourceStore) -> None:
    for _ in range(3):
        store.replace(REPORT, [observation(), observation("2")])
    assert numbers(store) == ["1"]


def test_of_what_was_withdrawn_only_the_number_stays(store: ResourceStore) -> None:
    store.replace(REPORT, [observation(note=[{"text": "secret one"}])])
    store.replace(REPORT, [observation(note=[{"text": "secret two"}])])
    store.withdraw(REPORT.study_instance_uid, REPORT.sop_instance_uid)
    assert store.is_withdrawn("Observation", "1")
    assert not store.is_withdrawn("Observation", "2")
    assert numbers(store) == ["3 gone"]
    assert store.past("Observation", "1", "1") is None


def test_what_comes_again_goes_on_with_its_numbers(store: ResourceStore) -> None:
    for _ in range(2):
        store.replace(REPORT, [observation()])
        store.withdraw(REPORT.study_instance_uid, REPORT.sop_instance_uid)
    store.replace(REPORT, [observation()])
    assert numbers(store) == ["5", "4 gone"]
    assert b'"versionId":"5"' in versions(store, "1")[0].content


def test_only_so_many_past_versions_stay(store: ResourceStore) -> None:
    for number in range(MOST_PAST + 5):
        store.replace(REPORT, [observation(note=[{"text": str(number)}])])
    newest = MOST_PAST + 5
    assert numbers(store) == [str(newest - ago) for ago in range(MOST_PAST + 1)]


def test_all_versions_of_a_type_come_newest_first_and_each_once(store: ResourceStore) -> None:
    many = [observation(str(number)) for number in range(7)]
    store.replace(REPORT, many)
    store.replace(REPORT, [*many[:3], *(one | {"status": "amended"} for one in many[3:5])])
    found = versions(store)
    names = [(one.resource_id, one.version) for one in found]
    assert set(names) == {*((str(n), "1") for n in range(5)), *((str(n), "2") for n in range(3, 7))}
    assert len(names) == len(set(names))
    assert all(one.last_updated >= other.last_updated for one, other in pairwise(found))  # type: ignore[operator]
    assert found[0].last_updated is not None
    assert {one.version for one in versions(store, since=found[0].last_updated)} == {"2"}


def test_resources_are_found_by_the_index_of_their_names(tmp_path: Path) -> None:
    names = [("Observation", "1"), ("Device", "1"), ("Observation", "2")]
    url = sqlite_url(tmp_path / "fhir.sqlite")
    prepare(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        for table in (resource, past_version):
            plans = []
            for condition in bearing(table, names):
                found = select(table.c.version).where(condition)
                literal = found.compile(engine, compile_kwargs={"literal_binds": True})
                (step,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {literal}").all()
                plans.append(step[-1])
            assert len(plans) == 2
            assert all("(type=? AND id=?)" in plan for plan in plans)
    engine.dispose()


@pytest.mark.parametrize("version", ["", "0", "-1", "1.0", "x", "²", "9" * 40])
def test_what_is_no_version_is_not_known(store: ResourceStore, version: str) -> None:
    store.replace(REPORT, [observation()])
    assert store.past("Observation", "1", version) is None


def test_no_version_is_given_twice_when_everything_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = sqlite_url(tmp_path / "fhir.sqlite")
    given: list[str] = []
    for mapping in range(4):
        monkeypatch.setattr(store_module, "MAPPING_VERSION", 100 + mapping)
        prepare(url)
        store = ResourceStore(url)
        store.replace(REPORT, [observation(note=[{"text": f"of mapping {mapping}"}])])
        given += reversed(numbers(store))
        store.replace(REPORT, [observation("2")])
        store.close()
    assert given == ["1", "3", "5", "7"]  # between them lie those by which it was withdrawn


def test_versions_go_on_from_tables_that_knew_of_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = sqlite_url(tmp_path / "fhir.sqlite")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE fhir_mapping (version INTEGER, is_fresh BOOLEAN)"))
        connection.execute(text("INSERT INTO fhir_mapping VALUES (6, 0)"))
        connection.execute(text("CREATE TABLE fhir_resource (version INTEGER)"))
        connection.execute(text("INSERT INTO fhir_resource VALUES (8)"))
    engine.dispose()
    monkeypatch.setattr(store_module, "MAPPING_VERSION", 100)
    prepare(url)
    store = ResourceStore(url)
    store.replace(REPORT, [observation()])
    assert numbers(store) == ["9"]
    store.close()
