import pytest

from sr.identifiers import (
    accession_identifier,
    document_reference,
    issuer_system,
    order_reference,
    patient_id,
    study_identifier,
    study_reference,
)


@pytest.mark.parametrize(
    ("issuer", "system"),
    [
        (("",), ""),
        (("HOSPITAL A",), "urn:x-dicom:issuer:HOSPITAL%20A"),
        (("2.16.840.1.113883.2.9.4.3.2",), "urn:oid:2.16.840.1.113883.2.9.4.3.2"),
        (("https://hospital.example/ids",), "https://hospital.example/ids"),
        (("HOSP&1.2.3&ISO",), "urn:oid:1.2.3"),
        (("HOSP", "1.2.3", "ISO"), "urn:oid:1.2.3"),
        (
            ("", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "UUID"),
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        ),
        (("", "https://h.example/x", "URI"), "https://h.example/x"),
        (("", "pacs.example.org", "DNS"), "urn:x-dicom:issuer:pacs.example.org"),
        (("", "a\x1fb", "ISO"), "urn:x-dicom:issuer:ab"),
        (("", "not a uri", "URI"), "urn:x-dicom:issuer:not%20a%20uri"),
    ],
)
def test_issuers(issuer: tuple[str, ...], system: str) -> None:
    assert issuer_system(*issuer) == system


def test_a_study_is_referred_to_literally_and_by_identifier() -> None:
    reference = study_reference("1.2.3")
    assert reference["reference"] == "ImagingStudy/1.2.3"
    assert reference["identifier"] == study_identifier("1.2.3")
    assert study_identifier("1.2.3") == {
        "type": {
            "coding": [
                {
                    "system": "http://dicom.nema.org/resources/ontology/DCM",
                    "code": "110180",
                    "display": "Study Instance UID",
                }
            ]
        },
        "system": "urn:dicom:uid",
        "value": "urn:oid:1.2.3",
    }


def test_a_report_is_referred_to_literally_and_by_identifier() -> None:
    assert document_reference("1.2.3") == {
        "reference": "DocumentReference/1.2.3",
        "type": "DocumentReference",
        "identifier": {"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"},
    }


def test_an_order_is_known_by_its_accession_number() -> None:
    accession = accession_identifier("A1", "urn:oid:1.2")
    assert order_reference(accession) == {"type": "ServiceRequest", "identifier": accession}
    assert order_reference(accession, "1")["reference"] == "ServiceRequest/1"
    assert "system" not in accession_identifier("A1", "")
    assert accession_identifier("A1", "")["type"]["coding"][0]["code"] == "ACSN"


def test_a_patient_id_fits_fhir() -> None:
    assert patient_id("a" * 64) == "a" * 32
