"""Where elements lie, in bytes written by hand: well-formed, and broken in each way that is provided for."""

from struct import pack

from sr.structure import MAX_NESTING, Layout

VALUE_TYPE = 0x0040A040
TEXT_VALUE = 0x0040A160
CONTENT = 0x0040A730
ITEM = pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
ITEM_END = pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = pack("<HHI", 0xFFFE, 0xE0DD, 0)
OPEN = 0xFFFFFFFF


def short(tag: int, vr: bytes, value: bytes) -> bytes:
    return pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def long(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    return pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, len(value) if length is None else length) + value


def implicit(tag: int, value: bytes, length: int | None = None) -> bytes:
    return pack("<HHI", tag >> 16, tag & 0xFFFF, len(value) if length is None else length) + value


def item(content: bytes, length: int | None = None) -> bytes:
    return pack("<HHI", 0xFFFE, 0xE000, len(content) if length is None else length) + content


def values(layout: Layout, implicit: bool = False) -> dict[int, bytes]:
    elements, _ = layout.data_set(implicit)
    return {tag: layout.buffer[start:stop] for tag, (_, start, stop) in elements.items()}


def texts(layout: Layout, implicit: bool = False) -> list[bytes]:
    """The Value Type of each item of Content Sequence."""
    elements, inside = layout.data_set(implicit)
    found = []
    for below, _ in layout.items(elements[CONTENT], inside):
        _, start, stop = below.get(VALUE_TYPE, ("", 0, 0))
        found.append(layout.buffer[start:stop])
    return found


def one(value: bytes) -> bytes:
    return short(VALUE_TYPE, b"CS", value)


def test_elements_with_and_without_vr() -> None:
    explicit = Layout(one(b"TEXT") + long(TEXT_VALUE, b"UT", b"seen"), True)
    assert values(explicit) == {VALUE_TYPE: b"TEXT", TEXT_VALUE: b"seen"}
    without = Layout(implicit(VALUE_TYPE, b"TEXT") + implicit(TEXT_VALUE, b"seen"), True)
    assert values(without, implicit=True) == {VALUE_TYPE: b"TEXT", TEXT_VALUE: b"seen"}
    assert explicit.faults == without.faults == {}


def test_the_bytes_tell_whether_there_are_vrs_and_not_the_transfer_syntax() -> None:
    assert values(Layout(one(b"TEXT"), True), implicit=True) == {VALUE_TYPE: b"TEXT"}
    assert values(Layout(implicit(VALUE_TYPE, b"TEXT"), True)) == {VALUE_TYPE: b"TEXT"}


def test_private_elements_are_stepped_over() -> None:
    private = short(0x00091001, b"SH", b"odd ") + long(
        0x00091002, b"SQ", ITEM + ITEM_END + SEQUENCE_END, OPEN
    )
    assert values(Layout(private + one(b"NUM "), True)) == {VALUE_TYPE: b"NUM "}


def test_sequences_of_every_kind_of_length() -> None:
    items = one(b"TEXT"), one(b"NUM ")
    closed = b"".join(item(content) for content in items)
    opened = b"".join(ITEM + content + ITEM_END for content in items)
    for sequence in (
        long(CONTENT, b"SQ", closed),
        long(CONTENT, b"SQ", opened),
        long(CONTENT, b"SQ", closed + SEQUENCE_END, OPEN),
        long(CONTENT, b"SQ", opened + SEQUENCE_END, OPEN),
        long(CONTENT, b"UN", opened + SEQUENCE_END, OPEN),
    ):
        layout = Layout(sequence + one(b"CODE"), True)
        assert texts(layout) == [b"TEXT", b"NUM "]
        assert values(layout)[VALUE_TYPE] == b"CODE"
        assert layout.faults == {}


def test_items_in_implicit_vr_within_explicit() -> None:
    content = item(implicit(VALUE_TYPE, b"TEXT"))
    layout = Layout(long(CONTENT, b"UN", content + SEQUENCE_END, OPEN) + one(b"CODE"), True)
    assert texts(layout) == [b"TEXT"]
    assert values(layout)[VALUE_TYPE] == b"CODE"


