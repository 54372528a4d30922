"""What a video says of its own form (PS3.18 10.5.2): the boxes of MP4, or the sequence header of MPEG-2."""

from collections.abc import Iterator
from struct import unpack_from

from pacs.files import Scratch, Stretch
from pacs.pixels.description import HEAD, PixelDescription

_MOST_BOXES = 1000
_MOST_INDEX = 16 << 20  # bytes of the box that tells of all tracks

_MPEG2_SEQUENCE = b"\0\0\1\xb3"  # ISO/IEC 13818-2 6.2.2.1
_MPEG2_MAIN, _MPEG2_HIGH = "1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.101"
_AVC_41, _AVC_42 = "1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.104"
_HEVC, _HEVC_10 = "1.2.840.10008.1.2.4.107", "1.2.840.10008.1.2.4.108"
_LEVEL_41 = 41  # ISO/IEC 14496-10 A.3, times ten
_MAIN_10 = 2  # general_profile_idc, ISO/IEC 23008-2 A.3.3
_SAMPLE_ENTRY = 78  # bytes of a visual sample entry before its boxes (ISO/IEC 14496-12 12.1.3)


def describe_video(media_type: str, stream: Stretch, scratch: Scratch) -> PixelDescription | None:
    """What is known of the pictures; None when the stream is none of its media type, or does not say."""
    if media_type == "video/mp4":
        return _describe_mp4(stream, scratch)
    head = scratch.read(stream, HEAD)
    at = head.find(_MPEG2_SEQUENCE)
    if at < 0 or len(head) < at + 7:
        return None
    size = int.from_bytes(head[at + 4 : at + 7], "big")
    columns, rows = size >> 12, size & 0xFFF
    syntax = _MPEG2_MAIN if columns <= 720 and rows <= 576 else _MPEG2_HIGH
    return PixelDescription(rows, columns, 3, "YBR_PARTIAL_420", 8, transfer_syntax_uid=syntax, frames=0)


def _describe_mp4(stream: Stretch, scratch: Scratch) -> PixelDescription | None:
    moov = _movie(stream, scratch)
    for track in _inside(moov, b"trak"):
        for table in _inside(track, b"mdia", b"minf", b"stbl"):
            sizes, entries = _first(table, b"stsz"), _first(table, b"stsd")
            frames = unpack_from(">I", sizes, 8)[0] if len(sizes) >= 12 else 0
            for kind, entry in _boxes(entries[8:]):
                coded = _coded(kind, entry)
                if coded is not None and len(entry) >= _SAMPLE_ENTRY:
                    columns, rows = unpack_from(">HH", entry, 24)
                    syntax, bits = coded
                    return PixelDescription(
                        rows, columns, 3, "YBR_PARTIAL_420", bits, transfer_syntax_uid=syntax, frames=frames
                    )
    return None


def _movie(stream: Stretch, scratch: Scratch) -> bytes:
    """The content of the box `moov`, wherever it lies; empty when there is none."""
    for _ in range(_MOST_BOXES):
        head = scratch.read(stream, 16)
        if len(head) < 16:
            break
        length, kind = unpack_from(">I4s", head)
        start = 16 if length == 1 else 8
        length = unpack_from(">Q", head, 8)[0] if length == 1 else length or len(stream)
        if length < start:
            break
        if kind == b"moov":
            return scratch.read(Stretch(stream.offset + start, min(length, len(stream)) - start), _MOST_INDEX)
        stream = stream.behind(length)
    return b""


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each box (ISO/IEC 14496-12 4.2)."""
    offset = 0
    while offset + 8 <= len(content):
        length, kind = unpack_from(">I4s", content, offset)
        if length < 8:
            return
        yield kind, content[offset + 8 : offset + length]
        offset += length


def _inside(content: bytes, *path: bytes) -> Iterator[bytes]:
    """The content of all boxes at a path."""
    for kind, inner in _boxes(content):
        if kind == path[0]:
            yield from _inside(inner, *path[1:]) if path[1:] else (inner,)


def _first(content: bytes, kind: bytes) -> bytes:
    return next(_inside(content, kind), b"")


def _coded(kind: bytes, entry: bytes) -> tuple[str, int] | None:
    """Transfer syntax and bits of a video track; None for what no transfer syntax holds."""
    boxes = entry[_SAMPLE_ENTRY:]
    if kind in (b"avc1", b"avc3"):
        level = _first(boxes, b"avcC")[3:4]
        return (_AVC_42 if level and level[0] > _LEVEL_41 else _AVC_41), 8
    if kind in (b"hvc1", b"hev1"):
        profile = _first(boxes, b"hvcC")[1:2]
        return (_HEVC_10, 10) if profile and profile[0] & 0x1F == _MAIN_10 else (_HEVC, 8)
    return None
