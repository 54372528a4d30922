"""Everything at once: asked for, done, fetched, and removed."""

import os
import re
import shutil
import time
from collections import namedtuple
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from fhir_api.bulk import exporter as exporter_module
from fhir_api.bulk.exports import LIFETIME, MOST_BEGINNINGS, MOST_KEPT, MOST_RUNNING, Exports
from fhir_api.bulk.source import TYPES, Source
from fhir_api.r4.xml_writer import to_xml
from tests.fhir_api.bulk.conftest import Bulk
from tests.fhir_api.client import BASE
from tests.validators import Validators

OF_PATIENTS = {"Patient", "ImagingStudy", "Observation", "DiagnosticReport", "DocumentReference"} | {
    "BodyStructure",
    "ServiceRequest",
}


def stored(bulk: Bulk, kind: str) -> dict[str, Any]:
    """What a read gives of each resource of a type, by its id."""
    ids = [one["id"] for one in bulk.world.resources(kind)]
    return {one: bulk.world.client.get(f"/fhir/{kind}/{one}").json() for one in ids}


def test_all_of_every_type_is_exported_as_it_is_read(bulk: Bulk) -> None:
    manifest = bulk.export("/fhir/$export")
    assert manifest["request"] == f"{BASE}/$export"
    assert manifest["requiresAccessToken"] is False
    assert manifest["error"] == []
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", manifest["transactionTime"])
    assert {one["type"] for one in manifest["output"]} == set(TYPES)
    for one in manifest["output"]:
        lines = bulk.lines(one["url"])
        assert len(lines) == one["count"]
        assert {line["id"]: line for line in lines} == stored(bulk, one["type"])


def test_what_is_about_patients(bulk: Bulk) -> None:
    manifest = bulk.export("/fhir/Patient/$export")
    assert {one["type"] for one in manifest["output"]} == OF_PATIENTS


def test_some_types_since_a_moment(bulk: Bulk) -> None:
    moment = stored(bulk, "DiagnosticReport").popitem()[1]["meta"]["lastUpdated"]
    earlier = bulk.export(
        "/fhir/$export?_type=DiagnosticReport,Patient&_type=Device&_since=2020-01-01T00:00:00Z"
    )
    assert {one["type"] for one in earlier["output"]} == {"DiagnosticReport", "Patient", "Device"}
    later = bulk.export(
        "/fhir/$export",
        params={"_type": "DiagnosticReport,Patient,ImagingStudy,Endpoint", "_since": "2090-01-01T00:00:00Z"},
    )
    assert {one["type"] for one in later["output"]} == {"Endpoint"}
    (told,) = later["error"]
    (outcome,) = bulk.lines(told["url"])
    assert outcome["issue"][0]["severity"] == "information"
    assert "When Endpoint changed" in outcome["issue"][0]["diagnostics"]
    at_it = bulk.export(f"/fhir/$export?_type=DiagnosticReport&_since={moment}")
    assert (at_it["error"], len(at_it["output"])) == ([], 1)
    recent = bulk.export("/fhir/$export?_type=Patient,ImagingStudy&_since=2020-01-01T00:00:00Z")
    assert {one["type"] for one in recent["output"]} == {"Patient", "ImagingStudy"}
    assert recent["error"] == []


def test_it_is_asked_for_by_parameters_too(bulk: Bulk) -> None:
    parameters = [
        {"name": "_type", "valueString": "Device"},
        {"name": "_type", "valueString": "Endpoint"},
        {"name": "_since", "valueInstant": "2020-01-01T00:00:00+01:00"},
        {"name": "_outputFormat", "valueString": "ndjson"},
    ]
    body = {"resourceType": "Parameters", "parameter": parameters}
    manifest = bulk.export("/fhir/$export", method="POST", json=body)
    assert {one["type"] for one in manifest["output"]} == {"Device", "Endpoint"}
    xml = {"Content-Type": "application/fhir+xml"}
    again = bulk.export("/fhir/$export", method="POST", content=to_xml(body), headers=xml)
    assert {one["type"] for one in again["output"]} == {"Device", "Endpoint"}
    assert bulk.export("/fhir/Patient/$export", method="POST")["output"]


