"""Imaging manifests as FHIR documents (IHE RAD.MADO): each row of Table 4.3-1."""

from typing import Any

import pytest
from pydicom import Dataset

from sr.mapping import Mapped, map_report
from testdata.ct import ct_series
from testdata.enhanced_ct import enhanced_ct
from testdata.key_objects import key_objects
from testdata.manifest import LOCATION_UID, RETRIEVE_URL, VIEWER, manifest
from testdata.studies import CHEST_CT
from tests.sr.builders import IDENTITY
from tests.sr.files import lean, written

CT = ct_series(slices=3, rows=8, columns=8)
FRAMES = enhanced_ct(CT)
KEYS = key_objects(CT)
MANIFEST = manifest([*CT, FRAMES, KEYS])

Resource = dict[str, Any]


def _mapped(dataset: Dataset) -> Mapped:
    return map_report(lean(written(dataset)), IDENTITY)


def _bundle(mapped: Mapped) -> Resource:
    return next(one for one in mapped.resources if one["resourceType"] == "Bundle")


def _of(bundle: Resource, kind: str) -> list[Resource]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def _resolved(bundle: Resource, reference: Resource) -> Resource:
    found = [one["resource"] for one in bundle["entry"] if one["fullUrl"] == reference["reference"]]
    assert len(found) == 1
    resource: Resource = found[0]
    return resource


@pytest.fixture(scope="module")
def bundle() -> Resource:
    return _bundle(_mapped(MANIFEST))


def test_the_document(bundle: Resource) -> None:
    assert bundle["type"] == "document"
    assert bundle["identifier"]["value"] == f"urn:oid:{MANIFEST.SOPInstanceUID}"
    assert bundle["timestamp"] == "2026-10-12T09:15:00+02:00"
    composition = bundle["entry"][0]["resource"]
    assert composition["resourceType"] == "Composition"
    assert composition["type"]["coding"][0]["code"] == "18748-4"
    assert [_resolved(bundle, author)["resourceType"] for author in composition["author"]] == [
        "Device",
        "Organization",
    ]
    assert _resolved(bundle, composition["event"][0]["detail"][0]) == _of(bundle, "ImagingStudy")[0]
    assert len(composition["section"]) == 3


def test_the_study(bundle: Resource) -> None:
    (study,) = _of(bundle, "ImagingStudy")
    assert study["identifier"][0]["value"] == f"urn:oid:{CHEST_CT.uid}"
    assert [one["code"] for one in study["modality"]] == ["CT", "KO"]
    assert study["started"] == "2026-10-12T09:15:00+02:00"
    (region,) = study["extension"]
    assert region["url"].endswith("/MadoAnatomicalRegionExtension")
    assert region["valueCodeableConcept"]["coding"][0]["code"] == "51185008"
    assert study["procedureCode"][0]["coding"][0]["display"] == "CT of chest"
    assert study["description"] == CHEST_CT.description
    assert (study["numberOfSeries"], study["numberOfInstances"]) == (3, 5)
    assert _resolved(bundle, study["endpoint"][0])["address"] == VIEWER
    assert _resolved(bundle, study["subject"])["resourceType"] == "Patient"
    (order,) = study["basedOn"]
    assert order["identifier"]["value"] == CHEST_CT.accession_number


def test_its_series(bundle: Resource) -> None:
    first, *_ = _of(bundle, "ImagingStudy")[0]["series"]
    endpoint = _resolved(bundle, first["endpoint"][0])
    assert endpoint["address"] == RETRIEVE_URL
    assert endpoint["extension"][0]["valueString"] == LOCATION_UID
    told = {name: value for name, value in first.items() if name not in ("instance", "endpoint")}
    assert told == {
        "uid": CT[0].SeriesInstanceUID,
        "number": CT[0].SeriesNumber,
        "modality": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"},
        "description": CT[0].SeriesDescription,
        "numberOfInstances": 3,
        "bodySite": {"system": "http://snomed.info/sct", "code": "39607008", "display": "Lung structure"},
        "laterality": {"system": "http://snomed.info/sct", "code": "7771000", "display": "Left"},
        "started": "2026-10-12T09:15:00+02:00",
    }


def test_its_instances(bundle: Resource) -> None:
    images, (frames,), (keys,) = (one["instance"] for one in _of(bundle, "ImagingStudy")[0]["series"])
    assert [one["uid"] for one in images] == [image.SOPInstanceUID for image in CT]
    assert [one["number"] for one in images] == [image.InstanceNumber for image in CT]
    assert images[0]["sopClass"]["code"] == f"urn:oid:{CT[0].SOPClassUID}"
    assert frames["extension"][0]["valueInteger"] == FRAMES.NumberOfFrames
    assert keys["extension"][0]["valueCodeableConcept"]["text"] == "Of Interest"
    assert keys["title"] == KEYS.ContentSequence[0].TextValue


