"""Stored objects and frames in other transfer syntaxes than the stored one (ADR 14).

Frame by frame: what is at hand at once is one frame, whatever the object holds.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import chain
from struct import unpack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pacs.dataset.elements import SEQUENCE_DELIMITER, UNDEFINED, Encoding
from pacs.dataset.heads import explicit_head, implicit_head, item_of
from pacs.dataset.part10 import FileMeta, file_meta_bytes
from pacs.dataset.rewrite import (
    Changes,
    explicit_element,
    implicit_element,
    rewritten,
    swapped,
)
from pacs.dataset.transfer_syntax import (
    DEFLATED,
    EXPLICIT_BIG_ENDIAN,
    EXPLICIT_LITTLE_ENDIAN,
    IMPLICIT_LITTLE_ENDIAN,
    encoding_of,
)
from pacs.errors import CannotRender, FrameNotFound, MalformedObject
from pacs.model import Instance, PixelLocation, Source
from pacs.pixels.decode import DECODABLE, decode_samples, is_whole
from pacs.pixels.elements import integer
from pacs.pixels.encode import CODINGS, encode_samples
from pacs.pixels.pixel_form import PixelForm, pixel_form
from pacs.retrieve import Reader

NATIVE = frozenset({IMPLICIT_LITTLE_ENDIAN, EXPLICIT_LITTLE_ENDIAN, EXPLICIT_BIG_ENDIAN, DEFLATED})
LOSSY = frozenset(uid for uid, coding in CODINGS.items() if coding.lossy)

CHUNK = 1 << 20  # bytes of native pixels that are written anew at a time
_LONGEST = 0xFFFFFFFE  # bytes of a value of known length

_PHOTOMETRIC_INTERPRETATION = 0x00280004
_PLANAR_CONFIGURATION = 0x00280006
_EXTENDED_OFFSETS: Changes = {0x7FE00001: None, 0x7FE00002: None}
_VR_OF_FLOATS = {0x7FE00008: "OF", 0x7FE00009: "OD"}
_WIDTH = {"OB": 1, "OF": 4, "OD": 8}
_RLE = "1.2.840.10008.1.2.5"

# Once decoded (PS3.5 8.2): subsampled colour has all samples, the transformations of JPEG 2000 are undone.
_DECODED = {"YBR_FULL_422": "YBR_FULL", "YBR_RCT": "RGB", "YBR_ICT": "RGB"}
_LOSSY_JPEG = frozenset(f"1.2.840.10008.1.2.4.{last}" for last in ("50", "51", "53", "55"))


@cache
def conceivable_syntaxes(transfer_syntax_uid: str) -> tuple[str, ...]:
    """What frames of some object in this transfer syntax can be given in, the preferred one first."""
    if transfer_syntax_uid not in DECODABLE:
        return ()
    return tuple(uid for uid in (EXPLICIT_LITTLE_ENDIAN, *CODINGS) if uid != transfer_syntax_uid)


class Transcoder:
    """Gives stored objects in other transfer syntaxes. Safe for threads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def frame_syntaxes(self, instance: Instance) -> tuple[str, ...]:
        """The transfer syntaxes that frames of this instance can be given in besides the stored one."""
        if instance.pixels is None:
            return ()
        try:
            header = self._reader.header(instance)
            form = pixel_form(header)
        except (CannotRender, MalformedObject):
            return ()
        sound = integer(header, "HighBit") == form.bits_stored - 1
        return tuple(
            uid for uid in conceivable_syntaxes(instance.transfer_syntax_uid) if _can_be(form, uid, sound)
        )

    def object_syntaxes(self, instance: Instance) -> tuple[str, ...]:
        """The transfer syntaxes that the whole object can be given in: none that loses anything."""
        found = self.frame_syntaxes(instance)
        rewritable = instance.transfer_syntax_uid in NATIVE - {EXPLICIT_LITTLE_ENDIAN}
        explicit = rewritable or (EXPLICIT_LITTLE_ENDIAN in found and self._fits_natively(instance))
        encoded = tuple(uid for uid in found if uid not in LOSSY | {EXPLICIT_LITTLE_ENDIAN})
        return ((EXPLICIT_LITTLE_ENDIAN,) if explicit else ()) + encoded

    def size(self, instance: Instance) -> int:
        """About how many bytes the object takes uncompressed; it may be fewer, not many more."""
        pixels = instance.pixels
        if pixels is None or not pixels.encapsulated:
            return instance.size * 2
        return instance.size + pixel_form(self._reader.header(instance)).frame_bytes * pixels.number_of_frames

    def frame(self, instance: Instance, number: int, transfer_syntax_uid: str) -> bytes:
        """One frame, number counting from 1; uncompressed ones as their Planar Configuration has it.

        transfer_syntax_uid: one of `frame_syntaxes`.
        Raises FrameNotFound; CannotRender when the stored frame is damaged.
        """
        form = pixel_form(self._reader.header(instance))
        return _converted(form, self._reader.frame(instance, number), transfer_syntax_uid)[0]

    def content(self, instance: Instance, transfer_syntax_uid: str) -> Iterator[bytes]:
        """The object as a Part 10 file, a piece at a time; what goes before the second frame comes first.

        transfer_syntax_uid: one of `object_syntaxes`.
        Raises CannotRender when a stored frame is damaged or absent.
        """
        meta = FileMeta(instance.sop_class_uid, instance.sop_instance_uid, transfer_syntax_uid)
        pieces = self.data_set(instance, transfer_syntax_uid)
        yield file_meta_bytes(meta, Source(), "") + next(pieces)
        yield from pieces

    def data_set(self, instance: Instance, transfer_syntax_uid: str) -> Iterator[bytes]:
        """The data set alone, in pieces as `content` has them.

        transfer_syntax_uid: one of `object_syntaxes`; where Explicit VR Little Endian is one, or is what is
            stored, Implicit VR Little Endian too.
        Raises CannotRender when a stored frame is damaged or absent.
        """
        if transfer_syntax_uid == IMPLICIT_LITTLE_ENDIAN:
            encoding = encoding_of(instance.transfer_syntax_uid)
            head, tail = self._reader.around_pixels(instance)
            changes, pieces = self._pixels(instance, EXPLICIT_LITTLE_ENDIAN)
            yield _without_vrs(rewritten(head, encoding, changes))
            yield from _with_implicit_head(instance, pieces)
            yield _without_vrs(rewritten(tail, encoding, {}))
            return
        before, pieces, behind = self.parts(instance, transfer_syntax_uid)
        yield before
        yield from pieces
        yield behind

    def parts(self, instance: Instance, transfer_syntax_uid: str) -> tuple[bytes, Iterator[bytes], bytes]:
        """The elements before the pixel data, the pixel data element in pieces, and the elements after it.

        All in Explicit VR Little Endian.  transfer_syntax_uid: one of `object_syntaxes`, Explicit VR Little
            Endian where it is the stored one, or a stored one of encapsulated pixels.
        Raises CannotRender when a stored frame is damaged or absent.
        """
        encoding = encoding_of(instance.transfer_syntax_uid)
        head, tail = self._reader.around_pixels(instance)
        changes, pieces = self._pixels(instance, transfer_syntax_uid)
        return rewritten(head, encoding, changes), pieces, rewritten(tail, encoding, {})

    def _fits_natively(self, instance: Instance) -> bool:
        """Whether the decoded frames are one value in which each begins at a byte."""
        form, pixels = pixel_form(self._reader.header(instance)), instance.pixels
        count = pixels.number_of_frames if pixels else 0
        begins_at_byte = form.rows * form.columns * form.samples * form.bits_allocated % 8 == 0
        return form.frame_bytes * count <= _LONGEST and (begins_at_byte or count == 1)

    def _pixels(self, instance: Instance, transfer_syntax_uid: str) -> tuple[Changes, Iterator[bytes]]:
        """What changes in the header, and the pixel data element in pieces."""
        pixels = instance.pixels
        if pixels is None:
            return {}, iter(())
        if instance.transfer_syntax_uid in NATIVE and transfer_syntax_uid == EXPLICIT_LITTLE_ENDIAN:
            return {}, self._native(instance, pixels)
        if instance.transfer_syntax_uid == transfer_syntax_uid:
            return {}, self._as_they_lie(instance, pixels)
        header = self._reader.header(instance)
        form = pixel_form(header)
        converted = (_converted(form, f, transfer_syntax_uid) for f in self._reader.frames(instance))
        try:
            first, photometric_interpretation = next(converted)
        except FrameNotFound as error:
            raise CannotRender("The object has fewer frames than it announces.") from error
        frames = chain([first], _alike(converted, photometric_interpretation))
        changes = _changes(form, photometric_interpretation, transfer_syntax_uid)
        if transfer_syntax_uid == EXPLICIT_LITTLE_ENDIAN:
            return changes, _uncompressed(form, pixels, frames)
        return changes, _encapsulated(pixels, frames)

    def _native(self, instance: Instance, pixels: PixelLocation) -> Iterator[bytes]:
        """Native pixels as they are, but for the order of their bytes."""
        vr = _VR_OF_FLOATS.get(pixels.tag) or self._reader.vr_of_pixels(instance, pixels)
        bits = integer(self._reader.header(instance), "BitsAllocated") or 8
        width = (
            _WIDTH.get(vr, max(bits // 8, 2)) if instance.transfer_syntax_uid == EXPLICIT_BIG_ENDIAN else 1
        )
        yield explicit_head(pixels.tag, vr, pixels.length)
        with self._reader.content(instance) as read:
            for start in range(0, pixels.length, CHUNK):
                piece = read(pixels.offset + start, min(CHUNK, pixels.length - start))
                yield swapped(piece, width)

    def _as_they_lie(self, instance: Instance, pixels: PixelLocation) -> Iterator[bytes]:
        """Encapsulated pixels with their offset table and fragments."""
        yield explicit_head(pixels.tag, "OB", UNDEFINED)
        with self._reader.content(instance) as read:
            for start in range(0, pixels.length, CHUNK):
                yield read(pixels.offset + start, min(CHUNK, pixels.length - start))
        yield implicit_head(SEQUENCE_DELIMITER, 0)


def _without_vrs(part: bytes) -> bytes:
    return rewritten(part, Encoding(explicit=True), {}, implicit_element)


def _with_implicit_head(instance: Instance, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Native pixels, of which the first piece is what stands before the value (PS3.5 7.1.2 and 7.1.3)."""
    for explicit in pieces:
        assert instance.pixels is not None  # noqa: S101 - or there were no pieces
        (length,) = unpack("<I", explicit[-4:])
        yield implicit_head(instance.pixels.tag, length)
        yield from pieces


def _can_be(form: PixelForm, transfer_syntax_uid: str, sound: bool) -> bool:
    """sound: whether the highest stored bit is where encoders look for it."""
    if transfer_syntax_uid == EXPLICIT_LITTLE_ENDIAN:
        return not form.is_native or form.photometric_interpretation != "YBR_FULL_422"
    return sound and CODINGS[transfer_syntax_uid].holds(_as_decoded(form))


def _as_decoded(form: PixelForm) -> PixelForm:
    photometric_interpretation = _DECODED.get(
        form.photometric_interpretation, form.photometric_interpretation
    )
    if form.samples == 3 and form.transfer_syntax in _LOSSY_JPEG:
        photometric_interpretation = "RGB"
    return replace(form, photometric_interpretation=photometric_interpretation)


def _converted(form: PixelForm, frame: bytes, transfer_syntax_uid: str) -> tuple[bytes, str]:
    """A stored frame in another transfer syntax, and its Photometric Interpretation there."""
    if not is_whole(form, frame):
        raise CannotRender("The compressed frame ends too early.")
    pixels, found = decode_samples(form, frame)
    photometric_interpretation = _DECODED.get(found, found)
    if transfer_syntax_uid == EXPLICIT_LITTLE_ENDIAN:
        return _native_bytes(form, pixels), photometric_interpretation
    decoded = replace(form, photometric_interpretation=photometric_interpretation)
    inside = CODINGS[transfer_syntax_uid].photometric_interpretation(photometric_interpretation)
    return encode_samples(decoded, pixels, transfer_syntax_uid), inside


def _native_bytes(form: PixelForm, pixels: NDArray[Any]) -> bytes:
    if form.bits_allocated == 1:
        return np.packbits(pixels.ravel().astype(bool), bitorder="little").tobytes()
    if form.planar and pixels.ndim == 3:
        pixels = np.moveaxis(pixels, -1, 0)
    kind = "f" if form.keyword != "PixelData" else "i" if form.signed else "u"
    native = pixels.astype(f"<{kind}{form.bits_allocated // 8}", copy=False)
    if pixels.itemsize > native.itemsize and not np.array_equal(pixels, native):
        raise CannotRender("The decoded pixels have more bits than the header allocates.")
    return native.tobytes()


def _alike(converted: Iterator[tuple[bytes, str]], photometric_interpretation: str) -> Iterator[bytes]:
    for frame, found in converted:
        if found != photometric_interpretation:
            raise CannotRender("The frames of the object have colours of several kinds.")
        yield frame


def _changes(form: PixelForm, photometric_interpretation: str, transfer_syntax_uid: str) -> Changes:
    """PS3.3 C.7.6.3.1.2 and C.7.6.3.1.3; nothing is lost, so all else stays true."""
    name = photometric_interpretation.encode("ascii")
    name += b" " * (len(name) % 2)
    changes = dict(_EXTENDED_OFFSETS)
    changes[_PHOTOMETRIC_INTERPRETATION] = explicit_element(_PHOTOMETRIC_INTERPRETATION, "CS", name)
    if form.samples > 1 and transfer_syntax_uid not in (EXPLICIT_LITTLE_ENDIAN, _RLE):
        changes[_PLANAR_CONFIGURATION] = explicit_element(_PLANAR_CONFIGURATION, "US", b"\0\0")
    return changes


def _uncompressed(form: PixelForm, pixels: PixelLocation, frames: Iterator[bytes]) -> Iterator[bytes]:
    length = form.frame_bytes * pixels.number_of_frames
    vr = _VR_OF_FLOATS.get(pixels.tag, "OW" if form.bits_allocated > 8 else "OB")
    yield explicit_head(pixels.tag, vr, length + length % 2)
    yield from frames
    yield b"\0" * (length % 2)


def _encapsulated(pixels: PixelLocation, frames: Iterator[bytes]) -> Iterator[bytes]:
    """One fragment for each frame, behind an empty offset table (PS3.5 A.4)."""
    yield explicit_head(pixels.tag, "OB", UNDEFINED) + item_of(b"")
    for frame in frames:
        yield item_of(frame)
    yield implicit_head(SEQUENCE_DELIMITER, 0)
