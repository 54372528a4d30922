"""Resources of the types that reports become, from the store."""

from collections.abc import Sequence
from dataclasses import replace

from fhir_api.answers import Addresses, Answer, Page
from fhir_api.conditions import Condition, Window
from fhir_api.outcome import Gone
from fhir_api.store import ResourceStore
from fhir_api.versions import Wanted
from pacs.errors import NotFound


class KeptResources:
    """Answers for one type of kept resources."""

    def __init__(self, store: ResourceStore, resource_type: str) -> None:
        self._store = store
        self._type = resource_type

    def read(self, resource_id: str, _addresses: Addresses) -> Answer:
        """The resource with this id. Raises NotFound, or Gone."""
        answer = self._store.read(self._type, resource_id)
        if answer is None:
            raise self._absent(resource_id)
        return answer

    def version(self, resource_id: str, version: str) -> Answer:
        """One version of a resource, present or past; raises like `read`."""
        present = self._store.read(self._type, resource_id)
        if present is not None and present.version == version:
            return present
        past = self._store.past(self._type, resource_id, version)
        if present is None or (past is not None and not past.content):
            raise self._absent(resource_id)
        if past is None:
            raise NotFound(f"there is no such version of this {self._type} here")
        return past

    def history(self, wanted: Wanted) -> list[Answer]:
        """Versions of one resource, or of all; those that withdrew it have no content. Raises NotFound."""
        found = self._store.history(wanted)
        if not found and wanted.resource_id and not self._is_known(wanted.resource_id):
            raise NotFound(f"there was never such a {self._type} here")
        return found

    def page(self, conditions: Sequence[Condition], window: Window, _addresses: Addresses) -> Page:
        """Resources in the order that is asked, or else in that in which they were first kept."""
        if not window.is_counted:
            answers = self._store.page(self._type, conditions, replace(window, limit=window.limit + 1))
            return Page(answers[: window.limit], len(answers) > window.limit, None)
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

    def _is_known(self, resource_id: str) -> bool:
        is_here = self._store.read(self._type, resource_id) is not None
        return is_here or self._store.is_withdrawn(self._type, resource_id)

    def _absent(self, resource_id: str) -> NotFound:
        if self._store.is_withdrawn(self._type, resource_id):
            return Gone(f"this {self._type} was withdrawn with its report")
        return NotFound(f"there is no such {self._type} here")
