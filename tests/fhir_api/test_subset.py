"""_summary and _elements (FHIR R4 3.1.1.5.8 and 3.1.1.5.9), on searches and on reads."""

from typing import Any

import pytest

from fhir_api.answers import Addresses
from fhir_api.imaging_studies import ImagingStudies
from fhir_api.r4.definitions import structure
from fhir_api.search_table import PARAMETERS
from pacs.archive import Archive
from pacs.model import Level
from tests.fhir_api.client import BASE, link
from tests.fhir_api.conftest import World
from tests.validators import Validators


def tags(resource: dict[str, Any]) -> list[str]:
    return [tag["code"] for tag in resource["meta"]["tag"]]


def entries(bundle: dict[str, Any], mode: str = "match") -> list[dict[str, Any]]:
    return [one["resource"] for one in bundle["entry"] if one["search"]["mode"] == mode]


def test_a_summary_has_what_the_definitions_count_to_it(world: World) -> None:
    for resource_type in PARAMETERS:
        known = structure(resource_type)
        whole = {one["id"]: one for one in world.resources(resource_type)}
        bundle = world.client.search(resource_type, _summary="true", _count="1000")
        assert bundle["total"] == len(whole) == len(entries(bundle))
        assert link(bundle, "self") == f"{BASE}/{resource_type}?_summary=true&_count=1000"
        for summary in entries(bundle):
            full = whole[summary["id"]]
            assert "SUBSETTED" in tags(summary)
            kept = {n for n in full if n in known and (known[n].is_summary or known[n].least)}
            assert set(summary) == kept | {"resourceType", "meta"}
            assert read(world, full, "_summary=true") == summary


def test_what_a_summary_leaves_out(world: World) -> None:
    study = world.client.get(f"/fhir/ImagingStudy/{world.report.StudyInstanceUID}?_summary=true").json()
    assert [one["numberOfInstances"] for one in study["series"]] == [24, 1, 1]
    assert all("instance" not in one and one["uid"] for one in study["series"])
    measured = [one for one in world.resources("Observation") if "valueQuantity" in one]
    summary = read(world, measured[0], "_summary=true")
    assert summary["valueQuantity"] == measured[0]["valueQuantity"]
    assert "category" in measured[0] and "category" not in summary


def test_the_text_and_what_must_be(world: World) -> None:
    for report in world.resources("DiagnosticReport"):
        text = read(world, report, "_summary=text")
        assert set(text) <= {"resourceType", "id", "meta", "text", "status", "code"}
        assert text["status"] == report["status"]
        data = read(world, report, "_summary=data")
        assert set(data) == (set(report) | {"meta"}) - {"text"}
        assert read(world, report, "_summary=false") == report


def test_named_elements_and_what_must_be(world: World) -> None:
    bundle = world.client.search("Observation", _elements="subject,value", _count="1000")
    assert link(bundle, "self") == f"{BASE}/Observation?_elements=subject%2Cvalue&_count=1000"
    assert any("valueQuantity" in one for one in entries(bundle))
    for one in entries(bundle):
        values = {name for name in one if name.startswith("value")}
        assert set(one) == {"resourceType", "id", "meta", "status", "code", "subject"} | values
        assert "SUBSETTED" in tags(one)
    posted = world.client.request("POST", "/fhir/Observation/_search", data={"_elements": "subject,value"})
    assert posted.json()["entry"] == bundle["entry"][:50]


def test_what_is_included_stays_whole(world: World) -> None:
    bundle = world.client.search("ImagingStudy", _elements="started", _include="ImagingStudy:patient")
    assert all("subject" in one and "series" not in one for one in entries(bundle))
    assert entries(bundle, "include") == world.resources("Patient")


def test_versions_are_told_of_subsets_too(world: World) -> None:
    url = f"/fhir/Observation/{world.resources('Observation')[0]['id']}?_elements=subject"
    answer = world.client.get(url)
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.json()["meta"]["versionId"] == "1"
    assert world.client.get(url, If_None_Match='W/"1"').status_code == 304


def test_nothing_is_included_beside_texts(world: World) -> None:
    answer = world.client.get("/fhir/ImagingStudy?_summary=text&_include=ImagingStudy:patient")
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["location"] == ["http._summary"]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("_summary=true&_elements=status", "_summary"),
        ("_summary=all", "_summary"),
        ("_elements=status,colour", "_elements"),
        ("_elements=" + ",".join(["status"] * 257), "_elements"),
    ],
)
def test_what_cannot_be_is_refused(world: World, query: str, named: str) -> None:
    patient = world.resources("Observation")[0]["id"]
    for path in ("Observation", f"Observation/{patient}"):
        answer = world.client.get(f"/fhir/{path}?{query}", Prefer="handling=strict")
        assert answer.status_code == 400
        assert answer.json()["issue"][0]["location"] == [f"http.{named}"]


def test_what_is_unknown_is_passed_over_unless_strict(world: World) -> None:
    whole = world.resources("Patient")
    assert entries(world.client.search("Patient", _summary="all")) == whole
    assert read(world, whole[0], "_summary=all") == whole[0]
    assert set(read(world, whole[0], "_elements=colour")) == {"resourceType", "id", "meta"}


def test_a_count_is_not_of_one_resource(world: World) -> None:
    answer = world.client.get(f"/fhir/Patient/{world.patient(world.report)['id']}?_summary=count")
    assert answer.status_code == 400


class _Noting:
    """An archive that notes at which levels it is asked."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.levels: list[Level] = []

    def search(self, query: Any, *rest: Any) -> Any:
        self.levels.append(query.level)
        return self._archive.search(query, *rest)

    def kept(self, query: Any) -> Any:
        self.levels.append(query.level)
        return self._archive.kept(query)


def test_instances_that_are_not_told_are_not_looked_up(world: World) -> None:
    uid, nowhere = world.report.StudyInstanceUID, Addresses("", "")
    for with_instances in (True, False):
        noting = _Noting(world.archive)
        studies = ImagingStudies(noting, with_instances)  # type: ignore[arg-type]
        assert studies.read(uid, nowhere).resource_id == uid
        assert (Level.INSTANCE in noting.levels) == with_instances


@pytest.mark.parametrize("query", ["_elements=description", "_summary=text", "_summary=true"])
def test_a_subset_of_a_study_is_the_same_as_of_the_whole(world: World, query: str) -> None:
    study = read(world, {"resourceType": "ImagingStudy", "id": world.report.StudyInstanceUID}, "")
    part = read(world, study, query)
    for name in set(part) - {"meta", "series"}:
        assert part[name] == study[name]


@pytest.mark.xdist_group("validators")
@pytest.mark.parametrize("query", ["_summary=true", "_summary=text", "_summary=data", "_elements=id"])
def test_subsets_are_valid(world: World, validators: Validators, query: str) -> None:
    for resource_type in PARAMETERS:
        found = entries(world.client.get(f"/fhir/{resource_type}?{query}&_count=5").json())
        assert found
        # A part of a document may lack the identifier that the whole must have.
        faults = [fault for fault in validators.faults(found) if ": Constraint bdl-9 " not in fault]
        assert faults == []


def read(world: World, resource: dict[str, Any], query: str) -> dict[str, Any]:
    answer = world.client.get(f"/fhir/{resource['resourceType']}/{resource['id']}?{query}")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told
