"""Softcopy presentation states: how somebody wanted an image to be seen (PS3.3 A.33, PS3.4 N.2)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from PIL import Image
from pydicom import Dataset
from pydicom.uid import ColorSoftcopyPresentationStateStorage, GrayscaleSoftcopyPresentationStateStorage

from dicomweb.rendering.grayscale import modality_values
from dicomweb.rendering.lookup_table import read_lookup_table
from dicomweb.rendering.presentation import Presentation, read_modality, read_presentation, read_voi
from dicomweb.rendering.window import Window, WindowFunction
from pacs.errors import CannotRender, InvalidQuery
from pacs.pixels.elements import integer, items, numbers, text

_DRAWN = frozenset({GrayscaleSoftcopyPresentationStateStorage, ColorSoftcopyPresentationStateStorage})
_LARGEST_SIDE = 16384  # pixels of a displayed area, which may reach beyond the image

# Left, upper, right and lower edge, in pixels from the upper left corner of the image
Area = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Softcopy:
    """What a presentation state says of one frame.

    area: what is displayed of it, before it is turned; None for all.
    quarter_turns: clockwise.  flipped: left to right, after it was turned.
    aspect: height of a pixel divided by its width, where the state has one.
    """

    presentation: Presentation
    area: Area | None
    quarter_turns: int
    flipped: bool
    aspect: float | None

    def arrange(self, image: Image.Image) -> Image.Image:
        """The displayed area, turned and flipped; what lies outside the image is black."""
        if self.area is not None:
            image = image.crop(self.area)
        if self.quarter_turns:
            image = image.transpose(_TURNS[self.quarter_turns])
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if self.flipped else image

    def turned_aspect(self, of_image: float) -> float:
        """Height of a pixel of the picture divided by its width."""
        aspect = self.aspect or of_image
        return 1 / aspect if self.quarter_turns % 2 else aspect


# Pillow turns against the clock.
_TURNS = {
    1: Image.Transpose.ROTATE_270,
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_90,
}


def read_softcopy(state: Dataset, header: Dataset, frame_number: int) -> Softcopy:
    """Read what a state says of a frame, counted from 1, of the image with this header.

    Raises InvalidQuery when it is not of this frame, CannotRender when it is of a kind that is not applied.
    """
    if text(state, "SOPClassUID") not in _DRAWN:
        raise CannotRender("presentationUID: only grayscale and color presentation states are applied")
    if not _refers(state, header, frame_number):
        raise InvalidQuery("presentationUID: the presentation state is not of this image")
    turns = (integer(state, "ImageRotation") or 0) % 360
    area = next(_of_frame(state, "DisplayedAreaSelectionSequence", header, frame_number), Dataset())
    return Softcopy(
        presentation=_presentation(state, header, frame_number),
        area=_read_area(area),
        quarter_turns=turns // 90,
        flipped=text(state, "ImageHorizontalFlip") == "Y",
        aspect=_read_aspect(area),
    )


def _refers(state: Dataset, header: Dataset, frame_number: int) -> bool:
    """PS3.3 C.11.11."""
    return any(
        _is_meant(reference, header, frame_number)
        for series in items(state, "ReferencedSeriesSequence")
        for reference in items(series, "ReferencedImageSequence")
    )


def _is_meant(reference: Dataset, header: Dataset, frame_number: int) -> bool:
    frames = numbers(reference, "ReferencedFrameNumber")
    is_image = text(reference, "ReferencedSOPInstanceUID") == text(header, "SOPInstanceUID")
    return is_image and (not frames or frame_number in frames)


def _of_frame(state: Dataset, keyword: str, header: Dataset, frame_number: int) -> Iterator[Dataset]:
    """The items of a sequence that are of the frame: those that name no images are of all."""
    for item in items(state, keyword):
        references = items(item, "ReferencedImageSequence")
        if not references or any(_is_meant(one, header, frame_number) for one in references):
            yield item


def _presentation(state: Dataset, header: Dataset, frame_number: int) -> Presentation:
    """The state alone decides: what it does not have is identity, whatever the image says (PS3.4 N.2.1)."""
    of_image = read_presentation(header, frame_number, None)
    voi = next(_of_frame(state, "SoftcopyVOILUTSequence", header, frame_number), Dataset())
    luts = (read_lookup_table(state, item, False) for item in items(state, "PresentationLUTSequence"))
    is_signed = integer(header, "PixelRepresentation") == 1
    presentation = replace(
        of_image,
        modality=read_modality(state, state, is_signed),
        voi=read_voi(state, voi, is_signed and not items(state, "ModalityLUTSequence")),
        inverted=text(state, "PresentationLUTShape") == "INVERSE",
        lut=next(luts, None),
    )
    return presentation if presentation.voi else replace(presentation, voi=_whole(header, presentation))


def _whole(header: Dataset, presentation: Presentation) -> Window:
    """All values that an image can have."""
    bits = min(max(integer(header, "BitsStored") or 16, 1), 32)
    lowest = -(1 << (bits - 1)) if integer(header, "PixelRepresentation") == 1 else 0
    ends = modality_values([lowest, lowest + (1 << bits) - 1], presentation)
    low, high = float(ends.min()), float(ends.max())
    return Window((low + high) / 2, (high - low) or 1.0, WindowFunction.LINEAR_EXACT)


def _read_area(item: Dataset) -> Area | None:
    """PS3.3 C.10.4: two corners, counted from 1, each of which may be any of the four before the turn."""
    corners = [numbers(item, f"DisplayedArea{corner}HandCorner") for corner in ("TopLeft", "BottomRight")]
    if any(len(corner) != 2 for corner in corners):
        return None
    (left, right), (top, bottom) = (sorted(int(one) for one in pair) for pair in zip(*corners, strict=True))
    if max(right - left, bottom - top) >= _LARGEST_SIDE:
        raise CannotRender(f"presentationUID: it displays an area of more than {_LARGEST_SIDE} pixels a side")
    return left - 1, top - 1, right, bottom


def _read_aspect(item: Dataset) -> float | None:
    """The pixels may be given another shape than the image says."""
    for keyword in ("PresentationPixelSpacing", "PresentationPixelAspectRatio"):
        sides = numbers(item, keyword)
        if len(sides) == 2 and min(sides) > 0:
            return sides[0] / sides[1]
    return None
