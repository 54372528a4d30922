"""Taking objects in: what is kept, what is refused without a trace, and what happens when a part fails."""

import errno
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from struct import pack

import pytest
from blake3 import blake3
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage
from sqlalchemy import select

from pacs import incoming as receiving
from pacs import ingest
from pacs.archive import Archive
from pacs.dataset.part10 import FileMeta
from pacs.errors import (
    ArchiveError,
    InstanceConflict,
    MalformedObject,
    MismatchedObject,
    NotFound,
    OutOfSpace,
    PatientConflict,
    Refused,
    StorageFailed,
    UnsupportedObject,
)
from pacs.files import DiskFiles, new_file
from pacs.files.contract import Head, no_head
from pacs.files.derived import DerivedFiles
from pacs.files.new_file import DiskNewFile
from pacs.incoming import in_study
from pacs.index import Index, Record, Verdict, Writer, engine, migrate, schema, sqlite_url
from pacs.index.engine import open_engine
from pacs.ingest import Committer, Pending
from pacs.model import Level, Outcome, Source, Stored
from pacs.query import Query
from testdata.broken import BROKEN, executable_preamble, pdf_preamble
from testdata.raw_bytes import UNDEFINED, header
from testdata.studies import uid
from tests.kept_files import open_files
from tests.pacs.files.test_disk import files_below, small_disk
from tests.pacs.objects import Changes, begin, data_set, instance_of, picture, store, stored
from tests.waiting import wait_until

ANNOUNCED = FileMeta(SecondaryCaptureImageStorage, uid("raw", "a"), ExplicitVRLittleEndian)
SENDER = Source("SENDER", "10.1.2.3")


@dataclass
class Place:
    """An archive, and what lies behind it."""

    folder: Path
    index: Index
    files: DiskFiles
    archive: Archive
    commits: list[int]

    def kept(self) -> list[str]:
        return files_below(self.folder / "objects")

    def aside(self) -> list[str]:
        return files_below(self.folder / "quarantine")

    def quarantine(self) -> list[tuple[str, str]]:
        """Reason and sender of each row."""
        engine = open_engine(sqlite_url(self.folder / "index.sqlite"))
        table = schema.quarantine
        with engine.connect() as connection:
            rows = [(row.reason, row.ae_title) for row in connection.execute(select(table))]
        engine.dispose()
        return rows


def made(folder: Path, files: DiskFiles | None = None) -> Place:
    folder.mkdir(exist_ok=True)
    url = sqlite_url(folder / "index.sqlite")
    migrate(url)
    index, files, commits = Index(url), files or DiskFiles(folder), []
    derived = DerivedFiles(folder / "derived")
    archive = Archive(files, derived, index, "DIAFANA", "/dicom-web", lambda: commits.append(1))
    return Place(folder, index, files, archive, commits)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = made(tmp_path / "place")
    yield place
    place.index.close()


