"""Palette colour: stored values that are numbers of colours (PS3.3 C.7.6.3.1.5, C.7.6.3.1.6 and C.7.9)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from dicomweb.rendering.lookup_table import Descriptor, is_big_endian, read_descriptor, read_entries
from pacs.errors import CannotRender
from pacs.pixels.elements import value

_MAX_ENTRIES = 65536
_COLOURS = ("Red", "Green", "Blue")


def colours_of(values: NDArray[Any], header: Dataset, signed: bool) -> NDArray[np.uint8]:
    """The colours, (..., 3) RGB, of stored values; what lies outside the palette takes its nearest colour.

    Raises CannotRender when the palette is absent or damaged.
    """
    descriptors = [_read_descriptor(header, colour, signed) for colour in _COLOURS]
    channels = [_read_entries(header, *pair) for pair in zip(_COLOURS, descriptors, strict=True)]
    shift = _shift_to_8_bits(descriptors[0].bits, channels)
    colours = [
        _look_up(values, descriptor.first, (entries >> shift).astype(np.uint8))
        for descriptor, entries in zip(descriptors, channels, strict=True)
    ]
    return np.stack(colours, axis=-1)


def _look_up(values: NDArray[Any], first: int, shades: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return shades[np.clip(values.astype(np.int64) - first, 0, len(shades) - 1)]


def _shift_to_8_bits(bits: int, channels: list[NDArray[np.uint16]]) -> int:
    """Entries keep their upper 8 bits; that a device wrote 8 though it announces 16 shows in the entries."""
    if max(int(entries.max()) for entries in channels) <= 0xFF:
        return 0
    return min(bits, 16) - 8 if bits > 8 else 8


def _read_descriptor(header: Dataset, colour: str, signed: bool) -> Descriptor:
    descriptor = read_descriptor(header, f"{colour}PaletteColorLookupTableDescriptor", signed)
    if descriptor is None:
        raise CannotRender(f"{colour}PaletteColorLookupTableDescriptor is absent or damaged.")
    return descriptor


def _read_entries(header: Dataset, colour: str, descriptor: Descriptor) -> NDArray[np.uint16]:
    big_endian = is_big_endian(header)
    plain = value(header, f"{colour}PaletteColorLookupTableData")
    segmented = value(header, f"Segmented{colour}PaletteColorLookupTableData")
    entries = read_entries(plain, descriptor.entries, big_endian)
    if not len(entries) and isinstance(segmented, bytes):
        words = np.dtype(np.uint8) if descriptor.bits <= 8 else np.dtype(">u2" if big_endian else "<u2")
        codes = np.frombuffer(segmented, words, len(segmented) // words.itemsize)
        entries = np.array(_Segments(codes.tolist(), words.itemsize).expand(), np.uint16)
    if not len(entries):
        raise CannotRender(f"{colour}PaletteColorLookupTableData is absent or damaged.")
    return entries


class _Segments:
    """The segments of a palette, PS3.3 C.7.9.2, written out up to a cap.

    An indirect segment repeats earlier ones and may itself be repeated, so a few bytes could ask for more
    than any memory holds.
    """

    def __init__(self, codes: list[int], width: int) -> None:
        self._codes = codes
        self._width = width
        self._shades: list[int] = []

    def expand(self) -> list[int]:
        position = 0
        while position + 1 < len(self._codes):
            position = self._expand_segment(position, may_repeat=True)
        return self._shades

    def _expand_segment(self, position: int, may_repeat: bool) -> int:
        """Write out the segment at the position; return the position behind it."""
        operation, length = self._codes[position : position + 2]
        start = position + 2
        if len(self._shades) + length > _MAX_ENTRIES:
            raise CannotRender(f"The segmented palette has more than {_MAX_ENTRIES} entries.")
        match operation:
            case 0 if length:
                self._shades += self._codes[start : start + length]
                return start + length
            case 1 if length and self._shades and start < len(self._codes):
                self._draw_line(self._codes[start], length)
                return start + 1
            case 2 if may_repeat:
                return self._repeat(start, length)
        raise CannotRender("The segmented palette is damaged.")

    def _draw_line(self, end: int, length: int) -> None:
        start = self._shades[-1]
        self._shades += [start + round((end - start) * step / length) for step in range(1, length + 1)]

    def _repeat(self, start: int, segments: int) -> int:
        """Write out again segments from a byte offset, kept in two or four codes, the lesser part first."""
        parts = 4 // self._width
        codes = self._codes[start : start + parts]
        offset = sum(code << (8 * self._width * index) for index, code in enumerate(codes))
        position = offset // self._width
        for _ in range(segments):
            if position + 1 >= len(self._codes):
                raise CannotRender("The segmented palette is damaged.")
            position = self._expand_segment(position, may_repeat=False)
        return start + parts
