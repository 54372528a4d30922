"""One frame of a whole slide image costs one frame, wherever the places of frames are kept (PS3.5 A.4)."""

from collections.abc import Iterator
from struct import pack

import numpy as np
import pytest
from pydicom.uid import JPEG2000Lossless

from pacs.files import StoredFile
from pacs.model import Instance, PixelLocation
from pacs.retrieve import Reader
from testdata.files import part10
from testdata.raw_bytes import item
from testdata.secondary_capture import secondary_capture

COUNT, LENGTH = 50_000, 8_000  # frames, and bytes of each: 400 MB, which are never there at once
HEADER = 8
OFFSETS = range(0, COUNT * (HEADER + LENGTH), HEADER + LENGTH)
BASIC, EXTENDED = pack(f"<{COUNT}I", *OFFSETS), pack(f"<{COUNT}Q", *OFFSETS)


class Slide(StoredFile):
    """A file whose frames are made when they are read, each of its own number, and what was read of it."""

    def __init__(self, table: bytes = b"", extended: bytes = b"") -> None:
        dataset = secondary_capture(np.zeros((8, 8), np.uint8))
        dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
        dataset.NumberOfFrames = COUNT
        if extended:
            dataset.add_new(0x7FE00001, "OV", extended)
        dataset["PixelData"].is_undefined_length = True
        dataset.PixelData = item(b"")
        whole = part10(dataset)
        before = whole[: whole.rindex(b"\xe0\x7f\x10\x00OB") + 12]
        self.pixels, self.head = len(before), before + item(table)
        self.length = len(self.head) + OFFSETS.stop
        self.bytes_read = 0

    def instance(self) -> Instance:
        location = PixelLocation(0x7FE00010, self.pixels, self.length - self.pixels, True, COUNT, 0)
        return Instance("1", "2", "3", "4", JPEG2000Lossless, "slide", self.length, 0, "", location)

    @property
    def size(self) -> int:
        return self.length

    def read(self, offset: int, length: int) -> bytes:
        self.bytes_read += length
        piece = self.head[offset : offset + length]
        while len(piece) < length and offset + len(piece) < self.length:
            number, within = divmod(offset + len(piece) - len(self.head), HEADER + LENGTH)
            frame = item(number.to_bytes(4, "little") * (LENGTH // 4))
            piece += frame[within : within + length - len(piece)]
        return piece

    def read_cached(self, offset: int, length: int) -> bytes:
        return self.read(offset, length)

    def chunks(self, offset: int, length: int) -> Iterator[bytes]:
        yield self.read(offset, length)

    def __exit__(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("slide", "once"),
    [
        pytest.param(Slide(table=BASIC), len(BASIC), id="basic offset table"),
        pytest.param(Slide(extended=EXTENDED), len(EXTENDED), id="extended offset table"),
        pytest.param(Slide(), COUNT * HEADER, id="neither: the lengths of all fragments"),
    ],
)
def test_one_frame_is_read_and_not_the_rest(slide: Slide, once: int) -> None:
    reader, instance = Reader(lambda _: slide), slide.instance()
    for number, extra in ((40_001, once + slide.pixels + 100), (7, 100), (50_000, 100)):
        slide.bytes_read = 0
        assert reader.frame(instance, number) == (number - 1).to_bytes(4, "little") * (LENGTH // 4)
        assert LENGTH <= slide.bytes_read <= LENGTH + extra


@pytest.mark.parametrize(
    "table",
    [
        bytes(len(BASIC)),
        BASIC[:-4],
        BASIC[:8] + pack("<I", OFFSETS[2] + 2) + BASIC[12:],
        BASIC[:8] + b"\xff" * 4 + BASIC[12:],
        pack("<I", 4) + BASIC[4:],
    ],
    ids=["zeros", "too short", "beside an item", "beyond the end", "not from the start"],
)
def test_a_table_that_is_wrong_is_passed_over(table: bytes) -> None:
    slide = Slide(table=table)
    reader = Reader(lambda _: slide)
    for number in (1, 2, 3, 50_000):
        expected = (number - 1).to_bytes(4, "little") * (LENGTH // 4)
        assert reader.frame(slide.instance(), number) == expected
