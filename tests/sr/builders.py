"""Content items and reports for tests, well-formed or not, as pydicom data sets."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from tests.sr.files import written

Triple = tuple[str, str, str]

COMPREHENSIVE = "1.2.840.10008.5.1.4.1.1.88.33"
DOSE = "1.2.840.10008.5.1.4.1.1.88.67"
KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
STUDY = "1.2.3.4"
OTHER_STUDY = "1.2.3.5"
SOP = "1.2.3.4.5.6"
IMAGE = "1.2.3.4.5.7"
IDENTITY = "0123456789abcdef" * 4

LENGTH = ("410668003", "SCT", "Length")
DIAMETER = ("81827009", "SCT", "Diameter")
MM = ("mm", "UCUM", "millimeter")
SITE = ("363698007", "SCT", "Finding Site")
LATERALITY = ("272741003", "SCT", "Laterality")
METHOD = ("370129005", "SCT", "Measurement Method")
LUNG = ("39607008", "SCT", "Lung")
LEFT = ("7771000", "SCT", "Left")
TITLE = ("126000", "DCM", "Imaging Measurement Report")
MEASUREMENTS = ("126010", "DCM", "Imaging Measurements")
GROUP = ("125007", "DCM", "Measurement Group")
DERIVATION = ("121401", "DCM", "Derivation")
MEAN = ("373098007", "SCT", "Mean")
SECTION = ("121070", "DCM", "Findings")


def coded(triple: Triple) -> Dataset:
    """The item of a code sequence; empty parts are absent."""
    item = Dataset()
    for keyword, value in zip(("CodeValue", "CodingSchemeDesignator", "CodeMeaning"), triple, strict=True):
        if value:
            setattr(item, keyword, value)
    return item


def content(
    value_type: str, concept: Triple | None, *children: Dataset, rel: str = "CONTAINS", **elements: Any
) -> Dataset:
    """A content item; with an empty value type or relationship, one that lacks it."""
    item = Dataset()
    if rel:
        item.RelationshipType = rel
    if value_type:
        item.ValueType = value_type
    if concept:
        item.ConceptNameCodeSequence = [coded(concept)]
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    if children:
        item.ContentSequence = list(children)
    return item


def container(concept: Triple | None, *children: Dataset, rel: str = "CONTAINS") -> Dataset:
    return content("CONTAINER", concept, *children, rel=rel, ContinuityOfContent="SEPARATE")


def num(
    concept: Triple,
    value: str | Sequence[str] | bytes | None,
    unit: Triple | None = MM,
    *children: Dataset,
    rel: str = "CONTAINS",
    qualifier: Triple | None = None,
) -> Dataset:
    """A NUM item; a value in bytes is put as it stands, whatever it holds."""
    item = content("NUM", concept, *children, rel=rel)
    measured = Dataset()
    if isinstance(value, bytes):
        tag = Tag("NumericValue")
        measured[tag] = RawDataElement(tag, "DS", len(value), value, 0, False, True)
    elif value is not None:
        measured.NumericValue = list(value) if not isinstance(value, str) else value
    if unit:
        measured.MeasurementUnitsCodeSequence = [coded(unit)]
    item.MeasuredValueSequence = [] if value is None else [measured]
    if qualifier:
        item.NumericValueQualifierCodeSequence = [coded(qualifier)]
    return item


def code(concept: Triple, value: Triple, *children: Dataset, rel: str = "CONTAINS") -> Dataset:
    return content("CODE", concept, *children, rel=rel, ConceptCodeSequence=[coded(value)])


def text(concept: Triple, value: str, *children: Dataset, rel: str = "CONTAINS") -> Dataset:
    return content("TEXT", concept, *children, rel=rel, TextValue=value)


def image(sop_instance_uid: str = IMAGE, *children: Dataset, rel: str = "CONTAINS") -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = CT_IMAGE
    reference.ReferencedSOPInstanceUID = sop_instance_uid
    return content("IMAGE", None, *children, rel=rel, ReferencedSOPSequence=[reference])


def by_reference(*position: int, rel: str = "INFERRED FROM") -> Dataset:
    item = Dataset()
    item.RelationshipType = rel
    item.ReferencedContentItemIdentifier = list(position)
    return item


def evidence(study: str, *instances: str) -> Dataset:
    """An item of an evidence sequence: a study of which the report refers to instances."""
    series, item = Dataset(), Dataset()
    series.ReferencedSOPSequence = []
    for uid in instances:
        reference = Dataset()
        reference.ReferencedSOPInstanceUID = uid
        series.ReferencedSOPSequence.append(reference)
    item.StudyInstanceUID = study
    item.ReferencedSeriesSequence = [series]
    return item


def report(*children: Dataset, title: Triple = TITLE, **elements: Any) -> Dataset:
    """A complete, unverified Comprehensive SR; elements replace its own."""
    dataset = container(title, *children)
    del dataset.RelationshipType
    own = {
        "SOPClassUID": COMPREHENSIVE,
        "SOPInstanceUID": SOP,
        "StudyInstanceUID": STUDY,
        "SeriesInstanceUID": "1.2.3.4.1",
        "Modality": "SR",
        "ContentDate": "20240229",
        "ContentTime": "101500",
        "CompletionFlag": "COMPLETE",
        "VerificationFlag": "UNVERIFIED",
        "Manufacturer": "Acme",
        "ManufacturerModelName": "Reader",
    }
    for keyword, value in {**own, **elements}.items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def measurements(*groups: Dataset, **elements: Any) -> Dataset:
    """A TID 1500 report with these children of Imaging Measurements."""
    return report(container(MEASUREMENTS, *groups), **elements)


def reread(dataset: Dataset) -> Dataset:
    """The data set as it comes from a file: its values not yet converted."""
    return pydicom.dcmread(BytesIO(written(dataset)))
