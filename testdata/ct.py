"""A chest CT with contrast medium: CT Image Storage, one object for each slice (PS3.3 A.3)."""

import numpy as np
from pydicom import Dataset
from pydicom.uid import CTImageStorage

from testdata.composite import composite, decimal, set_grey_pixels
from testdata.phantom import Floats
from testdata.studies import CHEST_CT, Study, uid
from testdata.thorax import BOTTOM, FIELD_OF_VIEW, NODULE, TOP, Thorax

_INTERCEPT = -1024
_NOISE = 13.0


def ct_series(
    study: Study = CHEST_CT,
    *,
    slices: int = 40,
    rows: int = 512,
    columns: int = 512,
    series_number: int = 2,
) -> list[Dataset]:
    """Axial slices, 12 bits in 16, from the head downwards.

    They lie at most 5 mm apart and fill the chest if there are enough of them; fewer lie around the nodule in
    the right upper lobe, so that the middle one always shows it.
    """
    thorax = Thorax(study.random("chest", study.patient.identifier))
    random = study.random("ct", series_number)
    noise = _noise(random, rows + 40, columns + 40)
    spacing = min((TOP - BOTTOM) / slices, 5.0)
    first = min(NODULE[2] + spacing * (slices // 2), TOP)
    series = []
    for index in range(slices):
        z = first - spacing * index
        hounsfield = thorax.cut(rows, columns, z).values
        down, right = random.integers(0, 40, 2).tolist()
        hounsfield += noise[down : down + rows, right : right + columns]
        dataset = composite(study, CTImageStorage, "CT", series_number, index + 1)
        _series(dataset, study, spacing)
        _pixels(dataset, hounsfield, z)
        series.append(dataset)
    return series


def _noise(random: np.random.Generator, rows: int, columns: int) -> Floats:
    """Noise as grainy as a soft kernel leaves it, in Hounsfield units."""
    white = random.standard_normal((rows + 1, columns + 1), dtype=np.float32)
    grain = white[1:, 1:] + white[:-1, 1:] + white[1:, :-1] + white[:-1, :-1]
    return np.asarray(grain * np.float32(_NOISE / 2), np.float32)


def _series(dataset: Dataset, study: Study, spacing: float) -> None:
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SeriesDescription = "Torace assiale, fase portale"
    dataset.ProtocolName = "Torace con mdc"
    dataset.BodyPartExamined = "CHEST"
    dataset.PatientPosition = "HFS"
    dataset.FrameOfReferenceUID = uid("frame of reference", study.seed, "CT")
    dataset.PositionReferenceIndicator = ""
    dataset.AcquisitionDate = dataset.ContentDate = study.date
    dataset.AcquisitionTime = dataset.ContentTime = study.time
    dataset.AcquisitionNumber = 1
    dataset.KVP = "120"
    dataset.XRayTubeCurrent = 210
    dataset.ExposureTime = 500
    dataset.ConvolutionKernel = "B30f"
    dataset.ContrastBolusAgent = "Mezzo di contrasto iodato"
    dataset.SliceThickness = decimal(spacing)
    dataset.SpacingBetweenSlices = decimal(spacing)


def _pixels(dataset: Dataset, hounsfield: Floats, z: float) -> None:
    rows, columns = hounsfield.shape
    spacing = FIELD_OF_VIEW / columns
    dataset.SliceLocation = decimal(z)
    corner = (-(columns - 1) / 2 * spacing, -(rows - 1) / 2 * spacing, z)
    dataset.ImagePositionPatient = [decimal(place) for place in corner]
    dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    dataset.PixelSpacing = [decimal(spacing)] * 2
    dataset.RescaleIntercept = str(_INTERCEPT)
    dataset.RescaleSlope = "1"
    dataset.RescaleType = "HU"
    dataset.WindowCenter = ["40", "-550"]
    dataset.WindowWidth = ["400", "1500"]
    dataset.WindowCenterWidthExplanation = ["MEDIASTINO", "POLMONE"]
    hounsfield -= _INTERCEPT
    set_grey_pixels(dataset, np.clip(hounsfield, 0, 4095, out=hounsfield).astype(np.uint16), 12)
