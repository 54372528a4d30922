"""A colour cine loop of the heart: Ultrasound Multi-frame Image Storage (PS3.3 A.7)."""

import numpy as np
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, UltrasoundMultiFrameImageStorage

from testdata.composite import composite, set_pixel_data
from testdata.compressed import compressed
from testdata.heart import DEPTH, Echo, Sector
from testdata.studies import HEART_US, Study

_BEAT_MILLISECONDS = 1000.0


def us_cine(
    study: Study = HEART_US,
    *,
    frames: int = 30,
    rows: int = 480,
    columns: int = 640,
    transfer_syntax_uid: str = JPEGBaseline8Bit,
    series_number: int = 1,
) -> Dataset:
    """One beat of the heart from the apex, with colour Doppler; it goes round without a jump.

    With JPEG baseline the pixels are YBR_FULL_422, native or in another syntax they are RGB.
    """
    echo = Echo(study.random("heart", study.patient.identifier), rows, columns)
    pictures = np.stack([echo.frame(index / frames) for index in range(frames)])
    dataset = composite(study, UltrasoundMultiFrameImageStorage, "US", series_number, 1)
    _image(dataset, study, frames)
    dataset.SequenceOfUltrasoundRegions = [_region(echo.sector)]
    dataset.SamplesPerPixel = 3
    dataset.PhotometricInterpretation = "RGB"
    dataset.PlanarConfiguration = 0
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelRepresentation = 0
    dataset.LossyImageCompression = "00"
    set_pixel_data(dataset, pictures.tobytes())
    if transfer_syntax_uid == ExplicitVRLittleEndian:
        return dataset
    return compressed(dataset, transfer_syntax_uid)


def _image(dataset: Dataset, study: Study, frames: int) -> None:
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "", "0011"]
    dataset.SeriesDescription = "Quattro camere apicale, color Doppler"
    dataset.BodyPartExamined = "HEART"
    dataset.AcquisitionDateTime = study.date + study.time
    dataset.ContentDate = study.date
    dataset.ContentTime = study.time
    dataset.NumberOfFrames = frames
    dataset.FrameIncrementPointer = 0x00181063
    dataset.FrameTime = f"{_BEAT_MILLISECONDS / frames:.6g}"
    dataset.CineRate = max(1, round(frames * 1000 / _BEAT_MILLISECONDS))
    dataset.RecommendedDisplayFrameRate = dataset.CineRate
    dataset.HeartRate = round(60000 / _BEAT_MILLISECONDS)
    dataset.UltrasoundColorDataPresent = 1
    dataset.NumberOfStages = 1
    dataset.NumberOfViewsInStage = 1


def _region(sector: Sector) -> Dataset:
    """The calibration of the sector, PS3.3 C.8.5.5: two dimensions, tissue and colour flow, centimetres."""
    region = Dataset()
    reach = DEPTH * sector.scale
    region.RegionSpatialFormat = 1
    region.RegionDataType = 2
    region.RegionFlags = 2
    region.RegionLocationMinX0 = max(0, round(sector.apex[0] - reach * 0.65))
    region.RegionLocationMinY0 = round(sector.apex[1])
    region.RegionLocationMaxX1 = min(sector.columns - 1, round(sector.apex[0] + reach * 0.65))
    region.RegionLocationMaxY1 = min(sector.rows - 1, round(sector.apex[1] + reach))
    region.ReferencePixelX0 = round(sector.apex[0]) - region.RegionLocationMinX0
    region.ReferencePixelY0 = 0
    region.PhysicalUnitsXDirection = 3
    region.PhysicalUnitsYDirection = 3
    region.ReferencePixelPhysicalValueX = 0.0
    region.ReferencePixelPhysicalValueY = 0.0
    region.PhysicalDeltaX = 0.1 / sector.scale
    region.PhysicalDeltaY = 0.1 / sector.scale
    return region
