"""The parts of a store request that are no objects yet: metadata, and the bulk data that they name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, takewhile

from dicomweb.media_types import DICOM_JSON, DICOM_XML, OCTET_STREAM, MediaRange, parse_media_type
from pacs.errors import MalformedObject
from pacs.files import Scratch, Stretch

METADATA_MEDIA_TYPES = frozenset({DICOM_JSON, DICOM_XML})
MOST_TIMES = 4  # that all bulk data together may be looked for; each use of pixels takes two

_UNKNOWN = MediaRange(OCTET_STREAM)


@dataclass(slots=True)
class Part:
    """One part that came.  location: what metadata call it by (PS3.18 8.6.1.2.2)."""

    media_type: MediaRange
    location: str
    where: Stretch
    is_named: bool = False

    @property
    def is_metadata(self) -> bool:
        """Whether it describes objects, rather than being bulk data of one."""
        return self.media_type.media_type in METADATA_MEDIA_TYPES


@dataclass(slots=True)
class Aside:
    """The parts of one request, put aside in the order in which they came."""

    scratch: Scratch
    parts: list[Part] = field(default_factory=list)
    _by_location: dict[str, list[Part]] = field(default_factory=dict, init=False)
    _named: int = field(default=0, init=False)  # bytes, again and again

    def begin(self, headers: Mapping[str, str], default: str) -> Part:
        """Begin a part. default: the media type of one that does not say its own."""
        media_type = parse_media_type(headers.get("content-type") or default) or _UNKNOWN
        part = Part(media_type, headers.get("content-location", ""), Stretch(self.scratch.size, 0))
        self.parts.append(part)
        return part

    def add(self, part: Part, data: memoryview) -> None:
        """Add what came of it. Raises OutOfSpace, StorageFailed."""
        self.scratch.write(data)
        part.where = Stretch(part.where.offset, part.where.length + len(data))

    def index(self) -> None:
        """Let the parts be found, once all are there."""
        for part in self.bulk_data():
            self._by_location.setdefault(part.location, []).append(part)

    def bulk_data(self) -> Iterator[Part]:
        """All that is no metadata."""
        return (part for part in self.parts if not part.is_metadata)

    def named(self, uri: str) -> list[Part]:
        """The parts that are a value: one, or one for each frame, as Retrieve Bulkdata gives them.

        Raises MalformedObject when few bytes are named so often that they would become very many.
        """
        parts = list(self._by_location.get(uri, ())) if uri else []
        frames = (self._by_location.get(f"{uri}/frames/{number}") for number in count(1))
        if not parts:
            parts = [part for frame in takewhile(bool, frames) for part in frame or ()]
        for part in parts:
            part.is_named = True
            self._named += len(part.where)
        if self._named > MOST_TIMES * self.scratch.size:
            raise MalformedObject("bulk data are named many times more often than they came")
        return parts
