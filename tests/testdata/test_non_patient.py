"""The recipes of objects that belong to no patient: sound, and the same each time."""

import io
from collections.abc import Callable

import pytest
from pydicom import Dataset, dcmread
from pydicom.datadict import dictionary_has_tag
from pydicom.uid import UID

from pacs.non_patient import CATEGORIES, CATEGORY_OF
from testdata.files import part10
from testdata.non_patient import RECIPES


def test_there_is_one_of_each_category() -> None:
    made = {name: CATEGORY_OF[recipe().SOPClassUID].npi_name for name, recipe in RECIPES.items()}
    assert made == {category.npi_name: category.npi_name for category in CATEGORIES}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_what_is_written_is_read_back_and_the_same_each_time(recipe: Callable[[], Dataset]) -> None:
    dataset = recipe()
    content = part10(dataset)
    assert dcmread(io.BytesIO(content)) == dataset
    assert part10(recipe()) == content
    assert [e.tag for e in dataset.iterall() if not dictionary_has_tag(e.tag)] == []
    uids = [e.value for e in dataset.iterall() if e.VR == "UI"]
    assert len(uids) >= 2
    assert [value for value in uids if not UID(value).is_valid] == []
    assert "StudyInstanceUID" not in dataset


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_what_the_information_model_requires_is_there(recipe: Callable[[], Dataset]) -> None:
    dataset = recipe()
    category = CATEGORY_OF[dataset.SOPClassUID]
    found = [row.keyword for row in category.rows if row.keyword in dataset]
    assert len(found) >= 5
    assert {"SOPClassUID", "SOPInstanceUID"} <= set(found)
