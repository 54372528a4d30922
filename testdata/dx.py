"""A chest radiograph, cast from the chest of the CT: Digital X-Ray Image Storage - For Presentation."""

import numpy as np
from PIL import Image, ImageDraw
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import DigitalXRayImageStorageForPresentation

from testdata.composite import composite, decimal, set_grey_pixels
from testdata.content_items import coded
from testdata.phantom import Floats
from testdata.studies import CHEST_XRAY, Study
from testdata.thorax import BOTTOM, FIELD_OF_VIEW, TOP, Thorax

# Of water, for each millimetre, at the energy of a chest radiograph.
_ATTENUATION = 0.018
_FINEST = 300
# Of the picture, between neck and kidneys.
_MIDDLE = (TOP + BOTTOM) / 2 - 6


def chest_xray(
    study: Study = CHEST_XRAY,
    *,
    rows: int = 1024,
    columns: int = 1024,
    photometric_interpretation: str = "MONOCHROME2",
    series_number: int = 1,
) -> Dataset:
    """A frontal view, 12 bits in 16; with MONOCHROME1 the same picture, stored the other way round."""
    thorax = Thorax(study.random("chest", study.patient.identifier))
    shadow = _enlarged(_shadow(thorax, min(_FINEST, columns // 2), rows / columns), rows, columns)
    picture = _exposed(shadow, study.random("dx", series_number))
    dataset = composite(study, DigitalXRayImageStorageForPresentation, "DX", series_number, 1)
    _acquisition(dataset, study)
    _presentation(dataset, FIELD_OF_VIEW / columns)
    if photometric_interpretation == "MONOCHROME1":
        picture = 4095 - picture
        dataset.PresentationLUTShape = "INVERSE"
    set_grey_pixels(dataset, picture, 12)
    dataset.PhotometricInterpretation = photometric_interpretation
    return dataset


def _shadow(thorax: Thorax, columns: int, aspect: float) -> Floats:
    """What is lost on the way from back to front, as an exponent: shape (columns times aspect, columns)."""
    millimetres = FIELD_OF_VIEW / columns
    rows = round(columns * aspect)
    heights = _MIDDLE + ((rows - 1) / 2 - np.arange(rows)) * millimetres
    lost = []
    for z in heights:
        density = 1 + thorax.cut(columns, columns, float(z)).values / np.float32(1000)
        lost.append(density.clip(0).sum(axis=0) * np.float32(_ATTENUATION * millimetres))
    return np.stack(lost).astype(np.float32)


def _enlarged(shadow: Floats, rows: int, columns: int) -> Floats:
    image = Image.fromarray(shadow).resize((columns, rows), Image.Resampling.BICUBIC)
    return np.asarray(image, np.float32)


def _exposed(shadow: Floats, random: np.random.Generator) -> np.ndarray:
    """Quantum noise, then what a console makes of it: large densities evened out, edges kept."""
    rows, columns = shadow.shape
    noise = random.standard_normal(shadow.shape, dtype=np.float32) * np.exp(shadow / 2) * np.float32(0.006)
    small = Image.fromarray(shadow).resize((max(1, columns // 32), max(1, rows // 32)), Image.Resampling.BOX)
    even = np.asarray(small.resize((columns, rows), Image.Resampling.BICUBIC), np.float32)
    level = shadow + noise - 0.55 * even
    low, high = np.percentile(level, (4, 99.7))
    picture = Image.fromarray(np.clip((level - low) / (high - low), 0, 1) * np.float32(3900))
    ImageDraw.Draw(picture).text((columns * 0.05, rows * 0.05), "R", fill=4000, font_size=max(8, rows // 24))
    return np.asarray(picture).astype(np.uint16)


def _acquisition(dataset: Dataset, study: Study) -> None:
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.SeriesDescription = "Torace PA"
    dataset.AcquisitionDate = dataset.ContentDate = study.date
    dataset.AcquisitionTime = dataset.ContentTime = study.time
    dataset.BodyPartExamined = "CHEST"
    dataset.ImageLaterality = "U"
    dataset.ViewPosition = "PA"
    dataset.PatientOrientation = ["L", "F"]
    dataset.AnatomicRegionSequence = [coded(codes.SCT.Chest)]
    dataset.ViewCodeSequence = [coded(codes.SCT.PosteroAnterior)]
    dataset.KVP = "125"
    dataset.ExposureInuAs = 2000
    dataset.DetectorType = "SCINTILLATOR"
    dataset.PositionerType = "NONE"


def _presentation(dataset: Dataset, spacing: float) -> None:
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.ImagerPixelSpacing = [decimal(spacing)] * 2
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = 1
    dataset.RescaleIntercept = "0"
    dataset.RescaleSlope = "1"
    dataset.RescaleType = "US"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.LossyImageCompression = "00"
    dataset.BurnedInAnnotation = "NO"
    dataset.WindowCenter = "2048"
    dataset.WindowWidth = "4096"
    dataset.AcquisitionContextSequence = []
