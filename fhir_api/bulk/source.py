"""All resources of a type, a few at a time, so that memory stays flat."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from fhir_api.answers import Addresses
from fhir_api.conditions import Window
from fhir_api.endpoints import Endpoints
from fhir_api.imaging_studies import ImagingStudies
from fhir_api.patients import Patients
from fhir_api.search_table import KEPT
from fhir_api.store import ResourceStore
from pacs.archive import Archive
from pacs.errors import NotFound

AT_ONCE = 500  # kept resources read together

# Nothing says when these changed
UNDATED = ("Endpoint",)
TYPES = ("Patient", "ImagingStudy", *UNDATED, *KEPT)


class Source:
    """What is exported."""

    def __init__(self, archive: Archive, store: ResourceStore, folder: Path) -> None:
        """folder: for what does not fit into memory meanwhile."""
        self._store = store
        self._patients = Patients(archive)
        self._studies = ImagingStudies(archive)
        self._folder = folder

    def count(self, resource_type: str) -> int | None:
        """How many there are about; None where that is not known."""
        return self._store.count(resource_type, []) if resource_type in KEPT else None

    def read(self, resource_type: str, since: float | None, addresses: Addresses) -> Iterator[bytes]:
        """Each resource as JSON, in one line. since: of those that tell it, only what changed later."""
        match resource_type:
            case "Patient":
                for answer in self._patients.all(since):
                    yield answer.content
            case "ImagingStudy":
                yield from self._read_studies(since, addresses)
            case "Endpoint":
                for answer in Endpoints().page([], Window(0, AT_ONCE), addresses).answers:
                    yield answer.content
            case _:
                yield from self._read_kept(resource_type, since)

    def _read_kept(self, resource_type: str, since: float | None) -> Iterator[bytes]:
        key, last = 0, self._store.last_key()
        while rows := self._store.in_order(resource_type, key, last, since, AT_ONCE):
            for key, content in rows:  # noqa: B007 - the last one is where to go on
                yield content

    def _read_studies(self, since: float | None, addresses: Addresses) -> Iterator[bytes]:
        """Their UIDs are put aside first: an index that is read for minutes lets its log grow."""
        with tempfile.TemporaryFile("w+", dir=self._folder) as uids:
            uids.writelines(f"{uid}\n" for uid in self._studies.uids(since))
            uids.seek(0)
            for line in uids:
                try:
                    yield self._studies.read(line.strip(), addresses).content
                except NotFound:  # deleted meanwhile
                    continue
