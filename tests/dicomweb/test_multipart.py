from collections.abc import Iterable, Iterator
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomweb.find_bytes import find
from dicomweb.multipart import (
    MAX_BOUNDARY_LENGTH,
    MAX_HEADER_BLOCK_LENGTH,
    MultipartError,
    MultipartReader,
    MultipartWriter,
    PartData,
    PartEnded,
    PartStarted,
    boundary_of,
    new_boundary,
)

Part = tuple[dict[str, str], bytes]

# Letters that line ends and delimiters are made of, so that near misses are frequent.
_TRICKY = st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--", b"B", b"\r\n--", b"\n--BX", b"\0", b" "])).map(
    b"".join
)
_DATA = _TRICKY | st.binary(max_size=200)


def read(chunks: Iterable[bytes], boundary: str = "B") -> list[Part]:
    reader = MultipartReader(boundary)
    parts: list[Part] = []
    ended = 0
    for chunk in chunks:
        for event in reader.feed(chunk):
            match event:
                case PartStarted(headers):
                    assert ended == len(parts)
                    parts.append((headers, b""))
                case PartData(data):
                    assert len(data) > 0
                    parts[-1] = (parts[-1][0], parts[-1][1] + data)
                case PartEnded():
                    ended += 1
                    assert ended == len(parts)
    reader.close()
    assert ended == len(parts)
    return parts


