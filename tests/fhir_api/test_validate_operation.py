"""The operation $validate: what is sent, or kept, and an outcome that says where what is wrong."""

from typing import Any

import httpx
import pytest

from fhir_api.r4.xml_writer import to_xml
from fhir_api.request_body import MAX_RESOURCE
from sr.fhir_json import dumps
from tests.fhir_api.conftest import World
from tests.validators import Validators

JSON = "application/fhir+json"
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "gender": "female",
    "birthDate": "1980-02-29",
}
BROKEN = PATIENT | {"gender": "f", "birthDate": "1981-02-29", "colour": "red"}
FAULTS = [
    ("structure", "Patient"),
    ("value", "Patient.birthDate"),
    ("code-invalid", "Patient.gender"),
]


def post(world: World, path: str, content: bytes, media_type: str = JSON) -> httpx.Response:
    return world.client.request("POST", path, content=content, headers={"Content-Type": media_type})


def told(answer: httpx.Response) -> list[tuple[str, str]]:
    """Code and place of each error."""
    assert answer.status_code == 200, answer.text
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    errors = [issue for issue in outcome["issue"] if issue["severity"] == "error"]
    assert all(issue["diagnostics"] for issue in outcome["issue"])
    if not errors:
        assert [issue["code"] for issue in outcome["issue"]] == ["informational"]
    return [(issue["code"], issue["expression"][0]) for issue in errors]


def parameters(resource: dict[str, Any] | None, **others: str) -> bytes:
    listed: list[dict[str, Any]] = [{"name": "resource", "resource": resource}] if resource else []
    types = {"mode": "valueCode", "profile": "valueUri"}
    listed += [{"name": name, types[name]: value} for name, value in others.items()]
    return dumps({"resourceType": "Parameters", "parameter": listed})


def test_what_is_sent_as_json_or_xml_bare_or_in_parameters(world: World) -> None:
    for resource, faults in ((PATIENT, []), (BROKEN, FAULTS)):
        assert told(post(world, "/fhir/Patient/$validate", dumps(resource))) == faults
        assert told(post(world, "/fhir/Patient/p/$validate", dumps(resource))) == faults
        assert told(post(world, "/fhir/Patient/$validate", parameters(resource))) == faults
    xml = to_xml(BROKEN).replace(b"</Patient>", b'<colour value="red"/></Patient>')
    for media_type in ("application/fhir+xml", "application/xml; charset=utf-8", "text/xml"):
        assert told(post(world, "/fhir/Patient/$validate", xml, media_type)) == FAULTS
        assert told(post(world, "/fhir/Patient/$validate", to_xml(PATIENT), media_type)) == []


def test_any_type_of_r4_may_be_looked_at(world: World) -> None:
    goal = {"resourceType": "Goal", "lifecycleStatus": "active", "subject": {"reference": "Patient/1"}}
    assert told(post(world, "/fhir/Goal/$validate", dumps(goal))) == [("required", "Goal")]
    assert post(world, "/fhir/Thing/$validate", b"{}").status_code == 404
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "a", "valueCode": " x"}]}
    assert told(post(world, "/fhir/Parameters/$validate", dumps(parameters))) == [
        ("value", "Parameters.parameter[0].value")
    ]


@pytest.mark.parametrize("resource_type", ["Patient", "ImagingStudy", "Observation", "Endpoint"])
def test_what_is_kept(world: World, resource_type: str) -> None:
    url = f"/fhir/{resource_type}/{world.resources(resource_type)[0]['id']}/$validate"
    assert told(world.client.get(url)) == []
    assert told(world.client.request("POST", url)) == []
    assert told(world.client.get(f"{url}?mode=delete")) == [("not-supported", resource_type)]
    assert world.client.get(f"/fhir/{resource_type}/none/$validate").status_code == 404