def test_how_it_stands_is_told_by_any_process(bulk: Bulk) -> None:
    place = bulk.begin("/fhir/$export")
    assert bulk.rung == [True]
    waiting = bulk.client.get(place)
    assert (waiting.status_code, waiting.content) == (202, b"")
    assert waiting.headers["x-progress"] == "waiting"
    assert int(waiting.headers["retry-after"]) > 0
    assert bulk.client.get(f"{place}/Patient.ndjson").status_code == 404
    assert bulk.exporter.export_next()
    assert not bulk.exporter.export_next()
    done = bulk.client.get(place)
    assert (done.status_code, done.headers["content-type"]) == (200, "application/json")
    assert "expires" in done.headers


def test_a_file_is_compressed_for_who_takes_that(bulk: Bulk) -> None:
    manifest = bulk.export("/fhir/$export?_type=Observation")
    url = manifest["output"][0]["url"].replace(BASE, "/fhir")
    plain = bulk.client.get(url, Accept_Encoding="gzip;q=0")
    packed = bulk.client.get(url, Accept_Encoding="br, gzip")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    part = bulk.client.get(url, Accept_Encoding="identity", Range="bytes=5-9")
    assert (part.status_code, part.content) == (206, plain.content[5:10])


def test_one_that_is_removed_is_gone(bulk: Bulk) -> None:
    waiting = bulk.begin("/fhir/$export")
    assert bulk.client.request("DELETE", waiting).status_code == 202
    assert not bulk.exporter.export_next()
    done = bulk.begin("/fhir/$export?_type=Endpoint")
    assert bulk.exporter.export_next()
    assert bulk.client.request("DELETE", done).status_code == 202
    for place in (waiting, done, f"{done}/Endpoint.ndjson"):
        gone = bulk.client.get(place)
        assert (gone.status_code, gone.json()["resourceType"]) == (404, "OperationOutcome")
    assert bulk.client.request("DELETE", done).status_code == 404


