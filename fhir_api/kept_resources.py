"""Resources of the types that reports become, from the store."""

from collections.abc import Sequence

from fhir_api.answers import Addresses, Answer, Page
from fhir_api.conditions import Condition, Window
from fhir_api.store import ResourceStore
from pacs.errors import NotFound


class KeptResources:
    """Answers for one type of kept resources."""

    def __init__(self, store: ResourceStore, resource_type: str) -> None:
        self._store = store
        self._type = resource_type

    def read(self, resource_id: str, _addresses: Addresses) -> Answer:
        """The resource with this id. Raises NotFound."""
        answer = self._store.read(self._type, resource_id)
        if answer is None:
            raise NotFound(f"there is no such {self._type} here")
        return answer

    def page(self, conditions: Sequence[Condition], window: Window, _addresses: Addresses) -> Page:
        """Resources in the order that is asked, or else in that in which they were first kept."""
        answers = self._store.page(self._type, conditions, window)
        is_last = len(answers) < window.limit and (answers or not window.offset)
        total = window.offset + len(answers) if is_last else self._store.count(self._type, conditions)
        return Page(answers, window.offset + len(answers) < total, total)

    def count(self, conditions: Sequence[Condition], _addresses: Addresses) -> int:
        """How many match."""
        return self._store.count(self._type, conditions)

    def ids(self, conditions: Sequence[Condition], limit: int, _addresses: Addresses) -> list[str]:
        """Their ids."""
        return [answer.resource_id for answer in self._store.page(self._type, conditions, Window(0, limit))]
