"""Bodies of answers, sent from the stored files as they lie there."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from dicomweb.media_types import Representation
from dicomweb.multipart import MultipartWriter
from dicomweb.problems import problem
from dicomweb.request import header
from dicomweb.threads import Threads
from pacs.archive import Archive
from pacs.byte_range import ByteRange, NotSatisfiable, parse_range
from pacs.errors import StorageFailed
from pacs.files import StoredFile
from pacs.model import Instance

AT_ONCE = 4 << 20  # bytes; a body up to this is read whole before the first of it is sent
CHUNK = 1 << 20  # bytes of a longer one that are read at a time


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of the file of an instance, from offset on."""

    instance: Instance
    offset: int
    length: int

    def __len__(self) -> int:
        return self.length


@dataclass(frozen=True, slots=True)
class Made:
    """Bytes that are made, each piece with a processor's time, when they are sent; nobody knows how many."""

    pieces: Iterator[bytes]


Segment = bytes | Stretch | Made
Known = bytes | Stretch


class PiecesResponse(Response):
    """A body in memory that is not joined before it is sent."""

    def __init__(
        self, pieces: Sequence[bytes | memoryview], headers: Mapping[str, str], status_code: int
    ) -> None:
        """headers: with Content-Length."""
        self.pieces = pieces
        self.body = b""
        self.status_code = status_code
        self.background = None
        self.init_headers(headers)

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        """Send the pieces one by one."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        *before, last = self.pieces or (b"",)
        for piece in before:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": last, "more_body": False})


class Bodies:
    """Makes answers of segments: bytes, stretches of stored files, and what is made on the way."""

    def __init__(self, archive: Archive, threads: Threads) -> None:
        self._archive = archive
        self._threads = threads

    async def whole(
        self,
        request: Request,
        segments: Sequence[Segment],
        headers: Mapping[str, str],
        status_code: int = 200,
    ) -> Response:
        """An answer with all of the segments; a long one is streamed. Raises StorageFailed, NotFound."""
        known = _known(segments)
        if known is None:
            body = self._stream(segments) if request.method != "HEAD" else ()
            return StreamingResponse(body, status_code, headers)
        size = sum(map(len, known))
        headers = {**headers, "Content-Length": str(size)}
        if request.method == "HEAD":
            return PiecesResponse((), headers, status_code)
        if size > AT_ONCE:
            return StreamingResponse(self._stream(known), status_code, headers)
        return PiecesResponse(await self._gather(known), headers, status_code)

    async def part_of(
        self, request: Request, segments: Sequence[Segment], headers: Mapping[str, str]
    ) -> Response:
        """The same, heeding a Range field where the length is known."""
        known = _known(segments)
        if known is None:
            return await self.whole(request, segments, headers)
        headers = {**headers, "Accept-Ranges": "bytes"}
        asked = header(request, b"range")
        current = header(request, b"if-range") in ("", headers.get("ETag", ""))
        size = sum(map(len, known))
        try:
            part = parse_range(asked, size) if asked and current else None
        except NotSatisfiable as error:
            refusal = problem(416, str(error), parameter="Range")
            refusal.headers["Content-Range"] = f"bytes */{size}"
            return refusal
        if part is None:
            return await self.whole(request, known, headers)
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{size}"
        return await self.whole(request, _cut(known, part), headers, 206)

    async def represented(
        self,
        request: Request,
        contents: Sequence[tuple[Representation, Sequence[Segment]]],
        headers: Mapping[str, str],
        status_code: int = 200,
    ) -> Response:
        """An answer of one content for itself, or of several as parts, each saying what it is.

        status_code: of several.
        """
        form, segments = contents[0]
        if not form.multipart:
            return await self.part_of(request, segments, {**headers, "Content-Type": form.content_type})
        writer = MultipartWriter()
        body: list[Segment] = []
        between = b""  # what lies between two contents is sent at once
        for form, segments in contents:
            body += [between + writer.part_head({"Content-Type": form.content_type}), *segments]
            between = MultipartWriter.PART_END
        body.append(between + writer.closing())
        content_type = writer.content_type(form.media_type)
        return await self.whole(request, body, {**headers, "Content-Type": content_type}, status_code)

    def in_parts(
        self,
        first: tuple[Mapping[str, str], Sequence[Segment]],
        others: AsyncIterator[tuple[Mapping[str, str], Sequence[Segment]]],
        headers: Mapping[str, str],
        status_code: int,
    ) -> Response:
        """An answer of parts that are found while it is sent: the header fields of each, and its content."""
        writer = MultipartWriter()

        async def body() -> AsyncIterator[bytes | memoryview]:
            fields, segments = first
            while True:
                yield writer.part_head(fields)
                async for piece in self._stream(segments):
                    yield piece
                yield MultipartWriter.PART_END
                following = await anext(others, None)
                if following is None:
                    break
                fields, segments = following
            yield writer.closing()

        media_type = first[0]["Content-Type"].partition(";")[0]
        return StreamingResponse(
            body(), status_code, {**headers, "Content-Type": writer.content_type(media_type)}
        )

    async def _gather(self, segments: Sequence[Known]) -> Sequence[bytes | memoryview]:
        """All segments in memory: out of the page cache, or else read in a thread."""
        pieces: list[bytes | memoryview] = []
        for segment in segments:
            piece = segment if isinstance(segment, bytes) else self._cached(segment)
            if piece is None:
                return await self._threads.read(self._read_all, segments)
            pieces.append(piece)
        return pieces

    def _cached(self, stretch: Stretch) -> bytes | memoryview | None:
        with self._archive.open(stretch.instance) as file:
            return file.read_cached(stretch.offset, stretch.length)

    def _read_all(self, segments: Sequence[Known]) -> list[bytes]:
        return [s if isinstance(s, bytes) else self._read(s) for s in segments]

    def _read(self, stretch: Stretch) -> bytes:
        with self._archive.open(stretch.instance) as file:
            return _read_whole(file, stretch.offset, stretch.length)

    async def _stream(self, segments: Sequence[Segment]) -> AsyncIterator[bytes | memoryview]:
        for segment in segments:
            if isinstance(segment, bytes):
                yield segment
                continue
            if isinstance(segment, Made):
                while (made := await self._threads.draw(next, segment.pieces, None)) is not None:
                    yield made
                continue
            with self._archive.open(segment.instance) as file:
                end = segment.offset + segment.length
                for offset in range(segment.offset, end, CHUNK):
                    length = min(CHUNK, end - offset)
                    piece = file.read_cached(offset, length)
                    if piece is None:
                        piece = await self._threads.read(_read_whole, file, offset, length)
                    yield piece
                    await asyncio.sleep(
                        0
                    )  # or who has left would be read for to the end, and nobody else heard


def _read_whole(file: StoredFile, offset: int, length: int) -> bytes:
    piece = file.read(offset, length)
    if len(piece) != length:
        raise StorageFailed("a stored file is shorter than the index says; verify the store")
    return piece


def _known(segments: Sequence[Segment]) -> list[Known] | None:
    """The segments, when the length of all of them is known."""
    known = [segment for segment in segments if not isinstance(segment, Made)]
    return known if len(known) == len(segments) else None


def _cut(segments: Sequence[Known], part: ByteRange) -> list[Known]:
    """What of the segments lies in the part."""
    cut: list[Known] = []
    start = 0
    for segment in segments:
        first, end = max(part.first - start, 0), min(part.last + 1 - start, len(segment))
        if first < end and isinstance(segment, bytes):
            cut.append(segment[first:end])
        elif first < end and isinstance(segment, Stretch):
            cut.append(replace(segment, offset=segment.offset + first, length=end - first))
        start += len(segment)
    return cut
