"""Searching and reading what reports became."""

from typing import Any

import pytest

from fhir_api.answers import Addresses
from fhir_api.conditions import Condition, Token
from fhir_api.kept_resources import KeptResources
from fhir_api.search_table import parameter_of
from fhir_api.store import Origin, ResourceStore
from tests.fhir_api.client import BASE, link
from tests.fhir_api.conftest import World

SCT = "http://snomed.info/sct"
LONG_AXIS = "103339001"


@pytest.fixture
def everything(world: World) -> set[str]:
    return {one["id"] for one in world.resources("Observation")}


def test_all_of_a_patient_is_found_by_each_form_of_reference(world: World, everything: set[str]) -> None:
    patient = world.patient(world.report)
    number = patient["identifier"][0]
    assert len(everything) >= 10
    for name, value in (
        ("patient", patient["id"]),
        ("patient", f"Patient/{patient['id']}"),
        ("subject", f"{BASE}/Patient/{patient['id']}"),
        ("patient.identifier", f"{number['system']}|{number['value']}"),
        ("patient:identifier", number["value"]),
    ):
        assert world.client.found("Observation", (name, value)) == everything, name
    other = world.patient(world.radiograph)
    assert world.client.found("Observation", patient=other["id"]) == set()


def test_all_of_a_study_is_found_by_each_form_of_reference(world: World, everything: set[str]) -> None:
    uid, accession = world.report.StudyInstanceUID, world.report.AccessionNumber
    for name, value in (
        ("part-of", uid),
        ("part-of", f"ImagingStudy/{uid}"),
        ("part-of", f"{BASE}/ImagingStudy/{uid}"),
        ("part-of:ImagingStudy", uid),
        ("part-of:identifier", f"urn:dicom:uid|urn:oid:{uid}"),
        ("part-of.identifier", uid),
        ("part-of:ImagingStudy.identifier", accession),
        ("based-on:identifier", accession),
        ("derived-from:ImagingStudy", uid),
    ):
        assert world.client.found("Observation", (name, value)) == everything, name


def test_all_of_a_report_is_found_by_its_uid(world: World, everything: set[str]) -> None:
    uid = world.report.SOPInstanceUID
    for name, value in (
        ("identifier", uid),
        ("identifier", f"urn:dicom:uid|urn:oid:{uid}"),
        ("identifier", f"urn:ietf:rfc:3986|urn:oid:{uid}"),
        ("derived-from", f"DocumentReference/{uid}"),
        ("derived-from", uid),
        ("derived-from:identifier", uid),
    ):
        assert world.client.found("Observation", (name, value)) == everything, name
    assert world.client.found("Observation", identifier=world.report.StudyInstanceUID) == set()


def test_what_was_measured_is_found_by_code_with_its_value(world: World) -> None:
    (entry,) = world.client.search("Observation", code=f"{SCT}|{LONG_AXIS}")["entry"]
    assert entry["resource"]["valueQuantity"]["code"] == "mm"
    assert entry["search"] == {"mode": "match"}
    assert world.client.get(entry["fullUrl"]).json() == entry["resource"]
    for none in (f"http://loinc.org|{LONG_AXIS}", f"|{LONG_AXIS}", LONG_AXIS[:-1]):
        assert world.client.found("Observation", code=none) == set()


def test_groups_are_found_by_their_members(world: World) -> None:
    groups = [one for one in world.resources("Observation") if "hasMember" in one]
    assert groups
    for group in groups:
        for member in group["hasMember"]:
            assert group["id"] in world.client.found("Observation", ("has-member", member["reference"]))
            assert world.client.get(f"/fhir/{member['reference']}").status_code == 200


def test_conditions_are_joined(world: World, everything: set[str]) -> None:
    (axis,) = world.client.found("Observation", code=LONG_AXIS)
    part = {"code": LONG_AXIS, "status": "final", "category": "imaging", "_id": f"{axis},nothing"}
    assert world.client.found("Observation", **part) == {axis}
    assert world.client.found("Observation", **part | {"status": "preliminary"}) == set()
    assert world.client.found("Observation", status="preliminary,final") == everything


def test_pages_follow_each_other_in_order(world: World) -> None:
    url: str | None = "/fhir/Observation?status=final&_count=3"
    ids: list[str] = []
    while url is not None:
        page = world.client.get(url).json()
        assert page["total"] == len(world.resources("Observation"))
        assert len(page["entry"]) <= 3
        ids += [entry["resource"]["id"] for entry in page["entry"]]
        url = link(page, "next")
    assert ids == [one["id"] for one in world.resources("Observation")]


def test_devices_are_found_by_identifier_and_type(store: ResourceStore) -> None:
    device: dict[str, Any] = {
        "resourceType": "Device",
        "id": "1",
        "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:2.999.1"}],
        "type": {"coding": [{"system": "http://example.org", "code": "algorithm"}]},
    }
    store.replace(Origin("2.999.2", "2.999.3", "f" * 64), [device])
    devices, here = KeptResources(store, "Device"), Addresses("", "")
    for name, token in (
        ("identifier", Token("urn:dicom:uid", "2.999.1")),
        ("type", Token(None, "algorithm")),
    ):
        parameter = parameter_of("Device", name)
        assert parameter is not None
        assert devices.ids([Condition(parameter, (token,))], 10, here) == ["1"]
        assert devices.ids([Condition(parameter, (Token("", token.value),))], 10, here) == []


def test_the_total_is_the_same_wherever_a_page_ends(world: World) -> None:
    total = len(world.resources("Observation"))
    for count, offset in (
        (total + 1, 0),
        (total, 0),
        (total - 1, 0),
        (2, total - 1),
        (2, total),
        (2, total + 9),
    ):
        bundle = world.client.search("Observation", _count=str(count), _offset=str(offset))
        assert bundle["total"] == total
        assert len(bundle.get("entry", [])) == max(0, min(count, total - offset))
        assert (link(bundle, "next") is not None) == (offset + count < total)
    assert world.client.search("Observation", code="http://example.org|nothing")["total"] == 0
