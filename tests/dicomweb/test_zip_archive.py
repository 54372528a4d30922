"""Zip archives that stream, as Python's reader sees them (ISO/IEC 21320-1)."""

import zlib
from io import BytesIO
from struct import unpack
from zipfile import ZipFile

from hypothesis import given
from hypothesis import strategies as st

from dicomweb.zip_archive import ZipWriter, archive_length

GIGABYTE = 1 << 30


def zipped(members: dict[str, bytes]) -> bytes:
    writer = ZipWriter()
    written = [writer.begin(n, len(d)) + d + writer.end(zlib.crc32(d)) for n, d in members.items()]
    return b"".join(written) + writer.closing()


@given(st.dictionaries(st.text("ABC019_", min_size=1, max_size=8), st.binary(max_size=300), max_size=20))
def test_what_goes_in_comes_out_and_the_length_was_known(members: dict[str, bytes]) -> None:
    data = zipped(members)
    assert len(data) == archive_length((name, len(content)) for name, content in members.items())
    with ZipFile(BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == members


class Sparse(BytesIO):
    """A file of pieces, with nothing but zeros between them."""

    def __init__(self, pieces: list[tuple[int, bytes]], length: int) -> None:
        super().__init__()
        self._pieces, self._length, self._at = pieces, length, 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._length)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        end = self._length if size is None or size < 0 else min(self._at + size, self._length)
        found = bytearray(end - self._at)
        for start, piece in self._pieces:
            for place in range(max(start, self._at), min(start + len(piece), end)):
                found[place - self._at] = piece[place - start]
        self._at = end
        return bytes(found)


def test_objects_and_archives_of_more_than_4_gigabytes_are_zip64() -> None:
    sizes = [("A", 5 * GIGABYTE), ("B", 10), ("C", 3 * GIGABYTE)]
    writer, at = ZipWriter(), 0
    pieces: list[tuple[int, bytes]] = []
    for name, size in sizes:
        check_sum = zlib.crc32(bytes(size)) if size < 100 else 0
        for piece, behind in ((writer.begin(name, size), size), (writer.end(check_sum), 0)):
            pieces.append((at, piece))
            at += len(piece) + behind
    pieces.append((at, writer.closing()))
    length = at + len(pieces[-1][1])
    assert length == archive_length(sizes)
    with ZipFile(Sparse(pieces, length)) as archive:
        assert [(info.filename, info.file_size) for info in archive.infolist()] == sizes
        with archive.open("B") as member:
            assert member.read(4) == bytes(4)


def test_more_members_than_16_bits_can_count_are_all_there() -> None:
    members = {f"I{number}": b"" for number in range(70_000)}
    data = zipped(members)
    assert unpack("<H", data[-12:-10]) == (0xFFFF,)
    with ZipFile(BytesIO(data)) as archive:
        assert len(archive.namelist()) == 70_000
