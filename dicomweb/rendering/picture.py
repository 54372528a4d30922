"""The one door of this room: a stored frame in, a picture in a file format out."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset

from dicomweb.rendering.annotation import Term, annotate
from dicomweb.rendering.grayscale import to_gray
from dicomweb.rendering.palette import colours_of
from dicomweb.rendering.presentation import Presentation, read_presentation
from dicomweb.rendering.softcopy import read_softcopy
from dicomweb.rendering.value_mapping import map_values
from dicomweb.rendering.viewport import Viewport, fit, pixel_aspect
from dicomweb.rendering.window import Window
from pacs.errors import CannotRender
from pacs.model import Instance
from pacs.pixels.decode import decode_frame
from pacs.pixels.elements import integer, text

MediaType = Literal["image/jpeg", "image/png", "image/gif"]

DEFAULT_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Rendering:
    """What is asked of a picture, PS3.18 8.3.5.1.

    viewport: None leaves the picture the pixel matrix of the image.
    window: None leaves the choice to the header, or else to the pixels; colour takes none.
    quality: 1 to 100, for JPEG only.
    annotation: what is written on it.
    state: the presentation state to be applied, in place of what the header says.
    """

    media_type: MediaType = "image/jpeg"
    viewport: Viewport | None = None
    window: Window | None = None
    quality: int = DEFAULT_QUALITY
    annotation: tuple[Term, ...] = ()
    state: Instance | None = None


def render(
    header: Dataset, frame: bytes, frame_number: int, rendering: Rendering, state: Dataset | None = None
) -> bytes:
    """Draw one frame, counted from 1, given as it is stored (see decode_frame), as a file of the media type.

    state: the header of the presentation state.
    Raises CannotRender when there is no picture to be had, InvalidQuery when the viewport lies outside it or
    the state is of another image.
    """
    softcopy = None if state is None else read_softcopy(state, header, frame_number)
    pixels = decode_frame(header, frame)
    presentation = softcopy.presentation if softcopy else None
    image = Image.fromarray(_shades(header, pixels, frame_number, rendering.window, presentation))
    aspect = pixel_aspect(header, frame_number)
    if softcopy:
        image, aspect = softcopy.arrange(image), softcopy.turned_aspect(aspect)
    if rendering.viewport is not None:
        image = fit(image, rendering.viewport, aspect)
    if rendering.annotation:
        image = annotate(image, header, rendering.annotation)
    return _encode(image, rendering)


def _shades(
    header: Dataset,
    pixels: NDArray[Any],
    frame_number: int,
    window: Window | None,
    presentation: Presentation | None,
) -> NDArray[np.uint8]:
    """Decoded pixels in 8 bits: (rows, columns) gray or (rows, columns, 3) RGB."""
    if pixels.ndim == 3:
        return _colour_in_8_bits(pixels, integer(header, "BitsStored") or 8)
    if text(header, "PhotometricInterpretation") == "PALETTE COLOR":
        signed = integer(header, "PixelRepresentation") == 1
        return map_values(pixels, lambda values: colours_of(values, header, signed))
    return to_gray(pixels, presentation or read_presentation(header, frame_number, window))


def _colour_in_8_bits(pixels: NDArray[Any], bits_stored: int) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8 and bits_stored >= 8:
        return np.ascontiguousarray(pixels)
    scaled = pixels >> (bits_stored - 8) if bits_stored > 8 else pixels << (8 - bits_stored)
    return scaled.astype(np.uint8)


def _encode(image: Image.Image, rendering: Rendering) -> bytes:
    file = BytesIO()
    try:
        match rendering.media_type:
            case "image/jpeg":
                # Full colour resolution: the fine red lines and letters of ultrasound would blur otherwise.
                image.save(file, "JPEG", quality=rendering.quality, subsampling="4:4:4")
            case "image/png":
                image.save(file, "PNG")
            case "image/gif":
                image.save(file, "GIF")
    except (OSError, ValueError) as error:
        raise CannotRender(
            f"A picture of {image.width} x {image.height} cannot be {rendering.media_type}."
        ) from error
    return file.getvalue()
