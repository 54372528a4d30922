"""Reading stored objects: frames, headers, metadata and bulk data, each with as few reads as it takes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from struct import unpack

from pydicom import Dataset, dcmread
from pydicom.errors import BytesLengthException, InvalidDicomError

from pacs.dataset.dicom_json import BulkDataUri, JsonWriter
from pacs.dataset.elements import Element, Parsed, read_elements
from pacs.dataset.frames import Frame, Read, basic_offset_table, fragments, frame_between, frames
from pacs.dataset.places import places
from pacs.dataset.series_json import SeriesJson
from pacs.dataset.transfer_syntax import encoding_of, inflate, is_deflated
from pacs.errors import FrameNotFound, MalformedObject, NotFound
from pacs.files import StoredFile
from pacs.model import DicomJson, Instance, PixelLocation

KNOWN_FRAME_TABLES = 256  # instances whose frame positions are remembered
KNOWN_HEADERS = 256  # headers kept ready for rendering

# What pydicom raises for values that are not what their VR says
_PYDICOM_ERRORS = (BytesLengthException, InvalidDicomError, ValueError, TypeError, LookupError, OverflowError)

_ENCAPSULATED_DOCUMENT, _ENCAPSULATED_DOCUMENT_LENGTH = 0x00420011, 0x00420015

_FLOAT_PIXELS = {0x7FE00008: "OF", 0x7FE00009: "OD"}


class Reader:
    """Reads what the file store keeps. One for each process; safe for threads."""

    def __init__(self, open_file: Callable[[Instance], StoredFile]) -> None:
        self._open = open_file
        self._offsets = lru_cache(KNOWN_FRAME_TABLES)(self._read_offsets)
        self._frame_table = lru_cache(KNOWN_FRAME_TABLES)(self._read_frame_table)
        self.header: Callable[[Instance], Dataset] = lru_cache(KNOWN_HEADERS)(self._read_header)

    @contextmanager
    def content(self, instance: Instance) -> Iterator[Read]:
        """Reads from the file, or from the inflated data set of a deflated one."""
        with self._open(instance) as file:
            if not is_deflated(instance.transfer_syntax_uid):
                yield file.read
                return
            inflated = inflate(file.read(instance.dataset_offset, file.size - instance.dataset_offset))
        yield lambda offset, length: inflated[offset : offset + length]

    def frame(self, instance: Instance, number: int) -> bytes:
        """One frame in the stored transfer syntax, number counting from 1. Raises FrameNotFound."""
        with self.content(instance) as read:
            return self._frame(instance, number, read)

    def frames(self, instance: Instance) -> Iterator[bytes]:
        """All frames, each as `frame` gives it, read when it is asked for. Raises FrameNotFound at once.

        The file is open, or the data set inflated, until the last is taken.
        """
        count = instance.pixels.number_of_frames if instance.pixels else 0
        self.frame_pieces(instance, count)
        with self.content(instance) as read:
            for number in range(1, count + 1):
                yield self._frame(instance, number, read)

    def _frame(self, instance: Instance, number: int, read: Read) -> bytes:
        content = b"".join(read(*piece) for piece in self.frame_pieces(instance, number))
        bits = instance.pixels.frame_bits if instance.pixels else 0
        return content if bits % 8 == 0 else _aligned(content, bits, bits * (number - 1) % 8)

    def frame_pieces(self, instance: Instance, number: int) -> Frame:
        """Where the bytes of a frame lie; of a native one whose bits are no whole bytes, those it touches."""
        pixels = instance.pixels
        if pixels is None or not 1 <= number <= pixels.number_of_frames:
            count = pixels.number_of_frames if pixels else 0
            raise FrameNotFound(f"the instance has no frame {number}; it has {count}")
        if pixels.encapsulated:
            return self._by_offset(instance, number) or self._by_walking(instance, number)
        return (_native_piece(pixels, number),)

    def _by_offset(self, instance: Instance, number: int) -> Frame | None:
        """A frame that an offset table tells of, without a look at the others; None when none does."""
        base, offsets, end = self._offsets(instance)
        if not offsets:
            return None
        start = base + offsets[number - 1]
        after = base + offsets[number] if number < len(offsets) else end
        before = base + offsets[number - 2] if number > 1 else -1
        if not before < start < after <= end:
            return None
        with self.content(instance) as read:
            return frame_between(read, start, after)

    def _by_walking(self, instance: Instance, number: int) -> Frame:
        table = self._frame_table(instance)
        if number > len(table):
            raise FrameNotFound(f"frame {number} is announced, but {len(table)} are there")
        return table[number - 1]

    def direct_pieces(self, instance: Instance, number: int) -> Frame | None:
        """The pieces of a frame that can be sent as they lie in the file; None when they cannot be."""
        pixels = instance.pixels
        if pixels is None or is_deflated(instance.transfer_syntax_uid) or pixels.frame_bits % 8:
            return None
        return self.frame_pieces(instance, number)

    def _read_offsets(self, instance: Instance) -> tuple[int, Sequence[int], int]:
        """Where the first fragment begins, how far behind it each frame does, and where the pixels end.

        The offsets are left out when they are not those of all frames.
        """
        pixels = instance.pixels
        if pixels is None or pixels.number_of_frames == 1:
            return 0, (), 0
        with self.content(instance) as read:
            base, offsets = basic_offset_table(read, pixels.offset, pixels.number_of_frames)
        offsets = offsets or self._extended_offsets(instance)
        is_complete = len(offsets) == pixels.number_of_frames and offsets[0] == 0
        return base, offsets if is_complete else (), pixels.offset + pixels.length

    def _read_frame_table(self, instance: Instance) -> list[Frame]:
        pixels = instance.pixels
        if pixels is None:
            return []
        with self.content(instance) as read:
            items = fragments(read, pixels.offset, pixels.length)
            count = pixels.number_of_frames
            needs_table = count > 1 and len(items) - 1 != count
            offsets = self._extended_offsets(instance) if needs_table else ()
            return frames(items, count, read, offsets)

    def _extended_offsets(self, instance: Instance) -> tuple[int, ...]:
        table = self.header(instance).get("ExtendedOffsetTable")
        if not isinstance(table, bytes):
            return ()
        return unpack(f"<{len(table) // 8}Q", table[: len(table) // 8 * 8])

    def _read_header(self, instance: Instance) -> Dataset:
        pixels = instance.pixels
        end = pixels.offset if pixels and not is_deflated(instance.transfer_syntax_uid) else instance.size
        with self._open(instance) as file:
            head = file.read(0, end)
        header = _decoded(head, stop_before_pixels=True)
        if pixels and end == pixels.offset:
            # Their VR tells the byte order of 8-bit pixels in big endian (PS3.5 8.1.1)
            vr = head[-8:-6].decode("ascii") if encoding_of(instance.transfer_syntax_uid).explicit else "OW"
            header.add_new(pixels.tag, vr, b"")
        return header

    def dataset(self, instance: Instance) -> Dataset:
        """The whole object, decoded by pydicom as its elements are asked for. Raises MalformedObject."""
        with self._open(instance) as file:
            return _decoded(file.read(0, file.size))

    def metadata(
        self, instance: Instance, bulk_data_uri: BulkDataUri, series: SeriesJson | None = None
    ) -> DicomJson:
        """The whole data set as DICOM JSON, but for bulk data, which it names by URI (PS3.18 10.4.1.1.2).

        series: what writes the instances of a series, one after the other.
        """
        encoding = encoding_of(instance.transfer_syntax_uid)
        pixels = instance.pixels
        with self.content(instance) as read:
            head, tail = _around_pixels(instance, read)
            vr = _vr_of_pixels(instance, pixels, read) if pixels else ""
        written = (series or SeriesJson()).write(head, encoding, bulk_data_uri)
        more: DicomJson = {"00083002": {"vr": "UI", "Value": [instance.transfer_syntax_uid]}}
        if pixels:
            key = f"{pixels.tag:08X}"
            more[key] = {"vr": vr, "BulkDataURI": bulk_data_uri(key)}
        if tail:
            behind = JsonWriter(tail, encoding, bulk_data_uri, written)
            more |= behind.write(read_elements(tail, encoding).elements)
        return dict(sorted((written | more).items()))

    def data_set_json(self, instance: Instance) -> DicomJson:
        """The data set of an instance without pixels as DICOM JSON, with every value in it."""
        encoding = encoding_of(instance.transfer_syntax_uid)
        content, _ = self.around_pixels(instance)
        return JsonWriter(content, encoding, inline=True).write(read_elements(content, encoding).elements)

    def vr_of_pixels(self, instance: Instance, pixels: PixelLocation) -> str:
        """As it is written before the value, or as PS3.5 A.1 has it where none is (Implicit VR)."""
        with self.content(instance) as read:
            return _vr_of_pixels(instance, pixels, read)

    def around_pixels(self, instance: Instance) -> tuple[bytes, bytes]:
        """The elements before the pixel data and those after it."""
        with self.content(instance) as read:
            return _around_pixels(instance, read)

    def elements(self, instance: Instance, wanted: frozenset[int]) -> tuple[bytes, list[Element]]:
        """Elements of the outermost level before the pixel data, behind the buffer that they lie in."""
        head, _ = self.around_pixels(instance)
        return head, read_elements(head, encoding_of(instance.transfer_syntax_uid), wanted=wanted).elements

    def bulk_data(self, instance: Instance, path: str) -> list[bytes]:
        """The values at a path that `metadata` named: one, or one a frame for encapsulated pixel data.

        Raises NotFound when nothing lies there.
        """
        pixels = instance.pixels
        if pixels and path == f"{pixels.tag:08X}":
            if pixels.encapsulated:
                return [self.frame(instance, number + 1) for number in range(pixels.number_of_frames)]
            with self.content(instance) as read:
                return [read(pixels.offset, pixels.length)]
        encoding = encoding_of(instance.transfer_syntax_uid)
        for part in self.around_pixels(instance):
            element = _find(read_elements(part, encoding), path)
            if element is not None:
                return [part[element.offset : element.offset + element.length]]
        raise NotFound("the instance has no bulk data there")

    def document(self, instance: Instance) -> tuple[int, int] | bytes:
        """Where the encapsulated document lies in the file, offset and length; the bytes of a deflated one.

        It is as it was put in: an odd one was padded by one byte, of which only its length tells
        (PS3.3 C.24.2). Length 0 when there is none.  Raises NotFound, MalformedObject.
        """
        encoding, deflated = (
            encoding_of(instance.transfer_syntax_uid),
            is_deflated(instance.transfer_syntax_uid),
        )
        with self.content(instance) as read:
            start, end = (0, len(read(0, 1 << 62))) if deflated else (instance.dataset_offset, instance.size)
            found = {tag: (offset, size) for tag, offset, size in places(read, encoding, start, end)}
            offset, length = found.get(_ENCAPSULATED_DOCUMENT, (0, 0))
            stated = read(*found.get(_ENCAPSULATED_DOCUMENT_LENGTH, (0, 0)))
            if int.from_bytes(stated, "little" if encoding.little_endian else "big") == length - 1:
                length -= 1
            return read(offset, length) if deflated else (offset, length)


def _vr_of_pixels(instance: Instance, pixels: PixelLocation, read: Read) -> str:
    if pixels.tag in _FLOAT_PIXELS:
        return _FLOAT_PIXELS[pixels.tag]
    if pixels.encapsulated:
        return "OB"
    if not encoding_of(instance.transfer_syntax_uid).explicit:
        return "OW"
    return "OB" if read(pixels.offset - 8, 2) == b"OB" else "OW"


def _around_pixels(instance: Instance, read: Read) -> tuple[bytes, bytes]:
    pixels = instance.pixels
    deflated = is_deflated(instance.transfer_syntax_uid)
    start = 0 if deflated else instance.dataset_offset
    if pixels is None:
        return read(start, instance.size if not deflated else 1 << 62), b""
    is_long = encoding_of(instance.transfer_syntax_uid).explicit
    head = read(start, pixels.offset - start - (12 if is_long else 8))
    end = pixels.offset + pixels.length + (8 if pixels.encapsulated else 0)
    return head, read(end, max(0, instance.size - end))


def _decoded(content: bytes, stop_before_pixels: bool = False) -> Dataset:
    try:
        return dcmread(BytesIO(content), stop_before_pixels=stop_before_pixels)
    except _PYDICOM_ERRORS as error:
        raise MalformedObject(f"the object cannot be decoded: {type(error).__name__}") from error


def _native_piece(pixels: PixelLocation, number: int) -> tuple[int, int]:
    first = pixels.frame_bits * (number - 1)
    last = first + pixels.frame_bits
    if not pixels.frame_bits or last > pixels.length * 8:
        raise FrameNotFound(f"frame {number} lies beyond the end of the pixel data")
    return pixels.offset + first // 8, (last + 7) // 8 - first // 8


def _aligned(content: bytes, bits: int, skip: int) -> bytes:
    """Bits from the middle of bytes, moved to begin with the first (PS3.5 8.1.1: the lowest bit first)."""
    whole = int.from_bytes(content, "little") >> skip & (1 << bits) - 1
    return whole.to_bytes((bits + 7) // 8, "little")


def _find(parsed: Parsed, path: str) -> Element | None:
    elements = parsed.elements
    *above, last = path.split("/")
    for key, number in zip(above[::2], above[1::2], strict=False):
        sequence = next((e for e in elements if f"{e.tag:08X}" == key), None)
        items = sequence.items if sequence and sequence.items else []
        elements = (
            items[int(number)] if number.isdecimal() and len(number) < 9 and int(number) < len(items) else []
        )
    return next((e for e in elements if f"{e.tag:08X}" == last and e.items is None), None)
