"""What a data set written anew does with the rarer elements (PS3.5 6.2.2 and 7.2)."""

from struct import pack

import pytest

from pacs.dataset.elements import Encoding
from pacs.dataset.rewrite import explicit_element, rewritten, swapped

IMPLICIT, BIG_ENDIAN = Encoding(explicit=False), Encoding(explicit=True, little_endian=False)


def implicit(tag: int, value: bytes) -> bytes:
    return pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value


def test_a_sequence_that_cannot_be_read_keeps_its_bytes() -> None:
    assert rewritten(implicit(0x00081140, b"abcd"), IMPLICIT, {}) == explicit_element(
        0x00081140, "UN", b"abcd"
    )


def test_an_empty_sequence_stays_one() -> None:
    assert rewritten(implicit(0x00081140, b""), IMPLICIT, {}) == explicit_element(0x00081140, "SQ", b"")


def test_a_value_too_long_for_its_vr_is_unknown() -> None:
    text = b"x" * 70_000
    written = rewritten(implicit(0x00081030, text), IMPLICIT, {})
    assert written == explicit_element(0x00081030, "UN", text)
    assert written[4:6] == b"UN"


@pytest.mark.parametrize(("representation", "vr"), [(0, b"US"), (1, b"SS")])
def test_the_sign_of_words_is_that_of_the_pixels(representation: int, vr: bytes) -> None:
    data = implicit(0x00280103, pack("<H", representation)) + implicit(0x00280106, b"\x01\xff")
    assert rewritten(data, IMPLICIT, {}).endswith(vr + b"\x02\x00\x01\xff")


def test_what_came_as_unknown_is_not_turned() -> None:
    unknown = pack(">HH2sHI", 0x0009, 0x1001, b"UN", 0, 4) + b"\x01\x02\x03\x04"
    assert rewritten(unknown, BIG_ENDIAN, {}) == explicit_element(0x00091001, "UN", b"\x01\x02\x03\x04")


def test_group_lengths_are_left_out() -> None:
    data = implicit(0x00080000, pack("<I", 12)) + implicit(0x00080060, b"CT")
    assert rewritten(data, IMPLICIT, {}) == explicit_element(0x00080060, "CS", b"CT")


def test_bytes_are_turned_by_words_and_what_is_left_over_stays() -> None:
    assert swapped(b"abcdefg", 2) == b"badcfeg"
    assert swapped(b"abcdefgh", 4) == b"dcbahgfe"
    assert swapped(b"abc", 1) == b"abc"
