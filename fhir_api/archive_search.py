"""FHIR searches for what the index knows, as queries of the archive.

A search becomes alternatives, each of which is one query and what must be looked at in its answers besides.
"""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from fhir_api.conditions import Condition, Days, Reference, Text, Token
from fhir_api.matching import matches
from fhir_api.outcome import RequestFault
from pacs.archive import Archive
from pacs.attributes import ATTRIBUTES
from pacs.dataset.header import is_uid
from pacs.model import Found, Level
from pacs.query import Condition as Matched
from pacs.query import Criterion, OneOf, Query, Range, Wildcard
from sr.identifiers import DICOM_UID

MAX_ALTERNATIVES = 256
MAX_COUNTED = 5000  # matches that are walked through to tell the total of a page

_ATTRIBUTES = {attribute.keyword: attribute for attribute in ATTRIBUTES if len(attribute.path) == 1}


@dataclass(frozen=True, slots=True)
class Alternative:
    """One query. patient: an identity, "" for any.  checks: to be held against the resource itself.

    below: keys that some series or instance of a study fulfils.
    """

    criteria: tuple[Criterion, ...] = ()
    patient: str = ""
    checks: tuple[Condition, ...] = ()
    below: tuple[Criterion, ...] = ()

    def joined(self, other: "Alternative") -> "Alternative | None":
        """What both ask; None when no patient can be both."""
        if self.patient and other.patient and self.patient != other.patient:
            return None
        return Alternative(
            self.criteria + other.criteria,
            self.patient or other.patient,
            self.checks + other.checks,
            self.below + other.below,
        )


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Some of the matches.

    more: whether others follow.  total: of all pages; None when there are more than MAX_COUNTED.
    """

    found: list[Found]
    more: bool
    total: int | None


Translation = Callable[[Condition], list[Alternative]]


class ArchiveSearch:
    """Searches one level of the archive."""

    def __init__(
        self,
        archive: Archive,
        level: Level,
        translations: Mapping[str, Translation],
        describe: Callable[[Found], dict[str, Any]],
    ) -> None:
        """translations: by search parameter.  describe: makes the resource that checks look at."""
        self._archive = archive
        self._level = level
        self._translations = translations
        self._describe = describe

    def page(self, conditions: Sequence[Condition], offset: int, limit: int) -> FoundPage:
        """At most `limit` matches after the first `offset`."""
        plan = self._plan(conditions)
        if len(plan) == 1 and not plan[0].checks:
            found = list(self._archive.search(self._query(plan[0], limit + 1, offset)))
        else:
            found = list(islice(self._found(plan), offset, offset + limit + 1))
        if 0 < len(found) <= limit:
            return FoundPage(found, False, offset + len(found))
        number = sum(1 for _ in islice(self._found(plan), MAX_COUNTED + 1))
        return FoundPage(found[:limit], len(found) > limit, number if number <= MAX_COUNTED else None)

    def count(self, conditions: Sequence[Condition]) -> int:
        """How many match."""
        return sum(1 for _ in self._found(self._plan(conditions)))

    def _plan(self, conditions: Sequence[Condition]) -> list[Alternative]:
        plan = [Alternative()]
        for condition in conditions:
            options = self._translations[condition.parameter.name](condition)
            if len(plan) * len(options) > MAX_ALTERNATIVES:
                name = condition.parameter.name
                raise RequestFault(400, "too-costly", f"{name}: this means too much at once; ask less", name)
            pairs = ((one, other) for one in plan for other in options)
            plan = [joined for one, other in pairs if (joined := one.joined(other)) is not None]
        return plan

    def _found(self, plan: list[Alternative]) -> Iterator[Found]:
        """The matches of all alternatives, each once."""
        seen: set[str] = set()
        for alternative in plan:
            for found in self._archive.search(self._query(alternative, None, 0)):
                resource = self._describe(found) if alternative.checks or len(plan) > 1 else {"id": ""}
                if resource["id"] in seen or not all(matches(resource, c) for c in alternative.checks):
                    continue
                if len(plan) > 1:
                    seen.add(resource["id"])
                yield found

    def _query(self, alternative: Alternative, limit: int | None, offset: int) -> Query:
        patient = alternative.patient or None
        return Query(self._level, alternative.criteria, patient, limit, offset, alternative.below)


def criterion(keyword: str, condition: Matched) -> Criterion:
    """A key of a query."""
    return Criterion(_ATTRIBUTES[keyword], condition)


def one_of(keyword: str, values: Sequence[str]) -> Alternative:
    """Any of these values."""
    return Alternative((criterion(keyword, OneOf(tuple(values))),))


def values_of(condition: Condition, *systems: str) -> list[str]:
    """The values of tokens of any of these systems, or of none in particular."""
    tokens = [value for value in condition.values if isinstance(value, Token)]
    return [t.value for t in tokens if t.value is not None and (t.system is None or t.system in systems)]


def by_checks(condition: Condition) -> list[Alternative]:
    """The condition held against each resource."""
    return [Alternative(checks=(condition,))]


def by_codes(keyword: str, *systems: str) -> Translation:
    """A token parameter that one attribute answers."""

    def translate(condition: Condition) -> list[Alternative]:
        if any(isinstance(value, Token) and value.value is None for value in condition.values):
            return by_checks(condition)
        values = values_of(condition, *systems)
        return [one_of(keyword, values)] if values else []

    return translate


def by_uids_below(keyword: str) -> Translation:
    """A token parameter on the UIDs of what a study holds."""

    def translate(condition: Condition) -> list[Alternative]:
        values = [uid for uid in values_of(condition, DICOM_UID) if is_uid(uid)]
        return [Alternative(below=(criterion(keyword, OneOf(tuple(values))),))] if values else []

    return translate


def by_days(keyword: str) -> Translation:
    """A date parameter that one DA attribute answers."""

    def translate(condition: Condition) -> list[Alternative]:
        stretches = [value for value in condition.values if isinstance(value, Days)]
        return [Alternative((criterion(keyword, Range(_da(s.first), _da(s.last))),)) for s in stretches]

    return translate


def _da(day: datetime.date | None) -> str | None:
    """A day as a DA value."""
    return None if day is None else day.isoformat().replace("-", "")


def by_words(keyword: str) -> Translation:
    """A string parameter on person names: all its words occur, and the resource shows whether rightly."""

    def translate(condition: Condition) -> list[Alternative]:
        texts = [value for value in condition.values if isinstance(value, Text)]
        return [
            Alternative(
                tuple(criterion(keyword, Wildcard(f"*{word}*")) for word in text.beginning.split()),
                checks=(Condition(condition.parameter, (text,)),),
            )
            for text in texts
        ]

    return translate


def by_patients(condition: Condition) -> list[Alternative]:
    """A reference to a patient."""
    targets = [value.target.partition("/") for value in condition.values if isinstance(value, Reference)]
    return [Alternative(patient=patient) for kind, _, patient in targets if kind == "Patient"]
