"""Patient/[id]/$everything."""

from typing import Any

import pytest

from fhir_api.search_table import KEPT
from tests.fhir_api.client import BASE, link
from tests.fhir_api.conftest import World
from tests.fhir_api.test_router import issue
from tests.validators import Validators

Name = tuple[str, str]


def url(world: World, query: str = "") -> str:
    return f"/fhir/Patient/{world.patient(world.report)['id']}/$everything{query}"


def bundle(world: World, query: str = "") -> dict[str, Any]:
    answer = world.client.get(url(world, query))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert found["type"] == "searchset"
    return found


def names(found: dict[str, Any]) -> list[Name]:
    return [(one["resource"]["resourceType"], one["resource"]["id"]) for one in found.get("entry", [])]


@pytest.fixture
def whole(world: World) -> list[Name]:
    """All that there is of the patient: of the other one there are no reports."""
    studies = world.client.found("ImagingStudy", patient=world.patient(world.report)["id"])
    return [
        ("Patient", world.patient(world.report)["id"]),
        ("Endpoint", world.resources("Endpoint")[0]["id"]),
        *(("ImagingStudy", uid) for uid in studies),
        *((kind, one["id"]) for kind in KEPT for one in world.resources(kind)),
    ]


def test_it_is_all_of_the_patient_and_nothing_of_another(world: World, whole: list[Name]) -> None:
    found = bundle(world, "?_count=1000")
    assert len(names(found)) == len(whole) > 15
    assert set(names(found)) == set(whole)
    modes = {(one["resource"]["resourceType"], one["search"]["mode"]) for one in found["entry"]}
    assert {kind for kind, mode in modes if mode == "include"} == {
        "Endpoint",
        "Bundle",
        "Device",
        "Practitioner",
        "PractitionerRole",
        "Provenance",
    }
    assert link(found, "next") is None
    other = world.patient(world.radiograph)["id"]
    of_other = world.client.get(f"/fhir/Patient/{other}/$everything").json()
    assert [kind for kind, _ in names(of_other)] == ["Patient", "Endpoint", "ImagingStudy"]


@pytest.mark.parametrize("count", [1, 3, 7])
def test_its_pages_make_the_whole(world: World, whole: list[Name], count: int) -> None:
    found: list[Name] = []
    page = bundle(world, f"?_count={count}")
    while True:
        assert len(names(page)) <= count
        found += names(page)
        following = link(page, "next")
        if following is None:
            break
        assert following.startswith(f"{BASE}/Patient/")
        page = world.client.get(following).json()
        assert link(page, "self") == following
    assert found == names(bundle(world, "?_count=1000"))
    assert len(found) == len(whole)


def test_only_the_types_that_are_asked_for(world: World, whole: list[Name]) -> None:
    found = names(bundle(world, "?_type=Device,ImagingStudy,Condition"))
    assert set(found) == {one for one in whole if one[0] in ("Device", "ImagingStudy")}
    assert names(bundle(world, "?_type=Condition")) == []


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ("start=2026", True),
        ("end=2026", True),
        ("start=2026-01-01&end=2026-12-31", True),
        ("start=2027", False),
        ("end=2020-01-01", False),
    ],
)
def test_what_was_done_at_another_time_is_left_out(
    world: World, whole: list[Name], query: str, is_there: bool
) -> None:
    found = set(names(bundle(world, f"?_count=1000&{query}")))
    dated = {"ImagingStudy", "DiagnosticReport", "DocumentReference"}
    left_out = {one for one in whole if one not in found}
    assert {"Patient", "Endpoint", "Device", "BodyStructure"} <= {kind for kind, _ in found}
    assert (not left_out) == is_there
    assert is_there or dated <= {kind for kind, _ in left_out}
    assert dated.isdisjoint(kind for kind, _ in found) != is_there


def test_what_has_not_changed_since_is_left_out_where_that_is_known(world: World) -> None:
    later = names(bundle(world, "?_since=2999-01-01T00:00:00Z"))
    assert {kind for kind, _ in later} == {"Patient", "Endpoint"}
    assert len(names(bundle(world, "?_since=2020&_count=1000"))) > 15


def test_by_post_it_is_the_same(world: World) -> None:
    parameters = [
        {"name": "_count", "valueInteger": 4},
        {"name": "_type", "valueCode": "Observation"},
        {"name": "start", "valueDate": "2020-01-01"},
        {"name": "_since", "valueInstant": "2020-01-01T00:00:00+01:00"},
    ]
    posted = world.client.request(
        "POST",
        url(world),
        json={"resourceType": "Parameters", "parameter": parameters},
        headers={"Content-Type": "application/fhir+json"},
    )
    query = "?_count=4&_type=Observation&start=2020-01-01&_since=2020-01-01T00:00:00%2B01:00"
    assert posted.json() == bundle(world, query)
    assert len(names(posted.json())) == 4
    bare = world.client.request("POST", url(world, "?_count=3"))
    assert bare.json() == bundle(world, "?_count=3")


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{", "application/fhir+json", 400),
        (b"[]", "application/fhir+json", 400),
        (b'{"resourceType":"Patient"}', "application/fhir+json", 400),
        (b'{"resourceType":"Parameters","parameter":{}}', "application/fhir+json", 400),
        (b'{"resourceType":"Parameters","parameter":[1]}', "application/fhir+json", 400),
        (b'{"resourceType":"Parameters","parameter":[{"name":"_count"}]}', "application/fhir+json", 400),
        (
            b'{"resourceType":"Parameters","parameter":[{"name":"_count","valueBoolean":true}]}',
            "application/fhir+json",
            400,
        ),
        (b'{"resourceType":"Parameters"}', "text/plain", 415),
        (b" " * 70_000, "application/fhir+json", 413),
    ],
)
def test_what_is_no_parameters_is_refused(world: World, body: bytes, media_type: str, status: int) -> None:
    answer = world.client.request("POST", url(world), content=body, headers={"Content-Type": media_type})
    assert answer.status_code == status
    issue(answer)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("_count=0", "_count"),
        ("_since=x", "_since"),
        ("start=2026-13", "start"),
        ("end=soon", "end"),
        ("_type=patient", "_type"),
        ("_type=Patient,,Device", "_type"),
        ("_after=Kept_1.2", "_after"),
        ("_after=x", "_after"),
    ],
)
def test_a_parameter_that_cannot_be_understood_is_named(world: World, query: str, named: str) -> None:
    answer = world.client.get(url(world, f"?{query}"))
    assert answer.status_code == 400
    assert issue(answer)["location"] == [f"http.{named}"]


@pytest.mark.parametrize("path", ["Patient/none/$everything", "Patient/a_b/$everything"])
def test_who_is_not_known(world: World, path: str) -> None:
    assert world.client.get(f"/fhir/{path}").status_code == 404


def test_it_is_of_patients_alone(world: World) -> None:
    study = world.report.StudyInstanceUID
    assert world.client.get(f"/fhir/ImagingStudy/{study}/$everything").status_code == 404


@pytest.mark.xdist_group("validators")
def test_it_is_valid(world: World, validators: Validators) -> None:
    assert validators.faults([bundle(world, "?_count=1000")]) == []
