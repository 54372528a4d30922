"""JPEG XL frames (ISO/IEC 18181), with libjxl."""

from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from pacs.errors import CannotRender
from pacs.pixels.pixel_form import PixelForm


def decode_jpeg_xl(form: PixelForm, frame: bytes) -> tuple[NDArray[Any], str]:
    """Decode a frame to its samples; colour comes out as RGB, whatever it was within the stream.

    Raises CannotRender when the frame is damaged or is not of the size that the header says.
    """
    if form.bits_allocated not in (8, 16) or form.keyword != "PixelData":
        raise CannotRender(f"JPEG XL with {form.bits_allocated} bits allocated is not decoded here.")
    shape = (form.rows, form.columns, form.samples)[: 3 if form.samples > 1 else 2]
    # Given room of this shape, the decoder refuses every other before it allocates anything.
    room = np.empty(shape, f"u{form.bits_allocated // 8}")
    try:
        pixels = np.asarray(imagecodecs.jpegxl_decode(frame, numthreads=1, out=room))
    except (RuntimeError, ValueError, TypeError) as error:
        raise CannotRender("The JPEG XL frame is damaged, or is not of the size in the header.") from error
    return pixels, "RGB" if form.samples == 3 else form.photometric_interpretation
