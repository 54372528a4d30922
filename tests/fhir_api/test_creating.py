"""Observations that are posted become reports, and these the Observations that are answered."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from fhir_api.create_routes import MAX_BODY
from fhir_api.r4.xml_writer import to_xml
from fhir_api.reports import patient_identity
from fhir_api.router import router
from fhir_api.store import Origin, ResourceStore, prepare
from pacs.archive import Archive
from pacs.files import DiskFiles
from pacs.files.derived import DerivedFiles
from pacs.index import Index, migrate, sqlite_url
from sr.fhir_json import dumps, loads
from testdata.ct import ct_series
from testdata.dx import chest_xray
from testdata.posted import concept, imaging, left_lung, length, millimetres
from tests.fhir_api.client import BASE, Client
from tests.fhir_api.conftest import follow, put
from tests.validators import Validators

JSON = {"Content-Type": "application/fhir+json"}


@dataclass(frozen=True)
class Place:
    """An archive to write to."""

    index: Index
    archive: Archive
    store: ResourceStore
    client: Client
    image: Dataset
    other: Dataset
    folder: Path

    def post(self, resource: dict[str, Any], path: str = "/Observation", **headers: str) -> httpx.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        content = dumps(resource)
        return self.client.request("POST", f"/fhir{path}", content=content, headers=JSON | names)

    def created(self, resource: dict[str, Any]) -> dict[str, Any]:
        answer = self.post(resource)
        assert answer.status_code == 201, answer.text
        return loads(answer.content)

    def reports(self) -> list[Dataset]:
        """All that were written, as pydicom reads them."""
        found = self.archive.instances(self.image.StudyInstanceUID)
        files = [self.archive.open(one) for one in found if one.sop_class_uid.endswith(".88.33")]
        return [pydicom.dcmread(io.BytesIO(b"".join(file.chunks(0, file.size)))) for file in files]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("creating")
    index_url, fhir_url = sqlite_url(folder / "index.sqlite"), sqlite_url(folder / "fhir.sqlite")
    migrate(index_url)
    prepare(fhir_url)
    index, store = Index(index_url), ResourceStore(fhir_url)
    derived = DerivedFiles(folder / "derived")
    archive = Archive(DiskFiles(folder), derived, index, "DIAFANA", "/dicom-web", lambda: None)
    image, other = ct_series(slices=1, rows=32, columns=32)[0], chest_xray(rows=64, columns=64)
    for dataset in (image, other):
        put(archive, dataset)
    app = FastAPI()
    app.include_router(router(archive, store))
    yield Place(index, archive, store, Client(app), image, other, folder)
    store.close()
    index.close()


def fault(answer: httpx.Response) -> tuple[int, str]:
    (issue,) = answer.json()["issue"]
    return answer.status_code, issue["expression"][0]


def test_a_length_becomes_a_report_and_is_found_at_once(place: Place) -> None:
    identifier = [{"system": "http://ehr.example/measurements", "value": "one"}]
    answer = place.post(length(place.image, identifier=identifier, **left_lung()))
    assert answer.status_code == 201
    made = loads(answer.content)
    assert answer.headers["location"].startswith(f"{BASE}/Observation/{made['id']}/_history/")
    assert b"10.50" in answer.content
    assert made["status"] == "preliminary"
    assert made["bodySite"]["text"] == "Lung, Left"
    assert identifier[0] in made["identifier"]
    read = place.client.get(f"/fhir/Observation/{made['id']}")
    assert (read.content, read.headers["etag"]) == (answer.content, answer.headers["etag"])
    study = f"ImagingStudy/{place.image.StudyInstanceUID}"
    assert made["id"] in place.client.found("Observation", part_of=study)
    assert place.client.found("Observation", identifier="http://ehr.example/measurements|one") == {made["id"]}


def test_the_report_is_of_the_patient_and_study_of_the_archive(place: Place) -> None:
    place.created(length(place.image, valueQuantity=millimetres("4.25")))
    report = place.reports()[-1]
    for keyword in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "IssuerOfPatientID"):
        assert report[keyword].value == place.image[keyword].value
    for keyword in ("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber"):
        assert report[keyword].value == place.image[keyword].value
    assert (report.Modality, report.Manufacturer) == ("SR", "Diafana")
    assert (report.CompletionFlag, report.VerificationFlag) == ("COMPLETE", "UNVERIFIED")
    (evidence,) = report.CurrentRequestedProcedureEvidenceSequence
    (series,) = evidence.ReferencedSeriesSequence
    (image,) = series.ReferencedSOPSequence
    assert evidence.StudyInstanceUID == place.image.StudyInstanceUID
    assert series.SeriesInstanceUID == place.image.SeriesInstanceUID
    assert image.ReferencedSOPInstanceUID == place.image.SOPInstanceUID


def test_what_the_follower_makes_of_the_report_is_what_was_answered(place: Place) -> None:
    made = place.created(length(place.image, valueQuantity=millimetres("6.1")))
    follow(place.index, place.archive, place.store)
    read = place.client.get(f"/fhir/Observation/{made['id']}")
    assert read.headers["etag"] == 'W/"1"'
    assert loads(read.content) == made


def test_posting_the_same_again_makes_nothing(place: Place) -> None:
    resource = length(place.image, valueQuantity=millimetres("7.30"))
    made = place.created(resource)
    before = len(place.reports())
    again = place.post(resource)
    assert again.status_code == 200
    assert loads(again.content) == made
    assert len(place.reports()) == before


def test_the_same_posted_at_once_makes_one_report(place: Place) -> None:
    identifier = [{"system": "http://ehr.example/measurements", "value": "at once"}]
    resource = length(place.image, identifier=identifier, effectiveDateTime="2026-11-01")
    before = len(place.reports())
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(place.post, [resource] * 6))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(place.reports()) == before + 1


def test_what_was_deleted_can_be_posted_again(place: Place) -> None:
    resource = length(place.image, valueQuantity=millimetres("5.55"))
    made = place.created(resource)
    before = place.archive.instances(place.image.StudyInstanceUID)
    report = next(one for one in before if one.sop_instance_uid in made["derivedFrom"][1]["reference"])
    uids = report.study_instance_uid, report.series_instance_uid, report.sop_instance_uid
    assert place.archive.deletion.delete(*uids, requester="test") == 1
    assert place.created(resource)["id"] == made["id"]


def test_what_is_deleted_as_it_is_posted_is_not_kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = length(place.image, valueQuantity=millimetres("6.66"))
    replace = ResourceStore.replace

    def late(store: ResourceStore, origin: Origin, *made: Any) -> bool:
        """As if the report were deleted and its follower were done before what was made of it is kept."""
        stored = place.archive.instance_by_uid(origin.sop_instance_uid)
        uids = stored.study_instance_uid, stored.series_instance_uid, stored.sop_instance_uid
        place.archive.deletion.delete(*uids, requester="test")
        store.withdraw(stored.study_instance_uid, stored.sop_instance_uid)
        return replace(store, origin, *made)

    with monkeypatch.context() as racing:
        racing.setattr(ResourceStore, "replace", late)
        assert place.post(resource).status_code == 404
    assert place.client.found("Observation", value_quantity="6.66") == set()
    assert place.created(resource)["valueQuantity"]["value"] == Decimal("6.66")


def test_another_value_of_the_same_identifier_is_a_conflict(place: Place) -> None:
    identifier = [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3.77"}]
    place.created(length(place.image, identifier=identifier))
    before = len(place.reports())
    changed = length(place.image, identifier=identifier, valueQuantity=millimetres("99"))
    assert fault(place.post(changed)) == (409, "Observation.identifier")
    assert len(place.reports()) == before


def test_conditional_create(place: Place) -> None:
    identifier = [{"system": "http://ehr.example/conditional", "value": "1"}]
    resource = length(place.image, identifier=identifier)
    condition = "identifier=http://ehr.example/conditional|1"
    first = place.post(resource, If_None_Exist=condition)
    second = place.post(
        resource | {"valueQuantity": millimetres("1")}, If_None_Exist=f"Observation?{condition}"
    )
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.content == second.content
    for form in ("_summary=count", "_count=0", "_offset=1", "_elements=id"):
        again = place.post(resource, If_None_Exist=f"{condition}&{form}")
        assert (again.status_code, again.content) == (200, first.content)
    for several in ("category=imaging", "category=imaging&_count=1", "category=imaging&_summary=count"):
        assert place.post(resource, If_None_Exist=several).status_code == 412
    assert place.post(resource, If_None_Exist="colour=red").status_code == 400
    assert place.post(resource, If_None_Exist="_count=1").status_code == 400


def test_a_minimal_answer_has_no_body(place: Place) -> None:
    answer = place.post(length(place.image, valueQuantity=millimetres("3.3")), Prefer="return=minimal")
    assert (answer.status_code, answer.content) == (201, b"")
    assert place.client.get(answer.headers["location"].partition("/_history")[0]).status_code == 200


def group_of(place: Place) -> dict[str, Any]:
    """A nodule with a margin, a length and a text, as a transaction."""
    status = {"status": "final"}
    margin = length(
        place.image,
        code=concept("111037", "Margins", "http://dicom.nema.org/resources/ontology/DCM"),
        **status,
    )
    margin |= {"valueCodeableConcept": concept("129738005", "Spiculated")}
    text = {**margin, "code": concept("404684003", "Finding"), "valueString": "as before"}
    for one in (margin, text):
        del one["valueQuantity"], one["derivedFrom"]
    del text["valueCodeableConcept"]
    members = [margin, length(place.image, derivedFrom=None, **status), text]
    group = length(
        place.image,
        code=concept("125007", "Measurement Group", "http://dicom.nema.org/resources/ontology/DCM"),
        valueQuantity=None,
        valueCodeableConcept=concept("27925004", "Nodule"),
        performer=[{"display": "Ilària Zanella"}],
        hasMember=[{"reference": f"urn:uuid:{number}"} for number in range(3)],
        **status,
        **left_lung(),
    )
    entries = [*((f"urn:uuid:{number}", one) for number, one in enumerate(members)), ("urn:uuid:g", group)]
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": url, "resource": one, "request": {"method": "POST", "url": "Observation"}}
            for url, one in entries
        ],
    }


def test_a_group_with_its_members_becomes_one_report(place: Place, validators: Validators) -> None:
    before = len(place.reports())
    answer = place.post(group_of(place), "")
    assert answer.status_code == 200, answer.text
    assert len(place.reports()) == before + 1
    bundle = answer.json()
    assert bundle["type"] == "transaction-response"
    assert [entry["response"]["status"] for entry in bundle["entry"]] == ["201 Created"] * 4
    margin, measured, text, group = (entry["resource"] for entry in bundle["entry"])
    assert margin["valueCodeableConcept"]["text"] == "Spiculated"
    assert measured["valueQuantity"]["value"] == 10.5
    assert text["valueCodeableConcept"]["text"] == "as before"
    assert group["valueCodeableConcept"]["text"] == "Nodule"
    members = {f"Observation/{one['id']}" for one in (margin, measured, text)}
    assert {member["reference"] for member in group["hasMember"]} == members
    for one in (margin, measured, text, group):
        assert selected(one) == imaging(place.image)["extension"]
        assert one["status"] == "final"
        assert one["bodySite"]["text"] == "Lung, Left"
        (performer,) = one["performer"]
        assert performer["display"] == "Ilària Zanella"
        assert place.client.get(f"/fhir/{performer['reference']}").json()["name"][0]["family"]
    assert validators.faults([bundle, margin, measured, text, group]) == []
    again = place.post(group_of(place), "/").json()
    assert [entry["response"]["status"] for entry in again["entry"]] == ["200 OK"] * 4


def test_a_member_is_of_an_image_of_its_own(place: Place) -> None:
    bundle = group_of(place)
    whole, line = imaging(place.image, kind=""), imaging(place.image)
    bundle["entry"][3]["resource"]["derivedFrom"] = [whole]
    bundle["entry"][1]["resource"]["derivedFrom"] = [line]
    answer = place.post(bundle, "")
    assert answer.status_code == 200, answer.text
    margin, measured, text, group = (entry["resource"] for entry in answer.json()["entry"])
    assert selected(measured) == line["extension"]
    assert [selected(one) for one in (margin, text, group)] == [whole["extension"]] * 3


def test_a_region_is_of_the_group_or_of_its_members(place: Place) -> None:
    bundle = group_of(place)
    bundle["entry"][1]["resource"]["derivedFrom"] = [imaging(place.image)]
    before = len(place.reports())
    assert fault(place.post(bundle, "")) == (422, "Bundle.entry[1].resource.derivedFrom[0]")
    assert len(place.reports()) == before


def selected(observation: dict[str, Any]) -> Any:
    """The extension with the image and the region."""
    return observation["derivedFrom"][0]["extension"]


@pytest.mark.parametrize(
    ("entry", "members", "expression"),
    [
        (1, {"status": "preliminary"}, "Bundle.entry[1].resource.status"),
        (1, {"performer": [{"display": "Another"}]}, "Bundle.entry[1].resource.performer"),
        (1, {"subject": {"reference": "Patient/another"}}, "Bundle.entry[1].resource.subject"),
        (
            1,
            {"derivedFrom": [{"reference": "ImagingStudy/1.2.3"}]},
            "Bundle.entry[1].resource.derivedFrom[0]",
        ),
        (0, {"method": concept("1", "by eye")}, "Bundle.entry[0].resource.method"),
        (0, {"hasMember": [{"reference": "urn:uuid:1"}]}, "Bundle.entry"),
        (3, {"valueCodeableConcept": None, "valueString": "mass"}, "Bundle.entry[3].resource.value"),
        (3, {"subject": {"reference": "Patient/another"}}, "Bundle.entry[3].resource.subject"),
    ],
)
def test_a_group_and_its_members_must_agree(
    place: Place, entry: int, members: dict[str, Any], expression: str
) -> None:
    bundle = group_of(place)
    resource = bundle["entry"][entry]["resource"] | members
    bundle["entry"][entry]["resource"] = {name: told for name, told in resource.items() if told is not None}
    before = len(place.reports())
    assert fault(place.post(bundle, "")) == (422, expression)
    assert len(place.reports()) == before


def test_a_batch_is_of_observations_that_stand_alone(place: Place) -> None:
    resources = [length(place.image, valueQuantity=millimetres("8.1")), length(place.image, code=None)]
    request = {"method": "POST", "url": "Observation"}
    entries = [{"resource": resource, "request": request} for resource in resources]
    answer = place.post({"resourceType": "Bundle", "type": "batch", "entry": entries}, "").json()
    made, refused = answer["entry"]
    assert made["response"]["status"] == "201 Created"
    assert made["resource"]["valueQuantity"]["value"] == 8.1
    assert refused["response"]["status"] == "422 Unprocessable Entity"
    (issue,) = refused["response"]["outcome"]["issue"]
    assert issue["expression"] == ["Bundle.entry[1].resource.code"]


def test_an_entry_of_a_batch_that_asks_for_something_is_told_what_is_taken(place: Place) -> None:
    entries = [
        {"request": {"method": "GET", "url": "Patient"}},
        {"request": {"method": "POST", "url": "Observation"}},
    ]
    answer = place.post({"resourceType": "Bundle", "type": "batch", "entry": entries}, "").json()
    asked, empty = (entry["response"] for entry in answer["entry"])
    assert asked["status"] == "422 Unprocessable Entity"
    assert "method POST, url Observation" in asked["outcome"]["issue"][0]["diagnostics"]
    assert (empty["status"], empty["outcome"]["issue"][0]["expression"]) == (
        "400 Bad Request",
        ["Bundle.entry[1]"],
    )


def test_transactions_that_are_no_single_report_are_refused(place: Place) -> None:
    bundle = group_of(place)
    two = {**bundle, "entry": bundle["entry"][:2]}
    assert fault(place.post(two, "")) == (422, "Bundle.entry")
    lacking = {**bundle, "entry": bundle["entry"][1:]}
    assert fault(place.post(lacking, "")) == (422, "Bundle.entry[2].resource.hasMember")
    assert fault(place.post({**bundle, "type": "history"}, "")) == (400, "Bundle.type")
    assert fault(place.post({**bundle, "entry": []}, "")) == (422, "Bundle.entry")
    bundle["entry"][0]["request"] = {"method": "PUT", "url": "Observation/1"}
    assert fault(place.post(bundle, "")) == (422, "Bundle.entry[0].request")


@pytest.mark.parametrize(
    ("members", "status", "expression"),
    [
        ({"derivedFrom": None}, 422, "Observation.derivedFrom"),
        ({"derivedFrom": [{"reference": "ImagingStudy/1.2.3"}]}, 422, "Observation.derivedFrom[0]"),
        ({"derivedFrom": [{"reference": "Media/1"}]}, 422, "Observation.derivedFrom[0].reference"),
        ({"code": None}, 422, "Observation.code"),
        ({"code": concept("1", "x", "http://nobody.example")}, 422, "Observation.code.coding"),
        ({"valueQuantity": None}, 422, "Observation.value"),
        ({"valueQuantity": {"value": 1, "unit": "mm"}}, 422, "Observation.valueQuantity.code"),
        ({"valueQuantity": millimetres("1") | {"code": "metri"}}, 422, "Observation.valueQuantity.code"),
        ({"valueQuantity": millimetres("1.2345678901234567")}, 422, "Observation.valueQuantity.value"),
        ({"valueQuantity": millimetres("1") | {"value": "1"}}, 400, "Observation.valueQuantity.value"),
        ({"valueString": "two"}, 400, "Observation.valueString"),
        ({"status": "amended"}, 422, "Observation.status"),
        ({"status": "final"}, 422, "Observation.performer"),
        ({"subject": {"reference": "Patient/other"}}, 422, "Observation.subject"),
        ({"subject": {"display": "who?"}}, 422, "Observation.subject.reference"),
        ({"interpretation": [concept("1", "x")]}, 422, "Observation.interpretation"),
        ({"effectiveDateTime": "2026-02-30"}, 422, "Observation.effectiveDateTime"),
        ({"hasMember": [{"reference": "Observation/1"}]}, 422, "Observation.hasMember"),
        ({"note": "well"}, 400, "Observation.note"),
        ({"resourceType": "Patient"}, 400, "Observation.resourceType"),
    ],
)
def test_what_is_refused(place: Place, members: dict[str, Any], status: int, expression: str) -> None:
    before = len(place.reports())
    assert fault(place.post(length(place.image, **members))) == (status, expression)
    assert len(place.reports()) == before


def test_an_image_must_be_in_the_study_and_the_region_in_the_image(place: Place) -> None:
    stranger = imaging(place.other) | {"reference": f"ImagingStudy/{place.image.StudyInstanceUID}"}
    for wrong in (
        stranger,
        imaging(place.image, coordinates=("1", "1", "32.5", "1")),
        imaging(place.image, coordinates=("1", "1", "1e9999999", "1")),
        imaging(place.image, frame=2),
        imaging(place.image, kind="circle", coordinates=("1", "1")),
    ):
        status, expression = fault(place.post(length(place.image, derivedFrom=[wrong])))
        assert status == 422
        assert expression.startswith("Observation.derivedFrom[0]")


def test_the_patient_may_be_named_when_it_is_that_of_the_study(place: Place) -> None:
    identity = patient_identity(place.archive, place.image.StudyInstanceUID)
    made = place.created(
        length(place.image, subject={"reference": f"Patient/{identity}"}, note=[{"text": "n"}])
    )
    assert made["subject"] == {"reference": f"Patient/{identity}"}
    assert made["note"] == [{"text": "n"}]


def test_bodies_that_cannot_be_read(place: Place) -> None:
    def status(content: bytes, **headers: str) -> int:
        answer = place.client.request("POST", "/fhir/Observation", content=content, headers=JSON | headers)
        assert answer.json()["resourceType"] == "OperationOutcome"
        return answer.status_code

    assert status(b"Observation", **{"Content-Type": "text/plain"}) == 415
    assert status(b"<Observation/>", **{"Content-Type": "application/fhir+xml"}) == 400
    assert status(b"[]") == 400
    assert status(b"\xff") == 400
    assert status(b"[" * 100_000) == 400
    assert status(b'{"value": 1e99999999999999999999}') == 400
    assert status(b" " * (MAX_BODY + 1)) == 413


def test_one_may_be_posted_as_xml(place: Place) -> None:
    headers = {"Content-Type": "application/fhir+xml", "Accept": "application/fhir+xml"}
    content = to_xml(length(place.image, valueQuantity=millimetres("7.50")))
    made = place.client.request("POST", "/fhir/Observation", content=content, headers=headers)
    assert made.status_code == 201
    assert b'<value value="7.50"/>' in made.content


# What a client may put anywhere: every type of JSON, and texts that were seen to hurt.
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(
        ["", "1.2.3", "a\\b", "\ud800", "\x00", "^=", "#site", "http://snomed.info/sct", "polyline"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_that_is_posted_is_a_fault_of_the_server(place: Place, data: st.DataObject) -> None:
    resource = length(
        place.image,
        identifier=[{"system": "http://ehr.example/fuzz", "value": "1"}],
        performer=[{"display": "Someone"}],
        note=[{"text": "n"}],
        **left_lung(),
    )
    where: Any = resource
    while True:
        key = data.draw(st.sampled_from(sorted(where) if isinstance(where, dict) else range(len(where))))
        inner = where[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        where = inner
    where[key] = data.draw(JSON_VALUES)
    content = json.dumps(resource, default=float).encode()
    answer = place.client.request("POST", "/fhir/Observation", content=content, headers=JSON)
    assert answer.status_code < 500, answer.text
    assert answer.json()["resourceType"] in ("Observation", "OperationOutcome")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_bundle_is_a_fault_of_the_server(place: Place, data: st.DataObject) -> None:
    where: Any = group_of(place)
    bundle = where
    while True:
        key = data.draw(st.sampled_from(sorted(where) if isinstance(where, dict) else range(len(where))))
        inner = where[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        where = inner
    where[key] = data.draw(JSON_VALUES)
    content = json.dumps(bundle, default=float).encode()
    answer = place.client.request("POST", "/fhir", content=content, headers=JSON)
    assert answer.status_code < 500, answer.text
    assert answer.json()["resourceType"] in ("Bundle", "OperationOutcome")


def test_the_service_starts_without_the_writer_of_reports() -> None:
    code = "import sys, fhir_api.router; sys.exit('highdicom' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_created_observation_and_its_report_are_valid(place: Place, validators: Validators) -> None:
    made = place.created(length(place.image, valueQuantity=millimetres("2.75"), **left_lung()))
    assert validators.faults([made, length(place.image)]) == []
