"""Transactions for other servers: found by identifiers, complete in themselves, and the same each time."""

from typing import Any
from urllib.parse import quote

import pytest

from sr.coding_schemes import DCM
from sr.mapping import map_report
from sr.patient import patient
from sr.transaction import OWN_ID, names, transaction
from testdata.ct import ct_series
from testdata.measurement_report import measurement_report
from tests.sr.builders import IDENTITY

OF_OTHERS = ("Patient", "Practitioner", "PractitionerRole", "ServiceRequest")

STUDY = {
    "resourceType": "ImagingStudy",
    "id": "1.2.3",
    "identifier": [
        {
            "type": {"coding": [{"system": DCM, "code": "110180"}]},
            "system": "urn:dicom:uid",
            "value": "urn:oid:1.2.3",
        }
    ],
    "status": "available",
    "subject": {"reference": f"Patient/{IDENTITY}"},
    "endpoint": [{"reference": "Endpoint/here"}],
}


@pytest.fixture
def resources() -> list[dict[str, Any]]:
    report = measurement_report(ct_series(slices=3, rows=32, columns=32))
    who = patient(report.to_json_dict(), IDENTITY)
    return [who, STUDY, *map_report(report, IDENTITY).resources]


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [one for member in value.values() for one in references(member)]
    return [one for each in value for one in references(each)] if isinstance(value, list) else []


def test_every_resource_is_found_by_an_identifier_that_it_bears(resources: list[dict[str, Any]]) -> None:
    bundle = transaction(resources)
    kinds = [resource["resourceType"] for resource in resources]
    sent = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert {"Practitioner", "PractitionerRole", "ServiceRequest", "Provenance"} < set(kinds)
    assert sent == [kind for kind in kinds if kind != "Provenance"]
    for entry in bundle["entry"]:
        resource, request = entry["resource"], entry["request"]
        criterion = request.get("ifNoneExist") or request["url"].partition("?")[2]
        borne = {
            "identifier=" + quote(f"{one.get('system')}|{one['value']}", safe="")
            for one in resource["identifier"]
        }
        assert criterion in borne
        assert "id" not in resource
        is_known_better = resource["resourceType"] in OF_OTHERS
        assert request["method"] == ("POST" if is_known_better else "PUT")


def test_references_lead_to_entries_of_the_bundle_alone(resources: list[dict[str, Any]]) -> None:
    bundle = transaction(resources)
    urls = {entry["fullUrl"] for entry in bundle["entry"]}
    assert len(urls) == len(bundle["entry"])
    assert all(url.startswith("urn:uuid:") for url in urls)
    assert set(references(bundle)) <= urls
    (study,) = (e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "ImagingStudy")
    assert "endpoint" not in study
    groups = [e["resource"] for e in bundle["entry"] if e["resource"].get("hasMember")]
    assert groups
    assert all(references(group["hasMember"]) for group in groups)


def test_what_leads_out_of_the_bundle_stays_as_an_identifier() -> None:
    uid = {"system": "urn:dicom:uid", "value": "urn:oid:9.9"}
    observation = {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "partOf": [{"reference": "ImagingStudy/9.9", "identifier": uid}],
        "hasMember": [{"reference": "Observation/elsewhere"}],
    }
    (entry,) = transaction([observation])["entry"]
    assert entry["resource"]["partOf"] == [{"identifier": uid}]
    assert "hasMember" not in entry["resource"]


def test_the_same_resources_make_the_same_transaction(resources: list[dict[str, Any]]) -> None:
    assert transaction(resources) == transaction(resources)


def test_outdated_resources_are_removed() -> None:
    left = [("Observation", "a|b"), ("ImagingStudy", "1.2.3")]
    removed = [e["request"] for e in transaction([], left)["entry"]]
    assert removed == [
        {"method": "DELETE", "url": f"Observation?identifier={OWN_ID.replace(':', '%3A')}%7Ca%5C%7Cb"},
        {"method": "DELETE", "url": "ImagingStudy?identifier=urn%3Adicom%3Auid%7Curn%3Aoid%3A1.2.3"},
    ]


def test_what_others_may_refer_to_is_never_outdated(resources: list[dict[str, Any]]) -> None:
    kinds = {kind for kind, _ in names(resources)}
    assert {"ImagingStudy", "Observation", "DocumentReference"} <= kinds
    assert not kinds & {"Patient", "Device", "Practitioner"}


def test_a_patient_without_identifier_is_found_by_ours() -> None:
    (entry,) = transaction([{"resourceType": "Patient", "id": "p1"}])["entry"]
    assert entry["resource"]["identifier"] == [{"system": OWN_ID, "value": "p1"}]
    assert entry["request"]["ifNoneExist"] == f"identifier={OWN_ID.replace(':', '%3A')}%7Cp1"


def test_persons_and_orders_are_found_by_numbers_that_others_know_if_these_are_their_own() -> None:
    number = {"system": "urn:oid:1.2", "value": "A1"}
    criteria = [
        transaction([one])["entry"][0]["request"]["ifNoneExist"]
        for one in (
            {"resourceType": "Practitioner", "id": "p", "identifier": [{"value": "login"}, number]},
            {"resourceType": "Practitioner", "id": "p", "identifier": [{"value": "login"}]},
            {"resourceType": "ServiceRequest", "id": "o", "identifier": [number]},
            {"resourceType": "ServiceRequest", "id": "o", "identifier": [number], "requisition": number},
        )
    ]
    own = f"identifier={OWN_ID.replace(':', '%3A')}%7C"
    known = "identifier=urn%3Aoid%3A1.2%7CA1"
    assert criteria == [known, f"{own}p", known, f"{own}o"]
