"""Coercion: what a sender leaves out is put in, the object says so, and coming again it is the same."""

from io import BytesIO
from pathlib import Path

import pytest
import structlog
from pydicom import Dataset, dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)
from structlog.testing import capture_logs

from pacs.archive import Archive
from pacs.coercion import Coercer
from pacs.errors import InstanceConflict, OutOfSpace, Refused
from pacs.files import DiskFiles, new_file
from pacs.files.derived import DerivedFiles
from pacs.index import Index
from pacs.model import Coercion, Duplicates, Instance, Level, Outcome, Source
from pacs.query import Query
from testdata.compressed import compressed
from testdata.ct import ct_series
from testdata.dose_report import dose_report
from testdata.files import part10
from tests.kept_files import open_files
from tests.pacs.files.test_disk import files_below, small_disk
from tests.pacs.objects import in_syntax, renamed

LATIN_1, HOSPITAL, ORDERS = "ISO_IR 100", "HOSPITAL A", "RIS 1"
ALL = Coercion(LATIN_1, HOSPITAL, ORDERS)
NONE = Coercion()
SENDER = Source("MODALITY", "10.1.2.3")
CHARACTER_SET, ISSUER, ORIGINALS = 0x00080005, 0x00100021, 0x04000561


def image(syntax: str = ExplicitVRLittleEndian, rows: int = 32) -> Dataset:
    """One that states neither character set nor issuers, but has a name in ISO 8859-1."""
    (dataset,) = ct_series(slices=1, rows=rows, columns=rows)
    dataset = compressed(dataset, syntax) if syntax == JPEG2000Lossless else dataset
    if syntax == ImplicitVRLittleEndian:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    for keyword in ("SpecificCharacterSet", "IssuerOfPatientID", "IssuerOfAccessionNumberSequence"):
        if keyword in dataset:
            delattr(dataset, keyword)
    dataset.AccessionNumber = "A1"
    dataset.PatientName = "Mueller^Joerg"
    return dataset


def sent(
    archive: Archive,
    content: bytes,
    rules: Coercion = ALL,
    duplicates: Duplicates = Duplicates.SET_ASIDE,
) -> Outcome:
    incoming = archive.sender(SENDER, rules, duplicates=duplicates).begin_part10()
    incoming.write(content)
    return archive.store(incoming).outcome


def umlauts(dataset: Dataset) -> bytes:
    """As a file in which the name is Müller^Jörg in ISO 8859-1, of which nothing tells."""
    written = part10(dataset)
    assert written.count(b"Mueller^Joerg ") == 1
    return written.replace(b"Mueller^Joerg ", "Müller^Jörg   ".encode("latin-1"))


def kept(archive: Archive, dataset: Dataset) -> tuple[Instance, Dataset]:
    instance = archive.instance(dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID)
    with archive.open(instance) as file:
        return instance, dcmread(BytesIO(file.read(0, file.size)))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless])
def test_what_is_left_out_is_put_in_and_told(archive: Archive, syntax: str) -> None:
    dataset = image(syntax)
    assert sent(archive, umlauts(dataset)) is Outcome.STORED
    instance, here = kept(archive, dataset)
    assert instance.transfer_syntax_uid == syntax
    assert (here.SpecificCharacterSet, here.IssuerOfPatientID) == (LATIN_1, HOSPITAL)
    assert here.IssuerOfAccessionNumberSequence[0].LocalNamespaceEntityID == ORDERS
    assert here.PatientName == "Müller^Jörg"
    (item,) = here.OriginalAttributesSequence
    assert (item.ModifyingSystem, item.SourceOfPreviousValues) == ("DIAFANA", "MODALITY")
    assert item.ReasonForTheAttributeModification == "COERCE"
    assert len(item.AttributeModificationDateTime) == 21
    (old,) = item.ModifiedAttributesSequence
    assert [element.tag for element in old] == [CHARACTER_SET, 0x00080051, ISSUER]
    assert all(element.is_empty for element in old)
    for tag in (CHARACTER_SET, 0x00080051, ISSUER, ORIGINALS):
        del here[tag]
    expected = dcmread(BytesIO(umlauts(dataset)))
    assert {e.tag: e for e in here} == {e.tag: e for e in expected}
    assert here.PixelData == expected.PixelData
    assert [element.tag for element in here] == sorted(element.tag for element in here)


def test_it_is_found_and_given_back_with_what_was_put_in(archive: Archive) -> None:
    dataset = image()
    sent(archive, umlauts(dataset))
    (found,) = archive.search(Query(Level.STUDY))
    assert found.get("00100010")["Value"] == [{"Alphabetic": "Müller^Jörg"}]
    assert found.get("00100021")["Value"] == [HOSPITAL]
    instance, _ = kept(archive, dataset)
    assert archive.metadata(instance)["00100010"]["Value"] == [{"Alphabetic": "Müller^Jörg"}]


