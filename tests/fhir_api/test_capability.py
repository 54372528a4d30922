"""The CapabilityStatement tells the truth: every parameter that it lists works."""

from collections.abc import Callable
from typing import Any

import pytest
from pydicom import Dataset

from fhir_api.search_table import KEPT, PARAMETERS
from tests.fhir_api.client import BASE
from tests.fhir_api.conftest import World

Sample = str | Callable[[World], str]

# What nothing here claims to be, or bears
TAG, PROFILE = "http://example.org|tag", "http://example.org/StructureDefinition/none"
COMMON: dict[str, Sample] = {"_tag": TAG, "_profile": PROFILE, "_lastUpdated": "gt2026-01-01"}

# By resource type and parameter: a value that finds something, made without the code under test.
SAMPLES: dict[str, dict[str, Sample]] = {
    "Patient": {
        "_id": lambda w: w.patient(w.radiograph)["id"],
        "identifier": lambda w: f"urn:oid:2.999.39.1|{w.radiograph.PatientID}",
        "name": "cosme",
        "family": "Pèsaro",
        "given": "Cos",
        "birthdate": "1949-06-27",
        "gender": "http://hl7.org/fhir/administrative-gender|male",
        **COMMON,
    },
    "ImagingStudy": {
        "_id": lambda w: w.radiograph.StudyInstanceUID,
        "identifier": lambda w: f"urn:dicom:uid|urn:oid:{w.radiograph.StudyInstanceUID}",
        "patient": lambda w: w.patient(w.radiograph)["id"],
        "subject": lambda w: f"Patient/{w.patient(w.radiograph)['id']}",
        "started": "2026-11-03",
        "modality": "DX",
        "dicom-class": lambda w: f"urn:ietf:rfc:3986|urn:oid:{w.radiograph.SOPClassUID}",
        "endpoint": lambda w: f"Endpoint/{w.resources('Endpoint')[0]['id']}",
        "series": lambda w: w.radiograph.SeriesInstanceUID,
        "instance": lambda w: f"urn:oid:{w.radiograph.SOPInstanceUID}",
        "bodysite": "http://snomed.info/sct|51185008",
        "body-site": "51185008",
        "basedon:identifier": lambda w: w.radiograph.AccessionNumber,
        "based-on:identifier": lambda w: f"{_issuer(w.radiograph)}|{w.radiograph.AccessionNumber}",
        "status": "http://hl7.org/fhir/imagingstudy-status|available",
        "referrer": lambda w: f"Practitioner/{_practitioner(w, 'Cantù')}",
        "interpreter.name": "sartor",
        "performer.name": "russo",
        "reason": "http://snomed.info/sct|49727002",
        "encounter:identifier": "V0001",
        **COMMON,
    },
    "Observation": {
        "_id": lambda w: w.resources("Observation")[0]["id"],
        "identifier": lambda w: w.report.SOPInstanceUID,
        "patient": lambda w: w.patient(w.report)["id"],
        "subject": lambda w: f"Patient/{w.patient(w.report)['id']}",
        "code": "http://snomed.info/sct|118565006",
        "category": "imaging",
        "status": "final",
        "part-of": lambda w: f"ImagingStudy/{w.report.StudyInstanceUID}",
        "derived-from": lambda w: f"DocumentReference/{w.report.SOPInstanceUID}",
        "has-member": lambda w: _first(w, "Observation", "hasMember")[0]["reference"],
        "based-on:identifier": lambda w: w.report.AccessionNumber,
        "performer": lambda w: _first(w, "Observation", "performer")[0]["reference"],
        "encounter:identifier": "urn:oid:2.999.39.1.5|V0001",
        "device": lambda w: _first(w, "Observation", "device")["reference"],
        "date": "ge2020-01-01T00:00:00Z",
        "value-quantity": lambda w: _quantity(_first(w, "Observation", "valueQuantity")),
        "value-concept": lambda w: _coded(_first(w, "Observation", "valueCodeableConcept")),
        "value-string": lambda w: _first(w, "Observation", "valueCodeableConcept")["text"],
        "value-date": "2026",
        "component-code": lambda w: _coded(_first(w, "Observation", "component")[0]["code"]),
        "component-value-quantity": "3||mm",
        "component-value-concept": lambda w: _coded(_component(w)["valueCodeableConcept"]),
        "combo-code": lambda w: _coded(_first(w, "Observation", "component")[0]["code"]),
        "combo-value-quantity": lambda w: _quantity(_first(w, "Observation", "valueQuantity")),
        "combo-value-concept": lambda w: _coded(_component(w)["valueCodeableConcept"]),
        "code-value-quantity": lambda w: _pair(_measured(w)),
        "code-value-concept": lambda w: _pair(_concluded(w)),
        "code-value-string": "121071$x",
        "code-value-date": "121071$2026",
        "component-code-value-quantity": "121071$3||mm",
        "component-code-value-concept": lambda w: _pair(_component(w)),
        "combo-code-value-quantity": lambda w: _pair(_measured(w)),
        "combo-code-value-concept": lambda w: _pair(_component(w)),
        "_tag": "urn:x-dicom:flag:CompletionFlag|COMPLETE",
        "_profile": PROFILE,
        "_lastUpdated": "gt2026-01-01",
    },
    "DiagnosticReport": {
        "_id": lambda w: w.resources("DiagnosticReport")[0]["id"],
        "identifier": lambda w: f"urn:dicom:uid|urn:oid:{w.report.SOPInstanceUID}",
        "patient": lambda w: w.patient(w.report)["id"],
        "subject": lambda w: w.patient(w.report)["id"],
        "code": "126000",
        "category": "http://terminology.hl7.org/CodeSystem/v2-0074|IMG",
        "status": "final",
        "result": lambda w: _first(w, "DiagnosticReport", "result")[0]["reference"],
        "based-on:identifier": lambda w: w.report.AccessionNumber,
        "performer": lambda w: _first(w, "DiagnosticReport", "performer")[0]["reference"],
        "results-interpreter": lambda w: _first(w, "DiagnosticReport", "resultsInterpreter")[0]["reference"],
        "encounter:identifier": "V0001",
        "date": "2026",
        "issued": "2026",
        "_tag": "urn:x-dicom:flag:CompletionFlag|COMPLETE",
        "_profile": PROFILE,
        "_lastUpdated": "gt2026-01-01",
    },
    "DocumentReference": {
        "_id": lambda w: w.report.SOPInstanceUID,
        "identifier": lambda w: f"urn:dicom:uid|{w.report.SOPInstanceUID}",
        "patient": lambda w: w.patient(w.report)["id"],
        "subject": lambda w: w.patient(w.report)["id"],
        "type": "126000",
        "status": "current",
        "related": lambda w: f"ImagingStudy/{w.report.StudyInstanceUID}",
        "author": lambda w: _first(w, "DocumentReference", "author")[0]["reference"],
        "authenticator": lambda w: _first(w, "DocumentReference", "authenticator")["reference"],
        "encounter:identifier": "V0001",
        "relatesto": lambda w: f"DocumentReference/{w.manifest.SOPInstanceUID}",
        "relation": "http://hl7.org/fhir/document-relationship-type|transforms",
        "relationship": lambda w: f"DocumentReference/{w.manifest.SOPInstanceUID}$transforms",
        "date": "2026",
        "study-instance-uid": lambda w: f"urn:dicom:uid|urn:oid:{w.manifest.StudyInstanceUID}",
        "accession-number": lambda w: w.report.AccessionNumber,
        "modality": "http://dicom.nema.org/resources/ontology/DCM|CT",
        "anatomical-region": "http://snomed.info/sct|51185008",
        "_tag": "urn:x-dicom:flag:CompletionFlag|COMPLETE",
        "_profile": PROFILE,
        "_lastUpdated": "gt2026-01-01",
    },
    "Bundle": {
        "_id": lambda w: w.resources("Bundle")[0]["id"],
        "identifier": lambda w: f"urn:dicom:uid|{w.manifest.SOPInstanceUID}",
        "type": "document",
        "timestamp": "2026",
        **COMMON,
    },
    "BodyStructure": {
        "_id": lambda w: w.resources("BodyStructure")[0]["id"],
        "identifier": "Nodulo 1",
        "patient": lambda w: w.patient(w.report)["id"],
        "location": "http://snomed.info/sct|45653009",
        **COMMON,
    },
    "Device": {
        "_id": lambda w: w.resources("Device")[0]["id"],
        "identifier": "urn:dicom:uid|2.999.1",
        "type": "http://example.org|algorithm",
        **COMMON,
    },
    "Practitioner": {
        "_id": lambda w: w.resources("Practitioner")[0]["id"],
        "identifier": "0002",
        "name": "bonomi",
        "family": "Bonò",
        "given": "TEA",
        **COMMON,
    },
    "PractitionerRole": {
        "_id": lambda w: w.resources("PractitionerRole")[0]["id"],
        "practitioner": lambda w: _first(w, "PractitionerRole", "practitioner")["reference"],
        "role": "http://snomed.info/sct|66862007",
        "organization:identifier": "OP1",
        **COMMON,
    },
    "ServiceRequest": {
        "_id": lambda w: w.resources("ServiceRequest")[0]["id"],
        "identifier": lambda w: f"{_issuer(w.report)}|{w.report.AccessionNumber}",
        "requisition": lambda w: w.report.AccessionNumber,
        "patient": lambda w: w.patient(w.report)["id"],
        "subject": lambda w: f"Patient/{w.patient(w.report)['id']}",
        "code": "http://loinc.org|24627-2",
        "status": "http://hl7.org/fhir/request-status|unknown",
        "intent": "order",
        "requester": lambda w: _first(w, "ServiceRequest", "requester")["reference"],
        **COMMON,
    },
    "Provenance": {
        "_id": lambda w: w.resources("Provenance")[0]["id"],
        "target": lambda w: f"DiagnosticReport/{w.resources('DiagnosticReport')[0]['id']}",
        "agent": lambda w: _first(w, "DiagnosticReport", "resultsInterpreter")[0]["reference"],
        "agent-type": "verifier",
        "entity": lambda w: f"DocumentReference/{w.report.SOPInstanceUID}",
        "recorded": "2026",
        "when": "2026-10-12",
        **COMMON,
    },
    "Endpoint": {
        "_id": lambda w: w.resources("Endpoint")[0]["id"],
        "status": "active",
        "connection-type": "dicom-wado-rs",
        "identifier": "urn:dicom:uid|2.999.1",
        "_tag": TAG,
        "_profile": PROFILE,
    },
    "Subscription": {
        "_id": lambda w: w.resources("Subscription")[0]["id"],
        "contact": "phone|ext 4123",
        "criteria": "Observation",
        "payload": "application/fhir+json",
        "status": "http://hl7.org/fhir/subscription-status|requested",
        "type": "rest-hook",
        "url": "https://ehr.example.org/hooks/a",
    },
}

