"""Multipart bodies, read and written as they stream (PS3.18 8.6.1.2, RFC 2046 5.1, RFC 2387).

The reader does no input or output: bytes are fed to it and events come out. What it holds is bounded,
whatever the sender does, and part data are passed through as views of the bytes that were fed.
"""

import itertools
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from hashlib import blake2b

from dicomweb.find_bytes import find
from dicomweb.media_types import parse_media_type

# RFC 2046 allows 70 characters; some senders take more.
MAX_BOUNDARY_LENGTH = 200
# All header fields of one part, with the line ends.
MAX_HEADER_BLOCK_LENGTH = 16 * 1024

# What may follow the boundary on its line: the mark of the last one, or padding and the line end.
_DELIMITER_REST = re.compile(rb"(--)|[ \t]{0,64}\r?\n")
_DELIMITER_REST_SO_FAR = re.compile(rb"-|[ \t]{0,64}\r?")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_FOLDED_LINE = re.compile(r"\r?\n[ \t]+")
_NOT_IN_HEADER = re.compile(r"[\x00-\x1f\x7f]")
_CARRIAGE_RETURN = 0x0D


_SECRET = secrets.token_bytes(32)
_numbers = itertools.count()


class MultipartError(ValueError):
    """The body is not the multipart body that its Content-Type announces."""


class PayloadTooLarge(MultipartError):
    """The body holds more than is taken in at once; the message says of what."""


@dataclass(frozen=True, slots=True)
class PartStarted:
    """A part begins. Header names are in lower case; of a repeated one the first value counts."""

    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class PartData:
    """The next bytes of the part, never empty: a view, which keeps the bytes that were fed alive."""

    data: memoryview


@dataclass(frozen=True, slots=True)
class PartEnded:
    """The delimiter after the part was seen: the part is whole."""


Event = PartStarted | PartData | PartEnded


class _State(Enum):
    PREAMBLE = auto()
    HEADERS = auto()
    BODY = auto()
    EPILOGUE = auto()


def boundary_of(content_type: str) -> str:
    """The boundary that a Content-Type names, quoted or not. Raises MultipartError when it names none."""
    media_type = parse_media_type(content_type)
    boundary = media_type.parameter("boundary") if media_type else None
    if not boundary:
        raise MultipartError("Content-Type: a multipart body needs a boundary parameter; it has none")
    return boundary


