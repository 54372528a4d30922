"""Pixel data that came as bulk data, made a value of an object (PS3.18 10.5.2, PS3.5 A.4)."""

from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass
from itertools import accumulate
from struct import pack

from dicomweb.aside import Part
from dicomweb.media_types import OCTET_STREAM
from dicomweb.syntaxes import COMPRESSED_MEDIA_TYPES, UNCOMPRESSED_SYNTAXES
from dicomweb.video_description import describe_video
from pacs.dataset.elements import ITEM, PIXEL_DATA
from pacs.dataset.json_encoder import BulkValue
from pacs.dataset.transfer_syntax import EXPLICIT_LITTLE_ENDIAN
from pacs.errors import MalformedObject, MismatchedObject, UnsupportedObject
from pacs.files import Scratch, Stretch
from pacs.model import DicomJson
from pacs.pixels.codestream import bare_jpeg2000
from pacs.pixels.description import HEAD, LOSSY_JPEG, PixelDescription, describe
from pacs.pixels.pictures import MOST_BYTES, TRANSFORMED, transform

# PS3.18 Table 8.7.3-5: what a media type means that does not name its transfer syntax, where the stream
# does not say it itself.
_DEFAULT_SYNTAXES = {
    "image/dicom-rle": "1.2.840.10008.1.2.5",
    "image/jpx": "1.2.840.10008.1.2.4.92",
    "image/jxl": "1.2.840.10008.1.2.4.110",
    "video/mpeg2": "1.2.840.10008.1.2.4.100",
    "video/mp4": "1.2.840.10008.1.2.4.102",
}
# PS3.3 Table C.7-11c, Type 1
_NEEDED = {
    "00280002": "SamplesPerPixel",
    "00280004": "PhotometricInterpretation",
    "00280010": "Rows",
    "00280011": "Columns",
    "00280100": "BitsAllocated",
    "00280101": "BitsStored",
    "00280102": "HighBit",
    "00280103": "PixelRepresentation",
}
_NUMBER_OF_FRAMES = "00280008"
# What can be only one way: who says otherwise means other pixels
_FIXED = {key: _NEEDED[key] for key in ("00280002", "00280010", "00280011")} | {
    _NUMBER_OF_FRAMES: "NumberOfFrames"
}
_MOST_LENGTH = 0xFFFFFFFE
_BOXES = 1 << 16  # bytes of a JP2 file that its boxes are looked for in
_TRANSFER_SYNTAX_UID = 0x00020010


@dataclass(frozen=True, slots=True)
class PixelValue:
    """The value, the transfer syntax that it is in, and what it says of the attributes beside it."""

    value: BulkValue
    transfer_syntax_uid: str
    attributes: DicomJson


def pixel_value(parts: Sequence[Part], scratch: Scratch) -> PixelValue:
    """The pixels of an object out of its parts: one, or one for each frame.

    Raises MalformedObject, UnsupportedObject.
    """
    media_type, asked = parts[0].media_type.media_type, _asked_syntax(parts[0])
    streams = [part.where for part in parts]
    if asked in UNCOMPRESSED_SYNTAXES:
        return PixelValue(BulkValue(streams), EXPLICIT_LITTLE_ENDIAN, {})
    media_type = COMPRESSED_MEDIA_TYPES.get(asked, media_type)  # octets may be any of them
    if media_type == "image/jp2":
        streams = [_bare(stream, scratch) for stream in streams]
    described = _described(media_type, streams[0], scratch)
    is_progressive = described is not None and not described.transfer_syntax_uid
    if media_type in TRANSFORMED or (is_progressive and not asked):
        return _transformed(streams, scratch, described)
    syntax = asked or (described.transfer_syntax_uid if described else _DEFAULT_SYNTAXES.get(media_type, ""))
    if not syntax:
        raise MalformedObject(f"PixelData: the part is no {media_type} that can be read", PIXEL_DATA)
    attributes = described.attributes if described else {}
    frames = len(streams)
    if media_type.startswith("video/"):
        frames = described.frames if described else 0
    return PixelValue(BulkValue(list(_items(streams)), True), syntax, attributes | _frames(frames))


def _described(media_type: str, stream: Stretch, scratch: Scratch) -> PixelDescription | None:
    if media_type.startswith("video/"):
        return describe_video(media_type, stream, scratch)
    return describe(media_type, scratch.read(stream, HEAD))