@pytest.mark.parametrize("rules", [ALL, Coercion(character_set=LATIN_1), Coercion("", "", ORDERS)])
def test_coming_again_it_is_the_same(archive: Archive, tmp_path: Path, rules: Coercion) -> None:
    dataset = image()
    first = umlauts(dataset)
    assert sent(archive, first, rules) is Outcome.STORED
    before, _ = kept(archive, dataset)
    for _ in range(2):
        assert sent(archive, first, rules) is Outcome.ALREADY_STORED
    assert kept(archive, dataset)[0] == before
    assert list((tmp_path / "quarantine").glob("**/*.dcm")) == []
    assert len(list((tmp_path / "objects").glob("**/*.dcm"))) == 1


@pytest.mark.parametrize("rules", [ALL, NONE])
@pytest.mark.parametrize("policy", Duplicates)
def test_coming_again_it_takes_the_place_of_its_lost_file(
    archive: Archive, tmp_path: Path, rules: Coercion, policy: Duplicates
) -> None:
    dataset = image()
    sent(archive, umlauts(dataset), rules)
    before, _ = kept(archive, dataset)
    (tmp_path / "objects" / before.file).unlink()
    assert sent(archive, umlauts(dataset), ALL, policy) is Outcome.REPLACED
    after, here = kept(archive, dataset)
    assert (after.file != before.file, here.IssuerOfPatientID) == (True, HOSPITAL)
    assert sent(archive, umlauts(dataset), ALL, policy) is Outcome.ALREADY_STORED
    assert list((tmp_path / "quarantine").glob("**/*.dcm")) == []


def test_who_sends_hears_whether_what_is_kept_is_what_came(archive: Archive) -> None:
    def is_coerced(dataset: Dataset, rules: Coercion, duplicates: Duplicates = Duplicates.SET_ASIDE) -> bool:
        incoming = archive.sender(SENDER, rules, duplicates=duplicates).begin_part10()
        incoming.write(part10(dataset))
        return archive.store(incoming).is_coerced

    first, second = image(), renamed(image(), "2.999.40.4")
    assert [is_coerced(first, rules) for rules in (ALL, ALL, NONE)] == [True, True, True]
    assert [is_coerced(second, rules) for rules in (NONE, NONE, ALL)] == [False, False, False]
    first.PatientName = second.PatientName = "Meier"
    assert is_coerced(second, ALL, Duplicates.REPLACE)
    assert not is_coerced(first, NONE, Duplicates.REPLACE)
    first.IssuerOfPatientID, first.AccessionNumber = HOSPITAL, ""
    renamed(first, "2.999.40.5")
    assert not is_coerced(first, Coercion(issuer_of_patient_id="B", issuer_of_accession_number="C"))


def test_other_content_is_a_conflict_all_the_same(archive: Archive) -> None:
    dataset = image()
    sent(archive, umlauts(dataset))
    for change in (b"X^", b"B1"):
        old = b"M\xfc" if change == b"X^" else b"A1"
        other = umlauts(dataset).replace(old, change, 1)
        assert other != umlauts(dataset)
        with pytest.raises(InstanceConflict):
            sent(archive, other)
    pixels = image()
    pixels.PixelData = bytes(pixels.PixelData)[:-2] + b"\x12\x34"
    pixels.SOPInstanceUID = dataset.SOPInstanceUID
    with pytest.raises(InstanceConflict):
        sent(archive, umlauts(pixels))


def test_what_came_before_there_was_a_rule_is_the_same(archive: Archive) -> None:
    dataset = image()
    assert sent(archive, umlauts(dataset), NONE) is Outcome.STORED
    assert sent(archive, umlauts(dataset)) is Outcome.ALREADY_STORED
    assert ORIGINALS not in kept(archive, dataset)[1]


def test_what_is_stated_is_left_alone(archive: Archive) -> None:
    dataset = image()
    dataset.SpecificCharacterSet, dataset.IssuerOfPatientID, dataset.AccessionNumber = "ISO_IR 192", "B", ""
    sent(archive, part10(dataset))
    instance, here = kept(archive, dataset)
    assert here == dcmread(BytesIO(part10(dataset)))
    with archive.open(instance) as file:
        content = file.read(instance.dataset_offset, file.size)
    assert part10(dataset).endswith(content)