class MultipartReader:
    """Parts a multipart body into its parts, in whatever chunks it arrives.

    Read liberally: line ends may be LF alone (the first delimiter line decides), the last line end may be
    missing, text before the first and after the last delimiter is passed over, a part may have no headers.

        reader = MultipartReader(boundary_of(content_type))
        for chunk in body:
            for event in reader.feed(chunk):
                ...
        reader.close()
    """

    def __init__(self, boundary: str) -> None:
        if not 0 < len(boundary) <= MAX_BOUNDARY_LENGTH or not boundary.isascii() or "\n" in boundary:
            raise MultipartError(
                f"Content-Type: a boundary is 1 to {MAX_BOUNDARY_LENGTH} ASCII characters without line ends"
            )
        self._delimiter = b"\n--" + boundary.encode("ascii")
        self._state = _State.PREAMBLE
        # The delimiter is looked for together with the line end before it. At the start of the body there is
        # none, so one is put there: a byte in front that is no data, as is the line end of a blank line.
        self._buffer: bytes | memoryview = b"\n"
        self._at = 0
        self._not_data = 1
        self._searched = 0
        self._line_ends_with_cr = True
        self._parts = 0

    def feed(self, chunk: bytes | memoryview) -> Iterator[Event]:
        """Take the next bytes of the body, and give what they tell. Exhaust it before feeding again.

        chunk: of a view, only data at its beginning are given as one; nothing looks at it after that.
        Raises MultipartError when the headers of a part are too long or are no headers.
        """
        rest = b"" if self._state is _State.EPILOGUE else self._buffer[self._at :]
        self._buffer = bytes(rest) + chunk if rest else chunk  # mostly, no byte is copied
        self._at = 0
        return self._events()

    def close(self) -> None:
        """Say that the body has ended. Raises MultipartError when the last delimiter was not seen."""
        if self._state is _State.PREAMBLE:
            raise MultipartError("multipart body: the boundary that Content-Type names never occurs in it")
        if self._state is not _State.EPILOGUE:
            where = "the headers of part" if self._state is _State.HEADERS else "part"
            raise MultipartError(f"multipart body: it ended inside {where} {self._parts}; send it again")

    def _events(self) -> Iterator[Event]:
        while self._state is not _State.EPILOGUE:
            is_headers = self._state is _State.HEADERS
            events = self._read_headers() if is_headers else self._read_data()
            self._leave_view()
            if events is None:
                return
            yield from events

    def _read_headers(self) -> tuple[Event, ...] | None:
        """Take in a whole header block, or nothing. `_at` is the line end before it."""
        end = self._at + MAX_HEADER_BLOCK_LENGTH
        blank = _BLANK_LINE.search(self._buffer, self._at + self._searched, end)
        if blank is None:
            if len(self._buffer) >= end:
                raise MultipartError(
                    f"multipart body: the headers of part {self._parts} are longer than"
                    f" {MAX_HEADER_BLOCK_LENGTH} bytes"
                )
            self._searched = max(len(self._buffer) - self._at - 2, 0)
            return None
        headers = self._parse_headers(bytes(self._buffer[self._at + 1 : blank.start()]))
        self._searched = 0
        self._at, self._not_data = blank.end() - 1, 1
        self._state = _State.BODY
        return (PartStarted(headers),)

    def _parse_headers(self, block: bytes) -> dict[str, str]:
        headers: dict[str, str] = {}
        for line in _FOLDED_LINE.sub(" ", block.decode("latin-1")).split("\n"):
            name, colon, value = line.partition(":")
            if colon:
                headers.setdefault(name.strip().lower(), value.strip())
            elif line.strip():
                raise MultipartError(f"multipart body: a header line of part {self._parts} has no colon")
        return headers

    def _read_data(self) -> tuple[Event, ...] | None:
        """Take in data, and the delimiter behind them where it is seen; None when more bytes must come."""
        start = self._at + self._not_data
        end, delimiter = self._scan()
        # Where lines end with one, a carriage return may be part of the delimiter, seen or still to come.
        ends_with_cr = end > start and self._buffer[end - 1] == _CARRIAGE_RETURN
        if ends_with_cr and self._line_ends_with_cr:
            end -= 1
        events: list[Event] = []
        if end > start:
            events.append(PartData(memoryview(self._buffer)[start:end]))
            self._at, self._not_data = end, 0
        in_part = self._state is _State.BODY
        if delimiter is not None:
            events.append(PartEnded())
            self._pass(delimiter)
        if not events:
            return None
        return tuple(events) if in_part else ()

    def _scan(self) -> tuple[int, re.Match[bytes] | None]:
        """Where the bytes end that no delimiter can begin in, and the rest of the delimiter line there."""
        buffer, delimiter = self._buffer, self._delimiter
        found = find(buffer, delimiter, self._at)
        while found >= 0:
            rest = found + len(delimiter)
            line = _DELIMITER_REST.match(buffer, rest)
            if line is not None or _DELIMITER_REST_SO_FAR.fullmatch(buffer, rest):
                return found, line
            found = find(buffer, delimiter, rest)
        # Only the last line end can begin a delimiter that is not yet whole: it has no other within.
        end = bytes(buffer[max(self._at, len(buffer) - len(delimiter)) :])
        last = end.rfind(b"\n")
        is_beginning = last >= 0 and delimiter.startswith(end[last:])
        return len(buffer) - (len(end) - last if is_beginning else 0), None

    def _pass(self, delimiter: re.Match[bytes]) -> None:
        """Go on behind a delimiter line: to the headers of the next part, or past the last part."""
        if delimiter.group(1):
            self._state = _State.EPILOGUE
            self._buffer = b""
            return
        if self._state is _State.PREAMBLE:
            self._line_ends_with_cr = delimiter.group().endswith(b"\r\n")
        self._state = _State.HEADERS
        self._at, self._not_data = delimiter.end() - 1, 0
        self._parts += 1

    def _leave_view(self) -> None:
        """Keep what is left of a view: who is given its data may use the memory for something else."""
        if isinstance(self._buffer, memoryview):
            self._buffer, self._at = bytes(self._buffer[self._at :]), 0


def new_boundary() -> str:
    """A boundary of 128 bits that nobody can foresee, so that it occurs in no data, not even malicious ones.

    Random bits of the system would cost a frame 3 % of its time; these are hashed from some that are kept.
    """
    return blake2b(b"%d %d" % (os.getpid(), next(_numbers)), key=_SECRET, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class MultipartWriter:
    """Writes a multipart/related body whose length is known before its first byte is sent.

    For each part send `part_head`, the data, `PART_END`; after the last part `closing`.
    """

    PART_END = b"\r\n"

    boundary: str = field(default_factory=new_boundary)

    def content_type(self, part_media_type: str) -> str:
        """The Content-Type of the whole, for parts of this media type (without parameters)."""
        return f'multipart/related; type="{part_media_type}"; boundary={self.boundary}'

    def part_head(self, headers: Mapping[str, str]) -> bytes:
        """The delimiter and the headers of a part. Raises ValueError for a header that breaks its line."""
        lines = [f"--{self.boundary}", *(f"{name}: {value}" for name, value in headers.items())]
        if any(_NOT_IN_HEADER.search(line) for line in lines):
            raise ValueError("a part header holds a control character")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def closing(self) -> bytes:
        """The delimiter after the last part."""
        return f"--{self.boundary}--\r\n".encode("latin-1")
