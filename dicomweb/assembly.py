"""An object made of its metadata and its bulk data (PS3.18 10.5.2)."""

from collections.abc import Sized

from dicomweb.aside import Aside, Part
from dicomweb.media_types import OCTET_STREAM
from dicomweb.pixel_value import PixelValue, complete, first_value, pixel_value
from pacs.dataset.elements import PIXEL_DATA, name
from pacs.dataset.json_encoder import BulkValue, JsonEncoder
from pacs.dataset.part10 import FileMeta
from pacs.dataset.transfer_syntax import EXPLICIT_LITTLE_ENDIAN
from pacs.errors import MalformedObject
from pacs.files import Stretch
from pacs.incoming import Incoming, Sender
from pacs.model import DicomJson

_SOP_CLASS, _SOP_INSTANCE = "00080016", "00080018"
_PIXELS, _DOCUMENT = "7FE00010", "00420011"
_MODALITY = "00080060"
# Of metadata, not of the object: in what it can be had
AVAILABLE_TRANSFER_SYNTAX_UID = "00083002"

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
VL_PHOTOGRAPHIC = "1.2.840.10008.5.1.4.1.1.77.1.4"
VIDEO_PHOTOGRAPHIC = "1.2.840.10008.5.1.4.1.1.77.1.4.1"
ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"


class Assembler:
    """Makes the objects of one request."""

    def __init__(self, sender: Sender, aside: Aside) -> None:
        self._sender = sender
        self._aside = aside

    def assemble(self, data_set: DicomJson) -> tuple[Incoming, bool]:
        """One object as if it had come whole, and whether elements were discarded.

        Raises Refused or StorageFailed leaves; nothing of the object stays then.
        """
        kept = {key: element for key, element in data_set.items() if key != AVAILABLE_TRANSFER_SYNTAX_UID}
        pixels = self._parts_of(kept, _PIXELS)
        value = pixel_value(pixels, self._aside.scratch) if pixels else None
        if value is not None:
            kept = complete(kept, value.attributes)
        document = self._parts_of(kept, _DOCUMENT)
        if document:
            kept = _document_attributes(document[0]) | kept
        kept = _sop_class(kept, [*pixels, *document]) | kept
        encoder = JsonEncoder(lambda tag, uri: self._bulk_value(tag, uri, pixels, value))
        pieces = encoder.encode(kept)
        incoming = self._write(kept, value.transfer_syntax_uid if value else EXPLICIT_LITTLE_ENDIAN, pieces)
        return incoming, bool(encoder.discarded) or AVAILABLE_TRANSFER_SYNTAX_UID in data_set

    def _write(self, data_set: DicomJson, transfer_syntax_uid: str, pieces: list[Sized]) -> Incoming:
        uids = first_value(data_set, _SOP_CLASS), first_value(data_set, _SOP_INSTANCE)
        incoming = self._sender.begin(FileMeta(*uids, transfer_syntax_uid))
        try:
            for piece in pieces:
                if isinstance(piece, Stretch):
                    for chunk in self._aside.scratch.chunks(piece):
                        incoming.write(chunk)
                elif isinstance(piece, bytes):
                    incoming.write(piece)
        except BaseException:
            incoming.abort()
            raise
        return incoming

    def _parts_of(self, data_set: DicomJson, key: str) -> list[Part]:
        """The parts that are the value of an attribute; none where it has no value that lies elsewhere."""
        element = data_set.get(key)
        uri = element.get("BulkDataURI") if isinstance(element, dict) else None
        return self._named(int(key, 16), uri) if isinstance(uri, str) else []

    def _bulk_value(self, tag: int, uri: str, pixels: list[Part], value: PixelValue | None) -> BulkValue:
        parts = self._named(tag, uri)
        if tag == PIXEL_DATA and value is not None and parts == pixels:
            return value.value
        return BulkValue([part.where for part in parts])

    def _named(self, tag: int, uri: str) -> list[Part]:
        parts = self._aside.named(uri)
        if not parts:
            raise MalformedObject(f"{name(tag)}: no part has the Content-Location of its BulkDataURI", tag)
        return parts


def _document_attributes(part: Part) -> DicomJson:
    """PS3.3 C.24.2: what follows from the document."""
    media_type = part.media_type.media_type
    made: DicomJson = {"00420015": {"vr": "UL", "Value": [len(part.where)]}}
    if media_type != OCTET_STREAM:
        made["00420012"] = {"vr": "LO", "Value": [media_type]}
    return made


def _sop_class(data_set: DicomJson, parts: list[Part]) -> DicomJson:
    """The SOP class of what says none, where its bulk data leave one only."""
    media_type = parts[0].media_type.media_type if parts else ""
    if media_type == "application/pdf":
        uid = ENCAPSULATED_PDF
    elif media_type.startswith("video/"):
        uid = VIDEO_PHOTOGRAPHIC
    elif media_type.startswith("image/"):
        uid = VL_PHOTOGRAPHIC if first_value(data_set, _MODALITY) == "XC" else SECONDARY_CAPTURE
    else:
        return {}
    return {_SOP_CLASS: {"vr": "UI", "Value": [uid]}}