# By type of parameter: a value that finds nothing.
NOTHING = {
    "token": "http://example.org|nothing",
    "reference": "none",
    "string": "zzz",
    "date": "1900",
    "quantity": "lt-1e9",
    "uri": "https://ehr.example.org/hooks/",
    "composite": "http://example.org|nothing$2000",
}
# Listed, and yet nothing of this archive says it: test_kept_resources, test_spans, test_composites
UNSAID = {
    *(("Observation", name) for name in ("value-date", "code-value-string", "code-value-date")),
    *(("Observation", name) for name in ("component-value-quantity", "component-code-value-quantity")),
    *(("Device", name) for name in ("identifier", "type")),
    ("Endpoint", "identifier"),
}

LISTED = [(kind, parameter.name) for kind, listed in PARAMETERS.items() for parameter in listed]


def _plain(asked: str) -> str:
    """A parameter without modifier and chain."""
    return asked.partition(":")[0].partition(".")[0]


def _component(world: World) -> Any:
    components = (c for one in world.resources("Observation") for c in one.get("component", []))
    return next(component for component in components if "valueCodeableConcept" in component)


def _measured(world: World) -> Any:
    return next(one for one in world.resources("Observation") if "valueQuantity" in one)


def _concluded(world: World) -> Any:
    return next(one for one in world.resources("Observation") if "valueCodeableConcept" in one)