def test_earlier_changes_stay_before_ours(archive: Archive) -> None:
    dataset = image()
    for delimited in (False, True):
        earlier = Dataset()
        earlier.ModifyingSystem, earlier.ReasonForTheAttributeModification = "GATEWAY", "CORRECT"
        earlier.ModifiedAttributesSequence = [Dataset()]
        earlier.ModifiedAttributesSequence[0].PatientID = "OLD"
        dataset.OriginalAttributesSequence = [earlier]
        dataset["OriginalAttributesSequence"].is_undefined_length = delimited
        renamed(dataset, f"2.999.40.{delimited:d}")
        dataset.IssuerOfPatientID = ""
        sent(archive, part10(dataset))
        _, here = kept(archive, dataset)
        assert [item.ModifyingSystem for item in here.OriginalAttributesSequence] == ["GATEWAY", "DIAFANA"]
        old = here.OriginalAttributesSequence[0].ModifiedAttributesSequence[0]
        assert old.PatientID == "OLD"


def test_what_was_empty_is_told_as_empty(archive: Archive) -> None:
    dataset = image()
    dataset.IssuerOfPatientID = ""
    sent(archive, part10(dataset), Coercion(issuer_of_patient_id=HOSPITAL))
    _, here = kept(archive, dataset)
    (old,) = here.OriginalAttributesSequence[0].ModifiedAttributesSequence
    assert [element.tag for element in old] == [ISSUER]


def test_an_object_that_goes_to_the_device_while_it_comes(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_file, "STAGE", 4 * new_file.BLOCK)
    monkeypatch.setattr(new_file, "_stages", type(new_file._stages)())
    dataset = image(rows=256)
    assert sent(archive, umlauts(dataset)) is Outcome.STORED
    assert sent(archive, umlauts(dataset)) is Outcome.ALREADY_STORED
    assert kept(archive, dataset)[1].PixelData == dataset.PixelData


def test_an_object_without_pixels(archive: Archive) -> None:
    report = dose_report()
    report.AccessionNumber = "A1"
    if "SpecificCharacterSet" in report:
        del report.SpecificCharacterSet
    sent(archive, part10(report))
    _, here = kept(archive, report)
    assert here.ContentSequence == report.ContentSequence
    assert here.SpecificCharacterSet == LATIN_1


@pytest.mark.parametrize("syntax", [DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_what_cannot_be_coerced_stays_as_it_is(archive: Archive, syntax: str) -> None:
    report = dose_report()
    assert sent(archive, part10(in_syntax(report, syntax))) is Outcome.STORED
    assert ORIGINALS not in kept(archive, report)[1]


def test_why_a_series_is_not_coerced_is_told_once(archive: Archive) -> None:
    sender = archive.sender(SENDER, ALL)
    structlog.reset_defaults()
    with capture_logs() as lines:
        for number in range(3):
            report = renamed(in_syntax(dose_report(), ExplicitVRBigEndian), f"2.999.40.6.{number}")
            incoming = sender.begin_part10()
            incoming.write(part10(report))
            archive.store(incoming)
    told = [(line["source"], line["reason"]) for line in lines if line["event"] == "not coerced"]
    assert told == [("MODALITY", "it is deflated, or in big endian")]


def test_elements_out_of_order_are_left_alone() -> None:
    element = b"\x10\x00\x20\x00LO\x02\x00A1" + b"\xe0\x7f\x10\x00OB\x00\x00\x02\x00\x00\x00xx"
    late = element + b"\x10\x00\x21\x00LO\x02\x00B "
    coercer = Coercer(ALL, "MODALITY", "DIAFANA")
    assert coercer.coerce(element, ExplicitVRLittleEndian, 0, len(element)) is not None
    assert coercer.coerce(late, ExplicitVRLittleEndian, 0, len(late)) is None


def test_a_broken_object_is_refused_as_ever(archive: Archive, tmp_path: Path) -> None:
    content = umlauts(image())
    for end in (len(content) - 1, len(content) // 2, 700):
        with pytest.raises(Refused):
            sent(archive, content[:end])
    assert list((tmp_path / "objects").glob("**/*.dcm")) == []


def test_a_disk_that_is_full_for_what_is_put_in_keeps_nothing_of_it(tmp_path: Path, index: Index) -> None:
    with small_disk(tmp_path / "small", "size=8m") as folder:
        files, derived = DiskFiles(folder), DerivedFiles(tmp_path / "derived")
        archive = Archive(files, derived, index, "DIAFANA", "/dicom-web", lambda: None)
        assert sent(archive, umlauts(image())) is Outcome.STORED
        before = files_below(folder), open_files(tmp_path)
        with pytest.raises(OutOfSpace):
            sent(archive, umlauts(renamed(image(rows=1600), "2.999.40.3")))
        assert (files_below(folder), open_files(tmp_path)) == before
