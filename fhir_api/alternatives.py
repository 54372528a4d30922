"""What conditions of FHIR mean to the index: alternatives, each of which is one query."""

import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fhir_api.conditions import Condition, Days, Named, Reference, Span, Text, Token
from pacs.attributes import ATTRIBUTES, LISTED
from pacs.dataset.header import is_uid
from pacs.query import Condition as Matched
from pacs.query import Criterion, OneOf, Range, Wildcard
from sr.identifiers import DICOM_UID

_ATTRIBUTES = {attribute.keyword: attribute for attribute in ATTRIBUTES if len(attribute.path) == 1}
_LISTED = {attribute.keyword: attribute for attribute in LISTED}


@dataclass(frozen=True, slots=True)
class Alternative:
    """One query. patient: an identity, "" for any.  checks: to be held against the resource itself.

    below: keys that some series or instance of a study fulfils, or that are listed.
    changed: when it changed last, as a query has it; None for any time.
    """

    criteria: tuple[Criterion, ...] = ()
    patient: str = ""
    checks: tuple[Condition, ...] = ()
    below: tuple[Criterion, ...] = ()
    changed: tuple[float, float] | None = None

    def joined(self, other: "Alternative") -> "Alternative | None":
        """What both ask; None when no patient, or no time, can be both."""
        if self.patient and other.patient and self.patient != other.patient:
            return None
        times = [one for one in (self.changed, other.changed) if one is not None]
        changed = (max(low for low, _ in times), min(high for _, high in times)) if times else None
        if changed is not None and changed[0] > changed[1]:
            return None
        return Alternative(
            self.criteria + other.criteria,
            self.patient or other.patient,
            self.checks + other.checks,
            self.below + other.below,
            changed,
        )


Translation = Callable[[Condition], list[Alternative]]


def criterion(keyword: str, condition: Matched) -> Criterion:
    """A key of a query."""
    return Criterion(_ATTRIBUTES[keyword], condition)


def listed(keyword: str, values: Sequence[str]) -> Criterion:
    """Any of these values, of those that are listed, or of a column with an index."""
    return Criterion(_LISTED.get(keyword) or _ATTRIBUTES[keyword], OneOf(tuple(values)))


def one_of(keyword: str, values: Sequence[str]) -> Alternative:
    """Any of these values."""
    return Alternative((criterion(keyword, OneOf(tuple(values))),))


def values_of(condition: Condition, *systems: str) -> list[str]:
    """The values of tokens of any of these systems, or of none in particular."""
    tokens = [value for value in condition.values if isinstance(value, Token)]
    return [t.value for t in tokens if t.value is not None and (t.system is None or t.system in systems)]


def none_have(_: Condition) -> list[Alternative]:
    """What no resource of the type says."""
    return []


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


_LATEST = float("inf")


def since_then(moment: float | None) -> tuple[float, float] | None:
    """When something changed last that changed since, as a query has it; None for any time."""
    return None if moment is None else (moment, _LATEST)


def by_last_change(condition: Condition) -> list[Alternative]:
    """When it changed last."""
    spans = [value for value in condition.values if isinstance(value, Span)]
    return [
        Alternative(changed=times) for span in spans for times in _TIMES[span.prefix](span.low, span.high)
    ]


# FHIR R4 3.1.1.4.5, of a moment: the stretches in which it has to be
_TIMES: Mapping[str, Callable[[float, float], tuple[tuple[float, float], ...]]] = {
    "eq": lambda low, high: ((low, _before(high)),),
    "ne": lambda low, high: ((-_LATEST, _before(low)), (high, _LATEST)),
    "gt": lambda _, high: ((high, _LATEST),),
    "sa": lambda _, high: ((high, _LATEST),),
    "ge": lambda low, _: ((low, _LATEST),),
    "lt": lambda low, _: ((-_LATEST, _before(low)),),
    "eb": lambda low, _: ((-_LATEST, _before(low)),),
    "le": lambda _, high: ((-_LATEST, _before(high)),),
    "ap": lambda low, high: ((low, _before(high)),),
}


def _before(moment: float) -> float:
    """The last one before a moment that a stretch does not include."""
    return math.nextafter(moment, -_LATEST)


def by_names(*keywords: str) -> Translation:
    """Persons by name, under any of these attributes."""

    def translate(condition: Condition) -> list[Alternative]:
        named = [value.words for value in condition.values if isinstance(value, Named)]
        whole = [group for groups in named if len(groups) == 1 for group in groups]
        together = [(tuple(name for group in whole for name in group),)] if whole else []
        several = [groups for groups in named if len(groups) > 1]
        return [
            Alternative(below=tuple(listed(keyword, group) for group in groups))
            for keyword in keywords
            for groups in (*together, *several)
        ]

    return translate


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