def test_one_that_is_removed_while_it_is_written_ends(bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    place = bulk.begin("/fhir/$export?_type=Observation")
    read = Source.read

    def removing(source: Source, *asked: Any) -> Iterator[bytes]:
        for content in read(source, *asked):
            bulk.client.request("DELETE", place)
            yield content

    monkeypatch.setattr(Source, "read", removing)
    monkeypatch.setattr(exporter_module, "AT_ONCE", 1)
    with capture_logs() as logs:
        assert bulk.exporter.export_next()
    assert logs == []
    assert bulk.exports.all() == []


def test_one_that_is_broken_off_goes_on_with_the_file_that_was_not_complete(
    bulk: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = bulk.begin("/fhir/$export?_type=Patient,Device,Observation")
    read, asked_for = Source.read, []

    def dying(source: Source, kind: str, *asked: Any) -> Iterator[bytes]:
        asked_for.append(kind)
        for number, content in enumerate(read(source, kind, *asked)):
            if kind == "Observation" and number == 3 and asked_for.count(kind) == 1:
                raise KeyboardInterrupt
            yield content

    monkeypatch.setattr(Source, "read", dying)
    with pytest.raises(KeyboardInterrupt):
        bulk.exporter.export_next()
    assert bulk.client.get(place).status_code == 202
    assert bulk.exporter.export_next()
    manifest = bulk.client.get(place).json()
    assert asked_for.count("Patient") == 1
    assert asked_for.count("Observation") == 2
    counts = {one["type"]: one["count"] for one in manifest["output"]}
    assert counts == {kind: len(stored(bulk, kind)) for kind in ("Patient", "Device", "Observation")}


def test_one_that_is_broken_off_each_time_is_given_up(bulk: Bulk) -> None:
    place = bulk.begin("/fhir/$export")
    for _ in range(MOST_BEGINNINGS):
        bulk.exports.all()[0].begin()
    assert bulk.exporter.export_next()
    failed = bulk.client.get(place)
    assert failed.status_code == 500
    assert "broken off" in failed.json()["issue"][0]["diagnostics"]


def test_what_a_power_cut_left_is_swept_away(bulk: Bulk) -> None:
    place = bulk.begin("/fhir/$export?_type=Endpoint")
    (bulk.exports.all()[0].folder / "asked.json").write_text("")
    assert bulk.client.get(place).status_code == 404
    assert not bulk.exporter.export_next()
    bulk.exports.sweep(0)
    assert [path.name for path in bulk.folder.iterdir()] == ["lock"]


def test_it_stops_when_the_service_does(bulk: Bulk) -> None:
    place = bulk.begin("/fhir/$export")
    assert bulk.exporter.export_next(lambda: True)
    assert bulk.client.get(place).status_code == 202


def test_a_failure_is_told_and_leaves_no_files(bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    place = bulk.begin("/fhir/$export?_type=Patient,Device")

    def broken(_source: Source, kind: str, *_: Any) -> Iterator[bytes]:
        yield b"{}"
        if kind == "Device":
            raise ValueError("Rossi^Maria")

    monkeypatch.setattr(Source, "read", broken)
    with capture_logs() as logs:
        assert bulk.exporter.export_next()
    assert [entry["error"] for entry in logs] == ["ValueError"]
    assert "Rossi" not in str(logs)
    failed = bulk.client.get(place)
    assert failed.status_code == 500
    assert failed.json()["resourceType"] == "OperationOutcome"
    assert list(bulk.folder.glob("*/*.ndjson")) == []


def test_nothing_that_fails_ends_the_work(bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    failures: list[Exception] = [OSError("no disk"), ValueError("Rossi^Maria")]
    sweep = Exports.sweep

    def failing(exports: Exports, now: float) -> None:
        if failures:
            bulk.bell.ring()  # so that it is tried again at once
            raise failures.pop(0)
        sweep(exports, now)

    monkeypatch.setattr(Exports, "sweep", failing)
    bulk.begin("/fhir/$export?_type=Endpoint")
    with capture_logs() as logs:
        bulk.exporter.run(lambda: bulk.exports.next() is None)
    assert [entry["error"] for entry in logs] == ["OSError", "ValueError"]
    assert "Rossi" not in str(logs)


def test_room_is_left_for_what_is_stored(bulk: Bulk, monkeypatch: pytest.MonkeyPatch) -> None:
    place = bulk.begin("/fhir/$export")
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(exporter_module.LEFT_FREE - 1))
    assert bulk.exporter.export_next()
    assert "no room" in bulk.client.get(place).json()["issue"][0]["diagnostics"]


def test_it_is_kept_for_a_day(bulk: Bulk) -> None:
    place = bulk.begin("/fhir/$export?_type=Endpoint")
    assert bulk.exporter.export_next()
    bulk.exports.sweep(time.time() + LIFETIME - 60)
    assert bulk.client.get(place).status_code == 200
    (one,) = bulk.exports.all()
    past = time.time() - LIFETIME - 1
    os.utime(one.folder / "manifest.json", (past, past))
    assert bulk.client.get(place).status_code == 404
    expiry = bulk.exports.next_expiry()
    assert expiry is not None
    assert expiry < time.time()
    bulk.exports.sweep(time.time())
    assert [path.name for path in bulk.folder.iterdir()] == ["lock"]


def test_there_is_an_end_to_how_many_run_and_are_kept(bulk: Bulk) -> None:
    for _ in range(MOST_RUNNING):
        bulk.begin("/fhir/$export?_type=Endpoint")
    refused = bulk.ask("/fhir/$export")
    assert (refused.status_code, refused.json()["issue"][0]["code"]) == (429, "throttled")
    assert "retry-after" in refused.headers
    while bulk.exporter.export_next():
        pass
    for _ in range(MOST_KEPT - MOST_RUNNING):
        place = bulk.begin("/fhir/$export?_type=Endpoint")
        assert bulk.exporter.export_next()
    assert bulk.ask("/fhir/$export").status_code == 429
    bulk.client.request("DELETE", place)
    assert bulk.ask("/fhir/$export").status_code == 202


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("_type=Encounter", "_type"),
        ("_type=Device,Subscription", "_type"),
        ("_since=2020", "_since"),
        ("_since=2020-13-01T00:00:00Z", "_since"),
        ("_outputFormat=text/csv", "_outputFormat"),
        ("_typeFilter=Observation%3Fcode%3Dx", "_typeFilter"),
        ("_elements=id", "_elements"),
        ("patient=Patient/1", "patient"),
    ],
)
def test_what_cannot_be_heeded_is_refused_and_named(bulk: Bulk, query: str, named: str) -> None:
    answer = bulk.ask(f"/fhir/$export?{query}")
    assert answer.status_code == 400
    (issue,) = answer.json()["issue"]
    assert issue["location"] == [f"http.{named}"]


def test_what_is_about_no_patient_is_not_in_an_export_of_patients(bulk: Bulk) -> None:
    assert bulk.ask("/fhir/Patient/$export?_type=Device").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"resourceType": "Patient"}',
        b'{"resourceType": "Parameters", "parameter": [{"name": "_type"}]}',
        b'{"resourceType": "Parameters", "parameter": [{"name": "_type", "valueString": 1}]}',
        b'{"resourceType": "Parameters", "parameter": ["_type"]}',
        b'{"resourceType": "Parameters", "parameter": 1}',
        b'{"resourceType": "Parameters", "parameter": [{"valueDecimal": 1e9999999999999999999}]}',
    ],
)
def test_what_are_no_parameters_is_refused(bulk: Bulk, body: bytes) -> None:
    def status(content: bytes, kind: str) -> int:
        headers = {"Content-Type": kind}
        return bulk.ask("/fhir/$export", method="POST", content=content, headers=headers).status_code

    assert status(body, "application/fhir+json") == 400
    assert status(b" " * 70_000, "application/fhir+json") == 413
    assert status(body, "text/plain") == 415