def _practitioner(world: World, family: str) -> Any:
    return world.client.search("Practitioner", family=family)["entry"][0]["resource"]["id"]


def _pair(said: dict[str, Any]) -> str:
    """Code and value of an Observation, or of a component."""
    value = said.get("valueQuantity")
    told = _quantity(value) if value else _coded(said["valueCodeableConcept"])
    return f"{_coded(said['code'])}${told}"


def _coded(concept: dict[str, Any]) -> str:
    return f"{concept['coding'][0]['system']}|{concept['coding'][0]['code']}"


def _issuer(study: Dataset) -> str:
    return f"urn:oid:{study.IssuerOfAccessionNumberSequence[0].UniversalEntityID}"


def _quantity(quantity: dict[str, Any]) -> str:
    return f"{quantity['value']}|{quantity['system']}|{quantity['code']}"


def _first(world: World, resource_type: str, member: str) -> Any:
    return next(one[member] for one in world.resources(resource_type) if member in one)


@pytest.fixture
def statement(world: World) -> dict[str, Any]:
    answer = world.client.get("/fhir/metadata")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/fhir+json"
    told: dict[str, Any] = answer.json()
    return told


def test_it_tells_version_format_and_address(statement: dict[str, Any]) -> None:
    assert statement["resourceType"] == "CapabilityStatement"
    assert statement["fhirVersion"] == "4.0.1"
    assert "application/fhir+json" in statement["format"]
    assert statement["implementation"]["url"] == BASE


