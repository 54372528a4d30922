from dataclasses import replace

from pydicom.uid import UID

from testdata.ct import ct_series
from testdata.patients import COSME, LETIZIA, PATIENTS
from testdata.studies import Study, uid


def test_the_same_parts_give_the_same_uid_and_others_another() -> None:
    assert uid("a", 1) == uid("a", 1)
    assert len({uid("a", 1), uid("a", "1"), uid("a1"), uid("a", 2)}) == 4
    assert UID(uid("a", 1)).is_valid


def test_another_seed_is_another_study() -> None:
    one, two = Study(1001), Study(1002)
    assert one.uid != two.uid
    assert one.accession_number != two.accession_number


def test_uids_follow_from_the_seed_and_not_from_the_patient() -> None:
    study = Study(1001, LETIZIA)
    claimed = replace(study, patient=COSME)
    assert claimed.uid == study.uid
    assert claimed.series_uid("CT", 1) == study.series_uid("CT", 1)


def test_other_studies_have_other_objects_and_other_noise() -> None:
    one, two = (ct_series(Study(seed), slices=1, rows=32, columns=32)[0] for seed in (1001, 1002))
    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert one.PixelData != two.PixelData


def test_another_series_of_a_study_shares_the_study_only() -> None:
    one, two = (ct_series(slices=1, rows=32, columns=32, series_number=number)[0] for number in (2, 3))
    assert one.StudyInstanceUID == two.StudyInstanceUID
    assert one.SeriesInstanceUID != two.SeriesInstanceUID
    assert one.SOPInstanceUID != two.SOPInstanceUID


def test_no_two_patients_share_an_identifier() -> None:
    assert len({patient.identifier for patient in PATIENTS}) == len(PATIENTS)
