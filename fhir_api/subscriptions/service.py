"""What clients do with subscriptions (FHIR R4 3.1.0)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fhir_api.answers import Addresses, Answer, Page
from fhir_api.conditions import Condition, Window
from fhir_api.matching import matches
from fhir_api.outcome import RequestFault
from fhir_api.subscriptions.criteria import check_criteria
from fhir_api.subscriptions.model import Submitted, Subscription
from fhir_api.subscriptions.store import SubscriptionStore, TooMany
from fhir_api.subscriptions.submitted import read_submitted, with_kept_headers
from pacs.errors import NotFound
from sr.fhir_json import dumps

_NO_ADDRESSES = (
    "this server calls no addresses: who runs it names those that may be called in the setting "
    "fhir_subscription_endpoints"
)


class Subscriptions:
    """Makes, changes and ends them, and answers for their type."""

    def __init__(
        self,
        store: SubscriptionStore,
        allowed: Sequence[str],
        newest: Callable[[], int],
        ring: Callable[[], None],
    ) -> None:
        """allowed: what the addresses to be called may begin with.  newest: the end of the change feed.

        ring: wakes who serves them.
        """
        self._store = store
        self._allowed = allowed
        self._newest = newest
        self._ring = ring

    @property
    def are_offered(self) -> bool:
        """Whether any address may be called."""
        return bool(self._allowed)

    def newest(self) -> int | None:
        """The end of the change feed, to note what changed under; None where nobody can be told."""
        return self._newest() if self.are_offered else None

    def ring(self) -> None:
        """Have those told who are to be told of what was noted."""
        self._ring()

    def create(self, resource: Mapping[str, Any], addresses: Addresses) -> Answer:
        """Keep a Subscription that is submitted. Raises RequestFault."""
        submitted = self._submitted(resource, None, addresses)
        try:
            made = self._store.create(submitted, addresses, self._newest())
        except TooMany as error:
            raise RequestFault(422, "too-costly", "there are as many subscriptions as may be") from error
        self._ring()
        return _answer(made)

    def update(
        self, resource_id: str, resource: Mapping[str, Any], version: str, addresses: Addresses
    ) -> Answer:
        """Put a Subscription that is submitted in the place of one.

        version: that it has to have, "" or * for any.  Raises RequestFault.
        """
        before = self._store.read(resource_id)
        submitted = self._submitted(resource, before, addresses)
        if submitted.resource_id != resource_id:  # R4 3.1.0.4
            raise RequestFault(400, "invalid", "Subscription.id: expected that of the address")
        if before is None:  # R4 3.1.0.4
            raise RequestFault(405, "not-supported", "the ids of subscriptions are given by the server")
        is_same = version in ("", "*", str(before.version))
        if not is_same or not self._store.update(before, submitted, addresses, self._newest()):
            raise RequestFault(412, "conflict", "it has changed; read it again", "If-Match")
        self._ring()
        return self.read(resource_id, addresses)

    def delete(self, resource_id: str) -> None:
        """End one. Raises NotFound."""
        if not self._store.delete(resource_id):
            raise NotFound("there is no such Subscription here")

    def read(self, resource_id: str, _addresses: Addresses) -> Answer:
        """One of them. Raises NotFound."""
        found = self._store.read(resource_id)
        if found is None:
            raise NotFound("there is no such Subscription here")
        return _answer(found)

    def page(self, conditions: Sequence[Condition], window: Window, _addresses: Addresses) -> Page:
        """Those that match; they are few."""
        found = self._matching(conditions)
        answers = [_answer(one) for one in found[window.offset : window.offset + window.limit]]
        return Page(answers, window.offset + len(answers) < len(found), len(found))

    def count(self, conditions: Sequence[Condition], _addresses: Addresses) -> int:
        """How many match."""
        return len(self._matching(conditions))

    def ids(self, conditions: Sequence[Condition], limit: int, _addresses: Addresses) -> list[str]:
        """Their ids."""
        return [one.subscription_id for one in self._matching(conditions)[:limit]]

    def _submitted(
        self, resource: Mapping[str, Any], before: Subscription | None, addresses: Addresses
    ) -> Submitted:
        """What is submitted, with what is kept of the one before."""
        if not self._allowed:
            raise RequestFault(403, "forbidden", _NO_ADDRESSES)
        submitted = read_submitted(resource, self._allowed)
        check_criteria(submitted.content["criteria"], addresses.fhir)
        content = with_kept_headers(submitted.content, before.content if before is not None else None)
        return replace(submitted, content=content)

    def _matching(self, conditions: Sequence[Condition]) -> list[Subscription]:
        by_id = sorted(self._store.all(), key=lambda one: one.subscription_id)
        return [one for one in by_id if all(matches(one.resource(), c) for c in conditions)]


def _answer(one: Subscription) -> Answer:
    content = dumps(one.resource())
    return Answer("Subscription", one.subscription_id, content, str(one.version), one.last_updated)