def test_modes(world: World) -> None:
    nameless = {name: value for name, value in PATIENT.items() if name != "id"}
    assert told(post(world, "/fhir/Patient/$validate?mode=create", dumps(nameless))) == []
    assert told(post(world, "/fhir/Patient/$validate", parameters(nameless, mode="update"))) == [
        ("required", "Patient.id")
    ]
    assert told(post(world, "/fhir/Patient/other/$validate", parameters(PATIENT, mode="update"))) == [
        ("value", "Patient.id")
    ]
    assert told(post(world, "/fhir/Patient/p/$validate", parameters(None, mode="delete"))) == [
        ("not-supported", "Patient")
    ]


def test_profiles(world: World) -> None:
    base = "http://hl7.org/fhir/StructureDefinition/Patient"
    for known in (base, f"{base}|4.0.1"):
        sent = parameters(PATIENT, mode="profile", profile=known)
        assert told(post(world, "/fhir/Patient/$validate", sent)) == []
    sent = parameters(BROKEN, profile="http://example.org/p")
    assert told(post(world, "/fhir/Patient/$validate", sent)) == [*FAULTS, ("not-supported", "Patient")]


@pytest.mark.parametrize(
    ("path", "content", "media_type", "status", "code"),
    [
        ("Patient/$validate", b"", JSON, 400, "required"),
        ("Patient/$validate", b"{", JSON, 400, "structure"),
        ("Patient/$validate", b"[]", JSON, 400, "structure"),
        ("Patient/$validate", b"\xff\xfe", JSON, 400, "structure"),
        ("Patient/$validate", b'{"a":1e99999999999999999999}', JSON, 400, "structure"),
        ("Patient/$validate", b'{"a":' + b"[" * 100_000, JSON, 400, "structure"),
        ("Patient/$validate", b"<a>", "application/fhir+xml", 400, "structure"),
        ("Patient/$validate", b"{}", "text/plain", 415, "not-supported"),
        ("Patient/$validate", b" " * (MAX_RESOURCE + 1), JSON, 413, "too-long"),
        ("Patient/$validate", parameters(None), JSON, 400, "required"),
        ("Patient/$validate", b'{"resourceType":"Parameters","parameter":3}', JSON, 400, "required"),
        ("Patient/$validate", parameters(PATIENT, mode="burn"), JSON, 400, "invalid"),
        ("Patient/$validate", parameters(PATIENT, mode="profile"), JSON, 400, "invalid"),
        ("Patient/$validate?mode=burn", dumps(PATIENT), JSON, 400, "invalid"),
        ("Patient/a_b/$validate", b"", JSON, 404, "not-found"),
    ],
)
def test_what_cannot_be_looked_at(
    world: World, path: str, content: bytes, media_type: str, status: int, code: str
) -> None:
    answer = post(world, f"/fhir/{path}", content, media_type)
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (status, code)


def test_a_resource_within_is_told_from_the_resource(world: World) -> None:
    values: list[dict[str, Any]] = [
        {"valueCode": "x"},
        {"resource": "x"},
        {"resource": ["x"]},
        {"resource": {}},
    ]
    for value in values:
        sent = {"resourceType": "Parameters", "parameter": [{"name": "resource", **value}]}
        assert told(post(world, "/fhir/Patient/$validate", dumps(sent))) == [("structure", "Patient")]


@pytest.mark.xdist_group("validators")
def test_the_outcome_is_valid_in_both_forms(world: World, validators: Validators) -> None:
    for resource in (PATIENT, BROKEN):
        answer = post(world, "/fhir/Patient/$validate", dumps(resource))
        assert validators.faults([answer.json()]) == []
        as_xml = post(world, "/fhir/Patient/$validate?_format=xml", dumps(resource))
        assert as_xml.content == to_xml(answer.json())


def test_it_is_told_in_the_capabilities(world: World) -> None:
    statement = world.client.get("/fhir/metadata").json()
    *others, binary = statement["rest"][0]["resource"]
    assert binary["type"] == "Binary"
    for listed in others:
        assert "Resource-validate" in [one["definition"].rpartition("/")[2] for one in listed["operation"]]
        assert "application/fhir+xml" in statement["format"]
