"""A T2-weighted MR of the head: MR Image Storage, one object for each slice (PS3.3 A.4)."""

import numpy as np
from pydicom import Dataset
from pydicom.uid import MRImageStorage

from testdata.composite import composite, decimal, set_grey_pixels
from testdata.head import BOTTOM, FIELD_OF_VIEW, TOP, Head
from testdata.phantom import Floats
from testdata.studies import HEAD_MR, Study, uid

_NOISE = 22.0


def mr_series(
    study: Study = HEAD_MR,
    *,
    slices: int = 24,
    rows: int = 256,
    columns: int = 256,
    series_number: int = 3,
) -> list[Dataset]:
    """Axial slices from the skull base upwards, 12 bits in 16, without rescale, tilted by some degrees."""
    head = Head(study.random("head", study.patient.identifier))
    random = study.random("mr", series_number)
    spacing = (TOP - BOTTOM) / slices
    series = []
    for index in range(slices):
        z = BOTTOM + spacing * (index + 0.5)
        signal = _received(head.cut(rows, columns, z).values, random)
        dataset = composite(study, MRImageStorage, "MR", series_number, index + 1)
        _series(dataset, study, spacing)
        _plane(dataset, z, rows, columns)
        set_grey_pixels(dataset, np.clip(signal, 0, 4095).astype(np.uint16), 12)
        series.append(dataset)
    return series


def _received(signal: Floats, random: np.random.Generator) -> Floats:
    """What the coil hears: a little brighter near it, and the noise of a magnitude image."""
    rows, columns = signal.shape
    sensitivity = np.hypot(np.linspace(-1, 1, rows)[:, None], np.linspace(-1, 1, columns)) * 0.18 + 0.92
    real, imaginary = random.standard_normal((2, rows, columns), dtype=np.float32) * np.float32(_NOISE)
    received: Floats = np.hypot(signal * sensitivity + real, imaginary)
    return received


def _series(dataset: Dataset, study: Study, spacing: float) -> None:
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "SE"]
    dataset.SeriesDescription = "T2 TSE assiale"
    dataset.ProtocolName = "Encefalo"
    dataset.BodyPartExamined = "HEAD"
    dataset.PatientPosition = "HFS"
    dataset.FrameOfReferenceUID = uid("frame of reference", study.seed, "MR")
    dataset.PositionReferenceIndicator = ""
    dataset.AcquisitionDate = dataset.ContentDate = study.date
    dataset.AcquisitionTime = dataset.ContentTime = study.time
    dataset.ScanningSequence = "SE"
    dataset.SequenceVariant = "SK"
    dataset.ScanOptions = ""
    dataset.MRAcquisitionType = "2D"
    dataset.RepetitionTime = "4800"
    dataset.EchoTime = "98"
    dataset.EchoTrainLength = 15
    dataset.MagneticFieldStrength = "1.5"
    dataset.FlipAngle = "150"
    dataset.SliceThickness = decimal(spacing * 0.9)
    dataset.SpacingBetweenSlices = decimal(spacing)
    dataset.WindowCenter = "700"
    dataset.WindowWidth = "1400"


def _plane(dataset: Dataset, z: float, rows: int, columns: int) -> None:
    """Slices stand on a normal that leans by eight degrees, as when they are laid along the brain's axis."""
    spacing = FIELD_OF_VIEW / columns
    right = np.array([1.0, 0.0, 0.0])
    down = np.array([0.0, np.cos(np.radians(8)), np.sin(np.radians(8))])
    corner = np.cross(right, down) * z - right * spacing * (columns - 1) / 2 - down * spacing * (rows - 1) / 2
    dataset.PixelSpacing = [decimal(spacing)] * 2
    dataset.SliceLocation = decimal(z)
    dataset.ImagePositionPatient = [decimal(place) for place in corner]
    dataset.ImageOrientationPatient = [decimal(part) for part in (*right, *down)]
