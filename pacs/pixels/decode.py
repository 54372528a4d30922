"""One frame as it is stored, in whatever transfer syntax, into an array of stored values or RGB."""

import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, ExplicitVRLittleEndian

from pacs.errors import CannotRender
from pacs.pixels.codestream import (
    StreamSize,
    bare_jpeg2000,
    jpeg2000_size,
    jpeg_size,
)
from pacs.pixels.gdcm_jpeg import unpack_with_gdcm
from pacs.pixels.jpeg import decode_jpeg8
from pacs.pixels.jpeg_xl import decode_jpeg_xl
from pacs.pixels.pixel_form import PixelForm, pixel_form
from pacs.pixels.rle import unpack_rle

_JPEG_END = b"\xff\xd9"
_LONGEST_END = 64  # bytes from the last marker on, with padding

# What pydicom's decoders raise, NotImplementedError among them as a RuntimeError.
_DECODER_ERRORS = (AttributeError, KeyError, RuntimeError, TypeError, ValueError)


# Pixels as (rows, columns) or (rows, columns, samples), and their photometric interpretation.
Samples = tuple[NDArray[Any], str]


def decode_frame(header: Dataset, frame: bytes) -> NDArray[Any]:
    """Decode one frame to (rows, columns) of stored values or to (rows, columns, 3) RGB.

    header: with file_meta; its Image Pixel module says what the bytes mean.
    frame: the native bytes, or the concatenated fragments, of one frame. Pixels of one bit begin at a byte.
    Raises CannotRender when something is missing, damaged, too large, or in an unknown transfer syntax.
    """
    form = pixel_form(header)
    pixels, photometric_interpretation = decode_samples(form, frame)
    if form.is_native and form.is_plain:
        pixels = _stored_bits(pixels, form)
    return _to_rgb(pixels, photometric_interpretation)


def decode_samples(form: PixelForm, frame: bytes) -> Samples:
    """Decode one frame to its samples, and say what colours they are; no colour is converted that the code
    stream itself does not convert.

    Raises CannotRender as decode_frame does.
    """
    decoder = _DECODERS.get(form.transfer_syntax)
    if decoder is None:
        raise CannotRender(f"Frames in the transfer syntax {form.transfer_syntax.name} are not decoded here.")
    pixels, photometric_interpretation = decoder(form, frame)
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False), photometric_interpretation


def is_whole(form: PixelForm, frame: bytes) -> bool:
    """Whether a code stream ends as it must: what was cut off is made up by some decoders without a word."""
    return form.transfer_syntax not in _ENDING_WITH_MARKER or _JPEG_END in frame[-_LONGEST_END:]


def _native(form: PixelForm, frame: bytes) -> Samples:
    """The commonest form, gray in little endian, needs no decoder; all others go through pydicom's."""
    if form.is_plain and form.transfer_syntax.is_little_endian and len(frame) == form.frame_bytes:
        dtype = np.dtype(f"<{'i' if form.signed else 'u'}{form.bits_allocated // 8}")
        pixels = np.frombuffer(frame, dtype).reshape(form.rows, form.columns)
        return pixels, form.photometric_interpretation
    return _with_pydicom(form, form.transfer_syntax, frame, planar=form.planar)


def _stored_bits(pixels: NDArray[Any], form: PixelForm) -> NDArray[Any]:
    """Without the bits above the stored ones, where overlays were put."""
    spare = form.bits_allocated - form.bits_stored
    if not spare:
        return pixels
    if not form.signed:
        stored: NDArray[Any] = np.bitwise_and(pixels, (1 << form.bits_stored) - 1)
        return stored
    shifted: NDArray[Any] = pixels << spare
    shifted >>= spare
    return shifted


def _deflated_frame(form: PixelForm, frame: bytes) -> Samples:
    """Deflated Image Frame Compression, PS3.5 A.4.13."""
    try:
        native = zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame, form.frame_bytes + 1)
    except zlib.error as error:
        raise CannotRender("The deflated frame is damaged.") from error
    return _with_pydicom(form, ExplicitVRLittleEndian, native, planar=form.planar)


def _rle(form: PixelForm, frame: bytes) -> Samples:
    return _unpacked(form, unpack_rle(form, frame), planar=form.samples > 1)


def _lossy_jpeg(form: PixelForm, frame: bytes) -> Samples:
    size = _checked_size(form, jpeg_size(frame))
    if size.precision == 8:
        return decode_jpeg8(form, frame), "RGB" if form.samples == 3 else form.photometric_interpretation
    if form.samples != 1:
        raise CannotRender(f"Lossy JPEG in colour with {size.precision} bits is not decoded here.")
    return _with_gdcm(form, frame, size)


def _lossless_jpeg(form: PixelForm, frame: bytes) -> Samples:
    return _with_gdcm(form, frame, _checked_size(form, jpeg_size(frame)))


def _with_gdcm(form: PixelForm, frame: bytes, size: StreamSize) -> Samples:
    return _unpacked(form, unpack_with_gdcm(form, frame, size), planar=False)


def _jpeg_ls(form: PixelForm, frame: bytes) -> Samples:
    _checked_size(form, jpeg_size(frame))
    # CharLS spends seconds on a stream that ends without a marker, so there is always one.
    return _with_pydicom(form, form.transfer_syntax, encapsulate([frame + _JPEG_END]), plugin="pyjpegls")


