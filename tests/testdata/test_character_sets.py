import io

import pytest
from pydicom import dcmread

from testdata.character_sets import CHARACTER_SETS, in_character_set
from testdata.files import part10


@pytest.mark.parametrize("terms", CHARACTER_SETS)
def test_the_name_is_stored_as_its_character_set_writes_it(terms: str) -> None:
    data = part10(in_character_set(terms))
    stored = CHARACTER_SETS[terms].stored
    assert b"\x10\x00\x10\x00PN" + (len(stored) + len(stored) % 2).to_bytes(2, "little") + stored in data


@pytest.mark.parametrize("terms", CHARACTER_SETS)
def test_names_are_read_as_they_are_meant(terms: str) -> None:
    written = CHARACTER_SETS[terms]
    again = dcmread(io.BytesIO(part10(in_character_set(terms))))
    assert str(again.PatientName) == written.name
    assert again.StudyDescription == written.description


def test_each_has_a_study_and_a_patient_of_its_own() -> None:
    objects = [in_character_set(terms) for terms in CHARACTER_SETS]
    assert len({each.StudyInstanceUID for each in objects}) == len(objects)
    assert len({each.PatientID for each in objects}) == len(objects)