def gather_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the file of an object be begun after 16 KB of it."""
    monkeypatch.setattr(new_file, "STAGE", 4 * new_file.BLOCK)
    monkeypatch.setattr(new_file, "_stages", deque())


# What is kept


def test_what_is_stored_is_kept_bit_for_bit(place: Place) -> None:
    instance = stored(place.archive, picture("a"))
    content = (place.folder / "objects" / instance.file).read_bytes()
    assert content[instance.dataset_offset :] == data_set("a")
    assert instance.size == len(content)
    assert dcmread(BytesIO(content)).file_meta.SendingApplicationEntityTitle == "SENDER"
    assert dcmread(BytesIO(content)).file_meta.ReceivingApplicationEntityTitle == "DIAFANA"


def test_the_answer_tells_what_was_stored(place: Place) -> None:
    assert store(place.archive, picture("a")) == Stored(
        Outcome.STORED, uid("raw study"), uid("raw series"), uid("raw", "a"), SecondaryCaptureImageStorage
    )


def test_an_announced_data_set_is_stored_as_it_came(place: Place) -> None:
    incoming = place.archive.sender(SENDER).begin(ANNOUNCED)
    for start in range(0, len(data_set("a")), 100):
        incoming.write(memoryview(data_set("a"))[start : start + 100])
    answer = place.archive.store(incoming, in_study(uid("raw study")))
    content = (place.folder / "objects" / instance_of(place.archive, answer).file).read_bytes()
    assert content.endswith(data_set("a"))
    assert dcmread(BytesIO(content)).PatientID == "GSTGFR70X00X009Z"


@pytest.mark.parametrize("chunk", [1, 7, 131, 132, 133, 400, 5000])
def test_a_file_may_come_in_any_pieces(place: Place, chunk: int) -> None:
    whole = stored(place.archive, picture("whole"))
    pieces = instance_of(place.archive, place.archive.store(begin(place.archive, picture("pieces"), chunk)))
    assert pieces.dataset_offset == whole.dataset_offset
    content = (place.folder / "objects" / pieces.file).read_bytes()
    assert content[pieces.dataset_offset :] == data_set("pieces")


@pytest.mark.parametrize("spoilt", [executable_preamble, pdf_preamble])
def test_a_preamble_is_not_passed_on(place: Place, spoilt: Callable[[], bytes]) -> None:
    instance = stored(place.archive, spoilt())
    assert (place.folder / "objects" / instance.file).read_bytes()[:128] == bytes(128)


def test_the_same_object_twice_is_kept_once(place: Place) -> None:
    answers = [store(place.archive, picture("a")) for _ in range(3)]
    assert [answer.outcome for answer in answers] == [Outcome.STORED] + [Outcome.ALREADY_STORED] * 2
    assert len(place.kept()) == place.index.count() == len(place.commits) == 1
    assert place.aside() == []


def test_the_same_data_set_behind_another_head_is_the_same_object(place: Place) -> None:
    store(place.archive, picture("a"))
    incoming = place.archive.sender(Source("ANOTHER", "10.9.9.9")).begin(ANNOUNCED)
    incoming.write(data_set("a"))
    assert place.archive.store(incoming).outcome is Outcome.ALREADY_STORED
    assert len(place.kept()) == 1


def test_a_head_that_disagrees_with_its_data_set_is_written_anew(place: Place) -> None:
    wrong = picture("a", sop_instance_uid="1.2.3.4", sop_class_uid="1.2.3.5")
    instance = stored(place.archive, wrong)
    assert (instance.sop_instance_uid, instance.sop_class_uid) == (
        uid("raw", "a"),
        SecondaryCaptureImageStorage,
    )
    assert place.kept() == [instance.file]
    content = (place.folder / "objects" / instance.file).read_bytes()
    meta = dcmread(BytesIO(content)).file_meta
    assert meta.MediaStorageSOPInstanceUID == instance.sop_instance_uid
    assert meta.MediaStorageSOPClassUID == instance.sop_class_uid
    assert content[instance.dataset_offset :] == data_set("a")
    assert instance.size == len(content)
    assert store(place.archive, picture("a")).outcome is Outcome.ALREADY_STORED


def test_a_large_object_with_a_wrong_head_is_written_anew(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "_COPY", 1000)
    gather_little(monkeypatch)
    large: Changes = {0x00111001: ("OB", os.urandom(50_000))}
    instance = stored(place.archive, picture("a", large, sop_instance_uid="1.2.3.4"))
    content = (place.folder / "objects" / instance.file).read_bytes()
    assert content[instance.dataset_offset :] == data_set("a", large)


@pytest.mark.parametrize("size", [0, 3000, 10_000, 20_000, 1_100_000])
@pytest.mark.parametrize("chunk", [1000, 1_000_000])
@pytest.mark.parametrize("little", [False, True])
def test_objects_of_any_size_are_kept_bit_for_bit(
    place: Place, monkeypatch: pytest.MonkeyPatch, size: int, chunk: int, little: bool
) -> None:
    """Those that are gathered until they are whole, and those whose file is written as they come."""
    if little:
        gather_little(monkeypatch)
    large: Changes = {0x00111001: ("OB", os.urandom(size))}
    came = picture("a", large)
    incoming = place.archive.sender(SENDER).begin_part10()
    for start in range(0, len(came), chunk):
        incoming.write(came[start : start + chunk])
    instance = instance_of(place.archive, place.archive.store(incoming))
    content = (place.folder / "objects" / instance.file).read_bytes()
    assert content[instance.dataset_offset :] == data_set("a", large)
    assert instance.size == len(content)
    assert instance.digest == blake3(data_set("a", large)).hexdigest()


def test_a_file_that_is_known_as_a_whole_fills_whole_blocks(place: Place) -> None:
    instance = stored(place.archive, picture("a"))
    assert instance.size % place.files.block == 0
    content = (place.folder / "objects" / instance.file).read_bytes()
    assert dcmread(BytesIO(content)).file_meta.PrivateInformation.strip(b"\0") == b""


@pytest.mark.parametrize("size", [10, 1_100_000])
def test_what_is_refused_was_in_no_file_while_it_was_small(place: Place, size: int) -> None:
    large: Changes = {0x00111001: ("OB", bytes(size))}
    incoming = begin(place.archive, picture("a", large)[:-2])
    assert len(place.kept()) == (0 if size == 10 else 1)
    with pytest.raises(MalformedObject):
        place.archive.store(incoming)
    assert_nothing_kept(place)


# What is refused


def assert_nothing_kept(place: Place) -> None:
    assert place.kept() == []
    assert place.aside() == []
    assert place.index.count() == 0
    assert place.commits == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_is_taken_or_refused_without_a_trace(place: Place, name: str) -> None:
    if BROKEN[name].accepted:
        assert store(place.archive, BROKEN[name].data).outcome is Outcome.STORED
        assert len(place.kept()) == 1
        return
    with pytest.raises(Refused):
        incoming = place.archive.sender(SENDER).begin_part10()
        try:
            incoming.write(BROKEN[name].data)
        except ArchiveError:
            incoming.abort()
            raise
        place.archive.store(incoming)
    assert_nothing_kept(place)


@pytest.mark.parametrize(
    "announced",
    [
        FileMeta(SecondaryCaptureImageStorage, "1.2.3.4", ExplicitVRLittleEndian),
        FileMeta("1.2.3.4", ANNOUNCED.sop_instance_uid, ExplicitVRLittleEndian),
    ],
    ids=["instance", "class"],
)
def test_what_was_announced_must_come(place: Place, announced: FileMeta) -> None:
    incoming = place.archive.sender(SENDER).begin(announced)
    incoming.write(data_set("a"))
    with pytest.raises(MismatchedObject) as refused:
        place.archive.store(incoming)
    assert refused.value.tag == 0x00080018
    assert_nothing_kept(place)


def test_the_study_that_the_request_names_must_be_that_of_the_object(place: Place) -> None:
    with pytest.raises(MismatchedObject) as refused:
        place.archive.store(begin(place.archive, picture("a")), in_study("1.2.3"))
    assert refused.value.tag == 0x0020000D
    assert_nothing_kept(place)
    its_own = in_study(uid("raw study"))
    assert place.archive.store(begin(place.archive, picture("a")), its_own).outcome is Outcome.STORED


def test_an_unknown_transfer_syntax_is_refused_at_the_beginning(place: Place) -> None:
    with pytest.raises(UnsupportedObject):
        place.archive.sender(SENDER).begin(FileMeta(SecondaryCaptureImageStorage, "1.2.3", "1.2.3.4"))
    assert_nothing_kept(place)


@pytest.mark.parametrize("part", [0, 10, 200, 600, 10_000])
def test_what_is_aborted_leaves_nothing(place: Place, part: int) -> None:
    incoming = begin(place.archive, picture("a")[:part] or b"", 10_000)
    incoming.abort()
    incoming.abort()
    assert_nothing_kept(place)


def test_nothing_written_is_no_object(place: Place) -> None:
    with pytest.raises(MalformedObject, match="ends after 0 bytes"):
        place.archive.store(place.archive.sender(SENDER).begin_part10())
    assert_nothing_kept(place)


# What is set aside


def test_other_content_under_the_same_uid_is_set_aside_once(place: Place) -> None:
    first = stored(place.archive, picture("a"))
    before = (place.folder / "objects" / first.file).read_bytes()
    other = picture("a", {0x00104000: ("LT", b"other")})
    for _ in range(3):
        with pytest.raises(InstanceConflict) as refused:
            store(place.archive, other)
        assert refused.value.tag == 0x00080018
    assert place.kept() == [first.file]
    assert (place.folder / "objects" / first.file).read_bytes() == before
    (aside,) = place.aside()
    assert (place.folder / "quarantine" / aside).read_bytes().endswith(other[-100:])
    assert place.quarantine() == [(Verdict.CONFLICT.value, "SENDER")]
    assert store(place.archive, picture("a")).outcome is Outcome.ALREADY_STORED


def test_each_other_content_is_set_aside(place: Place) -> None:
    store(place.archive, picture("a"))
    for comment in (b"one", b"two"):
        with pytest.raises(InstanceConflict):
            store(place.archive, picture("a", {0x00104000: ("LT", comment)}))
    assert len(place.aside()) == len(place.quarantine()) == 2


def test_an_object_of_another_patient_is_set_aside(place: Place) -> None:
    store(place.archive, picture("a"))
    with pytest.raises(PatientConflict) as refused:
        store(place.archive, picture("b", {0x00100020: ("LO", b"ANOTHER")}))
    assert refused.value.tag == 0x00100020
    assert "ANOTHER" not in str(refused.value)
    assert (len(place.kept()), len(place.aside())) == (1, 1)
    assert place.quarantine() == [(Verdict.OTHER_PATIENT.value, "SENDER")]
    (study,) = place.archive.search(Query(Level.STUDY))
    assert study.attributes["00201208"]["Value"] == [1]


# Many at once


def wait_until_taken(waiting: list[Pending]) -> None:
    for pending in waiting:
        assert pending.record


def test_what_is_ready_waits_for_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WatchedFile, "seconds", 60)
    place = made(tmp_path / "place", WatchedFiles(tmp_path / "place"))
    slow = place.archive.submit(begin(place.archive, picture("slow")))
    assert WatchedFile.syncing.wait(60)
    with ThreadPoolExecutor(1) as threads:
        monkeypatch.setattr(WatchedFiles, "create", DiskFiles.create)
        quick = begin(place.archive, picture("quick"))
        assert threads.submit(place.archive.store, quick).result(60).outcome is Outcome.STORED
        assert WatchedFile.syncing.is_set()
    WatchedFile.discarded_meanwhile.set()  # which is what it waits for
    assert slow.result().outcome is Outcome.STORED
    WatchedFile.discarded_meanwhile.clear()
    place.index.close()


@pytest.mark.parametrize(("moment", "commits"), [(60.0, 1), (0.01, 2)])
def test_what_is_ready_waits_a_moment_for_what_soon_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: float, commits: int
) -> None:
    """They then share one commit; but a device that takes its time for one object holds up no other."""
    monkeypatch.setattr(ingest, "MOMENT", moment)
    monkeypatch.setattr(WatchedFile, "seconds", 60)
    place = made(tmp_path / "place", WatchedFiles(tmp_path / "place"))
    slow, quick = begin(place.archive, picture("slow")), picture("quick")
    with ThreadPoolExecutor(2) as threads:
        stored_slowly = threads.submit(place.archive.store, slow)
        assert WatchedFile.syncing.wait(60)
        monkeypatch.setattr(WatchedFiles, "create", DiskFiles.create)
        stored_quickly = threads.submit(place.archive.store, begin(place.archive, quick))
        wait_until(lambda: stored_quickly.done() or place.archive._committer._waiting)
        done, _ = wait([stored_quickly], timeout=60 if commits == 2 else 0.3)
        assert len(done) == commits - 1
        WatchedFile.discarded_meanwhile.set()  # which is what the slow one waits for
        assert {stored_slowly.result(60).outcome, stored_quickly.result(60).outcome} == {Outcome.STORED}
    assert len(place.commits) == commits
    WatchedFile.discarded_meanwhile.clear()
    place.index.close()


def test_only_so_many_wait_for_the_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that is faster than the device waits, and does not fill the memory."""
    monkeypatch.setattr(WatchedFile, "seconds", 60)
    monkeypatch.setattr(ingest, "AHEAD", 2)
    place = made(tmp_path / "place", WatchedFiles(tmp_path / "place"))
    waiting = [place.archive.submit(begin(place.archive, picture(name))) for name in "ab"]
    with ThreadPoolExecutor(1) as threads:
        third = threads.submit(place.archive.submit, begin(place.archive, picture("c")))
        assert WatchedFile.syncing.wait(60)
        with pytest.raises(TimeoutError):
            third.result(0.3)
        WatchedFile.discarded_meanwhile.set()  # which is what they wait for
        waiting.append(third.result(60))
    assert [pending.result().outcome for pending in waiting] == [Outcome.STORED] * 3
    WatchedFile.discarded_meanwhile.clear()
    place.index.close()


