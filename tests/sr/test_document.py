from typing import Any

from pydicom.dataset import Dataset

from sr.mapping import map_report
from tests.sr.builders import (
    IDENTITY,
    KEY_OBJECTS,
    SOP,
    STUDY,
    container,
    content,
    evidence,
    image,
    num,
    report,
    reread,
    text,
)
from tests.sr.fhir_rules import faults

OF_INTEREST = ("113000", "DCM", "Of Interest")
DESCRIPTION = ("113012", "DCM", "Key Object Description")


def _document(*children: Dataset, **elements: Any) -> dict[str, Any]:
    mapped = map_report(reread(report(*children, **elements)), IDENTITY)
    assert faults(*mapped.resources) == []
    return mapped.resources[0]


def test_a_report_is_a_document() -> None:
    made = _document(
        AccessionNumber="A1",
        TimezoneOffsetFromUTC="+0100",
        VerificationFlag="VERIFIED",
        PredecessorDocumentsSequence=[evidence(STUDY, "1.2.99")],
    )
    assert made["author"][0]["reference"].startswith("Device/")
    assert made["id"] == SOP
    assert made["masterIdentifier"] == {"system": "urn:dicom:uid", "value": f"urn:oid:{SOP}"}
    assert (made["status"], made["docStatus"]) == ("current", "amended")
    assert made["date"] == "2024-02-29T10:15:00+01:00"
    assert made["type"]["text"] == "Imaging Measurement Report"
    assert made["content"] == [
        {
            "attachment": {
                "contentType": "application/dicom",
                "url": f"Binary/{SOP}",
                "title": "Imaging Measurement Report",
                "creation": "2024-02-29T10:15:00+01:00",
            }
        }
    ]
    assert made["relatesTo"][0]["target"]["identifier"]["value"] == "urn:oid:1.2.99"
    assert [one["type"] for one in made["context"]["related"]] == ["ImagingStudy", "ServiceRequest"]


def test_a_document_without_time_zone_flags_and_equipment() -> None:
    made = _document(
        CompletionFlag=None, VerificationFlag=None, Manufacturer=None, ManufacturerModelName=None
    )
    assert not {"date", "docStatus", "meta", "author", "relatesTo"} & made.keys()


def test_a_key_object_selection_is_a_document_alone() -> None:
    dataset = reread(
        report(
            text(DESCRIPTION, "left lower lobe"),
            image(),
            container(("111028", "DCM", "Image Library"), num(("1", "A", "rows"), "2")),
            title=OF_INTEREST,
            SOPClassUID=KEY_OBJECTS,
            CompletionFlag=None,
            VerificationFlag=None,
        )
    )
    mapped = map_report(dataset, IDENTITY)
    assert [one["resourceType"] for one in mapped.resources] == ["DocumentReference", "Device"]
    assert mapped.resources[0]["description"] == "left lower lobe"
    assert mapped.resources[0]["content"][0]["format"]["code"] == KEY_OBJECTS
    assert [item.position for item in mapped.unmapped] == ["1.2", "1.3.1"]


def test_a_report_without_a_uid_still_has_an_id() -> None:
    made = _document(content("TEXT", OF_INTEREST, TextValue="x"), SOPClassUID=KEY_OBJECTS)
    nameless = map_report(report(text(OF_INTEREST, "x"), SOPInstanceUID=None), IDENTITY)
    assert faults(*nameless.resources) == []
    assert nameless.resources[0]["id"] != made["id"]
