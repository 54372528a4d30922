"""Searching across persons, orders and provenance."""

import pytest

from testdata.participation import AUTHOR
from tests.fhir_api.conftest import World

HEADERS = {"Prefer": "handling=strict"}


@pytest.mark.parametrize("name", ["zanel", "ILARIA", "Ilària Zan", "zanella,nobody"])
def test_persons_are_found_by_the_beginnings_of_their_names(world: World, name: str) -> None:
    (entry,) = world.client.search("Practitioner", name=name)["entry"]
    assert entry["resource"]["name"][0]["text"] == "Ilària Zanella"


@pytest.mark.parametrize("name", ["anella", "%", "_anella", "zanella%", "\\%", "Zanella Ilària x"])
def test_only_the_beginnings(world: World, name: str) -> None:
    assert world.client.found("Practitioner", name=name) == set()


def test_names_are_joined_with_other_conditions(world: World) -> None:
    (known,) = world.client.found("Practitioner", family="bonomi")
    assert world.client.found("Practitioner", family="bonomi", identifier="0002", given="tea") == {known}
    assert world.client.found("Practitioner", family="bonomi", identifier="0003") == set()
    assert AUTHOR == "Bonòmi^Tèa"


def test_what_a_person_did_is_found_by_name(world: World) -> None:
    everything = {one["id"] for one in world.resources("Observation")}
    reports = {one["id"] for one in world.resources("DiagnosticReport")}
    assert world.client.found("Observation", ("performer.name", "zanella")) == everything
    assert world.client.found("Observation", ("performer.identifier", "izanella")) == everything
    assert world.client.found("Observation", ("performer.name", "bonomi")) == set()
    assert world.client.found("DiagnosticReport", ("results-interpreter.family", "zanella")) == reports
    documents = {world.report.SOPInstanceUID}
    assert world.client.found("DocumentReference", ("author:Practitioner.name", "bonomi")) == documents
    assert len(world.client.found("ServiceRequest", ("requester.name", "favero"))) == 2
    assert len(world.client.found("Provenance", ("agent:Practitioner.name", "zanella"))) == 1


def test_roles_come_with_their_persons(world: World) -> None:
    pairs = ("_revinclude", "PractitionerRole:practitioner"), ("name", "zanella")
    entries = world.client.search("Practitioner", *pairs)["entry"]
    roles = [one["resource"] for one in entries if one["search"]["mode"] == "include"]
    assert {role["resourceType"] for role in roles} == {"PractitionerRole"}
    assert any(code["text"] == "Radiologist" for role in roles for code in role.get("code", []))


def test_a_study_and_its_orders_are_found_by_the_same_number(world: World) -> None:
    (study,) = (one for one in world.resources("ImagingStudy") if one["id"] == world.report.StudyInstanceUID)
    identifier = study["basedOn"][0]["identifier"]
    token = f"{identifier['system']}|{identifier['value']}"
    orders = world.client.found("ServiceRequest", requisition=token)
    assert len(orders) == 2
    # The manifest of the study knows its number alone, and not that it is of two procedures.
    assert len(world.client.found("ServiceRequest", identifier=token) - orders) == 1
    assert world.client.found("ImagingStudy", ("basedon:identifier", token)) == {study["id"]}
    for order in orders:
        by_order = world.client.found("Observation", ("based-on", f"ServiceRequest/{order}"))
        assert by_order == world.client.found("Observation", ("based-on:identifier", token)) != set()
        assert by_order == world.client.found("Observation", ("based-on.identifier", token))


def test_what_comes_of_orders_comes_with_them(world: World) -> None:
    pairs = ("_revinclude", "DiagnosticReport:based-on"), ("code", "24627-2")
    entries = world.client.search("ServiceRequest", *pairs)["entry"]
    assert [one["resource"]["resourceType"] for one in entries] == ["ServiceRequest", "DiagnosticReport"]


@pytest.mark.parametrize(
    ("resource_type", "name", "value"),
    [
        ("ImagingStudy", "basedon.identifier", "PROVA0000001"),
        ("ImagingStudy", "_include", "ImagingStudy:basedon"),
        ("ServiceRequest", "_revinclude", "ImagingStudy:based-on"),
        ("PractitionerRole", "organization.identifier", "OP1"),
        ("Observation", "performer.nothing", "x"),
    ],
)
def test_references_by_number_alone_are_not_followed(
    world: World, resource_type: str, name: str, value: str
) -> None:
    answer = world.client.request("GET", f"/fhir/{resource_type}", params={name: value}, headers=HEADERS)
    assert answer.status_code == 400
    assert name.partition(".")[0] in answer.json()["issue"][0]["diagnostics"]