def test_objects_that_wait_together_share_one_commit(place: Place) -> None:
    count = 24
    all_wait = threading.Barrier(count)

    def send(number: int) -> Stored:
        pending = place.archive.submit(begin(place.archive, picture(str(number))))
        assert pending.record
        all_wait.wait(60)
        return pending.result()

    with ThreadPoolExecutor(count) as threads:
        answers = list(threads.map(send, range(count)))
    assert {answer.outcome for answer in answers} == {Outcome.STORED}
    assert [answer.sop_instance_uid for answer in answers] == [uid("raw", str(n)) for n in range(count)]
    assert len(place.commits) == 1
    assert place.index.count() == len(place.kept()) == count


def test_a_commit_takes_only_so_many(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "GROUP", 4)
    waiting = [place.archive.submit(begin(place.archive, picture(str(number)))) for number in range(10)]
    wait_until_taken(waiting)
    assert {pending.result().outcome for pending in reversed(waiting)} == {Outcome.STORED}
    assert len(place.commits) == 3


def test_the_order_of_answers_does_not_matter(place: Place) -> None:
    one, other, again = (place.archive.submit(begin(place.archive, picture(name))) for name in "aba")
    wait_until_taken([one, other, again])
    assert again.result().outcome is Outcome.ALREADY_STORED
    assert other.result().outcome is one.result().outcome is Outcome.STORED
    assert one.result() == one.result()
    assert len(place.commits) == 1


