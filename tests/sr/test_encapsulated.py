"""Reports that are documents of other formats become a DocumentReference of these."""

from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from sr.data_set import read_data_set
from sr.mapping import is_report, map_report
from sr.transaction import transaction
from testdata.pdf import encapsulated_pdf
from tests.sr.builders import IDENTITY
from tests.sr.fhir_rules import faults
from tests.sr.files import encoded

CDA = "1.2.840.10008.5.1.4.1.1.104.2"


def _made(dataset: Dataset) -> dict[str, Any]:
    mapped = map_report(read_data_set(encoded(dataset), ExplicitVRLittleEndian), IDENTITY)
    assert faults(*mapped.resources) == []
    assert (mapped.unmapped, mapped.problems) == ((), ())
    types = {one["resourceType"] for one in mapped.resources}
    assert types - {"DocumentReference", "Device"} <= {"Practitioner", "ServiceRequest", "Provenance"}
    return mapped.resources[0]


def test_a_document_is_told_by_the_object_that_it_is_in() -> None:
    dataset = encapsulated_pdf()
    dataset.VerificationFlag = "VERIFIED"
    made = _made(dataset)
    (content,) = made["content"]
    assert content["attachment"] == {
        "contentType": "application/pdf",
        "url": f"Binary/{dataset.SOPInstanceUID}",
        "title": dataset.DocumentTitle,
        "creation": made["date"],
    }
    assert content["format"]["code"] == "urn:ihe:rad:PDF"
    assert made["docStatus"] == "final"
    assert made["type"]["coding"][0]["code"] == "18748-4"
    assert made["author"][0]["reference"].startswith("Device/")


def test_a_document_without_a_title_has_that_of_its_type() -> None:
    dataset = encapsulated_pdf()
    del dataset.DocumentTitle
    made = _made(dataset)
    assert made["content"][0]["attachment"]["title"] == "Diagnostic imaging report"
    assert "docStatus" not in made


def test_a_document_of_which_nothing_is_said() -> None:
    dataset = encapsulated_pdf()
    del dataset.DocumentTitle, dataset.ContentDate, dataset.ContentTime, dataset.ConceptNameCodeSequence
    dataset.SOPClassUID = CDA
    made = _made(dataset)
    assert set(made["content"][0]["attachment"]) == {"contentType", "url"}
    assert made["content"][0]["attachment"]["contentType"] == "text/xml"
    assert "format" not in made["content"][0]
    assert "type" not in made


def test_its_beginning_is_enough() -> None:
    whole = encoded(encapsulated_pdf())
    cut = whole[: whole.index(b"%PDF") + 10]
    made = [map_report(read_data_set(content, ExplicitVRLittleEndian), IDENTITY) for content in (whole, cut)]
    assert made[0].resources == made[1].resources


@pytest.mark.parametrize("number", [1, 2])
def test_documents_are_reports(number: int) -> None:
    assert is_report(f"1.2.840.10008.5.1.4.1.1.104.{number}")


def test_what_prints_in_three_dimensions_is_none() -> None:
    assert not is_report("1.2.840.10008.5.1.4.1.1.104.3")


def test_our_address_is_not_sent_to_others() -> None:
    dataset = encapsulated_pdf()
    bundle = transaction(map_report(dataset, IDENTITY).resources)
    (sent,) = (e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "DocumentReference")
    attachment = sent["content"][0]["attachment"]
    assert attachment["contentType"] == "application/pdf"
    assert "url" not in attachment
