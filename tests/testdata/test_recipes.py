"""What holds for every recipe: valid to pydicom, the same bytes each time, proper UIDs."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.datadict import dictionary_has_tag
from pydicom.uid import UID

from testdata.character_sets import CHARACTER_SETS, in_character_set
from testdata.contrast_report import performed_contrast, planned_contrast
from testdata.ct import ct_series
from testdata.dose_report import dose_report
from testdata.dx import chest_xray
from testdata.echo_report import echo_report, simplified_echo_report
from testdata.enhanced_ct import enhanced_ct
from testdata.fetal_report import fetal_report
from testdata.files import part10
from testdata.hemodynamics_report import hemodynamics_report
from testdata.key_objects import key_objects
from testdata.long_dose_report import long_dose_report
from testdata.measurement_report import measurement_report
from testdata.mr import mr_series
from testdata.patient_dose_report import patient_dose_report
from testdata.pdf import encapsulated_pdf
from testdata.pelvis_report import pelvis_report
from testdata.pregnancy_report import pregnancy_report
from testdata.procedure_log import procedure_log
from testdata.secondary_capture import palette_colour, secondary_capture
from testdata.segmentation import nodule_segmentation
from testdata.us import us_cine
from testdata.written_report import heart_report, text_report


def small_ct() -> list[Dataset]:
    return ct_series(slices=3, rows=64, columns=64)


RECIPES: dict[str, Callable[[], list[Dataset]]] = {
    "ct": small_ct,
    "mr": lambda: mr_series(slices=2, rows=64, columns=64),
    "us": lambda: [us_cine(frames=2, rows=96, columns=128)],
    "dx": lambda: [chest_xray(rows=96, columns=96)],
    "enhanced ct": lambda: [enhanced_ct(small_ct())],
    "segmentation": lambda: [nodule_segmentation(small_ct())],
    "secondary capture": lambda: [secondary_capture(np.arange(63, dtype=np.uint8).reshape(9, 7))],
    "palette": lambda: [
        palette_colour(np.eye(4, dtype=np.uint8), np.array([[0, 1, 2], [3, 4, 5]], np.uint16))
    ],
    "measurement report": lambda: [measurement_report(small_ct())],
    "text report": lambda: [text_report()],
    "heart report": lambda: [heart_report()],
    "dose report": lambda: [dose_report()],
    "patient dose report": lambda: [patient_dose_report()],
    "echo report": lambda: [echo_report()],
    "simplified echo report": lambda: [simplified_echo_report()],
    "fetal report": lambda: [fetal_report()],
    "pregnancy report": lambda: [pregnancy_report()],
    "pelvis report": lambda: [pelvis_report()],
    "procedure log": lambda: [procedure_log()],
    "hemodynamics report": lambda: [hemodynamics_report()],
    "contrast report": lambda: [planned_contrast(), performed_contrast()],
    "long dose report": lambda: [long_dose_report(2)],
    "key objects": lambda: [key_objects(small_ct())],
    "pdf": lambda: [encapsulated_pdf()],
    "character sets": lambda: [in_character_set(terms) for terms in CHARACTER_SETS],
}

REQUIRED = (
    "SpecificCharacterSet",
    "TimezoneOffsetFromUTC",
    "SOPClassUID",
    "SOPInstanceUID",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "SeriesInstanceUID",
    "SeriesNumber",
    "Modality",
    "InstanceNumber",
)


@pytest.fixture(params=RECIPES, scope="module")
def recipe(request: pytest.FixtureRequest) -> Callable[[], list[Dataset]]:
    return RECIPES[request.param]


@pytest.fixture(scope="module")
def objects(recipe: Callable[[], list[Dataset]]) -> list[Dataset]:
    return recipe()


def test_what_is_written_is_read_back(objects: list[Dataset]) -> None:
    for dataset in objects:
        again = dcmread(io.BytesIO(part10(dataset)))
        assert again.SOPInstanceUID == again.file_meta.MediaStorageSOPInstanceUID
        assert again.SOPClassUID == again.file_meta.MediaStorageSOPClassUID
        assert [element.tag for element in again] == [element.tag for element in dataset]


def test_the_same_bytes_each_time(recipe: Callable[[], list[Dataset]], objects: list[Dataset]) -> None:
    assert [part10(dataset) for dataset in recipe()] == [part10(dataset) for dataset in objects]


def test_every_uid_is_one(objects: list[Dataset]) -> None:
    uids = [
        value
        for dataset in objects
        for element in [*dataset.file_meta, *dataset.iterall()]
        if element.VR == "UI"
        for value in ([element.value] if isinstance(element.value, str) else element.value)
    ]
    assert len(uids) > 5
    assert [value for value in uids if not UID(value).is_valid] == []


def test_no_two_objects_share_a_uid(objects: list[Dataset]) -> None:
    assert len({dataset.SOPInstanceUID for dataset in objects}) == len(objects)


def test_the_common_modules_are_filled(objects: list[Dataset]) -> None:
    for dataset in objects:
        assert [keyword for keyword in REQUIRED if keyword not in dataset] == []


def test_only_elements_of_the_dictionary(objects: list[Dataset]) -> None:
    for dataset in objects:
        assert [element.tag for element in dataset.iterall() if not dictionary_has_tag(element.tag)] == []


def test_patient_identifiers_can_be_nobodys(objects: list[Dataset]) -> None:
    for dataset in objects:
        assert "X00X" in dataset.PatientID
