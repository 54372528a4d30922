"""The account of a report's items: which resource tells each, and why the others are told by none."""

from collections.abc import Iterable
from dataclasses import dataclass

from sr.codes import Code
from sr.content_tree import ContentTree, Item

OBJECT_REASON = "no Observation stands beside it that could refer to it"
_REASONS = dict.fromkeys(("IMAGE", "COMPOSITE", "WAVEFORM", "SCOORD", "SCOORD3D", "TCOORD"), OBJECT_REASON)


@dataclass(frozen=True, slots=True)
class Unmapped:
    """An item whose value is in no resource. `reason` holds no patient data."""

    position: str
    concept: Code | None
    reason: str


class Ledger:
    """Kept while one report is mapped."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}
        self._passed_over: dict[str, str] = {}

    def tell(self, items: Iterable[Item], reference: str) -> None:
        """The resource with this reference, such as "Observation/1", tells the items."""
        for item in items:
            self._told[item.position] = reference

    def pass_over(self, item: Item, reason: str) -> None:
        """The item and all below it are left out on purpose."""
        self._passed_over[item.position] = reason

    def teller(self, position: str) -> str:
        """The reference of the resource that tells an item; empty when none does."""
        return self._told.get(position, "")

    def unmapped(self, tree: ContentTree) -> tuple[Unmapped, ...]:
        """All items with a value, or standing for others, that no resource tells, and what was not read."""
        reasons: dict[str, str] = {}
        unmapped = []
        for item in tree.root.walk():
            above = reasons.get(item.position.rpartition(".")[0], "")
            reasons[item.position] = reason = self._passed_over.get(item.position, above)
            if (item.value is None and not item.target) or item.position in self._told:
                continue
            reason = reason or _REASONS.get(item.value_type, "no rule covers it")
            unmapped.append(Unmapped(item.position, item.concept, reason))
        unread = (problem for problem in tree.problems if problem.lost)
        unmapped.extend(Unmapped(problem.position, None, problem.reason) for problem in unread)
        return tuple(unmapped)
