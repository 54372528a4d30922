"""Versions of resources, over HTTP (FHIR R4 3.1.0.3, 3.1.0.14)."""

import email.utils
from typing import Any

import pytest
from fastapi import FastAPI

from fhir_api.router import router
from fhir_api.store import ResourceStore
from pacs.archive import Archive
from pacs.index import Index
from testdata.ct import ct_series
from testdata.measurement_report import measurement_report
from tests.fhir_api.client import BASE, Client, link
from tests.fhir_api.conftest import World, follow, put
from tests.fhir_api.test_router import issue
from tests.fhir_api.test_versions import REPORT, observation
from tests.validators import Validators


@pytest.fixture
def client(archive: Archive, store: ResourceStore) -> Client:
    app = FastAPI()
    app.include_router(router(archive, store))
    return Client(app)


def history(client: Client, path: str) -> dict[str, Any]:
    answer = client.get(f"/fhir/{path}")
    assert answer.status_code == 200, answer.text
    bundle: dict[str, Any] = answer.json()
    assert bundle["type"] == "history"
    return bundle


def test_each_version_can_be_read(client: Client, store: ResourceStore) -> None:
    store.replace(REPORT, [observation(note=[{"text": "first"}])])
    store.replace(REPORT, [observation(note=[{"text": "second"}])])
    for number, said in (("1", "first"), ("2", "second")):
        answer = client.get(f"/fhir/Observation/1/_history/{number}")
        assert answer.json()["note"] == [{"text": said}]
        assert answer.json()["meta"]["versionId"] == number
        assert answer.headers["etag"] == f'W/"{number}"'
        assert answer.headers["last-modified"].endswith("GMT")
    absent = client.get("/fhir/Observation/1/_history/3")
    assert (absent.status_code, issue(absent)["code"]) == (404, "not-found")


@pytest.mark.xdist_group("validators")
def test_a_history_tells_each_version_with_its_request(
    client: Client, store: ResourceStore, validators: Validators
) -> None:
    for number in range(3):
        store.replace(REPORT, [observation(code={"text": f"{number}"})])
    bundle = history(client, "Observation/1/_history")
    assert [one["resource"]["meta"]["versionId"] for one in bundle["entry"]] == ["3", "2", "1"]
    newest = bundle["entry"][0]
    assert newest["fullUrl"] == f"{BASE}/Observation/1"
    assert newest["request"] == {"method": "PUT", "url": "Observation/1"}
    assert newest["response"] == {
        "status": "200",
        "etag": 'W/"3"',
        "lastModified": newest["resource"]["meta"]["lastUpdated"],
    }
    assert validators.faults([bundle]) == []


@pytest.mark.xdist_group("validators")
def test_what_was_withdrawn_is_gone_and_its_history_says_so(
    client: Client, store: ResourceStore, validators: Validators
) -> None:
    store.replace(REPORT, [observation(code={"text": "x"})])
    store.withdraw(REPORT.study_instance_uid, REPORT.sop_instance_uid)
    for path in ("Observation/1", "Observation/1/_history/1", "Observation/1/_history/2"):
        gone = client.get(f"/fhir/{path}")
        assert (gone.status_code, issue(gone)["code"]) == (410, "deleted")
    for path in ("Observation/1/_history", "Observation/_history"):
        (entry,) = history(client, path)["entry"]
        assert "resource" not in entry
        assert entry["request"] == {"method": "DELETE", "url": "Observation/1"}
        assert (entry["response"]["status"], entry["response"]["etag"]) == ("204", 'W/"2"')
    assert validators.faults([history(client, "Observation/1/_history")]) == []


def test_a_deleted_report_is_gone_with_all_that_it_became(
    client: Client, archive: Archive, index: Index, store: ResourceStore
) -> None:
    report = measurement_report(ct_series(slices=3, rows=32, columns=32))
    put(archive, report)
    follow(index, archive, store)
    names = [f"DocumentReference/{report.SOPInstanceUID}"]
    names += [f"Observation/{one}" for one in client.found("Observation")]
    assert {client.get(f"/fhir/{name}").status_code for name in names} == {200}
    archive.deletion.delete(report.StudyInstanceUID, None, None, "")
    follow(index, archive, store)
    assert {client.get(f"/fhir/{name}").status_code for name in names} == {410}
    study = client.get(f"/fhir/ImagingStudy/{report.StudyInstanceUID}")
    assert (study.status_code, issue(study)["code"]) == (410, "deleted")
    archive.deletion.restore(report.StudyInstanceUID)
    follow(index, archive, store)
    assert {client.get(f"/fhir/{name}").json()["meta"]["versionId"] for name in names} == {"3"}
    assert client.get(f"/fhir/ImagingStudy/{report.StudyInstanceUID}").status_code == 200