@pytest.mark.parametrize("loss", ["gone", "cut short"])
def test_an_instance_whose_file_was_lost_is_stored_again(tmp_path: Path, place: Place, loss: str) -> None:
    first = store(place.archive, picture("a"))
    (kept,) = place.index.walk()
    path = tmp_path / "place" / "objects" / kept.file
    names = first.study_instance_uid, first.series_instance_uid, first.sop_instance_uid
    place.archive.instance(*names)  # which is remembered
    if loss == "gone":
        path.unlink()
    else:
        path.chmod(0o640)
        os.truncate(path, kept.size - 1)
    assert store(place.archive, picture("a")).outcome is Outcome.STORED
    if loss == "gone":
        with pytest.raises(NotFound):
            place.archive.dataset(place.archive.instance(*names))
        assert place.archive.dataset(place.archive.instance(*names)).SOPInstanceUID == first.sop_instance_uid
    (again,) = place.index.walk()
    assert again.file != kept.file
    assert dcmread(place.folder / "objects" / again.file).SOPInstanceUID == first.sop_instance_uid
    assert store(place.archive, picture("a")).outcome is Outcome.ALREADY_STORED
    assert [c.sop_instance_uid for c in place.index.tasks.changes(0, 9)] == [first.sop_instance_uid] * 2