def _jpeg2000(form: PixelForm, frame: bytes) -> Samples:
    stream = bare_jpeg2000(frame)
    _checked_size(form, jpeg2000_size(stream))
    return _with_pydicom(form, form.transfer_syntax, encapsulate([stream]), plugin="pylibjpeg")


def _unpacked(form: PixelForm, native: bytes, planar: bool) -> Samples:
    """Once unpacked, every pixel has all its samples, whatever the header says of subsampling."""
    if form.photometric_interpretation == "YBR_FULL_422":
        form = replace(form, photometric_interpretation="YBR_FULL")
    return _with_pydicom(form, ExplicitVRLittleEndian, native, planar=planar)


def _checked_size(form: PixelForm, size: StreamSize | None) -> StreamSize:
    """The decoders trust one size or the other, so both must be the same, and thus within the limit."""
    if size is None:
        raise CannotRender("The compressed frame does not begin as its transfer syntax demands.")
    if (size.rows, size.columns, size.samples) != (form.rows, form.columns, form.samples):
        raise CannotRender(
            f"The compressed frame is {size.rows} x {size.columns} x {size.samples}, the header says"
            f" {form.rows} x {form.columns} x {form.samples}."
        )
    return size


def _with_pydicom(
    form: PixelForm, transfer_syntax: UID, source: bytes, plugin: str = "", planar: bool = False
) -> Samples:
    options = _pydicom_options(form, planar)
    try:
        pixels, properties = get_decoder(transfer_syntax).as_array(
            source, index=0, raw=True, decoding_plugin=plugin, **options
        )
    except _DECODER_ERRORS as error:
        reason = " ".join(str(error).split())
        raise CannotRender(f"The frame cannot be decoded ({transfer_syntax.name}): {reason}") from error
    return pixels, str(properties["photometric_interpretation"])


def _pydicom_options(form: PixelForm, planar: bool) -> dict[str, Any]:
    return {
        "allow_excess_frames": False,
        "number_of_frames": 1,
        "pixel_keyword": form.keyword,
        "pixel_vr": "OW" if form.words else "OB",
        "rows": form.rows,
        "columns": form.columns,
        "samples_per_pixel": form.samples,
        "planar_configuration": int(planar),
        "bits_allocated": form.bits_allocated,
        "bits_stored": form.bits_stored,
        "pixel_representation": int(form.signed),
        "photometric_interpretation": form.photometric_interpretation,
    }


def _to_rgb(pixels: NDArray[Any], photometric_interpretation: str) -> NDArray[Any]:
    """YBR_FULL and YBR_FULL_422 are full range YCbCr (PS3.3 C.7.6.3.1.2), as Pillow's is."""
    if photometric_interpretation not in ("YBR_FULL", "YBR_FULL_422"):
        return pixels
    if pixels.dtype != np.uint8 or pixels.ndim != 3:
        raise CannotRender(f"{photometric_interpretation} can be drawn with three samples of 8 bits only.")
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels), "YCbCr").convert("RGB"))


_Decoder = Callable[[PixelForm, bytes], Samples]

# PS3.6 table A-1. One decoder for each: a hostile frame that one of them refuses shall not try the next.
_DECODERS: dict[str, _Decoder] = {
    "1.2.840.10008.1.2": _native,
    "1.2.840.10008.1.2.1": _native,
    "1.2.840.10008.1.2.1.99": _native,
    "1.2.840.10008.1.2.2": _native,
    "1.2.840.10008.1.2.4.50": _lossy_jpeg,
    "1.2.840.10008.1.2.4.51": _lossy_jpeg,
    "1.2.840.10008.1.2.4.53": _lossy_jpeg,
    "1.2.840.10008.1.2.4.55": _lossy_jpeg,
    "1.2.840.10008.1.2.4.57": _lossless_jpeg,
    "1.2.840.10008.1.2.4.70": _lossless_jpeg,
    "1.2.840.10008.1.2.4.80": _jpeg_ls,
    "1.2.840.10008.1.2.4.81": _jpeg_ls,
    "1.2.840.10008.1.2.4.90": _jpeg2000,
    "1.2.840.10008.1.2.4.91": _jpeg2000,
    "1.2.840.10008.1.2.4.110": decode_jpeg_xl,
    "1.2.840.10008.1.2.4.111": decode_jpeg_xl,
    "1.2.840.10008.1.2.4.112": decode_jpeg_xl,
    "1.2.840.10008.1.2.4.201": _jpeg2000,
    "1.2.840.10008.1.2.4.202": _jpeg2000,
    "1.2.840.10008.1.2.4.203": _jpeg2000,
    "1.2.840.10008.1.2.5": _rle,
    "1.2.840.10008.1.2.8.1": _deflated_frame,
}

# JPEG, JPEG-LS, JPEG 2000 and HTJ2K
_ENDING_WITH_MARKER = frozenset(
    uid for uid, decoder in _DECODERS.items() if decoder in (_lossy_jpeg, _lossless_jpeg, _jpeg_ls, _jpeg2000)
)

# Transfer syntaxes whose frames can be decoded.
DECODABLE = frozenset(_DECODERS)
