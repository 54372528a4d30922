"""The size of a picture: the viewport of PS3.18 8.3.5.1.3 and the shape of the pixels."""

from dataclasses import dataclass

from PIL import Image
from pydicom import Dataset

from dicomweb.rendering.functional_groups import frame_macro
from pacs.errors import InvalidQuery
from pacs.pixels.elements import numbers

# Vertical, then horizontal; the first that is there counts (PS3.3 10.7.1.3, C.7.6.3.1.7, C.8.6.1).
_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio")


@dataclass(frozen=True, slots=True)
class Viewport:
    """The room for a picture, and the part of the image that is to fill it, all in pixels.

    left, top: of the part.
    relative: whether the part is given in fractions of the image instead.
    part_width, part_height: None reaches to the edge; a negative one flips the picture that way.
    enlarge: whether a small image may be drawn larger than it is.
    """

    width: int
    height: int
    left: float = 0.0
    top: float = 0.0
    part_width: float | None = None
    part_height: float | None = None
    enlarge: bool = True
    relative: bool = False


def pixel_aspect(header: Dataset, frame_number: int) -> float:
    """Height of a pixel divided by its width; 1 when nothing usable says otherwise (PS3.3 C.7.6.3.1.7)."""
    measures = frame_macro(header, frame_number, "PixelMeasuresSequence")
    for source in (measures, header):
        for keyword in _SPACINGS:
            sides = numbers(source, keyword)
            if len(sides) == 2 and min(sides) > 0:
                return sides[0] / sides[1]
    return 1.0


def fit(image: Image.Image, viewport: Viewport, aspect: float) -> Image.Image:
    """Cut, scale and flip an image to be as large as the viewport allows, undistorted.

    Raises InvalidQuery when the part lies outside the image.
    """
    box = _part(image.size, viewport)
    size = _fitting_size(box[2] - box[0], box[3] - box[1], viewport, aspect)
    if size != image.size or box != (0, 0, *image.size):
        image = image.resize(size, Image.Resampling.BICUBIC, box, reducing_gap=2.0)
    if (viewport.part_width or 0) < 0:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if (viewport.part_height or 0) < 0:
        image = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    return image


def _part(size: tuple[int, int], viewport: Viewport) -> tuple[float, float, float, float]:
    across, down = size if viewport.relative else (1, 1)
    part_width = None if viewport.part_width is None else viewport.part_width * across
    part_height = None if viewport.part_height is None else viewport.part_height * down
    left, right = _extent(viewport.left * across, part_width, size[0])
    top, bottom = _extent(viewport.top * down, part_height, size[1])
    return left, top, right, bottom


def _extent(start: float, length: float | None, whole: int) -> tuple[float, float]:
    end = float(whole) if length is None else min(start + abs(length), whole)
    if end <= start:
        raise InvalidQuery(
            f"viewport: the part begins at {start:g}, outside the {whole} pixels of the image."
        )
    return start, end


def _fitting_size(width: float, height: float, viewport: Viewport, aspect: float) -> tuple[int, int]:
    """Oblong pixels are made square by stretching their shorter side."""
    if aspect > 1:
        height *= aspect
    else:
        width /= aspect
    scale = min(viewport.width / width, viewport.height / height)
    if not viewport.enlarge:
        scale = min(scale, 1.0)
    return (
        min(max(round(width * scale), 1), viewport.width),
        min(max(round(height * scale), 1), viewport.height),
    )
