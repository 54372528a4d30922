"""Studies, series and instances as File-sets in zip archives (PS3.18 8.6.1.3, PS3.3 Annex F, PS3.10 8)."""

import gc
import re
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import httpx
import pytest
from pydicom import Dataset, dcmread
from pydicom.fileset import FileSet

from pacs.dataset.dicomdir import record_type
from testdata.character_sets import CHARACTER_SETS, in_character_set
from testdata.ct import ct_series
from testdata.files import part10
from tests.diafana.commands import diafana
from tests.dicomweb.conftest import Library, Service
from tests.dicomweb.test_wado import data_set_of

pytestmark = pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning")

ZIPPED = {"Accept": "application/zip"}


@pytest.fixture(autouse=True)
def without_file_sets() -> Iterator[None]:
    """pydicom keeps a folder for changes to each file-set until that is collected, and warns then."""
    yield
    gc.collect()


def study_of(dataset: Dataset) -> str:
    return f"/studies/{dataset.StudyInstanceUID}"


def unpacked(response: httpx.Response, folder: Path) -> FileSet:
    assert response.status_code == 200, response.text
    with ZipFile(BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    return FileSet(folder / "DICOMDIR")


def test_a_study_is_a_file_set_that_pydicom_reads(library: Library, tmp_path: Path) -> None:
    response = library.http.get(study_of(library.ct[0]), headers=ZIPPED)
    assert response.headers["content-type"] == "application/zip"
    assert int(response.headers["content-length"]) == len(response.content)
    file_set = unpacked(response, tmp_path)
    kept = {d.SOPInstanceUID: d for d in (*library.ct, library.pdf, library.report)}
    assert {found.SOPInstanceUID for found in file_set} == set(kept)
    for found in file_set:
        content = Path(found.path).read_bytes()
        assert data_set_of(content) == data_set_of(part10(kept[found.SOPInstanceUID]))
    assert {i.PatientID for i in file_set} == {library.ct[0].PatientID}


def test_names_are_those_of_media_and_tell_nothing_of_the_patient(library: Library) -> None:
    response = library.http.get(study_of(library.ct[0]), headers=ZIPPED)
    with ZipFile(BytesIO(response.content)) as archive:
        first, *others = archive.infolist()
        assert first.filename == "DICOMDIR"
        assert {info.compress_type for info in archive.infolist()} == {ZIP_STORED}
    assert len(others) == 6
    assert all(re.fullmatch(r"DICOM/S[0-9]{1,7}/I[0-9]{6,7}", info.filename) for info in others)
    disposition = response.headers["content-disposition"]
    assert disposition == f'attachment; filename="{library.ct[0].StudyInstanceUID}.zip"'


def test_a_series_and_an_instance_are_file_sets_too(library: Library, tmp_path: Path) -> None:
    path = library.path(library.ct[1])
    series = unpacked(library.http.get(path.partition("/instances")[0], headers=ZIPPED), tmp_path / "series")
    assert {found.SOPInstanceUID for found in series} == {d.SOPInstanceUID for d in library.ct}
    single = unpacked(library.http.get(path, headers=ZIPPED), tmp_path / "instance")
    assert [found.SOPInstanceUID for found in single] == [library.ct[1].SOPInstanceUID]


def test_browsers_and_clients_that_accept_anything_get_parts_as_ever(library: Library) -> None:
    path = study_of(library.ct[0])
    for accept in (
        "*/*",
        "text/html, */*;q=0.8",
        'multipart/related; type="application/dicom", application/zip',
    ):
        given = library.http.get(path, headers={"Accept": accept}).headers["content-type"]
        assert given.startswith("multipart/related"), accept
    in_query = library.http.get(path, params={"accept": "application/zip"}, headers={"Accept": "*/*"})
    assert in_query.headers["content-type"] == "application/zip"


def test_files_are_zipped_as_stored_only(library: Library) -> None:
    named = {"Accept": "application/zip; transfer-syntax=1.2.840.10008.1.2.4.90"}
    refused = library.http.get(study_of(library.ct[0]), headers=named)
    assert (refused.status_code, "application/zip" in refused.json()["detail"]) == (406, True)
    anything = {"Accept": "application/zip; transfer-syntax=*"}
    assert library.http.head(study_of(library.ct[0]), headers=anything).status_code == 200


def test_the_same_objects_are_the_same_bytes(library: Library) -> None:
    first = library.http.get(study_of(library.ct[0]), headers=ZIPPED)
    assert library.http.get(study_of(library.ct[0]), headers=ZIPPED).content == first.content
    held = library.http.get(
        study_of(library.ct[0]), headers=ZIPPED | {"If-None-Match": first.headers["etag"]}
    )
    assert (held.status_code, held.content) == (304, b"")
    head = library.http.head(study_of(library.ct[0]), headers=ZIPPED)
    assert head.headers["content-length"] == first.headers["content-length"]


@pytest.mark.parametrize("terms", CHARACTER_SETS)
def test_names_in_every_character_set_are_unicode_in_the_directory(
    service: Service, tmp_path: Path, terms: str
) -> None:
    dataset = in_character_set(terms)
    service.keep(dataset)
    unpacked(service.http.get(study_of(dataset), headers=ZIPPED), tmp_path)
    directory = dcmread(tmp_path / "DICOMDIR")
    patient = directory.DirectoryRecordSequence[0]
    assert patient.DirectoryRecordType == "PATIENT"
    assert str(patient.PatientName) == CHARACTER_SETS[terms].name


def test_an_archive_of_attributes_that_are_missing_is_still_one(service: Service) -> None:
    (ct,) = ct_series(slices=1, rows=8, columns=8)
    for keyword in (
        "PatientID",
        "StudyID",
        "StudyDate",
        "StudyTime",
        "SeriesNumber",
        "InstanceNumber",
        "Modality",
    ):
        delattr(ct, keyword)
    service.keep(ct)
    response = service.http.get(study_of(ct), headers=ZIPPED)
    with ZipFile(BytesIO(response.content)) as archive:
        directory = dcmread(BytesIO(archive.read("DICOMDIR")))
    kinds = [record.DirectoryRecordType for record in directory.DirectoryRecordSequence]
    assert kinds == ["PATIENT", "STUDY", "SERIES", "IMAGE"]


def test_records_are_of_the_type_of_their_objects(library: Library, tmp_path: Path) -> None:
    unpacked(library.http.get(study_of(library.ct[0]), headers=ZIPPED), tmp_path)
    records = dcmread(tmp_path / "DICOMDIR").DirectoryRecordSequence
    kinds = {r.ReferencedSOPClassUIDInFile: r for r in records if "ReferencedSOPClassUIDInFile" in r}
    assert kinds[library.report.SOPClassUID].DirectoryRecordType == "SR DOCUMENT"
    assert kinds[library.report.SOPClassUID].ConceptNameCodeSequence == library.report.ConceptNameCodeSequence
    assert kinds[library.pdf.SOPClassUID].MIMETypeOfEncapsulatedDocument == "application/pdf"
    assert kinds[library.ct[0].SOPClassUID].DirectoryRecordType == "IMAGE"


@pytest.mark.parametrize(
    ("sop_class", "kind"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", "IMAGE"),
        ("1.2.840.10008.5.1.4.1.1.66.4", "IMAGE"),
        ("1.2.840.10008.5.1.4.1.1.66", "RAW DATA"),
        ("1.2.840.10008.5.1.4.1.1.88.59", "KEY OBJECT DOC"),
        ("1.2.840.10008.5.1.4.1.1.88.33", "SR DOCUMENT"),
        ("1.2.840.10008.5.1.4.1.1.9.1.1", "WAVEFORM"),
        ("1.2.840.10008.5.1.4.1.1.11.1", "PRESENTATION"),
        ("1.2.840.10008.5.1.4.1.1.481.3", "RT STRUCTURE SET"),
        ("1.2.3", "IMAGE"),
    ],
)
def test_the_type_of_a_record_follows_from_the_class(sop_class: str, kind: str) -> None:
    assert record_type(sop_class) == kind


@pytest.mark.needs("dcmdump")
def test_dcmtk_reads_the_directory(library: Library, tmp_path: Path) -> None:
    unpacked(library.http.get(study_of(library.ct[0]), headers=ZIPPED), tmp_path)
    done = subprocess.run(
        ["dcmdump", "+sd", tmp_path / "DICOMDIR"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_was_given_out_is_taken_in_again(library: Library, tmp_path: Path) -> None:
    zipped = tmp_path / "study.zip"
    zipped.write_bytes(library.http.get(study_of(library.ct[0]), headers=ZIPPED).content)
    with ZipFile(zipped) as archive:
        archive.extractall(tmp_path / "unpacked")
    for number, path in enumerate((zipped, tmp_path / "unpacked" / "DICOMDIR")):
        assert "6 stored" in diafana("import", "--data", tmp_path / f"data{number}", path).out
