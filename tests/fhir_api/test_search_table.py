"""The table of search parameters agrees with whoever answers for the types."""

from fhir_api import imaging_studies, patients
from fhir_api.search_table import KEPT, PARAMETERS, Kind


def test_each_parameter_of_what_the_index_knows_has_its_translation() -> None:
    assert list(imaging_studies.TRANSLATIONS) == [p.name for p in PARAMETERS["ImagingStudy"]]
    assert list(patients.TRANSLATIONS) == [p.name for p in PARAMETERS["Patient"]]


def test_what_is_kept_is_searched_by_what_the_store_compares() -> None:
    for kept in KEPT:
        assert {p.kind for p in PARAMETERS[kept]} <= set(Kind)
        assert all(p.to_the_second for p in PARAMETERS[kept] if p.kind is Kind.DATE)


def test_references_name_their_targets_and_nothing_else_does() -> None:
    for parameters in PARAMETERS.values():
        assert all((p.kind is Kind.REFERENCE) == bool(p.targets) for p in parameters)
        assert len({p.name for p in parameters}) == len(parameters)
