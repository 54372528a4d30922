"""What comes again in other content, with the real service: policies, and kill -9 between any two steps."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydicom import Dataset, dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.uid import generate_uid

from testdata.ct import ct_series
from testdata.files import part10
from testdata.measurement_report import measurement_report
from tests.diafana.commands import diafana
from tests.diafana.test_deletion import DIE, path_of, program, study_of
from tests.kept_files import contents
from tests.pacs.dimse.peer import store
from tests.service import Service
from tests.waiting import wait_until

DICOM = {"Accept": "application/dicom"}
FIRST, SECOND = "first", "second"

pytestmark = pytest.mark.xdist_group("service")


def version(dataset: Dataset, comments: str) -> Dataset:
    """The same instance in other content."""
    dataset.ImageComments = comments
    return dataset


def new_image() -> Dataset:
    (image,) = ct_series(slices=1, rows=16, columns=16)
    image.StudyInstanceUID, image.SeriesInstanceUID = generate_uid(), generate_uid()
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    return image


def known(data: Path, *options: str) -> None:
    """Know the sender of `store`."""
    done = diafana("peer", "add", "SENDER", "127.0.0.1", "104", *options, "--data", data)
    assert done.code == 0, done.err


def said(service: Service, image: Dataset) -> str:
    """Which version the service gives back, whole."""
    answer = service.get(path_of(image), **DICOM)
    assert answer.status_code == 200
    back = dcmread(DicomBytesIO(answer.content))
    assert back.PixelData == image.PixelData
    return str(back.ImageComments)


def files(data: Path, folder: str, image: Dataset) -> int:
    uid = image.SOPInstanceUID.encode()
    return sum(uid in content for _, content in contents(data / folder))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("duplicates") / "data"
    known(data, "--duplicates", "replace")
    with Service(data, "--workers", "2") as service:
        yield service


def test_it_replaces_in_every_worker_at_once(service: Service) -> None:
    image = new_image()
    assert store(service.dimse_port, version(image, FIRST)).Status == 0
    metadata, before = f"{study_of(image)}/metadata", service.get(path_of(image), **DICOM).headers["etag"]
    assert "first" in service.get(metadata).text
    for number in range(3):
        changed = version(image, f"version {number}")
        changed.PatientName, changed.StudyDescription = f"Rossi^Maria{number}", f"Torace {number}"
        assert store(service.dimse_port, changed).Status == 0
        assert {said(service, image) for _ in range(12)} == {f"version {number}"}
        assert service.get(path_of(image), **DICOM).headers["etag"] != before
        assert f"version {number}" in service.get(metadata).text
        (study,) = service.get(f"/dicom-web/studies?StudyInstanceUID={image.StudyInstanceUID}").json()
        assert study["00081030"]["Value"] == [f"Torace {number}"]
        assert study["00201208"]["Value"] == [1]
        url = f"/fhir/ImagingStudy?identifier=urn:oid:{image.StudyInstanceUID}"
        (entry,) = service.get(url).json()["entry"]
        assert entry["resource"]["description"] == f"Torace {number}"
    assert (files(service.data, "objects", image), files(service.data, "recycled", image)) == (1, 3)


def test_what_a_report_became_is_what_the_new_one_says(service: Service) -> None:
    report = measurement_report(ct_series(slices=8, rows=64, columns=64))
    report.StudyInstanceUID, report.SeriesInstanceUID = generate_uid(), generate_uid()
    report.SOPInstanceUID = report.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    document = f"/fhir/DocumentReference?identifier=urn:oid:{report.SOPInstanceUID}"

    def described() -> list[str]:
        entries = service.get(document).json().get("entry", [])
        return [str(entry["resource"].get("description", "")) for entry in entries]

    report.SeriesDescription = "one"
    assert store(service.dimse_port, report).Status == 0
    wait_until(described)
    observations = f"/fhir/Observation?patient.identifier={report.PatientID}"
    before = service.get(observations).json()["total"]
    report.ContentSequence = list(report.ContentSequence)[:-1]
    assert store(service.dimse_port, report).Status == 0
    wait_until(lambda: service.get(observations).json()["total"] != before)
    assert len(described()) == 1


def test_the_former_is_restored_beside_the_running_service(service: Service) -> None:
    image = new_image()
    for comments in (FIRST, SECOND):
        assert store(service.dimse_port, version(image, comments)).Status == 0
    assert "replaced" in diafana("recycled", "--data", service.data).out
    for comments in (FIRST, SECOND):
        done = diafana("restore", image.SOPInstanceUID, "--data", service.data)
        assert (done.code, done.out.split()) == (0, ["1", "restored"])
        assert {said(service, image) for _ in range(12)} == {comments}


def test_over_the_web_it_is_set_aside_as_ever(service: Service) -> None:
    image = new_image()
    assert store(service.dimse_port, version(image, FIRST)).Status == 0
    url, head = f"{service.url}/dicom-web/studies", {"Content-Type": "application/dicom"}
    answer = httpx.post(url, content=part10(version(image, SECOND)), headers=head)
    assert answer.status_code == 409
    assert answer.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0x0111]
    assert said(service, image) == FIRST


def test_what_is_changed_holds_from_the_next_association_on(service: Service) -> None:
    image = new_image()
    assert store(service.dimse_port, version(image, FIRST)).Status == 0
    for policy, status, then in (
        ("keep", 0xB000, FIRST),
        ("set aside", 0x0111, FIRST),
        ("replace", 0, SECOND),
    ):
        done = diafana("peer", "change", "SENDER", "--duplicates", policy, "--data", service.data)
        assert done.code == 0
        shown = diafana("peer", "show", "SENDER", "--data", service.data).out
        assert f"duplicates {policy}" in shown
        assert store(service.dimse_port, version(image, SECOND)).Status == status
        assert said(service, image) == then
    wrong = diafana("peer", "change", "SENDER", "--duplicates", "overwrite", "--data", service.data)
    assert (wrong.code, "'set aside', 'keep' or 'replace'" in wrong.err) == (2, True)


@pytest.mark.needs("storescu")
def test_a_sender_that_is_told_a_warning_goes_on(tmp_path: Path) -> None:
    data = tmp_path / "data"
    known(data, "--duplicates", "keep")
    images = [new_image() for _ in range(3)]
    names = [tmp_path / f"{number}.dcm" for number in range(3)]
    with Service(data, "--workers", "1") as service:
        for comments in (FIRST, SECOND):
            for image, name in zip(images, names, strict=True):
                name.write_bytes(part10(version(image, comments)))
            command = [
                "storescu",
                "-v",
                "-aet",
                "SENDER",
                "127.0.0.1",
                str(service.dimse_port),
                *map(str, names),
            ]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        assert done.stderr.count("Coercion") + done.stdout.count("Coercion") >= 3
        assert [said(service, image) for image in images] == [FIRST] * 3
        events = [one for one in service.events() if one["event"] == "instance set aside"]
        assert [one["status"] for one in events] == ["B000"] * 3
    assert sum(1 for _ in (data / "quarantine").glob("*.dcm")) == 3


# kill -9

WHOLE = """
from pacs.index import engine, replacing
whole = replacing.Replacer.replace
"""
BEFORE = {  # by what is done next; nothing has changed yet
    "the conflict is settled": "from pacs import conflicts; conflicts.Conflicts.settle = die",
    "the transaction": "from pacs.index import replacing; replacing.Replacer.replace = die",
    "its first statement": "from pacs.index import replacing; replacing.note_removed = die",
    "its last statements": "from pacs.index import replacing; replacing.restate = die",
    "its commit": "from pacs.index import deletions; deletions.Deletions.add = die",
}
AFTER = {  # the commit
    "before its sync": f"""{WHOLE}
