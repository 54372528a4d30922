"""The one door to what is stored, for every protocol."""

import gzip
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import lru_cache

import orjson
from pydicom import Dataset

from pacs.attributes import Key
from pacs.dataset.part10 import sending_ae_title
from pacs.dataset.series_json import SeriesJson
from pacs.deidentifier import Deidentifier
from pacs.deletion import Deletion
from pacs.errors import NotFound
from pacs.files import FileStore, Scratch, StoredFile
from pacs.files.derived import DerivedFiles
from pacs.incoming import NO_COERCION, Check, Incoming, Sender
from pacs.index import Index
from pacs.ingest import Committer, Pending
from pacs.model import Coercion, DicomJson, Duplicates, Found, Instance, Kept, Source, Stored
from pacs.non_patient import Category
from pacs.query import Condition, Query
from pacs.retrieve import Reader
from pacs.transcode import Transcoder
from pacs.worklist_patient import WorklistPatients

KNOWN_INSTANCES = 20_000  # instances whose place each process remembers, about 1 KB each
READ_AHEAD = 32  # files of a series that the device is asked for before they are read

_GROUP = 500  # UIDs looked up at a time
_METADATA = "metadata"
_HEADER = 1 << 14  # bytes at the beginning of a file that hold most headers


class Archive:
    """Stores, finds, gives back and deletes DICOM objects. One for each process; safe for threads."""

    def __init__(
        self,
        files: FileStore,
        derived: DerivedFiles,
        index: Index,
        ae_title: str,
        bulk_data_root: str,
        on_commit: Callable[[], None],
    ) -> None:
        """ae_title: ours, noted in the files as that of the receiver.

        bulk_data_root: what BulkDataURIs begin with, before `/studies/...`.
        on_commit: called after each commit that stored something new, or deleted.

        `deletion` deletes, and brings back; `deidentifier` gives objects without the patient.
        """
        self._files = files
        self._derived = derived
        self._index = index
        self._ae_title = ae_title
        self._bulk_data_root = bulk_data_root
        self._committer = Committer(files, index, on_commit)
        self._reader = Reader(self.open)
        self._transcoder = Transcoder(self._reader)
        self.deidentifier = Deidentifier(self._transcoder, lambda: files.secret)
        self.deletion = Deletion(files, index, self._reader, on_commit)
        self._instance = lru_cache(KNOWN_INSTANCES)(self._find_instance)

    def sender(
        self,
        source: Source,
        coercion: Coercion = NO_COERCION,
        duplicates: Duplicates = Duplicates.SET_ASIDE,
    ) -> Sender:
        """What takes in the objects of one who sends them.

        coercion: what is put into them.  duplicates: what becomes of those whose UID is taken.
        """
        patients = WorklistPatients(self._index.worklist) if coercion.patient_from_worklist else None
        return Sender(self._files, source, self._ae_title, coercion, patients, duplicates)

    def scratch(self) -> Scratch:
        """Where what a request brings may be put aside until it is an object."""
        return self._files.scratch()

    def submit(self, incoming: Incoming, check: Check | None = None) -> Pending:
        """Let what was received be checked and synced; `Pending.result` commits it with all others that wait.

        check: whether it is what the request announced.
        What refuses it is raised by the result; nothing of the object stays then.
        """
        return self._committer.submit(incoming, check)

    def store(self, incoming: Incoming, check: Check | None = None) -> Stored:
        """Check, sync and commit one object: when this returns, it survives a power cut.

        Raises Refused or StorageFailed leaves.
        """
        return self._committer.take(incoming, check).result()

    def search(self, query: Query) -> Iterator[Found]:
        """All answers to a query in its order, read in pages as they are taken."""
        return self._index.search(query)

    def few(self, query: Query) -> list[Found] | None:
        """All answers to a query, where it takes less to find them than to ask another thread; or None."""
        return self._index.few(query)

    def kept(self, query: Query) -> Iterator[Kept]:
        """What is kept of the instances that a query finds, in its order, read in pages as they are taken."""
        return self._index.kept(query)

    def count_answers(self, query: Query) -> int:
        """How many answers a query has, without regard to its limit and offset."""
        return self._index.count_answers(query)

    def instances(self, study: str, series: str | None = None, instance: str | None = None) -> list[Instance]:
        """The instances below these UIDs, by series number and instance number. Raises NotFound."""
        found = self._index.instances(study, series, instance)
        if not found:
            raise NotFound("there is no such study, series or instance here")
        return found

    def instance(self, study: str, series: str, instance: str) -> Instance:
        """One instance, remembered once found, until something is deleted. Raises NotFound."""
        return self._instance(self.deletions, study, series, instance)

    def instance_by_uid(self, sop_instance_uid: str) -> Instance:
        """One instance by its SOP Instance UID alone. Raises NotFound."""
        found = self._index.instances_by_uid([sop_instance_uid]).get(sop_instance_uid)
        if found is None:
            raise NotFound("there is no such instance here")
        return found

    def present(self, sop_instance_uids: Sequence[str]) -> set[str]:
        """Which of these are here."""
        starts = range(0, len(sop_instance_uids), _GROUP)
        groups = (list(sop_instance_uids[start : start + _GROUP]) for start in starts)
        return {uid for group in groups for uid in self._index.instances_by_uid(group)}

    def first_instance(self, study: str, series: str | None = None) -> Instance:
        """The first instance of a study or series. Raises NotFound."""
        found = self._index.first_instance(study, series)
        if found is None:
            raise NotFound("there is no such study or series here")
        return found

    def _find_instance(self, _deletions: int, study: str, series: str, instance: str) -> Instance:
        return self.instances(study, series, instance)[0]

    def non_patient_instance(self, category: Category, sop_instance_uid: str) -> Instance:
        """An instance of a category. Raises NotFound."""
        found = self._index.non_patient.by_uid([sop_instance_uid]).get(sop_instance_uid)
        if found is None or found.sop_class_uid not in category.sop_classes:
            raise NotFound(f"there is no such instance among {category.npi_name} here")
        return found

    def search_non_patient(
        self, category: Category, criteria: Sequence[tuple[Key, Condition]], limit: int, offset: int
    ) -> Iterator[DicomJson]:
        """What is kept of the instances of a category that fulfil all criteria, the oldest first."""
        return self._index.non_patient.search(category.sop_classes, criteria, limit, offset)

    @property
    def deletions(self) -> int:
        """A number that is another after each deletion; what was found under another may be gone."""
        return self._index.deletions.last

    def open(self, instance: Instance) -> StoredFile:
        """The Part 10 file of an instance, for reading at any position. Raises NotFound when it was lost."""
        try:
            return self._files.open(instance.file)
        except NotFound:
            self._instance.cache_clear()  # it may be in another file by now, received again
            if not self.present([instance.sop_instance_uid]):
                raise
        return self._files.recycled.open(instance.file)  # there it is if it was replaced since it was found

    def sending_ae_title(self, instance: Instance) -> str:
        """Who sent an instance here; empty for nobody with an AE title. Raises NotFound for a lost file."""
        with self.open(instance) as file:
            return sending_ae_title(file.read(0, instance.dataset_offset))

    def frame_pieces(self, instance: Instance, number: int) -> tuple[tuple[int, int], ...] | None:
        """(offset, length) in the file of each piece of a frame; None when they must be worked out of it."""
        return self._reader.direct_pieces(instance, number)

    def read_frame(self, instance: Instance, number: int) -> bytes:
        """One frame in the stored transfer syntax, number counting from 1. Raises FrameNotFound."""
        return self._reader.frame(instance, number)

    def header(self, instance: Instance) -> Dataset:
        """All of an object; its pixel data are there, but empty. It is shared: not to be changed."""
        return self._reader.header(instance)

    def dataset(self, instance: Instance) -> Dataset:
        """All of an object."""
        return self._reader.dataset(instance)

    def data_set_bytes(self, instance: Instance) -> bytes:
        """The data set of an instance without pixels in its transfer syntax, inflated where it is deflated.

        Raises NotFound when the file was lost, MalformedObject when it cannot be inflated.
        """
        content, _ = self._reader.around_pixels(instance)
        return content

    def frame_syntaxes(self, instance: Instance) -> tuple[str, ...]:
        """The transfer syntaxes that its frames can be given in besides the stored one, some with loss."""
        return self._transcoder.frame_syntaxes(instance)

    def object_syntaxes(self, instance: Instance) -> tuple[str, ...]:
        """The transfer syntaxes that all of it can be given in besides the stored one, without loss."""
        return self._transcoder.object_syntaxes(instance)

    def transcoded_frame(self, instance: Instance, number: int, transfer_syntax_uid: str) -> bytes:
        """One frame, from 1 on, in one of `frame_syntaxes`. Raises FrameNotFound, CannotRender."""
        return self._transcoder.frame(instance, number, transfer_syntax_uid)

    def transcoded(self, instance: Instance, transfer_syntax_uid: str) -> Iterator[bytes]:
        """The Part 10 file in one of `object_syntaxes`, made in pieces of about one frame as they are taken.

        Raises CannotRender, with the first piece when it is the first frame that cannot be converted.
        """
        return self._transcoder.content(instance, transfer_syntax_uid)

    def data_set(self, instance: Instance, transfer_syntax_uid: str) -> Generator[bytes, None, None]:
        """The data set without file meta information, in pieces as they are taken.

        transfer_syntax_uid: the stored one, one of `object_syntaxes`, or, where Explicit VR Little Endian is
            one of these, Implicit VR Little Endian.
        Raises NotFound when the file was lost, CannotRender when a frame cannot be converted.
        """
        if transfer_syntax_uid != instance.transfer_syntax_uid:
            yield from self._transcoder.data_set(instance, transfer_syntax_uid)
            return
        with self.open(instance) as file:
            yield from file.chunks(instance.dataset_offset, file.size - instance.dataset_offset)

    def uncompressed_size(self, instance: Instance) -> int:
        """About how many bytes `transcoded` gives at most."""
        return self._transcoder.size(instance)

    def metadata(self, instance: Instance, series: SeriesJson | None = None) -> DicomJson:
        """The whole data set as DICOM JSON, bulk data by URI.

        series: what writes the instances of a series, one after the other.
        """
        url = self.url_of(instance)
        return self._reader.metadata(instance, lambda path: f"{url}/bulkdata/{path}", series)

    def data_set_json(self, instance: Instance) -> DicomJson:
        """The data set of an instance without pixels as DICOM JSON, with every value in it."""
        return self._reader.data_set_json(instance)

    def url_of(self, instance: Instance) -> str:
        """Where the instance is on the web."""
        return (
            f"{self._bulk_data_root}/studies/{instance.study_instance_uid}"
            f"/series/{instance.series_instance_uid}/instances/{instance.sop_instance_uid}"
        )

    def bulk_data(self, instance: Instance, path: str) -> list[bytes]:
        """The values at a path that the metadata named. Raises NotFound."""
        return self._reader.bulk_data(instance, path)

    def document(self, instance: Instance) -> tuple[int, int] | bytes:
        """Where the encapsulated document lies in the file, offset and length; the bytes of a deflated one.

        Length 0 when there is none.  Raises NotFound, MalformedObject.
        """
        return self._reader.document(instance)

    def series_of(self, study: str, series: str | None = None) -> list[tuple[str, int]]:
        """Series Instance UIDs by number, with the version that grows with each change. Raises NotFound."""
        found = self._index.series_versions(study, series)
        if not found:
            raise NotFound("there is no such study or series here")
        return found

    def series_metadata(self, study: str, series: str) -> bytes:
        """The metadata of all instances of a series: a JSON array, gzipped.

        It is kept from when the series came to rest; asked for earlier, it is made on the spot.
        Raises NotFound.
        """
        ((_, version),) = self.series_of(study, series)
        kept = self._derived.read(_METADATA, f"{study}/{series}", version)
        return kept or self._make_series_metadata(study, series)

    def keep_series_metadata(self, study: str, series: str) -> None:
        """Make the metadata of a series that has come to rest, so that it is only read when asked for.

        Those of a series that is there no longer are forgotten.
        """
        try:
            ((_, version),) = self.series_of(study, series)
        except NotFound:
            self._derived.forget(_METADATA, f"{study}/{series}")
            return
        self._derived.write(
            _METADATA, f"{study}/{series}", version, self._make_series_metadata(study, series)
        )

    def _make_series_metadata(self, study: str, series: str) -> bytes:
        instances = self.instances(study, series)
        self._expect(instances[:READ_AHEAD])
        made: list[DicomJson] = []
        writer = SeriesJson()
        for start in range(0, len(instances), READ_AHEAD):
            end = start + READ_AHEAD
            self._expect(instances[end : end + READ_AHEAD])
            made += [self.metadata(instance, writer) for instance in instances[start:end]]
        # Without the time: what is the same tomorrow is the same bytes
        return gzip.compress(orjson.dumps(made), compresslevel=5, mtime=0)

    def _expect(self, instances: list[Instance]) -> None:
        self._files.expect([instance.file for instance in instances], _HEADER)