def test_a_history_is_given_in_pages_that_stay_while_more_is_kept(
    client: Client, store: ResourceStore
) -> None:
    for number in range(5):
        store.replace(REPORT, [observation("1", code={"text": str(number)}), observation("2")])
    seen, url = [], "/fhir/Observation/_history?_count=2"
    while url:
        bundle = client.get(url).json()
        assert len(bundle["entry"]) <= 2
        seen += [(e["resource"]["id"], e["resource"]["meta"]["versionId"]) for e in bundle["entry"]]
        store.replace(REPORT, [observation("1", code={"text": f"later {len(seen)}"}), observation("2")])
        url = link(bundle, "next") or ""
    assert seen == [("1", "5"), ("1", "4"), ("1", "3"), ("1", "2"), ("1", "1"), ("2", "1")]


def test_a_history_begins_where_it_is_asked_to(client: Client, store: ResourceStore) -> None:
    store.replace(REPORT, [observation()])
    assert len(history(client, "Observation/1/_history?_since=2020-01-01")["entry"]) == 1
    bundle = history(client, "Observation/1/_history?_since=2999-01-01T00:00:00Z&_count=7")
    assert "entry" not in bundle
    assert link(bundle, "self") == f"{BASE}/Observation/1/_history?_since=2999-01-01T00:00:00Z&_count=7"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("_count=0", "_count"),
        ("_count=x", "_count"),
        ("_count=1&_count=2", "_count"),
        ("_since=yesterday", "_since"),
        ("_after=1", "_after"),
        ("_after=1.5_1_" + "x" * 65, "_after"),
    ],
)
def test_a_parameter_that_cannot_be_understood_is_named(client: Client, query: str, named: str) -> None:
    answer = client.get(f"/fhir/Observation/_history?{query}")
    assert answer.status_code == 400
    assert issue(answer)["location"] == [f"http.{named}"]


def test_other_parameters_are_refused_when_strict(client: Client) -> None:
    url = "/fhir/Observation/_history?colour=red&_format=json"
    assert client.get(url).status_code == 200
    assert issue(client.get(url, Prefer="handling=strict"))["location"] == ["http.colour"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("Observation/never/_history", 404, "not-found"),
        ("Observation/never/_history/1", 404, "not-found"),
        ("Observation/no_id/_history", 404, "not-found"),
        ("Encounter/_history", 404, "not-supported"),
        ("Encounter/1/_history/1", 404, "not-supported"),
    ],
)
def test_what_has_no_history(client: Client, path: str, status: int, code: str) -> None:
    answer = client.get(f"/fhir/{path}")
    assert (answer.status_code, issue(answer)["code"]) == (status, code)


@pytest.mark.parametrize("resource_type", ["Patient", "ImagingStudy", "Endpoint"])
def test_what_is_made_when_it_is_asked_for_has_no_versions(world: World, resource_type: str) -> None:
    name = f"{resource_type}/{world.resources(resource_type)[0]['id']}"
    for path in (f"{resource_type}/_history", f"{name}/_history", f"{name}/_history/1"):
        answer = world.client.get(f"/fhir/{path}")
        assert (answer.status_code, issue(answer)["code"]) == (404, "not-supported")


def test_what_has_not_changed_since_a_moment_is_not_sent_again(client: Client, store: ResourceStore) -> None:
    store.replace(REPORT, [observation()])
    url = "/fhir/Observation/1"
    changed = client.get(url).headers["last-modified"]
    again = client.get(url, If_Modified_Since=changed)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == 'W/"1"'
    earlier = email.utils.format_datetime(
        email.utils.parsedate_to_datetime(changed).replace(year=2020), usegmt=True
    )
    for since in (earlier, "never", "Fri, 99 Foo 2026"):
        assert client.get(url, If_Modified_Since=since).status_code == 200
    # The entity tag decides where there is one
    assert client.get(url, If_Modified_Since=changed, If_None_Match='W/"0"').status_code == 200
    assert client.get(url, If_None_Match="*").status_code == 304
    assert client.get(url, If_None_Match='"1"').status_code == 304