def test_every_listed_interaction_works(world: World, statement: dict[str, Any]) -> None:
    *others, binary = statement["rest"][0]["resource"]
    assert (binary["type"], binary["interaction"]) == ("Binary", [{"code": "read"}])
    assert world.client.get(f"/fhir/Binary/{world.report.SOPInstanceUID}").status_code == 200
    for listed in others:
        codes = {interaction["code"] for interaction in listed["interaction"]}
        versions = {"vread", "history-instance", "history-type"} if listed["type"] in KEPT else set()
        # How these are written: subscriptions/test_routes, test_creating
        written = {"Subscription": {"create", "update", "delete"}, "Observation": {"create"}}
        assert codes == {"read", "search-type"} | versions | written.get(listed["type"], set())
        assert listed["conditionalCreate"] == (listed["type"] == "Observation")
        first = world.resources(listed["type"])[0]
        name = f"{listed['type']}/{first['id']}"
        paths = [
            name,
            *((f"{name}/_history/1", f"{name}/_history", f"{listed['type']}/_history") if versions else ()),
        ]
        assert [world.client.get(f"/fhir/{path}").status_code for path in paths] == [200] * len(paths)
        posted = world.client.request("POST", f"/fhir/{listed['type']}/_search", data={"_id": first["id"]})
        assert posted.json()["total"] == 1


def test_every_listed_operation_works(world: World, statement: dict[str, Any]) -> None:
    listed = {one["type"]: one["operation"] for one in statement["rest"][0]["resource"] if "operation" in one}
    further = [(kind, one["name"]) for kind, of_kind in listed.items() for one in of_kind[1:]]
    assert further == [("Patient", "everything")]  # $validate: test_validate_operation; $export: bulk
    patient = world.patient(world.report)["id"]
    assert world.client.get(f"/fhir/Patient/{patient}/$everything").status_code == 200


def test_versions_are_told_where_they_are_promised(world: World, statement: dict[str, Any]) -> None:
    for listed in statement["rest"][0]["resource"][:-1]:
        first = world.resources(listed["type"])[0]
        is_versioned = "versionId" in first.get("meta", {})
        is_kept = listed["type"] in KEPT
        assert is_versioned == (listed["versioning"] == "versioned")
        assert is_versioned == (is_kept or listed["type"] == "Subscription")
        assert listed["readHistory"] == is_kept


def test_every_parameter_of_the_table_is_listed(statement: dict[str, Any]) -> None:
    listed = [
        (one["type"], p["name"])
        for one in statement["rest"][0]["resource"]
        for p in one.get("searchParam", ())
    ]
    assert listed == LISTED
    samples = {kind: [_plain(name) for name in named] for kind, named in SAMPLES.items()}
    assert {kind: [p.name for p in of_kind] for kind, of_kind in PARAMETERS.items()} == samples


@pytest.mark.parametrize(("resource_type", "name"), LISTED)
def test_every_listed_parameter_works(
    world: World, statement: dict[str, Any], resource_type: str, name: str
) -> None:
    listed = next(one for one in statement["rest"][0]["resource"] if one["type"] == resource_type)
    kind = next(one["type"] for one in listed["searchParam"] if one["name"] == name)
    asked, sample = next(pair for pair in SAMPLES[resource_type].items() if _plain(pair[0]) == name)
    options = {
        "params": {asked: sample if isinstance(sample, str) else sample(world)},
        "headers": {"Prefer": "handling=strict"},
    }
    answer = world.client.request("GET", f"/fhir/{resource_type}", **options)
    assert answer.status_code == 200, answer.text
    if (resource_type, name) in UNSAID or sample in (TAG, PROFILE):
        assert answer.json()["total"] == 0
    else:
        assert answer.json()["total"] > 0
    assert world.client.search(resource_type, (name, NOTHING[kind]))["total"] == 0
