"""RLE frames (PS3.5 annex G).

They are unpacked by Pillow's PackBits decoder, which never writes past the frame.
"""

import struct
from itertools import accumulate, pairwise
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pacs.errors import CannotRender
from pacs.pixels.pixel_form import PixelForm

_HEADER = struct.Struct("<16L")
_MAX_SEGMENTS = 15


def unpack_rle(form: PixelForm, frame: bytes) -> bytes:
    """The native little endian bytes of an RLE frame; colour lies plane after plane.

    Segments are byte planes, the most significant first, sample after sample (PS3.5 G.2).
    """
    bytes_per_sample = max(form.bits_allocated // 8, 1)
    segments = _segments(frame, form.samples * bytes_per_sample)
    length = form.frame_bytes // (form.samples * bytes_per_sample)
    planes = np.empty((form.samples, length, bytes_per_sample), np.uint8)
    for index, segment in enumerate(segments):
        sample, significance = divmod(index, bytes_per_sample)
        planes[sample, :, bytes_per_sample - 1 - significance] = _unpack_segment(segment, length)
    return planes.tobytes()


def _segments(frame: bytes, expected: int) -> list[bytes]:
    if len(frame) < _HEADER.size:
        raise CannotRender("The RLE frame ends within its header.")
    count, *offsets = _HEADER.unpack_from(frame)
    if count != expected or count > _MAX_SEGMENTS:
        raise CannotRender(f"The RLE frame has {count} segments instead of {expected}.")
    bounds = [*offsets[:count], len(frame)]
    return [frame[start:end] for start, end in pairwise(bounds)]


def _unpack_segment(segment: bytes, length: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    try:
        # One line as long as the plane: writers do not all begin a new run with each row.
        plane = Image.frombytes("L", (length, 1), segment, "packbits", "L")
    except ValueError as error:
        raise CannotRender("A segment of the RLE frame is damaged.") from error
    return np.frombuffer(plane.tobytes(), np.uint8)


def pack_rle(form: PixelForm, pixels: NDArray[Any]) -> bytes:
    """Samples as an RLE frame, in which each row begins a new run (PS3.5 G.3.1)."""
    planes = pixels.astype(f">u{form.bits_allocated // 8}", casting="unsafe", copy=False)
    octets = planes.view(np.uint8).reshape(form.rows, form.columns, -1)
    segments = [_packed(octets[:, :, number]) for number in range(octets.shape[2])]
    starts = list(accumulate(map(len, segments), initial=_HEADER.size))[:-1]
    unused = [0] * (_MAX_SEGMENTS - len(segments))
    return b"".join((_HEADER.pack(len(segments), *starts, *unused), *segments))


def _packed(plane: NDArray[np.uint8]) -> bytes:
    contiguous = np.frombuffer(plane.tobytes(), np.uint8).reshape(plane.shape)
    packed = bytes(imagecodecs.packbits_encode(contiguous, axis=-1))
    return packed + b"\x00" * (len(packed) % 2)
