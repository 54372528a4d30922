"""Reading, negotiating, and what is said when something is wrong."""

from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI

from fhir_api import archive_search, interactions
from fhir_api.router import router
from fhir_api.store import ResourceStore, prepare
from pacs.index import sqlite_url
from tests.fhir_api.client import BASE, Client, link
from tests.fhir_api.conftest import World, lose_the_resources


def issue(answer: object) -> dict[str, object]:
    body = answer.json()  # type: ignore[attr-defined]
    assert body["resourceType"] == "OperationOutcome"
    assert answer.headers["content-type"] == "application/fhir+json"  # type: ignore[attr-defined]
    (only,) = body["issue"]
    assert only["severity"] == "error"
    assert only["diagnostics"]
    return dict(only)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/fhir/Observation/none", 404, "not-found"),
        ("GET", "/fhir/ImagingStudy/1.2.3", 404, "not-found"),
        ("GET", "/fhir/Patient/none", 404, "not-found"),
        ("GET", "/fhir/Endpoint/none", 404, "not-found"),
        ("GET", "/fhir/Patient/no_id", 404, "not-found"),
        ("GET", "/fhir/Encounter", 404, "not-supported"),
        ("GET", "/fhir/Encounter/1", 404, "not-supported"),
        ("POST", "/fhir/Encounter/_search", 404, "not-supported"),
        ("GET", "/fhir/Patient/1/_history", 404, "not-supported"),
        ("GET", "/fhir", 405, "not-supported"),
        ("GET", "/fhir/", 405, "not-supported"),
        ("GET", "/fhir/Patient/1/$else", 404, "not-found"),
        ("PUT", "/fhir/Patient/1/a/b/c", 404, "not-found"),
        ("PUT", "/fhir/Patient/1", 405, "not-supported"),
        ("DELETE", "/fhir/Patient/1", 405, "not-supported"),
        ("POST", "/fhir/Patient", 405, "not-supported"),
    ],
)
def test_what_is_not_there_is_told_as_an_outcome(
    world: World, method: str, path: str, status: int, code: str
) -> None:
    answer = world.client.request(method, path)
    assert answer.status_code == status
    assert issue(answer)["code"] == code


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/fhir", "POST"),
        ("PUT", "/fhir/Patient/1", "GET, HEAD"),
        ("DELETE", "/fhir/Observation", "GET, HEAD, POST"),
    ],
)
def test_a_refused_method_is_told_which_are_taken(world: World, method: str, path: str, allowed: str) -> None:
    assert world.client.request(method, path).headers["allow"] == allowed


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("_count=many", "_count"),
        ("_offset=-1", "_offset"),
        ("code:text=liver", "code"),
        ("status:identifier=x", "status"),
        ("patient=!", "patient"),
        ("code.x=1", "code.x"),
        ("derived-from.identifier=1", "derived-from.identifier"),
        ("patient.nothing=1", "patient.nothing"),
        ("subject:Group=1", "subject"),
        ("code=" + "x" * 2001, "code"),
        ("code=" + ",".join(["x"] * 257), "code"),
    ],
)
def test_a_parameter_that_cannot_be_understood_is_named(world: World, query: str, named: str) -> None:
    answer = world.client.get(f"/fhir/Observation?{query}")
    assert answer.status_code == 400
    assert issue(answer)["location"] == [f"http.{named}"]


def test_an_unknown_parameter_is_left_out_of_the_self_link_and_refused_when_strict(world: World) -> None:
    bundle = world.client.search("Patient", colour="red", name="cosme")
    assert bundle["total"] == 1
    assert link(bundle, "self") == f"{BASE}/Patient?name=cosme&_count=50"
    strict = world.client.get("/fhir/Patient?colour=red", Prefer="respond-async, handling=strict")
    assert strict.status_code == 400
    assert issue(strict)["location"] == ["http.colour"]
    lenient = world.client.get("/fhir/Patient?colour=red", Prefer="handling=lenient")
    assert lenient.status_code == 200


def test_a_flood_of_parameters_is_refused(world: World) -> None:
    answer = world.client.get("/fhir/Patient?" + "&".join(["name=x"] * 257))
    assert answer.status_code == 400
    assert issue(answer)["code"] == "too-costly"


@pytest.mark.parametrize(
    ("query", "accept"),
    [
        ("?_format=html", "*/*"),
        ("?_format=text/turtle", "application/fhir+json"),
        ("", "application/rdf+xml"),
        ("", "application/fhir+json;q=0"),
        ("", "application/fhir+xml;q=0.0, application/json;q=0, text/html"),
        ("", "application/fhir+json; fhirVersion=5.0"),
    ],
)
def test_what_is_neither_json_nor_xml_is_not_acceptable(world: World, query: str, accept: str) -> None:
    answer = world.client.get(f"/fhir/metadata{query}", Accept=accept)
    assert answer.status_code == 406
    told = issue(answer)
    assert told["code"] == "not-supported"
    assert "application/fhir+json or application/fhir+xml" in str(told["diagnostics"])


