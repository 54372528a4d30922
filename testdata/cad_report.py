"""What a program for mammography marked: Mammography CAD SR, after PS3.16 TID 4000 to 4021."""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import MammographyCADSRStorage

from testdata.composite import composite
from testdata.content_items import (
    ACQ_CONTEXT,
    INFERRED,
    PROPERTIES,
    SELECTED,
    code,
    coded,
    container,
    image,
    modifier,
    number,
    text,
)
from testdata.structured_report import structured_report
from testdata.studies import BREAST_XRAY, Study

_IMAGE_LATERALITY = Code("111027", "DCM", "Image Laterality")
_SIDES = (codes.SCT.Right, codes.SCT.Left)
_CLUSTER = Code("129769006", "SCT", "Calcification cluster")
_REQUIRED = Code("111150", "DCM", "Presentation Required: Rendering device is expected to present")
_HIDDEN = Code("111152", "DCM", "Not for Presentation: Rendering device expected not to present")

# Where the image library has the two images, from the root on
_RIGHT_IMAGE, _LEFT_IMAGE = (1, 1, 1), (1, 1, 2)


def cad_report(study: Study = BREAST_XRAY, *, series_number: int = 95) -> Dataset:
    """Two impressions: one to be shown, with one finding to be shown and one not, and one not to be shown."""
    views = [composite(study, "1.2.840.10008.5.1.4.1.1.1.2", "MG", 1, view) for view in (1, 2)]
    content = [
        container(codes.DCM.ImageLibrary, *(_in_library(*one) for one in zip(views, _SIDES, strict=True))),
        code(
            Code("111017", "DCM", "CAD Processing and Findings Summary"),
            Code("111242", "DCM", "All algorithms succeeded; with findings"),
            _impression(
                _REQUIRED,
                _finding(_REQUIRED, codes.SCT.Mass, "87.5", _RIGHT_IMAGE),
                _finding(_HIDDEN, _CLUSTER, "12", _RIGHT_IMAGE),
            ),
            _impression(_HIDDEN, _finding(_HIDDEN, _CLUSTER, "3", _LEFT_IMAGE)),
        ),
        code(
            Code("111064", "DCM", "Summary of Detections"),
            Code("111222", "DCM", "Succeeded"),
            container(
                Code("111063", "DCM", "Successful Detections"),
                code(Code("111022", "DCM", "Detection Performed"), _CLUSTER, *_algorithm()),
                relationship=INFERRED,
            ),
        ),
    ]
    return structured_report(
        study,
        MammographyCADSRStorage,
        Code("111036", "DCM", "Mammography CAD Report"),
        content,
        sources=views,
        template="4000",
        series_number=series_number,
    )


def _in_library(view: Dataset, side: Code) -> Dataset:
    """TID 4020."""
    item = image(view)
    item.ContentSequence = [code(_IMAGE_LATERALITY, side, relationship=ACQ_CONTEXT)]
    return item


def _impression(intent: Code, *findings: Dataset) -> Dataset:
    """TID 4003."""
    heading = Code("111034", "DCM", "Individual Impression/Recommendation")
    return container(heading, _intent(intent), *findings, relationship=INFERRED)


def _finding(intent: Code, kind: Code, certainty: str, library_image: tuple[int, ...]) -> Dataset:
    """TID 4006, with the certainty in percent and the middle in an image of the library."""
    return code(
        Code("111059", "DCM", "Single Image Finding"),
        kind,
        _intent(intent),
        *_algorithm(),
        _certainty(certainty),
        _middle(library_image),
    )


def _intent(intent: Code) -> Dataset:
    return modifier(Code("111056", "DCM", "Rendering Intent"), intent)


def _algorithm() -> list[Dataset]:
    """TID 4019."""
    return [
        text(Code("111001", "DCM", "Algorithm Name"), "Segnaposto", PROPERTIES),
        text(Code("111003", "DCM", "Algorithm Version"), "2.1", PROPERTIES),
    ]


def _middle(library_image: tuple[int, ...]) -> Dataset:
    """TID 4021: a point, and by reference the image that it is in."""
    point = Dataset()
    point.RelationshipType = PROPERTIES
    point.ValueType = "SCOORD"
    point.ConceptNameCodeSequence = [coded(Code("111010", "DCM", "Center"))]
    point.GraphicType = "POINT"
    point.GraphicData = [120.0, 340.0]
    where = Dataset()
    where.RelationshipType = SELECTED
    where.ReferencedContentItemIdentifier = list(library_image)
    point.ContentSequence = [where]
    return point


def _certainty(percent: str) -> Dataset:
    item = number(Code("111012", "DCM", "Certainty of Finding"), percent, codes.UCUM.Percent)
    item.RelationshipType = PROPERTIES
    return item