def cut(body: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield body[at : at + size]
        at += size
    yield body[at:]


def body_of(parts: list[bytes], writer: MultipartWriter) -> bytes:
    head = writer.part_head({"Content-Type": "application/dicom"})
    return b"".join(head + data + writer.PART_END for data in parts) + writer.closing()


@given(st.lists(_DATA, min_size=1, max_size=4), st.lists(st.integers(0, 60), max_size=30))
def test_what_was_written_is_read_whatever_the_chunks(parts: list[bytes], sizes: list[int]) -> None:
    writer = MultipartWriter(boundary="Bc7")
    body = body_of(parts, writer)
    assert read(cut(body, sizes), "Bc7") == [({"content-type": "application/dicom"}, p) for p in parts]


def read_in_rooms(body: bytes, sizes: Iterator[int], boundary: str) -> list[Part]:
    """Received as the server does it: behind what is there of the part, in memory used again after it."""
    reader = MultipartReader(boundary)
    parts: list[Part] = []
    memory, filled, is_open = bytearray(len(body)), 0, False
    at = 0
    while at < len(body):
        piece = body[at : at + next(sizes)]
        at += len(piece)
        chunk: bytes | memoryview = piece
        if is_open:
            chunk = memoryview(memory)[filled : filled + len(piece)]
            chunk[:] = piece
        for event in reader.feed(chunk):
            match event:
                case PartStarted(headers):
                    parts.append((headers, b""))
                    filled, is_open = 0, True
                case PartData(data):
                    if isinstance(data.obj, bytes):
                        memory[filled : filled + len(data)] = data
                    filled += len(data)
                    memory[filled:] = b"\n" * (
                        len(memory) - filled
                    )  # of another's by now, as if it had failed
                case PartEnded():
                    parts[-1] = (parts[-1][0], bytes(memory[:filled]))
                    memory[:] = b"\n" * len(memory)
                    is_open = False
    reader.close()
    return parts


@given(st.lists(_DATA, min_size=1, max_size=4), st.lists(st.integers(1, 60), min_size=1, max_size=30))
def test_what_is_received_in_its_place_is_read_as_well(parts: list[bytes], sizes: list[int]) -> None:
    writer = MultipartWriter(boundary="Bc7")
    read = read_in_rooms(body_of(parts, writer), cycle(sizes), "Bc7")
    assert [data for _, data in read] == parts


@given(_TRICKY, st.sampled_from([b"\n--B", b"\r\n", b"-"]), st.integers(0, 40))
def test_in_views_the_same_is_found_as_in_bytes(data: bytes, needle: bytes, start: int) -> None:
    start = min(start, len(data))
    assert find(memoryview(bytearray(data)), needle, start) == data.find(needle, start)
    assert find(data, needle, start) == data.find(needle, start)


@given(st.lists(_TRICKY.filter(lambda data: b"\n--B" not in data), min_size=1, max_size=3))
def test_bodies_with_line_feeds_alone_are_read_byte_by_byte(parts: list[bytes]) -> None:
    # A part that begins like a delimiter cannot be told from an empty one.
    parts = [part for part in parts if not part.startswith(b"--B")]
    body = b"".join(b"--B\nContent-Type: a/b\n\n" + part + b"\n" for part in parts) + b"--B--"
    bytewise = (body[i : i + 1] for i in range(len(body)))
    assert read(bytewise) == [({"content-type": "a/b"}, part) for part in parts]


@given(st.binary(max_size=300), st.lists(st.integers(0, 20), max_size=20))
def test_any_bytes_are_read_or_refused_in_words(body: bytes, sizes: list[int]) -> None:
    try:
        parts = read(cut(b"--B\r\n" + body, sizes))
    except MultipartError as error:
        assert str(error)
    else:
        assert b"--B--" in body
        assert parts


_LIBERAL = {
    "nothing after the last delimiter": b"--B\r\n\r\ndata\r\n--B--",
    "a preamble and an epilogue": b"hello\r\n--B\r\n\r\ndata\r\n--B--\r\nbye\r\n--B\r\n",
    "a line end before the first delimiter": b"\r\n--B\r\n\r\ndata\r\n--B--",
    "padding behind the boundary": b"--B \t \r\n\r\ndata\r\n--B--  \r\n",
    "line feeds alone": b"--B\n\ndata\n--B--\n",
    "line feeds alone in the headers": b"--B\r\n\ndata\r\n--B--",
}


@pytest.mark.parametrize("body", _LIBERAL.values(), ids=_LIBERAL.keys())
def test_odd_but_clear_bodies_are_read(body: bytes) -> None:
    assert read([body]) == [({}, b"data")]
    assert read(body[i : i + 1] for i in range(len(body))) == [({}, b"data")]


def test_what_the_python_client_sends_is_read() -> None:
    body = (
        b"\r\n--0f3cf5c0\r\nContent-Type: application/dicom\r\n\r\none"
        b"\r\n--0f3cf5c0\r\nContent-Type: application/dicom\r\n\r\ntwo\r\n--0f3cf5c0--"
    )
    assert [data for _, data in read([body], "0f3cf5c0")] == [b"one", b"two"]


def test_a_part_may_be_empty_with_and_without_its_line_end() -> None:
    assert read([b"--B\r\nA: 1\r\n\r\n\r\n--B\r\nA: 2\r\n\r\n--B--"]) == [
        ({"a": "1"}, b""),
        ({"a": "2"}, b""),
    ]


def test_a_longer_boundary_that_begins_alike_is_data() -> None:
    data = b"\r\n--Bigger\r\n\r\nx\r\n--Bigger--"
    assert read([b"--B\r\n\r\n" + data + b"\r\n--B--"]) == [({}, data)]


def test_headers_are_lower_case_unfolded_and_the_first_counts() -> None:
    body = b'--B\r\nContent-Type: a/b;\r\n  c="d"\r\nX-Y:z\r\nx-y: w\r\n\r\n\r\n--B--'
    assert read([body]) == [({"content-type": 'a/b; c="d"', "x-y": "z"}, b"")]


def test_data_are_views_of_the_chunk_and_nothing_is_gathered() -> None:
    reader = MultipartReader("B")
    assert list(reader.feed(b"--B\r\n\r\n")) == [PartStarted({})]
    chunk = bytes(100_000)
    [first] = reader.feed(chunk)
    [second] = reader.feed(chunk)
    assert isinstance(first, PartData)
    assert isinstance(second, PartData)
    assert first.data.obj is not chunk  # the line end that was held back goes before it
    assert second.data.obj is chunk
    assert len(second.data) == len(chunk)


def test_an_iteration_that_was_left_goes_on_with_the_next_chunk() -> None:
    reader = MultipartReader("B")
    assert next(reader.feed(b"--B\r\n\r\nab")) == PartStarted({})
    events = list(reader.feed(b"c\r\n--B--"))
    assert [bytes(e.data) for e in events if isinstance(e, PartData)] == [b"abc"]


def test_a_body_without_parts_has_none() -> None:
    assert read([b"--B--\r\n"]) == []


@pytest.mark.parametrize("body", [b"", b"no delimiter", b"--C\r\n\r\ndata\r\n--C--"])
def test_a_body_without_its_boundary_is_refused(body: bytes) -> None:
    with pytest.raises(MultipartError, match="never occurs"):
        read([body])


@pytest.mark.parametrize("body", [b"--B\r\n\r\ndata", b"--B\r\n\r\ndata\r\n--B", b"--B\r\n\r\ndata\r\n--B-"])
def test_a_body_that_ends_inside_a_part_is_refused(body: bytes) -> None:
    with pytest.raises(MultipartError, match="ended inside part 1"):
        read([body])


def test_a_body_that_ends_inside_headers_is_refused() -> None:
    with pytest.raises(MultipartError, match="inside the headers of part 2"):
        read([b"--B\r\n\r\ndata\r\n--B\r\nContent-Type: a/b\r\n"])


@pytest.mark.parametrize("size", [1000, 10 * MAX_HEADER_BLOCK_LENGTH])
def test_a_header_block_without_end_is_refused_before_it_is_gathered(size: int) -> None:
    reader = MultipartReader("B")
    list(reader.feed(b"--B\r\nX: "))
    with pytest.raises(MultipartError, match="headers of part 1 are longer than"):
        for _ in range(1 + MAX_HEADER_BLOCK_LENGTH // 1000):
            list(reader.feed(b"x" * size))


def test_a_header_line_without_a_colon_is_refused_without_being_quoted() -> None:
    with pytest.raises(MultipartError, match="has no colon") as caught:
        read([b"--B\r\nRossi Mario\r\n\r\n\r\n--B--"])
    assert "Rossi" not in str(caught.value)


@pytest.mark.parametrize("boundary", ["", "x" * (MAX_BOUNDARY_LENGTH + 1), "é", "a\nb"])
def test_a_boundary_that_is_none_is_refused(boundary: str) -> None:
    with pytest.raises(MultipartError, match="a boundary is 1 to"):
        MultipartReader(boundary)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ('multipart/related; type="application/dicom"; boundary=abc', "abc"),
        ('multipart/related; boundary="a b:c/d=e"; type=application/dicom', "a b:c/d=e"),
        ("Multipart/Related;BOUNDARY=----=_Part_1/2 ; x=y", "----=_Part_1/2"),
        ("multipart/related; boundary=a,b", "a,b"),
    ],
)
def test_the_boundary_is_found_quoted_or_not(content_type: str, boundary: str) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize("content_type", ["", "multipart/related", 'multipart/related; boundary=""'])
def test_a_missing_boundary_is_said(content_type: str) -> None:
    with pytest.raises(MultipartError, match="needs a boundary"):
        boundary_of(content_type)


def test_a_written_body_looks_as_the_standard_shows_it() -> None:
    writer = MultipartWriter(boundary="b1")
    assert writer.content_type("image/jp2") == 'multipart/related; type="image/jp2"; boundary=b1'
    assert writer.part_head({"Content-Type": "image/jp2", "Content-Location": "/x"}) == (
        b"--b1\r\nContent-Type: image/jp2\r\nContent-Location: /x\r\n\r\n"
    )
    assert writer.closing() == b"--b1--\r\n"


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\0b"])
def test_a_header_value_cannot_add_headers(value: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        MultipartWriter().part_head({"Content-Type": value})


def test_boundaries_are_new_each_time_and_need_no_quotes() -> None:
    boundaries = {new_boundary() for _ in range(100)}
    assert len(boundaries) == 100
    assert all(boundary.isalnum() and len(boundary) <= 70 for boundary in boundaries)
