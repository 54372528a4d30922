"""Endpoint: the one DICOMweb service that all studies are had from."""

from collections.abc import Sequence

from fhir_api.answers import Addresses, Answer, Page, computed
from fhir_api.conditions import Condition, Window
from fhir_api.matching import matches
from pacs.errors import NotFound
from sr.endpoint import endpoint


class Endpoints:
    """Answers for Endpoint, whose id follows from the address by which the client reaches us."""

    def read(self, resource_id: str, addresses: Addresses) -> Answer:
        """The endpoint. Raises NotFound for any other id."""
        resource = endpoint(addresses.dicomweb)
        if resource["id"] != resource_id:
            raise NotFound("there is no such Endpoint here")
        return computed(resource)

    def page(self, conditions: Sequence[Condition], window: Window, addresses: Addresses) -> Page:
        """The endpoint, if it matches."""
        matching = self._matching(conditions, addresses)
        return Page(matching[window.offset : window.offset + window.limit], False, len(matching))

    def count(self, conditions: Sequence[Condition], addresses: Addresses) -> int:
        """Whether it matches."""
        return len(self._matching(conditions, addresses))

    def ids(self, conditions: Sequence[Condition], _limit: int, addresses: Addresses) -> list[str]:
        """Its id, if it matches."""
        return [answer.resource_id for answer in self._matching(conditions, addresses)]

    @staticmethod
    def _matching(conditions: Sequence[Condition], addresses: Addresses) -> list[Answer]:
        resource = endpoint(addresses.dicomweb)
        return [computed(resource)] if all(matches(resource, one) for one in conditions) else []
