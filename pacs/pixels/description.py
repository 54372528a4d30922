"""What pixel data that came by themselves say of their own form (PS3.18 10.5.2).

It is what the Image Pixel Description Macro says (PS3.3 Table C.7-11c), which a sender may leave out.
"""

from dataclasses import dataclass
from struct import unpack_from

from pacs.model import DicomJson
from pacs.pixels.codestream import FRAME_MARKERS, jpeg2000_size, jpeg_segments

HEAD = 1 << 20  # bytes of a stream that its markers are looked for in

JPEG_BASELINE, JPEG_EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS, JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"
JPEG_LS_LOSSLESS, JPEG_LS_NEAR_LOSSLESS = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"
JPEG_2000_LOSSLESS, JPEG_2000 = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"
HTJ2K_LOSSLESS, HTJ2K = "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.203"

# PS3.3 C.7.6.1.1.5.1
_LOSSY_METHODS = {
    JPEG_BASELINE: "ISO_10918_1",
    JPEG_EXTENDED: "ISO_10918_1",
    JPEG_LS_NEAR_LOSSLESS: "ISO_14495_1",
    JPEG_2000: "ISO_15444_1",
    HTJ2K: "ISO_15444_15",
    "1.2.840.10008.1.2.4.100": "ISO_13818_2",
    "1.2.840.10008.1.2.4.101": "ISO_13818_2",
    "1.2.840.10008.1.2.4.102": "ISO_14496_10",
    "1.2.840.10008.1.2.4.104": "ISO_14496_10",
    "1.2.840.10008.1.2.4.107": "ISO_23008_2",
    "1.2.840.10008.1.2.4.108": "ISO_23008_2",
}
_SOF_LOSSLESS, _SOF_JPEG_LS = 0xC3, 0xF7
_JPEG_SYNTAXES = {0xC0: JPEG_BASELINE, 0xC1: JPEG_EXTENDED}  # ISO/IEC 10918-1 Table B.1
_SOS, _APP14 = 0xDA, 0xEE
_COD = 0xFF52  # ISO/IEC 15444-1 A.6.1


def _lossy(method: str) -> DicomJson:
    """PS3.3 C.7.6.1.1.5; nothing where there is no method."""
    if not method:
        return {}
    return {"00282110": {"vr": "CS", "Value": ["01"]}, "00282114": {"vr": "CS", "Value": [method]}}


LOSSY_JPEG = _lossy("ISO_10918_1")


@dataclass(frozen=True, slots=True)
class PixelDescription:
    """The form of the pixels.  stored: bits of a sample.  frames: 0 where they are not counted.

    transfer_syntax_uid: in which they can stay as they are; empty where they must be decoded.
    """

    rows: int
    columns: int
    samples: int
    photometric_interpretation: str
    stored: int
    signed: bool = False
    transfer_syntax_uid: str = ""
    frames: int = 1

    @property
    def attributes(self) -> DicomJson:
        """The macro, and whether there was loss (PS3.3 C.7.6.1.1.5)."""
        made: DicomJson = {
            "00280002": {"vr": "US", "Value": [self.samples]},
            "00280004": {"vr": "CS", "Value": [self.photometric_interpretation]},
            "00280010": {"vr": "US", "Value": [self.rows]},
            "00280011": {"vr": "US", "Value": [self.columns]},
            "00280100": {"vr": "US", "Value": [8 if self.stored <= 8 else 16]},
            "00280101": {"vr": "US", "Value": [self.stored]},
            "00280102": {"vr": "US", "Value": [self.stored - 1]},
            "00280103": {"vr": "US", "Value": [int(self.signed)]},
        }
        if self.samples > 1:
            made["00280006"] = {"vr": "US", "Value": [0]}
        return made | _lossy(_LOSSY_METHODS.get(self.transfer_syntax_uid, ""))


