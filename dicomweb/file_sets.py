"""Objects as a DICOM File-set in a zip archive (PS3.18 8.6.1.3, PS3.10 8, PS3.12 Annex V)."""

import zlib
from collections.abc import AsyncIterator, Sequence

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dicomweb.bodies import CHUNK
from dicomweb.conditional import entity_tag, not_modified, validators
from dicomweb.media_types import Representation
from dicomweb.threads import Threads
from dicomweb.zip_archive import ZipWriter, archive_length
from pacs.archive import Archive
from pacs.attributes import BY_TAG
from pacs.dataset.dicomdir import Directory, record_type
from pacs.errors import StorageFailed
from pacs.files import StoredFile
from pacs.model import DicomJson, Instance, Level
from pacs.query import Criterion, OneOf, Query

_DICOMDIR = "DICOMDIR"

FileId = tuple[str, ...]

_NO_FILE: tuple[None, FileId] = (None, ())  # of an instance that came after the others were looked up


class FileSets:
    """Writes the stored files of one study one after the other, behind a DICOMDIR that refers to them."""

    def __init__(self, archive: Archive, threads: Threads) -> None:
        self._archive = archive
        self._threads = threads

    async def respond(
        self, request: Request, instances: Sequence[Instance], form: Representation, name: str
    ) -> Response:
        """All of these instances, which are of one study, as they are stored.

        name: of the file that a browser makes of it, without its extension.
        """
        tag = entity_tag(form, [(i.sop_instance_uid, i.digest) for i in instances])
        held = not_modified(request, tag)
        if held is not None:
            return held
        files = _file_ids(instances)
        directory = await self._threads.draw(self._directory, files)
        sizes = [(_DICOMDIR, len(directory)), *(("/".join(names), i.size) for i, names in files)]
        headers = validators(tag) | {
            "Content-Type": form.media_type,
            "Content-Length": str(archive_length(sizes)),
            "Content-Disposition": f'attachment; filename="{name}.zip"',
        }
        if request.method == "HEAD":
            return Response(headers=headers)
        return StreamingResponse(self._stream(directory, files), headers=headers)

    def _directory(self, files: Sequence[tuple[Instance, FileId]]) -> bytes:
        """In the order of the search, so that no more than one answer of it is held."""
        wanted = {(i.series_instance_uid, i.sop_instance_uid): (i, names) for i, names in files}
        directory = Directory()
        for found in self._archive.search(Query(Level.INSTANCE, _criteria([i for i, _ in files]))):
            attributes = found.attributes
            instance, names = wanted.get(
                (_uid(attributes, "0020000E"), _uid(attributes, "00080018")), _NO_FILE
            )
            if instance is None:
                continue
            if record_type(instance.sop_class_uid) != "IMAGE":  # it has keys that the index does not hold
                attributes |= self._archive.metadata(instance)
            directory.add(instance, attributes, names)
        return directory.file()

    async def _stream(
        self, directory: bytes, files: Sequence[tuple[Instance, FileId]]
    ) -> AsyncIterator[bytes]:
        writer = ZipWriter()
        yield writer.begin(_DICOMDIR, len(directory)) + directory + writer.end(zlib.crc32(directory))
        for instance, names in files:
            yield writer.begin("/".join(names), instance.size)
            check_sum = 0
            with self._archive.open(instance) as file:
                for offset in range(0, instance.size, CHUNK):
                    length = min(CHUNK, instance.size - offset)
                    piece, check_sum = await self._threads.read(_read, file, offset, length, check_sum)
                    yield piece
            yield writer.end(check_sum)
        yield writer.closing()


def _file_ids(instances: Sequence[Instance]) -> list[tuple[Instance, FileId]]:
    """Names of at most 8 characters (PS3.10 8.2), which say nothing of whom the objects are."""
    series = {uid: n for n, uid in enumerate(dict.fromkeys(i.series_instance_uid for i in instances), 1)}
    return [
        (instance, ("DICOM", f"S{series[instance.series_instance_uid]}", f"I{number:06}"))
        for number, instance in enumerate(instances, 1)
    ]


def _criteria(instances: Sequence[Instance]) -> tuple[Criterion, ...]:
    """What finds no more than these, or than the series or study of all of them."""
    uids = (
        (0x0020000D, {i.study_instance_uid for i in instances}),
        (0x0020000E, {i.series_instance_uid for i in instances}),
        (0x00080018, {i.sop_instance_uid for i in instances}),
    )
    return tuple(Criterion(BY_TAG[tag], OneOf(tuple(found))) for tag, found in uids if len(found) == 1)


def _uid(attributes: DicomJson, key: str) -> str:
    return str(attributes.get(key, {}).get("Value", [""])[0])


def _read(file: StoredFile, offset: int, length: int, check_sum: int) -> tuple[bytes, int]:
    piece = file.read(offset, length)
    if len(piece) != length:
        raise StorageFailed("a stored file is shorter than the index says; verify the store")
    return piece, zlib.crc32(piece, check_sum)