def test_threads_that_send_the_same_object_store_it_once(place: Place) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: store(place.archive, picture("a")), range(24)))
    assert [answer.outcome for answer in answers].count(Outcome.STORED) == 1
    assert len(place.kept()) == place.index.count() == 1


def test_nothing_new_rings_no_bell(place: Place) -> None:
    store(place.archive, picture("a"))
    store(place.archive, picture("a"))
    with pytest.raises(InstanceConflict):
        store(place.archive, picture("a", {0x00104000: ("LT", b"other")}))
    assert len(place.commits) == 1


# When a part fails


class FailingFile(DiskNewFile):
    """A file on a disk that fails to sync it."""

    def sync(self) -> None:
        raise StorageFailed("the storage device failed: Input/output error")


class SomeFail(DiskFiles):
    """A disk that fails for some files, by the order of their making."""

    def __init__(self, root: Path, failing: set[int]) -> None:
        super().__init__(root)
        self._failing = failing
        self._count = 0

    def create(self, head: Head = no_head, expected: int = 0) -> DiskNewFile:
        new = super().create(head, expected)
        self._count += 1
        if self._count in self._failing:
            new.__class__ = FailingFile
        return new


def test_a_file_that_cannot_be_synced_does_not_fail_its_neighbours(tmp_path: Path) -> None:
    place = made(tmp_path / "place", SomeFail(tmp_path / "place", {2}))
    outcomes: list[object] = []
    waiting: list[Pending] = []
    for name in "abc":
        try:
            waiting.append(place.archive.submit(begin(place.archive, picture(name))))
        except StorageFailed as error:
            outcomes.append(type(error))
    for pending in waiting:
        try:
            outcomes.append(pending.result().sop_instance_uid)
        except StorageFailed as error:
            outcomes.append(type(error))
    assert len({uid("raw", name) for name in "abc"}.intersection(map(str, outcomes))) == 2
    assert outcomes.count(StorageFailed) == 1
    assert place.index.count() == 2
    place.index.close()


