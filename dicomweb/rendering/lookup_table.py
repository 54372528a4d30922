"""Lookup tables of the Modality LUT and VOI LUT modules, and what palettes share with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import ExplicitVRBigEndian

from pacs.pixels.elements import numbers, value

_MAX_ENTRIES = 65536
_MAX_BITS = 16


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A table of PS3.3 C.11.1.1 or C.11.2.1.1.

    first: the input that the first entry is for; what lies outside takes the nearest entry.
    bits: of an entry; the output runs from 0 to 2**bits - 1.
    """

    first: int
    entries: NDArray[np.uint16]
    bits: int

    @property
    def highest(self) -> int:
        """The largest output that the table can give."""
        return (1 << self.bits) - 1

    def look_up(self, values: NDArray[Any]) -> NDArray[np.uint16]:
        """The entries for the values, of the same shape."""
        with np.errstate(invalid="ignore"):
            positions = np.rint(np.asarray(values, np.float64) - self.first)
        inside = np.clip(np.nan_to_num(positions), 0, len(self.entries) - 1)
        found: NDArray[np.uint16] = self.entries[inside.astype(np.intp)]
        return found


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A LUT descriptor: how many entries, the input of the first, and the bits of an entry."""

    entries: int
    first: int
    bits: int


def read_descriptor(dataset: Dataset, keyword: str, signed: bool) -> Descriptor | None:
    """Read a descriptor of three values, or None.

    signed: whether the input may be negative. The VR does not say it reliably, for it is US or SS.
    """
    values = numbers(dataset, keyword)
    if len(values) != 3:
        return None
    entries, first, bits = (int(part) for part in values)
    if signed and 0x8000 <= first <= 0xFFFF:
        first -= 0x10000
    return Descriptor(entries & 0xFFFF or _MAX_ENTRIES, first, bits)


def read_lookup_table(header: Dataset, item: Dataset, signed: bool) -> LookupTable | None:
    """Read LUTDescriptor and LUTData of a sequence item, or None when they cannot be used."""
    descriptor = read_descriptor(item, "LUTDescriptor", signed)
    if descriptor is None:
        return None
    entries = read_entries(value(item, "LUTData"), descriptor.entries, is_big_endian(header))
    if not len(entries):
        return None
    # Some devices announce fewer bits than they use.
    bits = min(max(descriptor.bits, int(entries.max()).bit_length()), _MAX_BITS)
    return LookupTable(descriptor.first, entries, max(bits, 1))


def read_entries(data: object, count: int, big_endian: bool) -> NDArray[np.uint16]:
    """Up to count entries of LUT data, be it numbers (US) or bytes (OW; OB with one byte an entry)."""
    if isinstance(data, bytes):
        packed = len(data) in (count, count + 1) and count > 1
        words = np.dtype(np.uint8) if packed else np.dtype(">u2" if big_endian else "<u2")
        usable = min(len(data) // words.itemsize, count)
        return np.frombuffer(data, words, usable).astype(np.uint16)
    if isinstance(data, int):
        data = [data]
    if not isinstance(data, Sequence) or not all(isinstance(entry, int) for entry in data):
        return np.empty(0, np.uint16)
    return (np.array(list(data)[:count], np.int64) & 0xFFFF).astype(np.uint16)


def is_big_endian(header: Dataset) -> bool:
    """Whether words within byte strings of this object are big endian."""
    meta: Dataset = getattr(header, "file_meta", None) or Dataset()
    return bool(meta.get("TransferSyntaxUID") == ExplicitVRBigEndian)