def _asked_syntax(part: Part) -> str:
    """The transfer syntax that a part names; empty where only its media type tells.

    Raises UnsupportedObject.
    """
    media_type, asked = part.media_type.media_type, part.media_type.parameter("transfer-syntax") or ""
    known = media_type in TRANSFORMED or media_type in COMPRESSED_MEDIA_TYPES.values()
    if media_type == OCTET_STREAM:
        asked = asked or EXPLICIT_LITTLE_ENDIAN
        known = asked in UNCOMPRESSED_SYNTAXES or asked in COMPRESSED_MEDIA_TYPES
    elif asked:
        known = COMPRESSED_MEDIA_TYPES.get(asked) == media_type
    if not known:
        raise UnsupportedObject(
            "PixelData: no transfer syntax fits the part's media type", _TRANSFER_SYNTAX_UID
        )
    return asked


def _bare(stream: Stretch, scratch: Scratch) -> Stretch:
    """A JPEG 2000 code stream without the boxes of a file around it."""
    head = scratch.read(stream, _BOXES)
    return stream.behind(len(head) - len(bare_jpeg2000(head)))


def _transformed(
    streams: Sequence[Stretch], scratch: Scratch, described: PixelDescription | None
) -> PixelValue:
    """A picture decoded. described: as it came, if that was with loss."""
    if len(streams) > 1 or len(streams[0]) > MOST_BYTES:
        raise UnsupportedObject("PixelData: a picture to be decoded is one part of 64 MB at most", PIXEL_DATA)
    form, frames = transform(scratch.read(streams[0]))
    lossy = LOSSY_JPEG if described else {}
    attributes = form.attributes | lossy | _frames(len(frames))
    return PixelValue(BulkValue(frames), EXPLICIT_LITTLE_ENDIAN, attributes)


def _frames(count: int) -> DicomJson:
    """count: 0 where it is not known."""
    return {_NUMBER_OF_FRAMES: {"vr": "IS", "Value": [count]}} if count else {}


def _items(streams: Sequence[Stretch]) -> Iterator[Sized]:
    """The offset table and a fragment for each stream (PS3.5 A.4)."""
    sizes = [8 + len(stream) + len(stream) % 2 for stream in streams]
    offsets = [0, *accumulate(sizes)]
    longest = max(len(stream) for stream in streams)
    if longest > _MOST_LENGTH or not min(len(stream) for stream in streams):
        raise UnsupportedObject("PixelData: a frame is empty, or longer than 4 GB", PIXEL_DATA)
    table = offsets[:-1] if len(streams) > 1 and offsets[-2] <= _MOST_LENGTH else []
    yield pack("<HHI", ITEM >> 16, ITEM & 0xFFFF, 4 * len(table)) + pack(f"<{len(table)}I", *table)
    for stream in streams:
        padded = len(stream) + len(stream) % 2
        yield pack("<HHI", ITEM >> 16, ITEM & 0xFFFF, padded)
        yield stream
        yield b"\0" * (padded - len(stream))


def complete(data_set: DicomJson, told: DicomJson) -> DicomJson:
    """The data set with what its pixels tell. What it says itself stays.

    Raises MismatchedObject where they disagree, MalformedObject where neither says what is needed.
    """
    for key, keyword in _FIXED.items():
        if key in told and first_value(data_set, key) not in ("", first_value(told, key)):
            raise MismatchedObject(f"{keyword}: the metadata say another than the pixels", int(key, 16))
    if first_value(told, _NUMBER_OF_FRAMES) == "1":  # not all objects have the attribute
        told = {key: element for key, element in told.items() if key != _NUMBER_OF_FRAMES}
    said = {
        key: element for key, element in data_set.items() if key not in told or first_value(data_set, key)
    }
    completed = told | said
    for key, keyword in _NEEDED.items():
        if not first_value(completed, key):
            raise MalformedObject(f"{keyword} is missing, and the pixels do not tell it", int(key, 16))
    return completed


def first_value(data_set: DicomJson, key: str) -> str:
    """The first value of an attribute as text; empty when there is none. Anything may stand there."""
    element = data_set.get(key)
    values = element.get("Value") if isinstance(element, dict) else None
    return str(values[0]) if isinstance(values, list) and values and values[0] is not None else ""
