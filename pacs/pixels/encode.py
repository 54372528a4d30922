"""Samples of one frame into the code stream of a transfer syntax, without loss but for JPEG baseline."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import imagecodecs
import jpeg_ls
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pacs.errors import CannotRender
from pacs.pixels.pixel_form import PixelForm
from pacs.pixels.rle import pack_rle

_QUALITY = 90  # of JPEG baseline, as that of rendered pictures
_MOST_RESOLUTIONS = 6  # of JPEG 2000, as its encoders commonly have
_LEAST_JPEG_LS = 256  # bytes of a frame; the room that the encoder leaves for its result is too small below

_GRAY = ("MONOCHROME1", "MONOCHROME2")
_ALL = (*_GRAY, "PALETTE COLOR", "RGB", "YBR_FULL")

# What the codecs raise.
_ENCODER_ERRORS = (OSError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Coding:
    """What a transfer syntax can hold, and how it is written.

    bits: Bits Stored, from the fewest to the most.
    photometric_interpretations: of the samples that go in (PS3.5 8.2).
    renamed: the Photometric Interpretation that some have within the code stream.
    tight: whether the pixels must be allocated no more bytes than they need.
    """

    encode: Callable[[PixelForm, NDArray[Any]], bytes]
    bits: range
    signed: bool = True
    photometric_interpretations: tuple[str, ...] = _ALL
    renamed: tuple[tuple[str, str], ...] = ()
    lossy: bool = False
    tight: bool = False
    least_bytes: int = 1

    def holds(self, form: PixelForm) -> bool:
        """Whether such pixels can be written. form: as they are once decoded."""
        return (
            form.keyword == "PixelData"
            and form.bits_allocated in (8, 16)
            and form.bits_stored in self.bits
            and (self.signed or not form.signed)
            and form.photometric_interpretation in self.photometric_interpretations
            and form.frame_bytes >= self.least_bytes
            and not (self.tight and form.bits_stored <= form.bits_allocated - 8)
        )

    def photometric_interpretation(self, decoded: str) -> str:
        """What the object says of encoded samples that were this when decoded."""
        return dict(self.renamed).get(decoded, decoded)


def encode_samples(form: PixelForm, pixels: NDArray[Any], transfer_syntax_uid: str) -> bytes:
    """One frame in a transfer syntax of CODINGS, padded to an even length.

    form: of the samples.  pixels: (rows, columns) or (rows, columns, 3).
    Raises CannotRender when the samples are none that the transfer syntax can hold.
    """
    coding = CODINGS[transfer_syntax_uid]
    pixels = _with_sign(form, pixels)
    if not coding.holds(form) or not _within_stored_bits(form, pixels):
        raise CannotRender(
            "The pixels cannot be held by the transfer syntax, or have more bits than they say."
        )
    typed = np.ascontiguousarray(pixels, f"{'i' if form.signed else 'u'}{form.bits_allocated // 8}")
    try:
        stream = coding.encode(form, typed)
    except _ENCODER_ERRORS as error:
        raise CannotRender(f"The frame cannot be encoded: {type(error).__name__}.") from error
    return stream + b"\x00" * (len(stream) % 2)


def _with_sign(form: PixelForm, pixels: NDArray[Any]) -> NDArray[Any]:
    """Signed values that came as their stored bits alone, as some devices write them, with their sign."""
    spare = form.bits_allocated - form.bits_stored
    if not form.signed or not spare or int(pixels.min()) < 0 or int(pixels.max()) >> form.bits_stored:
        return pixels
    return pixels.astype(f"i{form.bits_allocated // 8}") << spare >> spare


def _within_stored_bits(form: PixelForm, pixels: NDArray[Any]) -> bool:
    """Otherwise an overlay lies above the stored bits, and it would be lost."""
    low = -(1 << form.bits_stored - 1) if form.signed else 0
    return int(pixels.min()) >= low and int(pixels.max()) < low + (1 << form.bits_stored)


def _bit_patterns(form: PixelForm, pixels: NDArray[Any]) -> NDArray[Any]:
    """Signed values as the stored bits that they are, for codecs that know no sign."""
    patterns: NDArray[Any] = pixels.view(f"u{pixels.itemsize}")
    return patterns & np.array((1 << form.bits_stored) - 1, patterns.dtype) if form.signed else patterns


def _jpeg_baseline(form: PixelForm, pixels: NDArray[Any]) -> bytes:
    file = BytesIO()
    mode = "YCbCr" if form.photometric_interpretation == "YBR_FULL" else None
    # Chroma of half the width: colour in this transfer syntax is YBR_FULL_422 (PS3.5 8.2.1).
    Image.fromarray(pixels, mode).save(file, "JPEG", quality=_QUALITY, subsampling="4:2:2")
    return file.getvalue()


def _jpeg_lossless(form: PixelForm, pixels: NDArray[Any]) -> bytes:
    colours = "rgb" if form.samples == 3 else None  # they are stored as they are, whatever they mean
    return bytes(
        imagecodecs.jpeg8_encode(
            _bit_patterns(form, pixels),
            lossless=True,
            predictor=1,
            bitspersample=form.bits_stored,
            colorspace=colours,
            outcolorspace=colours,
        )
    )


def _jpeg_ls(form: PixelForm, pixels: NDArray[Any]) -> bytes:
    patterns = _bit_patterns(form, pixels)
    return bytes(
        jpeg_ls.encode_buffer(
            patterns.astype(f"<u{patterns.itemsize}").tobytes(),
            form.rows,
            form.columns,
            form.samples,
            form.bits_stored,
            interleave_mode=2 if form.samples > 1 else 0,
        )
    )


def _jpeg_2000(form: PixelForm, pixels: NDArray[Any]) -> bytes:
    halvings = min(form.rows, form.columns).bit_length()
    return bytes(
        imagecodecs.jpeg2k_encode(
            pixels,
            codecformat="J2K",
            reversible=True,
            mct=form.photometric_interpretation == "RGB",
            bitspersample=form.bits_stored,
            resolutions=min(halvings, _MOST_RESOLUTIONS),
            numthreads=1,
        )
    )


def _htj2k(form: PixelForm, pixels: NDArray[Any]) -> bytes:
    is_rgb = form.photometric_interpretation == "RGB"
    return bytes(imagecodecs.htj2k_encode(pixels, reversible=True, rgb=is_rgb))


def _jpeg_xl(form: PixelForm, pixels: NDArray[Any]) -> bytes:
    return bytes(
        imagecodecs.jpegxl_encode(
            pixels, lossless=True, bitspersample=form.bits_stored, usecontainer=False, effort=3, numthreads=1
        )
    )


_RCT = (("RGB", "YBR_RCT"),)  # PS3.5 8.2.4: the reversible transformation of JPEG 2000

# PS3.5 8.2 and Annex A.4. The preferred ones first; that with loss last.
CODINGS: dict[str, Coding] = {
    "1.2.840.10008.1.2.4.80": Coding(_jpeg_ls, range(2, 17), least_bytes=_LEAST_JPEG_LS),
    "1.2.840.10008.1.2.4.90": Coding(_jpeg_2000, range(1, 17), renamed=_RCT),
    "1.2.840.10008.1.2.4.201": Coding(_htj2k, range(1, 17), renamed=_RCT),
    "1.2.840.10008.1.2.4.70": Coding(_jpeg_lossless, range(2, 17), tight=True),
    "1.2.840.10008.1.2.5": Coding(pack_rle, range(1, 17)),
    "1.2.840.10008.1.2.4.110": Coding(
        _jpeg_xl,
        range(1, 17),
        signed=False,
        photometric_interpretations=(*_GRAY, "PALETTE COLOR", "RGB"),
        tight=True,
    ),
    "1.2.840.10008.1.2.4.50": Coding(
        _jpeg_baseline,
        range(8, 9),
        signed=False,
        photometric_interpretations=(*_GRAY, "RGB", "YBR_FULL"),
        lossy=True,
        tight=True,
    ),
}
