"""Bodies of data sets: one array in JSON (PS3.18 F.2), or in XML a part for each (PS3.18 8.7.3)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import orjson

from dicomweb.media_types import DICOM_JSON, DICOM_XML, NotAcceptable, Representation
from dicomweb.multipart import MultipartWriter
from dicomweb.native_xml import native_xml
from pacs.model import DicomJson

_SEVERAL = (
    'Accept: {} results are no one document in XML; ask for multipart/related; type="application/dicom+xml"'
)


@dataclass(frozen=True, slots=True)
class DataSetsWriter:
    """Writes a body that may be long: `before`, pieces with `between` between any two, `after`.

    piece: some data sets, at least one.
    piece_of: the same, of an array as it is kept in JSON.
    """

    content_type: str
    before: bytes
    between: bytes
    after: bytes
    piece: Callable[[Iterable[DicomJson]], bytes]
    piece_of: Callable[[bytes], bytes]

    def whole(self, data_sets: Iterable[DicomJson]) -> bytes:
        """A body in one. Of no data sets it is empty in XML, for a body in parts has at least one."""
        piece = self.piece(data_sets)
        return b"".join((self.before, piece, self.after)) if piece or self.before else b""


def data_sets_writer(form: Representation) -> DataSetsWriter:
    """What writes bodies of this form."""
    if form.media_type == DICOM_XML:
        return _xml() if form.multipart else _one_in_xml()
    return _json_in_one_part() if form.multipart else _json(form.media_type)


def write_data_set(form: Representation, data_set: DicomJson) -> bytes:
    """A body that is one data set by itself, in JSON no array."""
    return native_xml(data_set) if form.media_type == DICOM_XML else orjson.dumps(data_set)


def _json(media_type: str) -> DataSetsWriter:
    return DataSetsWriter(
        media_type,
        before=b"[",
        between=b",",
        after=b"]",
        piece=lambda data_sets: orjson.dumps(list(data_sets))[1:-1],
        piece_of=lambda array: array[1:-1],
    )


def _json_in_one_part() -> DataSetsWriter:
    """Of many data sets JSON makes one array, and so one part."""
    parts, array = MultipartWriter(), _json(DICOM_JSON)
    return replace(
        array,
        content_type=parts.content_type(DICOM_JSON),
        before=parts.part_head({"Content-Type": DICOM_JSON}) + array.before,
        after=array.after + MultipartWriter.PART_END + parts.closing(),
    )


def _one_in_xml() -> DataSetsWriter:
    def piece(data_sets: Iterable[DicomJson]) -> bytes:
        """Raises NotAcceptable: a document of the Native DICOM Model is one data set (PS3.19 A.1)."""
        first, *others = data_sets
        if others:
            raise NotAcceptable(_SEVERAL.format(len(others) + 1))
        return native_xml(first)

    return DataSetsWriter(DICOM_XML, b"", b"", b"", piece, lambda array: piece(orjson.loads(array)))


def _xml() -> DataSetsWriter:
    parts = MultipartWriter()
    head = parts.part_head({"Content-Type": DICOM_XML})

    def piece(data_sets: Iterable[DicomJson]) -> bytes:
        return b"".join(head + native_xml(data_set) + MultipartWriter.PART_END for data_set in data_sets)

    return DataSetsWriter(
        parts.content_type(DICOM_XML),
        before=b"",
        between=b"",
        after=parts.closing(),
        piece=piece,
        piece_of=lambda array: piece(orjson.loads(array)),
    )
