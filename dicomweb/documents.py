"""What is given out as it was put in: encapsulated documents (PS3.3 C.24) and films (PS3.5 8.2.5)."""

from collections.abc import Sequence

from dicomweb.bodies import Segment, Stretch
from dicomweb.syntaxes import COMPRESSED_MEDIA_TYPES
from pacs.archive import Archive
from pacs.dataset.frames import fragments
from pacs.errors import CannotRender
from pacs.model import Instance

DOCUMENT = "00420011"  # Encapsulated Document

# PS3.4 Annex B.5: the SOP class decides, not what the object claims to hold.
DOCUMENT_MEDIA_TYPES = {
    "1.2.840.10008.5.1.4.1.1.104.1": "application/pdf",
    "1.2.840.10008.5.1.4.1.1.104.2": "text/xml",  # CDA
    "1.2.840.10008.5.1.4.1.1.104.3": "model/stl",
    "1.2.840.10008.5.1.4.1.1.104.4": "model/obj",
    "1.2.840.10008.5.1.4.1.1.104.5": "model/mtl",
}

_SUFFIXES = {
    "application/pdf": "pdf",
    "text/xml": "xml",
    "model/stl": "stl",
    "model/obj": "obj",
    "model/mtl": "mtl",
    "video/mpeg2": "mpg",
    "video/mp4": "mp4",
}

STREAM_MEDIA_TYPES = tuple(_SUFFIXES)


def stream_media_type(instance: Instance) -> str | None:
    """The media type of a document or film; None for other objects."""
    if is_film(instance):
        return COMPRESSED_MEDIA_TYPES[instance.transfer_syntax_uid]
    return DOCUMENT_MEDIA_TYPES.get(instance.sop_class_uid)


def is_film(instance: Instance) -> bool:
    """Whether the pixels are one stream in which frames cannot be told apart."""
    media_type = COMPRESSED_MEDIA_TYPES.get(instance.transfer_syntax_uid, "")
    return instance.pixels is not None and media_type.startswith("video/")


def stream_headers(instance: Instance, media_type: str) -> dict[str, str]:
    """How a browser is to take it: as what it is said to be, with no script of it run in our name."""
    name = f"{instance.sop_instance_uid}.{_SUFFIXES[media_type]}"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    if media_type == "text/xml":
        headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return headers


def stream_segments(archive: Archive, instance: Instance) -> Sequence[Segment]:
    """The document or film. Raises CannotRender when there is none, NotFound."""
    return _film(archive, instance) if instance.pixels else [_document(archive, instance)]


def _document(archive: Archive, instance: Instance) -> Segment:
    document = archive.document(instance)
    segment = document if isinstance(document, bytes) else Stretch(instance, *document)
    if not len(segment):
        raise CannotRender("the object holds no document")
    return segment


def _film(archive: Archive, instance: Instance) -> list[Segment]:
    """The bit stream of all frames, in however many fragments it came."""
    pixels = instance.pixels
    if pixels is None or not pixels.encapsulated:
        raise CannotRender("the object holds no film")
    with archive.open(instance) as file:
        _, *pieces = fragments(file.read, pixels.offset, pixels.length)
    return [Stretch(instance, offset, length) for offset, length in pieces]
