"""A grayscale softcopy presentation state: how somebody wanted images to be seen (PS3.3 A.33.1)."""

from collections.abc import Sequence

from pydicom import Dataset
from pydicom.uid import GrayscaleSoftcopyPresentationStateStorage

from testdata.composite import composite
from testdata.studies import CHEST_CT, Study

# Left, upper, right, lower: the first and the last pixel displayed, counted from 1
Area = tuple[int, int, int, int]


def presentation_state(
    images: Sequence[Dataset],
    study: Study = CHEST_CT,
    *,
    window: tuple[float, float] | None = (40.0, 400.0),
    rotation: int = 0,
    flip: bool = False,
    area: Area | None = None,
    shape: str = "IDENTITY",
    series_number: int = 80,
) -> Dataset:
    """A state of images of one series.  window: center and width in HU; None for all values.

    rotation: degrees, clockwise.  flip: left to right, after it.  area: None for the whole image.
    """
    state = composite(study, GrayscaleSoftcopyPresentationStateStorage, "PR", series_number, 1)
    first = images[0]
    state.ContentLabel, state.ContentDescription = "POLMONE", "Finestra per il polmone"
    state.ContentCreatorName = "Bianchi^Anna"
    state.PresentationCreationDate, state.PresentationCreationTime = study.date, study.time
    series = Dataset()
    series.SeriesInstanceUID = first.SeriesInstanceUID
    series.ReferencedImageSequence = [_reference(image) for image in images]
    state.ReferencedSeriesSequence = [series]
    state.RescaleSlope, state.RescaleIntercept, state.RescaleType = (
        first.RescaleSlope,
        first.RescaleIntercept,
        "HU",
    )
    if window is not None:
        voi = Dataset()
        voi.WindowCenter, voi.WindowWidth = window
        state.SoftcopyVOILUTSequence = [voi]
    if rotation or flip:
        state.ImageRotation, state.ImageHorizontalFlip = rotation, "Y" if flip else "N"
    state.DisplayedAreaSelectionSequence = [_displayed(first, area)]
    state.PresentationLUTShape = shape
    return state


def _reference(image: Dataset) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = image.SOPClassUID
    reference.ReferencedSOPInstanceUID = image.SOPInstanceUID
    return reference


def _displayed(image: Dataset, area: Area | None) -> Dataset:
    left, upper, right, lower = area or (1, 1, image.Columns, image.Rows)
    displayed = Dataset()
    displayed.DisplayedAreaTopLeftHandCorner = [left, upper]
    displayed.DisplayedAreaBottomRightHandCorner = [right, lower]
    displayed.PresentationSizeMode = "SCALE TO FIT"
    displayed.PresentationPixelAspectRatio = [1, 1]
    return displayed
