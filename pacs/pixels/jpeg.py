"""Lossy JPEG frames of 8 bits, with Pillow."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from pacs.errors import CannotRender
from pacs.pixels.pixel_form import PixelForm

_RGB_COMPONENTS = [b"R"[0], b"G"[0], b"B"[0]]


def decode_jpeg8(form: PixelForm, frame: bytes) -> NDArray[np.uint8]:
    """Decode a frame of 8 bits, sequential or progressive, to (rows, columns) or (rows, columns, 3) RGB."""
    try:
        with JpegImageFile(BytesIO(frame)) as image:
            if form.samples == 3 and _holds_rgb(form, image):
                # YCbCr is what libjpeg takes the components for, so nothing is converted on the way.
                image.draft("YCbCr", None)
            return np.array(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise CannotRender(f"The JPEG frame is damaged: {error}.") from error


def _holds_rgb(form: PixelForm, image: JpegImageFile) -> bool:
    """Whether the header alone says that the components are red, green and blue.

    What the stream itself says, by JFIF, Adobe or the names of its components, goes before the header;
    libjpeg follows it without our help.
    """
    told = "jfif" in image.info or "adobe_transform" in image.info
    named = [layer[0] for layer in image.layer] == _RGB_COMPONENTS
    return form.photometric_interpretation == "RGB" and not told and not named
