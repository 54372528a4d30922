"""The same image in other transfer syntaxes (PS3.5 A)."""

import io
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial

import gdcm
import numpy as np
from PIL import Image
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.utils import compress
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from testdata.studies import uid

LITTLE_ENDIAN = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)

# PS3.3 C.7.6.1.1.5.1
_LOSSY_METHODS = {
    JPEGBaseline8Bit: "ISO_10918_1",
    JPEGLSNearLossless: "ISO_14495_1",
    JPEG2000: "ISO_15444_1",
}


def compressed(dataset: Dataset, transfer_syntax_uid: str) -> Dataset:
    """A copy in another transfer syntax, one fragment for each frame where it is encapsulated.

    dataset: an image with native pixels, little endian.
    Without loss the copy is the same instance; with loss it says so and gets a UID of its own (C.7.6.1.1.5).
    JPEG baseline takes 8 bits, JPEG lossless an even number of bytes in a frame, JPEG 2000 at least 32 x 32.
    Raises ValueError for pixels that are encapsulated already or that the syntax cannot hold.
    """
    if dataset.file_meta.TransferSyntaxUID not in LITTLE_ENDIAN:
        raise ValueError("only native little endian pixels can be given another transfer syntax")
    target = UID(transfer_syntax_uid)
    copy = deepcopy(dataset)
    size = len(copy.PixelData)
    if target == ExplicitVRBigEndian:
        copy["PixelData"].value = _swapped(copy)
    elif target not in LITTLE_ENDIAN:
        _ENCODERS[target](copy)
    copy.file_meta.TransferSyntaxUID = target
    if target in _LOSSY_METHODS:
        _say_lossy(copy, target, size / len(copy.PixelData))
    return copy


def _swapped(dataset: Dataset) -> bytes:
    """Pixel data whose words have their bytes the other way round; bytes stay as they are (VR OB)."""
    width = dataset.BitsAllocated // 8 if dataset["PixelData"].VR == "OW" else 1
    return np.frombuffer(dataset.PixelData, f"<u{max(width, 1)}").byteswap().tobytes()


def _say_lossy(dataset: Dataset, transfer_syntax_uid: UID, ratio: float) -> None:
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionRatio = f"{ratio:.2f}"
    dataset.LossyImageCompressionMethod = _LOSSY_METHODS[transfer_syntax_uid]
    dataset.SOPInstanceUID = uid("lossy", dataset.SOPInstanceUID, transfer_syntax_uid)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.ImageType = ["DERIVED", *dataset.get("ImageType", ["", "SECONDARY"])[1:]]


def _by_pydicom(transfer_syntax_uid: UID, dataset: Dataset, **options: object) -> None:
    try:
        compress(dataset, transfer_syntax_uid, generate_instance_uid=False, **options)  # type: ignore[arg-type]
    except RuntimeError as reason:
        raise ValueError(f"these pixels cannot be encoded as {transfer_syntax_uid.name}") from reason


def _by_pillow(dataset: Dataset) -> None:
    if dataset.BitsAllocated != 8:
        raise ValueError("JPEG baseline holds 8 bits, and the pixels have more")
    frames = []
    for frame in _frames(dataset):
        stream = io.BytesIO()
        # Chroma of half the width is what YBR_FULL_422 means.
        Image.fromarray(frame).save(stream, "JPEG", quality=90, subsampling="4:2:2")
        frames.append(stream.getvalue())
    _encapsulate(dataset, frames)
    if dataset.SamplesPerPixel == 3:
        dataset.PhotometricInterpretation = "YBR_FULL_422"


def _by_gdcm(transfer_syntax_uid: UID, dataset: Dataset) -> None:
    _encapsulate(dataset, [_gdcm_frame(transfer_syntax_uid, dataset, frame) for frame in _frames(dataset)])


def _gdcm_frame(transfer_syntax_uid: UID, dataset: Dataset, frame: np.ndarray) -> bytes:
    # The writer owns the image: alone, an image outlives its parts and GDCM ends the process.
    writer = gdcm.ImageWriter()
    image = writer.GetImage()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((dataset.Columns, dataset.Rows, 1))
    kind = gdcm.PhotometricInterpretation.GetPIType(dataset.PhotometricInterpretation)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.ImplicitVRLittleEndian))
    bits = (dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation)
    image.SetPixelFormat(gdcm.PixelFormat(dataset.SamplesPerPixel, *bits))
    if dataset.SamplesPerPixel > 1:
        image.SetPlanarConfiguration(0)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetByteStringValue(frame.tobytes())
    image.SetDataElement(element)
    converter = gdcm.ImageChangeTransferSyntax()
    converter.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(transfer_syntax_uid)))
    converter.SetInput(image)
    if not converter.Change():
        raise ValueError(f"GDCM cannot encode these pixels as {transfer_syntax_uid.name}")
    fragments = converter.GetOutput().GetDataElement().GetSequenceOfFragments()
    value: str = fragments.GetFragment(0).GetByteValue().GetBuffer()
    return value.encode("utf-8", "surrogateescape")


def _frames(dataset: Dataset) -> Iterator[np.ndarray]:
    """One array for each frame, as stored: shape (rows, columns) or (rows, columns, samples)."""
    shape = (int(dataset.get("NumberOfFrames", 1)), dataset.Rows, dataset.Columns, dataset.SamplesPerPixel)
    sign = "i" if dataset.PixelRepresentation else "u"
    pixels = np.frombuffer(dataset.PixelData, f"<{sign}{dataset.BitsAllocated // 8}")
    for frame in pixels[: np.prod(shape)].reshape(shape):
        yield frame[..., 0] if dataset.SamplesPerPixel == 1 else frame


def _encapsulate(dataset: Dataset, frames: list[bytes]) -> None:
    dataset.add_new(0x7FE00010, "OB", encapsulate(frames))
    dataset["PixelData"].is_undefined_length = True


_ENCODERS: dict[UID, Callable[[Dataset], None]] = {
    # GDCM ends the whole process over an odd number of pixels.
    RLELossless: partial(_by_pydicom, RLELossless, encoding_plugin="pydicom"),
    JPEGLSLossless: partial(_by_pydicom, JPEGLSLossless),
    JPEGLSNearLossless: partial(_by_pydicom, JPEGLSNearLossless, jls_error=2),
    JPEG2000Lossless: partial(_by_pydicom, JPEG2000Lossless),
    JPEG2000: partial(_by_pydicom, JPEG2000, j2k_cr=[6]),
    JPEGBaseline8Bit: _by_pillow,
    JPEGLossless: partial(_by_gdcm, JPEGLossless),
    JPEGLosslessSV1: partial(_by_gdcm, JPEGLosslessSV1),
}
ENCAPSULATED = tuple(_ENCODERS)