# Objects that an index must take or refuse, never choke on. By what is odd in them.
HARD_TO_SWALLOW: dict[str, Changes] = {
    "a name that is no name": {0x00100010: ("LO", b"Rossi^Mario")},
    "a sequence that is none": {0x00400275: ("LO", b"none")},
    "a number beyond 63 bits": {0x00200013: ("UV", pack("<Q", 2**63))},
    "dimensions beyond 63 bits": {
        tag: ("US", b"\xff\xff") for tag in (0x00280002, 0x00280010, 0x00280011, 0x00280100)
    },
    "a character set that is a codec of Python": {
        0x00080005: ("CS", b"unicode_escape"),
        0x00100010: ("PN", b"\xe9\\ud800"),
    },
    "a character set that decodes nothing": {0x00080005: ("CS", b"undefined"), 0x00100010: ("PN", b"\xe9")},
    "a character set that is a number": {0x00080005: ("US", b"\x64\x00"), 0x00100010: ("PN", b"\xe9")},
}
SWALLOWED: dict[str, Changes] = {
    "a Patient ID that is a name": {0x00100020: ("PN", b"P^1")},
    "a Patient ID with a zero in it": {0x00100020: ("LO", b"P\0001 ")},
    "a description that is a sequence": {0x00081030: ("SQ", b"")},
    "a modality that is a number": {0x00080060: ("FD", pack("<d", float("nan")))},
    "a date that is a tag": {0x00080020: ("AT", b"\x08\x00\x20\x00")},
    "a number of 18 digits": {0x00200013: ("IS", b"9" * 18)},
    "a number that is none": {0x00200013: ("IS", b"first ")},
    "no name at all": {0x00100010: None},
    "a name of blanks": {0x00100010: ("PN", b"  ==  ")},
    "a date that is none": {0x00080020: ("DA", b"yesterday ")},
    "a time that is none": {0x00080030: ("TM", b"noon")},
    "letters beyond the character set": {0x00080005: ("CS", b"ISO_IR 192"), 0x00100010: ("PN", b"\xff\xfe")},
    "a text of a megabyte": {0x00104000: ("UT", b"long" * 250_000)},
}


