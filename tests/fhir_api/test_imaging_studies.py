"""Searching and reading ImagingStudy, which is made from the index."""

import pytest
from pydicom.uid import UID

from fhir_api.answers import Addresses
from fhir_api.conditions import Window
from fhir_api.imaging_studies import ImagingStudies
from pacs.archive import Archive
from sr.fhir_json import loads
from testdata.dx import chest_xray
from tests.fhir_api.client import BASE, link
from tests.fhir_api.conftest import World, put


@pytest.mark.parametrize(
    "form",
    [
        "urn:dicom:uid|urn:oid:{uid}",
        "urn:dicom:uid|{uid}",
        "urn:ietf:rfc:3986|urn:oid:{uid}",
        "urn:oid:{uid}",
        "{uid}",
        "PROVA0000001",
        "urn:oid:2.999.39.1.2|PROVA0000001",
        "2.999.1,{uid}",
        "{uid},PROVA0000001",
    ],
)
def test_it_is_found_by_each_form_of_its_identifiers(world: World, form: str) -> None:
    uid = world.report.StudyInstanceUID
    assert world.client.found("ImagingStudy", identifier=form.format(uid=uid)) == {uid}


@pytest.mark.parametrize(
    "value",
    ["2.999.1", "urn:oid:2.999.7|PROVA0000001", "|PROVA0000001", "urn:dicom:uid|PROVA0000001", "PROVA*"],
)
def test_another_identifier_or_another_issuer_finds_nothing(world: World, value: str) -> None:
    assert world.client.found("ImagingStudy", identifier=value) == set()


def test_a_system_alone_finds_all_that_have_one(world: World) -> None:
    assert len(world.client.found("ImagingStudy", identifier="urn:oid:2.999.39.1.2|")) == 2


def test_it_is_found_by_its_patient(world: World) -> None:
    patient, uid = world.patient(world.radiograph), world.radiograph.StudyInstanceUID
    number = patient["identifier"][0]
    for name, value in (
        ("patient", patient["id"]),
        ("patient", f"Patient/{patient['id']}"),
        ("patient", f"{BASE}/Patient/{patient['id']}"),
        ("subject:Patient", patient["id"]),
        ("patient.identifier", number["value"]),
        ("patient.identifier", f"{number['system']}|{number['value']}"),
        ("patient:identifier", f"{number['system']}|{number['value']}"),
        ("subject:Patient.identifier", number["value"]),
        ("patient.family", "pesaro"),
    ):
        assert world.client.found("ImagingStudy", (name, value)) == {uid}, name


@pytest.mark.parametrize("value", ["none", "Practitioner/1", "http://other.example/fhir/Patient/1"])
def test_a_patient_that_is_not_here_finds_nothing(world: World, value: str) -> None:
    assert world.client.found("ImagingStudy", patient=value) == set()


def test_a_chain_to_nobody_finds_nothing(world: World) -> None:
    assert world.client.found("ImagingStudy", ("patient.identifier", "nobody")) == set()


def test_values_parted_by_commas_are_alternatives_and_repeated_parameters_all_hold(world: World) -> None:
    client, both = world.client, {world.report.StudyInstanceUID, world.radiograph.StudyInstanceUID}
    first, second = (world.patient(study)["id"] for study in (world.report, world.radiograph))
    assert client.found("ImagingStudy", patient=f"{first},{second}") == both
    assert client.found("ImagingStudy", ("patient", first), ("patient", second)) == set()
    assert client.found("ImagingStudy", modality="DX,CT,SR") == both
    assert client.found("ImagingStudy", modality="CT", patient=first) == {world.report.StudyInstanceUID}
    assert client.found("ImagingStudy", modality="CT", patient=second) == set()


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("2026", 2),
        ("2026-10", 1),
        ("2026-10-12", 1),
        ("ge2026-10-12", 2),
        ("gt2026-10-12", 1),
        ("sa2026-10", 1),
        ("lt2026-10-12", 0),
        ("eb2026-11-03", 1),
        ("le2026-10", 1),
        ("ne2026-10-12", 1),
        ("2026-10-12,2026-11-03", 2),
        ("2025", 0),
    ],
)
def test_it_is_found_by_the_day_it_started(world: World, value: str, number: int) -> None:
    assert len(world.client.found("ImagingStudy", started=value)) == number


@pytest.mark.parametrize(
    ("asked", "is_found"),
    [("{number}", True), ("{issuer}|{number}", True), ("urn:oid:1.2.3|{number}", False), ("none", False)],
)
def test_it_is_found_by_its_order(world: World, asked: str, is_found: bool) -> None:
    issuer = f"urn:oid:{world.report.IssuerOfAccessionNumberSequence[0].UniversalEntityID}"
    value = asked.format(number=world.report.AccessionNumber, issuer=issuer)
    expected = {world.report.StudyInstanceUID} if is_found else set()
    assert world.client.found("ImagingStudy", ("based-on:identifier", value)) == expected
    assert (
        world.client.found("ImagingStudy", basedon=f"ServiceRequest/{world.report.AccessionNumber}") == set()
    )


def test_two_dates_make_a_range(world: World) -> None:
    between = ("started", "ge2026-10-01"), ("started", "lt2026-11-01")
    assert world.client.found("ImagingStudy", *between) == {world.report.StudyInstanceUID}


@pytest.mark.parametrize(
    "value", ["yesterday", "2026-13", "2026-02-30", "2026-10-12T09:15:00Z", "ap2026", "9999"]
)
def test_a_date_that_cannot_be_told_is_refused_by_name(world: World, value: str) -> None:
    answer = world.client.request("GET", "/fhir/ImagingStudy", params={"started": value})
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["location"] == ["http.started"]


