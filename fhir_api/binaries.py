"""Binary: the originals, as they are or within a resource (FHIR R4 Binary, "Serving Binary Resources")."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fhir_api.conditional import is_known
from fhir_api.formats import JSON_TYPES, XML, XML_TYPES
from fhir_api.original_forms import preferred
from fhir_api.outcome import MEDIA_TYPE, RequestFault, outcome
from fhir_api.r4.xml_writer import to_xml
from pacs.archive import Archive
from pacs.byte_range import ByteRange, NotSatisfiable, parse_range
from pacs.errors import NotFound
from pacs.model import Instance
from sr.encapsulated import MEDIA_TYPES

MAX_IN_RESOURCE = 32 << 20  # bytes of an original that is given within a resource

DICOM = "application/dicom"

_IN_XML = tuple(one for one in XML_TYPES if one != "text/xml")  # that is a CDA document itself
_IN_RESOURCE = (*JSON_TYPES, *_IN_XML)
_TAIL = {MEDIA_TYPE: b'"}', XML: b'"/></Binary>'}  # behind the content, the last element of the resource
_PIECE = 3 << 18  # bytes that are read at a time: of threes, so that Base64 has padding at the end alone


@dataclass(frozen=True, slots=True)
class Original:
    """What is given out of an instance. content: offset and length in its file, or the bytes themselves."""

    instance: Instance
    media_type: str
    content: tuple[int, int] | bytes

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content[1]

    def tag(self, form: str) -> str:
        """Its entity tag in this form; a file is never written twice."""
        described = f"{self.instance.file} {self.media_type} {form}".encode()
        return f'"{hashlib.sha256(described).hexdigest()[:32]}"'


class Binaries:
    """Answers for Binary. Its id is the SOP Instance UID of an object that the archive has."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def read(self, request: Request, resource_id: str) -> Response:
        """The document of an encapsulated one, else the DICOM object; or the other one, or a resource.

        Raises NotFound, RequestFault (406).
        """
        instance = self._archive.instance_by_uid(resource_id)
        native = MEDIA_TYPES.get(instance.sop_class_uid)
        offers = (*((native,) if native else ()), DICOM, *_IN_RESOURCE)
        form = preferred(request.query_params.get("_format", ""), request.headers.get("accept", ""), offers)
        is_document = native is not None and form != DICOM
        content = self._archive.document(instance) if is_document else (0, instance.size)
        original = Original(instance, native if native is not None and is_document else DICOM, content)
        if not original.size:
            raise NotFound("the object holds no document")
        with self._archive.open(instance):
            pass  # a file that was lost is told before anything is sent
        if form not in _IN_RESOURCE:
            return self._bare(request, original)
        return self._within(request, original, XML if form in _IN_XML else MEDIA_TYPE)

    def _bare(self, request: Request, original: Original) -> Response:
        headers = _headers(original, "bare") | {"Accept-Ranges": "bytes"} | _safely(original)
        if is_known(request.headers, headers["ETag"], None):
            return Response(status_code=304, headers=headers)
        asked = request.headers.get("range", "")
        current = request.headers.get("if-range", headers["ETag"]) == headers["ETag"]
        try:
            part = parse_range(asked, original.size) if asked and current else None
        except NotSatisfiable as error:
            refusal = outcome(416, "value", str(error), "Range")
            refusal.headers["Content-Range"] = f"bytes */{original.size}"
            return refusal
        if part is not None:
            headers["Content-Range"] = f"bytes {part.first}-{part.last}/{original.size}"
        whole = ByteRange(0, original.size - 1)
        stretch, status = (whole, 200) if part is None else (part, 206)
        headers["Content-Length"] = str(stretch.last - stretch.first + 1)
        return _streamed(request, self._pieces(original, stretch), headers, original.media_type, status)

    def _within(self, request: Request, original: Original, form: str) -> Response:
        """As a resource, its content in Base64."""
        if original.size > MAX_IN_RESOURCE:
            message = f"an original above {MAX_IN_RESOURCE} bytes is given as {original.media_type} only"
            raise RequestFault(406, "too-long", message, "Accept")
        headers = _headers(original, form)
        if is_known(request.headers, headers["ETag"], None):
            return Response(status_code=304, headers=headers)
        told = {"id": original.instance.sop_instance_uid, "contentType": original.media_type, "data": ""}
        resource = {"resourceType": "Binary"} | told
        written, tail = to_xml(resource) if form == XML else orjson.dumps(resource), _TAIL[form]
        head = written.removesuffix(tail)
        encoded = map(base64.b64encode, self._pieces(original, ByteRange(0, original.size - 1)))
        headers["Content-Length"] = str(len(head) + (original.size + 2) // 3 * 4 + len(tail))
        return _streamed(request, _joined(head, encoded, tail), headers, form, 200)

    def _pieces(self, original: Original, stretch: ByteRange) -> Iterator[bytes]:
        """The bytes of a stretch, some at a time."""
        content, end = original.content, stretch.last + 1
        starts = range(stretch.first, end, _PIECE)
        if isinstance(content, bytes):
            yield from (content[start : min(start + _PIECE, end)] for start in starts)
            return
        with self._archive.open(original.instance) as file:
            for start in starts:
                yield file.read(content[0] + start, min(_PIECE, end - start))


def _joined(head: bytes, pieces: Iterator[bytes], tail: bytes) -> Iterator[bytes]:
    yield head
    yield from pieces
    yield tail


def _streamed(
    request: Request, pieces: Iterator[bytes], headers: dict[str, str], media_type: str, status: int
) -> Response:
    body: Iterator[bytes] | Sequence[bytes] = pieces if request.method != "HEAD" else ()
    return StreamingResponse(body, status, headers | {"Content-Type": media_type})


def _headers(original: Original, form: str) -> dict[str, str]:
    """Stored by the client alone, and asked for again each time, when it costs a 304 only."""
    return {"ETag": original.tag(form), "Cache-Control": "private, no-cache", "Vary": "Accept"}


def _safely(original: Original) -> dict[str, str]:
    """A browser is to take it as what it is said to be, with no script of it run in our name."""
    headers = {"X-Content-Type-Options": "nosniff"}
    if original.media_type == "text/xml":
        headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return headers