def replace(self, *arguments, **named):
    engine.Transactions.sync = die
    return whole(self, *arguments, **named)
replacing.Replacer.replace = replace
""",
    "and its sync": f"{WHOLE}\nreplacing.Replacer.replace = lambda *a, **n: (whole(*a, **n), die())",
    "before the former is moved": "from pacs.files import recycled; recycled.DiskRecycledFiles.take = die",
    "before the move is synced": """
from pacs.files import recycled
recycled._make_folder = lambda root, folder: (root / folder).mkdir(parents=True, exist_ok=True)
recycled.sync_folder = die
""",
    "when the former is moved": """
from pacs.files import recycled
move = recycled.DiskRecycledFiles.take
recycled.DiskRecycledFiles.take = lambda *a: (move(*a), die())
""",
    "before the answer": """
from pacs import conflicts
settle = conflicts.Conflicts.settle
conflicts.Conflicts.settle = lambda *a: (settle(*a), die())
""",
}


@pytest.mark.parametrize(
    ("bug", "then"), [*((bug, FIRST) for bug in BEFORE), *((bug, SECOND) for bug in AFTER)]
)
def test_cut_off_anywhere_one_of_them_is_there(tmp_path: Path, bug: str, then: str) -> None:
    data, image = tmp_path / "data", new_image()
    known(data, "--duplicates", "replace")
    with Service(data, "--workers", "1", program=program(DIE, (BEFORE | AFTER)[bug])) as service:
        assert store(service.dimse_port, version(image, FIRST)).Status == 0
        assert "Status" not in store(service.dimse_port, version(image, SECOND))
        service.kill()
    with Service(data, "--workers", "1") as service:
        assert said(service, image) == then
        wait_until(lambda: files(data, "objects", image) == 1)
        assert said(service, image) == then
        assert store(service.dimse_port, version(image, SECOND)).Status == 0
        assert said(service, image) == SECOND
        assert (files(data, "objects", image), files(data, "recycled", image)) == (1, 1)
    assert diafana("verify", "--data", data).code == 0
    assert "1 instances indexed" in diafana("reindex", "--data", data).out
    with Service(data, "--workers", "1") as service:
        assert said(service, image) == SECOND