def test_it_is_found_by_modality_with_its_system(world: World) -> None:
    dcm = "http://dicom.nema.org/resources/ontology/DCM"
    assert world.client.found("ImagingStudy", modality=f"{dcm}|DX") == {world.radiograph.StudyInstanceUID}
    assert world.client.found("ImagingStudy", modality="|DX") == set()
    assert len(world.client.found("ImagingStudy", modality=f"{dcm}|")) == 2


def test_a_large_study_is_found_without_its_instances_and_read_with_them(world: World) -> None:
    uid = world.report.StudyInstanceUID
    (entry,) = world.client.search("ImagingStudy", _id=uid)["entry"]
    found = entry["resource"]
    assert found["numberOfInstances"] == 26
    assert [tag["code"] for tag in found["meta"]["tag"]] == ["SUBSETTED"]
    assert all("instance" not in series for series in found["series"])
    read = world.client.get(f"/fhir/ImagingStudy/{uid}").json()
    assert read["meta"] == {"lastUpdated": found["meta"]["lastUpdated"]}
    numbers = {series["modality"]["code"]: len(series["instance"]) for series in read["series"]}
    assert numbers == {"CT": 24, "SR": 1, "KO": 1}


def test_a_small_study_is_found_whole(world: World) -> None:
    (entry,) = world.client.search("ImagingStudy", modality="DX")["entry"]
    (series,) = entry["resource"]["series"]
    assert [instance["uid"] for instance in series["instance"]] == [world.radiograph.SOPInstanceUID]
    assert entry["resource"] == world.client.get(entry["fullUrl"]).json()


def test_its_references_can_be_read(world: World) -> None:
    study = world.client.get(f"/fhir/ImagingStudy/{world.report.StudyInstanceUID}").json()
    for reference in (study["subject"], *study["endpoint"]):
        answer = world.client.get(f"/fhir/{reference['reference']}")
        assert answer.status_code == 200
        assert f"{answer.json()['resourceType']}/{answer.json()['id']}" == reference["reference"]
    assert answer.json()["address"] == "http://archive.example/dicom-web"


def test_pages_follow_each_other_and_each_study_comes_once(world: World) -> None:
    for parameters in (
        {},
        {"modality": "DX,CT"},
        {"patient.birthdate": "ge1900"},
        {"started": "2026-10,2026-11"},
    ):
        first = world.client.request("GET", "/fhir/ImagingStudy", params={**parameters, "_count": "1"}).json()
        following = link(first, "next")
        assert following is not None
        second = world.client.get(following).json()
        assert link(second, "next") is None
        assert first["total"] == second["total"] == 2
        ids = [page["entry"][0]["resource"]["id"] for page in (first, second)]
        assert set(ids) == {world.report.StudyInstanceUID, world.radiograph.StudyInstanceUID}


def test_too_many_alternatives_are_refused(world: World) -> None:
    many = ",".join(f"p{number}" for number in range(17))
    answer = world.client.request("GET", "/fhir/ImagingStudy", params=[("patient", many), ("subject", many)])
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["code"] == "too-costly"


def test_studies_with_one_series_uid_keep_their_own_instances(archive: Archive) -> None:
    first, second = chest_xray(rows=32, columns=32), chest_xray(rows=32, columns=32)
    second.StudyInstanceUID, second.SOPInstanceUID = UID("2.999.1"), UID("2.999.2")
    second.file_meta.MediaStorageSOPInstanceUID = second.SOPInstanceUID
    for dataset in (first, second):
        put(archive, dataset)
    page = ImagingStudies(archive).page([], Window(0, 10), Addresses("", ""))
    told = {answer.resource_id: loads(answer.content)["series"] for answer in page.answers}
    assert {uid: [one["uid"] for one in series[0]["instance"]] for uid, series in told.items()} == {
        first.StudyInstanceUID: [first.SOPInstanceUID],
        "2.999.1": ["2.999.2"],
    }


def test_it_is_found_by_what_it_holds(world: World) -> None:
    ct, radiograph = world.ct[0].StudyInstanceUID, world.radiograph.StudyInstanceUID
    slices, picture = world.ct[0], world.radiograph
    for name, values, found in (
        ("series", slices.SeriesInstanceUID, {ct}),
        ("series", f"urn:oid:{picture.SeriesInstanceUID}", {radiograph}),
        ("series", f"{slices.SeriesInstanceUID},{picture.SeriesInstanceUID}", {ct, radiograph}),
        ("series", slices.SOPInstanceUID, set()),
        ("series", "none", set()),
        ("instance", world.ct[5].SOPInstanceUID, {ct}),
        ("instance", f"urn:dicom:uid|urn:oid:{picture.SOPInstanceUID}", {radiograph}),
        ("bodysite", "http://snomed.info/sct|51185008", {ct, radiograph}),
        ("body-site", "http://snomed.info/sct|", {ct, radiograph}),
        ("body-site", "http://example.org|51185008", set()),
        ("body-site", "69536005", set()),
    ):
        assert world.client.found("ImagingStudy", (name, values)) == found, (name, values)
    both = ("series", slices.SeriesInstanceUID), ("instance", picture.SOPInstanceUID)
    assert world.client.found("ImagingStudy", *both) == set()
    assert world.client.found("ImagingStudy", *both[:1], ("bodysite", "51185008"), modality="CT") == {ct}
