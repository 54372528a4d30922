"""What the archive's answers are counted and joined to."""

import pytest

from fhir_api import archive_search
from fhir_api.alternatives import Alternative, one_of
from fhir_api.archive_search import ArchiveSearch
from fhir_api.patients import TRANSLATIONS
from pacs.model import Level
from tests.fhir_api.conftest import World


def test_no_patient_is_two_patients() -> None:
    assert Alternative(patient="a").joined(Alternative(patient="b")) is None
    joined = Alternative(patient="a").joined(one_of("PatientID", ["1"]))
    assert joined == Alternative(one_of("PatientID", ["1"]).criteria, "a")


def test_totals_are_told_as_long_as_they_are_cheap(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    search = ArchiveSearch(world.archive, Level.PATIENT, TRANSLATIONS, lambda _found, _checks: {})
    assert search.page([], 0, 1).total == 2
    monkeypatch.setattr(archive_search, "MAX_COUNTED", 1)
    page = search.page([], 0, 1)
    assert (len(page.found), page.more, page.total) == (1, True, None)
    assert search.page([], 1, 1).total == 2
    assert search.count([]) == 2
