"""ImagingStudy: made from the index whenever it is asked for, so that it is always true."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from fhir_api.alternatives import (
    Alternative,
    Translation,
    by_checks,
    by_codes,
    by_days,
    by_last_change,
    by_names,
    by_patients,
    by_uids_below,
    criterion,
    listed,
    none_have,
    one_of,
    since_then,
    values_of,
)
from fhir_api.answers import Addresses, Answer, Page, computed
from fhir_api.archive_search import ArchiveSearch
from fhir_api.conditions import Condition, LogicalReference, Reference, Token, Window
from fhir_api.matching import matches
from fhir_api.outcome import Gone
from fhir_api.study_instances import element
from fhir_api.subset import subsetted
from pacs.archive import Archive
from pacs.dataset.header import is_uid
from pacs.errors import NotFound
from pacs.model import DicomJson, Found, Level
from pacs.query import OneOf, Query
from sr.body_parts import BODY_PARTS
from sr.codes import LONGEST_CODE_VALUE, spellings
from sr.coding_schemes import DCM, SCT
from sr.endpoint import endpoint
from sr.identifiers import DICOM_UID
from sr.imaging_study import imaging_study

# A study with more instances is found without them, so that no page holds thousands; reading it gives all.
MAX_FOUND_INSTANCES = 20

_STUDY_INSTANCE_UID = "0020000D"
_NUMBER_OF_STUDY_RELATED_INSTANCES = "00201208"


class ImagingStudies:
    """Answers for ImagingStudy. Its id is the Study Instance UID."""

    def __init__(self, archive: Archive, with_instances: bool = True) -> None:
        """with_instances: False where nobody wants to be told of them; they are not looked up then."""
        self._archive = archive
        self._with_instances = with_instances
        self._search = ArchiveSearch(archive, Level.STUDY, TRANSLATIONS, self._described)

    def read(self, resource_id: str, addresses: Addresses) -> Answer:
        """The study with all its instances. Raises NotFound, or Gone."""
        query = Query(Level.STUDY, one_of("StudyInstanceUID", [resource_id]).criteria)
        found = list(self._archive.search(query))
        if not found and self._archive.deletion.has(resource_id):
            raise Gone("this study was deleted")
        if not found:
            raise NotFound("there is no such ImagingStudy here")
        return self._answers(found, [resource_id], addresses)[0]

    def uids(self, since: float | None = None) -> Iterator[str]:
        """The ids of all, or of those that changed since, in seconds since 1970; read as they are taken."""
        query = Query(Level.STUDY, changed=since_then(since))
        return (_uid(found) for found in self._archive.search(query))

    def page(self, conditions: Sequence[Condition], window: Window, addresses: Addresses) -> Page:
        """Studies from the newest, or in the order that is asked; those of many instances without them."""
        asked = _asked(conditions, addresses)
        page = self._search.page(asked, window.offset, window.limit, window.order)
        small = [_uid(one) for one in page.found if _number_of_instances(one) <= MAX_FOUND_INSTANCES]
        return Page(self._answers(page.found, small, addresses), page.more, page.total)

    def count(self, conditions: Sequence[Condition], addresses: Addresses) -> int:
        """How many studies match."""
        return self._search.count(_asked(conditions, addresses))

    def ids(self, conditions: Sequence[Condition], limit: int, addresses: Addresses) -> list[str]:
        """Study Instance UIDs."""
        return [_uid(found) for found in self._search.page(_asked(conditions, addresses), 0, limit).found]

    def _answers(self, studies: list[Found], whole: Sequence[str], addresses: Addresses) -> list[Answer]:
        """whole: the Study Instance UIDs of those that may be told with their instances."""
        whole = whole if self._with_instances else []
        series, instances = self._series([_uid(study) for study in studies]), self._instances(whole)
        place = endpoint(addresses.dicomweb)
        answers = []
        for study in studies:
            uid, identity = _uid(study), study.patient_identity
            of_series = instances.get(uid, {})
            resource = imaging_study(study.attributes, series.get(uid, []), of_series, identity, place)
            if uid not in whole:
                resource = subsetted(resource)
            answers.append(computed(resource, study.changed))
        return answers

    def _described(self, study: Found, checks: Sequence[Condition]) -> dict[str, Any]:
        """What checks look at: a study, with its series where one asks for what they tell."""
        is_of_series = any(check.parameter.name == "reason" for check in checks)
        series = self._series([_uid(study)]).get(_uid(study), []) if is_of_series else []
        return imaging_study(study.attributes, series, {}, study.patient_identity, None)

    def _series(self, studies: Sequence[str]) -> dict[str, list[DicomJson]]:
        """The series of studies, by Study Instance UID."""
        grouped: dict[str, list[DicomJson]] = {}
        for found in self._archive.search(_below(Level.SERIES, studies)) if studies else ():
            grouped.setdefault(_uid(found), []).append(found.attributes)
        return grouped

    def _instances(self, studies: Sequence[str]) -> dict[str, dict[str, list[orjson.Fragment]]]:
        """The instances of studies, by Study and Series Instance UID.

        Each becomes JSON as it is found, so that nothing else of thousands is held.
        """
        grouped: dict[str, dict[str, list[orjson.Fragment]]] = {}
        for kept in self._archive.kept(_below(Level.INSTANCE, studies)) if studies else ():
            of_study = grouped.setdefault(kept.study_instance_uid, {})
            # As text: bytes of orjson hold the room that they were written in
            fragment = orjson.Fragment(element(kept).decode())
            of_study.setdefault(kept.series_instance_uid, []).append(fragment)
        return grouped


def _below(level: Level, studies: Sequence[str]) -> Query:
    return Query(level, one_of("StudyInstanceUID", studies).criteria)


def _asked(conditions: Sequence[Condition], addresses: Addresses) -> list[Condition]:
    """The conditions without one on the endpoint that all have; of another, one that none fulfils stays."""
    ours = Reference(f"Endpoint/{endpoint(addresses.dicomweb)['id']}")
    return [one for one in conditions if one.parameter.name != "endpoint" or ours not in one.values]


def _first(attributes: DicomJson, key: str) -> Any:
    """The first value under a key; None when there is none."""
    return next(iter(attributes.get(key, {}).get("Value", ())), None)


def _uid(found: Found) -> str:
    return str(_first(found.levels[0], _STUDY_INSTANCE_UID))


def _number_of_instances(found: Found) -> int:
    return int(_first(found.levels[0], _NUMBER_OF_STUDY_RELATED_INSTANCES) or 0)


def _by_identifier(condition: Condition) -> list[Alternative]:
    """Study Instance UIDs and Accession Numbers; a value without a system may be either."""
    tokens = [value for value in condition.values if isinstance(value, Token)]
    if any(token.value is None for token in tokens):
        return by_checks(condition)
    uids = [uid for uid in values_of(condition, DICOM_UID) if is_uid(uid)]
    bare = values_of(condition)
    issued = tuple(token for token in tokens if token.system not in (None, DICOM_UID))
    numbers = OneOf(tuple(token.value or "" for token in issued))
    alternatives = (
        one_of("StudyInstanceUID", uids) if uids else None,
        one_of("AccessionNumber", bare) if bare else None,
        Alternative(
            (criterion("AccessionNumber", numbers),), checks=(Condition(condition.parameter, issued),)
        )
        if issued
        else None,
    )
    return [alternative for alternative in alternatives if alternative is not None]


def _numbers(condition: Condition) -> tuple[str, ...]:
    """The numbers of orders, or of encounters, which are no resources that studies refer to."""
    logical = (value.token.value for value in condition.values if isinstance(value, LogicalReference))
    return tuple(number for number in logical if number is not None)


def _by_order(condition: Condition) -> list[Alternative]:
    """Accession Numbers."""
    numbers = _numbers(condition)
    key = criterion("AccessionNumber", OneOf(numbers))
    return [Alternative((key,), checks=(condition,))] if numbers else []


def _by_encounter(condition: Condition) -> list[Alternative]:
    """Admission IDs."""
    numbers = _numbers(condition)
    return [Alternative(below=(listed("AdmissionID", numbers),), checks=(condition,))] if numbers else []


def _by_reason(condition: Condition) -> list[Alternative]:
    """Codes of the reasons for the requested procedures, as they are written in one scheme or the other."""
    tokens = [value for value in condition.values if isinstance(value, Token) and value.value is not None]
    written = {spelling for token in tokens for spelling in spellings(token.value or "")}
    check = Condition(condition.parameter, tuple(tokens))
    by_length = (
        ("CodeValue", [one for one in written if len(one) <= LONGEST_CODE_VALUE]),
        ("LongCodeValue", [one for one in written if len(one) > LONGEST_CODE_VALUE]),
    )
    return [
        Alternative(below=(listed(keyword, sorted(values)),), checks=(check,))
        for keyword, values in by_length
        if values
    ]


def _by_body_site(condition: Condition) -> list[Alternative]:
    """Body Part Examined of the series, by the codes that it is told by."""
    codes = set(values_of(condition, SCT))
    is_any = any(isinstance(t, Token) and t.value is None and t.system == SCT for t in condition.values)
    parts = tuple(part for part, code in BODY_PARTS.items() if is_any or code in codes)
    return [Alternative(below=(criterion("BodyPartExamined", OneOf(parts)),))] if parts else []


def _by_status(condition: Condition) -> list[Alternative]:
    """Whatever is in the index is available."""
    return [Alternative()] if matches({"status": "available"}, condition) else []


# By search parameter: how the index is asked
TRANSLATIONS: Mapping[str, Translation] = {
    "_id": by_codes("StudyInstanceUID"),
    "identifier": _by_identifier,
    "patient": by_patients,
    "subject": by_patients,
    "started": by_days("StudyDate"),
    "modality": by_codes("ModalitiesInStudy", DCM),
    "dicom-class": by_codes("SOPClassesInStudy", DICOM_UID),
    "endpoint": lambda _: [],  # of another than ours
    "series": by_uids_below("SeriesInstanceUID"),
    "instance": by_uids_below("SOPInstanceUID"),
    "bodysite": _by_body_site,
    "body-site": _by_body_site,
    "basedon": _by_order,
    "based-on": _by_order,
    "status": _by_status,
    "referrer": by_names("ReferringPhysicianName"),
    "interpreter": by_names("NameOfPhysiciansReadingStudy"),
    "performer": by_names("PerformingPhysicianName", "OperatorsName"),
    "reason": _by_reason,
    "encounter": _by_encounter,
    "_tag": none_have,
    "_profile": none_have,
    "_lastUpdated": by_last_change,
}
