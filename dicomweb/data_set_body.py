"""One data set as the body of a request, in JSON or XML (PS3.18 11.1.3, 13.1.3)."""

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from dicomweb.media_types import DICOM_XML, parse_media_type
from dicomweb.problems import problem
from dicomweb.read_native_xml import read_native_xml
from dicomweb.request import header
from pacs.dataset.json_input import read_dicom_json
from pacs.model import DicomJson

MAX_BODY = 1 << 20  # bytes; a work item has a few thousand

BODY_MEDIA_TYPES = ("application/dicom+json", "application/json", DICOM_XML)


class BodyRefused(Exception):
    """The body is none that is taken here.  response: what says so."""

    def __init__(self, status: int, detail: str, parameter: str = "") -> None:
        super().__init__(detail)
        self.response: Response = problem(status, detail, parameter=parameter)


async def read_data_set(request: Request, limit: int = MAX_BODY, may_be_empty: bool = False) -> DicomJson:
    """The data set of a request; empty where there may be none, and is none.

    limit: bytes of the body at most.

    Raises BodyRefused, or MalformedObject for what is no data set.
    """
    content = await _content(request, limit)
    if not content and may_be_empty:
        return {}
    media_type = parse_media_type(header(request, b"content-type"))
    if media_type is None or media_type.media_type not in BODY_MEDIA_TYPES:
        raise BodyRefused(415, f"Content-Type: send {BODY_MEDIA_TYPES[0]}", "Content-Type")
    if header(request, b"content-encoding").strip().lower() not in ("", "identity"):
        raise BodyRefused(415, "Content-Encoding: send the body as it is, not compressed", "Content-Encoding")
    if media_type.media_type == DICOM_XML:
        content = orjson.dumps(read_native_xml(content))
    return read_dicom_json(content)


async def _content(request: Request, limit: int) -> bytes:
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > limit:
                raise BodyRefused(413, f"the body is longer than the {limit} bytes that are taken here")
    except ClientDisconnect as error:
        raise BodyRefused(400, "the request broke off") from error  # nobody is there to read it
    return bytes(content)
