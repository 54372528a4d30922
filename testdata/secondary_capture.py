"""Pictures of any pixel description: Secondary Capture Image Storage and its multi-frame kinds."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import (
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameSingleBitSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from testdata.composite import composite, set_pixel_data
from testdata.studies import CHEST_XRAY, Study


def secondary_capture(
    pixels: NDArray[np.integer[Any] | np.bool_],
    photometric_interpretation: str = "MONOCHROME2",
    *,
    bits_stored: int | None = None,
    planar: bool = False,
    study: Study = CHEST_XRAY,
    series_number: int = 900,
    instance_number: int = 1,
) -> Dataset:
    """A picture of exactly these stored values.

    pixels: (rows, columns) or (frames, rows, columns), with a last axis of 3 for colour; the kind of number
    gives bits allocated and sign; bool gives one bit.
    planar: colours lie in planes (Planar Configuration 1).
    """
    samples = 3 if photometric_interpretation.startswith(("RGB", "YBR")) else 1
    frames = (
        pixels.reshape(-1, *pixels.shape[-3:]) if samples == 3 else pixels.reshape(-1, *pixels.shape[-2:])
    )
    is_multi_frame = pixels.ndim > (3 if samples == 3 else 2)
    dataset = composite(
        study, _sop_class(pixels, is_multi_frame, samples), "OT", series_number, instance_number
    )
    dataset.ConversionType = "WSD"
    dataset.SamplesPerPixel = samples
    dataset.PhotometricInterpretation = photometric_interpretation
    dataset.Rows, dataset.Columns = frames.shape[1:3]
    bits = 1 if pixels.dtype == np.bool_ else pixels.itemsize * 8
    dataset.BitsAllocated, dataset.BitsStored = bits, bits_stored or bits
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    if is_multi_frame:
        dataset.NumberOfFrames = len(frames)
        dataset.FrameIncrementPointer = 0x00181063
        dataset.FrameTime = "100"
    if samples == 3:
        dataset.PlanarConfiguration = int(planar)
        frames = np.moveaxis(frames, -1, 1) if planar else frames
    set_pixel_data(dataset, _stored(frames))
    return dataset


def palette_colour(indices: NDArray[np.uint8], colours: NDArray[np.uint16], **options: Any) -> Dataset:
    """A PALETTE COLOR picture: indices (rows, columns) into colours (entries, 3), which have 16 bits.

    options: as for secondary_capture.
    """
    dataset = secondary_capture(indices, "PALETTE COLOR", **options)
    for keyword, column in (("Red", 0), ("Green", 1), ("Blue", 2)):
        setattr(dataset, f"{keyword}PaletteColorLookupTableDescriptor", [len(colours) % 65536, 0, 16])
        table = np.ascontiguousarray(colours[:, column]).astype("<u2").tobytes()
        setattr(dataset, f"{keyword}PaletteColorLookupTableData", table)
    return dataset


def _sop_class(pixels: NDArray[Any], is_multi_frame: bool, samples: int) -> str:
    if not is_multi_frame:
        return SecondaryCaptureImageStorage
    if samples == 3:
        return MultiFrameTrueColorSecondaryCaptureImageStorage
    if pixels.dtype == np.bool_:
        return MultiFrameSingleBitSecondaryCaptureImageStorage
    if pixels.itemsize == 1:
        return MultiFrameGrayscaleByteSecondaryCaptureImageStorage
    return MultiFrameGrayscaleWordSecondaryCaptureImageStorage


def _stored(frames: NDArray[Any]) -> bytes:
    if frames.dtype == np.bool_:
        return np.packbits(frames.ravel(), bitorder="little").tobytes()
    return frames.astype(frames.dtype.newbyteorder("<")).tobytes()
