"""Storing objects (PS3.18 10.5): the body is written to its places as it comes."""

import asyncio
from contextlib import nullcontext
from http import HTTPStatus

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from dicomweb.aside import METADATA_MEDIA_TYPES
from dicomweb.data_sets import write_data_set
from dicomweb.lent_body import LentBody, borrow
from dicomweb.media_types import DICOM, DICOM_JSON, DICOM_XML, OCTET_STREAM, parse_media_type
from dicomweb.multipart import boundary_of
from dicomweb.negotiation import Negotiation
from dicomweb.problems import problem
from dicomweb.received import Received
from dicomweb.reception import Reception
from dicomweb.request import header, service_url, uids
from dicomweb.store_response import store_response, store_status
from dicomweb.threads import Threads
from pacs.archive import Archive
from pacs.errors import ArchiveError
from pacs.incoming import Check, in_study
from pacs.model import Source

BATCH = 1 << 20  # bytes of the body handed to a thread at once, while the next are gathered

_KINDS = (DICOM, DICOM_JSON, DICOM_XML)
STORED_MEDIA_TYPES = (*(f'multipart/related; type="{kind}"' for kind in _KINDS), *_KINDS)

# What the parts of a body may be said to be
_PART_TYPES = METADATA_MEDIA_TYPES | {DICOM, OCTET_STREAM}

log = structlog.get_logger()


class _UnsupportedMediaType(Exception):
    """The body is nothing that can be stored; the message says what can."""


class Store:
    """The store transaction."""

    def __init__(self, archive: Archive, threads: Threads, negotiation: Negotiation, root: str) -> None:
        """root: the path of the service."""
        self._archive = archive
        self._threads = threads
        self._negotiation = negotiation
        self._root = root

    async def store(self, request: Request) -> Response:
        """POST /studies and /studies/{study}."""
        study = next(iter(uids(request)), None)
        return await self.receive(request, None if study is None else in_study(study))

    async def receive(
        self, request: Request, check: Check | None, status_of_part: HTTPStatus = HTTPStatus.ACCEPTED
    ) -> Response:
        """Store what the body holds.

        check: whether an object is what the request announced.
        status_of_part: of an answer that tells of failures or warnings beside what was stored.
        """
        form = self._negotiation.choose_data_set(request)
        try:
            boundary, media_type = _form(request)
        except _UnsupportedMediaType as error:
            return problem(415, str(error), parameter="Content-Type")
        source = Source(address=request.client.host if request.client else "")
        try:
            reception = Reception(self._archive, source, check, boundary, media_type)
            received = await self._receive(request, reception)
        except ClientDisconnect:
            log.warning("store request broke off", peer=source.address)
            return Response(status_code=400)  # nobody is there to read it
        _log_failures(received, source)
        answer = store_response(received, service_url(request, self._root))
        headers = {"Content-Type": form.media_type}
        return Response(write_data_set(form, answer), store_status(received, status_of_part), headers=headers)

    async def _receive(self, request: Request, reception: Reception) -> list[Received]:
        with borrow(request) or nullcontext() as body:
            finished = False
            try:
                if body is None:
                    await self._hand_over(request, reception)
                else:
                    await self._receive_directly(body, reception)
                received = await self._threads.store(reception.finish)
                finished = True
            finally:
                if not finished:
                    await self._threads.store(reception.abandon)  # which waits until no thread receives
        return received

    async def _receive_directly(self, body: LentBody, reception: Reception) -> None:
        """Have a thread receive the body; while nothing comes it is free for others."""
        while not body.is_whole:
            await body.more()
            await self._threads.store(reception.take, body.pieces(reception.room))

    async def _hand_over(self, request: Request, reception: Reception) -> None:
        """Gather the body into batches; one is worked on while the next is gathered."""
        batch: list[bytes] = []
        size = 0
        working: asyncio.Future[None] | None = None
        async for chunk in request.stream():
            batch.append(chunk)
            size += len(chunk)
            if size >= BATCH:
                if working is not None:
                    await working
                working = asyncio.ensure_future(self._threads.store(reception.take, batch))
                batch, size = [], 0
        if working is not None:
            await working
        await self._threads.store(reception.take, batch)


def _form(request: Request) -> tuple[str | None, str | None]:
    """The boundary of the body, None when it is one part by itself; and the media type of its parts.

    That is None where only the first part will tell it.
    Raises _UnsupportedMediaType, and MultipartError when there is no boundary.
    """
    text = header(request, b"content-type")
    media_type = parse_media_type(text)
    name = media_type.media_type if media_type else ""
    parts = ((media_type and media_type.parameter("type")) or "").lower()
    if header(request, b"content-encoding").strip().lower() not in ("", "identity"):
        raise _UnsupportedMediaType("Content-Encoding: send the body as it is, not compressed")
    if name == DICOM or name in METADATA_MEDIA_TYPES:
        return None, name
    if name == "multipart/related" and (not parts or parts in _PART_TYPES):
        return boundary_of(text), parts or None
    raise _UnsupportedMediaType(
        f"Content-Type: send multipart/related; type={' or '.join(_KINDS)}, or one such part by itself"
    )


def _log_failures(received: list[Received], source: Source) -> None:
    for one in received:
        if isinstance(one.outcome, ArchiveError):
            log.warning(
                "instance not stored",
                peer=source.address,
                instance=one.sop_instance_uid,
                error=type(one.outcome).__name__,
                reason=str(one.outcome),
            )
