"""Pictures that no transfer syntax holds as they are, decoded to native pixels (PS3.18 Table 10.5.2-1)."""

import io
import struct
import threading
import zlib
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from pacs.errors import MalformedObject, UnsupportedObject
from pacs.pixels.description import PixelDescription

PIXEL_DATA = 0x7FE00010
TRANSFORMED = frozenset({"image/gif", "image/png"})

MOST_BYTES = 64 << 20  # of the pixels of one picture, which are in memory as a whole
_PNG_FORM = 24  # where a PNG says its bits and channels (ISO/IEC 15948 11.2.2)
# What pillow raises for pictures that are broken somewhere
_NOT_WHOLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)

_one_at_a_time = threading.Lock()  # for the sake of memory


def transform(picture: bytes) -> tuple[PixelDescription, list[bytes]]:
    """What a GIF, PNG or JPEG shows, and the native pixels of each frame. Transparency is left out.

    Raises MalformedObject for what is none, UnsupportedObject for more than can be kept without loss.
    """
    with _one_at_a_time:
        try:
            with Image.open(io.BytesIO(picture), formats=("GIF", "PNG", "JPEG")) as image:
                return _decode(image, picture)
        except _NOT_WHOLE as error:
            raise MalformedObject("PixelData: the part is no whole picture", PIXEL_DATA) from error


def _decode(image: Any, picture: bytes) -> tuple[PixelDescription, list[bytes]]:
    bits, channels = picture[_PNG_FORM : _PNG_FORM + 2] if image.format == "PNG" else (8, 0)
    if bits == 16 and channels:
        raise UnsupportedObject("PixelData: PNG of 16 bits is taken in shades of grey only", PIXEL_DATA)
    frames = image.n_frames if image.format == "GIF" else 1
    if image.width * image.height * frames * 3 > MOST_BYTES:
        raise UnsupportedObject(f"PixelData: more than {MOST_BYTES >> 20} MB of pixels", PIXEL_DATA)
    if bits == 16:
        form = PixelDescription(image.height, image.width, 1, "MONOCHROME2", 16)
        return form, [np.asarray(image).astype("<u2").tobytes()]
    is_grey = image.mode in ("1", "L", "LA")
    pixels = [_converted(image, number, "L" if is_grey else "RGB") for number in range(frames)]
    samples, photometric = (1, "MONOCHROME2") if is_grey else (3, "RGB")
    return PixelDescription(image.height, image.width, samples, photometric, 8), pixels


def _converted(image: Any, number: int, mode: str) -> bytes:
    if number:
        image.seek(number)
    pixels: bytes = image.convert(mode).tobytes()
    return pixels
