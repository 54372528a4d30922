"""Patient: made from the index whenever it is asked for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fhir_api.alternatives import (
    Alternative,
    Translation,
    by_checks,
    by_days,
    by_last_change,
    by_words,
    criterion,
    none_have,
    one_of,
    since_then,
    values_of,
)
from fhir_api.answers import Addresses, Answer, Page, computed
from fhir_api.archive_parameters import GENDER
from fhir_api.archive_search import ArchiveSearch
from fhir_api.conditions import Condition, Token, Window
from pacs.archive import Archive
from pacs.errors import NotFound
from pacs.model import Found, Level
from pacs.query import OneOf, Query
from sr.patient import GENDERS, patient


class Patients:
    """Answers for Patient. Its id is the archive's identity of the patient."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._search = ArchiveSearch(archive, Level.PATIENT, TRANSLATIONS, _described)

    def read(self, resource_id: str, _addresses: Addresses) -> Answer:
        """The patient with this identity. Raises NotFound."""
        found = list(self._archive.search(Query(Level.PATIENT, patient_identity=resource_id)))
        if not found:
            raise NotFound("there is no such Patient here")
        return _answer(found[0])

    def all(self, since: float | None = None) -> Iterator[Answer]:
        """All, or those that changed since, in seconds since 1970; read as they are taken."""
        return map(_answer, self._archive.search(Query(Level.PATIENT, changed=since_then(since))))

    def page(self, conditions: Sequence[Condition], window: Window, _addresses: Addresses) -> Page:
        """Patients by name, or in the order that is asked."""
        page = self._search.page(conditions, window.offset, window.limit, window.order)
        return Page([_answer(one) for one in page.found], page.more, page.total)

    def count(self, conditions: Sequence[Condition], _addresses: Addresses) -> int:
        """How many patients match."""
        return self._search.count(conditions)

    def ids(self, conditions: Sequence[Condition], limit: int, _addresses: Addresses) -> list[str]:
        """Identities."""
        return [found.patient_identity for found in self._search.page(conditions, 0, limit).found]


def _answer(found: Found) -> Answer:
    return computed(patient(found.attributes, found.patient_identity), found.changed)


def _described(found: Found, _checks: Sequence[Condition]) -> dict[str, Any]:
    return patient(found.attributes, found.patient_identity)


def _by_id(condition: Condition) -> list[Alternative]:
    return [Alternative(patient=identity) for identity in values_of(condition)]


def _by_identifier(condition: Condition) -> list[Alternative]:
    tokens = [value for value in condition.values if isinstance(value, Token)]
    if any(token.value is None for token in tokens):
        return by_checks(condition)
    numbers = OneOf(tuple(token.value or "" for token in tokens))
    return [Alternative((criterion("PatientID", numbers),), checks=(condition,))]


def _by_gender(condition: Condition) -> list[Alternative]:
    """Patient's Sex; what is told as unknown is whatever else stands there, and so looked at."""
    tokens = [value for value in condition.values if isinstance(value, Token)]
    if any(token.value in (None, "unknown") for token in tokens):
        return by_checks(condition)
    wanted = values_of(condition, GENDER)
    letters = [letter for letter, gender in GENDERS.items() if gender in wanted]
    return [one_of("PatientSex", [*letters, *map(str.lower, letters)])] if letters else []


# By search parameter: how the index is asked
TRANSLATIONS: Mapping[str, Translation] = {
    "_id": _by_id,
    "identifier": _by_identifier,
    "name": by_words("PatientName"),
    "family": by_words("PatientName"),
    "given": by_words("PatientName"),
    "birthdate": by_days("PatientBirthDate"),
    "gender": _by_gender,
    "_tag": none_have,
    "_profile": none_have,
    "_lastUpdated": by_last_change,
}