def test_a_value_that_is_cut_off_is_told_and_absent() -> None:
    layout = Layout(one(b"TEXT") + long(TEXT_VALUE, b"UT", b"seen")[:-2], True)
    assert values(layout) == {VALUE_TYPE: b"TEXT"}
    assert list(layout.faults) == ["the bytes end within an element"]


def test_what_was_read_of_a_sequence_that_is_cut_off_stays() -> None:
    whole = long(CONTENT, b"SQ", item(one(b"TEXT")) + item(one(b"NUM ")) + SEQUENCE_END, OPEN)
    layout = Layout(whole[:-14], True)
    assert texts(layout) == [b"TEXT", b""]
    assert "a sequence has no end" in layout.faults


def test_a_sequence_without_its_delimiter_ends_at_the_element_behind() -> None:
    layout = Layout(long(CONTENT, b"SQ", item(one(b"TEXT")), OPEN) + one(b"NUM "), True)
    assert texts(layout) == [b"TEXT"]
    assert values(layout)[VALUE_TYPE] == b"NUM "
    assert list(layout.faults) == ["a sequence has no end"]


def test_an_item_without_its_delimiter_ends_at_the_next() -> None:
    opened = ITEM + one(b"TEXT") + ITEM + one(b"NUM ") + SEQUENCE_END
    layout = Layout(long(CONTENT, b"SQ", opened, OPEN) + one(b"CODE"), True)
    assert texts(layout) == [b"TEXT", b"NUM "]
    assert values(layout)[VALUE_TYPE] == b"CODE"


def test_an_item_may_be_longer_than_it_says() -> None:
    closed = item(one(b"TEXT"), 9) + item(one(b"NUM "))
    layout = Layout(long(CONTENT, b"SQ", closed), True)
    assert texts(layout) == [b"TEXT", b"NUM "]


def test_an_item_tag_may_be_wrong() -> None:
    closed = b"\xfe\xff\x01\xe0" + item(one(b"TEXT"))[4:] + item(one(b"NUM "))
    for sequence in (long(CONTENT, b"SQ", closed), long(CONTENT, b"SQ", closed + SEQUENCE_END, OPEN)):
        assert texts(Layout(sequence, True)) == [b"TEXT", b"NUM "]


def test_other_values_of_undefined_length_end_at_their_delimiter() -> None:
    layout = Layout(long(TEXT_VALUE, b"OB", b"1234" + SEQUENCE_END, OPEN) + one(b"NUM "), True)
    assert values(layout) == {TEXT_VALUE: b"1234", VALUE_TYPE: b"NUM "}
    layout = Layout(implicit(TEXT_VALUE, b"1234" + SEQUENCE_END, OPEN) + implicit(VALUE_TYPE, b"NUM "), True)
    assert values(layout) == {TEXT_VALUE: b"1234", VALUE_TYPE: b"NUM "}


def test_a_vr_that_nobody_knows_has_a_short_length() -> None:
    layout = Layout(short(VALUE_TYPE, b"XX", b"TEXT") + one(b"NUM ")[:0], True)
    assert values(layout) == {VALUE_TYPE: b"TEXT"}


def test_nesting_without_end_is_left_out() -> None:
    header = pack("<HH2sHI", CONTENT >> 16, CONTENT & 0xFFFF, b"SQ", 0, OPEN)
    layout = Layout(one(b"TEXT") + (header + ITEM) * 10 * MAX_NESTING, True)
    assert values(layout)[VALUE_TYPE] == b"TEXT"
    assert "sequences are nested too deep, or too many" in layout.faults


def test_big_endian() -> None:
    content = pack(">HH2sH", 0x0040, 0xA040, b"CS", 4) + b"TEXT"
    sequence = pack(">HHI", 0xFFFE, 0xE000, OPEN) + content + pack(">HHI", 0xFFFE, 0xE00D, 0)
    sequence += pack(">HHI", 0xFFFE, 0xE0DD, 0)
    layout = Layout(pack(">HH2sHI", 0x0040, 0xA730, b"SQ", 0, OPEN) + sequence, False)
    assert texts(layout) == [b"TEXT"]
    assert layout.faults == {}
