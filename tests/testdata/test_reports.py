"""The SR documents, the key objects and the encapsulated PDF."""

import io
import re
import zlib

import highdicom as hd
import pytest
from pydicom import Dataset, dcmread

from testdata.ct import ct_series
from testdata.dose_report import dose_report
from testdata.files import part10
from testdata.key_objects import key_objects
from testdata.measurement_report import measurement_report
from testdata.nodule import find_nodule
from testdata.pdf import encapsulated_pdf, pdf_document
from testdata.us import us_cine
from testdata.written_report import heart_report, text_report


@pytest.fixture(scope="module")
def ct() -> list[Dataset]:
    return ct_series(slices=5, rows=128, columns=128)


@pytest.fixture(scope="module")
def report(ct: list[Dataset]) -> Dataset:
    document: Dataset = hd.sr.srread(io.BytesIO(part10(measurement_report(ct))))
    return document


def numbers(root: Dataset) -> dict[str, str | None]:
    """Value of each NUM by the meaning of its concept, through the whole tree."""
    found: dict[str, str | None] = {}
    for item in root.get("ContentSequence", []):
        if item.ValueType == "NUM":
            measured = item.MeasuredValueSequence
            value = str(measured[0].NumericValue) if measured else None
            found[item.ConceptNameCodeSequence[0].CodeMeaning] = value
        found |= numbers(item)
    return found


def test_the_measurement_report_belongs_to_the_study_of_the_ct(ct: list[Dataset], report: Dataset) -> None:
    for keyword in ("StudyInstanceUID", "PatientID", "IssuerOfPatientID", "AccessionNumber", "StudyDate"):
        assert report[keyword].value == ct[0][keyword].value
    assert (report.CompletionFlag, report.VerificationFlag) == ("COMPLETE", "VERIFIED")


def test_highdicom_reads_the_nodule_and_its_measurements(ct: list[Dataset], report: Dataset) -> None:
    (group,) = report.content.get_volumetric_roi_measurement_groups()
    nodule = find_nodule(ct)
    assert group.tracking_identifier == "Nodulo 1"
    (site,) = group.finding_sites
    assert (site.value.meaning, site.laterality.meaning) == ("Upper lobe of lung", "Right")
    values = {each.name.meaning: each.value for each in group.get_measurements()}
    assert values == {
        "Long axis": pytest.approx(nodule.long_axis, abs=0.1),
        "Volume": pytest.approx(nodule.volume, abs=0.1),
        "Attenuation Coefficient": pytest.approx(nodule.mean, abs=0.1),
    }
    (evaluation,) = group.get_qualitative_evaluations()
    assert evaluation.name.meaning == "Margins"


def test_highdicom_reads_the_aorta_and_the_absent_emphysema(report: Dataset) -> None:
    (aorta,) = report.content.get_planar_roi_measurement_groups()
    values = {each.name.meaning: each.value for each in aorta.get_measurements()}
    assert values["Diameter"] == 25
    assert values["Attenuation Coefficient"] == pytest.approx(250, abs=20)
    (lung,) = report.content.get_image_measurement_groups()
    (evaluation,) = lung.get_qualitative_evaluations()
    assert evaluation.value.meaning == "Absent"


def test_outlines_lie_on_slices_of_the_ct(ct: list[Dataset], report: Dataset) -> None:
    (group,) = report.content.get_volumetric_roi_measurement_groups()
    known = {dataset.SOPInstanceUID for dataset in ct}
    for region in group.roi:
        (source,) = region.ContentSequence
        assert source.ReferencedSOPSequence[0].ReferencedSOPInstanceUID in known
        assert (region.value >= 0).all()
        assert (region.value <= 128).all()


def test_the_text_report_has_its_headings_and_images(ct: list[Dataset]) -> None:
    document = text_report(images=ct[:2])
    headings = [
        item.ConceptNameCodeSequence[0].CodeMeaning
        for item in document.ContentSequence
        if item.ValueType == "CONTAINER"
    ]
    assert headings == ["History", "Findings", "Impressions"]
    (study,) = document.CurrentRequestedProcedureEvidenceSequence
    assert len(study.ReferencedSeriesSequence[0].ReferencedSOPSequence) == 2
    assert document.VerificationFlag == "VERIFIED"


def test_the_heart_report_has_numbers_and_one_unknown() -> None:
    document = heart_report(cine=us_cine(frames=1, rows=64, columns=64))
    values = numbers(document)
    assert values["Left Ventricular Ejection Fraction by US"] == "61"
    assert values["Left Ventricular End Diastolic Volume"] is None
    assert document.VerificationFlag == "UNVERIFIED"


def test_the_dose_report_adds_up() -> None:
    document = dcmread(io.BytesIO(part10(dose_report())))
    assert document.ContentTemplateSequence[0].TemplateIdentifier == "10011"
    events = [
        float(numbers(item)["DLP"] or 0)
        for item in document.ContentSequence
        if item.ConceptNameCodeSequence[0].CodeMeaning == "CT Acquisition"
    ]
    total = float(numbers(document)["CT Dose Length Product Total"] or 0)
    assert len(events) == 2
    assert sum(events) == pytest.approx(total)


def test_key_objects_name_the_images(ct: list[Dataset]) -> None:
    document = key_objects(ct[1:3])
    named = [
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for item in document.ContentSequence
        if item.ValueType == "IMAGE"
    ]
    assert named == [dataset.SOPInstanceUID for dataset in ct[1:3]]
    assert document.Modality == "KO"


def test_the_encapsulated_pdf_has_its_exact_length() -> None:
    dataset = dcmread(io.BytesIO(part10(encapsulated_pdf())))
    document = dataset.EncapsulatedDocument[: dataset.EncapsulatedDocumentLength]
    assert document.startswith(b"%PDF-1.4")
    assert document.endswith(b"%%EOF\n")
    assert len(dataset.EncapsulatedDocument) % 2 == 0


def test_the_pdf_finds_its_objects_and_its_text() -> None:
    document = pdf_document("Prova (uno)", ["Età", "due"])
    start = int(re.findall(rb"startxref\n(\d+)\n", document)[0])
    assert document[start:].startswith(b"xref\n0 6\n")
    offsets = [int(entry) for entry in re.findall(rb"(\d{10}) 00000 n", document[start:])]
    assert [document[offset:].split(b" ", 1)[0] for offset in offsets] == [b"1", b"2", b"3", b"4", b"5"]
    stream = zlib.decompress(document.split(b"stream\n", 1)[1].split(b"\nendstream", 1)[0])
    assert rb"(Prova \(uno\)) Tj" in stream
    assert "(Età) Tj".encode("latin-1") in stream