def test_it_has_to_be_asked_for_with_patience(bulk: Bulk) -> None:
    answer = bulk.client.get("/fhir/$export")
    assert answer.status_code == 400
    assert "respond-async" in answer.json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    "path", ["none", "0" * 32, "%2e%2e", "lock", "../index.sqlite", "%2e%2e%2findex.sqlite", "0/asked.json"]
)
def test_nothing_else_is_given(bulk: Bulk, path: str) -> None:
    bulk.export("/fhir/$export?_type=Endpoint")
    assert bulk.client.get(f"/fhir/export/{path}").status_code == 404


@pytest.mark.parametrize("file", ["asked.json", "manifest.json", ".ndjson", "..%2flock", "Device.ndjson"])
def test_only_its_files_are_given(bulk: Bulk, file: str) -> None:
    place = bulk.begin("/fhir/$export?_type=Endpoint")
    bulk.exporter.export_next()
    assert bulk.client.get(f"{place}/{file}").status_code == 404


def test_the_operations_are_told(bulk: Bulk, validators: Validators) -> None:
    statement = bulk.client.get("/fhir/metadata").json()
    (rest,) = statement["rest"]
    (system,) = rest["operation"]
    named = {resource["type"]: resource.get("operation", []) for resource in rest["resource"]}
    exports = [(kind, one) for kind, of_kind in named.items() for one in of_kind if one["name"] == "export"]
    ((kind, patients),) = exports
    assert system["definition"].endswith("/export")
    assert (kind, patients["definition"].rpartition("/")[2]) == ("Patient", "patient-export")
    assert validators.faults([statement]) == []
    assert "operation" not in bulk.world.client.get("/fhir/metadata").json()["rest"][0]
