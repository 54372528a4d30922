"""DCMTK's programs against the running service, as a modality or a technician would use them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydicom import Dataset

from testdata.ct import ct_series
from testdata.files import part10, write_folder
from testdata.key_objects import rejection_note
from testdata.measurement_report import measurement_report
from testdata.non_patient import color_palette, hanging_protocol
from testdata.us import us_cine
from tests.kept_files import contents
from tests.service import Service
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.needs("storescu", "dcmsend", "findscu", "echoscu", "dcmdump"),
    pytest.mark.xdist_group("service"),
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("dcmtk") / "data") as service:
        yield service


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout + done.stderr


def find(service: Service, *keys: str, level: str = "STUDY") -> list[dict[str, str]]:
    """findscu's answers: keyword -> value, as it prints them."""
    options = [part for key in keys for part in ("-k", key)]
    printed = run(
        "findscu", "-S", "-k", f"QueryRetrieveLevel={level}", *options, "127.0.0.1", str(service.dimse_port)
    )
    answers: list[dict[str, str]] = []
    for line in printed.splitlines():
        if "Find Response" in line:
            answers.append({})
        elif answers and line.rstrip()[-1:] != "-" and ")" in line and "#" in line:
            value, _, comment = line.partition("#")
            name = comment.split()[-1]
            content = value.split(maxsplit=3)[-1].strip()
            answers[-1][name] = content.strip("[] ") if content.startswith("[") else ""
    return answers


def test_echoscu_is_answered(service: Service) -> None:
    run("echoscu", "-aec", "DIAFANA", "127.0.0.1", str(service.dimse_port))


@pytest.mark.timeout(300)
def test_200_slices_sent_on_four_associations_arrive_complete(service: Service, tmp_path: Path) -> None:
    series = ct_series(slices=200, rows=128, columns=128)
    folders = [tmp_path / str(number) for number in range(4)]
    for number, folder in enumerate(folders):
        write_folder(series[number::4], folder)
    senders = [
        subprocess.Popen(
            ["storescu", "--scan-directories", "--recurse", "127.0.0.1", str(service.dimse_port), folder],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for folder in folders
    ]
    for sender in senders:
        _, errors = sender.communicate(timeout=200)
        assert sender.returncode == 0, errors
    (study,) = find(
        service, f"StudyInstanceUID={series[0].StudyInstanceUID}", "NumberOfStudyRelatedInstances"
    )
    assert study["NumberOfStudyRelatedInstances"] == "200"
    uid = series[0].StudyInstanceUID
    images = find(service, f"StudyInstanceUID={uid}", "SOPInstanceUID", "InstanceNumber", level="IMAGE")
    assert {image["SOPInstanceUID"] for image in images} == {dataset.SOPInstanceUID for dataset in series}
    assert [int(image["InstanceNumber"]) for image in images] == list(range(1, 201))


def test_compressed_cine_and_report_are_sent_as_they_are(service: Service, tmp_path: Path) -> None:
    cine: Dataset = us_cine(frames=4)
    report = measurement_report(ct_series(slices=3))
    write_folder([cine, report], tmp_path)
    run("dcmsend", "--scan-directories", "--recurse", "127.0.0.1", str(service.dimse_port), tmp_path)
    found = find(service, f"StudyInstanceUID={cine.StudyInstanceUID}", "ModalitiesInStudy", "PatientName")
    assert found[0]["ModalitiesInStudy"] == "US"
    (kept,) = (path for path, content in contents(service.data) if cine.SOPInstanceUID.encode() in content)
    assert "JPEGBaseline" in run("dcmdump", "+P", "0002,0010", kept)


def test_what_is_in_no_study_is_sent_and_found_on_the_web(service: Service, tmp_path: Path) -> None:
    for number, dataset in enumerate((hanging_protocol(), color_palette())):
        (tmp_path / f"{number}.dcm").write_bytes(part10(dataset))
    run("dcmsend", "--scan-directories", "127.0.0.1", str(service.dimse_port), tmp_path)
    for name, dataset in (("hanging-protocols", hanging_protocol()), ("color-palettes", color_palette())):
        answer = httpx.get(f"{service.url}/dicom-web/{name}?SOPInstanceUID={dataset.SOPInstanceUID}")
        assert len(answer.json()) == 1


def test_storescu_hears_that_a_uid_is_taken(service: Service, tmp_path: Path) -> None:
    (first,) = ct_series(slices=1, rows=32, columns=32, series_number=77)
    for number, comment in enumerate(("", "other content")):
        first.ImageComments = comment
        write_folder([first], tmp_path / str(number))
    command = ["storescu", "-v", "--scan-directories", "--recurse", "127.0.0.1", str(service.dimse_port)]
    run(*command, tmp_path / "0")
    second = subprocess.run([*command, tmp_path / "1"], capture_output=True, text=True, check=False)
    assert "Status: 0x111" in second.stdout + second.stderr


def test_what_a_note_of_storescu_rejects_is_found_no_more(service: Service, tmp_path: Path) -> None:
    slices = ct_series(slices=3, rows=32, columns=32, series_number=78)
    write_folder(slices, tmp_path / "slices")
    write_folder([rejection_note(slices[:2])], tmp_path / "note")
    command = ["storescu", "--scan-directories", "--recurse", "127.0.0.1", str(service.dimse_port)]
    keys = (
        f"StudyInstanceUID={slices[0].StudyInstanceUID}",
        f"SeriesInstanceUID={slices[0].SeriesInstanceUID}",
    )

    def found() -> list[str]:
        return [one["SOPInstanceUID"] for one in find(service, *keys, "SOPInstanceUID", level="IMAGE")]

    run(*command, tmp_path / "slices")
    assert len(found()) == 3
    run(*command, tmp_path / "note")
    wait_until(lambda: found() == [slices[2].SOPInstanceUID])
    run(*command, tmp_path / "slices")
    assert found() == [slices[2].SOPInstanceUID]
    assert find(service, *keys[:1], "Modality=KO", "SeriesInstanceUID", level="SERIES") == []
