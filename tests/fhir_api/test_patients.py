"""Searching and reading Patient, which is made from the index."""

import pytest

from tests.fhir_api.conftest import World

LETIZIA, COSME = "ZNBLTZ58X00X001A", "PSRCSM49X00X003C"


def numbers(world: World, *parameters: tuple[str, str]) -> set[str]:
    bundle = world.client.search("Patient", *parameters)
    return {entry["resource"]["identifier"][0]["value"] for entry in bundle.get("entry", [])}


@pytest.mark.parametrize("value", [COSME, f"urn:oid:2.999.39.1|{COSME}", f"nobody,{COSME}"])
def test_it_is_found_by_its_identifier(world: World, value: str) -> None:
    assert numbers(world, ("identifier", value)) == {COSME}


@pytest.mark.parametrize("value", [f"urn:oid:2.999.39.2|{COSME}", f"|{COSME}", "*", "PSR*"])
def test_another_identifier_or_issuer_finds_nobody(world: World, value: str) -> None:
    assert numbers(world, ("identifier", value)) == set()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("name", "zan", {LETIZIA}),
        ("name", "ZANÒBI", {LETIZIA}),
        ("name", "letizia", {LETIZIA}),
        ("name", "letizia zanobi", {LETIZIA}),
        ("name", "anobi", set()),
        ("name", "z,p", {LETIZIA, COSME}),
        ("family", "Pèsaro", {COSME}),
        ("family", "cosme", set()),
        ("given", "cosme", {COSME}),
        ("given", "pesaro", set()),
        ("given", "%", set()),
        ("name", "*", set()),
        ("birthdate", "1958", {LETIZIA}),
        ("birthdate", "lt1958-03-14", {COSME}),
    ],
)
def test_it_is_found_by_name_and_birth_date(world: World, name: str, value: str, expected: set[str]) -> None:
    assert numbers(world, (name, value)) == expected


def test_it_is_found_and_read_by_id(world: World) -> None:
    cosme, letizia = world.patient(world.radiograph), world.patient(world.report)
    assert numbers(world, ("_id", f"{cosme['id']},{letizia['id']}")) == {COSME, LETIZIA}
    assert numbers(world, ("_id", cosme["id"]), ("name", "zanobi")) == set()
    assert world.client.get(f"/fhir/Patient/{cosme['id']}").json() == cosme


def test_they_are_found_by_gender(world: World) -> None:
    man, woman = (world.patient(one)["id"] for one in (world.radiograph, world.report))
    system = "http://hl7.org/fhir/administrative-gender"
    assert world.client.found("Patient", gender="male") == {man}
    assert world.client.found("Patient", gender=f"{system}|female") == {woman}
    assert world.client.found("Patient", gender="male,female") == {man, woman}
    assert world.client.found("Patient", gender=f"{system}|") == {man, woman}
    assert world.client.found("Patient", gender="unknown") == set()
    assert world.client.found("Patient", gender="http://example.org|male") == set()
