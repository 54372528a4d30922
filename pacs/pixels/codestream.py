"""What a compressed frame says of its own size, read from its first markers before a decoder runs."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

# SOF0 to SOF15 without DHT, JPG and DAC (ISO/IEC 10918-1 table B.1), and SOF55 (ISO/IEC 14495-1 C.1.1).
FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_SOS, _APP0, _APP14 = 0xDA, 0xE0, 0xEE
# DHT, DAC, SOS, DQT, DRI, APP0 to APP15 and COM: the others are no segments, or do not come before a scan.
_OTHER_MARKERS = frozenset({0xC4, 0xCC, _SOS, 0xDB, 0xDD, *range(0xE0, 0xF0), 0xFE})
# None, YCbCr, YCCK.
_ADOBE_TRANSFORMS = (b"\0", b"\x01", b"\x02")
# Segments before the frame header. Real streams have a dozen; a cap keeps a hostile one from holding us.
_MAX_SEGMENTS = 1000
# Fill bytes before a marker, B.1.1.2.
_MAX_FILL = 64

# JP2 signature box, ISO/IEC 15444-1 I.5.1.
_JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  "
_MAX_BOXES = 100
# SOC, SIZ, Lsiz, Rsiz, Xsiz, Ysiz, XOsiz, YOsiz, the four tile values, Csiz, Ssiz (ISO/IEC 15444-1 A.5.1).
_SIZ = struct.Struct(">HHHH8IHB")
_SOC, _SIZ_MARKER = 0xFF4F, 0xFF51


@dataclass(frozen=True, slots=True)
class StreamSize:
    """The size that a code stream announces; precision in bits per sample."""

    rows: int
    columns: int
    samples: int
    precision: int


def jpeg_size(stream: bytes) -> StreamSize | None:
    """The frame header of a JPEG or JPEG-LS stream, or None when there is none to be found."""
    for marker, start, _ in jpeg_segments(stream):
        if marker in FRAME_MARKERS and len(stream) >= start + 6:
            precision, rows, columns, samples = struct.unpack_from(">BHHB", stream, start)
            return StreamSize(rows, columns, samples, precision)
    return None


def has_clean_jpeg_header(stream: bytes) -> bool:
    """Whether all is in order up to the first scan of a JPEG stream.

    GDCM does not refuse a stream whose header makes libjpeg warn: it ends the process. So nothing may lie
    between the segments, nothing be cut off, and the application segments that libjpeg reads be well formed.
    """
    for marker, start, end in jpeg_segments(stream):
        payload = stream[start:end]
        if end > len(stream) or not (marker in FRAME_MARKERS or marker in _OTHER_MARKERS):
            return False
        if marker == _APP0 and payload.startswith(b"JFIF\0") and payload[5:6] != b"\x01":
            return False
        if marker == _APP14 and payload.startswith(b"Adobe") and payload[11:12] not in _ADOBE_TRANSFORMS:
            return False
        if marker == _SOS:
            return True
    return False


def jpeg_segments(stream: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of the payload of each segment behind SOI, up to what is no segment."""
    offset = 2
    for _ in range(_MAX_SEGMENTS if stream.startswith(b"\xff\xd8") else 0):
        ahead = stream[offset : offset + _MAX_FILL]
        offset += max(len(ahead) - len(ahead.lstrip(b"\xff")) - 1, 0)
        if len(stream) < offset + 4 or stream[offset] != 0xFF:
            return
        length = int.from_bytes(stream[offset + 2 : offset + 4], "big")
        yield stream[offset + 1], offset + 4, offset + 2 + length
        offset += 2 + length


def bare_jpeg2000(stream: bytes) -> bytes:
    """The code stream itself, without the boxes of a JP2 file that some devices wrongly leave around it."""
    if not stream.startswith(_JP2_SIGNATURE):
        return stream
    offset = 0
    for _ in range(_MAX_BOXES):
        length = int.from_bytes(stream[offset : offset + 4], "big")
        if stream[offset + 4 : offset + 8] == b"jp2c":
            return stream[offset + 8 :]
        if length < 8:
            break
        offset += length
    return stream


def jpeg2000_size(stream: bytes) -> StreamSize | None:
    """The SIZ segment of a bare JPEG 2000 or HTJ2K stream, or None when it does not begin with one."""
    if len(stream) < _SIZ.size:
        return None
    start, marker, _, _, x, y, left, top, *_, samples, sample_bits = _SIZ.unpack_from(stream)
    if start != _SOC or marker != _SIZ_MARKER:
        return None
    return StreamSize(max(y - top, 0), max(x - left, 0), samples, (sample_bits & 0x7F) + 1)
