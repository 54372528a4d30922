import struct

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian

from dicomweb.rendering.lookup_table import (
    Descriptor,
    LookupTable,
    read_descriptor,
    read_entries,
    read_lookup_table,
)


def lut_item(descriptor: list[int], data: bytes) -> Dataset:
    item = Dataset()
    item.LUTDescriptor = descriptor
    item.add_new("LUTData", "OW", data)
    return item


def test_values_outside_take_the_nearest_entry() -> None:
    table = LookupTable(-2, np.array([7, 8, 9], np.uint16), 8)
    assert table.look_up(np.array([-100, -3, -2, -1, 0, 1, 100])).tolist() == [7, 7, 7, 8, 9, 9, 9]
    assert table.look_up(np.array([np.nan, np.inf, -np.inf, -0.6])).tolist() == [7, 9, 7, 8]


def test_the_highest_output_follows_from_the_bits() -> None:
    assert LookupTable(0, np.zeros(1, np.uint16), 12).highest == 4095


@pytest.mark.parametrize(
    ("values", "signed", "expected"),
    [
        ([256, 0, 8], False, Descriptor(256, 0, 8)),
        ([0, 65535, 16], False, Descriptor(65536, 65535, 16)),
        ([4096, 64512, 12], True, Descriptor(4096, -1024, 12)),
        ([4096, 1024, 12], True, Descriptor(4096, 1024, 12)),
        ([256, 0], False, None),
        (None, False, None),
    ],
)
def test_descriptors(values: list[int] | None, signed: bool, expected: Descriptor | None) -> None:
    dataset = Dataset()
    dataset.LUTDescriptor = values
    assert read_descriptor(dataset, "LUTDescriptor", signed) == expected


@pytest.mark.parametrize(
    ("data", "count", "big_endian", "expected"),
    [
        (struct.pack("<3H", 1, 2, 300), 3, False, [1, 2, 300]),
        (struct.pack(">3H", 1, 2, 300), 3, True, [1, 2, 300]),
        (struct.pack("<3H", 1, 2, 300), 2, False, [1, 2]),
        (b"\x01\x02\x03\x00", 3, False, [1, 2, 3]),
        (b"\x01\x02\x03", 9, False, [513]),
        (b"", 9, False, []),
        ([1, 65535, -1, 4], 3, False, [1, 65535, 65535]),
        (5, 3, False, [5]),
        (None, 3, False, []),
        ("text", 3, False, []),
        (["1", "2"], 3, False, []),
    ],
)
def test_entries_are_read_from_bytes_and_numbers(
    data: object, count: int, big_endian: bool, expected: list[int]
) -> None:
    assert read_entries(data, count, big_endian).tolist() == expected


def test_a_table_is_read_from_its_item() -> None:
    table = read_lookup_table(Dataset(), lut_item([3, 65534, 10], struct.pack("<3H", 0, 512, 1023)), True)
    assert table is not None
    assert (table.first, table.entries.tolist(), table.bits) == (-2, [0, 512, 1023], 10)


def test_words_are_big_endian_where_the_object_is() -> None:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    table = read_lookup_table(header, lut_item([2, 0, 16], b"\x00\x01\x02\x00"), False)
    assert table is not None
    assert table.entries.tolist() == [1, 512]


def test_bits_are_at_least_those_that_the_entries_need() -> None:
    table = read_lookup_table(Dataset(), lut_item([2, 0, 8], struct.pack("<2H", 0, 4095)), False)
    assert table is not None
    assert table.bits == 12


@pytest.mark.parametrize("bits", [0, 99])
def test_bits_that_are_senseless_do_no_harm(bits: int) -> None:
    table = read_lookup_table(Dataset(), lut_item([2, 0, bits], struct.pack("<2H", 0, 0)), False)
    assert table is not None
    assert 1 <= table.bits <= 16


def test_a_damaged_item_is_no_table() -> None:
    assert read_lookup_table(Dataset(), Dataset(), False) is None
    assert read_lookup_table(Dataset(), lut_item([2, 0], b"\0\0\0\0"), False) is None
    assert read_lookup_table(Dataset(), lut_item([2, 0, 8], b""), False) is None