def test_patient_order_and_maker(bundle: Resource) -> None:
    (patient,), (order,) = _of(bundle, "Patient"), _of(bundle, "ServiceRequest")
    assert patient["identifier"][0]["value"] == MANIFEST.PatientID
    assert patient["identifier"][0]["system"] == "urn:oid:2.999.39.1"
    assert patient["name"][0]["family"] == MANIFEST.PatientName.family_name
    assert patient["gender"] == {"F": "female", "M": "male"}[MANIFEST.PatientSex]
    assert patient["birthDate"].replace("-", "") == MANIFEST.PatientBirthDate
    accession, placer = order["identifier"]
    assert [one["code"] for one in accession["type"]["coding"]] == ["121022", "ACSN"]
    assert placer["value"] == "RICHIESTA1"
    assert placer["system"] == "urn:oid:1.2.826.0.1.3680043.10.1421.1"
    (maker,), (owner,) = _of(bundle, "Device"), _of(bundle, "Organization")
    assert maker["manufacturer"] == MANIFEST.Manufacturer
    assert _resolved(bundle, maker["owner"]) == owner
    assert owner["name"] == "Ospedale di Prova"
    assert owner["identifier"] == [{"system": "urn:oid:1.2.826.0.1.3680043.10.1421", "value": "4711"}]


def test_its_documents_and_what_is_told(bundle: Resource) -> None:
    mapped = _mapped(MANIFEST)
    assert mapped.unmapped == ()
    assert _bundle(mapped) == bundle
    kept, made = (one for one in mapped.resources if one["resourceType"] == "DocumentReference")
    assert kept["id"] == MANIFEST.SOPInstanceUID
    assert kept["content"][0]["format"]["code"] == MANIFEST.SOPClassUID
    assert made["content"][0]["format"]["code"] == "urn:ihe:rad:MADO:fhir-manifest:2026"
    assert made["content"][0]["attachment"]["url"] == f"Bundle/{bundle['id']}"
    assert made["relatesTo"][0]["target"]["reference"] == f"DocumentReference/{kept['id']}"
    for document in kept, made:
        assert document["type"]["coding"][0]["code"] == "18748-4"
        assert document["identifier"] == [document["masterIdentifier"]]
        assert [one["url"].rpartition(".")[2] for one in document["extension"]] == [
            "modality",
            "modality",
            "bodySite",
        ]
        assert document["context"]["period"] == {"start": "2026-10-12T09:15:00+02:00"}
        assert [one["type"] for one in document["context"]["related"]] == ["ImagingStudy", "ServiceRequest"]


def test_without_a_time_zone_the_document_has_its_time_as_written_too() -> None:
    dataset = manifest(CT)
    del dataset.TimezoneOffsetFromUTC
    bundle = _bundle(_mapped(dataset))
    assert bundle["timestamp"] == "2026-10-12T09:15:00Z"
    assert bundle["_timestamp"]["extension"][0]["valueString"] == "20261012091500"
    assert bundle["entry"][0]["resource"]["date"] == "2026-10-12"


def test_without_an_address_the_endpoint_says_so() -> None:
    dataset = manifest(CT)
    for item in dataset.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence:
        del item.RetrieveURL
    _viewer, endpoint = sorted(_of(_bundle(_mapped(dataset)), "Endpoint"), key=lambda one: "_address" in one)
    assert endpoint["_address"]["extension"][0]["valueCode"] == "not-applicable"
    assert endpoint["extension"][0]["valueString"] == LOCATION_UID


def test_what_the_library_leaves_out_is_taken_from_the_evidence() -> None:
    dataset = manifest([*CT, KEYS])
    library = dataset.ContentSequence[-1]
    library.ContentSequence = list(library.ContentSequence)[:-1]
    (study,) = _of(_bundle(_mapped(dataset)), "ImagingStudy")
    assert study["series"][1]["uid"] == KEYS.SeriesInstanceUID
    assert study["series"][1]["instance"][0]["uid"] == KEYS.SOPInstanceUID


def test_values_that_fhir_does_not_take_are_left_out() -> None:
    dataset = manifest(CT)
    group = dataset.ContentSequence[-1].ContentSequence[-1]
    number, modality = group.ContentSequence[2], group.ContentSequence[0]
    number.TextValue = "9" * 5000
    modality.ConceptCodeSequence[0].CodeValue = "\x07"
    del modality.ConceptCodeSequence[0].CodeMeaning
    evidence = dataset.CurrentRequestedProcedureEvidenceSequence[0]
    evidence.ReferencedSeriesSequence[0].RetrieveURL = "no address"
    bundle = _bundle(_mapped(dataset))
    (series,) = _of(bundle, "ImagingStudy")[0]["series"]
    assert "number" not in series
    assert series["modality"]["code"] == "OT"
    assert "_address" in _resolved(bundle, series["endpoint"][0])


@pytest.mark.parametrize("without", ["ContentDate", "ContentSequence"])
def test_what_cannot_be_a_manifest_is_a_document_as_before(without: str) -> None:
    dataset = manifest(CT)
    del dataset[without]
    assert "Bundle" not in {one["resourceType"] for one in _mapped(dataset).resources}


def test_other_selections_are_as_before() -> None:
    document, *others = _mapped(KEYS).resources
    assert not {"Bundle", "DocumentReference"} & {one["resourceType"] for one in others}
    assert document["type"]["text"] == "Of Interest"
    assert document["content"][0]["format"]["system"] == "urn:oid:1.2.840.10008.2.6.1"  # XDS-I.b, not MADO
