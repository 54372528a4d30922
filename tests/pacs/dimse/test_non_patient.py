"""The Non-Patient Object Storage Service Class (PS3.4 GG): C-STORE of what is in no study."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pacs.archive import Archive
from pacs.non_patient import CATEGORY_OF
from testdata.non_patient import RECIPES, hanging_protocol
from tests.pacs.dimse.conftest import StartFront
from tests.pacs.dimse.peer import associated, store
from tests.pacs.objects import in_syntax


def kept(archive: Archive, dataset: Dataset) -> Dataset:
    category = CATEGORY_OF[dataset.SOPClassUID]
    return archive.dataset(archive.non_patient_instance(category, dataset.SOPInstanceUID))


def test_every_class_is_negotiated_whatever_the_settings(start_front: StartFront) -> None:
    port = start_front(accept_unknown_sop_classes=False)
    wanted = sorted(CATEGORY_OF)
    with associated(port, *((uid, ExplicitVRLittleEndian) for uid in wanted)) as association:
        assert sorted(str(cx.abstract_syntax) for cx in association.accepted_contexts) == wanted


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_success_means_kept(port: int, archive: Archive, recipe: Callable[[], Dataset], syntax: str) -> None:
    dataset = in_syntax(recipe(), syntax)
    assert store(port, dataset).Status == 0
    assert store(port, dataset).Status == 0
    assert kept(archive, dataset) == dataset


def test_the_sender_is_told_of_a_conflict(port: int, archive: Archive, tmp_path: Path) -> None:
    assert store(port, hanging_protocol()).Status == 0
    changed = hanging_protocol()
    changed.HangingProtocolDescription = "altra"
    assert store(port, changed).Status == 0x0111
    assert kept(archive, changed) == hanging_protocol()
    assert len([path for path in (tmp_path / "quarantine").rglob("*") if path.is_file()]) == 1
