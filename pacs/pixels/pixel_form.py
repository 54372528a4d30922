"""The form of the pixels of an instance: its Image Pixel module, checked before anything is allocated."""

from dataclasses import dataclass

from pydicom import Dataset
from pydicom.uid import UID

from pacs.errors import CannotRender
from pacs.pixels.elements import integer, text

# A decoded frame may be this large. The largest real ones, scans of whole slides, need a third of it.
MAX_FRAME_BYTES = 256 * 2**20

# PS3.5 A.1 to A.3 and A.5
_NATIVE = frozenset(
    {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"}
)
_MAX_SIDE = 65535
_BITS_ALLOCATED = (1, 8, 16, 32, 64)
_FLOAT_KEYWORDS = {32: "FloatPixelData", 64: "DoubleFloatPixelData"}


@dataclass(frozen=True, slots=True)
class PixelForm:
    """What the bytes of a frame mean, PS3.3 C.7.6.3 and C.7.6.24.

    keyword: PixelData, FloatPixelData or DoubleFloatPixelData.
    planar: whether native colour lies plane after plane.
    words: whether 8-bit pixels were written as 16-bit words (VR OW), which matters in big endian only.
    """

    transfer_syntax: UID
    keyword: str
    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    photometric_interpretation: str
    planar: bool
    words: bool

    @property
    def frame_bytes(self) -> int:
        """Length of one native frame in bytes."""
        return (self.rows * self.columns * self.samples * self.bits_allocated + 7) // 8

    @property
    def is_native(self) -> bool:
        """Whether the frames are not encapsulated."""
        return self.transfer_syntax in _NATIVE

    @property
    def is_plain(self) -> bool:
        """Whether the pixels are whole numbers of whole bytes, one for each."""
        return self.samples == 1 and self.keyword == "PixelData" and self.bits_allocated in (8, 16)


def pixel_form(header: Dataset) -> PixelForm:
    """Read and check the Image Pixel module.

    Raises CannotRender when an element is missing or senseless, or when a frame would be too large.
    """
    allocated = _required(header, "BitsAllocated")
    keyword = _pixel_keyword(header, allocated)
    is_float = keyword != "PixelData"
    form = PixelForm(
        transfer_syntax=_transfer_syntax(header),
        keyword=keyword,
        rows=_required(header, "Rows"),
        columns=_required(header, "Columns"),
        samples=_required(header, "SamplesPerPixel"),
        bits_allocated=allocated,
        bits_stored=allocated if is_float else _required(header, "BitsStored"),
        signed=not is_float and _required(header, "PixelRepresentation") == 1,
        photometric_interpretation=text(header, "PhotometricInterpretation"),
        planar=integer(header, "PlanarConfiguration") == 1,
        words="PixelData" in header and header["PixelData"].VR == "OW",
    )
    _check(form)
    return form


def _transfer_syntax(header: Dataset) -> UID:
    meta: Dataset = getattr(header, "file_meta", None) or Dataset()
    uid = meta.get("TransferSyntaxUID")
    if not uid:
        raise CannotRender("The transfer syntax is not known: the file meta information lacks it.")
    return UID(uid)


def _required(header: Dataset, keyword: str) -> int:
    found = integer(header, keyword)
    if found is None:
        raise CannotRender(f"{keyword} is absent or no whole number: the object has no picture.")
    return found


def _pixel_keyword(header: Dataset, bits_allocated: int) -> str:
    """Floating point pixels are told by what their module lacks: the header comes without the pixels."""
    if "BitsStored" in header or "PixelRepresentation" in header:
        return "PixelData"
    return _FLOAT_KEYWORDS.get(bits_allocated, "PixelData")


def _check(form: PixelForm) -> None:
    if not (0 < form.rows <= _MAX_SIDE and 0 < form.columns <= _MAX_SIDE):
        raise CannotRender(f"{form.rows} rows and {form.columns} columns are no size of a picture.")
    if form.samples not in (1, 3):
        raise CannotRender(f"SamplesPerPixel is {form.samples}; only 1 and 3 can be drawn.")
    if form.bits_allocated not in _BITS_ALLOCATED or not 0 < form.bits_stored <= form.bits_allocated:
        raise CannotRender(
            f"{form.bits_stored} bits stored in {form.bits_allocated} allocated cannot be drawn."
        )
    if not form.photometric_interpretation:
        raise CannotRender("PhotometricInterpretation is absent: the meaning of the pixels is not known.")
    if form.frame_bytes > MAX_FRAME_BYTES:
        raise CannotRender(
            f"A frame of {form.rows} x {form.columns} pixels needs {form.frame_bytes} bytes;"
            f" at most {MAX_FRAME_BYTES} are decoded here."
        )