@pytest.mark.parametrize(
    ("query", "accept"),
    [
        ("?_format=json", "application/fhir+xml"),
        ("?_format=application/fhir+json", ""),
        ("?_format=application/fhir%2Bjson", ""),
        ("", "application/fhir+xml;q=0.4, application/fhir+json;q=0.5"),
        ("", "application/fhir+xml, application/json"),
        ("", "text/html,*/*;q=0.8"),
        ("", "application/xml;q=0.2, */*"),
        ("", "application/fhir+json; fhirVersion=4.0"),
    ],
)
def test_json_is_given_to_whoever_takes_it(world: World, query: str, accept: str) -> None:
    answer = world.client.get(f"/fhir/Patient{query}", Accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/fhir+json"


@pytest.mark.parametrize("resource_type", ["Patient", "ImagingStudy", "Observation", "Endpoint"])
def test_a_read_resource_bears_its_version_and_is_not_sent_twice(world: World, resource_type: str) -> None:
    url = f"/fhir/{resource_type}/{world.resources(resource_type)[0]['id']}"
    answer = world.client.get(url)
    assert answer.headers["etag"].startswith('W/"')
    again = world.client.get(url, If_None_Match=f'W/"other", {answer.headers["etag"]}')
    assert (again.status_code, again.content) == (304, b"")
    assert world.client.get(url, If_None_Match='W/"other"').status_code == 200


def test_a_kept_resource_tells_when_it_changed(world: World) -> None:
    observation = world.resources("Observation")[0]
    answer = world.client.get(f"/fhir/Observation/{observation['id']}")
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["last-modified"].endswith("GMT")
    assert answer.json()["meta"]["versionId"] == "1"
    assert answer.json()["meta"]["lastUpdated"].endswith("Z")


def test_a_search_by_post_finds_the_same_as_by_get(world: World) -> None:
    by_get = world.client.search("Observation", code="103339001", _count="5")
    by_post = world.client.request(
        "POST", "/fhir/Observation/_search?_count=5", data={"code": "103339001"}
    ).json()
    assert by_post["entry"] == by_get["entry"]
    assert by_post["total"] == 1


def test_a_search_by_post_takes_a_form_of_reasonable_size(world: World) -> None:
    url = "/fhir/Observation/_search"
    answer = world.client.request("POST", url, json={"code": "x"})
    assert (answer.status_code, issue(answer)["code"]) == (415, "not-supported")
    answer = world.client.request("POST", url, data={"code": "x" * 70_000})
    assert (answer.status_code, issue(answer)["code"]) == (413, "too-long")


def test_the_number_of_matches_alone(world: World) -> None:
    for parameters in ({"_summary": "count"}, {"_count": "0"}):
        for resource_type in ("Patient", "ImagingStudy", "Observation", "Endpoint"):
            bundle = world.client.search(resource_type, **parameters)
            assert "entry" not in bundle
            assert bundle["total"] == len(world.resources(resource_type))
            assert link(bundle, "self") == f"{BASE}/{resource_type}?_summary=count"


def test_the_total_is_told_unless_it_is_not_wanted(world: World) -> None:
    for resource_type in ("Patient", "ImagingStudy", "Observation", "Endpoint"):
        number = len(world.resources(resource_type))
        for wanted in ("accurate", "estimate", "whatever"):
            assert world.client.search(resource_type, _total=wanted, _count="1")["total"] == number
        ids: list[str] = []
        url: str | None = f"/fhir/{resource_type}?_total=none&_count=2"
        while url:
            page = world.client.get(url).json()
            assert "total" not in page
            ids += [entry["resource"]["id"] for entry in page["entry"]]
            url = link(page, "next")
        assert len(ids) == len(set(ids)) == number
    strict = world.client.get("/fhir/Patient?_total=whatever", Prefer="handling=strict")
    assert issue(strict)["location"] == ["http._total"]


def test_an_exact_total_is_counted_however_many_there_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_search, "MAX_COUNTED", 1)
    assert "total" not in world.client.search("Patient", _count="1")
    assert world.client.search("Patient", _count="1", _total="accurate")["total"] == 2


def test_a_page_is_never_larger_than_the_cap(world: World) -> None:
    bundle = world.client.search("Patient", _count="5000")
    assert link(bundle, "self") == f"{BASE}/Patient?_count=1000"


def test_a_page_behind_the_end_is_empty_and_knows_the_total(world: World) -> None:
    for resource_type in ("Patient", "ImagingStudy", "Observation", "Endpoint"):
        bundle = world.client.search(resource_type, _offset="500")
        assert "entry" not in bundle
        assert bundle["total"] == len(world.resources(resource_type))
        assert link(bundle, "next") is None


def test_escaped_characters_are_no_separators(world: World) -> None:
    for value in (r"103339001\,x", r"http\://snomed.info/sct\|103339001"):
        assert world.client.search("Observation", code=value)["total"] == 0
    assert world.client.search("Observation", code=r"http://snomed.info/sct|103339001,x\,y")["total"] == 1


def test_head_is_answered_where_get_is(world: World) -> None:
    patient = world.patient(world.report)["id"]
    for path in ("metadata", "Patient", f"Patient/{patient}"):
        assert world.client.request("HEAD", f"/fhir/{path}").status_code == 200


def test_whatever_goes_wrong_is_told_as_an_outcome(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "fhir.sqlite"
    prepare(sqlite_url(database))
    with closing(ResourceStore(sqlite_url(database))) as store:
        app = FastAPI()
        app.include_router(router(world.archive, store))
        lose_the_resources(database)
        for path in ("/fhir/Device/a", "/fhir/Device", "/fhir/Device/_history"):
            assert issue(Client(app).get(path))["code"] == "exception"
    monkeypatch.setattr(interactions, "searchset", None)  # a defect of ours
    answer = world.client.get("/fhir/Patient")
    assert (answer.status_code, issue(answer)["code"]) == (500, "exception")
