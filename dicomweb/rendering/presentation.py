"""How the stored values of one frame are meant to be seen: what the header and its functional groups say."""

from dataclasses import dataclass

from pydicom import Dataset

from dicomweb.rendering.functional_groups import frame_macro
from dicomweb.rendering.lookup_table import LookupTable, read_lookup_table
from dicomweb.rendering.window import Window, WindowFunction
from pacs.pixels.elements import integer, items, number, text


@dataclass(frozen=True, slots=True)
class Rescale:
    """Modality value = slope x stored value + intercept, PS3.3 C.11.1.1.2."""

    slope: float = 1.0
    intercept: float = 0.0


@dataclass(frozen=True, slots=True)
class Presentation:
    """The grayscale transformations of one frame, in the order of PS3.4 N.2.1.1.

    voi: None when nothing says which values matter.
    inverted: whether the lowest values are white.
    whole_range: the lowest and highest stored value, when there are so few that all can be told apart.
    padding: the lowest and highest stored value that stand for no pixel, or None (PS3.3 C.7.5.1.1.2).
    lut: a Presentation LUT, from shades to shades (PS3.3 C.11.4).
    """

    modality: Rescale | LookupTable
    voi: Window | LookupTable | None
    inverted: bool
    whole_range: tuple[int, int] | None
    padding: tuple[float, float] | None
    lut: LookupTable | None = None


def read_presentation(header: Dataset, frame_number: int, window: Window | None) -> Presentation:
    """Read how a frame, counted from 1, is to be presented; a window that is asked for goes first."""
    is_signed = integer(header, "PixelRepresentation") == 1
    rescaled = frame_macro(header, frame_number, "PixelValueTransformationSequence")
    voi = frame_macro(header, frame_number, "FrameVOILUTSequence")
    return Presentation(
        modality=read_modality(header, rescaled, is_signed),
        # The output of a modality table is never negative (PS3.3 C.11.1.1.1).
        voi=window or read_voi(header, voi, is_signed and not items(header, "ModalityLUTSequence")),
        inverted=_is_inverted(header),
        whole_range=_whole_range(header),
        padding=_read_padding(header),
    )


def read_modality(header: Dataset, rescaled: Dataset, signed: bool) -> Rescale | LookupTable:
    """The Modality LUT module: a table, or else a rescaling.

    rescaled: what has slope and intercept.  signed: whether stored values may be negative.
    """
    for item in items(header, "ModalityLUTSequence")[:1]:
        table = read_lookup_table(header, item, signed)
        if table is not None:
            return table
    slope, intercept = number(rescaled, "RescaleSlope"), number(rescaled, "RescaleIntercept")
    # A slope of 0 would leave nothing to see.
    return Rescale(slope or 1.0, intercept or 0.0)


def read_voi(header: Dataset, source: Dataset, signed: bool) -> Window | LookupTable | None:
    """The first table, or else the first window: tables are there because a window would not do.

    source: what has them.  signed: whether modality values may be negative.
    """
    for item in items(source, "VOILUTSequence")[:1]:
        table = read_lookup_table(header, item, signed)
        if table is not None:
            return table
    return _read_window(source)


def _read_window(source: Dataset) -> Window | None:
    center, width = number(source, "WindowCenter"), number(source, "WindowWidth")
    if center is None or width is None:
        return None
    name = text(source, "VOILUTFunction")
    function = WindowFunction(name) if name in WindowFunction.__members__ else WindowFunction.LINEAR
    window = Window(center, width, function)
    return window if window.makes_sense else None


def _is_inverted(header: Dataset) -> bool:
    return (
        text(header, "PhotometricInterpretation") == "MONOCHROME1"
        or text(header, "PresentationLUTShape") == "INVERSE"
    )


def _whole_range(header: Dataset) -> tuple[int, int] | None:
    """Up to 8 bits are shown as they are, but for label maps, whose few numbers would all be black."""
    bits = integer(header, "BitsStored")
    if bits is None or not 1 <= bits <= 8 or text(header, "SegmentationType") == "LABELMAP":
        return None
    if integer(header, "PixelRepresentation") == 1:
        return -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    return 0, (1 << bits) - 1


def _read_padding(header: Dataset) -> tuple[float, float] | None:
    for prefix in ("", "Float", "DoubleFloat"):
        value = number(header, f"{prefix}PixelPaddingValue")
        if value is not None:
            limit = number(header, f"{prefix}PixelPaddingRangeLimit")
            return (value, value) if limit is None else (min(value, limit), max(value, limit))
    return None