def swallow(place: Place, changes: Changes) -> None:
    """Store the odd object in one group with two good ones; none but itself may suffer."""
    other: Changes = {0x0020000D: ("UI", b"1.2.3")}
    good = [place.archive.submit(begin(place.archive, picture(name, other))) for name in ("good", "better")]
    odd: Pending | ArchiveError
    try:
        odd = place.archive.submit(begin(place.archive, picture("odd", changes)))
    except ArchiveError as error:
        odd = error
    outcomes = []
    for pending in (odd, *good):
        try:
            outcomes.append(pending.result().outcome if isinstance(pending, Pending) else None)
        except ArchiveError:
            outcomes.append(None)
    assert outcomes[1:] == [Outcome.STORED, Outcome.STORED]
    assert place.index.count() == 2 + (outcomes[0] is Outcome.STORED)


@pytest.mark.parametrize("name", SWALLOWED)
def test_an_odd_object_does_not_fail_its_neighbours(place: Place, name: str) -> None:
    swallow(place, SWALLOWED[name])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite waits a tenth of a second for a lock, and not half a minute."""
    shorter = [row if row[0] != "busy_timeout" else ("busy_timeout", "100", 100) for row in engine._PRAGMAS]
    monkeypatch.setattr(engine, "_PRAGMAS", tuple(shorter))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", HARD_TO_SWALLOW)
def test_what_is_hard_to_swallow_does_not_fail_its_neighbours(place: Place, name: str) -> None:
    swallow(place, HARD_TO_SWALLOW[name])


class UnsureWriter(Writer):
    """A writer whose database commits, and is then no longer heard of: once."""

    def commit(self, records: list[Record]) -> tuple[list[Verdict], int]:
        written = super().commit(records)
        if not self.__dict__.setdefault("was_unsure", False):
            self.__dict__["was_unsure"] = True
            raise StorageFailed("the connection was lost during the commit")
        return written


@pytest.mark.parametrize("count", [2, 3])
def test_what_was_committed_although_the_commit_seemed_to_fail_is_kept(place: Place, count: int) -> None:
    writer = place.index.writer
    writer.__class__ = UnsureWriter
    committer = Committer(place.files, place.index, lambda: None)
    waiting = [committer.submit(begin(place.archive, picture(str(n))), None) for n in range(count)]
    wait_until_taken(waiting)
    answers = [pending.result() for pending in waiting]
    assert len(answers) == place.index.count() == count
    assert place.kept() == [instance.file for instance in place.index.walk()]


def test_an_index_that_cannot_be_synced_stores_nothing_for_sure(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fail)
        with pytest.raises(StorageFailed, match="could not be synced"):
            store(place.archive, picture("a"))
    assert store(place.archive, picture("a")).outcome is Outcome.ALREADY_STORED
    assert place.index.count() == len(place.kept()) == 1


class WatchedFile(DiskNewFile):
    """A file on a disk that takes its time to sync."""

    syncing = threading.Event()
    discarded_meanwhile = threading.Event()
    seconds = 0.3

    def sync(self) -> None:
        self.syncing.set()
        self.discarded_meanwhile.wait(self.seconds)
        self.syncing.clear()
        super().sync()

    def discard(self) -> None:
        if self.syncing.is_set():
            self.discarded_meanwhile.set()
        super().discard()


class WatchedFiles(DiskFiles):
    """A disk of such files."""

    def create(self, head: Head = no_head, expected: int = 0) -> DiskNewFile:
        new = super().create(head, expected)
        new.__class__ = WatchedFile
        return new


class FullWriter(Writer):
    """A writer whose database has no room."""

    def commit(self, *_: object) -> tuple[list[Verdict], int]:
        raise OutOfSpace("no room left for the index")


def test_a_file_is_not_discarded_while_it_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WatchedFile, "seconds", 3.0)
    place = made(tmp_path / "place", WatchedFiles(tmp_path / "place"))
    place.index.writer.__class__ = FullWriter
    pending = place.archive.submit(begin(place.archive, picture("a")))
    assert WatchedFile.syncing.wait(60)
    with pytest.raises(OutOfSpace):
        pending.result()
    place.index.close()
    assert not WatchedFile.discarded_meanwhile.is_set()


def fill(folder: Path) -> Path:
    """Leave no room on a disk; returns the file that takes it."""
    filling = folder / "filling"
    with filling.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while file.write(bytes(4096)):
            pass
    return filling


def send_announced(archive: Archive) -> Stored:
    incoming = archive.sender(SENDER).begin(ANNOUNCED)
    try:
        incoming.write(data_set("a"))
    except ArchiveError:
        incoming.abort()
        raise
    return archive.store(incoming)


def send_part10(archive: Archive) -> Stored:
    incoming = archive.sender(SENDER).begin_part10()
    try:
        incoming.write(picture("a"))
    except ArchiveError:
        incoming.abort()
        raise
    return archive.store(incoming)


@pytest.mark.parametrize("send", [send_announced, send_part10])
def test_a_full_disk_refuses_without_a_trace_until_there_is_room(
    tmp_path: Path, send: Callable[[Archive], Stored]
) -> None:
    with small_disk(tmp_path / "small", "size=4m") as folder:
        place = made(folder)
        first = stored(place.archive, picture("before"))
        filling = fill(folder)
        before = open_files(tmp_path)
        for _ in range(3):
            with pytest.raises(OutOfSpace):
                send(place.archive)
        assert place.kept() == [first.file]
        assert open_files(tmp_path) == before
        assert place.archive.read_frame(first, 1) == bytes(range(0, 256, 16))
        filling.unlink()
        assert send(place.archive).outcome is Outcome.STORED
        place.index.close()


@pytest.mark.parametrize("is_open", [False, True], ids=["just started", "in use"])
def test_an_index_without_room_leaves_no_file(tmp_path: Path, is_open: bool) -> None:
    with small_disk(tmp_path / "small", "size=3m") as folder:
        place = made(folder, DiskFiles(tmp_path / "elsewhere"))
        before = place.index.count() if is_open else 0
        filling = fill(folder)
        large: Changes = {0x00104000: ("LT", b"long " * 10_000)}
        with pytest.raises(OutOfSpace):
            store(place.archive, picture("a", large))
        assert files_below(tmp_path / "elsewhere" / "objects") == []
        filling.unlink()
        assert store(place.archive, picture("a", large)).outcome is Outcome.STORED
        assert len(files_below(tmp_path / "elsewhere" / "objects")) == place.index.count() == before + 1
        place.index.close()


def test_a_sender_that_leaves_in_the_middle_leaves_nothing_that_is_served(place: Place) -> None:
    incoming = begin(place.archive, picture("a")[:600])
    assert list(place.archive.search(Query(Level.INSTANCE))) == []
    incoming.abort()
    assert_nothing_kept(place)


def test_an_enormous_element_is_refused_before_it_comes(place: Place) -> None:
    claim = header(0x7FE00010, "OB", UNDEFINED - 1)
    incoming = begin(place.archive, picture("a", {0x7FE00010: None}, behind=claim))
    with pytest.raises(MalformedObject):
        place.archive.store(incoming)
    assert_nothing_kept(place)