def describe(media_type: str, head: bytes) -> PixelDescription | None:
    """What a stream says at its beginning; None when it is none of its media type, or says nothing."""
    if media_type in ("image/jpeg", "image/jls"):
        return _describe_jpeg(head)
    return _describe_jpeg2000(head) if media_type in ("image/jp2", "image/jphc") else None


def _describe_jpeg(head: bytes) -> PixelDescription | None:
    """A JPEG or JPEG-LS stream, up to its first scan."""
    frame, adobe = b"", b""
    sof = 0
    for marker, start, end in jpeg_segments(head):
        if marker in FRAME_MARKERS and not frame:
            sof, frame = marker, head[start:end]
        elif marker == _APP14 and head.startswith(b"Adobe", start):
            adobe = head[start:end]
        elif marker == _SOS:
            return _jpeg(sof, frame, adobe, head[start:end]) if frame else None
    return None


def _jpeg(sof: int, frame: bytes, adobe: bytes, scan: bytes) -> PixelDescription | None:
    if len(frame) < 6 or len(frame) < 6 + 3 * frame[5] or frame[5] not in (1, 3):
        return None
    precision, rows, columns, samples = unpack_from(">BHHB", frame)
    parameter = scan[-3] if len(scan) > 3 else 0  # predictor (10918-1 B.2.3), or NEAR (14495-1 C.2.3)
    if sof == _SOF_JPEG_LS:
        syntax = JPEG_LS_NEAR_LOSSLESS if parameter else JPEG_LS_LOSSLESS
    elif sof == _SOF_LOSSLESS:
        syntax = JPEG_LOSSLESS_SV1 if parameter == 1 else JPEG_LOSSLESS
    else:
        syntax = _JPEG_SYNTAXES.get(sof, "")
    photometric = "MONOCHROME2"
    if samples == 3:
        photometric = "RGB" if sof in (_SOF_JPEG_LS, _SOF_LOSSLESS) else _jpeg_colour(frame, adobe)
    return PixelDescription(rows, columns, samples, photometric, precision, False, syntax)


def _jpeg_colour(frame: bytes, adobe: bytes) -> str:
    """As decoders take it: by the Adobe segment, then by the names of the components, then YCbCr."""
    names, sampling = frame[6::3][:3], frame[7::3][:3]
    if (adobe and adobe[11:12] == b"\0") or (not adobe and names == b"RGB"):
        return "RGB"
    return "YBR_FULL" if sampling[0] == sampling[1] == sampling[2] else "YBR_FULL_422"


def _describe_jpeg2000(head: bytes) -> PixelDescription | None:
    """A bare JPEG 2000 or HTJ2K code stream. Reversible is taken for lossless."""
    size = jpeg2000_size(head)
    coding = _find_coding_style(head)
    if size is None or coding is None or size.samples not in (1, 3):
        return None
    is_high_throughput, transforms_colour, is_reversible = coding
    photometric = "MONOCHROME2" if size.samples == 1 else "RGB"
    if size.samples == 3 and transforms_colour:
        photometric = "YBR_RCT" if is_reversible else "YBR_ICT"
    lossless, lossy = (HTJ2K_LOSSLESS, HTJ2K) if is_high_throughput else (JPEG_2000_LOSSLESS, JPEG_2000)
    syntax = lossless if is_reversible else lossy
    signed = bool(head[42] & 0x80)  # Ssiz
    return PixelDescription(
        size.rows, size.columns, size.samples, photometric, size.precision, signed, syntax
    )


def _find_coding_style(head: bytes) -> tuple[bool, bool, bool] | None:
    """Of the COD segment: whether blocks are coded as in HTJ2K, the colour transform, and the 5-3 wavelet."""
    offset = 2
    while offset + 14 <= len(head) and head[offset] == 0xFF:
        marker, length = unpack_from(">HH", head, offset)
        if marker == _COD:
            return bool(head[offset + 12] & 0x40), head[offset + 8] == 1, head[offset + 13] == 1
        offset += 2 + max(length, 2)
    return None
