"""All slices of a CT in one object: Enhanced CT Image Storage (PS3.3 A.38), with functional groups."""

import numpy as np
from pydicom import Dataset
from pydicom.uid import EnhancedCTImageStorage

from testdata.composite import composite, set_grey_pixels
from testdata.studies import CHEST_CT, Study, uid

# PS3.3 A.38.1.4: what is the same in all frames, by the keyword of its functional group.
_SHARED = {
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelValueTransformationSequence": ("RescaleIntercept", "RescaleSlope", "RescaleType"),
    "FrameVOILUTSequence": ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation"),
}
_TOP_LEVEL = (
    "PatientPosition",
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "BodyPartExamined",
    "ContentDate",
    "ContentTime",
)


def enhanced_ct(slices: list[Dataset], study: Study = CHEST_CT, *, series_number: int = 20) -> Dataset:
    """One multi-frame object with the pixels of a CT series, frame by frame.

    slices: what `ct_series` gives for the same study.
    """
    first = slices[0]
    dataset = composite(study, EnhancedCTImageStorage, "CT", series_number, 1)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    dataset.SeriesDescription = "Torace, multi-frame"
    for keyword in _TOP_LEVEL:
        dataset[keyword] = first[keyword]
    dataset.AcquisitionDateTime = study.date + study.time
    dataset.AcquisitionNumber = 1
    dataset.ContentQualification = "PRODUCT"
    dataset.PixelPresentation = "MONOCHROME"
    dataset.VolumetricProperties = "VOLUME"
    dataset.VolumeBasedCalculationTechnique = "NONE"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.LossyImageCompression = "00"
    dataset.BurnedInAnnotation = "NO"
    dataset.NumberOfFrames = len(slices)
    _dimensions(dataset, study)
    dataset.SharedFunctionalGroupsSequence = [_shared(first)]
    dataset.PerFrameFunctionalGroupsSequence = [
        _frame(frame, number, study) for number, frame in enumerate(slices, 1)
    ]
    shape = (len(slices), first.Rows, first.Columns)
    pixels = np.frombuffer(b"".join(frame.PixelData for frame in slices), "<u2").reshape(shape)
    set_grey_pixels(dataset, pixels, first.BitsStored)
    return dataset


def _dimensions(dataset: Dataset, study: Study) -> None:
    organization, index = Dataset(), Dataset()
    organization.DimensionOrganizationUID = uid("dimensions", study.seed)
    index.DimensionOrganizationUID = organization.DimensionOrganizationUID
    index.DimensionIndexPointer = 0x00200032
    index.FunctionalGroupPointer = 0x00209113
    index.DimensionDescriptionLabel = "Image Position (Patient)"
    dataset.DimensionOrganizationSequence = [organization]
    dataset.DimensionIndexSequence = [index]


def _shared(first: Dataset) -> Dataset:
    groups = Dataset()
    for sequence, keywords in _SHARED.items():
        setattr(groups, sequence, [_group(first, keywords)])
    kind = Dataset()
    kind.FrameType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    kind.PixelPresentation = "MONOCHROME"
    kind.VolumetricProperties = "VOLUME"
    kind.VolumeBasedCalculationTechnique = "NONE"
    groups.CTImageFrameTypeSequence = [kind]
    return groups


def _frame(frame: Dataset, number: int, study: Study) -> Dataset:
    content = Dataset()
    content.FrameAcquisitionNumber = 1
    content.FrameReferenceDateTime = content.FrameAcquisitionDateTime = study.date + study.time
    content.FrameAcquisitionDuration = 500.0
    content.StackID = "1"
    content.InStackPositionNumber = number
    content.DimensionIndexValues = [number]
    groups = Dataset()
    groups.FrameContentSequence = [content]
    groups.PlanePositionSequence = [_group(frame, ("ImagePositionPatient",))]
    return groups


def _group(source: Dataset, keywords: tuple[str, ...]) -> Dataset:
    item = Dataset()
    for keyword in keywords:
        item[keyword] = source[keyword]
    return item
