"""FHIR searches for what the index knows, as queries of the archive.

A search becomes alternatives, each of which is one query and what must be looked at in its answers besides.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from fhir_api.alternatives import Alternative, Translation
from fhir_api.conditions import Condition, Order
from fhir_api.matching import matches
from fhir_api.outcome import RequestFault
from pacs.archive import Archive
from pacs.model import Found, Level
from pacs.query import Order as Sorting
from pacs.query import Query, SortKey, normal_date, normal_time

MAX_ALTERNATIVES = 256
MAX_COUNTED = 5000  # matches that are walked through to tell the total of a page

_STARTED = "00080020", "00080030"
# By search parameter
_SORTED = {"_id": SortKey.ID, "_lastUpdated": SortKey.CHANGED, "started": SortKey.STARTED}


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Some of the matches.

    more: whether others follow.  total: of all pages; None when there are more than MAX_COUNTED.
    """

    found: list[Found]
    more: bool
    total: int | None


class ArchiveSearch:
    """Searches one level of the archive."""

    def __init__(
        self,
        archive: Archive,
        level: Level,
        translations: Mapping[str, Translation],
        describe: Callable[[Found, Sequence[Condition]], dict[str, Any]],
    ) -> None:
        """translations: by search parameter.  describe: makes the resource that these checks look at."""
        self._archive = archive
        self._level = level
        self._translations = translations
        self._describe = describe

    def page(
        self, conditions: Sequence[Condition], offset: int, limit: int, order: Sequence[Order] = ()
    ) -> FoundPage:
        """At most `limit` matches after the first `offset`, in this order.

        Without one, what is asked for by its last change comes from the newest change, and else in the order
        of the index. Raises RequestFault where too much would have to be sorted.
        """
        plan = self._plan(conditions)
        sorting = tuple(Sorting(_SORTED[one.parameter.name], one.is_descending) for one in order)
        if len(plan) == 1 and not plan[0].checks:
            found = list(self._archive.search(self._query(plan[0], limit + 1, offset, sorting)))
        else:
            ordered = self._sorted(plan, sorting) if len(plan) > 1 and sorting else self._found(plan, sorting)
            found = list(islice(ordered, offset, offset + limit + 1))
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

    def _sorted(self, plan: list[Alternative], sorting: tuple[Sorting, ...]) -> list[Found]:
        """The matches of several alternatives, each of which has an order of its own."""
        found = list(islice(self._found(plan), MAX_COUNTED + 1))
        if len(found) > MAX_COUNTED:
            raise RequestFault(400, "too-costly", f"_sort: more than {MAX_COUNTED} match; ask less", "_sort")
        for one in reversed(sorting):
            found.sort(key=partial(_place, one.key), reverse=one.is_descending)
        return found

    def _found(self, plan: list[Alternative], sorting: tuple[Sorting, ...] = ()) -> Iterator[Found]:
        """The matches of all alternatives, each once."""
        seen: set[str] = set()
        for alternative in plan:
            for found in self._archive.search(self._query(alternative, None, 0, sorting)):
                if len(plan) > 1 and found.name in seen:
                    continue
                checks = alternative.checks
                resource = self._describe(found, checks) if checks else {}
                if not all(matches(resource, check) for check in checks):
                    continue
                if len(plan) > 1:
                    seen.add(found.name)
                yield found

    def _query(
        self, alternative: Alternative, limit: int | None, offset: int, sorting: tuple[Sorting, ...]
    ) -> Query:
        patient = alternative.patient or None
        if alternative.changed is not None and not sorting:
            sorting = (Sorting(SortKey.CHANGED, is_descending=True),)
        return Query(
            self._level,
            alternative.criteria,
            patient,
            limit,
            offset,
            alternative.below,
            alternative.changed,
            sorting,
        )


def _place(key: SortKey, found: Found) -> tuple[Any, ...]:
    """Where it stands among others, as the index orders them."""
    match key:
        case SortKey.CHANGED:
            return (found.changed or 0.0,)
        case SortKey.ID:
            return (found.name,)
    day, time = (str(next(iter((found.get(tag) or {}).get("Value", ())), "")) for tag in _STARTED)
    return normal_date(day) or "", normal_time(time) or ""
