"""Where the frames of encapsulated pixel data lie, compared with pydicom.encaps."""

from collections.abc import Sequence
from struct import pack, unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames

from pacs.dataset.frames import Read, fragments, frames
from pacs.errors import FrameNotFound
from testdata.raw_bytes import item

END = b"\xff\xd9"


def reader(data: bytes) -> Read:
    return lambda offset, length: data[offset : offset + length]


def by_us(value: bytes, count: int, offsets: Sequence[int] = (), start: int = 0) -> list[bytes]:
    """The frames of a value that lies at a start in a file."""
    data = b"x" * start + value + b"behind"
    read = reader(data)
    found = frames(fragments(read, start, len(value)), count, read, offsets)
    return [b"".join(read(*piece) for piece in frame) for frame in found]


def made(sizes: list[int]) -> list[bytes]:
    """Frames of even length that end as JPEG ends, and hold nothing else that looks so."""
    return [bytes([number % 200]) * (size * 2) + END for number, size in enumerate(sizes)]


SIZES = st.lists(st.integers(0, 40), min_size=1, max_size=8)


@given(sizes=SIZES, pieces=st.integers(1, 3), has_table=st.booleans(), start=st.sampled_from([0, 132, 4097]))
def test_frames_are_those_of_pydicom(sizes: list[int], pieces: int, has_table: bool, start: int) -> None:
    originals = made([size + 3 for size in sizes])
    value = encapsulate(originals, fragments_per_frame=pieces, has_bot=has_table)
    by_pydicom = list(generate_frames(value, number_of_frames=len(originals)))
    assert by_us(value, len(originals), start=start) == by_pydicom


@given(sizes=SIZES)
def test_an_extended_offset_table_tells_the_frames_apart(sizes: list[int]) -> None:
    originals = made(sizes)
    value, offsets, lengths = encapsulate_extended(originals)
    by_pydicom = list(
        generate_frames(value, number_of_frames=len(originals), extended_offsets=(offsets, lengths))
    )
    found = by_us(value, len(originals), unpack(f"<{len(offsets) // 8}Q", offsets))
    assert found == by_pydicom == originals


def test_an_extended_offset_table_holds_for_frames_of_several_fragments() -> None:
    value = item(b"") + item(b"a1") + item(b"a2") + item(b"b1") + item(b"b2") + item(b"b3")
    assert by_us(value, 2, (0, 20)) == [b"a1a2", b"b1b2b3"]


def test_a_basic_offset_table_holds_for_frames_of_any_number_of_fragments() -> None:
    value = item(pack("<III", 0, 10, 40)) + b"".join(
        item(piece) for piece in (b"a1", b"b1", b"b2", b"b3", b"c1")
    )
    assert by_us(value, 3) == [b"a1", b"b1b2b3", b"c1"]


def test_one_frame_has_all_fragments() -> None:
    value = item(b"") + item(b"ab") + item(END) + item(b"cd")
    assert by_us(value, 1) == [b"ab" + END + b"cd"]


def test_without_a_table_the_end_of_each_image_is_looked_for() -> None:
    value = item(b"") + b"".join(
        item(piece) for piece in (b"a1", END, b"b1" + END + b"\0\0", b"c1", b"c2", END)
    )
    assert by_us(value, 3) == [b"a1" + END, b"b1" + END + b"\0\0", b"c1c2" + END]


def test_frames_that_cannot_be_told_apart_are_not_found() -> None:
    value = item(b"") + item(b"ab") + item(b"cd") + item(b"ef")
    with pytest.raises(FrameNotFound, match="cannot be told apart"):
        by_us(value, 2)


def test_a_table_that_leads_nowhere_finds_what_it_can() -> None:
    value = item(pack("<II", 0, 0xFFFFFFF0)) + item(b"ab") + item(b"cd") + item(b"ef")
    assert by_us(value, 2) == [b"abcdef"]


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_a_table_of_broken_length_is_read_as_far_as_it_goes(length: int) -> None:
    value = item(pack("<II", 0, 10)[:length]) + item(b"ab") + item(b"cd") + item(END)
    assert b"".join(by_us(value, 1)) == b"abcd" + END


def test_many_small_fragments_are_found_with_few_reads() -> None:
    value = item(b"") + item(b"ab") * 20_000
    reads = []

    def read(offset: int, length: int) -> bytes:
        reads.append(length)
        return value[offset : offset + length]

    assert len(fragments(read, 0, len(value))) == 20_001
    assert len(reads) <= 6


def test_large_fragments_are_stepped_over_and_not_read() -> None:
    value = item(b"") + item(bytes(1 << 20)) * 5
    reads = []

    def read(offset: int, length: int) -> bytes:
        reads.append(length)
        return value[offset : offset + length]

    assert [length for _, length in fragments(read, 0, len(value))] == [0] + [1 << 20] * 5
    assert sum(reads) <= 6 << 16


@pytest.mark.parametrize("count", [1, 2])
def test_pixel_data_without_any_item_have_no_frames(count: int) -> None:
    with pytest.raises(FrameNotFound):
        by_us(b"", count)


def test_one_frame_of_no_fragments_is_not_found() -> None:
    with pytest.raises(FrameNotFound):
        by_us(item(b""), 1)
