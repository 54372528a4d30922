"""`_include` and `_revinclude`: what comes with the matches of a search (FHIR R4 3.1.1.5.3)."""

from typing import Any

import pytest

from fhir_api import including
from fhir_api.search_table import PARAMETERS, included_with, referring_to
from tests.fhir_api.client import link
from tests.fhir_api.conftest import World


def by_mode(bundle: dict[str, Any]) -> dict[str, list[str]]:
    """Type and id of each resource by the mode of its entry."""
    found: dict[str, list[str]] = {"match": [], "include": []}
    for entry in bundle.get("entry", []):
        resource = entry["resource"]
        assert entry["fullUrl"].endswith(f"/{resource['resourceType']}/{resource['id']}")
        found[entry["search"]["mode"]].append(f"{resource['resourceType']}/{resource['id']}")
    return found


def test_what_the_matches_refer_to_comes_once(world: World) -> None:
    bundle = world.client.search("Observation", ("_include", "Observation:patient"), _count="1000")
    found = by_mode(bundle)
    assert bundle["total"] == len(found["match"]) > 1
    assert found["include"] == [f"Patient/{world.patient(world.report)['id']}"]


@pytest.mark.parametrize(
    ("resource_type", "include", "types"),
    [
        ("ImagingStudy", "ImagingStudy:endpoint", {"Endpoint"}),
        ("ImagingStudy", "ImagingStudy:subject", {"Patient"}),
        ("Observation", "Observation:part-of", {"ImagingStudy"}),
        ("Observation", "Observation:derived-from:DocumentReference", {"DocumentReference"}),
        ("Observation", "Observation:device", {"Device"}),
        ("DiagnosticReport", "DiagnosticReport:result", {"Observation"}),
        ("DocumentReference", "DocumentReference:related:ImagingStudy", {"ImagingStudy"}),
        ("DocumentReference", "DocumentReference:related:Practitioner", {"Practitioner"}),
        ("DocumentReference", "DocumentReference:author", {"Device", "Practitioner"}),
        ("DocumentReference", "DocumentReference:authenticator", {"Practitioner"}),
        ("Observation", "Observation:performer", {"Practitioner"}),
        ("Observation", "Observation:based-on", {"ServiceRequest"}),
        ("DiagnosticReport", "DiagnosticReport:results-interpreter", {"Practitioner"}),
        ("PractitionerRole", "PractitionerRole:practitioner", {"Practitioner"}),
        ("ServiceRequest", "ServiceRequest:requester", {"Practitioner"}),
        ("Provenance", "Provenance:target", {"DiagnosticReport", "DocumentReference", "Observation"}),
        ("Provenance", "Provenance:agent", {"Device", "Practitioner"}),
        ("Provenance", "Provenance:entity", {"DocumentReference"}),
    ],
)
def test_included(world: World, resource_type: str, include: str, types: set[str]) -> None:
    found = by_mode(world.client.search(resource_type, ("_include", include)))["include"]
    assert {one.partition("/")[0] for one in found} == types


def test_what_refers_to_the_matches(world: World) -> None:
    study = world.report.StudyInstanceUID
    pairs = ("_revinclude", "Observation:part-of"), ("_revinclude", "DocumentReference:related")
    found = by_mode(world.client.search("ImagingStudy", *pairs, _id=study))
    assert found["match"] == [f"ImagingStudy/{study}"]
    said = {f"Observation/{one['id']}" for one in world.resources("Observation") if "partOf" in one}
    assert said
    documents = {f"DocumentReference/{one['id']}" for one in world.resources("DocumentReference")}
    assert f"DocumentReference/{world.report.SOPInstanceUID}" in documents
    assert set(found["include"]) == said | documents


def test_a_match_is_not_included_again(world: World) -> None:
    bundle = world.client.search("Observation", ("_include", "Observation:has-member"), _count="1000")
    found = by_mode(bundle)
    assert found["include"] == []
    few = by_mode(world.client.search("Observation", ("_include", "Observation:has-member"), _count="1"))
    assert few["match"]
    assert set(few["match"]).isdisjoint(few["include"])


def test_the_links_of_a_page_keep_it(world: World) -> None:
    bundle = world.client.search("Observation", ("_include", "Observation:patient"), _count="1")
    assert "_include=Observation:patient" in str(link(bundle, "next"))


def test_every_link_that_is_offered_works(world: World) -> None:
    for resource_type in PARAMETERS:
        offers = [("_include", one) for one in included_with(resource_type)]
        offers += [("_revinclude", one) for one in referring_to(resource_type)]
        for name, (source, parameter) in offers:
            answer = world.client.request(
                "GET",
                f"/fhir/{resource_type}",
                params={name: f"{source}:{parameter.name}"},
                headers={"Prefer": "handling=strict"},
            )
            assert answer.status_code == 200, answer.text
            assert f"{name}={source}:{parameter.name}" in str(link(answer.json(), "self"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_include", "Observation:code"),
        ("_include", "Observation:patient:Group"),
        ("_include", "ImagingStudy:patient"),
        ("_include", "*"),
        ("_include", ""),
        ("_revinclude", "ImagingStudy:endpoint"),
        ("_revinclude", "Nothing:subject"),
    ],
)
def test_links_that_there_are_not(world: World, name: str, value: str) -> None:
    strict = world.client.request(
        "GET", "/fhir/Observation", params={name: value}, headers={"Prefer": "handling=strict"}
    )
    assert strict.status_code == 400
    assert name in strict.json()["issue"][0]["diagnostics"]
    assert by_mode(world.client.search("Observation", (name, value)))["include"] == []


def test_too_many_are_refused_with_what_to_do(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(including, "MAX_INCLUDED", 1)
    answer = world.client.request("GET", "/fhir/Patient", params={"_revinclude": "Observation:subject"})
    assert answer.status_code == 400
    assert "_count" in answer.json()["issue"][0]["diagnostics"]
